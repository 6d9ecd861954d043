"""A large file: how Postgres builds the models that read all of it, with all its workers and without writing it to disk twice, and which errors it finds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from conftest import Project

ROWS = 300_000
USERS = 30_000


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    """Enough experiments for Postgres to consider parallel workers, some with a list that is not plain."""
    users = [f"{number},User,user@example.com,2023-01-01" for number in range(1, USERS + 1)]
    project.write(users="\n".join(["user_id,name,email,signup_date", *users]))
    lines = [f"{number},{number % USERS + 1},1;{number % 3 + 1}{';' * (number % 1000 == 0)},12.5" for number in range(ROWS)]
    lines[269_998:270_001] = ["x,1,1;3,12.5", "269999,1,1;99,12.5", "270000,1"]
    project.write(user_experiments="\n".join(["experiment_id,user_id,experiment_compound_ids,experiment_run_time", *lines]))
    project.dbt("seed", "--quiet")
    project.dbt("run", "--quiet", DBT_WRITE_JSON="true")
    return project


@pytest.fixture(scope="module")
def explain(built: Project) -> Callable[[str], list[str]]:
    """explain('model') returns the nodes of the plan that builds a model, with the settings that apply then."""
    manifest = json.loads((built.folder / "target" / "manifest.json").read_text())
    models = {
        node["name"]: node for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] != "publication"
    }  # fmt: skip
    # Compiles again, because the models no longer read candidates.
    built.dbt("compile", "--quiet")
    hooks = sorted({"{{ session_settings() }}"} | {hook["sql"] for node in models.values() for hook in node["config"]["pre-hook"]})
    statements = built.dbt("compile", "--quiet", "--inline", "\n---\n".join(hooks)).split("\n---\n")
    settings = dict(zip(hooks, statements, strict=True))

    def nodes_of(model: str) -> list[str]:
        node = models[model]
        compiled = (built.folder / "target" / "compiled" / "experiment_features" / node["original_file_path"]).read_text()
        own = [settings["{{ session_settings() }}"], *(settings[hook["sql"]] for hook in node["config"]["pre-hook"])]
        # Makes workers also scan tables of a few megabytes, as they would scan larger ones.
        own.append("set local min_parallel_table_scan_size = 0")
        rows = built.query("; ".join([*filter(str.strip, own), f"explain (costs off) {compiled}"]))
        return [re.sub(r"^[ >-]*", "", row[0]) for row in rows]

    return nodes_of


def test_faults_at_row_270_000(built: Project) -> None:
    """They are rejected with their row numbers, as in a file of ten rows."""
    assert built.query("select count(*) from {schema}_raw.user_experiments") == [(ROWS,)]
    assert built.query("select row_number, column_name, reason from {schema}.rejected_rows order by row_number") == [
        (270_000, "experiment_id", "The experiment_id is not a whole number."),
        (270_001, "experiment_compound_ids", "Left out of the list: not in compounds.csv: 99."),
        (270_002, "", "The row has 2 cells where the header has 4."),
    ]


def test_cells_are_typed_by_the_workers(explain: Callable[[str], list[str]]) -> None:
    """The workers return finished rows; a subquery, for example, would be left to the leader."""
    nodes = explain("stg_experiments")
    assert nodes[0] == "Gather" and [node for node in nodes if node.startswith("Parallel Seq Scan")]
    assert not [node for node in nodes if "SubPlan" in node]


@pytest.mark.parametrize("model", ["int_duplicate_rows", "int_user_compounds"])
def test_many_small_groups_are_sorted(explain: Callable[[str], list[str]], model: str) -> None:
    """All workers sort; hashing the groups takes several times as long."""
    nodes = explain(model)
    assert "Gather Merge" in nodes
    assert not [node for node in nodes if "HashAggregate" in node]


@pytest.mark.parametrize("model", ["user_features", "int_rejected_rows"])
def test_what_is_read_twice_is_not_written_down(explain: Callable[[str], list[str]], model: str) -> None:
    nodes = explain(model)
    assert not [node for node in nodes if node.startswith("CTE Scan") and "unusable_cells" not in node], nodes
    assert [node for node in nodes if node.startswith("Parallel Seq Scan on stg_experiments")], nodes


def test_features_need_no_large_sort(explain: Callable[[str], list[str]]) -> None:
    """A window over all pairs of users and compounds would sort them."""
    assert "WindowAgg" not in explain("user_features")


def test_planner_knows_the_tables_that_are_joined(built: Project) -> None:
    """Otherwise it assumes that they are empty, and joins all pairs of users and compounds with all experiments."""
    tables = "select count(*) from pg_stat_user_tables where schemaname = '{schema}_staging' and relname ~ '^(stg|int)_' and last_analyze is"
    assert (built.query(f"{tables} null"), built.query(f"{tables} not null")) == ([(0,)], [(12,)])
    raw = built.query("select relname from pg_stat_user_tables where last_analyze is not null and schemaname = '{schema}_raw'")
    assert {"users", "user_experiments", "compounds"} <= {name for (name,) in raw}
