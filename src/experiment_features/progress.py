"""Shows the progress of long work: in a terminal, one line that is overwritten; elsewhere, one line for each step that has ended."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import TextIO

from experiment_features.reading import Rows

SECONDS_BETWEEN_LINES = 0.2


class Progress:
    """Shows the progress of some work until `stop` is called. If the output is closed, nothing more is shown.

    Args:
        steps: number of nodes of a run, or other steps.
        output: where the progress is shown.
    """

    def __init__(self, steps: int, output: TextIO = sys.stderr) -> None:
        self._steps, self._output = steps, output
        self._done = 0
        self._running: dict[str, float] = {}
        # What the nodes that load files are reading.
        self.files: dict[str, Rows] = {}
        self._is_terminal = output.isatty()
        # Nodes begin and end in several threads.
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        if self._is_terminal:
            threading.Thread(target=self._show, daemon=True).start()

    def begin(self, name: str) -> None:
        """Records that the step `name` has started."""
        with self._lock:
            self._running[name] = time.monotonic()

    def end(self, name: str, line: str = "") -> None:
        """Counts a step that has ended; the line, if there is one, is shown with its seconds, except in a terminal."""
        with self._lock:
            self._done += 1
            seconds = time.monotonic() - self._running.pop(name, time.monotonic())
            self.files.pop(name, None)
            if line and not self._is_terminal:
                self._print(f"{self._done} of {self._steps}: {line}, {seconds:.1f} s\n")

    def stop(self) -> None:
        """Removes the line from a terminal."""
        with self._lock:
            self._stopped.set()
            if self._is_terminal:
                self._print("\r\x1b[K")

    def _print(self, text: str) -> None:
        # A pipe that has lost its reader is no reason to stop a run, or to fail when Python writes the rest of the buffer at its end.
        try:
            print(text, end="", file=self._output, flush=True)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._output.fileno())

    def _show(self) -> None:
        """Shows what is done, and the step that has been running longest: `12 of 47 done; user_features 3 s`."""
        while not self._stopped.wait(SECONDS_BETWEEN_LINES):
            with self._lock:
                text = f"{self._done} of {self._steps} done"
                for name, since in sorted(self._running.items(), key=lambda item: item[1])[:1]:
                    seconds = time.monotonic() - since
                    text += f"; {name} {seconds:.0f} s"
                    if rows := self.files.get(name):
                        text += f", {rows.share:.0%} read, {rows.count / max(seconds, 0.001):,.0f} rows per second"
                # What dbt prints next overwrites this line.
                if not self._stopped.is_set():
                    self._print(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}\r")
