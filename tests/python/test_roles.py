"""Which roles may read what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg2
import pytest
from conftest import BUILD_WITHOUT_TESTS, Project

READER = "reader_of_test_roles"
READABLE = [
    "{schema}.user_features", "{schema}.experiment_summary", "{schema}.compound_usage", "{schema}.rejected_rows",
    "{schema}.user_features_history", "{schema}.publications", "{schema}_audit.runs", "{schema}_audit.run_files", "{schema}_audit.run_nodes",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(project: Project) -> Iterator[Project]:
    """Creates the role before the first build, and once more after it."""
    project.dbt("--quiet", "run-operation", "create_reader_role", FEATURES_READER=READER)
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    output = project.dbt("--quiet", "run-operation", "create_reader_role", FEATURES_READER=READER)
    assert output == f"The role {READER} may read the tables of {project.schema} and {project.schema}_audit, and nothing else.\n"
    yield project
    project.query(f"drop owned by {READER}; drop role {READER}")


def relations(project: Project, privilege: str, role: str) -> set[str]:
    """Tables and views of the project on which a role has a privilege, in schemas that it may use."""
    return {
        name
        for (name,) in project.query(
            "select nspname || '.' || relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid "
            "where relkind in ('r', 'v') and nspname in ('{schema}', '{schema}_audit', '{schema}_raw', '{schema}_staging') "
            f"and has_table_privilege('{role}', pg_class.oid, '{privilege}') and has_schema_privilege('{role}', nspname, 'usage')"
        )
    }


def test_reader_may_read_what_is_published_and_nothing_else(made: Project) -> None:
    assert relations(made, "select", READER) == {name.replace("{schema}", made.schema) for name in READABLE}
    for privilege in ("insert", "update", "delete", "truncate", "references", "trigger"):
        assert relations(made, privilege, READER) == set()
    created = f"select nspname from pg_namespace where nspname like '{{schema}}%' and has_schema_privilege('{READER}', nspname, 'create')"
    assert made.query(created) == []
    assert made.query(f"select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = '{READER}'") == [(False, False, False, False)]


def test_personal_data_is_nowhere_a_reader_looks(made: Project) -> None:
    found = made.query(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_schema in ('{schema}', '{schema}_audit') and column_name in ('name', 'email', 'row_text')"
    )
    assert found == []


def test_run_log_does_not_show_the_text_of_a_file(make_project: Callable[[str], Project]) -> None:
    project = make_project("excerpt")
    (project.seeds / "users.csv").write_bytes("user_id,name,email,signup_date\n1,José,j@example.com,2023-02-01\n".encode("cp1252"))
    output = project.dbt("seed", succeeds=False)
    assert "it would read '1,José,j@example.com,2023-02-01': set the encoding" in output
    [(message,)] = project.query("select message from {schema}_audit.run_nodes where node like '%.users'")
    assert "line 2 is not UTF-8 text" in message and "it would read '...': set the encoding" in message
    assert project.query("select id from {schema}_audit.runs where position('José' in runs::text) > 0") == []


def test_tables_that_are_built_later_are_readable_too(made: Project) -> None:
    made.dbt("run", "--quiet")
    assert made.query(f"set local role {READER}; select count(*) from {{schema}}.user_features") == [(10,)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        made.query(f"set local role {READER}; select * from {{schema}}_staging.stg_users")


def test_public_has_nothing(made: Project) -> None:
    made.query("grant usage on schema {schema}, {schema}_raw to public; grant select on {schema}.user_features, {schema}_raw.users to public")
    made.dbt("--quiet", "run-operation", "create_reader_role", FEATURES_READER=READER)
    made.query("create role nobody_of_test_roles")
    try:
        assert relations(made, "select", "nobody_of_test_roles") == set()
        used = "select nspname from pg_namespace where nspname like '{schema}%' and has_schema_privilege('nobody_of_test_roles', nspname, 'usage')"
        assert made.query(used) == []
    finally:
        made.query("drop role nobody_of_test_roles")


def test_schemas_made_by_their_owner(make_project: Callable[[str], Project]) -> None:
    """The role that builds may not create any."""
    project = make_project("given")
    project.query("create role guest login")
    for ending in ("", "_raw", "_staging", "_audit"):
        project.query(f"create schema given{ending}; grant usage, create on schema given{ending} to guest")
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet", PGUSER="guest", PGDATABASE="postgres")
    assert len(project.features()) == 10


def test_without_the_right_to_make_roles(make_project: Callable[[str], Project]) -> None:
    """Everything else works, as the test of a role that may only create schemas shows."""
    project = make_project("no_roles")
    project.query("create role modest login; grant create on database postgres to modest")
    settings = {"PGUSER": "modest", "PGDATABASE": "postgres", "FEATURES_READER": "reader_of_modest"}
    output = " ".join(project.dbt("run-operation", "create_reader_role", succeeds=False, **settings).split())
    assert (
        'The user modest may not create roles; ask somebody who may to run `create role "reader_of_modest" nologin; '
        'grant "reader_of_modest" to "modest"`, and do this again.'
    ) in output
    project.query("create role reader_of_modest nologin; grant reader_of_modest to modest")
    project.dbt("run-operation", "create_reader_role", "--quiet", **settings)
    project.dbt("seed", "--quiet", **settings)
    assert relations(project, "select", "reader_of_modest") == {f"no_roles_audit.{name}" for name in ("runs", "run_files", "run_nodes")}
