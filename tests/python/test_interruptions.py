"""Runs that are stopped or lose their lock at any moment, and errors in the project's callbacks from dbt."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg2
import pytest
from conftest import BUILD_WITHOUT_TESTS, PROJECT, Project
from test_published_input import EXPECTED
from test_runs import held_at, last_run, wait_for_held, wait_until

from experiment_features.runs import Run

# Of 20 possible ones.
MOMENTS = 13
# The documented limit.
LONGEST_END_SECONDS = 5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    return project


def moments(seed: int, tries: int) -> list[int]:
    """How many of the 21 nodes of a build have ended when something happens: another number for each try."""
    return random.Random(seed).sample(range(20), tries)


def wait_for_nodes(project: Project, started_by: str, count: int) -> None:
    """Returns when so many nodes of a run have ended, or the run itself."""
    wait_until(
        project,
        f"select 1 from {{schema}}_audit.runs where started_by = '{started_by}' "
        f"and (finished is not null or (select count(*) from {{schema}}_audit.run_nodes where run_id = id) >= {count})",
    )


def everything(project: Project) -> dict[str, list[tuple]]:
    """The rows of all the project's tables, with system columns that show whether a row was rewritten."""
    tables = project.query(
        "select oid::regclass::text, relfilenode from pg_class where relkind = 'r' and starts_with(relnamespace::regnamespace::text, '{schema}')"
    )
    return {f"{name} {file}": project.query(f"select ctid, xmin, t::text from {name} as t") for name, file in tables}


@contextmanager
def other_run(project: Project) -> Iterator[None]:
    """Another run, which takes the lock as a build does."""
    environment = project.environment
    with closing(psycopg2.connect(host=environment["PGHOST"], port=environment["PGPORT"], user="postgres", dbname="postgres")) as connection:
        run = Run(connection, project.schema, f"other {os.urandom(4).hex()}", "dbt build", "another user", 21)
        run.take_lock(60, print)
        run.begin()
        yield
        run.end("succeeded", None, None, [])


def test_run_that_has_lost_its_lock_changes_nothing(built: Project, published: Project) -> None:
    """It changes nothing at all from the moment another run has started."""
    stopped = 0
    for number, count in enumerate(moments(1, MOMENTS)):
        process = built.start_fork(*BUILD_WITHOUT_TESTS, FEATURES_STARTED_BY=f"lost {number}")
        wait_for_nodes(built, f"lost {number}", count)
        built.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'experiment_features run %'")
        with other_run(built):
            before = everything(built)
            output, code = process.wait(60)
            assert "Traceback" not in output, output
            assert everything(built) == before, count
        is_stopped = code != 0 and "The connection that held the lock was cut, so the run stops here; start it again." in output
        # If nothing was left to do when the connection was cut, only the run log may lack the end.
        [(status,)] = built.query(f"select status from {{schema}}_audit.runs where started_by = 'lost {number}'")
        assert is_stopped or status == "succeeded" or "The end of the run is not in the run log" in output, output
        stopped += is_stopped
    assert stopped > MOMENTS / 2


def test_build_after_one_that_has_lost_its_lock(built: Project, published: Project, make_project: Callable[[str], Project]) -> None:
    undisturbed = make_project("undisturbed")
    for project in (built, undisturbed):
        project.write(users="user_id,name,email,signup_date\n1,Ann,a@example.com,2023-01-01\n", user_experiments=(
            "experiment_id,user_id,experiment_compound_ids,experiment_run_time\n1,1,1;2,5\n"))  # fmt: skip
    undisturbed.dbt(*BUILD_WITHOUT_TESTS)
    with held_at(built) as release:
        process = built.start_fork(*BUILD_WITHOUT_TESTS)
        wait_for_held(built)
        built.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'experiment_features run %'")
        following = built.start_fork(*BUILD_WITHOUT_TESTS, DBT_TARGET_PATH=str(built.folder / "other_target"))
        # The second run has ended the first one's statement.
        assert process.wait(60)[1] != 0
        release()
        assert following.wait(60)[1] == 0
    tables = "select {schema}_{table}.* from {schema}{place}.{table} as {schema}_{table} order by 1, 2"
    for place, table in (("_raw", "users"), ("_raw", "user_experiments"), ("_staging", "int_users"), ("_staging", "int_user_compounds"),
                         ("", "user_features"), ("", "experiment_summary"), ("", "compound_usage"), ("", "rejected_rows")):  # fmt: skip
        sql = tables.replace("{table}", table).replace("{place}", place)
        assert built.query(sql) == undisturbed.query(sql), table


