"""How Postgres builds the models that read all experiments: by all its workers, and in one reading each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from conftest import FILES, PUBLISHED, Project

ROWS = 300_000
USERS = 30_000


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    """Enough experiments for Postgres to think of its workers, some with a list that is not plain."""
    project.write(**{name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES})
    users = [f"{number},User,user@example.com,2023-01-01" for number in range(1, USERS + 1)]
    project.write(users="\n".join(["user_id,name,email,signup_date", *users]))
    lines = [f"{number},{number % USERS + 1},1;{number % 3 + 1}{';' * (number % 1000 == 0)},12.5" for number in range(ROWS)]
    project.write(user_experiments="\n".join(["experiment_id,user_id,experiment_compound_ids,experiment_run_time", *lines]))
    project.dbt("seed", "--quiet")
    project.dbt("run", "--quiet")
    return project


@pytest.fixture(scope="module")
def explain(built: Project) -> Callable[[str], list[str]]:
    """explain('model') gives the nodes of the plan by which a model is built, with the statements of its hooks."""
    manifest = json.loads((built.folder / "target" / "manifest.json").read_text())
    # Those of the marts speak of the table that is being built, and here is none.
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and "marts" not in node["fqn"]]
    hooks = sorted({hook["sql"] for node in models for hook in node["config"]["pre-hook"]})
    statements = built.dbt("compile", "--quiet", "--inline", "\n---\n".join(hooks)).split("\n---\n")
    settings = dict(zip(hooks, statements, strict=True))

    def nodes_of(model: str) -> list[str]:
        node = manifest["nodes"][f"model.experiment_features.{model}"]
        compiled = (built.folder / "target" / "compiled" / "experiment_features" / node["original_file_path"]).read_text()
        own = [settings[hook["sql"]] for hook in node["config"]["pre-hook"]]
        # Tables of some megabytes are scanned by workers, too, as larger ones would be.
        own.append("set local min_parallel_table_scan_size = 0")
        rows = built.query("; ".join([*own, f"explain (costs off) {compiled}"]))
        return [re.sub(r"^[ >-]*", "", row[0]) for row in rows]

    return nodes_of


def test_cells_are_typed_by_the_workers(explain: Callable[[str], list[str]]) -> None:
    """What they hand over is done: above them there is nothing left for the leader but to write."""
    nodes = explain("base_experiments")
    assert nodes[0] == "Gather"
    assert any(node.startswith("Parallel Seq Scan") for node in nodes)


@pytest.mark.parametrize("model", ["int_counted_keys", "int_unknown_entries"])
def test_lists_are_taken_apart_and_counted_by_the_workers(explain: Callable[[str], list[str]], model: str) -> None:
    """Only what they have counted is handed over."""
    nodes = explain(model)
    lists = next(i for i, node in enumerate(nodes) if node.startswith("Function Scan on unnest"))
    gather = max(i for i, node in enumerate(nodes[:lists]) if node.startswith("Gather"))
    assert "Partial HashAggregate" in nodes[gather:lists], nodes
    assert any(node.startswith("Parallel Seq Scan on int_experiments_per_user") for node in nodes[gather:]), nodes


def test_lists_of_experiments_are_joined_by_the_workers(explain: Callable[[str], list[str]]) -> None:
    nodes = explain("int_experiments_per_user")
    assert [node for node in nodes if node.startswith("Gather")]
    assert [node for node in nodes if node.startswith("Partial")], nodes


def test_keys_are_sorted_user_by_user(explain: Callable[[str], list[str]]) -> None:
    """And never all at once: what is grouped, compared and filtered stays in the order of the users."""
    nodes = explain("int_user_features")
    window = nodes.index("WindowAgg")
    lists = next(i for i, node in enumerate(nodes) if node.startswith("Function Scan on unnest"))
    users = max(i for i, node in enumerate(nodes[:lists]) if node == "Nested Loop")
    assert "Incremental Sort" in nodes[window:users], nodes
    assert not [node for node in nodes[window:users] if node == "Sort" or "Join" in node], nodes
    assert not [node for node in nodes if "HashAggregate" in node]


@pytest.mark.parametrize("model", ["int_unknown_entries", "int_user_features", "int_rejected_rows"])
def test_experiments_are_never_stored_to_be_read_twice(explain: Callable[[str], list[str]], model: str) -> None:
    assert not [node for node in explain(model) if node.startswith("CTE Scan") and "experiments" in node]


def test_keys_are_grouped_by_sorting(explain: Callable[[str], list[str]]) -> None:
    nodes = explain("base_repeated_rows")
    assert "Gather Merge" in nodes
    assert not [node for node in nodes if "HashAggregate" in node]


def test_repeated_keys_are_grouped_once(explain: Callable[[str], list[str]]) -> None:
    """Postgres knows from the statistics that nearly all keys differ: the workers need not group them beforehand."""
    assert not [node for node in explain("base_repeated_rows") if "Partial" in node]


def test_planner_knows_all_tables_that_are_compared(built: Project) -> None:
    """Or it takes the raw ones for half as large, or for empty, and joins all of them."""
    analyzed = built.query(
        "select schemaname || '.' || relname from pg_stat_user_tables "
        "where last_analyze is not null and schemaname in ('{schema}_raw', '{schema}_staging')"
    )
    compared = {f"{built.schema}_{table}" for table in ("raw.users", "raw.user_experiments", "raw.compounds")}
    compared |= {f"{built.schema}_staging.base_{table}" for table in ("users", "experiments", "compounds")}
    assert compared <= {name for (name,) in analyzed}
