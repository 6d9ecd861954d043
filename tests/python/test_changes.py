"""What a change to the project takes: the edits, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import BUILD_WITHOUT_TESTS, PROJECT, Project
from services import serving


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """A copy of the project, on what the project has published."""
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".*", "target", "logs", "benchmarks", "tests", "*.lock")
    shutil.copytree(PROJECT, root, ignore=ignored)
    for folder in ("dbt", "macros"):
        shutil.copytree(PROJECT / "tests" / folder, root / "tests" / folder)
    environment = {**project.environment, "PYTHONPATH": str(root / "src")}
    return Project(tmp_path / "run", project.schema, environment, root=root)


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replaces texts that are in a file once."""
    content = path.read_text()
    for old, new in changes:
        assert content.count(old) == 1, old
        content = content.replace(old, new)
    path.write_text(content)


def test_three_edits_add_a_feature(copy: Project) -> None:
    marts = copy.root / "models" / "marts"
    edit(
        marts / "user_features.sql",
        ("        sum(experiment_run_time) as total", "        max(experiment_run_time) as longest_experiment_run_time,\n        sum(experiment_run_time) as total"),
        ("\n        coalesce(most_common_compounds.distinct_compounds", "        experiment_totals.longest_experiment_run_time,\n\n        coalesce(most_common_compounds.distinct_compounds"),
    )
    edit(
        marts / "user_features.yml",
        (
            "      - name: distinct_compounds\n",
            "      - name: longest_experiment_run_time\n        description: The longest known run time; null if none is known.\n"
            "        data_type: pg_catalog.numeric\n      - name: distinct_compounds\n",
        ),
        (
            "unit_tests:\n",
            "unit_tests:\n  - name: longest_run_time_is_that_of_the_user\n    model: user_features\n    given:\n"
            "      - {input: ref('int_users'), rows: [{user_id: 1}]}\n"
            "      - {input: ref('int_experiments'), rows: [{user_id: 1, experiment_run_time: 5}, {user_id: 1, experiment_run_time: 9}]}\n"
            "      - {input: ref('int_user_compounds'), rows: []}\n      - {input: ref('int_compounds'), rows: []}\n"
            "    expect:\n      rows: [{user_id: 1, longest_experiment_run_time: 9}]\n\n",
        ),
    )
    copy.dbt("run-operation", "create_reader_role", FEATURES_READER="reader_of_changes")
    output = copy.dbt("build", SHOW_FEATURES="1")
    assert "longest_run_time_is_that_of_the_user" in output and "ERROR=0" in output
    [header] = [line for line in output.splitlines() if line.startswith("| user_id ")]
    assert [name.strip() for name in header.strip("| ").split("|")][3:6] == [
        "total_experiment_run_time", "longest_experiment_run_time", "distinct_compounds"
    ]  # fmt: skip
    history = "select longest_experiment_run_time from {schema}.user_features_history where user_id = 1 order by valid_from"
    assert copy.query(history) == [(None,), (15,)]
    # Who could read the table before its columns changed still can, and still nothing else.
    assert {name for name in copy.query("select relname from pg_class where relnamespace = '{schema}'::regnamespace and relkind = 'r' "
            "and has_table_privilege('reader_of_changes', oid, 'select')")} >= {("user_features",), ("user_features_history",)}  # fmt: skip
    assert copy.query("select 1 from pg_namespace where nspname in ('{schema}_raw', '{schema}_staging') "
                      "and has_schema_privilege('reader_of_changes', oid, 'usage')") == []  # fmt: skip
    copy.query("drop owned by reader_of_changes; drop role reader_of_changes")
    with serving(copy) as service:
        assert service.get("/features?limit=1")["features"][0]["longest_experiment_run_time"] == 15
        described = service.get("/openapi.json")["components"]["schemas"]["Features"]["properties"]
        assert described["longest_experiment_run_time"]["description"] == "The longest known run time; null if none is known."
        assert ">Longest experiment run time<" in service.call("GET", "/", 200).text


def test_new_column_of_a_file_is_published(copy: Project) -> None:
    """The YAML of the seed, its staging model and the mart; its rows are compared by it, and it is in their text."""
    edit(copy.root / "seeds" / "_seeds.yml", ("      - name: signup_date\n", "      - name: team\n        description: The team.\n      - name: signup_date\n"))
    edit(
        copy.root / "models" / "staging" / "stg_users.sql",
        ("        nullif(email, '') as email,\n", "        nullif(email, '') as email,\n        nullif(team, '') as team,\n"),
        ("        name,\n        email,\n", "        name,\n        email,\n        team,\n"),
    )
    edit(copy.root / "models" / "marts" / "user_features.sql", ("        users.user_id,\n", "        users.user_id,\n        users.team,\n"))
    edit(
        copy.root / "models" / "marts" / "user_features.yml",
        ("      - name: total_experiments\n", "      - name: team\n        description: The team.\n        data_type: text\n      - name: total_experiments\n"),
    )
    copy.write(
        users="user_id,name,email,signup_date,team\n1,Ann,,2023-01-01,red\n1,Ann,,2023-01-01,blue\n2,Bob,,,\n",
        user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time\n1,1,1,5\n",
    )
    copy.dbt("build", "--quiet")
    assert copy.query("select user_id, team from {schema}.user_features order by 1") == [(1, "red"), (2, None)]
    texts = "select row_text from {schema}_staging.int_rejected_row_text where file = 'users.csv' order by row_number"
    assert copy.query(texts) == [("1,Ann,,blue,2023-01-01",), ("2,Bob,,,",)]
    [(reason,)] = copy.query("select reason from {schema}.rejected_rows where file = 'users.csv' and column_name = ''")
    assert reason == "The row has the same id as row 2, but different content."


@pytest.mark.parametrize("folder", ["staging", "intermediate", "marts"])
def test_every_model_has_its_yaml_beside_it(folder: str) -> None:
    for model in (PROJECT / "models" / folder).glob("*.sql"):
        text = model.with_suffix(".yml").read_text()
        content = yaml.safe_load(text)
        assert [one["name"] for one in content["models"]] == [model.stem]
        assert {one["model"] for one in content.get("unit_tests", [])} <= {model.stem}
        assert len(text.splitlines()) <= 250, model
