"""A file that the server takes apart in several pieces: its later lines are read as its first ones are."""

from __future__ import annotations

import pytest
from conftest import FILES, PUBLISHED, Project

# Twenty thousand lines of a thousand characters are 20 MB, and a piece has 16.
LINES = [f"{number},{'x' * 1000},user@example.com,2023-01-01" for number in range(1, 20_001)]
HEADER = "user_id,name,email,signup_date"


@pytest.fixture
def lines() -> list[str]:
    return list(LINES)


def loaded(project: Project, lines: list[str]) -> list[tuple]:
    """The rows that are not as the others: row number, user_id, name, what is wrong."""
    project.write(users="\n".join([HEADER, *lines]))
    project.dbt("seed", "--select", "users", "--quiet")
    return project.query(
        "select row_number, user_id, name, row_fault from {schema}_raw.users"
        " where length(name) <> 1000 or row_number <> user_id::bigint + 1 or row_fault is not null order by row_number"
    )


def test_ordinary_lines(project: Project, lines: list[str]) -> None:
    """By COPY at first; with one more column, in pieces."""
    assert loaded(project, lines) == []
    assert project.query("select count(*), max(row_number) from {schema}_raw.users") == [(20_000, 20_001)]
    project.write(users="\n".join([f"{HEADER},note", *(f"{line}," for line in lines)]))
    assert "SPLIT 20000" in project.dbt("seed", "--select", "users")
    assert project.query("select * from {schema}_raw.users where length(name) <> 1000 or row_number <> user_id::bigint + 1") == []
    assert project.query("select count(*), max(row_number) from {schema}_raw.users") == [(20_000, 20_001)]


def test_faults(project: Project, lines: list[str]) -> None:
    """The first line, with a quote inside a cell, has the file taken apart."""
    lines[0] = f'1,{"x" * 999}",user@example.com,2023-01-01'
    lines[17_999] = "18000,too few"
    lines[18_999] = "19000,short,user@example.com,2023-01-01"
    assert loaded(project, lines) == [
        (18_001, None, None, "2 cells where the header has 4"),
        (19_001, "19000", "short", None),
    ]


def test_quotes(project: Project, lines: list[str]) -> None:
    lines[0] = f'1,{"x" * 999}",user@example.com,2023-01-01'
    lines[18_999] = '19000,"a, ""b""",user@example.com,2023-01-01'
    assert loaded(project, lines) == [(19_001, "19000", 'a, "b"', None)]


@pytest.mark.parametrize("way", ["COPY", "SPLIT"])
def test_line_breaks_in_quotes(project: Project, lines: list[str], way: str) -> None:
    if way == "SPLIT":
        lines[0] = f'1,{"x" * 999}",user@example.com,2023-01-01'
    lines[19_997] = '19998,"a\n\nb",user@example.com,2023-01-01'
    assert loaded(project, lines) == [
        (19_999, "19998", "a\n\nb", None),
        (20_002, "19999", "x" * 1000, None),
        (20_003, "20000", "x" * 1000, None),
    ]
    assert f"{way} 20000" in project.dbt("seed", "--select", "users")


def test_carriage_return_in_a_last_line_without_line_end(project: Project, lines: list[str]) -> None:
    """It makes no file of carriage returns of the piece that the line is."""
    lines = [f'1,{"x" * 999}",user@example.com,2023-01-01', *lines[1:-1]]
    while len("\n".join([HEADER, *lines])) > 16 * 2**20:
        lines.pop()
    lines.append(LINES[len(lines)])
    lines.append(f'{len(lines) + 1},"a\rb",user@example.com,2023-01-01')
    assert loaded(project, lines) == [(len(lines) + 1, str(len(lines)), "a\rb", None)]


def test_text_that_is_not_utf_8(project: Project, lines: list[str]) -> None:
    lines[18_999] = "19000,José,user@example.com,2023-01-01"
    project.write(users="\n".join([HEADER, *lines]).encode("latin-1"))
    output = project.dbt("seed", "--select", "users", succeeds=False)
    assert "line 19001 is not UTF-8 text; save the file as UTF-8 and load it again." in " ".join(output.split())


def test_faults_at_row_900_000(project: Project) -> None:
    """Of a million rows: rejected with their row numbers, as in a file of ten, whichever way the file is loaded."""
    header = "experiment_id,user_id,experiment_compound_ids,experiment_run_time"
    lines = [f"{number},{number % 10 + 1},1;3,12.5" for number in range(1, 1_000_001)]
    lines[899_998] = "x,1,1;3,12.5"
    lines[899_999] = "900000,1,1;99,12.5"
    lines[900_000] = "900001,1"
    project.write(**{name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES})
    project.write(user_experiments="\n".join([header, *lines]))
    assert "COPY 1000000" in project.dbt("seed")
    project.dbt("run", "--quiet")
    rejects = "select row_number, column_name, reason from {schema}.rejected_rows order by row_number"
    assert project.query(rejects) == [
        (900_000, "experiment_id", "The experiment_id is not a whole number."),
        (900_001, "experiment_compound_ids", "Left out of the list: not in compounds.csv: 99."),
        (900_002, "", "The row has 2 cells where the header has 4."),
    ]

    lines[10] = '11,1,"1;\n3",12"5'
    project.write(user_experiments="\n".join([header, *lines]))
    assert "SPLIT 1000000" in project.dbt("seed")
    assert project.query(
        "select row_number, row_fault from {schema}_raw.user_experiments where experiment_id = 'x' or row_fault is not null"
    ) == [(900_001, None), (900_003, "2 cells where the header has 4")]
