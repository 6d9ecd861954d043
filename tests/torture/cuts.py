"""Connections that are cut or cannot be made, a server that is too old, and a server whose disk is full."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign import Campaign
from conftest import Project
from ground import BUILD, Ground, build, connect, expect_order, expect_state, finish, prepare, published, runs_until, tries, two_inputs, wait_for

from experiment_features.postgres import SETTINGS

WORKER_CUT = "a connection of a worker cut in mid-run (pg_terminate_backend)"
LOCK_CUT = "the connection that holds the lock cut at a random moment, and another build started at once"
WRONG_PASSWORD = "wrong password (scram, over TCP)"
OLD_SERVER = "a server of an unsupported version"
DISK_FULL = "the disk of the server full when a build begins"
DISK_FILLS_UP = "the disk of the server full at some moment of a build (all tables old, or all new)"
# Postgres says the second if there is room for a part of a page.
IS_FULL = re.compile(r"No space left on device|wrote only \d+ of \d+ bytes.*\n? *HINT: +Check free disk space")
WORKERS = "application_name like 'experiment_features %' and application_name not like 'experiment_features run %'"
LOCK_HOLDER = "application_name like 'experiment_features run %'"


def cut_worker(campaign: Campaign, ground: Ground, times: int) -> None:
    """Cuts the connection of a worker while it runs a statement."""
    choose = campaign.random(WORKER_CUT)
    project = ground.project("worker_cut")
    inputs = two_inputs(choose)
    seconds = prepare(project, inputs[0], times)
    for old, new in tries(campaign, WORKER_CUT, project, *inputs, times):
        # Before the last statements of the run, after which no connection would be missed.
        moment = choose.uniform(0, 0.2) * seconds
        with campaign.attempt(WORKER_CUT, f"{moment:.2f} s after the first statement, of {seconds:.2f} s"):
            new.write(project.seeds)
            process = project.start(*BUILD)
            at_work = f"from pg_stat_activity where {WORKERS} and state <> 'idle'"
            wait_for(project, f"select 1 {at_work}", process)
            ended = runs_until(process, moment)
            assert not ended, f"dbt ended early:\n{ended}"
            wait_for(project, f"select pg_terminate_backend(pid) {at_work} limit 1", process)
            output = finish(process)
            if process.returncode == 0:
                # The worker had already finished, so nothing may be missing.
                expect_state(published(project), new, where="after a cut that nobody noticed")
                expect_order(project)
            else:
                assert "connection" in output, output
                expect_state(published(project), old, new, where="after the cut")
            build(project, new)


def cut_lock_holder(campaign: Campaign, ground: Ground, times: int) -> None:
    """A run without its lock stops, and the next run builds as if it had not existed."""
    choose = campaign.random(LOCK_CUT)
    project = ground.project("lock_cut")
    inputs = two_inputs(choose)
    build(project, inputs[0])
    for old, new in tries(campaign, LOCK_CUT, project, *inputs, times):
        with campaign.attempt(LOCK_CUT):
            new.write(project.seeds)
            process = project.start(*BUILD)
            nodes = choose.randrange(0, 45)
            wait_for(
                project,
                "select 1 from {schema}_audit.runs where status = 'running' and "
                f"(select count(*) from {{schema}}_audit.run_nodes where run_id = id) >= {nodes}",
                process,
            )
            cut = project.query(f"select pg_terminate_backend(pid) from pg_stat_activity where {LOCK_HOLDER}")
            assert cut == [(True,)], f"connections that hold the lock: {cut}"
            old.write(project.seeds)
            following = project.start(*BUILD, DBT_TARGET_PATH=str(project.folder / "following"))
            output = " ".join(finish(process).split())
            assert process.returncode != 0, f"exit status 0:\n{output}"
            assert "The connection that held the lock was cut, so the run stops here" in output, output
            output = finish(following)
            assert following.returncode == 0, f"the following build failed:\n{output}"
            expect_state(published(project), old, where="after the cut and another build")
            expect_order(project)
            build(project, new)


def wrong_password(campaign: Campaign, ground: Ground) -> None:
    """The server asks for a password over TCP."""
    old, new = two_inputs(campaign.random(WRONG_PASSWORD))
    project = ground.project("password")
    with campaign.attempt(WRONG_PASSWORD), _asking_for_password(project, ground) as environment:
        build(project, old, **environment, PGPASSWORD="right one")
        new.write(project.seeds)
        output = project.dbt(*BUILD, succeeds=False, **environment, PGPASSWORD="wrong one")
        assert 'password authentication failed for user "guarded"' in output, output
        assert "wrong one" not in output and "right one" not in output, output
        expect_state(published(project), old, where="after the wrong password")
        build(project, new, **environment, PGPASSWORD="right one")


@contextmanager
def _asking_for_password(project: Project, ground: Ground) -> Iterator[dict[str, str]]:
    """Makes the server also listen on TCP, and ask the user `guarded` for the password "right one"."""
    server = ground.server
    rules = server.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{before}")
    port = _free_port()
    project.query("create role guarded superuser login password 'right one'")
    server.down()
    with server._open("running") as running, server._open("log") as log:
        fcntl.flock(running, fcntl.LOCK_EX)
        options = (*SETTINGS, f"--unix_socket_directories={server.socket}", "--listen_addresses=127.0.0.1", f"--port={port}")
        process = server._start(server.programs / "bin" / "postgres", "-D", server.data, *options, output=log, inherited=[running.fileno()])
    project.environment.update(PGPORT=str(port))
    try:
        while server._run(server.programs / "bin" / "pg_isready", f"--host={server.socket}", f"--port={port}")[1]:
            assert process.poll() is None, (server.home / "log").read_text()
        yield {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "guarded"}
    finally:
        rules.write_text(before)
        server.down()
        server.up()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def old_server(campaign: Campaign, ground: Ground) -> None:
    """A server reports that it is PostgreSQL 13.4."""
    project = ground.project("old_server")
    for command in (BUILD, ("seed",)):
        with campaign.attempt(OLD_SERVER, f"dbt {command[0]}"), _server_that_says("13.4") as port:
            output = project.dbt(*command, succeeds=False, PGHOST="127.0.0.1", PGPORT=str(port))
            assert "The server is PostgreSQL 13.4, and 14 or later is needed." in output, output


@contextmanager
def _server_that_says(version: str) -> Iterator[int]:
    """Speaks enough of Postgres's protocol for a client to connect and send statements; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, version), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, version: str) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, version), daemon=True).start()


