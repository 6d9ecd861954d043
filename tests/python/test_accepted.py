"""Every cell of accepted.py is read as stated there, on Postgres and on DuckDB."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

import pytest
from accepted import CELLS, DATES, FILES, IDS, LISTS, TIMES, Cell, File
from conftest import Project
from parity import CONNECTIONS, canonical, environment_of

EXPERIMENTS = ("experiment_id", IDS, LISTS, TIMES)
USERS = (IDS, "name", "email", DATES)
MODELS = ("stg_users", "stg_experiments")
# By the names of the input and the model: the rows by their numbers.
Staged = dict[tuple[str, str], dict[int, tuple]]
# The cells of a row are these, apart from the tested cell, and the first cell, which is the number of the row.
GOOD = {IDS: "1", LISTS: "1", TIMES: "1", "name": "", "email": "", DATES: "2024-01-01"}
OF_USERS = [cell for cell in CELLS if cell.column in (IDS, DATES)]
OF_EXPERIMENTS = [cell for cell in CELLS if cell.column in (LISTS, TIMES)]


def file_of(columns: Sequence[str], cells: Sequence[tuple[str, str]] = ()) -> bytes:
    """A CSV file with a row for each cell, given by its column and its text."""
    text = io.StringIO()
    rows = csv.DictWriter(text, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
    rows.writeheader()
    for number, (column, found) in enumerate(cells, 1):
        row = {**GOOD, columns[0]: str(number), column: found}
        rows.writerow({name: row[name] for name in columns})
    return text.getvalue().encode()


def inputs() -> dict[str, dict[str, bytes]]:
    """The inputs by name: one with all cells that do not depend on others, and the files in which commas and points decide."""
    tables = {"cells": {
        "users": file_of(USERS, [(cell.column, cell.found) for cell in OF_USERS]),
        "user_experiments": file_of(EXPERIMENTS, [(cell.column, cell.found) for cell in OF_EXPERIMENTS]),
    }}  # fmt: skip
    for file in FILES:
        experiments = file_of(EXPERIMENTS, [(TIMES, found) for found in file.cells])
        tables[file.what] = {"users": file_of(USERS), "user_experiments": experiments}
    compounds = file_of(("compound_id", "compound_name", "compound_structure"))
    return {what: {**files, "compounds": compounds} for what, files in tables.items()}


@pytest.fixture(scope="module", params=["postgres", "duckdb"])
def staged(request: pytest.FixtureRequest, make_project: Callable[..., Project]) -> Staged:
    """The rows of the staging models on an engine; all inputs are loaded at once, and the models are compiled per setting."""
    engine = request.param
    project = make_project(f"accepted_{engine}")
    project.environment = environment_of(project.folder, project.environment)
    cases = inputs()
    for number, files in enumerate(cases.values()):
        folder = project.folder / "cases" / str(number)
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / f"{name}.csv").write_bytes(content)
    arguments = json.dumps({"folder": str(project.folder / "cases"), "count": len(cases)})
    printed = project.dbt("run-operation", "load_tables_of_cases", "--args", arguments, "--quiet", "--target", engine)
    assert "problem" not in printed

    models = {decimal: compiled(project, engine, decimal) for decimal in ("", ",", ".")}
    settings = {"cells": "", **{file.what: file.decimal for file in FILES}}
    connection = CONNECTIONS[engine](project)
    rows: Staged = {}
    for number, what in enumerate(cases):
        for model, sql in models[settings[what]].items():
            found = map(canonical, connection.rows(f"({sql.replace('case_number', f'case_{number}')}) as staged"))
            rows[what, model] = {int(row[0]): row for row in found}
    return rows


def compiled(project: Project, engine: str, decimal: str) -> dict[str, str]:
    """The staging models on the tables of the case `case_number`."""
    project.dbt("compile", "--select", *MODELS, "--quiet", "--target", engine, FEATURES_DECIMAL=decimal, DBT_WRITE_JSON="true")
    nodes = json.loads((project.folder / "target" / "manifest.json").read_text())["nodes"].values()
    seeds = {node["relation_name"]: f"{node['schema']}.case_number_{node['name']}" for node in nodes if node["resource_type"] == "seed"}
    models = {node["name"]: node["compiled_code"] for node in nodes if node["name"] in MODELS}
    for name in models:
        for relation, table in seeds.items():
            models[name] = models[name].replace(relation, table)
    return models


def read_as(cell: Cell, row: tuple) -> tuple:
    """The value of a cell in a staged row, or the code of the reason why it has none; and the detail."""
    if cell.column == IDS:
        number, user_id, name, email, day, day_reason, reason, detail = row
        return user_id if reason is None else reason, detail
    if cell.column == DATES:
        number, user_id, name, email, day, day_reason, reason, detail = row
        return day if day_reason is None else day_reason, detail
    number, experiment_id, user_id, compounds, time, time_reason, reason, detail = row
    if cell.column == LISTS:
        return compounds or "no_compounds", detail
    return time if time_reason is None else time_reason, detail


@pytest.mark.parametrize("model, cells", [("stg_users", OF_USERS), ("stg_experiments", OF_EXPERIMENTS)])
def test_every_cell(staged: Staged, model: str, cells: list[Cell]) -> None:
    rows = staged["cells", model]
    expected = [(cell, *canonical((cell.read_as, cell.detail))) for cell in cells]
    found = [(cell, *read_as(cell, rows[number])) for number, cell in enumerate(cells, 2)]
    assert [pair for pair in zip(expected, found, strict=True) if pair[0] != pair[1]] == []
    assert len(rows) == len(cells)


@pytest.mark.parametrize("file", FILES, ids=[file.what for file in FILES])
def test_commas_and_points(staged: Staged, file: File) -> None:
    rows = staged[file.what, "stg_experiments"]
    found = [read_as(Cell(file.what, text, TIMES, ""), rows[number])[0] for number, text in enumerate(file.cells, 2)]
    assert dict(zip(file.cells, found, strict=True)) == dict(zip(file.cells, canonical(file.cells.values()), strict=True))


def test_wrong_setting(project: Project) -> None:
    output = project.dbt("build", "--select", "+stg_experiments", succeeds=False, FEATURES_DECIMAL="comma")
    assert 'FEATURES_DECIMAL is "comma"; set it to a comma or a point, or unset it.' in " ".join(output.split())
