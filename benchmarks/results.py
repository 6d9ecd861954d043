"""results.json: the measurements, with the date, the machine and the versions."""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import median

from contenders import CONTENDERS, Contender

PACKAGES = ("dbt-core", "dbt-postgres", "pandas", "polars", "duckdb")


@dataclass
class Measurements:
    """The measurements of one contender at one size, with one number for each run.

    Args:
        seconds: wall time of the process.
        peak_mib: peak memory of its largest process.
        loading_seconds: the time for user_experiments.csv that the program itself reports; empty if it reports none.
    """

    contender: Contender
    seconds: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    loading_seconds: list[float] = field(default_factory=list)


def write_results(path: Path, rows: int, measured: list[Measurements], server_version: str) -> None:
    """Adds the measurements of one size to results.json, replacing older ones of the same contenders."""
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    new = [
        {
            "rows": rows,
            "contender": one.contender.name,
            "job": one.contender.job,
            "date": date,
            "median_seconds": median(one.seconds),
            "median_peak_mib": median(one.peak_mib),
            "median_loading_seconds": median(one.loading_seconds) if one.loading_seconds else None,
            "seconds": one.seconds,
            "peak_mib": one.peak_mib,
            "loading_seconds": one.loading_seconds,
        }
        for one in measured
    ]
    old = json.loads(path.read_text())["measurements"] if path.exists() else []
    merged = {(one["rows"], one["contender"]): one for one in [*old, *new]}
    names = [contender.name for contender in CONTENDERS]
    results = {
        "date": date,
        "machine": {"cores": os.cpu_count(), "memory_gib": memory_gib(), "cpu": cpu_model()},
        "versions": {
            "PostgreSQL": server_version,
            "Python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        # Leaves out contenders that are no longer in the list.
        "measurements": sorted(
            (one for one in merged.values() if one["contender"] in names),
            key=lambda one: (one["rows"], names.index(one["contender"])),
        ),
    }
    path.write_text(json.dumps(results, indent=2) + "\n")


def memory_gib() -> float:
    """The memory of the machine."""
    kib = re.search(r"^MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)[1]
    return round(int(kib) / 2**20, 1)


def cpu_model() -> str:
    """The model as Linux reports it, or the architecture if Linux reports none."""
    found = re.search(r"^model name\s*: (.+)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
