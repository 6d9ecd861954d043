"""dbt's own tests: every unit and data test passes on the published input."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from conftest import BUILD, Project


def test_unit_and_data_tests(project: Project) -> None:
    output = project.dbt(*BUILD)
    print(output)
    passed, warned, failed, skipped = map(int, re.search(r"PASS=(\d+) WARN=(\d+) ERROR=(\d+) SKIP=(\d+)", output).groups())
    assert (warned, failed, skipped) == (0, 0, 0)
    assert passed > 40
    assert "deprecat" not in output.lower()

    # Includes the unit tests, which therefore run only once.
    output = project.dbt("test")
    assert re.search(r"WARN=0 ERROR=0 SKIP=0", output)
    assert "deprecat" not in output.lower()


@pytest.fixture(scope="module")
def manifest(project: Project) -> dict[str, Any]:
    project.dbt("parse", "--quiet", DBT_WRITE_JSON="true")
    return json.loads((project.folder / "target" / "manifest.json").read_text())


def test_everything_is_described(manifest: dict[str, Any]) -> None:
    """Models, seeds and macros, and each of their columns and arguments."""
    own = [
        node
        for kind in ("nodes", "macros")
        for node in manifest[kind].values()
        if node["package_name"] == "experiment_features" and node["resource_type"] in ("model", "seed", "macro")
    ]
    # The engine-specific versions of a dispatched macro are described in the code.
    names = {node["name"] for node in own}
    own = [node for node in own if node["name"].partition("__")[2] not in names]
    assert len(own) > 35
    undescribed = [
        (node["name"], part.get("name"))
        for node in own
        for part in (node, *node.get("columns", {}).values(), *node.get("arguments", ()))
        if not part["description"].strip()
    ]
    assert undescribed == []

    for macro in (node for node in own if node["resource_type"] == "macro" and not node["name"].startswith("materialization_")):
        signature = re.search(rf"macro {macro['name']}\(([^)]*)\)", macro["macro_sql"]).group(1)
        arguments = [argument.partition("=")[0].strip() for argument in signature.split(",") if argument.strip()]
        assert arguments == [argument["name"] for argument in macro["arguments"]], macro["name"]


def test_grain_stands_first(manifest: dict[str, Any]) -> None:
    """The description of every model begins with its grain."""
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert [node["name"] for node in models if not node["description"].startswith("One row ")] == []


def test_personal_data_is_marked(manifest: dict[str, Any]) -> None:
    unmarked = [
        (node["name"], column["name"])
        for node in manifest["nodes"].values()
        for column in node.get("columns", {}).values()
        if column["name"] in ("name", "email") and not column["config"].get("meta", {}).get("contains_personal_data")
    ]
    assert unmarked == []


def test_site_has_a_front_page_and_the_published_tables_an_owner(manifest: dict[str, Any]) -> None:
    overview = manifest["docs"]["doc.experiment_features.__overview__"]["block_contents"]
    marts = {
        node["name"]: node for node in manifest["nodes"].values() if node["original_file_path"].startswith("models/marts/") and node["resource_type"] == "model"
    }
    assert set(re.findall(r"#!/model/model\.experiment_features\.(\w+)", overview)) >= marts.keys()
    assert {node["config"]["group"] for node in marts.values()} == {"published"}
    assert manifest["groups"]["group.experiment_features.published"]["owner"]["name"]
    read = {name for exposure in manifest["exposures"].values() for name in exposure["depends_on"]["nodes"]}
    assert "model.experiment_features.user_features" in read and len(manifest["exposures"]) == 3
