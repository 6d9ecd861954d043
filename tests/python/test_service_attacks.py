"""Nobody can block the HTTP service by stalling, idling, sending calls that never end, or opening a thousand connections."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
import pytest
import requests
from conftest import Project
from services import Service, serving, until

from experiment_features.service.database import CONNECTIONS, CONNECTIONS_OF_A_CLIENT

# The promised response time while other clients stall.
SECONDS = 1.0
USERS = 20_000
# About 12 MB as CSV, which is more than the buffers of a connection hold.
NAME_BYTES = 600
# Fewer and shorter than the service's defaults, to end the tests soon.
LIMITS = {"ETL_HEADER_SECONDS": "1", "ETL_BODY_SECONDS": "1", "ETL_IDLE_SECONDS": "1", "ETL_STALL_SECONDS": "2"}
CSV = "Accept: text/csv\r\n"


@pytest.fixture(scope="module")
def published(project: Project) -> Iterator[Project]:
    """A table that no dbt has built; only its size matters."""
    project.query(
        "create schema {schema}; create table {schema}.user_features as select user_id, 1::bigint as total_experiments, "
        f"repeat('x', {NAME_BYTES}) as most_common_compound_name from generate_series(1::bigint, {USERS}) as user_id;"
        "alter table {schema}.user_features add primary key (user_id)"
    )
    yield project
    project.query("drop schema {schema} cascade")


@pytest.fixture(scope="module")
def service(published: Project) -> Iterator[Service]:
    with serving(published, **LIMITS) as service:
        yield service
        assert "Traceback" not in service.output


@pytest.fixture
def sockets() -> Iterator[Callable[..., socket.socket]]:
    """Connections to a service, closed at the end of the test: sockets(service, text, source=...)."""
    with ExitStack() as stack:

        def connect(service: Service, text: str = "", source: str = "127.0.0.1") -> socket.socket:
            connection = stack.enter_context(socket.socket())
            # With small buffers, a client that does not read takes little of a response.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(60)
            connection.bind((source, 0))
            connection.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
            connection.sendall(text.encode())
            return connection

        yield connect


def call(path: str, headers: str = "", method: str = "GET") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"


def everything(connection: socket.socket) -> bytes:
    """Everything that arrives until the service closes the connection."""
    pieces = []
    try:
        while piece := connection.recv(1 << 16):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def answers(service: Service, paths: Sequence[str] = ("/health", "/features/1", "/features?limit=1", "/etl", "/docs", "/")) -> float:
    """The longest response time for a client with its own address and no open connection."""
    longest = 0.0
    for path in paths:
        session = requests.Session()
        session.get_adapter(service.url).init_poolmanager(1, 1, source_address=("127.0.0.2", 0))
        before = time.monotonic()
        assert session.get(service.url + path, timeout=60).status_code == 200, path
        longest = max(longest, time.monotonic() - before)
        session.close()
    return longest


def connections(service: Service) -> int:
    """The number of the service's open connections, apart from the socket it listens on."""
    # A client with another address may have the same port number.
    address = f"0100007F:{int(service.url.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1] == address and row[3] in ("01", "08") for row in rows)


def connections_of_database(project: Project) -> list[tuple]:
    return project.query("select pid from pg_stat_activity where application_name = 'experiment_features service'")


def test_readers_that_stall_hold_no_connection_of_the_database(service: Service, published: Project, sockets: Callable[..., socket.socket]) -> None:
    """More readers than the service has database connections, each with its own address."""
    stalled = [sockets(service, call("/features", CSV), f"127.0.1.{number}") for number in range(1, 13)]
    for reader in stalled:
        assert reader.recv(12) == b"HTTP/1.1 200"
    until(lambda: None if connections_of_database(published) else True)
    assert answers(service) < SECONDS
    # None of them is kept forever, and what they have not read is dropped.
    until(lambda: None if connections(service) else True)
    assert all(len(everything(reader)) < USERS * NAME_BYTES for reader in stalled)


def test_a_reader_that_goes_on_gets_everything(service: Service, sockets: Callable[..., socket.socket]) -> None:
    reader = sockets(service, call("/features", CSV + "Connection: close\r\n"))
    assert len(everything(reader)) > USERS * NAME_BYTES


def test_a_client_that_stalls_makes_room_for_its_next_export(published: Project, sockets: Callable[..., socket.socket]) -> None:
    with serving(published, ETL_EXPORTS_PER_CLIENT="1") as service:
        first = sockets(service, call("/features", CSV))
        assert first.recv(12) == b"HTTP/1.1 200"
        until(lambda: service.call("GET", "/features", headers={"Accept": "text/csv"}).status_code == 200 or None)
        assert len(everything(first)) < USERS * NAME_BYTES
        assert "Traceback" not in service.output


