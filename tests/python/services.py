"""Runs the HTTP service as a process, as `make serve` starts it, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests
from conftest import Project

SECONDS = 120
Value = TypeVar("Value")


@dataclass
class Service:
    """A running service.

    Args:
        process: the process, whose output goes to `lines`.
        url: its address, such as http://127.0.0.1:40123.
        lines: the lines it has printed.
    """

    process: subprocess.Popen[str]
    url: str
    lines: list[str]

    def call(self, method: str, path: str, status: int | None = None, **arguments: Any) -> requests.Response:
        """Calls the service; checks the status if one is given, and that errors are problem documents."""
        answer = requests.request(method, self.url + path, timeout=SECONDS, **arguments)
        assert status is None or answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            problem = answer.json()
            assert problem["status"] == answer.status_code and problem["detail"].endswith((".", "!")), problem
        return answer

    def get(self, path: str, status: int = 200, **arguments: Any) -> Any:
        return self.call("GET", path, status, **arguments).json()

    def post(self, path: str, status: int, **arguments: Any) -> Any:
        return self.call("POST", path, status, **arguments).json()

    def run_when(self, run_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The run, as soon as it meets the condition."""
        return until(lambda: run if condition(run := self.get(f"/etl/{run_id}")) else None)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def dbt(self) -> int:
        """The pid of the current build."""
        return until(lambda: next(map(int, Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()), None))

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the service with a signal and returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


def environment_of(project: Project, **environment: str) -> dict[str, str]:
    """The environment of the service and dbt."""
    return {
        **project.environment,
        "FEATURES_SCHEMA": project.schema,
        "SEEDS_DIR": str(project.seeds),
        "DBT_TARGET_PATH": str(project.folder / "target"),
        "DBT_LOG_PATH": str(project.folder / "logs"),
        "DBT_LOG_LEVEL_FILE": "none",
        "DBT_WRITE_JSON": "false",
        "ETL_PORT": "0",
        "PYTHONUNBUFFERED": "1",
        # The modules of the project's copy, if it is one.
        "PYTHONPATH": str(project.root / "src"),
        **environment,
    }


@contextmanager
def serving(project: Project, **environment: str) -> Iterator[Service]:
    """Runs a service, from its first line of output to its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "experiment_features.service"],
        cwd=project.folder, env=environment_of(project, **environment), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines: list[str] = []

    def read() -> None:
        for line in process.stdout:
            lines.append(line)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    try:
        found = until(lambda: re.search(r"The service is up: (http://\S+?)/ ", "".join(lines)) or (process.poll() is not None or None))
        assert found is not True, "".join(lines)
        yield Service(process, found.group(1), lines)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(SECONDS)
        reading.join(SECONDS)


def refused(project: Project, **environment: str) -> str:
    """The message of a service that refuses to start."""
    done = subprocess.run(
        [sys.executable, "-m", "experiment_features.service"],
        cwd=project.folder, env=environment_of(project, **environment), capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr
    return done.stderr.strip()


def until(look: Callable[[], Value | None]) -> Value:
    """The result of `look`, as soon as there is one."""
    end = time.monotonic() + SECONDS
    while (found := look()) is None:
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)
    return found


def is_gone(process: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
