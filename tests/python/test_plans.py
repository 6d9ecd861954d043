"""How Postgres builds the models that read all experiments: by all its workers, and in one reading each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from conftest import FILES, PUBLISHED, Project

ROWS = 300_000


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    """Enough experiments for Postgres to think of its workers, some with a list that is not plain."""
    project.write(**{name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES})
    lines = [f"{number},{number % 10 + 1},1;{number % 3 + 1}{';' * (number % 1000 == 0)},12.5" for number in range(ROWS)]
    project.write(user_experiments="\n".join(["experiment_id,user_id,experiment_compound_ids,experiment_run_time", *lines]))
    project.dbt("seed", "--quiet")
    project.dbt("run", "--quiet")
    return project


@pytest.fixture(scope="module")
def explain(built: Project) -> Callable[[str], list[str]]:
    """explain('model') gives the nodes of the plan by which a model is built, with the statements of its hooks."""
    manifest = json.loads((built.folder / "target" / "manifest.json").read_text())
    hooks = sorted({hook["sql"] for node in manifest["nodes"].values() for hook in node["config"].get("pre-hook", [])})
    statements = built.dbt("compile", "--quiet", "--inline", "\n---\n".join(hooks)).split("\n---\n")
    settings = dict(zip(hooks, statements, strict=True))

    def nodes_of(model: str) -> list[str]:
        node = manifest["nodes"][f"model.experiment_features.{model}"]
        compiled = (built.folder / "target" / "compiled" / "experiment_features" / node["original_file_path"]).read_text()
        own = [settings[hook["sql"]] for hook in node["config"]["pre-hook"]]
        rows = built.query("; ".join([*own, f"explain (costs off) {compiled}"]))
        return [re.sub(r"^[ >-]*", "", row[0]) for row in rows]

    return nodes_of


def test_cells_are_typed_by_the_workers(explain: Callable[[str], list[str]]) -> None:
    """What they hand over is done: above them there is nothing left for the leader but to write."""
    nodes = explain("base_experiments")
    assert nodes[0] == "Gather"
    assert any(node.startswith("Parallel Seq Scan") for node in nodes)


@pytest.mark.parametrize("model", ["int_counted_entries", "int_user_features"])
def test_lists_are_taken_apart_and_counted_by_the_workers(explain: Callable[[str], list[str]], model: str) -> None:
    nodes = explain(model)
    lists = nodes.index("Parallel Append")
    gather = max(i for i, node in enumerate(nodes[:lists]) if node.startswith("Gather"))
    joined_with_compounds = [node for node in nodes[gather:lists] if node in ("Hash Join", "Hash Left Join")]
    assert joined_with_compounds, nodes


@pytest.mark.parametrize("model", ["int_counted_entries", "int_user_features", "int_rejected_rows"])
def test_experiments_are_never_stored_to_be_read_twice(explain: Callable[[str], list[str]], model: str) -> None:
    assert not [node for node in explain(model) if node.startswith("CTE Scan") and "experiments" in node]


@pytest.mark.parametrize("model", ["base_repeated_rows", "int_user_features"])
def test_keys_are_grouped_by_sorting(explain: Callable[[str], list[str]], model: str) -> None:
    nodes = explain(model)
    assert "Gather Merge" in nodes
    assert not [node for node in nodes if "HashAggregate" in node]


def test_repeated_keys_are_grouped_once(explain: Callable[[str], list[str]]) -> None:
    """Postgres knows from the statistics that nearly all keys differ: the workers need not group them beforehand."""
    assert not [node for node in explain("base_repeated_rows") if "Partial" in node]
