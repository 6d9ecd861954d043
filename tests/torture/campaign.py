"""The results of the campaign: how often each fault was tried, and what was lost."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Fault:
    """One line of the table.

    Args:
        name: what is done to the project.
        tries: how often it was tried.
        losses: for each try that the project did not survive, what was expected and what was found.
        not_possible: why it cannot be tried on this machine; empty if it can.
    """

    name: str
    tries: int = 0
    losses: list[str] = field(default_factory=list)
    not_possible: str = ""


class Campaign:
    """All faults that were tried, in the order in which they were first named.

    Args:
        seed: the seed for everything random.
        names: the faults to be tried, in the order of the table.
    """

    def __init__(self, seed: int, names: Sequence[str] = ()) -> None:
        self.seed = seed
        self.faults = {name: Fault(name) for name in names}
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def random(self, name: str) -> random.Random:
        """A separate source of randomness for each name, independent of everything else."""
        return random.Random(f"{self.seed} {name}")

    def say(self, text: str) -> None:
        """Prints a line of progress."""
        with self._lock:
            print(f"{time.monotonic() - self._started:5.0f} s  {text}", flush=True)

    def fault(self, name: str) -> Fault:
        """The line of a fault in the table."""
        with self._lock:
            return self.faults.setdefault(name, Fault(name))

    @contextmanager
    def attempt(self, name: str, detail: str = "", quiet: bool = False) -> Iterator[None]:
        """Counts a try, which is lost if it raises an exception; quiet: whether to print nothing if it does not."""
        fault = self.fault(name)
        fault.tries += 1
        what = f"{name}, try {fault.tries}{detail and f' ({detail})'}"
        try:
            yield
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            lines = str(error).splitlines()
            if len(lines) > 60:
                lines[10:-50] = [f"... {len(lines) - 60} lines left out ..."]
            where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
            loss = "\n".join([f"{what}, seed {self.seed}, {where}, {type(error).__name__}:", *lines])
            fault.losses.append(loss)
            self.say(f"LOST: {loss}")
        else:
            if not quiet:
                self.say(f"survived: {what}")

    def forget(self, name: str) -> None:
        """Removes a fault from the table if it caused no loss."""
        if name in self.faults and not self.faults[name].losses:
            del self.faults[name]

    def losses(self) -> list[str]:
        """Everything that was lost."""
        return [loss for fault in self.faults.values() for loss in fault.losses]

    def table(self) -> str:
        """The table in Markdown."""
        lines = ["| fault | tries | survived | lost |", "|---|---:|---:|---:|"]
        for fault in self.faults.values():
            if fault.not_possible:
                lines.append(f"| {fault.name} | not possible here: {fault.not_possible} | | |")
            else:
                lost = len(fault.losses)
                lines.append(f"| {fault.name} | {fault.tries} | {fault.tries - lost} | {lost} |")
        return "\n".join(lines)
