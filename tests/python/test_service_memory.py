"""The features as CSV take no more memory for a million users than for ten, and a client that stalls delays no run."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Project
from services import Service, serving, until

USERS = 1_000_000
# In total, more than the buffers of sockets hold.
BYTES_OF_A_USER = 120


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    """A service on a table that no dbt has built; only its size matters."""
    project.query(
        "create schema {schema}; create table {schema}.user_features as select user_id, 1::bigint as total_experiments, "
        "12.5::double precision as avg_experiment_run_time, 12.5 as total_experiment_run_time, 1::bigint as distinct_compounds, "
        "1::bigint as most_common_compound_id, repeat('x', 100) || user_id as most_common_compound_name, '1' as most_common_compound_ids, "
        "1::bigint as most_common_compound_experiments from generate_series(1::bigint, 10) as user_id;"
        "alter table {schema}.user_features add primary key (user_id)"
    )
    with serving(project) as service:
        yield service
    project.query("drop schema {schema} cascade")


def peak_mebibytes(service: Service) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def stream(service: Service) -> tuple[int, str]:
    """The number of bytes in the CSV, and their digest."""
    digest, size = hashlib.sha256(), 0
    for piece in service.call("GET", "/features", 200, headers={"Accept": "text/csv"}, stream=True).iter_content(1 << 16):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def test_a_million_users_take_the_memory_of_ten(service: Service, project: Project) -> None:
    stream(service)
    service.get("/features?limit=1000")
    before = peak_mebibytes(service)
    project.query(
        "insert into {schema}.user_features select number, 1, 12.5, 12.5, 1, 1, repeat('x', 100) || number, '1', 1 "
        f"from generate_series(11, {USERS}) as number; analyze {{schema}}.user_features"
    )
    size, digest = stream(service)
    assert size > USERS * BYTES_OF_A_USER
    # A fraction of the size of the rows.
    assert peak_mebibytes(service) - before < 8, "MiB"
    # All rows, in order.
    lines = "\n".join(f"{number},1,12.5,12.5,1,1,{'x' * 100}{number},1,1" for number in range(1, USERS + 1))
    header = (
        "user_id,total_experiments,avg_experiment_run_time,total_experiment_run_time,distinct_compounds,most_common_compound_id,"
        "most_common_compound_name,most_common_compound_ids,most_common_compound_experiments"
    )
    assert digest == hashlib.sha256(f"{header}\n{lines}\n".encode()).hexdigest()


def test_who_takes_data_slowly_reads_no_table(service: Service, project: Project) -> None:
    """A table that is being read cannot be replaced."""
    pieces = service.call("GET", "/features", 200, headers={"Accept": "text/csv"}, stream=True).iter_content(1 << 16)
    first = next(pieces)
    assert files(service) and not readers(project)
    project.query("delete from {schema}.user_features where user_id > 10")
    # The response is what was published when the call arrived.
    assert len(first) + sum(map(len, pieces)) > USERS * BYTES_OF_A_USER
    until(lambda: None if files(service) else True)


def test_who_leaves_has_no_file_any_more(service: Service, project: Project) -> None:
    project.query(
        "insert into {schema}.user_features select number, 1, 12.5, 12.5, 1, 1, repeat('x', 100) || number, '1', 1 "
        f"from generate_series(11, {USERS // 10}) as number"
    )
    with socket.socket() as connection:
        # Or the system's buffers could hold the whole answer.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
        connection.sendall(b"GET /features HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert files(service)
    until(lambda: None if files(service) else True)


def files(service: Service) -> list[str]:
    """Open files without a name."""
    names = []
    for link in Path(f"/proc/{service.process.pid}/fd").iterdir():
        # A file may be closed meanwhile.
        with suppress(FileNotFoundError):
            names.append(str(link.readlink()))
    return [name for name in names if name.endswith("(deleted)")]


def readers(project: Project) -> list[tuple]:
    return project.query(
        "select pid from pg_locks where relation = '{schema}.user_features'::regclass and mode = 'AccessShareLock' and pid <> pg_backend_pid()"
    )
