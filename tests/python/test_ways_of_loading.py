"""Both ways of loading a file give the same rows, on each server, for every form and fault there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from conftest import FILES, PUBLISHED, Project, connection_environment
from generated import generate
from test_errors import FAULTS
from test_file_forms import EMPTY_FIRST_CELL, FORMS, QUOTES_AND_LINE_BREAKS, rows_of

from experiment_features.postgres import Server

# 16 and 18 are in the package of the embedded server, 15 is Debian's own.
SERVERS = {"PostgreSQL 15": "/usr/lib/postgresql/15", "PostgreSQL 16": "pginstall", "PostgreSQL 18": "pginstall18"}
NOT_PLAIN = {"CR", "extra columns"}
GENERATED = 100


@dataclass
class Loaded:
    """How `load_csv` took one file, and how that compares with taking it apart."""

    way: str
    problem: str | None
    problem_of_split: str | None
    rows_that_differ: int


@cache
def inputs() -> dict[str, dict[str, bytes]]:
    """Every form, fault and generated input: files without .csv to content, by a name for the case."""
    published = {name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES}
    cases = {"published": published}
    for form, write in FORMS.items():
        cases[form] = {name.removesuffix(".csv"): write(rows_of(name)).encode() for name in FILES}
    cases["quotes and line breaks"] = {**published, "compounds": QUOTES_AND_LINE_BREAKS.encode()}
    cases["empty first cell"] = {**published, "compounds": EMPTY_FIRST_CELL.encode()}
    for fault, (content, _) in FAULTS.items():
        cases[fault] = {**published, "users": content.encode() if isinstance(content, str) else content}
    for number, one in enumerate(generate(GENERATED)):
        cases[f"generated {number}"] = {"users": one.users, "user_experiments": one.experiments, "compounds": one.compounds}
    return cases


@pytest.fixture(scope="module", params=SERVERS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Loaded]]:
    """The outcome of each case's files: (case, file) to Loaded."""
    installation = SERVERS[request.param]
    if installation.startswith("/") and not Path(installation).exists():
        pytest.skip(f"{request.param} is not installed in {installation}")
    server = Server(tmp_path_factory.mktemp("server") / "postgres", installation)
    server.up()
    project = Project(tmp_path_factory.mktemp("ways"), "ways", connection_environment(server))
    cases = inputs()
    for number, files in enumerate(cases.values()):
        (project.folder / "cases" / str(number)).mkdir(parents=True)
        for name, content in files.items():
            (project.folder / "cases" / str(number) / f"{name}.csv").write_bytes(content)
    project.dbt("seed", "--quiet")
    project.query(
        "".join(f"create table {{schema}}_raw.{name}_split (like {{schema}}_raw.{name} including all);" for name in cases["published"])
        + "create table {schema}_raw.outcomes (case_number integer, file text, way text, problem text, problem_of_split text,"
        " rows_that_differ bigint);"
        "create function {schema}_raw.record(integer, text, text, text, text, bigint) returns void language sql"
        " begin atomic insert into {schema}_raw.outcomes values ($1, $2, $3, $4, $5, $6); end;"
    )
    arguments = {"folder": str(project.folder / "cases"), "count": len(cases), "recorder": "ways_raw.record"}
    project.dbt("run-operation", "load_both_ways", "--args", json.dumps(arguments), "--quiet")
    names = list(cases)
    yield {
        (names[number], file): Loaded(*outcome)
        for number, file, *outcome in project.query("select * from {schema}_raw.outcomes")
    }
    server.clean()


def test_same_rows_and_problems(loaded: dict[tuple[str, str], Loaded]) -> None:
    assert len(loaded) == 3 * len(inputs())
    different = {
        case: outcome
        for case, outcome in loaded.items()
        if outcome.problem != outcome.problem_of_split or (outcome.problem is None and outcome.rows_that_differ != 0)
    }
    assert different == {}


def test_each_form_goes_the_way_it_should(loaded: dict[tuple[str, str], Loaded]) -> None:
    ways = {form: {outcome.way for (case, _), outcome in loaded.items() if case == form} for form in ("published", *FORMS)}
    assert {form for form, way in ways.items() if way == {"SPLIT"}} == NOT_PLAIN
    assert {form for form, way in ways.items() if way == {"COPY"}} == set(ways) - NOT_PLAIN


def test_generated_inputs_go_both_ways(loaded: dict[tuple[str, str], Loaded]) -> None:
    """Otherwise the comparison would say little of them."""
    ways = [outcome.way for (case, _), outcome in loaded.items() if case.startswith("generated") and outcome.problem is None]
    assert min(ways.count("COPY"), ways.count("SPLIT")) > GENERATED / 2, (ways.count("COPY"), ways.count("SPLIT"))
