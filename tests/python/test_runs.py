"""Only one command builds at a time; each is in the run log and uses one load of unchanged files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path

import psycopg2
import pytest
from conftest import BUILD, BUILD_WITHOUT_TESTS, Project
from test_published_input import EXPECTED

from experiment_features.runs import Run, RunError

HEADER = "user_id,name,email,signup_date\n"
ONE_USER = HEADER + "1,Alice,alice@example.com,2023-01-01\n"
DEADLINE_SECONDS = 60


def wait_until(project: Project, condition: str) -> None:
    """Returns as soon as a query has a row."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not project.query(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


@contextmanager
def held_at(project: Project, table: str = "{schema}_raw.users", mode: str = "access share") -> Iterator[Callable[[], None]]:
    """Blocks whatever replaces a table (or in the mode share, writes to it) until the function that it yields is called."""
    connection = psycopg2.connect(host=project.environment["PGHOST"], port=project.environment["PGPORT"], user="postgres", dbname="postgres")
    with closing(connection):
        # If an earlier test has failed and left a process behind, this one fails too, instead of waiting for it.
        connection.cursor().execute(f"set lock_timeout = '{DEADLINE_SECONDS}s'; lock table {table.replace('{schema}', project.schema)} in {mode} mode")
        yield connection.rollback


def wait_for_held(project: Project) -> None:
    """Returns when a command of the project waits for a blocked table."""
    wait_until(
        project,
        "select 1 from pg_locks inner join pg_class on relation = pg_class.oid where not granted and relnamespace::regnamespace::text = '{schema}_raw'",
    )


def last_run(project: Project) -> tuple[str, ...]:
    """Command, user and status of the run that began last."""
    return project.query("select command, started_by, status from {schema}_audit.runs order by started desc limit 1")[0]


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    project.dbt(*BUILD, "--quiet", FEATURES_STARTED_BY="night shift")
    return project


def test_second_command_waits_then_names_the_one_that_holds_the_lock(built: Project, published: Project) -> None:
    with held_at(built) as release:
        # Longer than the name of a connection.
        run_id = "nightly run, as the scheduler names it, of today"
        first = built.begin("seed", FEATURES_STARTED_BY="alice", FEATURES_RUN_ID=run_id)
        wait_for_held(built)
        [(started,)] = built.query("select to_char(started at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') from {schema}_audit.runs where status = 'running'")
        output = built.dbt("run", succeeds=False, FEATURES_LOCK_WAIT="0.2")
        holder = f"The schema {built.schema} is being built by the run {run_id} (dbt seed, by alice, since {started} UTC)"
        assert f"{holder}; waiting for it, for 0.2 seconds at most." in output
        refused = f"{holder}, and still is after 0.2 seconds; start this again when it has ended"
        assert refused in output
        [(status, nodes, seconds, message)] = built.query(
            "select status, nodes, extract(epoch from finished - started), message from {schema}_audit.runs where id <> '" + run_id + "'"
            " order by finished desc limit 1"
        )
        assert status == "failed" and 0.2 <= seconds < DEADLINE_SECONDS and nodes > 10 and message.startswith(refused)

        second = built.begin("run", "--select", "user_features", FEATURES_LOCK_WAIT="60")
        wait_until(built, "select 1 from pg_stat_activity where application_name like 'experiment_features run %' having count(*) = 2")
        release()
        first.result()
        second.result()
    assert built.query(
        "select count(*) from {schema}_audit.runs as earlier inner join {schema}_audit.runs as later"
        " on earlier.started < later.started and coalesce(earlier.finished, 'infinity') > later.started"
        # A run that did not get the lock is recorded as failed.
        " where 'failed' not in (earlier.status, later.status)"
    ) == [(0,)]


def test_run_of_another_user_is_named(built: Project, published: Project) -> None:
    built.query(
        "create role second login; grant create on database postgres to second; grant usage on schema {schema}_audit to second; "
        "grant select, insert, update on all tables in schema {schema}_audit to second"
    )
    with held_at(built) as release:
        first = built.begin("seed", FEATURES_STARTED_BY="alice")
        wait_for_held(built)
        output = built.dbt("run", succeeds=False, FEATURES_LOCK_WAIT="0.1", PGUSER="second")
        assert " (dbt seed, by alice, since 20" in output
        release()
        first.result()
    built.query("drop owned by second; drop role second")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_command_that_is_stopped_ends_at_once(built: Project, published: Project, number: signal.Signals) -> None:
    with held_at(built) as release:
        first = built.begin("seed")
        wait_for_held(built)
        second = built.start_fork("seed", FEATURES_STARTED_BY=f"impatient {number.name}", FEATURES_LOCK_WAIT="600")
        wait_until(built, "select 1 from pg_stat_activity where application_name like 'experiment_features run %' having count(*) = 2")
        os.kill(second.pid, number)
        output, code = second.wait(DEADLINE_SECONDS)
        assert code != 0 and "Traceback" not in output, output
        release()
        first.result()
    log = f"select status, message from {{schema}}_audit.runs where started_by = 'impatient {number.name}'"
    assert built.query(log) == [("cancelled", "Stopped before it began to build.")]


