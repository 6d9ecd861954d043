"""Several builds at the same moment, while readers look at what is published."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2
from campaign import Campaign
from conftest import Project
from ground import (
    BUILD,
    DEADLINE_SECONDS,
    MARTS,
    Ground,
    Input,
    Rows,
    build,
    connect,
    expect_order,
    expect_state,
    finish,
    published,
    two_inputs,
    wait_for,
)

ON_EMPTY = "builds at once on an empty database, with a reader"
ON_FULL = "builds at once on a full database, one of them with a short wait, with a reader"
ON_SWAP = "readers who wait while a table is replaced (a query, a prepared statement)"
WAITING = "select 1 from pg_locks where relation = '{schema}.%s'::regclass and not granted having count(*) >= %d"
TOO_LONG = re.compile(
    r"The schema \w+ is being built by the run \S+ \(dbt build, by builder \d [AB], since \S+ \S+ UTC\), and still does after 1 seconds; "
)


class Reader(threading.Thread):
    """Reads all published tables as fast as it can, in several ways, until it is stopped.

    Args:
        project: whose tables.
        inputs: a table has to be as the oracle says for one of them.
        may_be_missing: whether a table need not be there before it was first seen.
    """

    def __init__(self, project: Project, inputs: tuple[Input, ...], may_be_missing: bool) -> None:
        super().__init__()
        self.reads = 0
        self.faults: list[str] = []
        self._project = project
        self._inputs = inputs
        self._may_be_missing = may_be_missing
        self._seen: set[str] = set()
        self._prepared: set[str] = set()
        self._stopped = threading.Event()
        self._simple, self._preparing = self._connect(), self._connect()

    def run(self) -> None:
        ways = {
            "a query": self._query, "a prepared statement": self._execute_prepared, "a new connection": self._query_on_new_connection,
        }  # fmt: skip
        while not self._stopped.is_set() and len(self.faults) < 20:
            for way, read in ways.items():
                for mart, query in MARTS.items():
                    self._look(mart, way, read, query.replace("{schema}", self._project.schema))
            self._count_builds()

    def stop(self) -> None:
        """Ends the thread. Raises AssertionError where something was wrong."""
        self._stopped.set()
        self.join(DEADLINE_SECONDS)
        self._simple.close()
        self._preparing.close()
        assert self.faults == [], f"of {self.reads} reads: " + "\n".join(self.faults)
        assert self.reads > 0, "nothing was read"

    def _look(self, mart: str, way: str, read: Callable[[str, str], Rows], query: str) -> None:
        try:
            rows = read(mart, query)
        except psycopg2.Error as error:
            missing = isinstance(error, psycopg2.errors.UndefinedTable | psycopg2.errors.InvalidSchemaName)
            if not (missing and self._may_be_missing and mart not in self._seen):
                self.faults.append(f"{way} on {mart}: {type(error).__name__}: {error}")
            return
        self.reads += 1
        self._seen.add(mart)
        wanted = [one.state[mart] for one in self._inputs]
        if rows not in wanted:
            self.faults.append(f"{way} on {mart} gave {len(rows)} rows, which are not the {[len(one) for one in wanted]} of either input")

    def _query(self, mart: str, query: str) -> Rows:
        return self._rows(self._simple, query)

    def _execute_prepared(self, mart: str, query: str) -> Rows:
        if mart not in self._prepared:
            self._rows(self._preparing, f"prepare {mart} as {query}")
            self._prepared.add(mart)
        return self._rows(self._preparing, f"execute {mart}")

    def _query_on_new_connection(self, mart: str, query: str) -> Rows:
        connection = self._connect()
        try:
            return self._rows(connection, query)
        finally:
            connection.close()

    def _count_builds(self) -> None:
        """Looks at the locks themselves, and at what the run log says of them."""
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
    """A reader at work."""
    reader = Reader(project, inputs, may_be_missing)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


def on_empty(campaign: Campaign, ground: Ground, builds: int, rounds: int) -> None:
    """Nothing is there, not even the schemas."""
    inputs = two_inputs(campaign.random(ON_EMPTY))
    for number in range(rounds):
        with campaign.attempt(ON_EMPTY, f"{builds} builds"):
            _at_once(campaign, ground.project(f"empty_{number}"), inputs, builds, is_empty=True)


def on_full(campaign: Campaign, ground: Ground, builds: int, rounds: int) -> None:
    """The tables of one input are there."""
    inputs = two_inputs(campaign.random(ON_FULL))
    project = ground.project("full_again")
    build(project, inputs[0])
    for _ in range(rounds):
        with campaign.attempt(ON_FULL, f"{builds} builds"):
            _at_once(campaign, project, inputs, builds, is_empty=False)


def on_swap(campaign: Campaign, ground: Ground, rounds: int) -> None:
    """A build is held where it would replace the tables; readers come, and then it goes on."""
    old, new = two_inputs(campaign.random(ON_SWAP))
    project = ground.project("swapped")
    build(project, old)
    for _ in range(rounds):
        with campaign.attempt(ON_SWAP), closing(connect(project, autocommit=False)) as holder:
            new.write(project.seeds)
            with holder.cursor() as cursor:
                for mart in MARTS:
                    cursor.execute(f"lock table {project.schema}.{mart} in access share mode")
            found: dict[str, Rows] = {}
            readers = [_reader(project, mart, is_prepared, found) for mart in MARTS for is_prepared in (True, False)]
            process = project.start(*BUILD)
            for mart in MARTS:
                wait_for(project, WAITING % (mart, 1), process)
            for reader in readers:
                reader.start()
            for mart in MARTS:
                wait_for(project, WAITING % (mart, 3), process)
            holder.rollback()
            for reader in readers:
                reader.join(DEADLINE_SECONDS)
            output = finish(process)
            assert process.returncode == 0, output
            for what, rows in found.items():
                mart = what.partition(" ")[0]
                assert rows in (old.state[mart], new.state[mart]), f"{what} gave {len(rows)} rows: {rows[:3]} ..."
            assert len(found) == len(readers), f"only these were answered: {list(found)}"
            expect_state(published(project), new, where="after the build")
            expect_order(project)
        old, new = new, old


def _reader(project: Project, mart: str, is_prepared: bool, found: dict[str, Rows]) -> threading.Thread:
    """A thread that reads a table once, when it is started."""
    connection = connect(project)
    query = MARTS[mart].replace("{schema}", project.schema)
    if is_prepared:
        connection.cursor().execute(f"prepare one as {query}")
        query = "execute one"

    def read() -> None:
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(query)
            found[f"{mart} by {query}"] = cursor.fetchall()

    return threading.Thread(target=read)


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
    for (_, one, _, _, finished), (_, other, _, started, _) in zip(runs, runs[1:], strict=False):
        assert finished <= started, f"{one} ended at {finished}, after {other} began at {started}"
    last = next(one for one in inputs if one.name == runs[-1][1][-1])
    expect_state(published(project), last, where=f"after {runs[-1][1]}")
    expect_order(project)
