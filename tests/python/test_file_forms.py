"""Every form of the same files gives the same features and the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from cases import Outcome, prepare, run
from conftest import BUILD, FEATURES, FILES, PUBLISHED, Project
from test_published_input import EXPECTED


def rows_of(name: str) -> list[list[str]]:
    lines = (PUBLISHED / name).read_text().strip().split("\n")
    return [line.split(",\t") for line in lines]


def written(rows: list[list[str]], **options: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **options).writerows(rows)
    return text.getvalue()


def reordered(rows: list[list[str]]) -> str:
    return written([list(reversed(row)) for row in rows])


def with_more_columns(rows: list[list[str]]) -> str:
    return written([[f"extra {n}", *row, "" if n else "note, more"] for n, row in enumerate(rows)])


def quoted_behind_tabs(rows: list[list[str]]) -> str:
    return "\n".join(",\t".join(f'"{cell}"' for cell in row) for row in rows)


def quoted_with_the_tab_inside(rows: list[list[str]]) -> str:
    return "\n".join(",".join(f'"\t{cell}"' if n else f'"{cell}"' for n, cell in enumerate(row)) for row in rows)


FORMS: dict[str, Callable[[list[list[str]]], str]] = {
    "no white space": lambda rows: written(rows),
    "no newline at the end": lambda rows: written(rows).rstrip("\n"),
    "several newlines at the end": lambda rows: written(rows) + "\n\n\n",
    "blank lines between rows": lambda rows: written(rows).replace("\n", "\n \t\n\n"),
    "several blank lines first": lambda rows: "\n\n  \n" + written(rows),
    "CRLF": lambda rows: written(rows).replace("\n", "\r\n"),
    "CR": lambda rows: written(rows).replace("\n", "\r"),
    "byte-order mark": lambda rows: "\ufeff" + written(rows),
    "byte-order mark, empty first line, CRLF": lambda rows: "\ufeff\r\n" + written(rows).replace("\n", "\r\n"),
    "everything quoted": lambda rows: written(rows, quoting=csv.QUOTE_ALL),
    "everything quoted, CRLF": lambda rows: written(rows, quoting=csv.QUOTE_ALL).replace("\n", "\r\n"),
    "a comma and a tab before each quote": quoted_behind_tabs,
    "a tab inside each quote": quoted_with_the_tab_inside,
    "tabs as the separator": lambda rows: written(rows, delimiter="\t"),
    "tabs as the separator, quoted": lambda rows: written(rows, delimiter="\t", quoting=csv.QUOTE_ALL),
    "semicolons as the separator": lambda rows: written(rows, delimiter=";"),
    "spaces around values": lambda rows: "\n".join(" , ".join(f"  {cell} " for cell in row) for row in rows),
    "non-breaking spaces around values": lambda rows: "\n".join(",".join(f"\u00a0{cell}\u00a0" for cell in row) for row in rows),
    "every kind of white space around quotes": lambda rows: "\n".join(",".join(f'\v\f\u00a0\ufeff "{cell}"\f' for cell in row) for row in rows),
    "columns in another order": reordered,
    "extra columns": with_more_columns,
    "pipes as the separator": lambda rows: written(rows, delimiter="|"),
    "a first line that names the separator": lambda rows: "sep=;\n" + written(rows, delimiter=";"),
    "line endings of all kinds": lambda rows: "\r".join("\r\n".join(",".join(row) for row in rows[place : place + 2]) for place in range(0, len(rows), 2)),
    "empty cells after the last column": lambda rows: written([[*row, "", ""] for row in rows]),
    "empty cells after the last column of every row but the header": lambda rows: written([rows[0], *([*row, ""] for row in rows[1:])]),
    "lines of separators and empty quotes": lambda rows: written(rows).replace("\n", '\n,,\n"",""\n'),
    "zero-width characters": lambda rows: written([[f"\u200b{cell}\u2060" for cell in row] for row in rows]),
    "an end-of-file character": lambda rows: written(rows) + "\x1a",
    "column names spelled differently": lambda rows: written([[cell.replace("_", " ").title() for cell in rows[0]], *rows[1:]]),
    "header in capitals": lambda rows: written([[cell.upper() for cell in rows[0]], *rows[1:]]),
    "header repeated between rows": lambda rows: written([*rows[:3], rows[0], *rows[3:], rows[0]]),
    "leading zeros in ids": lambda rows: written([rows[0], *([f"00{row[0]}", *row[1:]] for row in rows[1:])]),
}


QUOTES_AND_LINE_BREAKS = (
    'compound_id,compound_name,compound_structure\n1,"Compound A, ""pure"" or\r\nnot; quite",C20H25N3O\n2, "line\n\nfeeds", "C21\n"\n3,12" gauge,5" x 6"\n'
)
EMPTY_FIRST_CELL = 'compound_id\tcompound_name\tcompound_structure\n\t"x"\ty\n1\ta\t\n2\tb\t\n3\tc\t'


@pytest.fixture(scope="module")
def outcomes(project: Project) -> dict[str, Outcome]:
    published = {name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES}
    inputs = {form: {name.removesuffix(".csv"): write(rows_of(name)).encode() for name in FILES} for form, write in FORMS.items()}
    inputs["published"] = published
    inputs["quotes and line breaks"] = {**published, "compounds": QUOTES_AND_LINE_BREAKS.encode()}
    inputs["empty first cell"] = {**published, "compounds": EMPTY_FIRST_CELL.encode()}
    prepare(project)
    return dict(zip(inputs, run(project, list(inputs.values()))))


@pytest.mark.parametrize("form", ["published", *FORMS])
def test_same_features(outcomes: dict[str, Outcome], form: str) -> None:
    outcome = outcomes[form]
    assert outcome.problem is None
    features = sorted(tuple(row[name] for name in FEATURES) for row in outcome.relations["features"])
    assert features == EXPECTED
    assert outcome.relations["rejects"] == []
    assert outcome.failed_tests == []


def test_commas_quotes_and_line_breaks_inside_quotes(outcomes: dict[str, Outcome]) -> None:
    """Values arrive unchanged, and rows are numbered by the line on which they begin."""
    outcome = outcomes["quotes and line breaks"]
    assert sorted(tuple(row.values()) for row in outcome.relations["raw_compounds"]) == [
        (2, "1", 'Compound A, "pure" or\r\nnot; quite', "C20H25N3O", None, None),
        (4, "2", "line\n\nfeeds", "C21", None, None),
        (8, "3", '12" gauge', '5" x 6"', None, None),
    ]
    assert outcome.relations["rejects"] == []


def test_tab_separated_cells_keep_their_place(outcomes: dict[str, Outcome]) -> None:
    """An empty first cell before a tab is a missing id, not white space to trim."""
    rejects = outcomes["empty first cell"].relations["rejects"]
    assert [(row["file"], row["row_number"], row["code"]) for row in rejects] == [("compounds.csv", 2, "missing_id")]


def test_through_dbt_itself(project: Project) -> None:
    """The forms above go through `dbt seed`'s own macro; one of the hardest goes through the whole command."""
    form = FORMS["byte-order mark, empty first line, CRLF"]
    other = Project(project.folder / "whole", "file_forms_whole", project.environment)
    other.write(**{name.removesuffix(".csv"): form(rows_of(name)) for name in FILES})
    other.dbt(*BUILD, "--quiet")
    assert other.features() == EXPECTED
