"""Writes the three input files of the benchmark, with the same rows each time.

``python benchmarks/generate.py ROWS FOLDER [--form NAME]`` writes users.csv,
user_experiments.csv and compounds.csv with ROWS experiments. The form changes how the rows are
written, not their content.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count, starmap
from pathlib import Path

import numpy as np

SEED = 20231001
# Rows made at a time, which limits the memory needed, however many rows there are.
CHUNK = 250_000
MOST_COMPOUNDS = 1000
POPULARITY_EXPONENT = 0.8
LONGEST_LIST = 4
# Run times in hundredths, from 1.00 to 99.99.
SHORTEST_RUN_TIME, LONGEST_RUN_TIME = 100, 9999
SHARE_OF_BAD_ROWS = 1 / 1000
BAD_KINDS = (
    "unknown user",
    "unknown compound",
    "negative run time",
    "run time not a number",
    "missing user_id",
    "user_id not an integer",
    "exact duplicate",
    "duplicate key",
    "id listed twice",
    "empty list",
)


@dataclass(frozen=True)
class Form:
    """How a file is written.

    before_header, around_row, between_cells: the text written there. change: a function that rewrites a line, given with its
    line end and its number, which is 0 for the header. is_packed: whether the file is compressed with gzip.
    """

    before_header: str = ""
    around_row: str = ""
    between_cells: str = ","
    change: Callable[[str, int], str] | None = None
    is_packed: bool = False

    def row(self, *cells: str) -> str:
        """One line, with its line end."""
        return f"{self.around_row}{self.between_cells.join(cells)}{self.around_row}\n"


def with_quoted_lists(line: str, number: int) -> str:
    """Quotes the third cell, with commas instead of semicolons."""
    cells = line.split(",")
    return ",".join([*cells[:2], f'"{cells[2].replace(";", ",")}"', *cells[3:]]) if len(cells) > 3 and number else line


def odd(line: str, number: int) -> str:
    """Gives one line in a hundred an extra separator, or quotes that a cell does not need."""
    if not number or number % 100:
        return line
    first, _, others = line.partition(",")
    return f'"{first}",{others}' if number % 200 else line.replace("\n", ",\n")


FORMS = {
    "clean": Form(),
    # An empty line above the header and a tab after each comma, as in the published files.
    "published": Form(before_header="\n", between_cells=",\t"),
    "quoted": Form(around_row='"', between_cells='","'),
    "extra": Form(change=lambda line, number: line.replace("\n", ",note\n")),
    "trailing": Form(change=lambda line, number: line.replace("\n", ",\n")),
    "stray": Form(change=lambda line, number: line.replace("\n", '"\n') if number == 2 else line),
    "blank": Form(change=lambda line, number: line if number % 100 else line + "\n"),
    "odd": Form(change=odd),
    "inside": Form(change=with_quoted_lists),
    "gzip": Form(is_packed=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the input files of the benchmark.")
    parser.add_argument("rows", type=int, help="experiments, at least 1")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", choices=FORMS, default="clean")
    arguments = parser.parse_args()
    if arguments.rows < 1:
        parser.error("rows has to be at least 1")
    write_files(arguments.rows, arguments.folder, FORMS[arguments.form])


def write_files(rows: int, folder: Path, form: Form) -> None:
    """Writes the three files for `rows` experiments to `folder`, which is created if it does not exist."""
    users = max(rows // 50, 10)
    compounds = min(MOST_COMPOUNDS, max(3, rows // 10))
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "users.csv", form, ("user_id", "name", "email", "signup_date"), [user_rows(users)])
    write_file(
        folder / "compounds.csv",
        form,
        ("compound_id", "compound_name", "compound_structure"),
        [compound_rows(compounds)],
    )
    write_file(
        folder / "user_experiments.csv",
        form,
        ("experiment_id", "user_id", "experiment_compound_ids", "experiment_run_time"),
        experiment_rows(rows, users, compounds),
    )


def write_file(path: Path, form: Form, header: tuple[str, ...], chunks: Iterable[list[tuple[str, ...]]]) -> None:
    """Writes the header and the rows of each chunk; a row is a tuple of cells."""
    opened = gzip.open(path, "wt", 6, "utf-8", newline="") if form.is_packed else open(path, "w", encoding="utf-8", newline="")
    with opened as file:
        # Filling in a template per row takes half the time of joining its cells.
        template = form.row(*["{}"] * len(header)).format
        lines = chain([form.row(*header)], (line for rows in chunks for line in starmap(template, rows)))
        file.write(form.before_header)
        file.writelines(map(form.change, lines, count()) if form.change else lines)


def user_rows(users: int) -> list[tuple[str, ...]]:
    """One row per user: id, name, email and a sign-up date within two years."""
    first_day = date(2022, 1, 1)
    return [(str(user), f"User {user}", f"user{user}@example.com", (first_day + timedelta(days=user % 730)).isoformat()) for user in range(1, users + 1)]


def compound_rows(compounds: int) -> list[tuple[str, ...]]:
    """One row per compound: id, name and a formula."""
    return [(str(compound), f"Compound {compound}", f"C{compound}H{2 * compound + 2}") for compound in range(1, compounds + 1)]


def experiment_rows(rows: int, users: int, compounds: int) -> Iterator[list[tuple[str, ...]]]:
    """The rows of experiments, in chunks: experiment_id, user_id, the list of compounds, the run time; all as text."""
    random = np.random.default_rng(SEED)
    without_experiments = max(users * 2 // 100, 1)
    active_users = random.permutation(np.arange(1, users + 1))[without_experiments:]
    weights = np.arange(1, compounds + 1) ** -POPULARITY_EXPONENT
    shares = np.cumsum(weights / weights.sum())
    run_time_texts = texts(f"{hundredths / 100:.2f}" for hundredths in range(LONGEST_RUN_TIME + 1))
    for start in range(0, rows, CHUNK):
        size = min(CHUNK, rows - start)
        columns = [
            list(map(str, range(start + 1, start + size + 1))),
            list(map(str, random.choice(active_users, size).tolist())),
            compound_lists(random, shares, size),
            run_time_texts[random.integers(SHORTEST_RUN_TIME, LONGEST_RUN_TIME + 1, size)].tolist(),
        ]
        chunk = list(zip(*columns))
        spoil(random, chunk, users, compounds)
        yield chunk


def compound_lists(random: np.random.Generator, shares: np.ndarray, size: int) -> list[str]:
    """Lists of 1 to 4 different ids as text, such as "17;3".

    Args:
        shares: shape (compounds,), the cumulative share of draws for each compound; the last is 1, apart from rounding.
        size: the number of lists.
    """
    first = texts(str(compound) for compound in range(1, len(shares) + 1))
    later = texts(f";{compound}" for compound in range(1, len(shares) + 1))
    # Shape (size, 4), places of compounds. A last share just below 1 must not lead to a place after the last.
    drawn = np.minimum(np.searchsorted(shares, random.random((size, LONGEST_LIST))), len(shares) - 1)
    lengths = random.integers(1, LONGEST_LIST + 1, size)
    lists = first[drawn[:, 0]]
    for place in range(1, LONGEST_LIST):
        repeated = (drawn[:, :place] == drawn[:, place, None]).any(axis=1)
        lists = lists + np.where((place < lengths) & ~repeated, later[drawn[:, place]], "")
    return lists.tolist()


def spoil(random: np.random.Generator, chunk: list[tuple[str, ...]], users: int, compounds: int) -> None:
    """Makes one row in a thousand bad, in place, cycling through the kinds; at least one of each kind from 100 rows on.

    Any row but the first may become a duplicate, always of an earlier row in this chunk.
    """
    size = len(chunk)
    number = max(round(size * SHARE_OF_BAD_ROWS), min(len(BAD_KINDS), size // 10))
    places = 1 + random.choice(size - 1, number, replace=False) if number else []
    for turn, place in enumerate(places):
        earlier = chunk[random.integers(0, place)]
        chunk[place] = bad_row(BAD_KINDS[turn % len(BAD_KINDS)], chunk[place], earlier, users, compounds)


def bad_row(kind: str, row: tuple[str, ...], earlier: tuple[str, ...], users: int, compounds: int) -> tuple[str, ...]:
    """A row with the error `kind`, made from a good row and, for duplicates, an earlier one."""
    experiment, user, listed, run_time = row
    return {
        "unknown user": (experiment, str(users + 1), listed, run_time),
        "unknown compound": (experiment, user, f"{listed};{compounds + 1}", run_time),
        "negative run time": (experiment, user, listed, f"-{run_time}"),
        "run time not a number": (experiment, user, listed, "10 s"),
        "missing user_id": (experiment, "", listed, run_time),
        "user_id not an integer": (experiment, f"u{user}", listed, run_time),
        "exact duplicate": earlier,
        "duplicate key": (earlier[0], user, listed, run_time),
        "id listed twice": (experiment, user, f"{listed};{listed.split(';')[0]}", run_time),
        "empty list": (experiment, user, "", run_time),
    }[kind]


def texts(values: Iterable[str]) -> np.ndarray:
    """The texts as an array of objects, shape (number of texts,); taking them by index shares them."""
    return np.array(list(values), dtype=object)


if __name__ == "__main__":
    main()
