"""Every dbt process imports this, as it does each installed module named ``dbt_*``.

Commands that build on Postgres take a lock and leave a row in the run log (see ``experiment_features.runs``). What the
on-run-end hook reports of a run is printed after dbt's own summary, which would otherwise be the last thing a user sees.
The loading macros get the project's reader. CONTACTS, at the end, lists what is replaced in dbt for this, and why.
"""

from __future__ import annotations

import _thread
import dataclasses
import gc
import getpass
import hashlib
import inspect
import logging
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import dbt.context.base
import dbt.parser.read_files
import dbt.version
import psycopg2
from dbt.adapters.contracts.connection import Connection, Identifier
from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.factory import get_adapter
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.contracts.files import FileHash, FilePath, ParseFileType, SourceFile
from dbt.flags import get_flags
from dbt.task.freshness import FreshnessTask
from dbt.task.run import RunTask
from dbt.task.seed import SeedTask
from dbt.task.test import TestTask
from dbt_common.events.base_types import EventLevel, EventMsg
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note, PrintEvent
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

from experiment_features.progress import Progress
from experiment_features.reading import Rows
from experiment_features.runs import Node, Run, RunError, storable

LOCK_WAIT_SECONDS = 600.0
# A stopped run that takes longer is ended by force, to keep within the five seconds promised.
LONGEST_END_SECONDS = 3.5
STOPPED = "The run was stopped; the published tables are complete, either from an earlier run or from this one."
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# More than dbt writes into its folders in a run.
LEAST_ROOM_BYTES = 16 << 20

SUFFIXES = ("_raw", "_staging", "_audit")
# Postgres truncates longer names, so that two schemas could get the same one.
LONGEST_SCHEMA = 63 - max(map(len, SUFFIXES))

# The modules last as long as the process, so they need not be searched for garbage. DuckDB would list them when Python ends.
if "_duckdb" not in sys.modules:
    gc.freeze()

_show_table = SeedTask.show_table
_modules = dbt.context.base.get_context_modules
_execute_with_hooks = RunTask.execute_with_hooks
_open_connection = PostgresConnectionManager.open
_current_run: Run | None = None
# Sentences of the macro report_run about the current run: the causes of rejects, and the whole report.
_causes: list[str] | None = None
_report: list[str] = []
_progress: Progress | None = None
# The error of a callback.
_failure: str | None = None
# A signal has stopped the run.
_is_stopped = False
# The command changes tables.
_is_building = False
# Until the first connection, dbt only reads the project.
_is_parsing = True


def _seed_source_file(match: FilePath, project_name: str) -> SourceFile:
    """dbt's `load_seed_source_file`, for files that may not be UTF-8. As there, a file of 1 MiB or more is known by its path only."""
    if match.seed_too_large():
        found = SourceFile.big_seed(match)
    else:
        found = SourceFile(match, FileHash("sha256", hashlib.sha256(Path(match.absolute_path).read_bytes()).hexdigest()), contents="")
    found.project_name, found.parse_file_type = project_name, ParseFileType.Seed
    return found


def _show_table_of_seed(task: SeedTask, result: Any) -> None:
    if result.agate_table is not None:
        _show_table(task, result)


def _seed_rows(seed: dict[str, Any], folder: str = "") -> Rows:
    """The rows of a seed's file in `folder`; by default, in what SEEDS_DIR names (a folder or an address), or else where dbt found it."""
    found = Path(seed["root_path"]) / seed["original_file_path"]
    folder = folder or os.environ.get("SEEDS_DIR") or str(found.parent)
    if "://" not in folder:
        folder = str(Path(seed["root_path"]) / folder)
    settings = (os.environ.get(name, "") for name in ("SEEDS_ENCODING", "FEATURES_EXCHANGE_DIR", "FEATURES_DECIMAL"))
    rows = Rows(folder, found.stem, list(seed["columns"]), *settings)
    if _progress:
        _progress.files[seed["name"]] = rows
    return rows


