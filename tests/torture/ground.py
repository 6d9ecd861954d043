"""A Postgres of the campaign's own, projects on it, and two inputs whose results differ in every published table."""

from __future__ import annotations

import contextlib
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
from conftest import BUILD, Project, connection_environment

from experiment_features.postgres import Server

DEADLINE_SECONDS = 120
# The published tables, each with a query that gives its rows in one order.
MARTS = {
    "user_features": "select * from {schema}.user_features order by user_id",
    "experiment_summary": "select * from {schema}.experiment_summary",
    "compound_usage": "select * from {schema}.compound_usage order by compound_id",
    "rejected_rows": "select file, row_number, column_name, row_kept from {schema}.rejected_rows order by 1, 2, 3",
}
Rows = list[tuple[Any, ...]]
State = dict[str, Rows]


@dataclass
class Ground:
    """A running server, and a folder for projects that use it."""

    server: Server
    folder: Path

    def project(self, schema: str) -> Project:
        """A project with a schema of its own."""
        return Project(self.folder / schema, schema, connection_environment(self.server))

    def kill_server(self) -> None:
        """Ends the postmaster as a machine without memory does."""
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
    """Starts a server in a folder, and removes it in the end."""
    server = Server(folder / "postgres")
    server.up()
    try:
        yield Ground(server, folder)
    finally:
        server.clean()


@dataclass(frozen=True)
class Input:
    """The three files, and the published tables that the oracle makes of them."""

    name: str
    files: dict[str, str]
    state: State

    def write(self, folder: Path) -> None:
        """Puts the files into a folder, each at once."""
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in self.files.items():
            (folder / f"{file}.new").write_text(content)
            (folder / f"{file}.new").rename(folder / f"{file}.csv")


def two_inputs(choose: Random) -> tuple[Input, Input]:
    """Inputs of some ten users, of whom most are in both with other features; a few rows of each are rejected."""
    return some_input("A", choose, users=30, experiments=150, rejected=3), some_input("B", choose, users=41, experiments=190, rejected=5)


def some_input(name: str, choose: Random, users: int, experiments: int, rejected: int) -> Input:
    """A random input of so many rows; rejected, how many further experiments are of unknown users."""
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
    """The published tables of an input. Raises oracle.LoadError."""
    result = oracle.compute(users, experiments, compounds)
    return {
        "user_features": [tuple(row.values()) for row in result.features],
        "experiment_summary": [tuple(result.summary.values())],
        "compound_usage": [tuple(row.values()) for row in result.usage],
        "rejected_rows": sorted(row[:4] for row in result.rejected),
    }


def published(project: Project) -> State:
    """The published tables as they are."""
    return {mart: project.query(query) for mart, query in MARTS.items()}


def expect_state(found: State, *allowed: Input | State, where: str) -> None:
    """Each published table is as one of the allowed ones. Raises AssertionError."""
    states = [one.state if isinstance(one, Input) else one for one in allowed]
    for mart, rows in found.items():
        assert rows in [state[mart] for state in states], (
            f"{where}: {mart} has {len(rows)} rows, expected one of {[len(state[mart]) for state in states]} rows; found {rows[:3]} ..."
        )


def expect_order(project: Project) -> None:
    """After a run that succeeded: no leftover, no run that seems to go on, the history as the published features."""
    # The index of a primary key keeps the name that its table had while it was made.
    left = project.query(
        "select nspname, relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid "
        r"where relkind <> 'i' and relname ~ '__dbt_(tmp|backup)' and nspname ~ '^{schema}(_|$)'"
    )
    assert left == [], f"relations left over: {left}"
    running = project.query("select * from {schema}_audit.runs where status = 'running'")
    assert running == [], f"runs that seem to go on: {running}"
    expect_history(project)


def expect_history(project: Project) -> None:
    """The states that the history has as those of now are what is published. Raises AssertionError."""
    columns = ", ".join(
        name for (name,) in project.query(
            "select column_name::text from information_schema.columns where table_schema = '{schema}' and table_name = 'user_features' "
            "order by ordinal_position"
        )
    )  # fmt: skip
    # In one statement, as what a killed dbt asked for last may still be under way.
    features = f"select {columns} from {{schema}}.user_features"
    history = f"select {columns} from {{schema}}.user_features_history where valid_to is null"
    different = project.query(f"({features} except all {history}) union all ({history} except all {features})")
    assert different == [], f"{len(different)} states are in one of history and features alone: {different[:3]} ..."


def build(project: Project, one: Input, **environment: str) -> float:
    """Builds an input, which has to succeed with the right result, and gives the seconds."""
    one.write(project.seeds)
    started = time.monotonic()
    project.dbt(*BUILD, **environment)
    seconds = time.monotonic() - started
    expect_state(published(project), one, where=f"after a build of {one.name}")
    expect_order(project)
    return seconds


def tries(campaign: Campaign, name: str, project: Project, one: Input, other: Input, times: int) -> Iterator[tuple[Input, Input]]:
    """For each try of a fault, the input that is published and the one to be published; after a loss, that is done here."""
    for _ in range(times):
        lost_before = len(campaign.fault(name).losses)
        yield one, other
        if len(campaign.fault(name).losses) > lost_before:
            # Where this fails as well, the next try says so.
            with contextlib.suppress(AssertionError):
                build(project, other)
        one, other = other, one


def prepare(project: Project, one: Input, times: int) -> float:
    """Builds an input and gives the seconds that a build takes; a first one is longer, which does not matter for one try."""
    seconds = build(project, one)
    return build(project, one) if times > 1 else seconds


def finish(process: subprocess.Popen[str], seconds: float = DEADLINE_SECONDS) -> str:
    """Waits for a dbt that ends by itself and gives what it printed; a traceback is not allowed."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"dbt did not end within {seconds:.0f} s:\n{output}") from None
    assert "Traceback" not in output, output
    return output


def runs_until(process: subprocess.Popen[str], seconds: float) -> str:
    """Lets dbt run for so long, or until it ends; what it has printed where it ended."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return ""


def connect(project: Project, database: str = "postgres", autocommit: bool = True) -> psycopg2.extensions.connection:
    """A connection to the project's server."""
    connection = psycopg2.connect(
        host=project.environment["PGHOST"], port=project.environment["PGPORT"], user="postgres", dbname=database
    )
    connection.autocommit = autocommit
    return connection


def wait_for(project: Project, query: str, process: subprocess.Popen[str]) -> list[tuple[Any, ...]]:
    """The rows of a query as soon as there are some. Raises AssertionError where dbt ends before."""
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
