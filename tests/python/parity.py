"""Compares what all engines compute: `make parity`.

``python tests/python/parity.py [ENGINE ...] [--large-rows N]`` builds every model on each engine (by default, all
that are installed) from the same inputs: the published files, every form and error of a file, and generated and
adversarial inputs. It compares every relation with that of Postgres, row by row and exact to the last digit, prints
the differences, and exits with 1 if there are any.

Numbers are compared by their exact value, doubles by all their bits, texts by their characters; the order of rows
does not matter.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import psycopg2
import test_faults
from cases import after_parents, models_in
from conftest import BUILD, FILES, PROJECT, PUBLISHED, Project, connection_environment
from generated import BAD_DATES, BAD_KEYS, BAD_TIMES, GOOD_DATES, GOOD_TIMES, LARGE_KEYS, MAX_KEY, PIECES, generate
from test_errors import FAULTS
from test_file_forms import EMPTY_FIRST_CELL, FORMS, QUOTES_AND_LINE_BREAKS, rows_of

from experiment_features.postgres import Server
from experiment_features.progress import Progress

ENGINES = ("postgres", "duckdb", "spark")
# Inputs between two lines of the progress.
BLOCK = 25
Files = dict[str, bytes]
Row = tuple[Any, ...]
# The problem of a file that could not be loaded, or the rows of each relation with the number of times each occurs.
Outcome = str | dict[str, Counter[Row]]


class Engine(Protocol):
    """One engine, connected, with the raw tables of all cases loaded."""

    def build(self, name: str, sql: str) -> None:
        """Creates a table `name` from the rows of a query."""

    def rows(self, name: str) -> Iterable[Row]:
        """The rows of a table."""

    def forget(self) -> None:
        """Removes everything that was built."""


class Postgres:
    """The tests' own server; everything built for one case is rolled back."""

    def __init__(self, project: Project) -> None:
        environment = project.environment
        self.connection = psycopg2.connect(host=environment["PGHOST"], port=environment["PGPORT"], user="postgres", dbname="postgres")

    def build(self, name: str, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"create temporary table {name} as {sql}".replace("%", "%%"), ())

    def rows(self, name: str) -> Iterator[Row]:
        with self.connection.cursor("large") as cursor:
            cursor.execute(f"select * from {name}")
            yield from cursor

    def forget(self) -> None:
        self.connection.rollback()


class DuckDB:
    """The file that dbt wrote; everything built for one case is rolled back."""

    def __init__(self, project: Project) -> None:
        import duckdb

        self.connection = duckdb.connect(project.environment["DUCKDB_FILE"])
        self.connection.execute("begin")

    def build(self, name: str, sql: str) -> None:
        self.connection.execute(f"create temporary table {name} as {sql}")

    def rows(self, name: str) -> Iterator[Row]:
        result = self.connection.execute(f"select * from {name}")
        while rows := result.fetchmany(10_000):
            yield from rows

    def forget(self) -> None:
        self.connection.execute("rollback")
        self.connection.execute("begin")


class Spark:
    """A separate session on the tables that dbt wrote."""

    def __init__(self, project: Project) -> None:
        from pyspark.sql import SparkSession

        folder = project.environment["SPARK_FOLDER"]
        self.session = (
            SparkSession.builder.master("local[2]")
            .config("spark.sql.warehouse.dir", f"{folder}/warehouse")
            .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder} -Xss64m")
            .config("spark.sql.catalogImplementation", "hive")
            .config("spark.sql.variable.substitute", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.adaptive.enabled", "false")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )
        self.session.sparkContext.setLogLevel("ERROR")

    def build(self, name: str, sql: str) -> None:
        # Several other models read the result.
        self.session.sql(sql).localCheckpoint().createOrReplaceTempView(name)

    def rows(self, name: str) -> Iterator[Row]:
        return map(tuple, self.session.table(name).toLocalIterator())

    def forget(self) -> None:
        """Does nothing: the next case replaces everything."""


CONNECTIONS: dict[str, type[Engine]] = {"postgres": Postgres, "duckdb": DuckDB, "spark": Spark}


@dataclass
class Model:
    """A model as dbt compiled it for one engine."""

    name: str
    sql: str


def outcomes_of(engine: str, project: Project, inputs: Sequence[Files]) -> Iterator[Outcome]:
    """An engine's outcome for each input, a dict from file name without .csv to content."""
    folder = project.folder / "cases"
    for number, files in enumerate(inputs):
        (folder / str(number)).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / str(number) / f"{name}.csv").write_bytes(content)
    arguments = json.dumps({"folder": str(folder), "count": len(inputs)})
    printed = project.dbt("run-operation", "load_tables_of_cases", "--args", arguments, "--quiet", "--target", engine)
    problems: dict[int, str] = {}
    for line in printed.splitlines():
        if line.startswith('{"case"'):
            problem = json.loads(line)
            problems.setdefault(problem["case"], f"{problem['file']}: {problem['problem']}")
    models, raw = compiled(engine, project)
    connection = CONNECTIONS[engine](project)
    for number in range(len(inputs)):
        if number in problems:
            yield problems[number]
            continue
        for model in models:
            sql = model.sql
            for relation, (schema, seed) in raw.items():
                # Not the table that records the load, whose name is longer.
                sql = re.sub(rf"{re.escape(relation)}(?!\w)", f"{schema}.case_{number}_{seed}", sql)
            connection.build(f"built_{model.name}", sql)
        yield {model.name: Counter(map(canonical, connection.rows(f"built_{model.name}"))) for model in models}
        connection.forget()