def _modules_of_project() -> dict[str, Any]:
    return {
        **_modules(),
        "seed_rows": _seed_rows,
        "current_run": _current_run,
        "started_by": _started_by,
        "keep_report": _keep_report,
    }


def _keep_report(causes: Iterable[str], outcome: str) -> None:
    global _causes, _report
    _causes = list(causes)
    _report = [*_causes, outcome.strip()] if outcome.strip() else _causes


def _follow(event: EventMsg) -> None:
    """Shows when a node starts and ends, adds it to the run log when it ends, and prints the report when the command is completed.

    dbt waits forever if an exception escapes a callback. An error therefore ends the run at the next connection that is opened; when the
    report is printed, the run is closed, and an error does not affect it.
    """
    global _failure
    try:
        if event.info.name == "CommandCompleted":
            for line in _report if get_flags().PRINT else ():
                fire_event(PrintEvent(msg=line))
        elif event.info.name == "NodeStart" and _progress:
            _progress.begin(event.data.node_info.node_name)
        elif event.info.name == "NodeFinished":
            node, result = event.data.node_info, event.data.run_result
            if _progress:
                is_shown = node.resource_type in ("seed", "model") and result.status != "skipped"
                _progress.end(node.node_name, f"{node.resource_type} {node.node_name} {result.status}" if is_shown else "")
            rows = dict(result.adapter_response).get("rows_affected")
            ended = Node(node.unique_id, result.status, result.execution_time, None if rows is None else int(rows), result.message or None)
            # If the connection is gone, so is the lock, and the run stops for that.
            with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):
                if _current_run:
                    _current_run.add_node(ended)
    except Exception as error:
        _failure = str(error)
        if event.info.name == "CommandCompleted":
            with suppress(Exception):
                fire_event(PrintEvent(msg=f"The report of the run cannot be printed: {error}"))


def _open_safely(connection: Connection) -> Connection:
    """dbt's `open`, but it refuses names and settings that could make text run as SQL, and runs that have lost their lock."""
    global _is_parsing
    _is_parsing = False
    # `master` is the connection that ends the statements of the others, and makes the report at the end.
    is_worker = connection.name != "master"
    # When dbt ends the statements of other threads, it would also open connections that they have yet to open themselves.
    if _current_run and _is_stopped and is_worker and threading.current_thread() is threading.main_thread():
        return connection
    schema, database = connection.credentials.schema, connection.credentials.database
    if not re.fullmatch(r"[\w-]+", schema) or len(schema.encode()) > LONGEST_SCHEMA:
        raise DbtRuntimeError(
            f"FEATURES_SCHEMA is '{schema}'; the name of a schema may only have letters, digits, _ and -, and at most {LONGEST_SCHEMA} bytes."
        )
    if schema.endswith(SUFFIXES):
        raise DbtRuntimeError(f"FEATURES_SCHEMA is '{schema}'; names that end in _raw, _staging or _audit are reserved for schemas that this project adds.")
    if set(database) & set("'\"\\"):
        raise DbtRuntimeError(f"PGDATABASE is '{database}'; names of databases with quotes or backslashes are not supported.")
    try:
        opened: Connection = _open_connection(connection)
    except FailedToConnectError as error:
        if connection.credentials.host.startswith("/") and "Is the server running" in str(error):
            raise FailedToConnectError(f"{error}  `make up` starts the project's own Postgres.") from None
        raise
    try:
        opened.handle.set_client_encoding("UTF8")
        # In other schemas, a function of another user that takes more fitting arguments would be called instead of one of Postgres.
        opened.handle.autocommit = True
        with opened.handle.cursor() as cursor:
            # Rows that a policy hides would be missing from what is compared. Time limits would end runs that are merely slow.
            cursor.execute(
                "set search_path to pg_catalog; set row_security to off; set extra_float_digits to 1; "
                "select set_config(name, '0', false) from pg_settings "
                "where name in ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')"
            )
        opened.handle.autocommit = False
    except psycopg2.Error as error:
        opened.handle.close()
        raise FailedToConnectError(str(error).strip()) from error
    if opened.handle.get_parameter_status("standard_conforming_strings") == "off":
        opened.handle.close()
        raise DbtRuntimeError("The server treats backslashes in text as escapes; set its standard_conforming_strings to on.")
    failure = (STOPPED if _is_stopped else _failure) if is_worker else None
    if _current_run is not None and (failure or not _current_run.admits(opened.handle)):
        opened.handle.close()
        raise DbtRuntimeError(failure or Run.LOCK_LOST)
    return opened