@pytest.mark.parametrize(
    "text",
    [
        call("/etl", "Content-Type: application/json\r\nContent-Length: 40\r\n", "POST") + '{"full_refresh": true}',
        call("/etl", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", "POST") + '16\r\n{"full_refresh": true}\r\n',
        call("/etl", "Content-Length: 5\r\n", "POST"),
        call("/etl", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", "POST") + "no chunk\r\n",
    ],
    ids=["half a body", "chunks without an end", "no body", "no chunk"],
)
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "left open"])
def test_a_body_that_is_not_complete_starts_nothing(service: Service, sockets: Callable[..., socket.socket], text: str, is_closed: bool) -> None:
    connection = sockets(service, text)
    if is_closed:
        connection.shutdown(socket.SHUT_WR)
    answer = everything(connection)
    assert not answer or answer[9:12] in (b"408", b"400"), answer
    if not is_closed and "no chunk" not in text:
        assert b"The body did not arrive in time." in answer
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text()
    assert children == "" and service.get("/etl") == {"runs": [], "next": None}


def trickle(connection: socket.socket, piece: bytes) -> bytes:
    """Sends piece after piece until the service closes the connection, and returns what it sent."""
    connection.settimeout(0.1)
    pieces = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            connection.sendall(piece)
            if not (received := connection.recv(1 << 16)):
                break
            pieces.append(received)
        except TimeoutError:
            continue
        except ConnectionError:
            break
    else:
        raise AssertionError("the service goes on listening")
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("text", "piece", "sentence"),
    [
        ("", b"", b""),
        ("GET /features/1 HTTP/1.1\r\n", b"", b"The header of the call did not arrive in time."),
        ("GET /features/1 HTTP/1.1\r\n", b"A: b\r\n", b"The header of the call did not arrive in time."),
        (call("/features/1"), b"", b'"user_id":1'),
        (call("/features/1"), b"G", b'"user_id":1'),
        (call("/etl", "Content-Length: 60000\r\nContent-Type: application/json\r\n", "POST"), b" ", b"The body did not arrive in time."),
        # The response comes before the body, which then never ends.
        (call("/etl", "Content-Length: 60000\r\nOrigin: https://evil.example\r\n", "POST"), b" ", b"A page of another site"),
    ],
    ids=["nothing", "half a header", "a header by and by", "idle", "half a second call", "a body by and by", "a body for nothing"],
)
def test_who_does_not_get_on_is_closed(service: Service, sockets: Callable[..., socket.socket], text: str, piece: bytes, sentence: bytes) -> None:
    connection = sockets(service, text)
    answer = trickle(connection, piece) if piece else everything(connection)
    assert sentence in answer and (sentence or answer == b"")
    until(lambda: None if connections(service) else True)


@pytest.mark.parametrize("is_complete", [True, False], ids=["at once", "without an end"])
def test_a_header_has_a_size(service: Service, sockets: Callable[..., socket.socket], is_complete: bool) -> None:
    header = f"A: {'b' * 20_000}\r\n"
    connection = sockets(service, call("/features/1", header) if is_complete else call("/features/1", header)[:-4])
    head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431") and b"application/problem+json" in head.lower()
    assert json.loads(body)["detail"] == "The header of the call is larger than 16384 bytes."


def test_calls_sent_ahead_have_a_size(service: Service) -> None:
    """Each response would otherwise let in more calls than it takes from the buffer, until the memory is full."""
    calls, sent = call("/static/page.css").encode() * 1000, 0
    with socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2]))) as connection, ThreadPoolExecutor(1) as pool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        answer = pool.submit(everything, connection)
        with pytest.raises(ConnectionError):
            while sent < 16 << 20:
                connection.sendall(calls)
                sent += len(calls)
        assert answer.result().startswith(b"HTTP/1.1 200")


def test_one_client_cannot_take_every_place(published: Project, sockets: Callable[..., socket.socket]) -> None:
    """The client's oldest idle connection makes room for its next one; other clients are not affected."""
    with serving(published, ETL_CONNECTIONS_PER_CLIENT="20", ETL_HEADER_SECONDS="60") as service:
        other = sockets(service, source="127.0.0.3")
        idle = [sockets(service) for _ in range(60)]
        until(lambda: True if connections(service) <= 21 else None)
        for said in filter(None, map(everything, filter(has_answer, idle))):
            assert b"There are 20 connections from your address already; close some, or try again in a moment." in said
        # The client itself is also served, as soon as its other connections have been idle for a moment.
        until(lambda: requests.get(f"{service.url}/features/1", timeout=60).status_code == 200 or None)
        until(lambda: True if connections(service) <= 21 else None)
        assert answers(service) < SECONDS
        other.sendall(call("/features/1", "Connection: close\r\n").encode())
        assert everything(other).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("clients", [1, CONNECTIONS + 2])
