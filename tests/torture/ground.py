"""The campaign's own Postgres server, projects on it, and two inputs whose results differ in every published table."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import oracle
import psycopg2
from campaign import Campaign
from conftest import BUILD, FEATURES, Project, connection_environment

from experiment_features.postgres import Server

DEADLINE_SECONDS = 120
# The published tables, each with a query for the columns that the oracle computes, and the order of the rows. For the
# publications, these are the files of the last one.
TABLES = {
    "user_features": (f"select {', '.join(FEATURES)} from {{schema}}.user_features", "user_id"),
    "experiment_summary": ("select * from {schema}.experiment_summary", "users"),
    "compound_usage": ("select * from {schema}.compound_usage", "compound_id"),
    "rejected_rows": ("select file, row_number, column_name, row_kept from {schema}.rejected_rows", "file, row_number, column_name"),
    "publications": (
        "select one.file, one.sha256 from {schema}.publications, jsonb_to_recordset(files) as one (file text, sha256 text) "
        "where publication_id = (select max(publication_id) from {schema}.publications)",
        "file",
    ),
}
# All tables in one statement, side by side: each has its own column `place`, which is null after its last row.
ALL_TABLES = f"select {', '.join(f'{table}.*' for table in TABLES)} from " + " full join ".join(
    f"(select row_number() over (order by {order}) as place, * from ({query}) as one) as {table}{' using (place)' if number else ''}"
    for number, (table, (query, order)) in enumerate(TABLES.items())
)
Rows = list[tuple[Any, ...]]
State = dict[str, Rows]


@dataclass
class Ground:
    """A running server, and a folder for projects that use it."""

    server: Server
    folder: Path

    def project(self, schema: str) -> Project:
        """A project with its own schema."""
        return Project(self.folder / schema, schema, connection_environment(self.server))

    def kill_server(self) -> None:
        """Kills the postmaster, as a machine that is out of memory does."""
        process = int((self.server.data / "postmaster.pid").read_text().split()[0])
        os.kill(process, signal.SIGKILL)
        state = Path(f"/proc/{process}/stat")
        deadline = time.monotonic() + DEADLINE_SECONDS
        # Gone, or a zombie, whose files are closed.
        while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline, f"the postmaster {process} does not end"
            time.sleep(0.01)


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Starts a server in a folder, and removes it at the end."""
    server = Server(folder / "postgres")
    server.up()
    try:
        yield Ground(server, folder)
    finally:
        server.clean()


@dataclass(frozen=True)
class Input:
    """The three files, and the published tables that the oracle computes from them."""

    name: str
    files: dict[str, str]
    state: State

    def write(self, folder: Path) -> None:
        """Writes the files to a folder, each of them atomically."""
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in self.files.items():
            (folder / f"{file}.new").write_text(content)
            (folder / f"{file}.new").rename(folder / f"{file}.csv")


def two_inputs(choose: Random) -> tuple[Input, Input]:
    """Inputs with a few dozen users, most of them in both but with different features; a few rows of each are rejected."""
    return some_input("A", choose, users=30, experiments=150, rejected=3), some_input("B", choose, users=41, experiments=190, rejected=5)


def some_input(name: str, choose: Random, users: int, experiments: int, rejected: int) -> Input:
    """A random input with this many rows; rejected: the number of additional experiments with unknown users."""
    known = [str(choose.randint(1, users)) for _ in range(experiments)] + [str(users + 1)] * rejected
    files = {
        "users": [
            "user_id,name,email,signup_date",
            *(f"{key},User {key},user{key}@example.com,2023-01-{choose.randint(1, 28):02}" for key in range(1, users + 1)),
        ],
        "user_experiments": [
            "experiment_id,user_id,experiment_compound_ids,experiment_run_time",
            *(
                f"{key},{user},{';'.join(str(choose.randint(1, 9)) for _ in range(choose.randint(1, 4)))},{choose.randint(1, 9999) / 100}"
                for key, user in enumerate(known, 1)
            ),
        ],
        "compounds": ["compound_id,compound_name,compound_structure", *(f"{key},Compound {name}{key},C{key}" for key in range(1, 10))],
    }
    written = {file: "\n".join(lines) for file, lines in files.items()}
    return Input(name, written, expected(*(written[file].encode() for file in ("users", "user_experiments", "compounds"))))


def expected(users: bytes, experiments: bytes, compounds: bytes) -> State:
    """What is published for an input. Raises oracle.LoadError."""
    result = oracle.compute(users, experiments, compounds)
    files = {oracle.COMPOUNDS: compounds, oracle.EXPERIMENTS: experiments, oracle.USERS: users}
    return {
        "user_features": [tuple(row[name] for name in FEATURES) for row in result.features],
        "experiment_summary": [tuple(result.summary.values())],
        "compound_usage": [tuple(row.values()) for row in result.usage],
        "rejected_rows": sorted(row[:4] for row in result.rejected),
        "publications": sorted((file, hashlib.sha256(content).hexdigest()) for file, content in files.items()),
    }


def published(project: Project) -> State:
    """The published tables, as one statement sees them."""
    with contextlib.closing(connect(project)) as connection:
        return read_state(connection, ALL_TABLES.replace("{schema}", project.schema))


