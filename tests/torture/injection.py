"""SQL in headers, values, names of files and environment variables: it is stored or refused, and never run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from campaign import Campaign
from conftest import PUBLISHED, Project
from ground import BUILD, Ground

INJECTED_FILES = "SQL in values, headers and names of files"
INJECTED_SETTINGS = "SQL in an environment variable"
RUN = "drop table public.canary; create table public.pwned (); create role pwned; select pg_sleep(30)"
# What ends a text, a name, a parenthesis, a dollar quote, a comment or a template, so that the rest could be run.
PAYLOADS = [
    f"x'; {RUN}; --",
    f"x'); {RUN}; --",
    f'x"; {RUN}; --',
    f'x"); {RUN}; --',
    f"x\\'; {RUN}; --",
    f"x$$; {RUN}; --",
    f"x*/; {RUN}; --",
    "{{ run_query('drop table public.canary') }}",
    "%s %(canary)s {canary} {0}",
    f"x\n; {RUN}; commit; --",
]
SETTINGS = [
    "FEATURES_SCHEMA", "FEATURES_STARTED_BY", "FEATURES_LOCK_WAIT", "SHOW_FEATURES", "SEEDS_DIR", "ENGINE",
    "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGAPPNAME", "PGOPTIONS", "PGCLIENTENCODING", "PGTZ", "PGDATESTYLE",
]  # fmt: skip
USERS = "user_id,name,email,signup_date\n"


def inject(campaign: Campaign, ground: Ground, all_payloads: bool) -> None:
    """One setting gets one payload, or each of them."""
    project = ground.project("injected")
    project.query(
        "create table public.canary (id integer); insert into public.canary select generate_series(1, 3);"
        "create role lives"
    )
    project.dbt(*BUILD, "--quiet")
    attempts: list[tuple[str, str, Callable[[Project], None]]] = [
        (INJECTED_FILES, "values and headers", _values),
        (INJECTED_FILES, "values, where a backslash escapes a quote", _values_with_backslash_escapes),
        (INJECTED_FILES, "the name of the folder", _folder),
        (INJECTED_FILES, "the name of a seed", _seed),
        (INJECTED_SETTINGS, "FEATURES_READER", _reader),
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
    with campaign.attempt(INJECTED_SETTINGS, "all of FEATURES_SCHEMA, through every command"):
        for payload in PAYLOADS:
            for command in (BUILD, ("run-operation", "create_reader_role"), ("run-operation", "show_features"))[: 3 if all_payloads else 1]:
                project.dbt(*command, succeeds=None, FEATURES_SCHEMA=payload)
                expect_canary(project)


def expect_canary(project: Project) -> None:
    """What was there is there, and nothing else came. Raises AssertionError, or psycopg2's error of a missing table."""
    assert project.query("select * from public.canary order by id") == [(1,), (2,), (3,)]
    made = project.query(
        "select 'table', relname::text from pg_class where relname like '%pwned%' and relnamespace = 'public'::regnamespace "
        "union all select 'role', rolname::text from pg_roles where rolname = 'pwned' "
        "union all select 'sleep', query from pg_stat_activity where query like 'select pg_sleep%'"
    )
    assert made == [], f"what was injected was run: {made}"


def _values(project: Project) -> None:
    """Values are in the raw table as they are, by each way of loading."""
    columns = [payload.replace('"', "'").replace(",", " ").replace("\n", " ") for payload in PAYLOADS]
    quoted = ['"' + payload.replace('"', '""') + '"' for payload in PAYLOADS]
    plain = "\n".join(f"{key},{payload},x@example.com,2023-01-01" for key, payload in enumerate(columns, 1))
    by_copy = "\n".join(f"{key},{payload},x@example.com,2023-01-01" for key, payload in enumerate(quoted, 1))
    odd = "\n".join([by_copy, *(f"{payload},{payload},{payload}" for payload in quoted), f"1,{quoted[0]}"])
    header = "user_id,name,email,signup_date," + ",".join('"' + payload.replace('"', '""') + '"' for payload in PAYLOADS) + "\n"
    more = "\n".join(f"{line},{','.join(quoted)}" for line in by_copy.split("\n")) if "\n" not in by_copy else by_copy
    for content, wanted in ((USERS + plain, columns), (USERS + by_copy, PAYLOADS), (USERS + odd, PAYLOADS)):
        project.write(users=content)
        project.dbt("seed", "--select", "users")
        found = project.query("select name from {schema}_raw.users where row_fault is null order by row_number")
        assert [name for (name,) in found] == [name.strip() for name in wanted], found
        project.dbt("run", succeeds=None)
    project.write(users=header + more)
    project.dbt("seed", "--select", "users", succeeds=None)
    project.write(users=header.replace("user_id", "id") + more)
    project.dbt("seed", "--select", "users", succeeds=False)
    _restore(project)


