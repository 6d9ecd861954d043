"""Runs dbt without importing it each time: the tests' own server imports it once, and forks for each command.

Importing takes two thirds of the time of most commands. Work that dbt does once per process, such as generating the code
that reads its own files and compiling macros, takes half of the rest. A command is dbt's own command line, in its own
process, with the folder, environment and output that it is given. Tests that stop or kill dbt start the program itself.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


class ForkedDbt:
    """Starts the server with this process and ends it with it; with an address, uses the server of another process."""

    def __init__(self, address: str | None = None) -> None:
        self._server: subprocess.Popen[str] | None = None
        self.address = address or f"{tempfile.mkdtemp(prefix='forked-dbt-')}/socket"
        if not address:
            self._server = subprocess.Popen([sys.executable, __file__, self.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert self._server.stdout and self._server.stdout.readline() == "ready\n"

    def close(self) -> None:
        if self._server:
            self._server.communicate()
            shutil.rmtree(Path(self.address).parent)

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[str, int]:
        """The output of a command, including errors, and its exit code."""
        return self.start(arguments, folder, environment).wait()

    def start(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> ForkedProcess:
        """Starts a command."""
        read, write = os.pipe()
        connection = socket.socket(socket.AF_UNIX)
        with open(os.devnull) as nothing:
            connection.connect(self.address)
            socket.send_fds(connection, [b"."], [nothing.fileno(), write])
        os.close(write)
        connection.sendall(json.dumps([list(arguments), str(folder), dict(environment)]).encode())
        connection.shutdown(socket.SHUT_WR)
        return ForkedProcess(connection, read)


class ForkedProcess:
    """A running command, with its pid."""

    def __init__(self, connection: socket.socket, output: int) -> None:
        self._connection, self._output = connection, output
        self._answers = connection.makefile()
        self.pid = int(self._answers.readline())

    def kill(self) -> None:
        """Kills it, and waits until it has ended."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float | None = None) -> tuple[str, int]:
        """Its output and exit code, once it has ended. Raises TimeoutError if that takes longer."""
        self._connection.settimeout(seconds)
        # A pipe holds about 64 KiB, so it has to be emptied meanwhile.
        printed: list[str] = []
        reader = threading.Thread(target=lambda: printed.append(open(self._output, encoding="utf-8", errors="replace").read()), daemon=True)
        reader.start()
        code = int(self._answers.readline())
        reader.join()
        self._answers.close()
        self._connection.close()
        return printed[0], code


def serve(address: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    # Clients that connect from now on wait until dbt is loaded.
    print("ready", flush=True)
    os.dup2(2, 1)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    load(Path(address).parent)
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


def load(folder: Path) -> None:
    """Prepares what each command would otherwise create, by parsing the project twice: as the first command, then as a later one."""
    import functools
    import multiprocessing.util

    import parsedatetime
    from dbt.cli.main import dbtRunner
    from dbt_common.clients.jinja import template_cache
    from dbt_common.tests import enable_test_caching

    with suppress(ImportError):
        # It is not used here, but by commands for DuckDB.
        import dbt.adapters.duckdb  # noqa: F401

    # dbt looks for dates in the result of each query, and would create the parser that does this each time.
    parsedatetime.Constants = functools.cache(parsedatetime.Constants)
    # dbt's own switch for this use: identical templates are parsed once.
    enable_test_caching()
    own = dict(os.environ)
    os.environ.clear()
    os.environ.update(DBT_PROFILES_DIR=str(PROJECT / "profiles"), DBT_LOG_PATH=str(folder / "logs"), DBT_LOG_LEVEL_FILE="none")
    for _ in range(2):
        result = dbtRunner().invoke(["--quiet", "parse", "--project-dir", str(PROJECT), "--target-path", str(folder / "target")])
    os.environ.clear()
    os.environ.update(own)
    # If the project cannot be parsed, each command reports that itself.
    for macro in result.result.macros.values() if result.success else ():
        template_cache.get_node_template(macro)
    # Removes the locks of the commands above, which nobody needs any more.
    multiprocessing.util._run_finalizers()
    # What exists is kept, and a command ends before it would be worth collecting the garbage that it adds.
    gc.collect()
    gc.freeze()
    gc.disable()


def answer(connection: socket.socket, process: int) -> None:
    _, status = os.waitpid(process, 0)
    with connection:
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def run(arguments: Sequence[str], folder: str, environment: Mapping[str, str], files: Sequence[int]) -> None:
    """Becomes the command, and does not return."""
    import atexit
    import traceback

    import dbt.plugins.manager
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
        if own := environment.get("PYTHONPATH"):
            sys.path[1:1] = own.split(os.pathsep)
            # So that it looks for plugins again.
            dbt.plugins.manager._MODULES_CACHE = None
            dbt.plugins.manager._get_dbt_modules.cache_clear()
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