def test_every_command_that_builds_takes_the_lock(built: Project, published: Project) -> None:
    with held_at(built) as release:
        first = built.begin("seed")
        wait_for_held(built)
        for command in (("run", "--select", "stg_users"), ("build", "--select", "stg_users"), ("seed",)):
            assert "is being built by the run" in built.dbt(*command, succeeds=False, FEATURES_LOCK_WAIT="0")
        release()
        first.result()


def test_other_schemas_and_other_commands_do_not_wait(built: Project, published: Project, make_project: Callable[[str], Project]) -> None:
    other = make_project("beside")
    with held_at(built) as release:
        first = built.begin("seed")
        wait_for_held(built)
        other.dbt("seed", "--quiet", FEATURES_LOCK_WAIT="0")
        built.dbt("test", "--select", "user_features", "--quiet", FEATURES_LOCK_WAIT="0")
        release()
        first.result()


def test_two_at_once_on_an_empty_database(make_project: Callable[[str], Project]) -> None:
    """The first of them alone creates the schemas and the run log."""
    project = make_project("empty_at_first")
    both = [project.begin("seed", DBT_TARGET_PATH=str(project.folder / name)) for name in ("one", "other")]
    for run in both:
        run.result()
    assert project.query("select status, count(*) from {schema}_audit.runs group by status") == [("succeeded", 2)]


def test_killed_run_leaves_no_lock_and_no_statement(built: Project, published: Project) -> None:
    with held_at(built) as release:
        killed = built.start_fork("seed")
        wait_for_held(built)
        killed.kill()
        # Its statement is still waiting in the server.
        assert built.query("select count(*) from pg_locks inner join pg_stat_activity using (pid) where not granted "
                           "and relation = '{schema}_raw.users'::regclass") == [(1,)]  # fmt: skip
        built.dbt("run", "--select", "stg_users", "--quiet", FEATURES_LOCK_WAIT="10")
        assert built.query("select count(*) from pg_locks where not granted") == [(0,)]
        release()
    statuses = built.query("select status, message from {schema}_audit.runs order by started desc limit 2")
    assert statuses == [("succeeded", None), ("interrupted", "The process ended before the run did.")]


def test_nodes_are_on_record_as_they_end(built: Project, published: Project) -> None:
    """They are recorded even if the run is killed afterwards."""
    published.write(compounds="compound_id,compound_name,compound_structure")
    with held_at(built):
        killed = built.start_fork("seed")
        wait_for_held(built)
        ended = (
            "select runs.nodes, array_agg(node || ' ' || run_nodes.status || ' ' || rows order by node) "
            "from {schema}_audit.runs inner join {schema}_audit.run_nodes on run_id = id "
            "where runs.status = 'running' and node like 'seed.%' group by id having count(*) = 2"
        )
        wait_until(built, ended)
        seeds = [f"seed.experiment_features.{name}" for name in ("compounds success 0", "user_experiments success 11")]
        assert built.query(ended) == [(3, seeds)]
        killed.kill()
    built.dbt("seed", "--quiet", FEATURES_LOCK_WAIT="10")


def test_log_of_an_earlier_version_is_kept(make_project: Callable[[str], Project]) -> None:
    project = make_project("earlier")
    project.dbt("seed", "--quiet")
    before = project.query("select id, message from {schema}_audit.runs")
    project.query("alter table {schema}_audit.runs drop column nodes, drop column causes; alter table {schema}_audit.run_nodes drop column number")
    project.dbt("seed", "--quiet")
    runs = project.query("select id, message, nodes from {schema}_audit.runs order by started")
    assert runs[0] == (*before[0], None) and [nodes for _, _, nodes in runs] == [None, 3]


def test_log_that_lacks_a_table_is_completed(make_project: Callable[[str], Project]) -> None:
    project = make_project("lacking")
    project.dbt("seed", "--quiet")
    project.query("drop table {schema}_audit.run_nodes")
    project.dbt("seed", "--quiet")
    assert project.query("select count(*) from {schema}_audit.runs") == [(2,)]


class PooledConnection(psycopg2.extensions.connection):
    """A connection through PgBouncer, which gives its client a number of its own."""

    def get_backend_pid(self) -> int:
        return 1


def test_pooler_is_refused(built: Project) -> None:
    address = {"host": built.environment["PGHOST"], "port": built.environment["PGPORT"], "user": "postgres", "dbname": "postgres"}
    connection = psycopg2.connect(connection_factory=PooledConnection, **address)
    with closing(connection), pytest.raises(RunError, match="A pooler such as PgBouncer is between dbt and the server"):
        Run(connection, built.schema, "pooled", "dbt build", "a test", 1)