def compiled(engine: str, project: Project) -> tuple[list[Model], dict[str, tuple[str, str]]]:
    """The models, each after those that it reads, and the schema and name of each seed's relation."""
    # Some models ask the database for the columns of the files.
    project.dbt("seed", "--quiet", "--target", engine, SEEDS_DIR=str(PUBLISHED))
    project.dbt("compile", "--exclude", "resource_type:unit_test", "--quiet", "--target", engine, DBT_WRITE_JSON="true")
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())["nodes"]
    nodes = models_in(manifest)
    seeds = [node for node in manifest.values() if node["resource_type"] == "seed" and node["columns"]]
    models = []
    for node in after_parents(nodes):
        sql = node["compiled_code"]
        for other in nodes.values():
            sql = sql.replace(other["relation_name"], f"built_{other['name']}")
        models.append(Model(node["name"], sql))
    return models, {node["relation_name"]: (node["schema"], node["name"]) for node in seeds}


def canonical(row: Iterable[Any]) -> Row:
    """A row in which values are equal if they mean the same on all engines."""
    return tuple(map(_canonical, row))


def _canonical(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return format(Decimal(value).normalize(), "f")
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, list):
        return canonical(value)
    assert isinstance(value, date), value
    return value.isoformat()


def difference(expected: Outcome, found: Outcome) -> str | None:
    """The differences from Postgres, in a few lines; None if there are none."""
    if isinstance(expected, str) or isinstance(found, str):
        if expected == found:
            return None
        return "\n".join(f"  {who}: {outcome if isinstance(outcome, str) else 'loaded'}" for who, outcome in (("Postgres", expected), ("here", found)))
    for relation, rows in expected.items():
        if rows != found[relation]:
            missing, more = rows - found[relation], found[relation] - rows
            return "\n".join(
                f"  {relation}: {sum(some.values())} rows {where} only, such as {next(iter(some))}"
                for where, some in (("on Postgres", missing), ("here", more))
                if some
            )
    return None


def adversarial(seed: int, users: int = 300, experiments: int = 1000, compounds: int = 60) -> Files:
    """A few hundred users with texts, ids and numbers that are easily misread."""
    choose = random.Random(seed)

    def text() -> str:
        return choose.choice(["", "NULL", "NaN", "${x}", "007", "O'Neil"]) if choose.random() < 0.3 else "".join(choose.choices(PIECES, k=choose.randint(1, 4)))

    def mostly(good: Sequence[str], bad: Sequence[Sequence[str]]) -> str:
        return choose.choice(choose.choice(bad) if choose.random() < 0.05 else good)

    def number() -> str:
        return choose.choice([*GOOD_TIMES, f"{choose.random() * 10 ** choose.randint(-6, 9):.{choose.randint(0, 17)}f}"])

    edges = [str(MAX_KEY - offset) for offset in range(3)]
    keys = {
        "users": [*map(str, range(1, users + 1)), *edges],
        "user_experiments": [*map(str, range(1, experiments + 1)), *edges],
        "compounds": [*map(str, range(1, compounds + 1)), *edges],
    }

    def key(name: str) -> str:
        return choose.choice(["", "", "0", "000"]) + mostly(keys[name], [BAD_KEYS, LARGE_KEYS, [""]])

    def compound_list() -> str:
        ids = [key("compounds") for _ in range(choose.randint(0, 5))]
        return choose.choice([";", ";", ";", " ; ", ";;"]).join(ids)

    tables = {
        "users": [["user_id", "name", "email", "signup_date"]] + [
            [key("users") if choose.random() < 0.02 else one, text(), text(), mostly(GOOD_DATES, BAD_DATES)] for one in keys["users"]
        ],
        "user_experiments": [["experiment_id", "user_id", "experiment_compound_ids", "experiment_run_time"]] + [
            [key("user_experiments") if choose.random() < 0.02 else one, key("users"), compound_list(), mostly([number()], BAD_TIMES)]
            for one in keys["user_experiments"]
        ],
        "compounds": [["compound_id", "compound_name", "compound_structure"]] + [[one, text(), text()] for one in keys["compounds"]],
    }  # fmt: skip
    written: Files = {}
    for name, rows in tables.items():
        file = io.StringIO()
        quoting = choose.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        csv.writer(file, lineterminator=choose.choice(["\n", "\r\n"]), quoting=quoting).writerows(rows)
        written[name] = file.getvalue().encode()
    return written


