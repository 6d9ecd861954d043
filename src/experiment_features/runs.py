"""Lets one command at a time build in a schema of Postgres, and records each command in the database.

Both live on one connection, which is held for as long as the command runs: Postgres frees the lock, a session-level
advisory lock, as soon as that connection is gone, however the process ends. The lock covers one schema of one
database; a connection pooler is refused, since it may share a session among several clients.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
from psycopg2 import sql

from experiment_features.reading.text import without_excerpt

OLDEST_SERVER = 14
SECONDS_TO_END = 10
SECONDS_BETWEEN_TRIES = 0.1
NAME_OF_HOLDER = "experiment_features run "

# The statements of runs.sql by their names.
STATEMENTS = dict(part.split("\n", 1) for part in Path(__file__).with_name("runs.sql").read_text("utf-8").split("-- name: ")[1:])


class RunError(Exception):
    """A sentence for the user."""


def lock_key(schema: str) -> int:
    """The key of the advisory lock of a target schema."""
    return int.from_bytes(hashlib.sha256(f"experiment_features {schema}".encode()).digest()[:8], "big", signed=True)


def storable(text: str) -> str:
    """The text in a form that Postgres can store: names of files and environment variables may hold bytes that are not UTF-8."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def name_of_holder(run_id: str) -> str:
    """The application_name for the connection that has the lock: the id of the run, or its hash if Postgres would cut or change it."""
    name = NAME_OF_HOLDER + run_id
    return name if len(name) < 64 and name.isascii() and name.isprintable() else NAME_OF_HOLDER + hashlib.sha256(run_id.encode()).hexdigest()[:32]


def name_of_workers(schema: str) -> str:
    """The application_name for the other connections of a run, by which the next run finds those left over."""
    return f"experiment_features {lock_key(schema) & (1 << 64) - 1:016x}"


class Node(NamedTuple):
    """What became of one node of dbt's graph, in dbt's words, as a row of run_nodes."""

    node: str
    status: str
    seconds: float
    rows: int | None
    message: str | None


