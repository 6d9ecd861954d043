"""A user's features at any time since they were first published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from conftest import BUILD, BUILD_WITHOUT_TESTS, Project
from test_runs import held_at, wait_until

USERS = "user_id,name,email,signup_date\n"
HEADER = "experiment_id,user_id,experiment_compound_ids,experiment_run_time\n"
WAITING = "select 1 from pg_locks where relation = '{schema}.%s'::regclass and not granted"


def states(project: Project, user: int) -> list[tuple]:
    """Experiments and run time of each state of a user, with its beginning and end, oldest first."""
    return project.query(
        "select total_experiments, total_experiment_run_time, valid_from, valid_to from {schema}.user_features_history"
        f" where user_id = {user} order by valid_from"
    )


def known_at(project: Project, user: int, time: datetime) -> list[tuple]:
    """The query in README.md: what was published for a user at a time."""
    return project.query(
        f"select total_experiments from {{schema}}.user_features_history where user_id = {user}"
        f" and valid_from <= '{time.isoformat()}' and (valid_to > '{time.isoformat()}' or valid_to is null)"
    )


def test_every_state_is_kept(project: Project) -> None:
    project.dbt(*BUILD_WITHOUT_TESTS)
    first = project.query("select * from {schema}.user_features_history order by user_id")
    [(_, _, began, _)] = states(project, 7)
    assert began.tzinfo is not None
    assert [row[-1] for row in first] == [None] * 10

    project.dbt(*BUILD_WITHOUT_TESTS)
    assert project.query("select * from {schema}.user_features_history order by user_id") == first, "the same files add nothing"

    # User 7 runs one more experiment; users 8 to 10 are removed, with their experiments.
    users = (project.seeds / "users.csv").read_text().strip().splitlines()
    project.write(users="\n".join(users[:8]))
    project.write(user_experiments=HEADER + "".join(f"{user},{user},1,10\n" for user in range(1, 8)) + "8,7,1,5.5\n")
    project.dbt(*BUILD_WITHOUT_TESTS)
    (_, _, _, ended), (experiments, run_time, changed, still) = states(project, 7)
    assert (experiments, run_time, changed, still) == (2, Decimal("15.5"), ended, None)
    for gone in (8, 9, 10):
        [(_, _, _, ended)] = states(project, gone)
        assert ended is not None
    assert known_at(project, 7, began) == [(1,)]
    assert known_at(project, 7, changed) == [(2,)]
    assert known_at(project, 10, began) == [(1,)]
    assert known_at(project, 10, changed) == []

    # A user who comes back has a new state, and the old one stays.
    project.write(users="\n".join(users))
    project.dbt(*BUILD_WITHOUT_TESTS)
    (*_, ended), (*_, still) = states(project, 10)
    assert ended is not None and still is None
    current = project.query("select user_id, total_experiments from {schema}.user_features_history where valid_to is null order by 1")
    assert current == [row[:2] for row in project.features()]

    # The clock has been set back since the last publication.
    project.query(
        "update {schema}.publications set published_at = published_at + interval '50 minutes';"
        "update {schema}.user_features_history set valid_from = valid_from + interval '50 minutes' where valid_to is null"
    )
    project.write(user_experiments=HEADER + "".join(f"{user},{user},1,10\n" for user in range(1, 11)))
    project.dbt(*BUILD_WITHOUT_TESTS)
    *_, (_, _, began, ended), (_, _, changed, still) = states(project, 7)
    assert began < ended == changed and still is None
    assert project.query("select max(published_at) from {schema}.publications") == [(changed,)]


def test_state_is_recorded_by_every_command_that_publishes(make_project: Callable[[str], Project]) -> None:
    project = make_project("run_only")

    def publish(run_times: dict[int, int], *command: str) -> None:
        """Publishes one experiment for each run time, and user 9, who ran nothing, and has no mean and no compound."""
        project.write(user_experiments=HEADER + "".join(f"{user},{user},1,{time}\n" for user, time in run_times.items()))
        project.write(users=USERS + "".join(f"{user},N,n@example.com,2023-01-01\n" for user in [*run_times, 9]))
        if "build" not in command:
            project.dbt("seed", "--quiet")
        project.dbt(*command, "--quiet")
        current = project.query("select user_id, total_experiment_run_time from {schema}.user_features_history where valid_to is null order by 1")
        assert current == [*run_times.items(), (9, 0)]

    publish({1: 10, 2: 20, 3: 30}, "run")
    publish({1: 11, 2: 20}, "run")
    publish({1: 12, 2: 20, 3: 30}, *BUILD_WITHOUT_TESTS)
    publish({1: 10, 2: 20, 3: 30}, *BUILD)

    def run_times(user: int) -> list[tuple[Decimal, bool]]:
        """The run time of each state, and whether the state ended when the next one began."""
        found = states(project, user)
        return [(one[1], one[3] == (following and following[2])) for one, following in zip(found, [*found[1:], None], strict=True)]

    assert run_times(1) == [(10, True), (11, True), (12, True), (10, True)]
    assert run_times(2) == [(20, True)]
    assert run_times(3) == [(30, False), (30, True)], "the user was away for a time"
    assert run_times(9) == [(0, True)]

    recorded = project.query("select state_id from {schema}.user_features_history")
    assert len(recorded) == len(set(recorded)) == 8


@pytest.fixture(scope="module")
def built(make_project: Callable[[str], Project]) -> Project:
    """A project with a history, to which each of the tests below adds."""
    project = make_project("added_to")
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    return project


def test_state_begins_when_it_is_published(built: Project) -> None:
    """It does not begin when the run began, and it begins at the same time in every table."""
    built.write(user_experiments=HEADER + "1,7,1,5.5\n")
    built.dbt("seed", "--quiet")
    [(before,)] = built.query("select clock_timestamp()")
    built.dbt("run", "--quiet")
    *_, (_, _, _, ended), (_, _, began, _) = states(built, 7)
    assert before < began == ended
    assert built.query("select max(published_at) from {schema}.publications") == [(began,)]


def test_state_is_recorded_and_published_at_once(built: Project) -> None:
    """A run that is killed while it records a state has not published that state."""
    before, states_before = built.features(), states(built, 7)
    built.write(user_experiments=HEADER + "1,7,1,6.5\n")
    built.dbt("seed", "--quiet")
    with held_at(built, "{schema}.user_features_history", "share") as release:
        run = built.start_fork("run", "--quiet")
        wait_until(built, WAITING % "user_features_history")
        run.kill()
        built.query("select pg_terminate_backend(pid, 10000) from pg_locks where relation = '{schema}.user_features_history'::regclass and not granted")
        assert built.features() == before
        release()
    assert states(built, 7) == states_before and states_before[-1][-1] is None
    built.dbt("run", "--quiet")
    assert [row[:2] for row in states(built, 7)[-2:]] == [states_before[-1][:2], (1, Decimal("6.5"))]


def test_column_of_another_type_stops_the_run(built: Project) -> None:
    """Otherwise Postgres would silently round a mean to a whole number, and find another state at each run."""
    built.query("alter table {schema}.user_features_history alter avg_experiment_run_time type bigint")
    before = built.query("select xmin, * from {schema}.user_features")
    output = " ".join(built.dbt("run", succeeds=False).split())
    assert "The column avg_experiment_run_time is double precision, but bigint in user_features_history" in output
    statement = output.partition("run `")[2].partition("`")[0]
    assert " using cast(avg_experiment_run_time as double precision)" in statement
    assert built.query("select xmin, * from {schema}.user_features") == before

    built.query(statement)
    built.dbt("run", "--quiet")
    assert states(built, 1)


def test_new_column_comes_into_the_history(built: Project) -> None:
    """As after a feature is added: every user has a new state."""
    built.query("alter table {schema}.user_features_history drop column total_experiments")
    [(before,)] = built.query("select count(*) from {schema}.user_features_history")
    for command in (("run",), BUILD_WITHOUT_TESTS):
        built.dbt(*command, "--quiet")
        current = built.query("select user_id, total_experiments from {schema}.user_features_history where valid_to is null order by 1")
        assert current == [row[:2] for row in built.features()]
        assert built.query("select count(*) from {schema}.user_features_history") == [(before + 10,)]
