"""Renders results.json as a report: ``python benchmarks/report.py FOLDER`` writes results.md and results.png beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as pyplot
from contenders import (
    CLEAN,
    COMMANDS,
    CONTENDERS,
    DBT_SEED,
    DBT_SEED_AND_RUN,
    DBT_VERSION,
    DUCKDB_READ,
    DUCKDB_RUN,
    DUCKDB_SEED,
    FEATURES,
    LOADING,
    PANDAS,
    PSQL_COPY,
    REFERENCES,
    STOCK_DBT_SEED,
)
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

# Okabe and Ito's colours, which colour-blind readers can tell apart, each with its own marker.
STYLES = [("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"), ("#56B4E9", "P")]
TEN, MILLION, TEN_MILLIONS = 10, 1_000_000, 10_000_000
DUCKDB_SCRIPT = "duckdb"
# How many times as long as the clean file each other form may take.
FORMS = {"published": 1.8, "quoted": 1.8, "extra": 2, "trailing": 2, "stray": 2, "blank": 2, "odd": 2, "inside": 6, "gzip": 3}


class Results:
    """The content of results.json, by contender and number of rows."""

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_text())
        self.date: str = content["date"]
        self.machine: dict = content["machine"]
        self.versions: dict[str, str] = content["versions"]
        self.measurements: dict[tuple[str, int], dict] = {(one["contender"], one["rows"]): one for one in content["measurements"]}

    def jobs(self) -> list[str]:
        """The jobs that were measured."""
        return [job for job in (FEATURES, LOADING, COMMANDS) if self.sizes(job)]

    def sizes(self, job: str) -> list[int]:
        """The numbers of rows for which a job was measured, ascending."""
        return sorted({one["rows"] for one in self.measurements.values() if one["job"] == job})

    def contenders(self, job: str) -> list[str]:
        """The measured contenders of a job, in the order of the list of contenders."""
        measured = {name for name, _ in self.measurements}
        return [one.name for one in CONTENDERS if one.job == job and one.name in measured]

    def ratio(self, quantity: str, one: tuple[str, int], other: tuple[str, int]) -> float | None:
        """The median of a quantity, such as "seconds", over that of another (contender, rows); None if unknown."""
        values = [self.measurements.get(key, {}).get(f"median_{quantity}") for key in (one, other)]
        return values[0] / values[1] if None not in values else None


def requirements(results: Results) -> Iterator[tuple[str, str, str]]:
    """Each requirement that was measured, its limit, and the measured value."""

    def ratio(quantity: str, one: str, one_rows: int, other: str, other_rows: int) -> float | None:
        return results.ratio(quantity, (one, one_rows), (other, other_rows))

    for command, required in ((DBT_SEED_AND_RUN, 3.5), ("dbt test", 5), ("dbt build", 6), ("make run", 3)):
        if found := ratio("seconds", command, TEN, DBT_VERSION, TEN):
            yield f"`{command}` on 10 rows against `{DBT_VERSION}`", f"within {required}x", f"{found:.2f}x"
    for rows, required in ((MILLION, 1.7), (TEN_MILLIONS, 0.85)):
        if found := ratio("seconds", DBT_SEED_AND_RUN, rows, PANDAS, rows):
            yield f"`{DBT_SEED_AND_RUN}` against pandas at {rows:,} rows", f"within {required}x", f"{found:.2f}x"
    runs = [results.measurements.get((DUCKDB_RUN, rows), {}).get("median_seconds") for rows in (MILLION, TEN)]
    script = results.measurements.get((DUCKDB_SCRIPT, MILLION), {}).get("median_seconds")
    if None not in (*runs, script):
        what = f"`{DUCKDB_RUN}` at 1,000,000 rows less the same at 10, against the whole DuckDB script"
        yield what, "within 2.2x", f"{(runs[0] - runs[1]) / script:.2f}x"
    nodes = results.measurements.get((DUCKDB_RUN, TEN), {}).get("median_loading_seconds")
    version = results.measurements.get((DBT_VERSION, TEN), {}).get("median_seconds")
    if nodes and version:
        yield f"`{DUCKDB_RUN}` on 10 rows, first node to last, against `{DBT_VERSION}`", "within 2x", f"{nodes / version:.2f}x"
    if found := ratio("loading_seconds", DBT_SEED, MILLION, PSQL_COPY, MILLION):
        yield f"seed node against `{PSQL_COPY}` at 1,000,000 rows", "within 2.6x", f"{found:.2f}x"
        # The client streams the file, wherever the server is.
        yield "the same where the server cannot read the file, as it never does", "within 6x", f"{found:.2f}x"
    if found := ratio("seconds", STOCK_DBT_SEED, 100_000, DBT_SEED, 100_000):
        yield "`dbt seed` against stock `dbt seed` at 100,000 rows", "at least 12x faster", f"{found:.1f}x faster"
    if found := ratio("peak_mib", DBT_SEED_AND_RUN, TEN_MILLIONS, DBT_SEED_AND_RUN, 10):
        yield "memory of the dbt process at 10,000,000 rows against 10", "under 1.2x", f"{found:.2f}x"
    if found := ratio("peak_mib", DBT_SEED_AND_RUN, TEN_MILLIONS, PANDAS, TEN_MILLIONS):
        yield f"memory of `{DBT_SEED_AND_RUN}` against pandas at 10,000,000 rows", "less than 0.1x", f"{found:.3f}x"
    if found := ratio("seconds", DBT_SEED_AND_RUN, TEN_MILLIONS, DBT_SEED_AND_RUN, MILLION):
        yield f"`{DBT_SEED_AND_RUN}` at 10,000,000 rows against 1,000,000", "less than 11x", f"{found:.1f}x"
    if found := ratio("loading_seconds", DUCKDB_SEED, MILLION, DUCKDB_READ, MILLION):
        yield "seed node on DuckDB against its own `read_csv` at 1,000,000 rows", "within 3x", f"{found:.2f}x"
    for form, most in FORMS.items():
        required = f"within {most}x"
        if found := ratio("loading_seconds", f"{DBT_SEED}, {form}", MILLION, DBT_SEED, MILLION):
            yield f"seed node of the {form} form against the clean one at 1,000,000 rows", required, f"{found:.2f}x"


def markdown(results: Results) -> str:
    """The content of results.md."""
    machine = results.machine
    lines = [
        "# Benchmark",
        "",
        f"Measured on {results.date[:10]} with {machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, "
        f"and {', '.join(f'{name} {number}' for name, number in results.versions.items())}.",
        "",
        "Seconds are wall time of the whole process, memory is the peak of the client's largest process (10 MiB or "
        "so is what the measuring itself takes); each number is the median of the runs in `results.json`. That file "
        "has the time of each measurement; earlier ones may be from another machine. dbt loads all three files, `psql` "
        "only `user_experiments.csv`; the loading time is that of this file alone, as dbt (for the seed's node) or "
        f"`psql` says; of `{DUCKDB_RUN}` it is the time from its first node to its last. The server runs on the same "
        "machine, and its memory is not counted. All contenders agree on every user.",
        "",
        "![Time against rows](results.png)",
        "",
    ]
    rows = [f"| {' | '.join(row)} |" for row in requirements(results)]
    if rows:
        lines += ["## What is required", "", "| what | required | measured |", "|---|---|---|", *rows, ""]
    for job in results.jobs():
        lines += [f"## {job}", ""]
        for size in results.sizes(job):
            lines += [f"### {size:,} rows", "", *table(results, job, size), ""]
    return "\n".join(lines)


def table(results: Results, job: str, size: int) -> list[str]:
    """The lines of the table of one job at one size."""
    reference = REFERENCES[job]
    loading = job != FEATURES
    lines = [
        f"| contender | seconds |{' loading time |' if loading else ''} times `{reference}` | peak MiB |",
        f"|---|---:|{'---:|' if loading else ''}---:|---:|",
    ]
    for name in results.contenders(job):
        one = results.measurements.get((name, size))
        if one is None:
            continue
        ratio = results.ratio("seconds", (name, size), (reference, size))
        cells = [f"`{name}`" if "dbt" in name or "psql" in name else name, number(one["median_seconds"])]
        if loading:
            cells.append(number(one["median_loading_seconds"]) if one["median_loading_seconds"] else "")
        cells += [number(ratio) if ratio else "", f"{one['median_peak_mib']:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def number(value: float) -> str:
    """A number with two decimals, or with two significant digits below 0.1: 3.14, 0.0021."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def draw(results: Results, path: Path) -> None:
    """A panel for each job: seconds by rows, both logarithmic, with a line for each contender."""
    jobs = [job for job in results.jobs() if job != COMMANDS]
    figure, panels = pyplot.subplots(1, len(jobs), figsize=(6 * len(jobs), 6), sharey=True, squeeze=False, layout="constrained")
    for panel, job in zip(panels[0], jobs):
        draw_job(panel, results, job)
    panels[0, 0].set_ylabel("seconds")
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def draw_job(panel: Axes, results: Results, job: str) -> None:
    """The panel of one job; the other forms of the files, which would lie on top of each other, are in the table."""
    clean = {one.name for one in CONTENDERS if one.form == CLEAN}
    names = [name for name in results.contenders(job) if name in clean]
    for name, (colour, marker) in zip(names, STYLES, strict=False):
        points = [(rows, one["median_seconds"]) for (other, rows), one in results.measurements.items() if other == name]
        # Draws this project in front of the others.
        front = 3 if name == REFERENCES[job] else 2
        panel.plot(*zip(*points), color=colour, marker=marker, label=name, linewidth=2, markersize=6, zorder=front)
    panel.set(title=f"{job}: wall time", xlabel="rows of user_experiments.csv", xscale="log", yscale="log")
    panel.tick_params(labelsize=9)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
        axis.set_minor_formatter(NullFormatter())
    panel.tick_params(axis="x", labelsize=7.5)
    panel.grid(which="major", color="#DDDDDD", linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)


def main(folder: Path) -> None:
    results = Results(folder / "results.json")
    (folder / "results.md").write_text(markdown(results))
    draw(results, folder / "results.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