def inputs(generated: int, of_adversarial: int) -> dict[str, Files]:
    """All inputs to compare, by name: every form, every error, generated and adversarial inputs."""
    published = {name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES}
    cases = {"published": published}
    for form, write in FORMS.items():
        cases[form] = {name.removesuffix(".csv"): write(rows_of(name)).encode() for name in FILES}
    cases["quotes and line breaks"] = {**published, "compounds": QUOTES_AND_LINE_BREAKS.encode()}
    cases["empty first cell"] = {**published, "compounds": EMPTY_FIRST_CELL.encode()}
    for fault, (content, _) in FAULTS.items():
        cases[fault] = {**published, "users": content.encode() if isinstance(content, str) else content}
    for name, (file, row, *_) in (test_faults.FAULTS | test_faults.HARMLESS).items():
        cases[f"fault: {name}"] = test_faults.files(**{file: row})
    everything: dict[str, list[str]] = {}
    for file, row, *_ in (test_faults.FAULTS | test_faults.HARMLESS).values():
        everything.setdefault(file, []).append(row)
    cases["all faults at once"] = test_faults.files(**{file: "\n".join(rows) for file, rows in everything.items()})
    for number, one in enumerate(generate(generated)):
        cases[f"generated {number}"] = {"users": one.users, "user_experiments": one.experiments, "compounds": one.compounds}
    for number in range(of_adversarial):
        cases[f"adversarial {number}"] = adversarial(number)
    return cases


def is_for(engine: str, name: str) -> bool:
    """Whether an engine takes an input: Spark, which needs seconds for each, gets all errors in one input only."""
    return engine != "spark" or not re.match(r"fault: |generated \d\d", name)


def installed() -> list[str]:
    """The engines whose adapter is installed."""
    return [engine for engine in ENGINES if find_spec(f"dbt.adapters.{engine}")]


@contextmanager
def project_for_all(folder: Path) -> Iterator[Project]:
    """A Project with its own Postgres, and folders for the other engines."""
    server = Server(folder / "postgres")
    server.up()
    try:
        yield Project(folder, "parity", environment_of(folder, connection_environment(server)))
    finally:
        server.clean()