def test_run_that_is_stopped_is_cancelled_at_once(built: Project, published: Project) -> None:
    before = built.features()
    cancelled = 0
    tries = list(itertools.product(SIGNALS, (BUILD_WITHOUT_TESTS, BUILD_WITHOUT_TESTS, ("seed",), ("run",))))
    for place, ((number, command), count) in enumerate(zip(tries, moments(2, len(tries)), strict=True)):
        if command == ("run",):
            # A stopped seed may have loaded some of the files, and raw tables of different loads are refused.
            built.dbt("seed", "--quiet")
        process = built.start_fork(*command, FEATURES_STARTED_BY=f"stopped {place}")
        wait_for_nodes(built, f"stopped {place}", min(count, 1 if command == ("seed",) else 12))
        os.kill(process.pid, number)
        output, code = process.wait(LONGEST_END_SECONDS)
        # The signal may come when the run has ended, while dbt writes its artifacts.
        status = last_run(built)[2]
        assert status == "succeeded" or (status == "cancelled" and code != 0 and "Traceback" not in output), output
        cancelled += status == "cancelled"
        wait_until(built, "select 1 where not exists (select from pg_stat_activity where application_name like 'experiment_features %')")
        # A run may be stopped when it has published.
        assert built.features() in (before, EXPECTED)
    assert cancelled > len(tries) / 2
    built.dbt(*BUILD_WITHOUT_TESTS, FEATURES_LOCK_WAIT="0")


