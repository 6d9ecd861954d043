"""SQL in headers, values, file names and environment variables: it is stored or refused, and never run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from campaign import Campaign
from conftest import PUBLISHED, Project
from ground import BUILD, Ground, connect

INJECTED_FILES = "SQL in values, headers and names of files"
INJECTED_SETTINGS = "SQL in an environment variable"
# A sequence keeps its new value even if the statement is rolled back.
RUN = "select nextval($q$public.tripwire$q$); drop table public.canary; create table public.pwned (); create role pwned"
# Each ends a text, a name, a parenthesis, a dollar quote, a comment or a template, to get the rest run.
PAYLOADS = [
    f"x'; {RUN}; --",
    f"x'); {RUN}; --",
    f'x"; {RUN}; --',
    f'x"); {RUN}; --',
    f"x\\'; {RUN}; --",
    f"x$$; {RUN}; --",
    f"x*/; {RUN}; --",
    "{{ run_query('drop table public.canary') }}",
    "50%s %(canary)s {canary} {0}",
    f"x\n; {RUN}; commit; --",
]
SETTINGS = [
    "FEATURES_SCHEMA", "FEATURES_RUN_ID", "FEATURES_STARTED_BY", "FEATURES_LOCK_WAIT", "SHOW_FEATURES", "SEEDS_DIR",
    "ENGINE", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGAPPNAME", "PGOPTIONS", "PGCLIENTENCODING", "PGTZ", "PGDATESTYLE",
]  # fmt: skip
USERS = "user_id,name,email,signup_date\n"


def inject(campaign: Campaign, ground: Ground, all_payloads: bool) -> None:
    """Tries one payload or all payloads on each setting."""
    project = ground.project("injected")
    plant_canary(project)
    project.query("create role lives")
    project.dbt(*BUILD, "--quiet")
    attempts: list[tuple[str, str, Callable[[Project], None]]] = [
        (INJECTED_FILES, "values and headers", _values),
        (INJECTED_FILES, "values, where a backslash escapes a quote", _values_with_backslash_escapes),
        (INJECTED_FILES, "the name of the folder", _folder),
        (INJECTED_FILES, "the name of a seed", _seed),
        (INJECTED_SETTINGS, "FEATURES_READER", _reader),
        (INJECTED_SETTINGS, "FEATURES_RUN_ID and FEATURES_STARTED_BY, which are published", _publication),
        (INJECTED_SETTINGS, "PGDATABASE, of a database that is there", _database),
        (INJECTED_SETTINGS, "FEATURES_SCHEMA, of more than 63 bytes", _long_schemas),
    ]
    for name, detail, attack in attempts:
        with campaign.attempt(name, detail):
            attack(project)
            expect_canary(project)
    choose = campaign.random(INJECTED_SETTINGS)
    for setting in SETTINGS:
        for payload in PAYLOADS if all_payloads else [choose.choice(PAYLOADS)]:
            with campaign.attempt(INJECTED_SETTINGS, f"{setting}={payload[:20]!r} ..."):
                project.dbt("seed", succeeds=None, **{setting: payload})
                expect_canary(project)
    with campaign.attempt(INJECTED_SETTINGS, "FEATURES_SCHEMA, through other commands"):
        for payload in PAYLOADS if all_payloads else [choose.choice(PAYLOADS)]:
            for command in (BUILD, ("run-operation", "create_reader_role"), ("run-operation", "show_features")):
                output = project.dbt(*command, succeeds=False, FEATURES_SCHEMA=payload)
                assert "the name of a schema may only have letters, digits" in output, output
                expect_canary(project)
    with campaign.attempt(INJECTED_SETTINGS, "FEATURES_STARTED_BY, not UTF-8"):
        project.dbt(*BUILD, FEATURES_STARTED_BY=b"\xff\xfe")
    with campaign.attempt(INJECTED_SETTINGS, "FEATURES_SCHEMA with a hyphen, a capital and an umlaut"):
        project.dbt(*BUILD, FEATURES_SCHEMA="Lab-2_ü")
        assert len(project.query('select * from "Lab-2_ü".user_features')) == 10


def inject_a_little(campaign: Campaign, ground: Ground) -> None:
    """Two settings through which SQL can get into dbt's own statements."""
    project = ground.project("injected_a_little")
    plant_canary(project)
    for setting, command in (("FEATURES_SCHEMA", ("seed",)), ("FEATURES_READER", ("run-operation", "create_reader_role"))):
        with campaign.attempt(INJECTED_SETTINGS, setting):
            project.dbt(*command, succeeds=None, **{setting: 'x"; drop table public.canary; --'})
            expect_canary(project)


def plant_canary(project: Project) -> None:
    """A table that must survive, and a sequence that must not change."""
    project.query(
        "create table if not exists public.canary (id integer); truncate public.canary; "
        "insert into public.canary select generate_series(1, 3); create sequence if not exists public.tripwire"
    )


def expect_canary(project: Project) -> None:
    """What was there is still there, and nothing was added. Raises AssertionError, or psycopg2's error for a missing table."""
    assert project.query("select * from public.canary order by id") == [(1,), (2,), (3,)]
    made = project.query(
        "select 'table', relname::text from pg_class where relname like '%pwned%' and relnamespace = 'public'::regnamespace "
        "union all select 'role', rolname::text from pg_roles where rolname = 'pwned' "
        "union all select 'tripwire', last_value::text from public.tripwire where is_called"
    )
    assert made == [], f"what was injected was run: {made}"