class Run:
    """A command that builds, which has the lock of its schema and a row in the run log.

    Args:
        connection: of psycopg2, which nothing else uses; it is kept until `end`.
        schema: the target schema; the run log is in `<schema>_audit`.
        run_id: dbt's id of the invocation, or that of the program that started dbt.
        command, started_by, nodes: for the row; nodes is their number.

    Raises RunError if the run cannot build on this server or database.
    """

    LOCK_LOST = "The connection that held the lock was cut, so the run stops here; start it again."

    def __init__(self, connection: Any, schema: str, run_id: str, command: str, started_by: str, nodes: int) -> None:
        self.run_id, self._schema, self._connection, self._key = run_id, schema, connection, lock_key(schema)
        self._row = run_id, command, started_by, nodes
        self.name_of_workers = name_of_workers(schema)
        connection.commit()
        connection.autocommit = True
        if connection.server_version < OLDEST_SERVER * 10_000:
            found = connection.get_parameter_status("server_version")
            raise RunError(f"The server is PostgreSQL {found}, and {OLDEST_SERVER} or later is needed.")
        schemas = [self._schema + ending for ending in ("", "_raw", "_staging", "_audit")]
        for backend, role, database, encoding, read_only, may_create, similar in self._execute("rights", schemas, schemas):
            if backend != connection.get_backend_pid():
                raise RunError("A pooler such as PgBouncer is between dbt and the server, and would share the lock; set PGHOST and PGPORT to the server's own.")
            if encoding != "UTF8":
                raise RunError(f"The database {database} has the encoding {encoding}; set PGDATABASE to one with UTF8.")
            if read_only:
                raise RunError(f"The server is read-only, since {read_only}; change that, or set PGHOST to one that can be written to.")
            if not may_create:
                raise RunError(
                    f"The role {role} may not create schemas in the database {database}; let its owner run "
                    f'`grant create on database "{database}" to "{role}"`, and start this again.'
                )
            for found, wanted in similar:
                raise RunError(f"The database has the schema {found}, which differs from {wanted} only in case; choose another FEATURES_SCHEMA.")
        self._execute("keep_alive")
        with connection.cursor() as cursor:
            # On any connection to the database, it has a row as long as the run has its lock.
            self.lock_query = cursor.mogrify(STATEMENTS["admit"], (connection.get_backend_pid(), name_of_holder(run_id), self._key)).decode()

    def take_lock(self, wait_seconds: float, tell: Callable[[str], None]) -> None:
        """Waits until no other run works on the schema, but no longer than this; `tell` gets a sentence before the wait, if there is one.

        Raises RunError, and writes the row of the run where there is a log, if the other run is still there or the wait is interrupted.
        """
        self._execute("set_name", name_of_holder(self.run_id))
        began, is_told = time.monotonic(), False
        try:
            # Polls, because Ctrl-C could not interrupt a statement that waits.
            while not self._execute("try_lock", self._key)[0][0]:
                if not is_told:
                    tell(f"{self._holder()}; waiting for it, for {wait_seconds:g} seconds at most.")
                elif time.monotonic() - began >= wait_seconds:
                    raise RunError(
                        f"{self._holder()}, and still is after {wait_seconds:g} seconds; "
                        "start this again when it has ended, or set FEATURES_LOCK_WAIT to more seconds."
                    )
                is_told = True
                time.sleep(min(SECONDS_BETWEEN_TRIES, wait_seconds))
            self._end_others()
        except (RunError, KeyboardInterrupt) as error:
            status, message = ("failed", str(error)) if isinstance(error, RunError) else ("cancelled", "Stopped before it began to build.")
            try:
                if self._has_log():
                    self._execute("give_up", *self._row, time.monotonic() - began, status, storable(message))
            except psycopg2.Error as fault:
                tell(f"The run is not in the run log: {str(fault).strip()}")
            raise RunError(message) from error

    def _end_others(self) -> None:
        """Ends the statements of runs that were killed or have lost their lock; none of them is committed."""
        deadline = time.monotonic() + SECONDS_TO_END
        # A run that has lost its lock may connect once more before it notices.
        while found := self._execute("end_others", self.name_of_workers):
            if time.monotonic() > deadline:
                raise RunError(
                    f"A statement of an earlier run on the schema {self._schema} is still running, as server process {found[0][0]} of the role "
                    f"{found[0][1]}; end it and start this again."
                )
            time.sleep(0.02)

    def admits(self, connection: Any) -> bool:
        """Whether the run still has its lock, checked on a new psycopg2 connection before the run uses it.

        The next run ends all connections it finds; one that is opened later sees here that the lock is gone. This also makes the
        server end the connection's statements about a second after its client is gone.
        """
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(self.lock_query)
                is_admitted: bool = cursor.rowcount == 1
            connection.autocommit = False
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            # The next run has ended this connection.
            return False
        return is_admitted

    def has_lock(self) -> bool:
        """Whether the connection that holds it is still there."""
        try:
            self._execute("ping")
        except psycopg2.Error:
            return False
        return True

    def _holder(self) -> str:
        """Says which run has the lock, and since when."""
        holding = self._execute("lock_holder", self._key)
        name = holding[0][1] if holding else ""
        run = name.removeprefix(NAME_OF_HOLDER) if name else "that has just ended"
        if self._has_log():
            for run_id, command, started_by, started in self._execute("unfinished_runs"):
                if name == name_of_holder(run_id):
                    run = f"{run_id} ({command}, by {started_by}, since {started} UTC)"
        return f"The schema {self._schema} is being built by the run {run}"

    def begin(self) -> None:
        """Writes the row of the run, and closes those of runs that were killed. If an earlier command of the same run has a row, that row is reopened.

        Raises RunError if another run has built since that command, so that tables of both would be mixed.
        """
        if not self._has_log():
            # Statements executed together are one transaction.
            self._execute("create_log")
        self._execute("close_killed_runs")
        for (other,) in self._execute("run_between", self.run_id):
            raise RunError(
                f"The run {other} has built since the run {self.run_id} began, which would mix the tables of both; start again with another FEATURES_RUN_ID."
            )
        self._execute("begin_run", *self._row)

    def add_node(self, node: Node) -> None:
        """Adds what became of a node, so that others see how far the run has got."""
        self._execute("add_nodes", self.run_id, _as_json([node]))

    def end(self, status: str, message: str | None, causes: list[str] | None, nodes: Sequence[Node]) -> None:
        """Closes the row of the run, adds what became of its files and of nodes not added yet, and releases the lock by closing the connection.

        `causes` says why rows and cells could not be used; it is None where this command has not looked for them.
        """
        succeeded = {one.node.rpartition(".")[2] for one in nodes if one.status == "success"}
        with closing(self._connection), self._connection:
            # dbt reports the nodes that it skips or stops only at the end.
            self._execute("add_nodes", self.run_id, _as_json(nodes))
            if {"int_rows_per_file", "publications"} & succeeded:
                self._execute("add_files", self.run_id, "publications" in succeeded)
            causes = causes and [storable(cause) for cause in causes]
            self._execute("end_run", status, message and storable(message), causes, self.run_id)

    def _has_log(self) -> bool:
        return bool(self._execute("has_log", f"{self._schema}_audit"))

    def _execute(self, name: str, *arguments: object) -> list[tuple[Any, ...]]:
        """The rows of a statement of runs.sql."""
        schemas = {key: sql.Identifier(f"{self._schema}_{key}") for key in ("audit", "staging")}
        with self._connection.cursor() as cursor:
            cursor.execute(sql.SQL(STATEMENTS[name]).format(**schemas), arguments or None)
            return cursor.fetchall() if cursor.description else []


def _as_json(nodes: Sequence[Node]) -> str:
    """The nodes, with messages that everyone who may read the run log may see."""
    return json.dumps([{**one._asdict(), "message": one.message and storable(without_excerpt(one.message))} for one in nodes])
