"""Imported by every dbt process, as dbt does with each installed module named ``dbt_*``.

dbt reads seed files below 1 MiB whole while it parses, and stops with a traceback at one that is
not UTF-8. This project hands the files to the server unread, so dbt is told that each is too large
to read; the loading macro then names the line that is at fault.

``dbt seed --show`` takes the result of an on-run-end hook for that of a seed and stops with a
traceback at it, as it has no table; it is passed over.

What the on-run-end hook reports of a run is printed after dbt's own summary, which would otherwise be the last thing a
user sees, and goes into the run log.

The loading macros get ``modules.seed_rows`` beside dbt's own ``modules.re`` and the like, since Jinja cannot open a file.

Commands that build on Postgres take a lock and leave a row in the run log (see ``experiment_features.runs``). This
is not done by hooks of dbt, since those have connections of their own, run after the schemas are made, and not at all
where a run is stopped.

Every connection to Postgres is refused where the names of schema and database, which dbt puts into its statements as
they are, or a setting of the server could make a part of a text be run.
"""

from __future__ import annotations

import dataclasses
import getpass
import os
import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbt.context.base
import dbt.contracts.files
import psycopg2
from dbt.adapters.contracts.connection import Connection
from dbt.adapters.factory import get_adapter
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.exceptions import DbtRuntimeError
from dbt.flags import get_flags
from dbt.task.freshness import FreshnessTask
from dbt.task.run import RunTask
from dbt.task.seed import SeedTask
from dbt.task.test import TestTask
from dbt_common.events.base_types import EventLevel, EventMsg
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note, PrintEvent
from dbt_common.invocation import get_invocation_id

from experiment_features.reading import Rows
from experiment_features.runs import LockHeldError, Node, Run, RunError, storable

LOCK_WAIT_SECONDS = 600.0
# Of the tasks that dbt derives from that of `dbt run`, those that leave the tables as they are.
NOT_BUILDING = (TestTask, FreshnessTask)

# Postgres cuts longer names, so that those of two schemas could be the same; `_staging` is the longest that is added.
LONGEST_SCHEMA = 63 - len("_staging")

dbt.contracts.files.MAXIMUM_SEED_SIZE = -1

_show_table = SeedTask.show_table
_modules = dbt.context.base.get_context_modules
_execute_with_hooks = RunTask.execute_with_hooks
_handle_result = RunTask._handle_result
_open_connection = PostgresConnectionManager.open
_current_run: Run | None = None
# What the run under way has to report, which is printed once.
_report: Report | None = None


@dataclass(frozen=True)
class Report:
    """What the macro report_run has found out about a run.

    Args:
        causes: why rows and cells could not be used, as sentences.
        outcome: what was published, or why nothing was; empty where there is nothing to say.
    """

    causes: list[str]
    outcome: str

    @property
    def lines(self) -> list[str]:
        return [*self.causes, self.outcome] if self.outcome else self.causes


def _show_table_of_seed(task: SeedTask, result: Any) -> None:
    if result.agate_table is not None:
        _show_table(task, result)


def _seed_rows(seed: dict[str, Any], folder: str = "") -> Rows:
    """The rows of a seed's file in a folder: by default that, or the address, that SEEDS_DIR names, or where dbt found it."""
    found = Path(seed["root_path"]) / seed["original_file_path"]
    folder = folder or os.environ.get("SEEDS_DIR") or str(found.parent)
    if "://" not in folder:
        folder = str(Path(seed["root_path"]) / folder)
    encoding, exchange = (os.environ.get(name, "") for name in ("SEEDS_ENCODING", "FEATURES_EXCHANGE_DIR"))
    return Rows(folder, found.stem, list(seed["columns"]), encoding, exchange)


def _modules_of_project() -> dict[str, Any]:
    return {
        **_modules(),
        "seed_rows": _seed_rows,
        "current_run": _current_run,
        "started_by": _started_by,
        "keep_report": _keep_report,
    }


def _keep_report(causes: Iterable[str], outcome: str) -> None:
    global _report
    _report = Report(list(causes), outcome.strip())


def _print_report(event: EventMsg) -> None:
    """Prints the report of the run when dbt has printed its summary. Nothing may leave it, or dbt could wait for ever."""
    global _report
    with suppress(Exception):
        if event.info.name == "CommandCompleted" and _report is not None:
            report, _report = _report, None
            for line in report.lines if get_flags().PRINT else ():
                fire_event(PrintEvent(msg=line))


def _open_safely(connection: Connection) -> Connection:
    """dbt's `open`, for names and settings by which nothing can be run that is meant as a text."""
    schema, database = connection.credentials.schema, connection.credentials.database
    if not re.fullmatch(r"[\w-]+", schema) or len(schema.encode()) > LONGEST_SCHEMA:
        raise DbtRuntimeError(
            f"FEATURES_SCHEMA is '{schema}'; the name of a schema has letters, digits, _ and - only, and {LONGEST_SCHEMA} bytes at most."
        )
    if set(database) & set("'\"\\"):
        raise DbtRuntimeError(f"PGDATABASE is '{database}'; the name of a database with quotes or backslashes is not understood here.")
    opened = _open_connection(connection)
    if opened.handle.get_parameter_status("standard_conforming_strings") == "off":
        opened.handle.close()
        raise DbtRuntimeError("The server takes a backslash in a text for an escape; set its standard_conforming_strings to on.")
    return opened


