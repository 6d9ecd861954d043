"""The start of the project's own server is killed at a random moment, or its disk fills up while it creates its data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg2
from campaign import Campaign
from ground import DEADLINE_SECONDS, Ground

from experiment_features.postgres import Server, ServerError

START_KILLED = "`make up`, initdb or the server killed (SIGKILL) at a random moment of a start, every second time of a first one"
NO_ROOM = "the disk full while the server's data is made"


def kill_start(campaign: Campaign, ground: Ground, times: int) -> None:
    """After each kill, two simultaneous starts have to succeed with the existing data."""
    choose = campaign.random(START_KILLED)
    kept = ground.folder / "kept"
    started = time.monotonic()
    _start_all(kept, 1)
    seconds = time.monotonic() - started
    _query(kept, "create table number as select 0 as value")
    try:
        for number in range(times):
            folder = kept if number % 2 else ground.folder / f"new {number}"
            Server(kept / ".postgres").down()
            moment = choose.uniform(0, seconds / 2 if number % 2 else seconds)
            with campaign.attempt(START_KILLED, f"after {moment:.2f} s"):
                command = _command(folder)
                with suppress(subprocess.TimeoutExpired):
                    command.wait(moment)
                victim = choose.choice(_processes(folder, command.pid))
                # It may have ended by itself.
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                output, _ = command.communicate(timeout=DEADLINE_SECONDS)
                assert output.count("\n") <= 1 and "Traceback" not in output, output
                _start_all(folder, 2)
                assert _query(folder, "select count(*) from pg_database") == [(3,)]
                if folder == kept:
                    assert _query(kept, f"update number set value = {number} returning 1") == [(1,)]
            if folder != kept:
                Server(folder / ".postgres").clean()
    finally:
        Server(kept / ".postgres").clean()


def no_room(campaign: Campaign, ground: Ground, times: int) -> None:
    """A start on a small disk fails with one sentence, and succeeds once the disk is larger."""
    choose = campaign.random(NO_ROOM)
    disk = ground.folder / "no room"
    disk.mkdir()
    for _ in range(times):
        size = choose.randrange(1, 36)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=755", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            campaign.fault(NO_ROOM).not_possible = f"a small disk cannot be mounted ({mounted.stderr.strip() or mounted.stdout.strip()})"
            return
        server = Server(disk / "home")
        try:
            with campaign.attempt(NO_ROOM, f"{size} MB"):
                try:
                    server.up()
                    raise AssertionError(f"it started on {size} MB")
                except ServerError as error:
                    assert "No space left on device" in str(error) and "\n" not in str(error), error
                assert not server.data.exists()
                subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
                server.up()
        finally:
            server.clean()
            subprocess.run(["umount", disk], check=True)


def _command(folder: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "FEATURES_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "experiment_features.postgres", "up"], env={**environment, "FEATURES_HOME": str(folder)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def _start_all(folder: Path, number: int) -> None:
    for command in [_command(folder) for _ in range(number)]:
        output, _ = command.communicate(timeout=DEADLINE_SECONDS)
        assert command.returncode == 0, output


def _processes(folder: Path, command: int) -> list[int]:
    """The command and all processes that work for it, whose command lines name the folder."""
    found = [command]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(folder / ".postgres") in path.read_bytes():
                found.append(int(path.parts[2]))
    return found


def _query(folder: Path, sql: str) -> list[tuple]:
    with psycopg2.connect(host=str(Server(folder / ".postgres").socket), port=5432, user="postgres", dbname="postgres") as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows
