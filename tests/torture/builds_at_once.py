"""Several builds at the same moment, while readers read the published tables."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise

import psycopg2
from campaign import Campaign
from conftest import Project
from ground import (
    ALL_TABLES,
    BUILD,
    DEADLINE_SECONDS,
    TABLES,
    Ground,
    Input,
    Rows,
    State,
    build,
    connect,
    expect_order,
    expect_state,
    finish,
    published,
    read_state,
    two_inputs,
    wait_for,
)

ON_EMPTY = "builds at once on an empty database, with a reader"
ON_FULL = "builds at once on a full database, one of them with a short wait, with a reader"
WHILE_PUBLISHING = "readers of all published tables at once while a build publishes, held in the middle of it"
WAITING = "select 1 from pg_locks where relation = '{schema}.publications'::regclass and not granted"
TOO_LONG = re.compile(r"The schema \w+ is being built by the run \S+ \(dbt build, by builder \d [AB], since \S+ \S+ UTC\), and still is after 1 seconds; ")


class Reader(threading.Thread):
    """Reads all published tables together as fast as it can, in several ways, until it is stopped.

    Args:
        project: the project with the tables.
        inputs: the tables have to match the oracle's results for one of these inputs.
        may_be_missing: whether the tables may be missing until they are first seen.
    """

    def __init__(self, project: Project, inputs: tuple[Input, ...], may_be_missing: bool) -> None:
        super().__init__()
        self.reads = 0
        self.faults: list[str] = []
        self._project = project
        self._inputs = inputs
        self._may_be_missing = may_be_missing
        self._is_prepared = False
        self._stopped = threading.Event()
        self._simple, self._preparing = self._connect(), self._connect()
        self._repeatable = connect_repeatable(project)
        self._statement = ALL_TABLES.replace("{schema}", project.schema)

    def run(self) -> None:
        ways = {
            "a query": self._query, "a prepared statement": self._execute_prepared,
            "a query on a new connection": self._query_on_new_connection, "queries in one transaction": self._query_in_one_transaction,
        }  # fmt: skip
        while not self._stopped.is_set() and len(self.faults) < 20:
            for way, read in ways.items():
                self._look(way, read)
            self._count_builds()

    def stop(self) -> None:
        """Ends the thread. Raises AssertionError if anything was wrong."""
        self._stopped.set()
        self.join(DEADLINE_SECONDS)
        for connection in (self._simple, self._preparing, self._repeatable):
            connection.close()
        assert self.faults == [], f"of {self.reads} reads: " + "\n".join(self.faults)
        assert self.reads > 0, "nothing was read"

    def _look(self, way: str, read: Callable[[], State]) -> None:
        try:
            state = read()
        except psycopg2.Error as error:
            missing = isinstance(error, psycopg2.errors.UndefinedTable | psycopg2.errors.InvalidSchemaName)
            if not (missing and self._may_be_missing):
                self.faults.append(f"{way}: {type(error).__name__}: {error}")
            return
        self.reads += 1
        self._may_be_missing = False
        try:
            expect_state(state, *self._inputs, where=way)
        except AssertionError as error:
            self.faults.append(str(error))

    def _query(self) -> State:
        return read_state(self._simple, self._statement)

    def _execute_prepared(self) -> State:
        if not self._is_prepared:
            self._rows(self._preparing, f"prepare everything as {self._statement}")
            self._is_prepared = True
        return read_state(self._preparing, "execute everything")

    def _query_on_new_connection(self) -> State:
        with closing(self._connect()) as connection:
            return read_state(connection, self._statement)

    def _query_in_one_transaction(self) -> State:
        """Reads table by table. Postgres looks up the names of tables outside the snapshot in which a transaction sees rows."""
        if self._may_be_missing:
            return self._query()
        return read_one_by_one(self._project, self._repeatable)

    def _count_builds(self) -> None:
        """Counts the locks that are held, and the builds that are running according to the run log."""
        locks = self._rows(self._simple, "select count(*) from pg_locks where locktype = 'advisory' and granted")[0][0]
        try:
            running = self._rows(self._simple, f"select count(*) from {self._project.schema}_audit.runs where status = 'running'")[0][0]
        except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName):
            running = 0
        if max(locks, running) > 1:
            self.faults.append(f"{locks} locks are held, {running} runs are running at the same time")

    def _connect(self) -> psycopg2.extensions.connection:
        return connect(self._project)

    @staticmethod
    def _rows(connection: psycopg2.extensions.connection, query: str) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def reading(project: Project, inputs: tuple[Input, ...], may_be_missing: bool) -> Iterator[Reader]:
    """A running reader."""
    reader = Reader(project, inputs, may_be_missing)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


def on_empty(campaign: Campaign, ground: Ground, builds: int, rounds: int) -> None:
    """Builds start with nothing there, not even the schemas."""
    inputs = two_inputs(campaign.random(ON_EMPTY))
    for number in range(rounds):
        with campaign.attempt(ON_EMPTY, f"{builds} builds"):
            _at_once(campaign, ground.project(f"empty_{number}"), inputs, builds, is_empty=True)


def on_full(campaign: Campaign, ground: Ground, builds: int, rounds: int) -> None:
    """Builds start with the tables of one input there."""
    inputs = two_inputs(campaign.random(ON_FULL))
    project = ground.project("full_again")
    build(project, inputs[0])
    for _ in range(rounds):
        with campaign.attempt(ON_FULL, f"{builds} builds"):
            _at_once(campaign, project, inputs, builds, is_empty=False)


def while_publishing(campaign: Campaign, ground: Ground, rounds: int) -> None:
    """Holds a build after it has changed all tables and before it commits, then lets it go on."""
    old, new = two_inputs(campaign.random(WHILE_PUBLISHING))
    project = ground.project("publishing")
    build(project, old)
    for _ in range(rounds):
        with (
            campaign.attempt(WHILE_PUBLISHING),
            closing(connect(project, autocommit=False)) as holder,
            closing(connect_repeatable(project)) as transaction,
            reading(project, (old, new), may_be_missing=False) as reader,
        ):
            new.write(project.seeds)
            # The readers of the publications need not wait, but the insert of the new row does.
            holder.cursor().execute(f"lock table {project.schema}.publications in share mode")
            process = project.start(*BUILD)
            wait_for(project, WAITING, process)
            before = reader.reads
            expect_state(published(project), old, where="in mid-publication")
            expect_state(read_one_by_one(project, transaction, commits=False), old, where="a transaction begun in mid-publication")
            holder.rollback()
            output = finish(process)
            assert process.returncode == 0, output
            expect_state(read_one_by_one(project, transaction), old, where="the same transaction after the build")
            expect_state(read_one_by_one(project, transaction), new, where="the next transaction")
            expect_state(published(project), new, where="after the build")
            expect_order(project)
            assert reader.reads > before, "the reader waited for the publication"
        campaign.say(f"the reader read {reader.reads} times")
        old, new = new, old


def connect_repeatable(project: Project) -> psycopg2.extensions.connection:
    """A connection whose transactions each see a single state."""
    connection = connect(project, autocommit=False)
    connection.set_session("repeatable read", readonly=True)
    return connection


def read_one_by_one(project: Project, connection: psycopg2.extensions.connection, commits: bool = True) -> State:
    """The published tables, read with one query each in one transaction; commits: whether to end it."""
    state: State = {}
    with connection.cursor() as cursor:
        for table, (query, order) in TABLES.items():
            cursor.execute(f"{query} order by {order}".replace("{schema}", project.schema))
            state[table] = cursor.fetchall()
    if commits:
        connection.commit()
    return state


def _at_once(campaign: Campaign, project: Project, inputs: tuple[Input, ...], builds: int, is_empty: bool) -> None:
    for one in inputs:
        one.write(project.folder / one.name)
    earlier = set() if is_empty else {run_id for (run_id,) in project.query("select id from {schema}_audit.runs")}
    with reading(project, inputs, may_be_missing=is_empty) as reader:
        processes = {}
        for number in range(builds):
            one = inputs[number % 2]
            folder = project.folder / f"builder {number}"
            who = f"builder {number} {one.name}"
            wait = {} if is_empty or number < builds - 1 else {"FEATURES_LOCK_WAIT": "1"}
            processes[who] = project.start(
                *BUILD, SEEDS_DIR=str(project.folder / one.name), FEATURES_STARTED_BY=who,
                DBT_TARGET_PATH=str(folder / "target"), DBT_LOG_PATH=str(folder / "logs"), **wait,
            )  # fmt: skip
        outputs = {who: finish(process, DEADLINE_SECONDS * 5) for who, process in processes.items()}
    campaign.say(f"the reader read {reader.reads} times")

    runs = [
        row for row in project.query("select id, started_by, status, started, finished from {schema}_audit.runs order by started")
        if row[0] not in earlier
    ]  # fmt: skip
    for number, (who, process) in enumerate(processes.items()):
        logged = [status for _, started_by, status, *_ in runs if started_by == who]
        if process.returncode == 0:
            assert logged == ["succeeded"], f"{who} ended with 0 and is {logged} in the run log"
            continue
        assert not is_empty and number == builds - 1, f"{who} ended with {process.returncode}:\n{outputs[who]}"
        text = " ".join(outputs[who].split())
        assert process.returncode == 2 and TOO_LONG.search(text), f"{who} ended with {process.returncode}:\n{outputs[who]}"
        assert logged == ["failed"], f"{who} did not get the lock and is {logged} in the run log"
    runs = [row for row in runs if processes[row[1]].returncode == 0]
    for (_, one, _, _, finished), (_, other, _, started, _) in pairwise(runs):
        assert finished <= started, f"{one} ended at {finished}, after {other} began at {started}"
    last = next(one for one in inputs if one.name == runs[-1][1][-1])
    expect_state(published(project), last, where=f"after {runs[-1][1]}")
    expect_order(project)
