"""The recipes in CONTRIBUTING.md: applies their edits to a copy of the project, and runs their checks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import BUILD, BUILD_WITHOUT_TESTS, PROJECT, Project, forked_dbt
from services import serving
from test_published_input import EXPECTED

RECIPES = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", (PROJECT / "CONTRIBUTING.md").read_text(), re.MULTILINE))


def blocks(title: str, language: str) -> str:
    """The fenced blocks of one language in a recipe, one after the other."""
    found = re.findall(rf"^```{language}\n(.*?)^```", RECIPES[title], re.DOTALL | re.MULTILINE)
    assert found, f"{title} has no {language} block"
    return "".join(found)


def apply(root: Path, title: str, *options: str) -> None:
    """Applies the edits of a recipe."""
    done = subprocess.run(["git", "apply", *options, "-"], cwd=root, input=blocks(title, "diff"), capture_output=True, text=True)
    assert done.returncode == 0, f"CONTRIBUTING.md, {title}: {done.stderr}"


def shell(script: str, root: Path, environment: dict[str, str]) -> str:
    """Runs commands as in an activated shell, with a dbt that is already loaded."""
    loaded = root.parent / "bin" / "dbt"
    loaded.parent.mkdir(exist_ok=True)
    loaded.write_text(
        f"#!{sys.executable}\nimport os, sys\nsys.path.append({str(Path(__file__).parent)!r})\nfrom forked_dbt import ForkedDbt\n"
        f"output, code = ForkedDbt({forked_dbt().address!r}).run(sys.argv[1:], os.getcwd(), os.environ)\nprint(output, end='')\nsys.exit(code)\n"
    )
    loaded.chmod(0o755)
    path = os.pathsep.join([str(loaded.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(["bash", "-ec", script], cwd=root, env={**environment, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def check(copy: Project, title: str) -> str:
    """Runs the checks of a recipe and returns their output."""
    return shell(blocks(title, "sh"), copy.root, copy.settings({"DUCKDB_FILE": str(copy.folder / "recipes.duckdb")}))


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """A copy of the project that uses the tables of a build of the published files."""
    files = "select rows_read from {schema}_staging.int_rows_per_file order by 1"
    is_built = project.query("select to_regclass('{schema}.user_features') is not null")[0][0]
    # Most tests leave what they found.
    if not is_built or project.features() != EXPECTED or project.query(files) != [(3,), (10,), (11,)]:
        project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".*", "target", "logs", "benchmarks", "tests", "*.lock")
    shutil.copytree(PROJECT, root, ignore=ignored)
    for folder in ("dbt", "macros"):
        shutil.copytree(PROJECT / "tests" / folder, root / "tests" / folder)
    return Project(tmp_path / "run", project.schema, project.environment, root=root)


def test_table_gets_the_indexes_and_grants_that_its_config_names(copy: Project) -> None:
    model = copy.root / "models" / "intermediate" / "int_users.sql"
    model.write_text("{{ config(indexes=[{'columns': ['user_id']}], grants={'select': ['pg_monitor']}) }}\n" + model.read_text())
    # The second run replaces the table of the first.
    for _ in range(2):
        copy.dbt("run", "--quiet", "--select", "int_users")
        assert copy.query("select count(*) from pg_indexes where schemaname = '{schema}_staging' and tablename = 'int_users'") == [(1,)]
        assert copy.query("select has_table_privilege('pg_monitor', '{schema}_staging.int_users', 'select')") == [(True,)]


def test_three_edits_add_a_feature(copy: Project) -> None:
    apply(copy.root, "Add a feature")
    output = check(copy, "Add a feature")
    assert "longest_run_time_is_that_of_the_user" in output and "Nothing was published: this run built user_features" in output
    copy.dbt("run-operation", "create_reader_role", FEATURES_READER="reader_of_changes")
    output = copy.dbt(*BUILD, SHOW_FEATURES="1")
    [header] = [line for line in output.splitlines() if line.startswith("| user_id ")]
    described = yaml.safe_load((copy.root / "models" / "marts" / "user_features.yml").read_text())["models"][0]["columns"]
    assert [name.strip() for name in header.strip("| ").split("|")] == [column["name"] for column in described]
    assert "longest_experiment_run_time" in header
    history = "select longest_experiment_run_time from {schema}.user_features_history where user_id = 1 order by valid_from"
    assert copy.query(history) == [(None,), (15,)]
    # A role that could read the table before its columns changed still can, and still nothing else.
    assert set(copy.query("select relname from pg_class where relnamespace = '{schema}'::regnamespace and relkind = 'r' "
            "and has_table_privilege('reader_of_changes', oid, 'select')")) >= {("user_features",), ("user_features_history",)}  # fmt: skip
    assert copy.query("select 1 from pg_namespace where nspname in ('{schema}_raw', '{schema}_staging') "
                      "and has_schema_privilege('reader_of_changes', oid, 'usage')") == []  # fmt: skip
    copy.query("drop owned by reader_of_changes; drop role reader_of_changes")
    with serving(copy) as service:
        assert service.get("/features?limit=1")["features"][0]["longest_experiment_run_time"] == 15
        described = service.get("/openapi.json")["components"]["schemas"]["Features"]["properties"]
        assert described["longest_experiment_run_time"]["description"] == "The longest known run time; null if none is known."
        assert ">Longest experiment run time<" in service.call("GET", "/", 200).text
    # dbt keeps what it has parsed, but not a unit test that is gone.
    apply(copy.root, "Add a feature", "--reverse")
    assert "longest_run_time_is_that_of_the_user" not in copy.dbt("ls", "--quiet", "--resource-type", "unit_test")


def test_new_column_of_a_file_is_published(copy: Project) -> None:
    """The edits change the seed's YAML, its staging model and the mart; the column counts for duplicates and is in the rows' text."""
    apply(copy.root, "Add an input column")
    copy.write(users="user_id,name,email,signup_date,team\n" + "".join(f"{user},User,,2023-01-01,red\n" for user in range(1, 11)))
    check(copy, "Add an input column")
    apply(copy.root, "Publish an input column")
    check(copy, "Publish an input column")
    copy.write(
        users="user_id,name,email,signup_date,team\n1,Ann,,2023-01-01,red\n1,Ann,,2023-01-01,blue\n2,Bob,,,\n",
        user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time\n1,1,1,5\n",
    )
    copy.dbt("build", "--quiet")
    assert copy.query("select user_id, team from {schema}.user_features order by 1") == [(1, "red"), (2, None)]
    texts = "select row_text from {schema}_staging.int_rejected_row_text where file = 'users.csv' order by row_number"
    assert copy.query(texts) == [("1,Ann,,blue,2023-01-01",), ("2,Bob,,,",)]
    [(reason,)] = copy.query("select reason from {schema}.rejected_rows where file = 'users.csv' and column_name = ''")
    assert reason == "The row has the same id as line 2, but different content."


def test_another_table_is_published(copy: Project) -> None:
    apply(copy.root, "Publish another table")
    assert "Nothing was published: this run built sign_ups_per_day" in check(copy, "Publish another table")
    copy.dbt(*BUILD, "--quiet")
    # The edits also change its unit test, which that check does not run.
    copy.dbt("test", "--quiet", "--select", "publications")
    assert copy.query("select sum(users) from {schema}.sign_ups_per_day") == [(10,)]
    line = "-- depends_on: {{ ref('sign_ups_per_day') }}"
    publications = copy.root / "models" / "marts" / "publications.sql"
    publications.write_text(publications.read_text().replace(line + "\n", ""))
    assert f"sign_ups_per_day would never be published; add the line `{line}`" in " ".join(copy.dbt("run", succeeds=False).split())


MART = """
version: 2
models:
  - name: late_users
    columns:
      - {name: late, data_type: boolean}
      - {name: Share, data_type: double precision, constraints: [CONSTRAINT]}
