"""The embedded Postgres, older servers, and what is kept secret."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from conftest import BUILD, Project, connection_environment
from services import until
from test_published_input import EXPECTED

from experiment_features.postgres import Server, ServerError

STRANGE = 'it\'s $5, Bücher #1; 100% "x"'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    Server(tmp_path / "home").clean()


def test_permissions_of_folders_that_were_there_stay(home: Path) -> None:
    """As root, the server runs as another user, who cannot enter pytest's folders."""
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
    """A folder that every user can reach, with a path longer than the 107 bytes that fit into the address of a Unix socket."""
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
    """The socket's short folder has a name that others can guess."""
    folder = Server(deep_home).socket
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(ServerError, match="belongs to another user"):
        Server(deep_home).up()
    folder.rmdir()


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


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that tests may kill; each test restores it, with the table that was created at the beginning."""
    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    server = Server(top / "home")
    server.up()
    query(server, "create table kept as select 7 as number")
    yield server
    Server(top / "home").clean()
    shutil.rmtree(top)


def query(server: Server, sql: str) -> list[tuple]:
    with psycopg2.connect(host=str(server.socket), port=5432, user="postgres", dbname="postgres") as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def expect_data(server: Server) -> None:
    """Starts the server, which has to bring back the data."""
    server.up()
    assert query(server, "select number from kept") == [(7,)]


def command(home: Path, name: str) -> subprocess.Popen[str]:
    """`make up` and the like without make, for a project that writes to a folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "FEATURES_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "experiment_features.postgres", name], env={**environment, "FEATURES_HOME": str(home)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def postmaster(server: Server) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def refusal(server: Server) -> str:
    """The error sentence of a start that fails."""
    with pytest.raises(ServerError) as caught:
        server.up()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    return str(caught.value)


@pytest.mark.parametrize("killed", ["initdb", "up"])
def test_killed_while_it_makes_its_data(killed: str) -> None:
    """Half-created data is not used; it is created again."""
    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    server = Server(top / ".postgres")
    try:
        up = command(top, "up")
        # Its files exist before its databases do.
        until(lambda: next(top.glob(".postgres/*/postgresql.conf"), None))
        children = Path(f"/proc/{up.pid}/task/{up.pid}/children").read_text().split()
        os.kill(up.pid if killed == "up" else int(children[0]), signal.SIGKILL)
        output, _ = up.communicate(timeout=60)
        assert not server.data.exists()
        if killed == "initdb":
            assert up.returncode == 1 and output.count("\n") == 1 and "signal 9 ended it" in output
        up = command(top, "up")
        output, _ = up.communicate(timeout=60)
        assert up.returncode == 0, output
        assert query(server, "select count(*) from pg_database") == [(3,)]
        assert sorted(path.name for path in server.home.iterdir() if path.is_dir()) == ["data"]
    finally:
        server.clean()
        shutil.rmtree(top)


def test_start_that_is_killed_leaves_a_server_that_the_next_one_takes(own: Server) -> None:
    own.down()
    up = command(own.home.parent, "up")
    home = own.home.parent / ".postgres"
    until(lambda: (home / "data" / "postmaster.pid").exists() or None)
    up.kill()
    up.communicate()
    try:
        up = command(own.home.parent, "up")
        assert up.communicate(timeout=60)[0].startswith("Postgres is up") and up.returncode == 0
        assert query(Server(home), "select 1") == [(1,)]
    finally:
        Server(home).clean()
    expect_data(own)


def test_postmaster_killed(own: Server) -> None:
    """The next start succeeds whether or not the processes have ended; a busy one ends later."""
    expect_data(own)
    busy = psycopg2.connect(host=str(own.socket), port=5432, user="postgres", dbname="postgres")
    process = busy.get_backend_pid()
    os.kill(process, signal.SIGSTOP)
    os.kill(postmaster(own), signal.SIGKILL)
    start = threading.Thread(target=own.up)
    start.start()
    start.join(0.5)
    assert start.is_alive(), "it does not start beside what is left of the old one"
    os.kill(process, signal.SIGCONT)
    start.join()
    busy.close()
    expect_data(own)


def test_restart_of_the_machine(own: Server) -> None:
    """Other programs, of any user, have the process numbers that were in use before."""
    expect_data(own)
    numbers = [own.data / "postmaster.pid", own.socket / ".s.PGSQL.5432.lock"]
    written = [path.read_text() for path in numbers]
    own.down()
    for identity in ({}, own.identity):
        other = subprocess.Popen(["sleep", "600"], **identity)
        try:
            for path, text in zip(numbers, written, strict=True):
                path.write_text(text.replace(text.split()[0], str(other.pid), 1))
                os.chown(path, own.owner, -1)
            (own.socket / ".s.PGSQL.5432").touch()
            expect_data(own)
            own.down()
            assert other.poll() is None, "it was ended in place of the server"
        finally:
            other.kill()
            other.wait()