def test_another_process_with_the_number_of_the_one_that_held_the_lock(built: Project) -> None:
    """It may hold another lock, or the same one for another run."""
    address = {"host": built.environment["PGHOST"], "port": built.environment["PGPORT"], "user": "postgres", "dbname": "postgres"}
    with closing(psycopg2.connect(**address)) as own, closing(psycopg2.connect(**address)) as other, closing(psycopg2.connect(**address)) as worker:
        run = Run(own, built.schema, "first", "dbt build", "a test", 1)
        run.take_lock(0, print)
        assert run.admits(worker)
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute("select set_config('application_name', 'experiment_features run first', false), pg_advisory_lock(42)")
            run.lock_query = run.lock_query.replace(f"pid = {own.get_backend_pid()}", f"pid = {other.get_backend_pid()}")
            assert not run.admits(worker)
            own.close()
            Run(other, built.schema, "second", "dbt build", "a test", 1).take_lock(0, print)
            assert not run.admits(worker)


def test_settings_of_connections(built: Project) -> None:
    """They must not hide rows, or end a connection that waits; a role or database may have others by default."""
    names = ("search_path", "row_security", "extra_float_digits", "idle_session_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
    query = ", ".join(f"current_setting('{name}') as {name}" for name in names)
    settings = "-c idle_session_timeout=9s -c transaction_timeout=9s -c row_security=on -c extra_float_digits=-9"
    shown = built.dbt("show", "--quiet", "--output", "json", "--inline", f"select {query}", PGOPTIONS=settings)
    assert json.loads(shown)["show"] == [dict(zip(names, ("pg_catalog", "off", "1", "0", "0", "0")))]


def test_nothing_is_published_without_the_lock(built: Project, published: Project) -> None:
    """For example, if the connection that holds it is cut; another run may then be building."""
    before = built.query("select xmin, * from {schema}.user_features")
    with held_at(built) as release:
        process = built.start_fork(*BUILD_WITHOUT_TESTS)
        wait_for_held(built)
        built.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'experiment_features run %'")
        release()
        output, code = process.wait()
        assert code != 0
    assert "The connection that held the lock was cut, so the run stops here; start it again." in output
    assert "The end of the run is not in the run log" in output
    assert built.query("select xmin, * from {schema}.user_features") == before


@pytest.mark.parametrize("wait", ["soon", "nan"])
def test_limit_that_is_no_number(built: Project, wait: str) -> None:
    output = built.dbt("seed", succeeds=False, FEATURES_LOCK_WAIT=wait)
    assert f"FEATURES_LOCK_WAIT is '{wait}', which is not a number of seconds up to 86400." in output


def test_log_of_a_build(make_project: Callable[[str], Project]) -> None:
    project = make_project("logged")
    project.write(
        users=ONE_USER + "x,Bob,bob@example.com,2023-01-01\n",
        user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time\n1,1,1,5\n2,1,2,5\n3,2,1,5\n",
    )
    before = datetime.now(timezone.utc)
    project.dbt(*BUILD, "--quiet", FEATURES_STARTED_BY="night shift")
    after = datetime.now(timezone.utc)

    [(run_id, command, started_by, started, finished, status, message, count, causes)] = project.query("select * from {schema}_audit.runs")
    assert (command, started_by, status, message) == ("dbt build", "night shift", "succeeded", None)
    assert [cause.partition(":")[0] for cause in causes] == ["users.csv", "user_experiments.csv"]
    assert before < started < finished < after

    files = {row[1]: row[2:] for row in project.query("select * from {schema}_audit.run_files where run_id = '" + run_id + "'")}
    # One experiment belongs to a user who does not exist.
    counts = {"users.csv": (2, 1, 1), "user_experiments.csv": (3, 2, 1), "compounds.csv": (3, 3, 0)}
    assert files.keys() == counts.keys()
    for name, (size, modified, checksum, loaded, *rows) in files.items():
        path = project.seeds / name
        assert size == path.stat().st_size
        assert abs(modified.timestamp() - path.stat().st_mtime) < 1e-5
        assert checksum == hashlib.sha256(path.read_bytes()).hexdigest()
        assert started < loaded < finished
        assert tuple(rows) == counts[name]

    nodes = {row[0]: row[1:] for row in project.query("select node, status, seconds, rows, message from {schema}_audit.run_nodes")}
    assert len(nodes) > 40
    assert len([node for node in nodes if not node.startswith("operation.")]) == count
    status, seconds, rows, message = nodes["model.experiment_features.user_features"]
    assert (status, rows, message) == ("success", 1, "SELECT 1") and 0 < seconds < 60


def test_log_of_a_run_that_publishes_nothing(make_project: Callable[[str], Project]) -> None:
    project = make_project("refused")
    project.write(users=HEADER + "x,Bob,bob@example.com,2023-01-01\n" * 11)
    project.dbt(*BUILD, "--quiet", succeeds=False)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
    assert last_run(project) == ("dbt build", user, "failed")
    assert project.query("select rows_read, rows_published, rows_rejected from {schema}_audit.run_files where file = 'users.csv'") == [(11, 0, 11)]
    nodes = dict(project.query("select node, status from {schema}_audit.run_nodes"))
    assert nodes["model.experiment_features.publications"] == "skipped"
    [(message,)] = project.query("select message from {schema}_audit.run_nodes where node like '%.rejected_rows_are_tolerable%'")
    assert message == "Got 2 results, configured to fail if != 0"
    [(message, causes)] = project.query("select message, causes from {schema}_audit.runs")
    assert causes[0].startswith("users.csv: all 11 rows: the user_id is not ") and message.splitlines()[:-1] == causes
    assert message.splitlines()[-1].startswith(
        "Nothing was published: 11 of 11 rows of user_experiments.csv are rejected (more than 50%), and 11 of 11 rows of users.csv"
    )


def test_message_that_is_no_text(make_project: Callable[[str], Project]) -> None:
    project = make_project("odd_name")
    folder = os.fsdecode(b"/nowhere/\xff")
    output = project.dbt("seed", "--select", "users", succeeds=False, SEEDS_DIR=folder)
    assert "Traceback" not in output
    assert last_run(project)[2] == "failed"
    [(message,)] = project.query("select message from {schema}_audit.run_nodes where node = 'seed.experiment_features.users'")
    assert "users.csv (/nowhere/?/users.csv): it cannot be read: No such file or directory" in message


def test_last_runs_are_printed(built: Project, published: Project) -> None:
    built.dbt("seed", "--quiet", FEATURES_STARTED_BY="bob")
    lines = built.dbt("--quiet", "run-operation", "show_runs").splitlines()
    assert re.match(r"\| started_utc +\| seconds \| command +\| started_by +\| status", lines[0])
    assert re.match(r"\| \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| +\d+\.\d \| dbt seed +\| bob +\| succeeded +\| +24 \|", lines[2])
    assert len(lines) <= 12


def test_raw_tables_of_different_loads_are_refused(built: Project, published: Project) -> None:
    built.dbt("seed", "--quiet")
    before = built.features()
    built.dbt("seed", "--select", "users", "--quiet")
    for command in (("run",), ("build", "--exclude", "resource_type:seed", "resource_type:unit_test")):
        output = " ".join(built.dbt(*command, succeeds=False).split())
        assert "The raw tables come from different loads (compounds.csv of 20" in output
        assert "load all files together with `dbt seed`, or use `dbt build`." in output
        assert built.features() == before
    built.dbt("seed", "--quiet")
    built.dbt("run", "--quiet")
    assert built.features() == EXPECTED


def change(path: Path, how: str) -> None:
    """Changes a file as an export might, while something else reads it."""
    content = path.read_bytes()
    if how == "grows":
        with open(path, "ab") as file:
            file.write(b"\n11,Late,late@example.com,2024-01-01")
    elif how == "shrinks":
        os.truncate(path, len(content) // 2)
    elif how == "is written again":
        path.write_bytes(content.replace(b"Alice", b'"Ali'))
    elif how == "is replaced by one of the same size and time":
        other = path.with_name("other.csv")
        other.write_bytes(content.replace(b"Alice", b"Carol"))
        os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        other.replace(path)
    elif how == "goes away":
        path.unlink()


@pytest.mark.parametrize(
    ("way", "how"),
    [
        ("COPY", "grows"), ("COPY", "shrinks"), ("COPY", "is written again"),
        ("COPY", "is replaced by one of the same size and time"), ("COPY", "goes away"), ("SPLIT", "grows"),
    ],
)  # fmt: skip
def test_file_that_changes_while_it_is_loaded(built: Project, published: Project, way: str, how: str) -> None:
    users = (built.seeds / "users.csv").read_text()
    # A column that is not needed makes the reader rewrite the rows.
    built.write(users="\n".join(f"{line}, more" for line in users.strip().splitlines()) if way == "SPLIT" else users)
    before = built.query("select * from {schema}_raw.users")
    with held_at(built) as release:
        run = built.begin("seed", "--select", "users", succeeds=False)
        wait_for_held(built)
        change(built.seeds / "users.csv", how)
        release()
        output = run.result()
    sentence = "the file disappeared while it was loaded" if how == "goes away" else "the file changed while it was loaded"
    assert f"users.csv ({built.seeds}/users.csv): {sentence}" in " ".join(output.split())
    assert built.query("select * from {schema}_raw.users") == before
