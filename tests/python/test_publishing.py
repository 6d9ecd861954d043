"""What is published: all tables in one transaction, by the run that built and tested them, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg2
import pytest
from conftest import BUILD, BUILD_WITHOUT_TESTS, FEATURES, Project
from test_runs import held_at, wait_until

# In the order in which they can be built.
MARTS = ("user_features", "compound_usage", "experiment_summary", "rejected_rows")
EXPERIMENTS = "experiment_id,user_id,experiment_compound_ids,experiment_run_time"
# A run that waits for the table of publications has already written the rows of the other tables.
PUBLISHING = "select 1 from pg_locks where relation = '{schema}.publications'::regclass and not granted"
CANDIDATES = "select relname from pg_class where relnamespace = '{schema}_staging'::regnamespace and relname ~ '__[0-9a-f]{12}$'"


def users(good: int, bad: int) -> str:
    rows = [f"{number},User,user@example.com,2023-01-01" for number in range(1, good + 1)]
    rows += ["x,User,user@example.com,2023-01-01"] * bad
    return "\n".join(["user_id,name,email,signup_date", *rows])


def marts(project: Project) -> list[list[tuple]]:
    return [project.query(f"select xmin, * from {{schema}}.{mart} order by 2, 3") for mart in MARTS]


def count_of(project: Project, relation: str, **environment: str) -> str:
    """The number of rows that dbt sees in a model."""
    return project.dbt("show", "--quiet", "--output", "json", "--inline", f"select count(*) as rows from {{{{ ref('{relation}') }}}}", **environment)


def write_other(project: Project) -> None:
    project.write(users=users(3, 1), user_experiments=f"{EXPERIMENTS}\n1,1,1,5\n2,3,2;9,5")


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    """The project after something has been published."""
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    return project


@pytest.fixture
def other_input(published: Project) -> Project:
    """The project after a build of the published files, with another input to publish."""
    published.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    write_other(published)
    return published


def test_too_many_rejected_rows_leave_all_marts_as_they_were(built: Project, published: Project) -> None:
    before = marts(published)
    published.write(users=users(989, 11))
    output = published.dbt(*BUILD, succeeds=False)
    assert "Failure in test rejected_rows_are_tolerable" in output
    sentence = f"Nothing was published: 11 of 1000 rows of users.csv are rejected (more than 10 and more than 1%), so {published.schema}.user_features is as"
    assert output.splitlines()[-1].startswith(sentence)
    assert marts(published) == before


def test_fewer_are_a_warning_with_the_count(published: Project) -> None:
    published.write(users=users(10, 10), user_experiments=EXPERIMENTS + "\n1,1,1,5")
    output = published.dbt(*BUILD)
    assert "Got 10 results, configured to warn" in output
    assert len(published.features()) == 10
    assert published.query("select count(*) from {schema}.rejected_rows") == [(10,)]


def test_limits_are_variables(published: Project) -> None:
    published.write(users=users(5, 2), user_experiments=EXPERIMENTS)
    output = published.dbt(*BUILD, "--vars", "{stop_above_rejected_rows: 1}", succeeds=False)
    assert "Failure in test rejected_rows_are_tolerable" in output


def test_publications_waits_for_every_test(project: Project) -> None:
    """dbt holds a node back for a test only if all parents of the test are ancestors of the node."""
    project.dbt("parse", "--quiet", DBT_WRITE_JSON="true")
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())

    def ancestors(node: str) -> set[str]:
        parents = manifest["parent_map"][node]
        return set(parents) | {further for parent in parents for further in ancestors(parent)}

    above = ancestors("model.experiment_features.publications")
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test" and node["config"]["severity"].lower() == "error"]
    assert len(tests) > 15
    assert [node["name"] for node in tests if not set(node["depends_on"]["nodes"]) <= above] == []


def test_log_of_publications(other_input: Project) -> None:
    other_input.dbt(*BUILD_WITHOUT_TESTS, "--quiet", FEATURES_STARTED_BY="the test")
    publications = other_input.query("select publication_id, run_id, started_by, files, published_at from {schema}.publications order by 1")
    assert [row[0] for row in publications] == list(range(1, len(publications) + 1))
    _, run_id, started_by, files, published_at = publications[-1]
    assert started_by == "the test"
    assert other_input.query(f"select status from {{schema}}_audit.runs where id = '{run_id}'") == [("succeeded",)]
    recorded = other_input.query(
        f"select file, size_bytes, sha256, rows_read, rows_published, rows_rejected from {{schema}}_audit.run_files where run_id = '{run_id}' order by file"
    )
    columns = ("file", "size_bytes", "sha256", "rows_read", "rows_accepted", "rows_rejected")
    assert [tuple(file[column] for column in columns) for file in files] == recorded
    assert recorded[-1][0] == "users.csv" and recorded[-1][3:] == (4, 3, 1)
    assert other_input.query("select max(valid_from) from {schema}.user_features_history") == [(published_at,)]


def test_views_grants_indexes_and_prepared_statements_survive(other_input: Project) -> None:
    other_input.query(
        "create view {schema}.active as select user_id from {schema}.user_features where total_experiments > 0;"
        "create index own_index on {schema}.user_features (total_experiments);"
        "grant select on {schema}.user_features to pg_monitor;"
        "create table {schema}.notes (user_id bigint references {schema}.user_features on delete cascade);"
        "insert into {schema}.notes values (1), (3), (9)"
    )
    reader = psycopg2.connect(host=other_input.environment["PGHOST"], user="postgres", dbname="postgres")
    reader.autocommit = True
    with reader.cursor() as cursor:
        cursor.execute(f"prepare features as select count(*) from {other_input.schema}.user_features")
        cursor.execute("execute features")
        assert cursor.fetchone() == (10,)
        other_input.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
        cursor.execute("execute features")
        assert cursor.fetchone() == (3,)
    reader.close()
    assert other_input.query("select user_id from {schema}.active order by 1") == [(1,), (3,)]
    # Changed users are updated, so that rows that refer to them stay.
    assert other_input.query("select user_id from {schema}.notes order by 1") == [(1,), (3,)]
    assert other_input.query("select has_table_privilege('pg_monitor', '{schema}.user_features', 'select'), to_regclass('{schema}.own_index') is not null") == [
        (True, True)
    ]

    # If the columns change, the table is replaced, and grants stay.
    other_input.query(
        "alter table {schema}.user_features add column of_an_older_version text;"
        "grant select (user_id, of_an_older_version) on {schema}.user_features to pg_signal_backend;"
        "grant select on {schema}.user_features to pg_read_all_stats with grant option; alter table {schema}.user_features enable row level security"
    )
    output = other_input.dbt(*BUILD_WITHOUT_TESTS, succeeds=False)
    assert "has to be replaced, which would remove its row-level security; disable it, run this again, and enable it anew." in " ".join(output.split())
    other_input.query("alter table {schema}.user_features disable row level security")
    output = " ".join(other_input.dbt(*BUILD_WITHOUT_TESTS).split())
    schema = other_input.schema
    dependents = f"foreign key notes_user_id_fkey of {schema}.notes, view {schema}.active"
    assert f"is replaced, and what depends on it is dropped: {dependents}." in output
    other_input.query("drop table {schema}.notes")
    assert len(other_input.features()[0]) == 9
    assert other_input.query(
        "select has_table_privilege('pg_monitor', '{schema}.user_features', 'select'), "
        "has_column_privilege('pg_signal_backend', '{schema}.user_features', 'user_id', 'select'), "
        "has_column_privilege('pg_signal_backend', '{schema}.user_features', 'total_experiments', 'select'), "
        "has_table_privilege('pg_read_all_stats', '{schema}.user_features', 'select with grant option')"
    ) == [(True, True, False, True)]


def test_no_reader_waits_for_a_publication_or_delays_one(other_input: Project) -> None:
    """A reader with an open transaction still sees the old rows, while others see what has been published since."""
    before = other_input.features()
    reader = psycopg2.connect(host=other_input.environment["PGHOST"], user="postgres", dbname="postgres")
    reader.set_session(isolation_level="repeatable read")
    with reader.cursor() as cursor:
        cursor.execute(f"select count(*) from {other_input.schema}.experiment_summary")
        other_input.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
        assert len(other_input.features()) == 3
        cursor.execute(f"select {', '.join(FEATURES)} from {other_input.schema}.user_features order by user_id")
        assert cursor.fetchall() == before
    reader.close()

    with held_at(other_input, "{schema}.publications", "share") as release:
        run = other_input.begin("run", "--quiet")
        wait_until(other_input, PUBLISHING)
        # If this had to wait, it would wait forever.
        assert len(other_input.features()) == 3
        release()
        run.result()


def test_candidate_is_seen_by_its_run_alone(other_input: Project) -> None:
    before = marts(other_input)
    with held_at(other_input, "{schema}.publications", "share") as release:
        build = other_input.start_fork(*BUILD_WITHOUT_TESTS, "--quiet", DBT_TARGET_PATH=str(other_input.folder / "building"))
        wait_until(other_input, PUBLISHING)
        assert len(other_input.query(CANDIDATES)) == 4
        assert '"rows": 10' in count_of(other_input, "user_features")
        other_input.dbt("test", "--select", "user_features", "--quiet")
        assert len(other_input.query(CANDIDATES)) == 4, "nobody else drops them"
        build.kill()
        release()
    assert '"rows": 10' in count_of(other_input, "user_features")
    assert marts(other_input) == before
    other_input.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    assert len(other_input.features()) == 3
    assert other_input.query(CANDIDATES) == []


def test_run_without_publications_publishes_nothing(built: Project, published: Project) -> None:
    write_other(published)
    before = marts(published)
    published.dbt("seed", "--quiet")
    output = " ".join(published.dbt("run", "--select", "+user_features").split())
    assert "Nothing was published: this run built user_features without publications. Publish with `dbt build` or `dbt run`" in output
    output = " ".join(published.dbt("run", "--select", "publications", succeeds=False).split())
    assert "has not built compound_usage" in output or ("has not built" in output and "build and publish all tables together" in output)
    assert marts(published) == before


def test_one_node_per_process_publishes_once(other_input: Project) -> None:
    """As schedulers do, which give all commands of a run the same id."""
    before, run_id = marts(other_input), "2026-03-01T02:00 nightly's run"

    def dbt(*arguments: str) -> None:
        other_input.dbt(*arguments, "--quiet", FEATURES_RUN_ID=run_id)

    dbt("seed")
    dbt("run", "--select", "staging", "intermediate")
    for mart in MARTS:
        dbt("run", "--select", mart)
        assert marts(other_input) == before
    assert '"rows": 3' in count_of(other_input, "user_features", FEATURES_RUN_ID=run_id)
    assert '"rows": 10' in count_of(other_input, "user_features")
    dbt("test", "--select", *MARTS)
    publications = other_input.query("select count(*) from {schema}.publications")[0][0]
    dbt("run", "--select", "publications")
    assert len(other_input.features()) == 3
    [(count, last)] = other_input.query(
        "select count(*), max(run_id) filter (where published_at = (select max(published_at) from {schema}.publications)) from {schema}.publications"
    )
    assert (count, last) == (publications + 1, run_id)
    assert len(other_input.query("select distinct xmin::text from {schema}.user_features where user_id <= 3 and total_experiments > 0")) == 1
    assert other_input.query(f"select count(*), max(status) from {{schema}}_audit.runs where id = '{run_id.replace(chr(39), chr(39) * 2)}'") == [
        (1, "succeeded")
    ]


def test_run_that_was_overtaken_is_refused(built: Project, published: Project) -> None:
    """What it has built may be mixed with what another run has built since then."""
    published.dbt("seed", "--quiet", FEATURES_RUN_ID="overtaken")
    published.dbt(*BUILD_WITHOUT_TESTS, "--quiet", FEATURES_RUN_ID="faster")
    output = " ".join(published.dbt("run", succeeds=False, FEATURES_RUN_ID="overtaken").split())
    assert "The run faster has built since the run overtaken began, which would mix the tables of both" in output


@pytest.mark.parametrize(
    ("commands", "sentence"),
    [
        (
            [["seed"], ["run", "--select", "stg_users+"]],
            "Nothing is published, since stg_compounds was last built before compounds, which it reads",
        ),
        (
            [["run", "--select", "stg_compounds"], ["run", "--select", "marts"]],
            "Nothing is published, since int_compounds was last built before stg_compounds, which it reads",
        ),
    ],
    ids=["after a load", "after other models"],
)
def test_rows_of_different_runs_are_not_published_together(other_input: Project, commands: list[list[str]], sentence: str) -> None:
    before = marts(other_input)
    for command in commands[:-1]:
        other_input.dbt(*command, "--quiet")
    output = " ".join(other_input.dbt(*commands[-1], succeeds=False).split())
    assert sentence in output, output
    assert "; build all models in one run, with `dbt run` or `dbt build`." in output
    assert marts(other_input) == before


def test_one_seed_that_is_loaded_again_is_not_published_with_old_rows(other_input: Project) -> None:
    """As if a task of a scheduler had been run again, without those that depend on it."""
    other_input.dbt("seed", "--quiet", FEATURES_RUN_ID="nightly")
    other_input.dbt("run", "--exclude", "publications", "--quiet", FEATURES_RUN_ID="nightly")
    other_input.dbt("seed", "--select", "user_experiments", "--quiet", FEATURES_RUN_ID="nightly")
    output = " ".join(other_input.dbt("run", "--select", "publications", succeeds=False, FEATURES_RUN_ID="nightly").split())
    assert "Nothing is published, since int_duplicate_rows was last built before user_experiments, which it reads; build all models" in output, output


def test_rows_that_a_test_of_the_run_has_refused_are_not_published(other_input: Project) -> None:
    other_input.dbt("seed", "--quiet", FEATURES_RUN_ID="tested")
    other_input.dbt("run", "--exclude", "publications", "--quiet", FEATURES_RUN_ID="tested")
    other_input.query("update {schema}_staging.int_rows_per_file set rows_read = rows_read + 1")
    other_input.dbt("build", "--select", "no_row_is_lost", "--quiet", succeeds=False, FEATURES_RUN_ID="tested")
    output = " ".join(other_input.dbt("run", "--select", "publications", succeeds=False, FEATURES_RUN_ID="tested").split())
    assert "Nothing is published, since the test no_row_is_lost has failed in this run; correct the cause and run `dbt build` again." in output


def test_marts_alone_are_built_in_a_new_schema(built: Project, published: Project, make_project: Callable[[str], Project]) -> None:
    """As in CI, where --defer reads all else in the schema of production."""
    state = str(published.folder / "state")
    published.dbt("parse", "--quiet", DBT_TARGET_PATH=state, DBT_WRITE_JSON="true")
    other = make_project("slim")
    other.dbt("run", "--quiet", "--select", "user_features", "--defer", "--state", state)
    assert len(other.query(CANDIDATES)) == 1


def test_model_that_another_schema_has_is_not_published(other_input: Project) -> None:
    """With --defer, dbt reads it there."""
    other_input.dbt("seed", "--quiet", FEATURES_RUN_ID="deferred")
    other_input.dbt("run", "--exclude", "publications", "--quiet", FEATURES_RUN_ID="deferred")
    other_input.query("delete from {schema}_audit.run_nodes where node = 'model.experiment_features.int_users'")
    output = " ".join(other_input.dbt("run", "--select", "publications", succeeds=False, FEATURES_RUN_ID="deferred").split())
    assert "Nothing is published, since int_users has not been built in this schema; build all models in one run" in output


@pytest.mark.parametrize(
    ("change", "mart", "sentence"),
    [
        (
            "insert into {schema}_staging.int_users select * from {schema}_staging.int_users where user_id in (3, 2)", "user_features",
            "user_features breaks its contract: user_id is not unique for user_id 2. Nothing is published; correct models/marts/user_features.sql.",
        ),
        (
            "update {schema}_staging.int_rejected_rows set remedy = null where row_number = 5", "rejected_rows",
            "rejected_rows breaks its contract: remedy is null for file, row_number, column_name users.csv, 5, user_id.",
        ),
        (
            "update {schema}_staging.int_user_compounds set experiments = 0 where compound_id = 2", "compound_usage",
            "compound_usage breaks its contract: experiments > 0 does not hold for compound_id 2.",
        ),
    ],
    ids=["primary key", "not null", "check"],
)  # fmt: skip
def test_contract_violation_is_one_sentence(published: Project, change: str, mart: str, sentence: str) -> None:
    write_other(published)
    published.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    before = marts(published)
    published.query(change)
    output = " ".join(published.dbt("run", "--select", *MARTS, "publications", succeeds=False).split())
    assert sentence in output
    assert marts(published) == before


def test_postgres_holds_the_contract(built: Project) -> None:
    """Whoever writes to a published table must keep its contract."""
    with pytest.raises(psycopg2.errors.UniqueViolation):
        built.query("insert into {schema}.user_features select * from {schema}.user_features where user_id = 1")
    with pytest.raises(psycopg2.errors.CheckViolation):
        built.query("update {schema}.user_features set total_experiments = -1 where user_id = 1")
