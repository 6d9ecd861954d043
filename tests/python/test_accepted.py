"""Every cell of accepted.py is read as it says, on Postgres and on DuckDB."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

import pytest
from accepted import CELLS, DATES, FILES, IDS, LISTS, TIMES, Cell, Value
from conftest import Project
from parity import CONNECTIONS, environment_of

EXPERIMENTS = ("experiment_id", IDS, LISTS, TIMES)
USERS = (IDS, "name", "email", DATES)
COMPOUNDS = "compound_id,compound_name,compound_structure\n1,A,\n"
READ = Callable[[str, str], dict[int, tuple]]


def file_of(columns: Sequence[str], cells: Sequence[tuple[str, str]]) -> str:
    """A CSV file with a row for each cell: its other cells are good ones, its id the number of the row."""
    good = dict(zip((*EXPERIMENTS, *USERS), ("1", "1", "1", "1", "1", "", "", "2024-01-01")))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    rows.writerow(columns)
    for number, (column, found) in enumerate(cells, 1):
        rows.writerow([*({**good, columns[0]: str(number), column: found}[name] for name in columns)])
    return text.getvalue()


@pytest.fixture(scope="module", params=["postgres", "duckdb"])
def read(request: pytest.FixtureRequest, project: Project) -> Iterator[READ]:
    """Builds the staging models on an engine, and gives a function that reads one of them by row numbers."""
    project.environment = environment_of(project.folder, project.environment)

    def build(decimal: str, model: str) -> dict[int, tuple]:
        project.dbt(
            "build", "--select", "+path:models/staging", "--exclude-resource-type", "unit_test", "--quiet",
            "--target", request.param, FEATURES_DECIMAL=decimal,
        )  # fmt: skip
        return rows(project, request.param, model)

    yield build


def rows(project: Project, engine: str, model: str) -> dict[int, tuple]:
    """What stg_users or stg_experiments has for each row: value or values, reason and detail."""
    columns = {
        "stg_users": "row_number, user_id, signup_date, signup_date_reason, reject_reason, reject_detail",
        "stg_experiments": "row_number, compound_ids, experiment_run_time, experiment_run_time_reason, reject_reason, reject_detail",
    }
    connection = CONNECTIONS[engine](project)
    found = {row[0]: row[1:] for row in connection.rows(f"(select {columns[model]} from {project.schema}_staging.{model}) as it")}
    connection.connection.close()
    return found


def outcome(cell: Cell, row: tuple) -> tuple[Value | str | None, str | None]:
    """What a row's cell was read as: its value, or else the reason, and the detail."""
    first, second, cell_reason, reject_reason, detail = row
    if cell.column in (IDS, LISTS):
        return (("no_compounds" if first == [] else first) if reject_reason is None else reject_reason, detail)
    return (second if cell_reason is None else cell_reason, detail)


def test_every_cell(read: READ, project: Project, request: pytest.FixtureRequest) -> None:
    of_users = [cell for cell in CELLS if cell.column in (IDS, DATES)]
    of_experiments = [cell for cell in CELLS if cell.column in (LISTS, TIMES)]
    project.write(
        users=file_of(USERS, [(cell.column, cell.found) for cell in of_users]),
        user_experiments=file_of(EXPERIMENTS, [(cell.column, cell.found) for cell in of_experiments]),
        compounds=COMPOUNDS,
    )
    found = {"stg_experiments": read("", "stg_experiments")}
    found["stg_users"] = rows(project, request.node.callspec.params["read"], "stg_users")
    differences = [
        (cell, here)
        for model, cells in (("stg_users", of_users), ("stg_experiments", of_experiments))
        for number, cell in enumerate(cells, 2)
        if (here := outcome(cell, found[model][number])) != (cell.read_as, cell.detail)
    ]
    assert differences == []


@pytest.mark.parametrize("file", FILES, ids=[file.what for file in FILES])
def test_commas(read: READ, project: Project, file: str) -> None:
    project.write(user_experiments=file_of(EXPERIMENTS, [(TIMES, found) for found in file.cells]), compounds=COMPOUNDS)
    found = read(file.decimal, "stg_experiments")
    assert {text: found[number][1] if found[number][2] is None else found[number][2] for number, text in enumerate(file.cells, 2)} == file.cells


def test_wrong_setting(project: Project) -> None:
    output = project.dbt("build", "--select", "+stg_experiments", succeeds=False, FEATURES_DECIMAL="comma")
    assert 'FEATURES_DECIMAL is "comma"; set it to a comma or a point, or not at all.' in " ".join(output.split())
