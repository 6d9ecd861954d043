"""Writes docs/files.md from the tables that the tests read: `python tests/python/files_page.py`."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from accepted import CELLS, DATES, FILES, IDS, LISTS, MISSING_WORDS, TIMES, Cell
from conftest import PROJECT
from test_errors import FAULTS
from test_file_forms import FORMS

PAGE = PROJECT / "docs" / "files.md"
TITLES = {IDS: "Ids", LISTS: "Lists of compound ids", TIMES: "Run times", DATES: "Days"}
INTRODUCTION = """\
# Your files

For whoever brings the files: where they can be, how they can be written, and what is refused. This page is written by
`python tests/python/files_page.py` from the tables that the tests read, so each line of its tables is tested.

## Where they can be

`SEEDS_DIR` names a folder (absolute, or relative to the project) or an address: `https://`, `s3://`, `gs://`, `abfs://`,
`sftp://`, `hdfs://` or any other that [fsspec](https://filesystem-spec.readthedocs.io) knows. If a store needs a package
that is not installed, one sentence names it. Tokens and other options come from fsspec's settings, for example
`FSSPEC_HTTPS='{"client_kwargs": {"headers": {"Authorization": "Bearer ..."}}}'` in the environment.

Each of the tables `users`, `user_experiments` and `compounds` is one file, such as `users.csv`, `Users.CSV`, `users.tsv`,
`users.txt` or `users.xlsx`, or a folder of that name with parts: each with a header, columns in any order, in the order of
their names. The rows of each part are numbered by its own lines. Two files that could be the same table are an error. Files may be
packed by gzip, bzip2, xz or zstd, or be a zip with one file, whatever their names say.

Of a workbook, the sheet with the table's name is read, or the only one. Text is UTF-8, or UTF-16 where the first bytes show it;
`SEEDS_ENCODING` names any other encoding that Python knows, such as `cp1252`. A row may have 1 MiB.

## How they can be written

Cells are separated by commas, tabs, semicolons or pipes; a first line `sep=;` names the separator. Lines end in line feeds, carriage
returns or both. White space and characters without width around values are dropped; so are lines with nothing but
separators, white space and empty quotes, empty cells after the last column (if all rows have them), and repeated headers. In names of
columns, capitals, spaces, hyphens and points do not matter (`User ID` is `user_id`). All of these give the same rows:
"""
CELLS_TITLE = """
## How values can be written

A comma in a run time is a decimal comma if no run time in the file has a point and at least one comma cannot group
digits (`12,5`). Otherwise the run time is left empty, as is `1.234` in a file with a run time such as `1.234.567`: `FEATURES_DECIMAL=,` or `FEATURES_DECIMAL=.` says which mark is the decimal one.
"""
LEFT_OUT_TITLE = f"""
## What is left out, with a reason

A row without a usable id is rejected; any other value that cannot be used is left empty, and the row is used. Both are in
`rejected_rows`, and `make rejects` prints them. {", ".join(f"`{word}`" for word in MISSING_WORDS)} mean that a value is missing.
"""
REFUSED_TITLE = """
## Files that are refused

The table loaded before stays. A file is also refused if it changes while it is loaded. If more than half of a file's rows, or
of the filled cells of a column that a feature needs, cannot be used, nothing is published.

| file | message |
|---|---|
"""


def shown(text: str) -> str:
    """A cell as code in a table of Markdown."""
    text = text.replace("|", "\\|").replace("\t", "⇥").replace("\u00a0", "⍽")
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else "(empty)"


def value(cell: Cell) -> str:
    read = cell.read_as
    if isinstance(read, list):
        return ", ".join("*left out*" if entry is None else str(entry) for entry in read)
    return format(read.normalize(), "f") if isinstance(read, Decimal) else str(read)


def table(header: str, lines: Iterable[str]) -> str:
    return f"\n| {header} |\n|{'---|' * (header.count('|') + 1)}\n" + "".join(f"| {line} |\n" for line in lines)


def page() -> str:
    """The whole page."""
    cells = [cell for cell in CELLS if cell.found not in MISSING_WORDS]
    parts = [INTRODUCTION, "\n", "; ".join(FORMS), ".\n", CELLS_TITLE]
    for column, title in TITLES.items():
        read = [cell for cell in cells if cell.column == column and not isinstance(cell.read_as, str)]
        parts += [f"\n### {title}\n", table("what | written | read as", (f"{one.what} | {shown(one.found)} | {value(one)}" for one in read))]
    parts += [
        "\n### Commas in run times\n",
        table(
            "the file has | read as",
            (
                f"{file.what} | "
                + ", ".join(f"{shown(found)}: {value(Cell('', found, TIMES, read))}" for found, read in file.cells.items())
                for file in FILES
            ),
        ),
        LEFT_OUT_TITLE,
    ]
    refused = [cell for cell in cells if isinstance(cell.read_as, str) and cell.found]
    parts += [table("what | written | reason", (f"{one.what} | {shown(one.found)} | {one.read_as}" for one in refused)), REFUSED_TITLE]
    parts += [f"| {name} | {sentence} |\n" for name, (_, sentence) in FAULTS.items()]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
