"""Runs dbt in its own process, and reads its progress from dbt's JSON log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from experiment_features.postgres import PROJECT

STARTED_BY = "the HTTP service"
COMMAND = "dbt build"
# dbt has the server cancel its statements; a process that has not ended by then is killed.
STOP_SECONDS = 20
LONGEST_LINE_BYTES = 1024 * 1024
LAST_LINES = 20
LOG = logging.getLogger(__name__)
# Events that dbt logs when it has the lock, and when a node has ended.
CHANGES = ("ConcurrencyLine", "LogSeedResult", "LogModelResult", "LogTestResult", "LogSnapshotResult", "SkippingDetails", "LogSkipBecauseError")


class Child:
    """A build, from its start to the end of its process.

    Args:
        run_id: its id in the run log.
        process: the dbt process, with its output in a pipe.
        secrets: texts to remove from dbt's messages.
    """

    def __init__(self, run_id: str, process: asyncio.subprocess.Process, secrets: Sequence[str]) -> None:
        self.run_id = run_id
        self.started = datetime.now(timezone.utc)
        self.finished: datetime | None = None
        # Whether it has the lock, and a row in the run log.
        self.has_begun = False
        self.is_cancelled = False
        self._process = process
        self._secrets = secrets
        self._errors: deque[str] = deque(maxlen=LAST_LINES)
        self._other_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._changed = asyncio.Event()
        self._following = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, run_id: str, full_refresh: bool, environment: Mapping[str, str], secrets: Sequence[str]) -> Child:
        """Starts dbt, which takes the lock or ends at once.

        Args:
            run_id: the id of the run.
            full_refresh: whether to rebuild every table.
            environment: the environment of the service.
            secrets: texts to remove from dbt's messages.
        """
        own = {name: value for name, value in environment.items() if not name.startswith("ETL_")}
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "dbt", "--log-format", "json", "--log-level", "info", "--no-use-colors",
            "build", "--exclude-resource-type", "unit_test", *(["--full-refresh"] if full_refresh else []),
            cwd=PROJECT,
            env={**own, "FEATURES_RUN_ID": run_id, "FEATURES_STARTED_BY": STARTED_BY, "FEATURES_LOCK_WAIT": "0"},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in the service's terminal is for the service, which then stops dbt itself.
            start_new_session=True, limit=LONGEST_LINE_BYTES,
        )  # fmt: skip
        return cls(run_id, process, secrets)

    @property
    def is_alive(self) -> bool:
        return self.finished is None

    @property
    def message(self) -> str | None:
        """Why dbt ended before it began to build; None if it gave no reason."""
        if self._errors:
            text = "\n".join(self._errors)
        elif self._other_lines:
            text = self._other_lines[-1]
        else:
            return None
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    @property
    def ending(self) -> str:
        """How the process ended."""
        code = self._process.returncode
        return f"dbt was ended by {signal.Signals(-code).name}." if code and code < 0 else f"dbt ended with the code {code}."

    async def wait(self) -> None:
        """Waits until the process has ended."""
        await asyncio.shield(self._following)

    async def wait_for_change(self, seconds: float) -> None:
        """Waits until more nodes have ended, but no longer than this."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def stop(self) -> None:
        """Stops dbt as Ctrl-C does, kills it if that takes too long, and waits until it has ended."""
        self.is_cancelled = self.is_cancelled or self.is_alive
        for number in (signal.SIGINT, signal.SIGKILL):
            if self.is_alive:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.wait(), STOP_SECONDS)

    async def _follow(self) -> None:
        output = self._process.stdout
        assert output is not None
        while True:
            try:
                line = await output.readline()
            except ValueError:
                # The line is longer than the limit; such lines report no progress.
                continue
            if not line:
                break
            self._read(line.decode(errors="replace").strip())
        await self._process.wait()
        self.finished = datetime.now(timezone.utc)
        self._changed.set()
        LOG.info("the run %s has ended: %s", self.run_id, self.ending)

    def _read(self, line: str) -> None:
        try:
            info = json.loads(line)["info"]
            name, level, text = info["name"], info["level"], info["msg"]
        except (ValueError, KeyError, TypeError):
            if line:
                self._other_lines.append(line)
            return
        if name not in CHANGES:
            if level == "error":
                self._errors.append(text)
            return
        self.has_begun = True
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()