def _execute_alone(task: RunTask, selected_uids: AbstractSet[str]) -> Any:
    """dbt's `execute_with_hooks`, with the lock of the schema and a row in the run log."""
    global _report
    _report = None
    # dbt forgets its callbacks between the commands of a process.
    add_callback_to_manager(_print_report)
    adapter = get_adapter(task.config)
    if isinstance(task, NOT_BUILDING) or adapter.type() != "postgres":
        return _execute_with_hooks(task, selected_uids)
    with _stopped_by_sigterm():
        run = _begin(adapter, task.num_nodes)
        status, message = "failed", None
        try:
            result = _execute_with_hooks(task, selected_uids)
            if task.interpret_results(result.results):
                status = "succeeded"
            return result
        except KeyboardInterrupt:
            status = "cancelled"
            raise
        except Exception as error:
            message = str(error)
            raise
        finally:
            _end(run, status, message, task.node_results)


def _begin(adapter: Any, nodes: int) -> Run:
    """The run, with its lock and its row. Raises DbtRuntimeError where it cannot have them."""
    global _current_run
    credentials = adapter.config.credentials
    # dbt closes the connections that it knows of, and this one has to last.
    connection = Connection(type="postgres", name="run", credentials=dataclasses.replace(credentials))
    handle = type(adapter.connections).open(connection).handle
    try:
        # Who starts dbt by a program knows the run by an id of its own from the first moment.
        run = Run(handle, credentials.schema, _run_id())
        credentials.application_name = run.name_of_workers
        command, started_by, wait_seconds = f"dbt {get_flags().WHICH}", _started_by(), _wait_seconds()
        with _on_record_where_stopped(run, command, started_by, nodes):
            run.take_lock(wait_seconds, lambda text: fire_event(Note(msg=text), level=EventLevel.WARN))
        run.begin(command, started_by, nodes)
    except (RunError, psycopg2.Error) as error:
        handle.close()
        raise DbtRuntimeError(str(error).strip()) from error
    _current_run = run
    return run


@contextmanager
def _on_record_where_stopped(run: Run, command: str, started_by: str, nodes: int) -> Iterator[None]:
    """Leaves the row of a run that waits for the lock and does not get it."""
    began = time.monotonic()
    try:
        yield
    except (LockHeldError, KeyboardInterrupt) as error:
        is_held = isinstance(error, LockHeldError)
        status, message = ("failed", str(error)) if is_held else ("cancelled", "Stopped before it began to build.")
        try:
            run.give_up(command, started_by, nodes, time.monotonic() - began, status, message)
        except psycopg2.Error as fault:
            fire_event(Note(msg=f"The run is not in the run log: {str(fault).strip()}"), level=EventLevel.WARN)
        raise RunError(message) from error


def _run_id() -> str:
    """What FEATURES_RUN_ID says, or dbt's id of the invocation."""
    text = os.environ.get("FEATURES_RUN_ID") or get_invocation_id()
    if text != storable(text):
        raise RunError(f"FEATURES_RUN_ID is '{storable(text)}', and not UTF-8 text.")
    return text


def _started_by() -> str:
    """What FEATURES_STARTED_BY says, or the user of the shell."""
    text = os.environ.get("FEATURES_STARTED_BY")
    if not text:
        # A container may run as a user without a name.
        with suppress(OSError, KeyError):
            text = getpass.getuser()
    return storable(text) or f"user {os.getuid()}"


def _wait_seconds() -> float:
    text = os.environ.get("FEATURES_LOCK_WAIT") or LOCK_WAIT_SECONDS
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) <= 86_400:
            return seconds
    raise RunError(f"FEATURES_LOCK_WAIT is '{text}', and not a number of seconds up to 86400.")


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM, by which machines and services stop a process, do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(run: Run, status: str, message: str | None, results: Iterable[Any]) -> None:
    """Closes the row of the run. Where the database is gone, the next run does that."""
    global _current_run
    _current_run = None
    try:
        causes, report = _report.causes if _report else None, "\n".join(_report.lines) if _report and status == "failed" else None
        run.end(status, message or report, causes, [_node(one) for one in results])
    except psycopg2.Error as error:
        sentence = f"The end of the run is not in the run log: {str(error).strip()}"
        fire_event(Note(msg=sentence), level=EventLevel.WARN)
        run.close()


def _handle_and_log(task: RunTask, result: Any) -> None:
    """dbt's `_handle_result`, which it calls when a node has ended."""
    _handle_result(task, result)
    run = _current_run
    if run is not None:
        # Where the connection is gone, the run notices by its lock.
        with suppress(psycopg2.Error):
            run.add_node(_node(result))


def _node(result: Any) -> Node:
    return Node(
        node=result.node.unique_id,
        status=str(result.status),
        seconds=result.execution_time,
        rows=result.adapter_response.get("rows_affected"),
        message=result.message,
    )


PostgresConnectionManager.open = staticmethod(_open_safely)
SeedTask.show_table = _show_table_of_seed
RunTask.execute_with_hooks = _execute_alone
RunTask._handle_result = _handle_and_log
dbt.context.base.get_context_modules = _modules_of_project