def _values(project: Project) -> None:
    """Values reach the raw table unchanged, whichever way they are loaded; headers do not get into any statement."""
    in_quotes = ['"' + payload.replace('"', '""') + '"' for payload in PAYLOADS]
    rows = [f"{key},{payload},x@example.com,2023-01-01" for key, payload in enumerate(in_quotes, 1)]
    odd = [",".join(in_quotes[:3]), f"1,{in_quotes[3]}"]
    header = ",".join([USERS.strip(), *in_quotes])
    files = {
        "COPY, but for odd records": [USERS.strip(), *rows, *odd],
        "taken apart on the server": [header, *(",".join([row, *in_quotes]) for row in rows), *odd],
    }
    for way, lines in files.items():
        project.write(users="\n".join(lines))
        project.dbt("build", "--select", "users", "stg_users", "--exclude-resource-type", "unit_test")
        found = project.query("select name from {schema}_raw.users where row_fault is null order by row_number")
        assert [name for (name,) in found] == [payload.strip() for payload in PAYLOADS], f"{way}: {found}"
        kept = project.query("select count(*) from {schema}_raw.users where row_fault is not null")
        assert kept == [(len(odd),)], f"{way}: {kept} odd rows, not {len(odd)}"
    project.write(users="\n".join([header.replace("user_id", "id"), *rows]))
    output = project.dbt("seed", "--select", "users", succeeds=False)
    assert "lacks the column user_id" in " ".join(output.split()), output
    _restore(project)


def _values_with_backslash_escapes(project: Project) -> None:
    """If standard_conforming_strings is off, a backslash before the closing quote of a text keeps the text open."""
    project.write(users=f"""{USERS}1,Ann,x@example.com,2023-01-01\n1,"\\'; {RUN}; --",x""")
    output = project.dbt("seed", "--select", "users", succeeds=False, PGOPTIONS="-c standard_conforming_strings=off")
    assert "set its standard_conforming_strings to on" in output, output
    _restore(project)


def _folder(project: Project) -> None:
    """The name of a folder can contain any text but a slash, up to 255 bytes."""
    folder = project.folder
    for payload in PAYLOADS:
        folder = folder / payload
    shutil.copytree(PUBLISHED, folder)
    project.dbt("seed", SEEDS_DIR=str(folder))
    (folder / "users.csv").write_text("nothing")
    output = project.dbt("seed", succeeds=False, SEEDS_DIR=str(folder))
    assert "lacks the column user_id" in " ".join(output.split()), output


def _seed(project: Project) -> None:
    copy = project.folder / "copy"
    shutil.copytree(project.root, copy, ignore=shutil.ignore_patterns(".*", "target", "logs"))
    for payload in PAYLOADS:
        (copy / "seeds" / f"{payload.replace('/', '|')}.csv").write_text("a,b\n1,2")
    other = Project(project.folder / "other", project.schema, project.environment, root=copy)
    other.dbt(*BUILD, succeeds=None)


def _reader(project: Project) -> None:
    """The role is created with exactly this name, or not at all if Postgres would cut it."""
    for name in ('x"; drop table public.canary; --', "x'; drop role lives; --"):
        project.dbt("run-operation", "create_reader_role", FEATURES_READER=name)
        found = project.query("select rolname from pg_roles where rolname = '" + name.replace("'", "''") + "'")
        assert found == [(name,)], f"the role {name!r} is not there"
    output = project.dbt("run-operation", "create_reader_role", succeeds=False, FEATURES_READER=PAYLOADS[2])
    assert "Postgres would cut it to 63 bytes" in " ".join(output.split()), output


def _publication(project: Project) -> None:
    """The row of a publication contains both values unchanged."""
    run_id, started_by = PAYLOADS[0], "".join(PAYLOADS)
    project.dbt(*BUILD, FEATURES_RUN_ID=run_id, FEATURES_STARTED_BY=started_by)
    found = project.query("select run_id, started_by from {schema}.publications order by publication_id desc limit 1")
    assert found == [(run_id, started_by)], found


def _database(project: Project) -> None:
    """The name of an existing database, which is part of dbt's statements."""
    name = 'x"."y"; drop table public.canary; --'
    with closing(connect(project)) as connection, connection.cursor() as cursor:
        cursor.execute('create database "' + name.replace('"', '""') + '"')
    there = connect(project, database=name)
    there.cursor().execute("create table public.canary (id integer)")
    output = project.dbt("seed", succeeds=False, PGDATABASE=name)
    assert "names of databases with quotes or backslashes are not supported" in output, output
    there.cursor().execute("select * from public.canary")
    there.close()


def _long_schemas(project: Project) -> None:
    """Names that Postgres would cut to the same 63 bytes are refused, whichever command writes to them."""
    for name in ("s" * 62 + "a", "s" * 64, "s" * 56, "ü" * 28):
        output = project.dbt("seed", succeeds=False, FEATURES_SCHEMA=name)
        assert "55 bytes" in " ".join(output.split()), output
    longest = "s" * 55
    project.dbt(*BUILD, FEATURES_SCHEMA=longest)
    assert len(project.query(f"select * from {longest}.user_features")) == 10
    left = project.query("select nspname::text from pg_namespace where nspname like 'sss%' or nspname like 'ü%' order by 1")
    assert [name for (name,) in left] == sorted(longest + end for end in ("", "_audit", "_raw", "_staging")), left


def _restore(project: Project) -> None:
    shutil.copy(Path(PUBLISHED) / "users.csv", project.seeds / "users.csv")