def test_link_in_place_of_a_file_is_not_followed(own: Server, tmp_path: Path) -> None:
    """As root, the server's user could otherwise have any file of root."""
    own.down()
    target = tmp_path / "of_root"
    target.write_text("as it was")
    owner = target.stat().st_uid
    (own.home / "log").rename(own.home / "aside")
    (own.home / "log").symlink_to(target)
    assert "Too many levels of symbolic links" in refusal(own)
    assert target.read_text() == "as it was" and target.stat().st_uid == owner
    (own.home / "aside").rename(own.home / "log")
    expect_data(own)


def test_port_in_the_settings_of_the_data(own: Server) -> None:
    """The name of the socket contains it."""
    own.down()
    with open(own.data / "postgresql.auto.conf", "a") as settings:
        settings.write("port = 5433\n")
    expect_data(own)


def test_socket_removed(own: Server) -> None:
    expect_data(own)
    (own.socket / ".s.PGSQL.5432").unlink()
    expect_data(own)


def test_data_that_cannot_be_written(own: Server) -> None:
    own.down()
    own.data.chmod(0o500)
    sentence = refusal(own)
    assert 'could not create lock file "postmaster.pid": Permission denied' in sentence and str(own.home) in sentence
    own.data.chmod(0o700)
    expect_data(own)


def test_data_of_another_version(own: Server) -> None:
    own.down()
    (own.data / "PG_VERSION").write_text("16\n")
    assert "was initialized by PostgreSQL version 16, which is not compatible with this version 18" in refusal(own)
    (own.data / "PG_VERSION").write_text("18\n")
    expect_data(own)


def test_data_that_lacks_a_file_is_not_removed(own: Server) -> None:
    own.down()
    for name in ("PG_VERSION", "global/pg_control"):
        (own.data / name).rename(own.home / "aside")
        assert name in refusal(own)
        (own.home / "aside").rename(own.data / name)
    expect_data(own)


def test_folder_moved(own: Server) -> None:
    """While the server runs, the folder is moved to a place that needs another folder for the socket, and back."""
    expect_data(own)
    place = own.home
    for new in (place.with_name(STRANGE), place):
        own.home.rename(new)
        own.__init__(new)
        expect_data(own)
    # Removes the empty short folder for the socket that belonged to the place in between.
    Server(place.with_name(STRANGE)).socket.rmdir()


@pytest.mark.parametrize("files", [("pg_wal/x",), ("PG_VERSION", "postgresql.conf", "global/pg_control", "base/1/1259")])
def test_data_that_was_never_whole(home: Path, files: tuple[str, ...]) -> None:
    """Earlier versions ran initdb directly in the data folder."""
    server = Server(home)
    for name in files:
        (server.data / name).parent.mkdir(parents=True, exist_ok=True)
        (server.data / name).touch()
    server.up()
    assert query(server, "select 1") == [(1,)]


def test_settings_of_the_server(project: Project) -> None:
    assert project.query("show listen_addresses") == [("",)]
    assert project.query("show data_checksums") == [("off",)]
    on_two_cores = (os.cpu_count() or 1) <= 2
    assert project.query("show parallel_leader_participation") == [("off" if on_two_cores else "on",)]
    assert project.query("show io_method") == [("sync" if on_two_cores else "worker",)]


@pytest.mark.parametrize("installation", ["pginstall"])
def test_postgres_16(tmp_path: Path, installation: str) -> None:
    server = Server(tmp_path / "home", installation)
    server.up()
    try:
        project = Project(tmp_path / "run", "old", connection_environment(server))
        project.dbt(*BUILD, "--quiet")
        assert project.query("show server_version")[0][0].startswith("16.")
        assert project.query("show data_checksums") == [("off",)]
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


def test_functions_of_others_are_not_called(make_project: Callable[..., Project]) -> None:
    """Up to PostgreSQL 14, everybody may create functions in `public`; one that takes more fitting arguments takes precedence."""
    project = make_project("trusting")
    project.query("create role builder login")
    project.query("create database trusting")
    project.environment = {**project.environment, "PGDATABASE": "trusting"}
    project.query(
        "grant create on database trusting to builder; create table public.calls (caller text); grant insert on public.calls to public;"
        "create function public.starts_with(name, text) returns boolean language plpgsql as "
        "$$ begin insert into public.calls values (current_user); return pg_catalog.starts_with($1::text, $2); end $$"
    )
    project.dbt(*BUILD, "--quiet", PGUSER="builder", PGCLIENTENCODING="LATIN1", FEATURES_STARTED_BY="\u00fcn\u00ef\u20ac")
    assert project.query("select * from public.calls") == []
    assert project.query("select started_by from trusting_audit.runs") == [("\u00fcn\u00ef\u20ac",)]


def test_role_that_may_only_create_schemas(make_project: Callable[..., Project]) -> None:
    """A user's own Postgres may give no more: no superuser, no right to read the server's files, and none of the default rights."""
    project = make_project("plain")
    project.query("create role plain login")
    project.query("create database guarded")
    project.environment = {**project.environment, "PGDATABASE": "guarded"}
    project.query("revoke all on database guarded from public; revoke all on schema public from public; grant connect, create on database guarded to plain")
    project.dbt(*BUILD, "--quiet", PGUSER="plain")
    assert project.features() == EXPECTED
    assert project.query("select count(*) from pg_largeobject_metadata where lomowner = 'plain'::regrole") == [(0,)]