def _values_with_backslash_escapes(project: Project) -> None:
    """Where standard_conforming_strings is off, a text with a backslash before its quote goes on behind it."""
    rows = "\n".join(f'1,"{payload}",x' for payload in (f"\\'; {RUN}; --", f"\\'); {RUN}; --", f"\\')) as x (y, z); {RUN}; --"))
    project.write(users=f"{USERS}1,Ann,x@example.com,2023-01-01\n{rows}")
    for setting in ("-c standard_conforming_strings=off", "-cstandard_conforming_strings=off -c backslash_quote=on"):
        project.dbt("seed", "--select", "users", succeeds=None, PGOPTIONS=setting)
        expect_canary(project)
    _restore(project)


def _folder(project: Project) -> None:
    for number, payload in enumerate(PAYLOADS):
        folder = project.folder / f"folder {number} {payload.replace('/', '|')}"
        shutil.copytree(PUBLISHED, folder)
        project.dbt("seed", SEEDS_DIR=str(folder))
        (folder / "users.csv").write_text("nothing")
        project.dbt("seed", succeeds=False, SEEDS_DIR=str(folder))
        if number >= 3:
            break


def _seed(project: Project) -> None:
    copy = project.folder / "copy"
    shutil.copytree(project.root, copy, ignore=shutil.ignore_patterns(".*", "target", "logs"))
    for payload in PAYLOADS:
        (copy / "seeds" / f"{payload.replace('/', '|')}.csv").write_text("a,b\n1,2")
    other = Project(project.folder / "other", project.schema, project.environment, root=copy)
    other.dbt(*BUILD, succeeds=None)


def _reader(project: Project) -> None:
    """The role is made under just this name."""
    for payload in [payload for payload in PAYLOADS if len(payload.encode()) <= 63] + ['x"; drop table public.canary; --', "x'; drop role lives; --"]:
        project.dbt("run-operation", "create_reader_role", FEATURES_READER=payload)
        found = project.query("select rolname from pg_roles where rolname = '" + payload.replace("'", "''") + "'")
        assert found == [(payload,)], f"the role {payload!r} is not there"
    for payload in (f'x" superuser; {RUN}; --', "r" * 64):
        project.dbt("run-operation", "create_reader_role", succeeds=False, FEATURES_READER=payload)


def _database(project: Project) -> None:
    """A name that somebody gave to a database; statements of dbt have it in them."""
    import psycopg2

    name = 'x"."y"; drop table public.canary; --'
    environment = project.environment
    connection = psycopg2.connect(host=environment["PGHOST"], port=environment["PGPORT"], user="postgres", dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute('create database "' + name.replace('"', '""') + '"')
    connection.close()
    there = psycopg2.connect(host=environment["PGHOST"], port=environment["PGPORT"], user="postgres", dbname=name)
    with there.cursor() as cursor:
        cursor.execute("create table public.canary (id integer)")
    there.commit()
    project.dbt("seed", succeeds=None, PGDATABASE=name)
    with there.cursor() as cursor:
        cursor.execute("select * from public.canary")
    there.close()


def _long_schemas(project: Project) -> None:
    """Names that Postgres would cut to the same 63 bytes are refused, whoever would write to them."""
    for name in ("s" * 62 + "a", "s" * 64, "s" * 56, "ü" * 28):
        for command in (("seed",), ("run-operation", "show_features")):
            output = project.dbt(*command, succeeds=False, FEATURES_SCHEMA=name)
            assert "55 bytes" in " ".join(output.split()), output
    longest = "s" * 55
    project.dbt(*BUILD, FEATURES_SCHEMA=longest)
    assert len(project.query(f"select * from {longest}.user_features")) == 10
    left = project.query("select nspname::text from pg_namespace where nspname like 'sss%' or nspname like 'ü%' order by 1")
    assert [name for (name,) in left] == sorted(longest + end for end in ("", "_audit", "_raw", "_staging")), left


def _restore(project: Project) -> None:
    shutil.copy(Path(PUBLISHED) / "users.csv", project.seeds / "users.csv")
