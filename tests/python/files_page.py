"""Writes docs/files.md from the tables that the tests read: `python tests/python/files_page.py`."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from accepted import CELLS, DATES, FILES, IDS, LISTS, MISSING_WORDS, TIMES, Cell
from conftest import PROJECT
from test_errors import FAULTS
from test_file_forms import FORMS

PAGE = PROJECT / "docs" / "files.md"
TITLES = {IDS: "Ids", LISTS: "Lists of compound ids", TIMES: "Run times", DATES: "Dates"}
INTRODUCTION = """\
# Your files

For anyone who supplies the files: where they can be, how they can be written, what happens to bad rows, and which files are refused.
`python tests/python/files_page.py` generates this page; its examples are test cases, so each of them is tested.

## Where they can be

`SEEDS_DIR` (default: `seeds/`) names a folder (absolute, or relative to the project) or an address: `https://`, `s3://`, `gs://`,
`abfs://`, `sftp://`, `hdfs://` or any other that [fsspec](https://filesystem-spec.readthedocs.io) supports. If a required package is
missing, the error names the package. Tokens and other options come from fsspec's configuration, for example
`FSSPEC_HTTPS='{"client_kwargs": {"headers": {"Authorization": "Bearer ..."}}}'` in the environment.

Each of the tables `users`, `user_experiments` and `compounds` is one file (such as `users.csv`, `Users.CSV`, `users.tsv`, `users.txt` or
`users.xlsx`) or a folder of that name with several parts. Each part has a header, with columns in any order; parts are read in order of
name, and messages about a rejected row name the part and the line in it. Two files that could be the same table cause an error. Keep
`users.csv`, `user_experiments.csv` and `compounds.csv` in `seeds/` even if `SEEDS_DIR` is set: dbt knows the tables by these names. Any
other CSV file in `seeds/` also becomes a table, with the columns that its YAML describes, or all if it describes none. If `SEEDS_DIR` is
set, its rows come from the file with the same name in `SEEDS_DIR`.

A text file may be compressed with gzip, bzip2, xz or zstd, or be a zip archive of one file, with or without the usual extension. In a
workbook, the sheet with the table's name is read, or the only sheet; notes beside the table, after an empty column, are ignored. Text is
read as UTF-8, or UTF-16 if its first bytes show that; `SEEDS_ENCODING` names another encoding, such as `cp1252`. A row may be up to 1 MiB.

## How they can be written

Commas, tabs, semicolons or pipes separate cells; a first line such as `sep=^` names another separator. Lines end in line feeds, carriage
returns or both. The reader drops white space and zero-width characters around values; repeated headers; lines that contain only separators,
white space and empty quotes; and, if all rows have them, empty cells after the last column. In column names, case does not matter, and
spaces, hyphens and dots count as underscores (`User ID` is `user_id`). All of these give the same rows:
"""
CELLS_TITLE = """
## How values can be written

A comma in a run time is a decimal comma if no number in the column has a point and at least one comma cannot be a thousands separator
(`12,5`), or if points are thousands separators (`1.234,5`). Commas are thousands separators if one is before a point (`1,234.5`). If
neither is the case, or both, run times that could have two meanings are left empty. `FEATURES_DECIMAL=,` or `FEATURES_DECIMAL=.` names the
decimal mark; set it for `dbt seed`, too, since it also decides how numbers in a workbook are read.
"""
LEFT_OUT_TITLE = f"""
## What happens to bad rows

| problem | what happens |
|---|---|
| id missing, not a whole number or too large; row that cannot be split into its columns; experiment whose user has no accepted row | the row is rejected |
| duplicate row; same id as an earlier row, but different content | the row is rejected; the first row with that id is used |
| run time or sign-up date missing or unusable; list of compounds empty | the row is used, and the experiment counts, with that cell empty |
| unknown or unusable ids in a list of compounds | the row is used, and the experiment counts, without these ids |

Each such row or cell has a row in `features.rejected_rows`, with its file, line number (as a text editor shows it), column, reason,
remedy, and whether the row was used. The row's text, which may contain names, is in `features_staging.int_rejected_row_text`. A run ends
with one sentence per cause, at most five per file, the most frequent first; the run log and the HTTP service give the same sentences.
`make rejects` prints all causes, then every row with its text. A sentence quotes a cell unless it may hold a name or an e-mail address:

```text
user_experiments.csv: all 12 rows: the user_id is not a whole number, for example "2a" on line 2; write the user_id as a
whole number using the digits 0 to 9.
```

If a file seems wrong as a whole, no command publishes anything, not even `dbt run`. A file seems wrong if it has no rows; if more than 10
of its rows, and more than 1% of them, are rejected; if more than half of its rows are rejected, however small the file; if more than half
of its filled run times are unusable; or if more than half of its filled lists have unusable items or no known compound. Rejects within
these limits (variables in `dbt_project.yml`) only cause a warning that gives their number.

In upper or lower case, {", ".join(f"`{word}`" for word in MISSING_WORDS if word not in ("n/a", "null"))} stand for a missing value; among names, e-mail addresses and structures, only `\\N`, `<NA>`, `(null)`, `[NULL]` and spreadsheet errors such as `#N/A` and `#REF!` do. Other values that cannot be used, by reason code (column `code` of `features_staging.int_rejected_rows`; see also [Commas in run times](#commas-in-run-times)):
"""
REFUSED_TITLE = """
## Files that are refused

Loading such a file, or one that changes meanwhile, fails with one sentence that names it, and the table keeps its previous rows.

| file | message |
|---|---|
"""


def shown(text: str) -> str:
    """A cell as code, for a Markdown table."""
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
            "the file has | each run time, and its value or the reason code if it is left empty",
            (f"{file.what} | " + ", ".join(f"{shown(found)}: {value(Cell('', found, TIMES, read))}" for found, read in file.cells.items()) for file in FILES),
        ),
        LEFT_OUT_TITLE,
    ]
    refused: dict[str, list[str]] = {}
    for cell in cells:
        if isinstance(cell.read_as, str) and cell.found:
            refused.setdefault(cell.read_as, []).append(f"{shown(cell.found)} ({cell.what})")
    parts += [table("code | written", (f"`{reason}` | {'; '.join(written)}" for reason, written in refused.items())), REFUSED_TITLE]
    faults: dict[str, list[str]] = {}
    for name, (_, sentence) in FAULTS.items():
        faults.setdefault(sentence, []).append(name)
    parts += [f"| {'; '.join(names)} | {sentence} |\n" for sentence, names in faults.items()]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
