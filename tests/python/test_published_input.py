"""The published input gives exactly the expected tables, every time."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import yaml
from conftest import BUILD_WITHOUT_TESTS, PROJECT, PUBLISHED, Project

A, B = (1, "Compound A"), (2, "Compound B")
USAGE = [(1, "Compound A", 6), (2, "Compound B", 8), (3, "Compound C", 9)]
EXPECTED = [
    (1, 2, 12.5, Decimal(25), 3, *B, "2", 2),
    (2, 1, 20.0, Decimal(20), 2, *A, "1;3", 1),
    (3, 1, 25.0, Decimal(25), 2, *B, "2;3", 1),
    (4, 1, 30.0, Decimal(30), 3, *A, "1;2;3", 1),
    (5, 1, 35.0, Decimal(35), 2, *B, "2;3", 1),
    (6, 1, 40.0, Decimal(40), 2, *A, "1;3", 1),
    (7, 1, 45.0, Decimal(45), 2, *B, "2;3", 1),
    (8, 1, 50.0, Decimal(50), 2, *A, "1;2", 1),
    (9, 1, 55.0, Decimal(55), 2, *B, "2;3", 1),
    (10, 1, 60.0, Decimal(60), 2, *A, "1;3", 1),
]


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    project.dbt(*BUILD_WITHOUT_TESTS)
    return project


def test_files_have_the_published_form() -> None:
    users = (PUBLISHED / "users.csv").read_bytes()
    assert users.startswith(b"\nuser_id,\tname,\temail,\tsignup_date\n1,\tAlice,\talice@example.com,\t2023-01-01\n")
    assert users.endswith(b"10,\tJudy,\tjudy@example.com,\t2023-10-01")
    for name in ("users.csv", "user_experiments.csv", "compounds.csv"):
        content = (PUBLISHED / name).read_bytes()
        assert b"\r" not in content and not content.endswith(b"\n")
        assert content.count(b",") == content.count(b",\t")


def test_features(built: Project) -> None:
    assert built.features() == EXPECTED


def test_summary(built: Project) -> None:
    assert built.query("select * from {schema}.experiment_summary") == [(10, 10, 11, 3, 1.1, 1.1, 35.0)]


def test_compound_usage(built: Project) -> None:
    assert built.query("select * from {schema}.compound_usage order by compound_id") == USAGE


def test_nothing_is_rejected(built: Project) -> None:
    assert built.rejects() == []


def test_raw_rows_are_trimmed_and_numbered_as_an_editor_does(built: Project) -> None:
    assert built.query("select row_number, user_id, name from {schema}_raw.users order by row_number")[:2] == [
        (3, "1", "Alice"),
        (4, "2", "Bob"),
    ]


def test_second_run_gives_the_same(built: Project) -> None:
    built.dbt("seed")
    built.dbt("run")
    assert built.features() == EXPECTED
    assert built.rejects() == []


def test_full_refresh_gives_the_same(built: Project) -> None:
    built.dbt(*BUILD_WITHOUT_TESTS, "--full-refresh")
    assert built.features() == EXPECTED


def test_descriptions_are_in_the_database(built: Project) -> None:
    """persist_docs: the table and each of its columns have their descriptions."""
    undescribed = built.query(
        """
        select tables.relname, columns.attname
        from pg_class as tables
        inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
        left join pg_attribute as columns on tables.oid = columns.attrelid and columns.attnum > 0 and not columns.attisdropped
        where
            (schemas.nspname in ('{schema}', '{schema}_raw') or schemas.nspname = '{schema}_staging' and tables.relname like 'stg_%')
            and tables.relkind in ('r', 'v')
            -- What record_load() notes beside a raw table is for the models alone.
            and not tables.relname like '%__load'
            and (obj_description(tables.oid) is null or col_description(tables.oid, columns.attnum) is null)
        """
    )
    assert undescribed == []


def test_examples_in_descriptions_run(built: Project) -> None:
    """The example query in the description of each published table."""
    for path in (PROJECT / "models" / "marts").glob("[!_]*.yml"):
        [model] = yaml.safe_load(path.read_text())["models"]
        [example] = re.findall(r"^```sql\n(.*?)^```", model["description"], re.DOTALL | re.MULTILINE)
        assert built.query(re.sub(r"\bfeatures\.", "{schema}.", example)) or model["name"] == "rejected_rows", path


def test_contract_is_held_by_the_database(built: Project) -> None:
    """The published tables have the constraints, without names that could clash when a table is rebuilt."""
    constraints = built.query(
        "select conrelid::regclass::text, contype::text from pg_constraint"
        " where connamespace = '{schema}'::regnamespace and contype in ('p', 'c') order by 1, 2"
    )
    assert {table.split(".")[1] for table, kind in constraints if kind == "c"} == {
        "user_features",
        "experiment_summary",
        "compound_usage",
        "rejected_rows",
    }
    assert {table.split(".")[1] for table, kind in constraints if kind == "p"} == {"user_features", "compound_usage", "rejected_rows"}


def test_personal_data_stays_out_of_the_marts(built: Project) -> None:
    assert (
        built.query("select table_name, column_name from information_schema.columns where table_schema = '{schema}' and column_name in ('name', 'email')") == []
    )


def test_shipped_profile_holds_no_secret() -> None:
    assert "password: \"{{ env_var('PGPASSWORD', '') }}\"" in (PROJECT / "profiles/profiles.yml").read_text()