def _answer(connection: socket.socket, version: str) -> None:
    def message(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("!i", len(content) + 4) + content

    ready = message(b"Z", b"I")
    with contextlib.suppress(OSError, struct.error), connection, connection.makefile("rb") as sent:
        # Requests for encryption have 8 bytes and are declined; a startup message is longer.
        while (length := struct.unpack("!i", sent.read(4))[0]) == 8:
            sent.read(4)
            connection.sendall(b"N")
        sent.read(length - 4)
        settings = {"server_version": version, "client_encoding": "UTF8", "standard_conforming_strings": "on", "DateStyle": "ISO, MDY"}
        connection.sendall(
            message(b"R", struct.pack("!i", 0))
            + b"".join(message(b"S", f"{name}\0{value}\0".encode()) for name, value in settings.items())
            + message(b"K", struct.pack("!ii", 1, 1)) + ready
        )  # fmt: skip
        while kind := sent.read(1):
            sent.read(struct.unpack("!i", sent.read(4))[0] - 4)
            if kind == b"Q":
                connection.sendall(message(b"C", b"SELECT 0\0") + ready)


def disk_full(campaign: Campaign, ground: Ground, times: int) -> None:
    """New tables are on a small disk with a random amount of free space: enough for none of them, or for some."""
    choose = campaign.random(DISK_FULL)
    disk = ground.server.home / "small_disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        reason = f"a small disk cannot be mounted ({mounted.stderr.strip() or mounted.stdout.strip()})"
        for name in (DISK_FULL, DISK_FILLS_UP):
            campaign.fault(name).not_possible = reason
        campaign.say(f"{DISK_FULL}: not possible here, {reason}")
        return
    owner = ground.server.data.stat()
    os.chown(disk, owner.st_uid, owner.st_gid)
    project = ground.project("disk_full")
    inputs = two_inputs(choose)
    try:
        project.query("create role small login superuser")
        with contextlib.closing(connect(project)) as connection:
            # This statement cannot run in a transaction.
            connection.cursor().execute(f"create tablespace small location '{disk}'")
        project.query("alter role small set default_tablespace = small")
        project.environment.update(PGUSER="small")
        build(project, inputs[0])
        for old, new in tries(campaign, DISK_FULL, project, *inputs, times):
            # Two pages, which is too little for any table.
            left = choose.randrange(0, 16_384)
            with campaign.attempt(DISK_FULL, f"{left:,} bytes left"):
                new.write(project.seeds)
                with _filled(disk, left):
                    output = project.dbt(*BUILD, succeeds=False)
                    assert IS_FULL.search(output), output
                    expect_state(published(project), old, where="with a full disk")
                build(project, new)
        for old, new in tries(campaign, DISK_FILLS_UP, project, *(inputs if times % 2 == 0 else inputs[::-1]), times):
            # Less than a build of this size needs before it frees what it replaces.
            left = choose.randrange(16_384, 60_000)
            with campaign.attempt(DISK_FILLS_UP, f"{left:,} bytes left"):
                new.write(project.seeds)
                with _filled(disk, left):
                    process = project.start(*BUILD)
                    output = finish(process)
                    assert (process.returncode == 0) != bool(IS_FULL.search(output)), output
                    expect_state(published(project), *([new] if process.returncode == 0 else [old, new]), where="with a full disk")
                build(project, new)
    finally:
        with contextlib.closing(connect(project)) as connection:
            for statement in ("drop owned by small cascade", "drop tablespace small", "drop role small"):
                connection.cursor().execute(statement)
        ground.server.down()
        subprocess.run(["umount", disk], check=True)
        ground.server.up()


@contextmanager
def _filled(disk: Path, left: int) -> Iterator[None]:
    """Leaves this many bytes free on a disk."""
    filler = disk / "filler"
    # Without a buffer, a write that finds less room than there was ends early instead of failing.
    with filler.open("wb", buffering=0) as file:
        file.write(bytes(shutil.disk_usage(disk).free - left))
    try:
        yield
    finally:
        filler.unlink()