def _execute_alone(task: RunTask, selected_uids: AbstractSet[str]) -> Any:
    """dbt's `execute_with_hooks`, with the lock of the schema and a row in the run log."""
    global _causes, _report, _failure, _progress, _is_parsing, _is_stopped, _is_building
    _causes, _report, _failure, _progress, _is_parsing, _is_stopped = None, [], None, None, False, False
    # Of the subclasses of dbt's RunTask, these leave the tables as they are.
    _is_building = not isinstance(task, (TestTask, FreshnessTask))
    if _is_building and getattr(get_flags(), "EMPTY", False):
        raise DbtRuntimeError("With --empty, the published tables would lose their rows; omit it, or check the SQL with `dbt compile`.")
    adapter = get_adapter(task.config)
    # dbt forgets its callbacks between the commands of a process.
    add_callback_to_manager(_follow)
    if os.environ.get("FEATURES_PROGRESS") and not get_flags().QUIET:
        _progress = Progress(task.num_nodes)
    is_alone = adapter.type() == "postgres" and _is_building
    try:
        return _execute_with_lock(task, selected_uids, adapter) if is_alone else _execute_nodes(task, selected_uids)
    finally:
        if _progress:
            _progress.stop()


def _execute_with_lock(task: RunTask, selected_uids: AbstractSet[str], adapter: Any) -> Any:
    connection = _own_connection(adapter)
    with _stopped_by_signals() as let_end:
        status, message = "failed", None
        try:
            try:
                run = _begin(adapter, connection, task.num_nodes)
                result = _execute_nodes(task, selected_uids)
                if task.interpret_results(result.results):
                    status = "succeeded"
                elif _is_stopped:
                    raise KeyboardInterrupt
                elif not run.has_lock():
                    raise DbtRuntimeError(Run.LOCK_LOST)
                return result
            finally:
                let_end()
        except (KeyboardInterrupt, Exception) as error:
            # Code that mashumaro generates replaces a KeyboardInterrupt with an error of its own.
            if _is_stopped:
                status = "cancelled"
                # For a KeyboardInterrupt, dbt would print a traceback.
                raise DbtRuntimeError(STOPPED) from None
            message = _failure or str(error)
            raise
        finally:
            if _current_run:
                _end(_current_run, status, message, task.node_results)


def _execute_nodes(task: RunTask, selected_uids: AbstractSet[str]) -> Any:
    """dbt's own `execute_with_hooks`. Raises DbtRuntimeError if a callback failed."""
    result = _execute_with_hooks(task, selected_uids)
    if _failure:
        raise DbtRuntimeError(_failure)
    return result


def _own_connection(adapter: Any) -> Any:
    """A connection for the whole run, unknown to dbt, which closes its own."""
    connection = Connection(type=Identifier("postgres"), name="run", credentials=dataclasses.replace(adapter.config.credentials))
    # While it connects, Python cannot handle signals. Nothing has begun yet, so they may kill the process.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _handled()}
    try:
        return type(adapter.connections).open(connection).handle
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begin(adapter: Any, handle: Any, nodes: int) -> Run:
    """The run, with its lock and its row. Raises DbtRuntimeError where it cannot have them."""
    global _current_run
    credentials = adapter.config.credentials
    try:
        # A program that starts dbt can choose the id, and so knows it from the start.
        run_id = os.environ.get("FEATURES_RUN_ID") or get_invocation_id()
        if run_id != storable(run_id):
            raise RunError(f"FEATURES_RUN_ID is '{storable(run_id)}', which is not UTF-8 text.")
        run = Run(handle, credentials.schema, run_id, f"dbt {get_flags().WHICH}", _started_by(), nodes)
        credentials.application_name = run.name_of_workers
        run.take_lock(_wait_seconds(), _warn)
        # From here on, an interrupt is recorded as the end of this run.
        _current_run = run
        run.begin()
    except (RunError, psycopg2.Error) as error:
        _current_run = None
        handle.close()
        raise DbtRuntimeError(str(error).strip()) from error
    return run


