"""Nothing is published before the tests of what it is made from have passed."""

from __future__ import annotations

import json

import pytest
from conftest import BUILD, BUILD_WITHOUT_TESTS, Project

MARTS = ("user_features", "experiment_summary", "compound_usage", "rejected_rows")


def users(good: int, bad: int) -> str:
    rows = [f"{number},User,user@example.com,2023-01-01" for number in range(1, good + 1)]
    rows += ["x,User,user@example.com,2023-01-01"] * bad
    return "\n".join(["user_id,name,email,signup_date", *rows])


def marts(project: Project) -> list[list[tuple]]:
    return [project.query(f"select * from {{schema}}.{mart} order by 1, 2") for mart in MARTS]


@pytest.mark.parametrize(
    ("good", "bad"),
    [(989, 11), (5, 11)],
    ids=["just over 1%", "nearly all of a small file"],
)
def test_too_many_rejected_rows_leave_all_marts_as_they_were(published: Project, good: int, bad: int) -> None:
    published.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    before = marts(published)
    published.write(users=users(good, bad))
    output = published.dbt(*BUILD, succeeds=False)
    assert "Failure in test rejected_rows_are_tolerable" in output
    assert "Nothing was published: rejected_rows_are_tolerable did not succeed" in output
    assert f"users.csv: {bad} of {good + bad} rows are rejected; the reasons are in {published.schema}_staging." in output
    assert marts(published) == before


@pytest.mark.parametrize(
    ("good", "bad"),
    [(1089, 11), (2, 10)],
    ids=["1% exactly", "most of a small file, but 10 at most"],
)
def test_fewer_are_a_warning_with_the_count(published: Project, good: int, bad: int) -> None:
    published.write(users=users(good, bad), user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time")
    output = published.dbt(*BUILD)
    assert f"Got {bad} results, configured to warn" in output
    assert len(published.features()) == good
    assert published.query("select count(*) from {schema}.rejected_rows") == [(bad,)]


def test_limits_are_variables(published: Project) -> None:
    published.write(users=users(5, 2), user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time")
    output = published.dbt(
        *BUILD, "--vars", "{tolerated_rejected_rows: 1}", succeeds=False
    )
    assert "Failure in test rejected_rows_are_tolerable" in output


def test_every_mart_stands_behind_every_test(project: Project) -> None:
    """dbt holds a node back for a test only where all parents of the test are ancestors of the node."""
    project.dbt("parse", "--quiet")
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())
    parents = manifest["parent_map"]

    def ancestors(node: str) -> set[str]:
        return set(parents[node]) | {further for parent in parents[node] for further in ancestors(parent)}

    prefix = "model.experiment_features."
    published_or_last = {f"{prefix}{name}" for name in (*MARTS, "rejected_row_text")} | {"snapshot.experiment_features.user_features_history"}
    tests = {
        name: set(node["depends_on"]["nodes"])
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and node["config"]["severity"].lower() == "error"
        and not published_or_last & set(node["depends_on"]["nodes"])
    }  # fmt: skip
    assert len(tests) > 20
    for mart in MARTS:
        above = ancestors(f"{prefix}{mart}")
        assert {name for name, needed in tests.items() if not needed <= above} == set()


def test_a_constraint_that_fails_leaves_the_published_table(published: Project) -> None:
    """`dbt run` runs no tests; the database itself holds the constraints."""
    published.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    before = marts(published)
    published.query(
        "insert into {schema}_staging.int_user_features select * from {schema}_staging.int_user_features where user_id = 1"
    )
    output = published.dbt("run", "--select", "user_features", succeeds=False)
    assert "duplicate key" in output or "could not create unique index" in output
    assert marts(published) == before