def read_state(connection: psycopg2.extensions.connection, statement: str) -> State:
    """The result of ALL_TABLES, or of a statement that runs it, such as `execute` after `prepare`."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        starts = [number for number, column in enumerate(cursor.description or []) if column.name == "place"]
        rows = cursor.fetchall()
    # For the last table, the slice goes to the end.
    return {
        table: [row[start + 1 : end] for row in sorted((row for row in rows if row[start]), key=lambda row: row[start])]
        for table, start, end in zip(TABLES, starts, [*starts[1:], None], strict=True)
    }


def expect_state(found: State, *allowed: Input | State, where: str) -> None:
    """Raises AssertionError unless all published tables together are in one of the allowed states."""
    states = {one.name if isinstance(one, Input) else f"state {number}": one for number, one in enumerate(allowed, 1)}
    states = {name: one.state if isinstance(one, Input) else one for name, one in states.items()}
    if found in states.values():
        return
    lines = [f"{where}: what is published is none of {', '.join(states)}:"]
    for table, rows in found.items():
        alike = [name for name, state in states.items() if state[table] == rows]
        expected_rows = ", ".join(f"{len(state[table])} in {name}" for name, state in states.items())
        what = f"as in {', '.join(alike)}" if alike else f"{len(rows)} rows, where there are {expected_rows}; found {rows[:3]} ..."
        lines.append(f"{table}: {what}")
    raise AssertionError("\n".join(lines))


def expect_order(project: Project) -> None:
    """After a successful run: no leftovers, no run that seems to be running, and a history that matches the published features."""
    # In staging, the tables that dbt uses while it replaces others; elsewhere, candidates of this run and all earlier ones.
    left = project.query(
        "select nspname::text, relname::text from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid "
        "where nspname in ('{schema}', '{schema}_staging', '{schema}_raw', '{schema}_audit') "
        "and (relname ~ '__dbt_(tmp|backup)' or relname ~ '__[0-9a-f]{12}')"
    )
    assert left == [], f"relations left over: {left}"
    running = project.query("select * from {schema}_audit.runs where status = 'running'")
    assert running == [], f"runs that seem to go on: {running}"
    expect_history(project)


def expect_history(project: Project) -> None:
    """Raises AssertionError unless the current states in the history are the published rows."""
    columns = ", ".join(
        name for (name,) in project.query(
            "select column_name::text from information_schema.columns where table_schema = '{schema}' and table_name = 'user_features' "
            "order by ordinal_position"
        )
    )  # fmt: skip
    # In one statement, because the last statement of a killed dbt may still be running.
    features = f"select {columns} from {{schema}}.user_features"
    history = f"select {columns} from {{schema}}.user_features_history where valid_to is null"
    different = project.query(f"({features} except all {history}) union all ({history} except all {features})")
    assert different == [], f"{len(different)} states are in one of history and features alone: {different[:3]} ..."


def build(project: Project, one: Input, loads_dbt: bool = False, **environment: str) -> float:
    """Builds an input, which has to succeed with the right result, and returns the seconds; loads_dbt: whether to include loading dbt."""
    one.write(project.seeds)
    started = time.monotonic()
    if loads_dbt:
        process = project.start(*BUILD, **environment)
        output = finish(process)
        assert process.returncode == 0, output
    else:
        project.dbt(*BUILD, **environment)
    seconds = time.monotonic() - started
    expect_state(published(project), one, where=f"after a build of {one.name}")
    expect_order(project)
    return seconds


def tries(campaign: Campaign, name: str, project: Project, one: Input, other: Input, times: int) -> Iterator[tuple[Input, Input]]:
    """Yields for each try of a fault the published input and the one to publish next; after a loss, publishes the latter itself."""
    for _ in range(times):
        lost_before = len(campaign.fault(name).losses)
        yield one, other
        if len(campaign.fault(name).losses) > lost_before:
            # If this fails as well, the next try reports it.
            with contextlib.suppress(AssertionError):
                build(project, other)
        one, other = other, one


def prepare(project: Project, one: Input, times: int) -> float:
    """Builds an input and returns the seconds of a build: for several tries, of a second one that loads dbt."""
    seconds = build(project, one)
    return build(project, one, loads_dbt=True) if times > 1 else seconds


def finish(process: subprocess.Popen[str], seconds: float = DEADLINE_SECONDS) -> str:
    """Waits for a dbt that ends by itself and returns its output; a traceback is not allowed."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"dbt did not end within {seconds:.0f} s:\n{output}") from None
    assert "Traceback" not in output, output
    return output


def runs_until(process: subprocess.Popen[str], seconds: float) -> str:
    """Lets dbt run for this long, or until it ends; if it ended, returns its output."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return ""


def connect(project: Project, database: str = "postgres", autocommit: bool = True) -> psycopg2.extensions.connection:
    """A connection to the project's server."""
    connection = psycopg2.connect(host=project.environment["PGHOST"], port=project.environment["PGPORT"], user="postgres", dbname=database)
    connection.autocommit = autocommit
    return connection


def wait_for(project: Project, query: str, process: subprocess.Popen[str]) -> list[tuple[Any, ...]]:
    """The rows of a query as soon as there are some. Raises AssertionError if dbt ends first."""
    connection = connect(project)
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        while True:
            with connection.cursor() as cursor:
                cursor.execute(query.replace("{schema}", project.schema))
                if rows := cursor.fetchall():
                    return rows
            if process.poll() is not None:
                raise AssertionError(f"dbt ended before there were rows of: {query}\n{process.communicate()[0]}")
            assert time.monotonic() < deadline, f"no rows of: {query}"
            time.sleep(0.005)
    finally:
        connection.close()
