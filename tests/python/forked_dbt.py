"""dbt as a process that need not import dbt: a server of the tests' own imports it once, and forks for each command.

Importing is two thirds of the time of most commands. What runs is dbt's own command line, in a process of its own, with
the folder, the environment and the output that it is given. Tests that stop or kill dbt start the program itself.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


class ForkedDbt:
    """Starts the server with this process, and ends it with it."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="forked-dbt-")
        self._address = f"{self._folder}/socket"
        self._server = subprocess.Popen([sys.executable, __file__, self._address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout and self._server.stdout.readline() == "ready\n"

    def close(self) -> None:
        self._server.communicate()
        shutil.rmtree(self._folder)

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[str, int]:
        """What a command printed, errors included, and its exit code."""
        return self.start(arguments, folder, environment).wait()

    def start(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> ForkedProcess:
        """Starts a command."""
        read, write = os.pipe()
        connection = socket.socket(socket.AF_UNIX)
        with open(os.devnull) as nothing:
            connection.connect(self._address)
            socket.send_fds(connection, [b"."], [nothing.fileno(), write])
        os.close(write)
        connection.sendall(json.dumps([list(arguments), str(folder), dict(environment)]).encode())
        connection.shutdown(socket.SHUT_WR)
        return ForkedProcess(connection, read)


class ForkedProcess:
    """A command that runs, with its pid."""

    def __init__(self, connection: socket.socket, output: int) -> None:
        self._connection, self._output = connection, output
        self._answers = connection.makefile()
        self.pid = int(self._answers.readline())

    def wait(self, seconds: float | None = None) -> tuple[str, int]:
        """What it printed and its exit code, when it has ended. Raises TimeoutError where that takes longer."""
        self._connection.settimeout(seconds)
        # A pipe holds some 64 KiB, so it is emptied meanwhile.
        printed: list[str] = []
        reader = threading.Thread(target=lambda: printed.append(open(self._output, encoding="utf-8", errors="replace").read()))
        reader.start()
        code = int(self._answers.readline())
        reader.join()
        self._answers.close()
        self._connection.close()
        return printed[0], code


def serve(address: str) -> None:
    import dbt.adapters.postgres
    import dbt.cli.main  # noqa: F401

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    print("ready", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    while True:
        connection, _ = listener.accept()
        _, files, _, _ = socket.recv_fds(connection, 1, 2)
        with connection.makefile("rb") as request:
            arguments, folder, environment = json.loads(request.read())
        process = os.fork()
        if process == 0:
            listener.close()
            connection.close()
            run(arguments, folder, environment, files)
        for file in files:
            os.close(file)
        connection.sendall(f"{process}\n".encode())
        threading.Thread(target=answer, args=(connection, process)).start()


def answer(connection: socket.socket, process: int) -> None:
    _, status = os.waitpid(process, 0)
    with connection:
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def run(arguments: Sequence[str], folder: str, environment: Mapping[str, str], files: Sequence[int]) -> None:
    """Becomes the command, and does not return."""
    import atexit
    import traceback

    from dbt.cli.main import cli

    code: object = 1
    try:
        os.setsid()
        os.dup2(files[0], 0)
        os.dup2(files[1], 1)
        os.dup2(files[1], 2)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[1:1] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
        sys.argv = ["dbt", *arguments]
        cli()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(sys.argv[1])
