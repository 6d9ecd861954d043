"""Files that cannot be loaded: the error is one sentence, and the last good tables stay."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, BUILD_WITHOUT_TESTS, PUBLISHED, Project
from test_published_input import EXPECTED

from experiment_features.reading import Rows

HEADER = "user_id,name,email,signup_date\n"
FAULTS = {
    "missing column": (
        "\nuser_id,\tname,\tsignup_date\n1,\tAlice,\t2023-01-01",
        "the header on line 2 lacks the column email; the columns expected are user_id, name, email, signup_date,"
        " and those found are user_id, name, signup_date.",
    ),
    "duplicate column": (
        "user_id,name,email,signup_date,Name\n1,Alice,a@example.com,2023-01-01,A",
        "the header on line 1 has the column name more than once; the columns expected are user_id, name, email,"
        " signup_date, and those found are user_id, name, email, signup_date, name.",
    ),
    "preamble": (
        "Export of 2023-05-01\n\nuser, and more\n" + HEADER + "1,Alice,a@example.com,2023-01-01",
        "the header seems to be on line 4, not on line 1; remove the lines before it.",
    ),
    "no header": (
        "1,Alice,a@example.com,2023-01-01\n",
        "line 1 seems to be a row, not a header; add a line above it with the columns user_id, name, email, signup_date.",
    ),
    "misspelled column": (
        "user_id,name,e_mail,signup_date\n1,Alice,a@example.com,2023-01-01",
        "the header on line 1 lacks the column email; the columns expected are user_id, name, email, signup_date,"
        " and those found are user_id, name, e_mail, signup_date; perhaps rename e_mail to email.",
    ),
    "another separator": (
        (HEADER + "1,Alice,a@example.com,2023-01-01\n").replace(",", "^"),
        "the separator seems to be '^' (see line 1); use a comma, semicolon, tab or pipe instead.",
    ),
    "whole lines in quotes": (
        '"user_id,name,email,signup_date"\n"1,Alice,a@example.com,2023-01-01"\n',
        "each line is quoted as a whole (see line 1); remove the quotes around whole lines.",
    ),
    "NUL byte": (
        HEADER + "1,Alice,a@example.com,2023-01-01\n2,B\0b,,\n",
        "line 3 contains a NUL byte, which text cannot have; export the file again as text.",
    ),
    "endless row": (
        HEADER + "1," + "A" * 2_000_000,
        "the row that begins on line 2 is longer than 1 MiB; close the quotes in it, or add the missing line endings.",
    ),
    "web page": ("<!DOCTYPE html>\n<html>", "it is a web page, perhaps a login page; download the file itself."),
    "PDF": (b"%PDF-1.7\n\xff", "it is a PDF file; export the table itself."),
    "Git LFS pointer": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n",
        "it is a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`.",
    ),
    "old Excel workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "it is an Excel workbook in the old format, or with a password; save it as .xlsx without a password, or as CSV.",
    ),
    "truncated compressed file": (
        gzip.compress((HEADER * 1000).encode())[:-20],
        "it is compressed, and damaged or cut short (Compressed file ended before the end-of-stream marker was reached); export or copy it again.",
    ),
    "empty file": (b"", "the file is empty; the columns expected are user_id, name, email, signup_date."),
    "blank lines only": (b"\n \n\t\r\n", "the file is empty; the columns expected are user_id, name, email, signup_date."),
    "byte-order mark only": (b"\xef\xbb\xbf", "the file is empty; the columns expected are user_id, name, email, signup_date."),
    "Latin-1": (
        (HEADER + "1,Alice,a@example.com,2023-01-01\n2,José,j@example.com,2023-02-01\n").encode("latin-1"),
        "line 3 is not UTF-8 text; with SEEDS_ENCODING=cp1252 it would read '2,José,j@example.com,2023-02-01': set the encoding with which"
        " it reads correctly, or save the file as UTF-8.",
    ),
    "unclosed quote": (
        HEADER + '1,Alice,a@example.com,2023-01-01\n\n2,"Bob,b@example.com,2023-02-01\n3,Carol,c@example.com,2023-03-01\n',
        "the quote opened in the row that begins on line 4 is never closed; close it or take it out.",
    ),
}


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    return project


def write(folder: Path, fault: str) -> str:
    """Writes users.csv, and returns the error it causes."""
    content, sentence = FAULTS[fault]
    (folder / "users.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return f"users.csv ({folder}/users.csv): {sentence}"


@pytest.mark.parametrize("fault", FAULTS)
def test_one_sentence(tmp_path: Path, fault: str) -> None:
    sentence = write(tmp_path, fault)
    rows = Rows(str(tmp_path), "users", HEADER.strip().split(","))
    while rows.read():
        pass
    assert rows.named_problem == sentence


# Found before the first row is loaded, in the first block, after other rows, and at the end.
@pytest.mark.parametrize("fault", ["empty file", "missing column", "Latin-1", "endless row", "truncated compressed file", "unclosed quote"])
def test_one_sentence_and_the_last_good_tables(built: Project, published: Project, fault: str) -> None:
    sentence = write(built.seeds, fault)
    raw = built.query("select * from {schema}_raw.users order by row_number")
    output = built.dbt("seed", succeeds=False)
    assert sentence in " ".join(output.split())
    assert built.query("select * from {schema}_raw.users order by row_number") == raw
    assert built.query("select count(*) from {schema}_staging.stg_users") == [(10,)]

    assert built.features() == EXPECTED


def test_build_says_that_nothing_was_published(built: Project, published: Project) -> None:
    built.write(users="")
    output = built.dbt(*BUILD, succeeds=False)
    assert "Nothing was published: users did not succeed" in output
    assert built.features() == EXPECTED


def test_missing_file(published: Project) -> None:
    (published.seeds / "users.csv").unlink()
    output = published.dbt("seed", succeeds=False)
    sentence = f"users.csv ({published.seeds}/users.csv): it cannot be read: No such file or directory; put the file there, or name its folder in SEEDS_DIR."
    assert sentence in " ".join(output.split())


def test_table_of_an_older_version_is_replaced_only_by_a_load_that_succeeds(built: Project, published: Project) -> None:
    """With one thread, the seeds run one after the other on one connection."""
    built.query("alter table {schema}_raw.users add column from_an_older_version text")
    built.write(users=b"")
    built.dbt("seed", "--threads", "1", succeeds=False)
    assert len(built.query("select from_an_older_version from {schema}_raw.users")) == 10
    shutil.copy(PUBLISHED / "users.csv", built.seeds / "users.csv")
    built.dbt("seed", "--threads", "1")
    columns = "select column_name from information_schema.columns where table_schema = '{schema}_raw' and table_name = 'users'"
    assert ("from_an_older_version",) not in built.query(columns)
    assert len(built.query("select * from {schema}_raw.users")) == 10
    # In version 0.1.0, its rows were numbered in another way.
    built.query("alter table {schema}_raw.users alter column row_number drop identity")
    built.dbt("seed", "--quiet")
    assert len(built.query("select distinct row_number from {schema}_raw.users")) == 10


def test_seed_show_prints_the_first_rows(built: Project, published: Project) -> None:
    output = built.dbt("seed", "--show")
    assert "alice@example.com" in output and "Compound A" in output


def test_views_on_a_raw_table_stand(built: Project, published: Project) -> None:
    built.query("create view {schema}_raw.names as select name from {schema}_raw.users")
    built.dbt("seed", "--full-refresh")
    assert len(built.query("select * from {schema}_raw.names")) == 10


def test_header_only_is_an_empty_table_if_that_is_allowed(published: Project) -> None:
    """An export that failed leaves such a file, and its features would be zeros."""
    published.write(users=HEADER, user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time")
    output = published.dbt(*BUILD, succeeds=False)
    assert 'users.csv has no rows (which is allowed with `--vars "stop_at_file_without_rows: false"`)' in output
    published.dbt(*BUILD_WITHOUT_TESTS, "--quiet", "--vars", "stop_at_file_without_rows: false")
    assert published.features() == []
    assert published.query("select * from {schema}.experiment_summary") == [(0, 0, 0, 0, None, None, None)]


def test_no_server(published: Project) -> None:
    output = published.dbt("seed", succeeds=False, PGHOST="/nowhere")
    assert "No such file or directory" in output and "`make up` starts the project's own Postgres." in output


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("FEATURES_SCHEMA", "lab; drop", "FEATURES_SCHEMA is 'lab; drop'; the name of a schema may only have letters, digits, _ and -, and at most 55 bytes"),
        # Postgres cuts names to 63 bytes, and `_staging` is added to this one.
        ("FEATURES_SCHEMA", "s" * 56, "letters, digits, _ and -, and at most 55 bytes."),
        ("FEATURES_SCHEMA", "\u00fc" * 28, "letters, digits, _ and -, and at most 55 bytes."),
        (
            "FEATURES_SCHEMA",
            "lab_raw",
            "FEATURES_SCHEMA is 'lab_raw'; names that end in _raw, _staging or _audit are reserved for schemas that this project adds.",
        ),
        ("PGDATABASE", 'lab"', "PGDATABASE is 'lab\"'; names of databases with quotes or backslashes are not supported."),
        ("PGOPTIONS", "-c standard_conforming_strings=off", "set its standard_conforming_strings to on."),
    ],
)
def test_connection_by_which_a_text_could_be_run_is_refused(published: Project, setting: str, value: str, sentence: str) -> None:
    output = published.dbt("seed", "--select", "users", succeeds=False, **{setting: value})
    assert sentence in " ".join(output.split())


def test_empty_settings_have_their_defaults(published: Project) -> None:
    """As libpq treats them, and as Compose passes variables on."""
    settings = dict.fromkeys(("ENGINE", "PGPORT", "PGDATABASE", "FEATURES_SCHEMA"), "")
    assert re.findall(r" (?:port|database|schema): (\S+)", published.dbt("debug", **settings)) == ["5432", "postgres", "features"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PGDATABASE": "latin"}, "The database latin has the encoding LATIN1; set PGDATABASE to one with UTF8."),
        (
            {"PGOPTIONS": "-c default_transaction_read_only=on"},
            "The server is read-only, since its default_transaction_read_only is on; change that, or set PGHOST to one that can be written to",
        ),
        ({"PGUSER": "powerless"}, "The role powerless may not create schemas in the database postgres; let its owner run `grant create on database"),
        ({"PGUSER": "nobody_there"}, 'role "nobody_there" does not exist'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_server_that_cannot_be_built_on(published: Project, settings: dict[str, str], sentence: str) -> None:
    if settings.get("PGDATABASE"):
        published.query("create database latin encoding 'LATIN1' template template0 locale 'C'")
    if settings.get("PGUSER") == "powerless":
        published.query("create role powerless login")
    output = published.dbt("seed", succeeds=False, **{"PGDATABASE": "postgres", "FEATURES_SCHEMA": "never_built", **settings})
    assert sentence in " ".join(output.split())


@pytest.mark.parametrize("setting", ["DBT_TARGET_PATH", "DBT_LOG_PATH"])
def test_full_disk_of_dbt_itself(published: Project, tmp_path: Path, setting: str) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", tmp_path], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        process = published.start(*BUILD, **{setting: str(tmp_path / "folder")})
        output, _ = process.communicate()
        assert process.returncode != 0
        assert f"The disk that dbt writes to is full ({tmp_path}/folder); free some space, or set {setting} to another folder." in output
        assert "Traceback" not in output
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_seed_that_dbt_would_not_find(published: Project, tmp_path: Path) -> None:
    """A file in another form in place of users.csv: dbt itself would only say that a model depends on a node that it did not find."""
    shutil.copy(published.root / "dbt_project.yml", tmp_path)
    shutil.copytree(published.root / "seeds", tmp_path / "seeds")
    (tmp_path / "seeds" / "users.csv").rename(tmp_path / "seeds" / "users.csv.gz")
    process = published.start("seed", "--project-dir", str(tmp_path))
    output = " ".join(process.communicate()[0].split())
    assert process.returncode != 0
    assert f"users.csv, by which dbt knows the table, is missing from {tmp_path}/seeds; move your own files to another folder" in output


def test_seed_that_has_changed_is_known_as_modified(published: Project, tmp_path: Path) -> None:
    """As in dbt itself, for `--select state:modified`; in another encoding, too."""
    (tmp_path / "dbt_project.yml").write_text("name: other\nprofile: experiment_features\nmodels: {}\n")
    (tmp_path / "seeds").mkdir()
    for name in ("one", "two"):
        (tmp_path / "seeds" / f"{name}.csv").write_bytes(b"name\nJos\xe9\n")
    published.dbt("parse", "--project-dir", str(tmp_path), DBT_TARGET_PATH=str(tmp_path / "before"), DBT_WRITE_JSON="true")
    (tmp_path / "seeds" / "two.csv").write_bytes(b"name\nAndr\xe9\n")
    listed = published.dbt("ls", "--quiet", "--project-dir", str(tmp_path), "--select", "state:modified", "--state", str(tmp_path / "before"))
    assert listed.split() == ["other.two"]


def test_empty_flag_is_refused(published: Project) -> None:
    output = published.dbt("run", "--empty", succeeds=False)
    assert "With --empty, the published tables would lose their rows; omit it" in " ".join(output.split())


def test_schema_that_differs_only_in_case(published: Project) -> None:
    """dbt does not tell them apart, and would advise to delete the tables of the other."""
    output = published.dbt("seed", succeeds=False, FEATURES_SCHEMA=published.schema.upper())
    assert f"The database has the schema {published.schema}, which differs from {published.schema.upper()} only in case" in " ".join(output.split())


def test_longest_schema(published: Project) -> None:
    longest = "l" * 55
    published.dbt("seed", "--quiet", FEATURES_SCHEMA=longest)
    assert published.query(f"select count(*) from {longest}_raw.users") == [(10,)]


def test_seed_without_description_is_loaded_as_text(published: Project, tmp_path: Path) -> None:
    """It is loaded along with the others, with the columns of its header, whatever their names."""
    copy = tmp_path / "copy"
    shutil.copytree(published.root, copy, ignore=shutil.ignore_patterns(".*", "target", "logs"))
    (copy / "seeds" / "notes.csv").write_text('Order;"my ""note""";;ä\n007;x;;y\n')
    other = Project(tmp_path / "run", published.schema, published.environment, root=copy)
    (published.seeds / "notes.csv").symlink_to(copy / "seeds" / "notes.csv")
    other.dbt("seed", "--quiet", SEEDS_DIR=str(published.seeds))
    assert published.query('select row_number, "order", "my__note_", column_3, "ä" from {schema}_raw.notes') == [(2, "007", "x", "", "y")]


