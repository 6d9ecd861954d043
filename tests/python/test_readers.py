"""Readers who join all published tables, during forty publications."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg2
from conftest import BUILD, BUILD_WITHOUT_TESTS, Project
from test_publishing import EXPERIMENTS, MARTS, users

# Rounds of eight publications each, and one attempt that does not publish.
ROUNDS = 5
State = tuple[Any, ...]
COUNTS = (
    "(select count(*) from {schema}.user_features)",
    "(select users from {schema}.experiment_summary)",
    "(select sum(total_experiments) from {schema}.user_features)",
    "(select experiments from {schema}.experiment_summary)",
    "(select sum(experiments) from {schema}.compound_usage)",
    "(select count(*) from {schema}.rejected_rows)",
    "(select count(*) from {schema}.user_features_history where valid_to is null)",
)
# One user with three experiments and no reject, and 40 users with two experiments each and five rejects.
INPUTS = (
    {"users": users(1, 0), "user_experiments": "\n".join([EXPERIMENTS, "1,1,1,5", "2,1,1,5", "3,1,1,5"])},
    {"users": users(40, 5), "user_experiments": "\n".join([EXPERIMENTS, *(f"{key},{key % 40 + 1},1;2,5" for key in range(80))])},
)
STATES = {(1, 1, 3, 3, 3, 0, 1), (40, 40, 80, 80, 160, 5, 40)}


class Reader(threading.Thread):
    """Reads all tables until it is stopped: in one statement, or table by table in a repeatable-read transaction."""

    def __init__(self, project: Project, repeatable: bool) -> None:
        super().__init__()
        self.seen: dict[State, int] = {}
        self.error: Exception | None = None
        self._counts = [count.replace("{schema}", project.schema) for count in COUNTS]
        self._repeatable = repeatable
        self._stopped = threading.Event()
        self._connection = psycopg2.connect(host=project.environment["PGHOST"], user="postgres", dbname="postgres")
        self._connection.set_session(isolation_level="repeatable read" if repeatable else "read committed")

    def run(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                # Not more often than this, because reading would leave no time for publishing.
                while not self._stopped.wait(0.1):
                    state: list[Any] = []
                    for statement in self._counts if self._repeatable else [", ".join(self._counts)]:
                        cursor.execute(f"select {statement}")
                        state += cursor.fetchone()
                    self._connection.commit()
                    self.seen[tuple(state)] = self.seen.get(tuple(state), 0) + 1
        except psycopg2.Error as error:
            self.error = error

    def stop(self) -> None:
        self._stopped.set()
        self.join()
        self._connection.close()


def keep_staging(project: Project, kept: str) -> str:
    """Copies the tables that the marts are built from, and returns the statements that bring them back."""
    names = project.query("select relname::text from pg_class where relnamespace = '{schema}_staging'::regnamespace and relkind = 'r'")
    project.query(f"create schema {kept}; " + "; ".join(f"create table {kept}.{name} as table {{schema}}_staging.{name}" for (name,) in names))
    return "; ".join(f"truncate {{schema}}_staging.{name}; insert into {{schema}}_staging.{name} table {kept}.{name}" for (name,) in names)


def kill_while_publishing(process: subprocess.Popen[str]) -> None:
    for line in process.stdout:
        if "START sql publication model" in line:
            process.kill()
    process.wait()


def test_readers_see_one_publication_across_all_tables(project: Project) -> None:
    staging = {}
    for number in (1, 0):
        project.write(**INPUTS[number])
        project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
        staging[number] = keep_staging(project, f"kept_{number}")
    readers = [Reader(project, repeatable) for repeatable in (False, True)]
    for reader in readers:
        reader.start()

    def publish(command: str) -> None:
        nonlocal number
        number += 1
        project.write(**INPUTS[number % 2])
        if command == "again":
            project.query(staging[number % 2])
            print(file=publisher.stdin, flush=True)
            assert next(line for line in publisher.stdout if line.strip() in ("True", "False")).strip() == "True"
        elif command == "run":
            project.dbt("seed", "--quiet")
            project.dbt("run", "--quiet")
        else:
            project.dbt(*BUILD, "--quiet")

    # Most publications come from one process that keeps dbt loaded and builds only what is published, which saves time.
    command = ("--quiet", "--no-write-json", "run", "--select", *MARTS, "publications")
    publisher = project.start(*command, program=(sys.executable, Path(__file__).with_name("publisher.py")), stdin=subprocess.PIPE)
    try:
        for round_number in range(ROUNDS):
            for command in ("again", "again", "again", "run", "again", "again", "again"):
                publish(command)
            if round_number % 2:
                project.write(**INPUTS[(number + 1) % 2])
                kill_while_publishing(project.start(*BUILD_WITHOUT_TESTS))
            else:
                project.write(users=users(5, 20))
                project.dbt(*BUILD, "--quiet", succeeds=False)
            publish("build")
    finally:
        for reader in readers:
            reader.stop()
        publisher.stdin.close()
        publisher.wait()
    assert project.query("select count(*) > 41 from {schema}.publications") == [(True,)]
    for reader in readers:
        assert reader.error is None
        assert set(reader.seen) == STATES, reader.seen
        assert min(reader.seen.values()) > 20, reader.seen
