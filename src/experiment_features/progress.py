"""What a run is doing: in a terminal a line that is written anew, elsewhere a line for each seed and model."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TextIO

from experiment_features.reading import Rows

SECONDS_BETWEEN_LINES = 0.2


class Progress:
    """Starts to show, until `stop`.

    Args:
        steps: how many seeds, models and tests there are.
        output: where to.
    """

    def __init__(self, steps: int, output: TextIO = sys.stderr) -> None:
        self._steps, self._output = steps, output
        self._done = 0
        self._running: dict[str, float] = {}
        self._files: dict[str, Rows] = {}
        self._is_terminal = output.isatty()
        self._stopped = threading.Event()
        if self._is_terminal:
            threading.Thread(target=self._show, daemon=True).start()

    def read(self, name: str, rows: Rows) -> None:
        """Notes what the step `name` reads."""
        self._files[name] = rows

    def begin(self, name: str) -> None:
        self._running[name] = time.monotonic()

    def end(self, name: str, kind: str, status: str) -> None:
        """Counts a step; `kind` and `status` are in dbt's words."""
        self._done += 1
        seconds = time.monotonic() - self._running.pop(name, time.monotonic())
        self._files.pop(name, None)
        if not self._is_terminal and kind in ("seed", "model"):
            # In one piece, as several threads write.
            print(f"{self._done} of {self._steps}: {kind} {name} {status}, {seconds:.1f} s\n", end="", file=self._output, flush=True)

    def stop(self) -> None:
        self._stopped.set()
        if self._is_terminal:
            print("\r\x1b[K", end="", file=self._output, flush=True)

    def line(self) -> str:
        """How far it is, and the step that has run longest: `12 of 47 done; user_features 3 s`."""
        text = f"{self._done} of {self._steps} done"
        for name, since in sorted(self._running.items(), key=lambda item: item[1])[:1]:
            seconds = time.monotonic() - since
            text += f"; {name} {seconds:.0f} s"
            if rows := self._files.get(name):
                text += f", {rows.share:.0%} read, {rows.count / max(seconds, 0.001):,.0f} rows per second"
        return text

    def _show(self) -> None:
        while not self._stopped.wait(SECONDS_BETWEEN_LINES):
            # What dbt prints meanwhile goes over it.
            print(f"\r\x1b[K{self.line()[: shutil.get_terminal_size().columns - 1]}\r", end="", file=self._output, flush=True)