def _warn(text: str) -> None:
    fire_event(Note(msg=text), level=EventLevel.WARN)


def _started_by() -> str:
    """The value of FEATURES_STARTED_BY, or else the operating-system user."""
    text = os.environ.get("FEATURES_STARTED_BY")
    if not text:
        # A container may run as a user without a name.
        with suppress(OSError, KeyError):
            text = getpass.getuser()
    return storable(text or "") or f"user {os.getuid()}"


def _wait_seconds() -> float:
    text = os.environ.get("FEATURES_LOCK_WAIT") or LOCK_WAIT_SECONDS
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) <= 86_400:
            return seconds
    raise RunError(f"FEATURES_LOCK_WAIT is '{text}', which is not a number of seconds up to 86400.")


@contextmanager
def _stopped_by_signals() -> Iterator[Callable[[], None]]:
    """Makes SIGTERM and SIGHUP act like Ctrl-C, and ends the process if dbt takes too long to stop.

    Yields a function to call when all nodes have ended; it makes further signals have no effect.
    """
    has_ended = threading.Event()

    def ignore() -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)

    def stop(*_: object) -> None:
        global _is_stopped
        ignore()
        _is_stopped = True
        # Starting a threading.Thread takes a lock that the main thread may hold at this moment.
        _thread.start_new_thread(_leave_unless, (has_ended,))
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _handled()}
    try:
        yield ignore
    finally:
        ignore()
        # dbt's own program has little left to do, and a signal would only add Python's traceback. It is still ended by force if it
        # takes too long, because at exit an interrupted thread pool may wait for a lock that nobody releases.
        if Path(sys.argv[0]).name != "dbt":
            has_ended.set()
            for number, handler in before.items():
                signal.signal(number, handler)


def _interrupt(number: int, _: object) -> None:
    """Ends dbt at once while it parses, where code that mashumaro generates would swallow a KeyboardInterrupt and dbt would go on."""
    if _is_parsing:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    if not _is_building:
        # A server that does not answer would keep dbt waiting.
        _thread.start_new_thread(_leave_unless, (threading.Event(),))
    raise KeyboardInterrupt


def _handled() -> list[signal.Signals]:
    """The signals that stop a run: none outside the main thread, where Python cannot handle signals, and no SIGHUP under nohup."""
    is_main = threading.current_thread() is threading.main_thread()
    return [one for one in STOPPING if is_main and not (one is signal.SIGHUP and signal.getsignal(one) is signal.SIG_IGN)]


def _leave_unless(has_ended: threading.Event) -> None:
    """Ends the process if the run does not end in time; records the end of the run first, if the server answers."""
    if has_ended.wait(LONGEST_END_SECONDS):
        return
    if _current_run is not None:
        ending = threading.Thread(target=_end, args=(_current_run, "cancelled", None, ()), daemon=True)
        ending.start()
        ending.join(0.5)
    os._exit(2)


def _end(run: Run, status: str, message: str | None, results: Iterable[Any]) -> None:
    """Closes the row of the run. Where the database is gone, the next run does that."""
    global _current_run
    _current_run = None
    try:
        report = "\n".join(_report) if status == "failed" else ""
        nodes = [Node(one.node.unique_id, str(one.status), one.execution_time, one.adapter_response.get("rows_affected"), one.message) for one in results]
        run.end(status, message or report or None, _causes, nodes)
    except psycopg2.Error as error:
        # psycopg2 may fail again when it rolls back.
        _warn(f"The end of the run is not in the run log: {str(error.__context__ or error).strip()}")