def environment_of(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """Adds the places of the engines that need no server."""
    return {**environment, "DUCKDB_FILE": str(folder / "engine.duckdb"), "SPARK_FOLDER": str(folder / "spark")}


def compare_large(project: Project, rows: int) -> str | None:
    """Builds generated input with `dbt seed` and `dbt run` on Postgres and DuckDB, and compares all relations."""
    folder = project.folder / "large"
    subprocess.run([sys.executable, PROJECT / "benchmarks" / "generate.py", str(rows), folder], check=True)
    sums: dict[str, dict[str, tuple[int, int]]] = {}
    for engine in ("postgres", "duckdb"):
        for command in ("seed", "run"):
            project.dbt(command, "--quiet", "--target", engine, SEEDS_DIR=str(folder), DBT_WRITE_JSON="true")
        manifest = json.loads((project.folder / "target" / "manifest.json").read_text())["nodes"]
        connection = CONNECTIONS[engine](project)
        sums[engine] = {
            node["name"]: total(map(canonical, connection.rows(f"{node['schema']}.{node['name']}")))
            for node in manifest.values()
            if node["unique_id"] in models_in(manifest) or (node["resource_type"] == "seed" and node["columns"])
        }
    different = [f"  {name}: {expected[0]} and {sums['duckdb'][name][0]} rows, not the same ones"
                 for name, expected in sums["postgres"].items() if sums["duckdb"][name] != expected]  # fmt: skip
    return "\n".join(different) or None


def total(rows: Iterable[Row]) -> tuple[int, int]:
    """The number of canonical rows, and the sum of their hashes, regardless of order."""
    count = sum_of_hashes = 0
    for row in rows:
        count += 1
        sum_of_hashes += hash(row)
    return count, sum_of_hashes


def compare_cluster(project: Project) -> str | None:
    """Builds the published files on a Spark cluster of several processes, and compares the printed features."""
    printed: dict[str, list[str]] = {}
    folder = project.folder / "cluster"
    folder.mkdir()
    thrift_port, master_port = free_port(), free_port()
    with open(folder / "log.txt", "w") as log, subprocess.Popen(
        [PROJECT / "scripts" / "spark_cluster.sh", folder, str(thrift_port), str(master_port)],
        env=project.environment, stdout=log, stderr=log, start_new_session=True,
    ) as cluster:  # fmt: skip
        try:
            wait_for_port(thrift_port, cluster)
            for target in ("postgres", "spark_cluster"):
                output = project.dbt(
                    *BUILD, "--target", target,
                    SHOW_FEATURES="20", SPARK_PORT=str(thrift_port),
                )  # fmt: skip
                printed[target] = [line for line in output.splitlines() if line.startswith(("| ", "Rows read:"))]
        finally:
            os.killpg(cluster.pid, signal.SIGKILL)
    workers = (folder / "log.txt").read_text().count("Registering worker")
    if workers != 2:
        return f"  {workers} workers took part, not 2"
    if printed["postgres"] != printed["spark_cluster"] or len(printed["postgres"]) != 13:
        return "\n".join(["  on Postgres:", *printed["postgres"], "  on the cluster:", *printed["spark_cluster"]])
    return None


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("localhost", 0)) as server:
        return server.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 300) -> None:
    """Returns when a process listens on the port. Raises TimeoutError, or RuntimeError if the process has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("The Spark cluster ended before it was up.")
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return
        time.sleep(0.5)
    raise TimeoutError(f"Nothing listens on port {port} after {seconds:.0f} s.")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares what the engines compute.")
    parser.add_argument("engines", nargs="*", choices=[*ENGINES, []], help="beside Postgres; by default all that are installed")
    parser.add_argument("--generated", type=int, default=100, help="generated inputs")
    parser.add_argument("--large-rows", type=int, default=1_000_000, help="experiments of the large input; 0 for none")
    arguments = parser.parse_args()
    engines = [engine for engine in arguments.engines or installed() if engine != "postgres"]
    if not engines:
        print("No engine is installed beside Postgres; `make parity` installs them.")
        return 1
    cases = inputs(arguments.generated, of_adversarial=3)
    wanted_of = {engine: [name for name in cases if is_for(engine, name)] for engine in ("postgres", *engines)}
    with_large, with_cluster = bool(arguments.large_rows) and "duckdb" in engines, "spark" in engines
    progress = Progress(sum(-(-len(names) // BLOCK) for names in wanted_of.values()) + with_large + with_cluster, sys.stdout)
    differences: list[str] = []

    def outcomes(engine: str) -> Iterator[tuple[str, Outcome]]:
        names = wanted_of[engine]
        found = outcomes_of(engine, project, [cases[name] for name in names])
        for start in range(0, len(names), BLOCK):
            block = names[start : start + BLOCK]
            step = f"{engine}, inputs {start + 1} to {start + len(block)} of {len(names)}"
            progress.begin(step)
            # Takes no outcome more than there are names in the block.
            yield from zip(block, found, strict=False)
            progress.end(step, step)

    def compare(what: str, difference_of: Callable[[], str | None]) -> None:
        progress.begin(what)
        text = difference_of()
        progress.end(what, what)
        if text is not None:
            differences.append(f"There is a difference, {what}:\n{text}")

    with tempfile.TemporaryDirectory(prefix="parity", ignore_cleanup_errors=True) as temporary:
        Path(temporary).chmod(0o755)
        try:
            with project_for_all(Path(temporary)) as project:
                expected = dict(outcomes("postgres"))
                for engine in engines:
                    for name, found in outcomes(engine):
                        if text := difference(expected[name], found):
                            differences.append(f"{engine} differs on '{name}':\n{text}")
                if with_large:
                    compare(f"DuckDB, {arguments.large_rows:,} generated experiments", lambda: compare_large(project, arguments.large_rows))
                if with_cluster:
                    compare("a Spark cluster, the published files", lambda: compare_cluster(project))
        finally:
            progress.stop()
            for text in differences:
                print(text)
    relations = next(len(outcome) for outcome in expected.values() if not isinstance(outcome, str))
    print(
        f"{len(differences)} differences." if differences
        else f"No difference between postgres and {' and '.join(engines)}, on {relations} relations of each input."
    )  # fmt: skip
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
