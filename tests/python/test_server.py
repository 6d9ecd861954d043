"""The embedded Postgres, older servers, and what is kept secret."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import BUILD, Project, connection_environment
from test_published_input import EXPECTED

from experiment_features.postgres import Server, ServerError


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    Server(tmp_path / "home").clean()


def test_permissions_of_folders_that_were_there_stay(home: Path) -> None:
    """As root, Postgres runs as another user, who cannot enter pytest's folders."""
    before = {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in home.parents}
    server = Server(home)
    server.up()
    assert {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in home.parents} == before
    assert server.socket.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert server.data.stat().st_uid != 0
        assert home.parent not in server.data.parents
    server.clean()
    assert not server.home.exists() and not server.socket.exists()


@pytest.fixture
def deep_home() -> Iterator[Path]:
    """A folder that every user can reach, deeper than the 107 bytes that the address of a Unix socket holds."""
    top = Path(tempfile.mkdtemp())
    (top / ("deep" * 30)).mkdir()
    top.chmod(0o755)
    yield top / ("deep" * 30) / "home"
    Server(top / ("deep" * 30) / "home").clean()
    shutil.rmtree(top)


def test_long_path(deep_home: Path) -> None:
    server = Server(deep_home)
    server.up()
    assert server.home == deep_home and server.data.exists()
    assert len(str(server.socket)) < 90
    assert (server.socket / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700
    server.down()
    assert not server.socket.exists() and server.data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that belongs to somebody else")
def test_folder_of_somebody_else_is_not_used(deep_home: Path) -> None:
    """The short folder of the socket has a name that others can guess."""
    folder = Server(deep_home).socket
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(ServerError, match="belongs to another user"):
        Server(deep_home).up()
    folder.rmdir()


def test_clean_stops_the_server(home: Path) -> None:
    server = Server(home)
    server.up()
    process = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    running = Path(f"/proc/{process}/stat")
    assert running.exists()
    server.clean()
    # Where nobody waits for it, a process that has ended is listed as a zombie.
    assert not running.exists() or running.read_text().split()[2] == "Z"


def test_two_starts_at_once(home: Path) -> None:
    failures: list[Exception] = []

    def start() -> None:
        try:
            Server(home).up()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_process_that_has_ended() -> None:
    """Whether anybody has taken note of its end or not: otherwise a server that was killed would be taken for running."""
    process = subprocess.Popen(["sleep", "600"])
    assert not _has_ended(str(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert _has_ended(str(process.pid)), "a zombie"
    process.wait()
    assert _has_ended(str(process.pid)), "gone"


def test_listens_on_the_socket_only(project: Project) -> None:
    assert project.query("show listen_addresses") == [("",)]


@pytest.mark.parametrize("installation", ["pginstall"])
def test_postgres_16(tmp_path: Path, installation: str) -> None:
    server = Server(tmp_path / "home", installation)
    server.up()
    try:
        project = Project(tmp_path / "run", "old", connection_environment(server))
        project.dbt(*BUILD, "--quiet")
        assert project.query("show server_version")[0][0].startswith("16.")
        assert project.features() == EXPECTED
    finally:
        server.clean()


def test_password_is_written_nowhere(make_project: Callable[..., Project]) -> None:
    project = make_project("secret")
    password = "correct-horse-battery-staple"
    secret = {"PGPASSWORD": password, "DBT_LOG_LEVEL_FILE": "debug"}
    output = project.dbt("--debug", *BUILD, **secret)
    output += project.dbt("docs", "generate", **secret)
    output += project.dbt("--debug", "seed", **secret, PGHOST="/nowhere", succeeds=False)
    assert password not in output
    written = [path for folder in ("target", "logs") for path in (project.folder / folder).rglob("*") if path.is_file()]
    assert len(written) > 20 and {path.parent.name for path in written} >= {"logs", "target"}
    assert [path for path in written if password.encode() in path.read_bytes()] == []


def test_no_password_in_the_repository(project: Project) -> None:
    found = subprocess.run(
        ["git", "grep", "-niE", r"(password|secret|token)\"?\s*[:=]\s*['\"]?[a-z0-9]{4,}", "--", ":!tests", ":!*.lock", ":!README.md"],
        cwd=project.root,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert [line for line in found if "POSTGRES_PASSWORD_FILE" not in line] == []


def test_role_that_may_only_create_schemas(make_project: Callable[..., Project]) -> None:
    """A user's own Postgres gives no more: no superuser, no right to read the server's files."""
    project = make_project("plain")
    project.query("create role plain login; grant create on database postgres to plain")
    project.dbt(*BUILD, "--quiet", PGUSER="plain", PGDATABASE="postgres")
    assert project.features() == EXPECTED
    assert project.query("select count(*) from pg_largeobject_metadata where lomowner = 'plain'::regrole") == [(0,)]