def test_make_run_that_is_stopped_is_cancelled(built: Project, published: Project) -> None:
    before = built.query("select * from {schema}_raw.users")
    with held_at(built):
        process = subprocess.Popen(["make", "run"], cwd=built.root, env=built.settings({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wait_for_held(built)
        process.terminate()
        output, _ = process.communicate(timeout=LONGEST_END_SECONDS)
    assert process.returncode != 0, output
    wait_until(built, "select 1 where not exists (select from pg_stat_activity where application_name like 'experiment_features %')")
    assert last_run(built)[2] == "cancelled"
    assert built.query("select * from {schema}_raw.users") == before


def send(number: signal.Signals, processes: list[int]) -> None:
    for process in processes:
        # The connection of a file that has been loaded may have ended meanwhile.
        with suppress(ProcessLookupError):
            os.kill(process, number)


def test_process_ends_though_the_server_does_not_answer(built: Project, published: Project) -> None:
    with held_at(built):
        process = built.start_fork("seed")
        wait_for_held(built)
        backends = [pid for (pid,) in built.query("select pid from pg_stat_activity where application_name like 'experiment_features %'")]
        try:
            send(signal.SIGSTOP, backends)
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(LONGEST_END_SECONDS)[1] != 0
        finally:
            send(signal.SIGCONT, backends)
    built.dbt("seed", "--quiet", FEATURES_LOCK_WAIT="10")


def test_command_that_builds_nothing_ends_though_the_server_does_not_answer(built: Project, published: Project) -> None:
    process = built.start("show", "--inline", "select pg_sleep(60)", "--quiet")
    wait_until(built, "select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()")
    backends = [pid for (pid,) in built.query("select pid from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()")]
    try:
        send(signal.SIGSTOP, backends)
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=LONGEST_END_SECONDS)
        assert process.returncode != 0
    finally:
        send(signal.SIGCONT, backends)
        built.query("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()")


def test_statement_of_a_killed_process_ends_with_it(built: Project, published: Project) -> None:
    with held_at(built):
        process = built.start_fork("seed")
        wait_for_held(built)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(LONGEST_END_SECONDS)
        # It ends by itself; nobody ends it.
        wait_until(built, "select 1 where not exists (select from pg_stat_activity where application_name like 'experiment_features %')")


def run_with_module(project: Project, *command: str, **environment: str) -> tuple[str, int]:
    """The output and exit code of dbt, which also imports the module dbt_faulty of the project's folder."""
    output, code = project.start_fork(*command, PYTHONPATH=str(project.folder), **environment).wait()
    assert "Traceback" not in output, output
    return output, code


@pytest.mark.parametrize("command", [BUILD_WITHOUT_TESTS, ("build", "--target", "duckdb", *BUILD_WITHOUT_TESTS[1:])], ids=["postgres", "duckdb"])
def test_error_at_the_start_of_a_node_ends_the_run(built: Project, published: Project, command: tuple[str, ...]) -> None:
    (built.folder / "dbt_faulty.py").write_text(
        "from experiment_features.progress import Progress\ndef fail(progress, name):\n    raise ValueError('the callback is broken')\nProgress.begin = fail\n"
    )
    output, code = run_with_module(built, *command, FEATURES_PROGRESS="1", DUCKDB_FILE=str(built.folder / "features.duckdb"))
    assert code != 0 and "the callback is broken" in output
    if "duckdb" not in command:
        assert last_run(built)[2] == "failed"


@pytest.mark.parametrize("node", ["users", "user_features", "publications"])
def test_error_in_a_callback_ends_the_run(built: Project, published: Project, node: str) -> None:
    if built.features() != EXPECTED:
        built.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    (built.folder / "dbt_faulty.py").write_text(
        "from experiment_features.runs import Run\n"
        "add_node = Run.add_node\n"
        "def fail(run, node):\n"
        f"    if node.node.endswith('.{node}'):\n"
        "        raise ValueError('the callback is broken')\n"
        "    add_node(run, node)\n"
        "Run.add_node = fail\n"
    )
    users = built.seeds / "users.csv"
    users.write_text(users.read_text().rstrip().rpartition("\n")[0])
    output, code = run_with_module(built, *BUILD_WITHOUT_TESTS)
    assert code != 0 and "the callback is broken" in output
    message = built.query("select status, message from {schema}_audit.runs order by started desc limit 1")
    assert message == [("failed", "the callback is broken")]
    # The callback of the last node comes after everything has been published.
    is_published = node == "publications"
    assert len(built.features()) == (9 if is_published else 10)
    assert ("users published: 9, " in output) == is_published and ("Nothing was published: " in output) != is_published


def test_error_in_the_last_callback_is_said(built: Project, published: Project) -> None:
    (built.folder / "dbt_faulty.py").write_text(
        "import dbt_experiment_features as own\n"
        "fire_event = own.fire_event\n"
        "def fail(event, **options):\n"
        "    own.fire_event = fire_event\n"
        "    raise ValueError('the callback is broken')\n"
        "own.fire_event = fail\n"
    )
    output, code = run_with_module(built, *BUILD_WITHOUT_TESTS)
    assert code == 0 and output.splitlines()[-1] == "The report of the run cannot be printed: the callback is broken"
    assert last_run(built)[2] == "succeeded"


def test_nohup_protects_a_run(built: Project, published: Project) -> None:
    with held_at(built) as release:
        process = built.start("seed", program=("nohup", Path(sys.executable).parent / "dbt"))
        wait_for_held(built)
        process.send_signal(signal.SIGHUP)
        release()
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert last_run(built)[2] == "succeeded"


def test_interrupt_while_dbt_parses_ends_it(built: Project, published: Project) -> None:
    """mashumaro, with which dbt reads what it has parsed before, swallows every exception at this place."""
    (built.folder / "dbt_faulty.py").write_text(
        "import signal\n"
        "from dbt.contracts.files import SchemaSourceFile\n"
        "SchemaSourceFile._deserialize = classmethod(lambda *_: signal.raise_signal(signal.SIGINT))\n"
    )
    before = last_run(built)
    # A real start, since the dbt that the tests fork has its own handlers.
    process = built.start("run", PYTHONPATH=os.pathsep.join([str(built.folder), os.environ.get("PYTHONPATH", "")]))
    output, code = process.communicate()[0], process.returncode
    assert code == -signal.SIGINT and "Traceback" not in output, output
    assert last_run(built) == before


def test_interrupt_while_python_loads_dbt_ends_it(built: Project, published: Project) -> None:
    early = built.folder / "early"
    early.mkdir()
    # One of the first modules that dbt imports.
    (early / "click.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    process = built.start("run", PYTHONPATH=str(early))
    assert process.communicate()[0] == "" and process.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    "change",
    [
        # Python waits for the pool's lock at the end of the process.
        "from multiprocessing.pool import Pool\n"
        "def interrupted(pool):\n"
        "    pool._change_notifier._wlock.acquire()\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "Pool.close = interrupted\n",
        # The run has its row, and no node has begun.
        "from experiment_features.runs import Run\n"
        "begin = Run.begin\n"
        "def interrupted(run):\n"
        "    begin(run)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "Run.begin = interrupted\n",
        # dbt makes names of tables for the hook at the end with code by mashumaro, which swallows every exception.
        "import threading\n"
        "from dbt.adapters.contracts.relation import Policy\n"
        "from dbt.task.run import RunTask\n"
        "create, after_run = Policy.__init__, RunTask.after_run\n"
        "def interrupted(*arguments, **named):\n"
        "    if threading.current_thread() is threading.main_thread():\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    create(*arguments, **named)\n"
        "def end(*arguments):\n"
        "    Policy.__init__ = interrupted\n"
        "    after_run(*arguments)\n"
        "RunTask.after_run = end\n",
        # Nothing of the interrupt is left but that the following nodes fail.
        "from dbt.task.run import RunTask\n"
        "before_run = RunTask.before_run\n"
        "def interrupted(*arguments):\n"
        "    result = before_run(*arguments)\n"
        "    try:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n"
        "        return result\n"
        "RunTask.before_run = interrupted\n",
    ],
    ids=["with the lock of a thread pool", "after the run has begun", "while mashumaro reads", "swallowed before the first node"],
)
def test_interrupt_at_this_place_cancels_the_run(built: Project, published: Project, change: str) -> None:
    (built.folder / "dbt_faulty.py").write_text("import signal\n" + change)
    output, code = built.start_fork(*BUILD_WITHOUT_TESTS, PYTHONPATH=str(built.folder)).wait(30)
    assert code != 0 and "Traceback" not in output, output
    assert last_run(built)[2] == "cancelled"


def test_interrupt_while_a_connection_is_opened(built: Project, published: Project) -> None:
    """dbt, which then looks at all connections, does not open that one as well: two threads would share it."""
    (built.folder / "dbt_faulty.py").write_text(
        "import os, signal, threading\n"
        "import dbt_experiment_features as own\n"
        "from dbt.adapters.postgres.connections import PostgresConnectionManager as Manager\n"
        "open_connection, cancel_open, has_looked, opening = own._open_connection, Manager.cancel_open, threading.Event(), []\n"
        "def interrupted(connection):\n"
        "    if connection.name == 'seed.experiment_features.users':\n"
        "        opening.append(connection)\n"
        "        if len(opening) == 1:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "        else:\n"
        "            print('the connection is opened twice')\n"
        "            has_looked.set()\n"
        "        has_looked.wait(30)\n"
        "    return open_connection(connection)\n"
        "def look(manager):\n"
        "    names = cancel_open(manager)\n"
        "    has_looked.set()\n"
        "    return names\n"
        "own._open_connection, Manager.cancel_open = interrupted, look\n"
    )
    before = built.query("select xmin, * from {schema}_raw.users")
    output, code = run_with_module(built, "seed", "--select", "users")
    assert code != 0 and "opened twice" not in output, output
    assert last_run(built)[2] == "cancelled"
    assert built.query("select xmin, * from {schema}_raw.users") == before


def test_table_left_by_an_interrupted_run_of_an_older_version(built: Project, published: Project) -> None:
    built.query("create table {schema}_staging.int_duplicate_rows__dbt_tmp (file text)")
    built.dbt("run", "--select", "int_duplicate_rows")


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_after_the_run_changes_nothing(built: Project, published: Project, number: signal.Signals) -> None:
    (built.folder / "dbt_faulty.py").write_text(
        "import os\n"
        "import dbt_experiment_features as own\n"
        "end = own._end\n"
        "def interrupted(*arguments):\n"
        "    end(*arguments)\n"
        f"    own.add_callback_to_manager(lambda event: event.info.name == 'CommandCompleted' and os.kill(os.getpid(), {number:d}))\n"
        "own._end = interrupted\n"
    )
    output, code = run_with_module(built, "seed")
    assert code == 0 and "Completed successfully" in output
    assert last_run(built)[2] == "succeeded"


def test_every_contact_with_dbt_names_a_test_that_exists(built: Project) -> None:
    script = "import dbt_experiment_features as own; print('\\n'.join(one.test for one in own.CONTACTS))"
    printed = subprocess.run([sys.executable, "-c", script], env=built.settings({}), capture_output=True, text=True, check=True).stdout.split()
    assert len(printed) == 5
    for one in printed:
        file, _, name = one.partition("::")
        assert f"def {name}(" in (PROJECT / "tests" / "python" / file).read_text(), one


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("import dbt.task.run; dbt.task.run.RunTask.execute_with_hooks = lambda self, uids, more: None", "RunTask.execute_with_hooks"),
        ("import dbt.parser.read_files; del dbt.parser.read_files.load_seed_source_file", "dbt.parser.read_files.load_seed_source_file"),
    ],
)
def test_unknown_dbt_is_refused_before_anything_is_written(make_project: Callable[[str], Project], change: str, named: str) -> None:
    project = make_project("unknown_dbt")
    # dbt imports this module before the project's own.
    (project.folder / "dbt_changed.py").write_text(change + "\n")
    process = project.start("seed", PYTHONPATH=f"{project.folder}{os.pathsep}{PROJECT / 'src'}")
    output, _ = process.communicate()
    assert process.returncode != 0 and "Traceback" not in output
    assert f"This project does not know {named} of the installed dbt 1." in output and "install the versions of requirements" in output
    assert project.query("select 1 from pg_namespace where nspname like '{schema}%'") == []