class Contact(NamedTuple):
    """Something internal to dbt that is replaced because there is no public way; a test fails if dbt changes it."""

    owner: Any
    name: str
    # Their names if it is a function; None if it is a constant.
    parameters: tuple[str, ...] | None
    replacement: Any
    why: str
    test: str


CONTACTS = (
    Contact(
        dbt.parser.read_files, "load_seed_source_file", ("match", "project_name"), _seed_source_file,
        "dbt decodes seeds below 1 MiB while it parses, and stops with a traceback at one that is not UTF-8; no setting prevents that.",
        "test_errors.py::test_one_sentence_and_the_last_good_tables",
    ),
    Contact(
        SeedTask, "show_table", ("self", "result"), _show_table_of_seed,
        "`dbt seed --show` treats the result of an on-run-end hook as that of a seed, and stops with a traceback because it has no table.",
        "test_errors.py::test_seed_show_prints_the_first_rows",
    ),
    Contact(
        dbt.context.base, "get_context_modules", (), _modules_of_project,
        "Jinja cannot open a file, and dbt's plugins can add nodes but no functions; macros reach the reader and the run through `modules`.",
        "test_published_input.py::test_features",
    ),
    Contact(
        RunTask, "execute_with_hooks", ("self", "selected_uids"), _execute_alone,
        "For the lock and the run log: hooks have separate connections, run after schemas are created, and do not run if a run is stopped.",
        "test_runs.py::test_every_command_that_builds_takes_the_lock",
    ),
    Contact(
        PostgresConnectionManager, "open", ("connection",), staticmethod(_open_safely),
        "Refuses a connection if a name or setting could make text run as SQL, or if the run has lost its lock; dbt has no hook for that.",
        "test_interruptions.py::test_run_that_has_lost_its_lock_changes_nothing",
    ),
)  # fmt: skip


def _require_room() -> None:
    """Raises DbtRuntimeError if the disk has no room for dbt's own files; dbt would stop with a traceback."""
    for name in ("TARGET_PATH", "LOG_PATH"):
        folder = Path(getattr(get_flags(), name, None) or ".").resolve()
        place = next(path for path in (folder, *folder.parents) if path.exists())
        if shutil.disk_usage(place).free < LEAST_ROOM_BYTES:
            raise DbtRuntimeError(f"The disk that dbt writes to is full ({folder}); free some space, or set DBT_{name} to another folder.")
    # If the disk fills up later, dbt continues without its log.
    logging.raiseExceptions = False


def _require_seeds() -> None:
    """Raises DbtRuntimeError if a seed that the project describes has no CSV file, without which dbt would not find the node."""
    folder = Path(getattr(get_flags(), "PROJECT_DIR", None) or ".").resolve() / "seeds"
    with suppress(FileNotFoundError):
        for name in re.findall(r"^  - name: (\w+)$", (folder / "_seeds.yml").read_text("utf-8"), re.MULTILINE):
            if not (folder / f"{name}.csv").is_file():
                raise DbtRuntimeError(
                    f"{name}.csv, by which dbt knows the table, is missing from {folder}; move your own files to another folder, set SEEDS_DIR "
                    f"to that folder, and restore this file with `git checkout seeds/{name}.csv`."
                )


def _replace() -> None:
    """Makes the replacements, if everything they replace is as expected."""
    for contact in CONTACTS:
        found = getattr(contact.owner, contact.name, None)
        parameters = tuple(inspect.signature(found).parameters) if callable(found) else None
        if found is None or parameters != contact.parameters:
            owner = getattr(contact.owner, "__qualname__", None) or contact.owner.__name__
            raise DbtRuntimeError(
                f"This project does not know {owner}.{contact.name} of the installed dbt {dbt.version.__version__}; "
                "install the versions of requirements/run.lock, as `make run` does."
            )
    for contact in CONTACTS:
        setattr(contact.owner, contact.name, contact.replacement)


_require_room()
_require_seeds()
_replace()
if _handled() and signal.getsignal(signal.SIGINT) in (signal.default_int_handler, signal.SIG_DFL) and Path(sys.argv[0]).name == "dbt":
    signal.signal(signal.SIGINT, _interrupt)