@pytest.mark.parametrize("engine", ["postgres", "duckdb"])
def test_seed_of_a_package_is_as_in_dbt_itself(published: Project, tmp_path: Path, engine: str) -> None:
    """With the types that its author chose or dbt infers, and with all its columns."""
    copy, package = tmp_path / "copy", tmp_path / "package"
    shutil.copytree(published.root, copy, ignore=shutil.ignore_patterns(".*", "target", "logs"))
    (package / "seeds").mkdir(parents=True)
    (package / "dbt_project.yml").write_text("name: codes\n")
    (package / "seeds" / "codes.csv").write_text("code,label,weight\n1,one,1.5\n")
    (package / "seeds" / "codes.yml").write_text("version: 2\nseeds: [{name: codes, config: {column_types: {code: smallint}}, columns: [{name: code}]}]\n")
    (copy / "packages.yml").write_text(f"packages: [{{local: {package}}}]\n")
    settings = {"ENGINE": engine, "DUCKDB_FILE": str(tmp_path / "file.duckdb")}
    other = Project(tmp_path / "run", published.schema, published.environment, root=copy)
    other.dbt("deps", "--quiet", **settings)
    other.dbt("seed", "--quiet", "--select", "codes", **settings)
    columns = f"select column_name, lower(data_type) as type from information_schema.columns where table_schema = '{published.schema}' and table_name = 'codes'"
    shown = other.dbt("show", "--quiet", "--output", "json", "--inline", f"{columns} order by ordinal_position", **settings)
    types = [(row["column_name"], row["type"]) for row in json.loads(shown)["show"]]
    assert types == [
        ("code", "smallint"),
        ("label", "text" if engine == "postgres" else "varchar"),
        ("weight", "double precision" if engine == "postgres" else "double"),
    ]


def test_setting_reads_what_the_message_shows(built: Project, published: Project) -> None:
    built.write(users=FAULTS["Latin-1"][0])
    built.dbt("seed", "--quiet", SEEDS_ENCODING="cp1252")
    assert built.query("select name from {schema}_raw.users where user_id = '2'") == [("José",)]