"""


def write_mart(copy: Project, constraint: str, late_users: int) -> None:
    """A mart without a primary key, with equal rows."""
    marts = copy.root / "models" / "marts"
    (marts / "late_users.yml").write_text(MART.replace("CONSTRAINT", constraint))
    select = f"select user_id <= {late_users} as late, cast(2 as double precision) as Share from {{{{ ref('int_users') }}}}"
    (marts / "late_users.sql").write_text(select)
    publications = marts / "publications.sql"
    if "late_users" not in publications.read_text():
        publications.write_text(publications.read_text().replace("\nwith\n", "-- depends_on: {{ ref('late_users') }}\n\nwith\n", 1))


def test_equal_rows_of_a_table_without_a_key(copy: Project) -> None:
    for late_users in (1, 3, 0):
        write_mart(copy, "", late_users)
        copy.dbt("run", "--quiet")
        assert copy.query("select count(*), count(*) filter (where late) from {schema}.late_users") == [(10, late_users)]


def test_constraints_of_a_column_are_enforced(copy: Project) -> None:
    write_mart(copy, "{type: check, expression: Share > 5}", 1)
    output = " ".join(copy.dbt("run", succeeds=False).split())
    assert "late_users breaks its contract: Share > 5 does not hold." in output
    write_mart(copy, "{type: primary_key}", 1)
    output = " ".join(copy.dbt("run", succeeds=False).split())
    assert "late_users breaks its contract: Share is not unique for Share 2." in output
    write_mart(copy, "{type: check, expression: Share < 5}", 1)
    copy.dbt("run", "--quiet")
    assert copy.query("select pg_get_constraintdef(oid) from pg_constraint where conrelid = '{schema}.late_users'::regclass and contype = 'c'") == [
        ("CHECK ((share < (5)::double precision))",)
    ]


@pytest.mark.parametrize(
    ("key", "column", "sentence"),
    [
        ("", "late", "The history of late_users needs a primary key; add one in models/marts/late_users.yml."),
        ("{type: primary_key, columns: [valid_from]}", "valid_from", "The history of late_users needs the name valid_from; rename that column in"),
    ],
)
def test_table_whose_history_cannot_be_kept(copy: Project, key: str, column: str, sentence: str) -> None:
    write_mart(copy, "", 1)
    marts = copy.root / "models" / "marts"
    (marts / "late_users.sql").write_text(f"select user_id as {column} from {{{{ ref('int_users') }}}}")
    (marts / "late_users.yml").write_text(
        f"version: 2\nmodels:\n  - name: late_users\n    config: {{meta: {{keeps_history: true}}}}\n    constraints: [{key}]\n"
        f"    columns: [{{name: {column}, data_type: bigint}}]\n"
    )
    assert sentence in " ".join(copy.dbt("run", succeeds=False).split())


def test_view_on_a_candidate_is_refused(copy: Project) -> None:
    (copy.root / "models" / "intermediate" / "int_busy_users.sql").write_text(
        "{{ config(materialized='view') }} select user_id from {{ ref('user_features') }}"
    )
    output = " ".join(copy.dbt("run", succeeds=False).split())
    assert "int_busy_users is a view on user_features, whose candidate is dropped when it is published; materialize it as a table." in output


def test_test_that_publications_would_not_wait_for(copy: Project) -> None:
    (copy.root / "seeds" / "expected.csv").write_text("user_id,total_experiments\n1,3\n")
    (copy.root / "tests" / "dbt" / "agrees_with_expected.sql").write_text(
        "select 1 from {{ ref('expected') }} as expected inner join {{ ref('user_features') }} as found "
        "on expected.user_id = found.user_id::text where expected.total_experiments <> found.total_experiments::text"
    )
    output = " ".join(copy.dbt(*BUILD_WITHOUT_TESTS, succeeds=False).split())
    assert "dbt would not wait for the test agrees_with_expected, which also reads expected; add the line `-- depends_on: {{ ref('expected') }}`" in output
    publications = copy.root / "models" / "marts" / "publications.sql"
    publications.write_text(publications.read_text().replace("\nwith\n", "-- depends_on: {{ ref('expected') }}\n\nwith\n", 1))
    before = copy.query("select count(*) from {schema}.publications")
    copy.dbt(*BUILD, succeeds=False)
    assert copy.query("select count(*) from {schema}.publications") == before


def test_new_reason_is_in_the_rejects(copy: Project) -> None:
    apply(copy.root, "Change what is rejected")
    copy.write(user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time\n1,1,1,0.00\n2,1,2,5\n")
    copy.dbt("seed", "--quiet")
    copy.dbt("run", "--quiet")
    assert "run_time_of_0_was_not_measured" in check(copy, "Change what is rejected")
    assert copy.query("select row_number, column_name, row_kept from {schema}.rejected_rows where reason like '%is 0, which means%'") == [
        (2, "experiment_run_time", True)
    ]


def test_new_engine_difference(copy: Project) -> None:
    apply(copy.root, "Add an engine difference")
    assert re.findall(r"\|\s+(\d+)(?:\.0)? \|", check(copy, "Add an engine difference")) == ["2", "2"]


def test_one_test_and_one_plan(copy: Project) -> None:
    commands = [line for line in blocks("Run one test", "sh").splitlines() if line.startswith("dbt ")]
    output = shell("\n".join(commands), copy.root, copy.settings({}))
    assert output.count("WARN=0 ERROR=0 SKIP=0") == 2 and "every_user_has_features" in output
    for name, test in re.findall(r"pytest (\S+) -k (\w+)", blocks("Run one test", "sh")):
        assert f"def test_{test}" in (PROJECT / name).read_text()
    assert "GroupAggregate" in check(copy, "Read a query plan")


def test_release(tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(".?*", "target", "logs", "*.lock"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    assert "1 passed" in shell(blocks("Release", "sh"), root, {**environment, "PYTHONPATH": str(root / "src")})
    assert 'version: "1.0.0"' in (root / "dbt_project.yml").read_text()
    assert re.search(r"^## \[1\.0\.0\] - \d{4}-\d\d-\d\d$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", ["staging", "intermediate", "marts"])
def test_every_model_has_its_yaml_beside_it(folder: str) -> None:
    for model in (PROJECT / "models" / folder).glob("*.sql"):
        text = model.with_suffix(".yml").read_text()
        content = yaml.safe_load(text)
        assert [one["name"] for one in content["models"]] == [model.stem]
        assert {one["model"] for one in content.get("unit_tests", [])} <= {model.stem}
        assert len(text.splitlines()) <= 250, model