def test_calls_that_wait_for_a_table_leave_connections_of_the_database(
    service: Service, published: Project, sockets: Callable[..., socket.socket], clients: int
) -> None:
    """There are more calls than connections, by one client or by many."""
    with psycopg2.connect(host=published.environment["PGHOST"], user="postgres", dbname="postgres") as locking, locking.cursor() as cursor:
        cursor.execute(f"lock table {published.schema}.user_features")
        waiting = [sockets(service, call("/features/1", "Connection: close\r\n"), f"127.0.5.{number % clients + 1}") for number in range(CONNECTIONS + 2)]
        until(lambda: True if len(connections_of_database(published)) >= CONNECTIONS_OF_A_CLIENT else None)
        assert answers(service, paths=("/health", "/etl", "/")) < SECONDS
        assert b"A run is replacing the table; try again in a moment." in everything(waiting[0])
    locking.close()


def test_a_proxy_is_many_clients(published: Project, sockets: Callable[..., socket.socket]) -> None:
    with serving(published, ETL_CONNECTIONS_PER_CLIENT="5", ETL_PROXIES="127.0.0.4, 192.0.2.0/24") as service:
        through_proxy = [sockets(service, source="127.0.0.4") for _ in range(30)]
        until(lambda: True if connections(service) == 30 else None)
        for number, connection in enumerate(through_proxy):
            connection.sendall(call("/features/1", f"X-Forwarded-For: 198.51.100.{number}\r\nConnection: close\r\n").encode())
            assert everything(connection).startswith(b"HTTP/1.1 200")


def has_answer(connection: socket.socket) -> bool:
    """Whether anything has arrived yet."""
    return bool(select.select([connection], [], [], 0)[0])


@contextmanager
def few_files(number: int) -> Iterator[None]:
    """Starts processes with a soft limit on open files, as shells do."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_thousand_clients_that_stall(published: Project, sockets: Callable[..., socket.socket]) -> None:
    """They stall in several ways, from a thousand addresses, before and during a run."""
    kinds = (
        "",
        "GET /features/1 HTTP/1.1\r\n",
        call("/static/page.js"),
        call("/etl", "Content-Length: 10\r\n", "POST"),
    )
    with ExitStack() as stack:
        with few_files(1024):
            service = stack.enter_context(serving(published, **dict.fromkeys(LIMITS, "300")))
        for number in range(1000):
            sockets(service, kinds[number % len(kinds)], f"127.1.{number // 250}.{number % 250 + 1}")
        for number in range(40):
            # One response is larger than the buffers.
            sockets(service, call("/features?limit=1000") * 20, f"127.2.0.{number + 1}")
        until(lambda: True if connections(service) == 1040 and not connections_of_database(published) else None)
        run_id = service.post("/etl", 202)["id"]
        assert answers(service) < SECONDS
        assert service.get(f"/etl/{run_id}")["status"] == "running"
        assert service.post("/etl", 409)["run"] == run_id
        assert connections(service) >= 1040, "they were there all the time"
        # This ends both sooner than stopping them in turn: the service would give readers a few seconds.
        os.kill(service.dbt, signal.SIGKILL)
        service.end(signal.SIGKILL)


def test_idle_connections_of_one_address_shut_nobody_out(published: Project, sockets: Callable[..., socket.socket]) -> None:
    with ExitStack() as stack:
        with few_files(1024):
            service = stack.enter_context(serving(published))
        for _ in range(1100):
            sockets(service)
        assert answers(service) < SECONDS
        until(lambda: requests.get(f"{service.url}/features/1", timeout=60).status_code == 200 or None)


def test_a_connection_that_is_kept_is_as_fast_as_a_new_one(service: Service) -> None:
    session = requests.Session()
    kept, new = [], []
    for _ in range(40):
        for times, get in ((kept, session.get), (new, requests.get)):
            before = time.monotonic()
            get(f"{service.url}/features/1", timeout=60).raise_for_status()
            times.append(time.monotonic() - before)
    # Clients delay some acknowledgements by at least 40 ms on every system, and no response may wait for one.
    assert statistics.median(kept) < statistics.median(new) + 0.02
