"""A plain-Python oracle: the results that the project must compute from three CSV files.

It is an independent reading of the specification, written to be obvious rather than
fast, and shares no code with the SQL that it is compared with.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

# All characters that Python treats as white space, and invisible ones.
WHITE_SPACE = "".join(filter(str.isspace, map(chr, range(0x10000)))) + "\x1a\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
WHITE_SPACE += "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SEPARATORS = ",\t;|"
MAX_KEY = 9223372036854775807
MAX_RUN_TIME_DIGITS, MAX_RUN_TIME_PLACES = 10, 18
USERS, EXPERIMENTS, COMPOUNDS = "users.csv", "user_experiments.csv", "compounds.csv"

# The required columns of each file, in the order in which load errors are reported.
# The first column is the id.
COLUMNS: dict[str, tuple[str, ...]] = {
    USERS: ("user_id", "name", "email", "signup_date"),
    EXPERIMENTS: ("experiment_id", "user_id", "experiment_compound_ids", "experiment_run_time"),
    COMPOUNDS: ("compound_id", "compound_name", "compound_structure"),
}

# Marks for a missing value, and errors of spreadsheets.
NO_NAMES = {"\\N", "<NA>", "(NULL)", "[NULL]", "#N/A", "#NULL!", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!"}
MISSING = {"[NULL]", "?", "--", "–", "—", "N.D.", "ND", "MISSING"}
# (file, row_number, column_name, row_kept, fault)
Rejected = tuple[str, int, str, bool, str]


class LoadError(Exception):
    """A file that cannot be loaded.

    problem: empty, missing_column, duplicate_column, not_utf8 or unclosed_quote.
    """

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(file, problem)
        self.file = file
        self.problem = problem


@dataclass(frozen=True)
class Result:
    """The result of `compute`: one dict per valid user, totals, the compounds that were used, and the rejects."""

    features: list[dict[str, Any]]
    summary: dict[str, Any]
    usage: list[dict[str, Any]]
    rejected: set[Rejected]
    rows_read: dict[str, int]


@dataclass(frozen=True)
class Record:
    """A record: its first line (from 1), its cells, unquoted and trimmed, whether its quotes are wrong, and its lines if there are several."""

    line: int
    cells: tuple[str, ...]
    is_wrong: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A loaded file.

    rows: records with only their required cells, in the order of COLUMNS;
    wrong_count: the lines of the records with too many or too few cells.
    """

    rows: list[Record]
    wrong_count: list[int]


@dataclass(frozen=True)
class Experiment:
    """A used experiment: its run time, if known, and its known compounds."""

    user: int
    run_time: Fraction | None
    compounds: Set[int]


def compute(users: bytes, experiments: bytes, compounds: bytes) -> Result:
    """The features, summary and rejects for three files given as bytes.

    Raises LoadError for the first of users, experiments, compounds that cannot be loaded.
    """
    tables = {file: load(file, data) for file, data in zip(COLUMNS, (users, experiments, compounds))}
    rejected: set[Rejected] = set()
    valid = {file: valid_rows(file, tables[file], rejected) for file in COLUMNS}

    for row in valid[USERS].values():
        if fault := date_fault(row.cells[3]):
            rejected.add((USERS, row.line, "signup_date", True, fault))
    used: list[Experiment] = []
    marks = meaning_of_marks([row.cells[3] for row in tables[EXPERIMENTS].rows])
    for row in valid[EXPERIMENTS].values():
        if parse_key(row.cells[1]) in valid[USERS]:
            used.append(read_experiment(row, marks, valid[COMPOUNDS].keys(), rejected))
        else:
            rejected.add((EXPERIMENTS, row.line, "user_id", False, "unknown_user"))

    names = {key: "" if row.cells[1].upper() in NO_NAMES else row.cells[1] for key, row in valid[COMPOUNDS].items()}
    uses = Counter(compound for e in used for compound in e.compounds)
    return Result(
        features=[user_features(user, [e for e in used if e.user == user], names) for user in sorted(valid[USERS])],
        summary=summarise(len(valid[USERS]), used),
        usage=[{"compound_id": key, "compound_name": names[key] or None, "experiments": uses[key]} for key in sorted(uses)],
        rejected=rejected,
        rows_read={f: len(t.rows) + len(t.wrong_count) for f, t in tables.items()},
    )


def load(file: str, data: bytes) -> Table:
    """The rows of one file. Raises LoadError."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise LoadError(file, "not_utf8") from None
    if "\0" in text:
        raise LoadError(file, "not_utf8")
    separator = find_separator(file, text)
    records, is_closed = split_records(text, separator)
    if not records:
        raise LoadError(file, "empty" if is_closed else "unclosed_quote")

    header, *body = records
    width = max(place for place, cell in enumerate(header.cells) if cell) + 1
    surplus = len(header.cells) - width or None
    is_surplus_in_header = bool(surplus)
    full = {width - 1, len(header.cells) - 1}
    header = Record(header.line, header.cells[:width])
    places = find_columns(file, header)
    names = list(map(normal, header.cells))
    named = {place: next((name for name in reversed(names[:place]) if name), "") for place, name in enumerate(names) if not name}
    unnamed = [place for place, name in named.items() if name in COLUMNS[file]]
    table = Table([], [])
    last_line, other_header = header.line + max(0, len(records[0].lines) - 1), 0
    for record in body:
        cells = record.cells
        # Lines in which a quote may be open count as a row each, so none of them is blank.
        is_after_blank, last_line = record.line > last_line + 1, record.line + max(0, len(record.lines) - 1)
        if is_after_blank:
            other_header = 0
        if record.is_wrong or has_swallowed_rows(record.lines, separator, full):
            table.wrong_count.extend(range(record.line, record.line + max(1, len(record.lines))))
            surplus = surplus or 0
            continue
        if list(map(normal, cells[:width])) == names and not any(cells[width:]):
            continue
        if cells and not cells[0].isdigit() and is_other_header(list(map(normal, cells)), names, COLUMNS[file]):
            raise LoadError(file, "another_header")
        if other_header and "".join(cells[places[0] : places[0] + 1]).isdigit():
            raise LoadError(file, "another_table")
        filled = list(filter(None, cells))
        if is_after_blank and len(filled) > 1 and not any(re.match("[-+.0-9]", cell) for cell in filled):
            other_header = record.line
        if surplus is None:
            surplus = len(cells) - width if len(cells) > width and not any(cells[width:]) else 0
            if surplus == 1 and cells[0].isdigit() and cells[1].isdigit() and names[1].endswith("name"):
                raise LoadError(file, "row_names")
        if surplus and not is_surplus_in_header and (
            names[-1] not in COLUMNS[file] or len(cells) == width or (len(cells) == width + surplus and any(cells[width:]))
        ):  # fmt: skip
            raise LoadError(file, "unclear_cells")
        if len(cells) not in (width, width + surplus) or any(cells[width:]) or any(cells[place] for place in unnamed):
            table.wrong_count.append(record.line)
            continue
        table.rows.append(Record(record.line, tuple(cells[place] for place in places)))
    # What is wrong with a row above the quote is found first.
    if not is_closed:
        raise LoadError(file, "unclosed_quote")
    return table


def has_swallowed_rows(lines: Sequence[str], separator: str, full: Set[int]) -> bool:
    """Whether a record has swallowed rows by a quote left open.

    Its ends look like a row, or its start and a later line like the start of one and a quote is out of place.
    """
    if len(lines) < 2:
        return False
    counts = [line.count(separator) for line in lines]
    numbered = [re.fullmatch('[" ]*[0-9]+[" ]*', line.partition(separator)[0]) is not None for line in lines]
    is_start = numbered[0] and any(map(lambda n, c: n and c in full, numbered[1:], counts[1:]))
    return {counts[0], counts[-1]} <= full or (is_start and not is_a_row(lines, separator, full))


def is_a_row(lines: Sequence[str], separator: str, full: Set[int]) -> bool:
    """Whether Python's csv module, which is strict about the places of quotes, finds one row."""
    try:
        records = list(csv.reader([line + "\n" for line in lines], delimiter=separator, strict=True))
    except csv.Error:
        return False
    return len(records) == 1 and len(records[0]) - 1 in full


def is_other_header(found: list[str], names: list[str], columns: Sequence[str]) -> bool:
    """Whether the cells of a row are names of columns: the id's in its place, or the id's and another anywhere."""
    place = names.index(columns[0])
    return found[place : place + 1] == [columns[0]] or (columns[0] in " ".join(found) and len(set(found) & set(columns)) > 1)


def find_separator(file: str, text: str) -> str:
    """The separator, from the first line that is not blank: comma, tab, semicolon or pipe, if possible the one that gives the columns."""
    starts = (line.start() for line in re.finditer(r"[^\r\n]+", text) if line[0].strip(WHITE_SPACE + SEPARATORS + '"'))
    header = re.match(r'(?:[^"\r\n]|"[^"]*")*', text[next(starts, 0) :])
    unquoted = re.sub(r'"[^"]*"?', "", header[0].strip(WHITE_SPACE))
    found = [sep for sep in SEPARATORS if sep in unquoted]
    for separator in found:
        for record in split_records(header[0], separator)[0][:1]:
            if set(COLUMNS[file]) <= {normal(cell.strip(WHITE_SPACE + '"')) for cell in record.cells}:
                return separator
    return found[0] if found else ","


def normal(name: str) -> str:
    """The name of a column in its normalized spelling."""
    return re.sub(r"[-.\s]+", "_", name.lower())


def find_columns(file: str, header: Record) -> list[int]:
    """The places of the required columns in the header. Raises LoadError."""
    names = list(map(normal, header.cells))
    for column in COLUMNS[file]:
        if column not in names:
            raise LoadError(file, "missing_column")
        if names.count(column) > 1:
            raise LoadError(file, "duplicate_column")
    return [names.index(column) for column in COLUMNS[file]]


def split_records(text: str, separator: str) -> tuple[list[Record], bool]:
    """The non-blank records of a text, up to a quote that is never closed, and whether there is no such quote."""
    records: list[Record] = []
    cells: list[str] = []
    cell = ""
    # start: nothing but white space so far; quoted: inside quotes;
    # quote: after a quote that closes the cell unless a second one follows;
    # plain: all other characters are ordinary.
    state = "start"
    line = first_line = 1
    # A line with a backslash before a quote inside quotes is a wrong row by itself.
    white = re.escape(WHITE_SPACE.replace(separator, ""))
    mark = re.escape(separator)
    escaped = re.compile(rf'(?:^|{mark})[{white}]*"[^"]*\\"(?![{white}]*(?:{mark}|$))')
    lines = re.split(r"\r\n|\n|\r", text)
    is_wrong = False
    for char in [*re.findall(r"\r\n|[\s\S]", text), "\n"]:
        is_end = char in ("\r\n", "\n", "\r")
        if is_wrong:
            if is_end:
                records.append(Record(line, (), True))
                first_line = line + 1
        elif state == "quoted":
            if char == '"':
                state = "quote"
            else:
                cell += char
        elif state == "quote" and char == '"':
            cell += char
            state = "quoted"
        elif char == separator or is_end:
            cells.append(cell.strip(WHITE_SPACE))
            cell, state = "", "start"
            if is_end:
                if any(cells):
                    records.append(Record(first_line, tuple(cells), False, tuple(lines[first_line - 1 : line]) if line > first_line else ()))
                cells, first_line = [], line + 1
        elif state == "start" and char == '"':
            cell, state = "", "quoted"
        else:
            cell += char
            if state == "quote" or char not in WHITE_SPACE:
                state = "plain"
        if is_end:
            line += 1
            is_wrong = bool(records) and state == "start" and line <= len(lines) and bool(escaped.search(lines[line - 1]))
    return records, state != "quoted"


def is_missing(text: str) -> bool:
    """Whether a cell has no value."""
    return text.upper() in {"", "NA", "N/A", "#N/A", "NAN", "NULL", "NONE", "-", ".", ",", "\\N", "N.A.", "<NA>", "(NULL)", "#NULL!", "NAT"} | MISSING


def bare(text: str) -> str:
    """A number without quotes, without the marks that make it text in a spreadsheet, and without its plus sign."""
    for opening, closing in (('="', '"'), ('"', '"'), ("'", "'"), ("'", "")):
        if text.startswith(opening) and text[len(opening) :].endswith(closing):
            text = text[len(opening) : len(text) - len(closing)]
            break
    return text.removeprefix("+")


def parse_key(text: str) -> int | str:
    """An id as an integer, or the reason why it is not one as a string."""
    if is_missing(text):
        return "missing_id"
    found = re.fullmatch(r"([0-9]+)(\.(0{0,2}|0{4,}))?", bare(text))
    if not found:
        return "id_not_integer"
    digits = found[1].lstrip("0") or "0"
    if len(digits) > len(str(MAX_KEY)) or int(digits) > MAX_KEY:
        return "id_too_large"
    return int(digits)


def valid_rows(file: str, table: Table, rejected: set[Rejected]) -> dict[int, Record]:
    """Valid rows by id: the first row of each id. Adds the rejects among the others."""
    for line in table.wrong_count:
        rejected.add((file, line, "", False, "wrong_cell_count"))
    key_columns = COLUMNS[file][: 2 if file == EXPERIMENTS else 1]
    valid: dict[int, Record] = {}
    for row in table.rows:
        for column, cell in zip(key_columns, row.cells):
            if isinstance(fault := parse_key(cell), str):
                rejected.add((file, row.line, column, False, fault))
                break
        else:
            first = valid.setdefault(int(parse_key(row.cells[0])), row)
            if first is not row:
                same = first.cells[1:] == row.cells[1:]
                fault = "duplicate_row" if same else "duplicate_id"
                rejected.add((file, row.line, "", False, fault))
    return valid


def date_fault(text: str) -> str | None:
    """missing_date, ambiguous_date or invalid_date; None for a valid date that begins with its year."""
    if is_missing(text):
        return "missing_date"
    if re.fullmatch(r"[0-9]{1,2}[-./][0-9]{1,2}[-./]([0-9]{2}|[0-9]{4})( [0-9:]+)?", text):
        return "ambiguous_date"
    day, *times = re.split("[T ]", text, maxsplit=1)
    found = re.fullmatch(r"([0-9]{4})([-/]?)([0-9]{2})\2([0-9]{2})", day)
    if not found or (times and not (found[2] and is_time(times[0]))):
        return "invalid_date"
    try:
        date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return "invalid_date"
    return None


def is_time(text: str) -> bool:
    """Whether a text is a time of day, possibly followed by a time zone."""
    zone = r"( ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?"
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?" + zone, text)
    return found is not None and int(found[1]) <= 24 and int(found[2]) <= 59 and int(found[3] or 0) <= 69


DECIMAL = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
DECIMAL_COMMA = DECIMAL.replace(r"\.", ",")
GROUPS = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"
POINTS = r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+"
GROUPS_BY_POINTS = POINTS + ",[0-9]*"
# A text whose first number has one point, with digits behind it unless it is the last character.
POINT = re.compile(r"[^0-9]*(?:[0-9,]*\.[0-9]+(?![0-9.])|[0-9,]+\.$)")


def meaning_of_marks(times: list[str]) -> tuple[str, bool]:
    """What commas mean in the run times of a file (decimal, or the reason to reject a number with one), and whether points may group digits."""
    grouping = any(re.fullmatch(POINTS + "(,[0-9]*)?", number) and len(re.findall("[.,]", number)) > 1 for number in map(bare, times))
    has_decimal_point = any("." in number and re.fullmatch(DECIMAL, number) and not re.fullmatch(POINTS, number) for number in map(bare, times))
    commas = meaning_of_commas(times)
    points_group_digits = grouping or (commas != "ambiguous_comma" and not has_decimal_point)
    both = any("." in number.partition(",")[2] and re.fullmatch(GROUPS, number) for number in map(bare, times))
    if grouping and not both and not has_decimal_point:
        commas = "decimal"
    elif both and not grouping and commas == "ambiguous_comma":
        commas = "grouping"
    return commas, points_group_digits


def meaning_of_commas(times: list[str]) -> str:
    numbers = [bare(text) for text in times if "," in text and not text.endswith(",")]
    if all(re.fullmatch(GROUPS, number) or not re.fullmatch(f"{DECIMAL_COMMA}|{GROUPS_BY_POINTS}", number) for number in numbers):
        return "ambiguous_comma"
    return "comma_and_point" if any(map(POINT.match, times)) else "decimal"


def parse_run_time(text: str, marks: tuple[str, bool]) -> Fraction | str:
    """The exact run time, or the reason why it is not one as a string."""
    commas, points_group_digits = marks
    if is_missing(text):
        return "missing_run_time"
    if re.fullmatch("-" + DECIMAL, text.replace(",", ".")):
        return "negative_run_time"
    number = bare(text)
    if commas != "decimal" and re.fullmatch(POINTS, number) and (points_group_digits or number.count(".") > 1):
        return "grouping_points"
    if commas == "decimal" and points_group_digits and re.fullmatch(f"{POINTS}(,[0-9]*)?", number):
        number = number.replace(".", "").replace(",", ".")
    elif "," in number and commas == "decimal":
        number = number.replace(",", ".")
    elif commas == "grouping" and re.fullmatch(GROUPS, number):
        number = number.replace(",", "")
    elif "," in number and re.fullmatch(f"{DECIMAL_COMMA}|{GROUPS}|{GROUPS_BY_POINTS}", number):
        return commas.replace("grouping", "comma_and_point")
    if not re.fullmatch(DECIMAL, number):
        return "run_time_not_number"
    mantissa, _, power = number.lower().partition("e")
    whole, _, places = mantissa.partition(".")
    exponent = int(power or 0)
    whole, places = whole.lstrip("0"), places.rstrip("0")
    # The place of the first digit that is not 0, counted from the point: 1 before it, 0 and negative behind it.
    first = len(whole or places.lstrip("0")) - len("" if whole else places) + exponent
    # With more places than are kept, it has to be among the first nine.
    if len(whole) + exponent > MAX_RUN_TIME_DIGITS or (len(places) - exponent > MAX_RUN_TIME_PLACES and first <= -9):
        return "run_time_too_long"
    exact = Fraction(int(whole + places or "0")) * Fraction(10) ** (exponent - len(places))
    return Fraction(int(exact * 10**MAX_RUN_TIME_PLACES), 10**MAX_RUN_TIME_PLACES)


def entries_of(text: str) -> list[str]:
    """The non-empty items of a list."""
    if is_missing(text):
        return []
    if ",0" in text and re.fullmatch("[1-9][0-9]{0,2}(,[0-9]{3})+([.][0-9]*)?", text):
        return [text]
    text = text.replace("；", ";").replace("，", ",").replace("、", ",")
    ends = text[0] + text[-1]
    if text.startswith("c(") and text.endswith(")"):
        text = text[2:-1]
    elif len(text) > 1 and (ends in ("[]", "{}", "()") or (ends in ('""', "''") and text[0] not in text[1:-1])):
        text = text[1:-1]
    elif len(text) > 2 and text.startswith('="') and text.endswith('"') and '"' not in text[2:-1]:
        text = text[2:-1]
    separator = next((separator for separator in ";|" if separator in text), "[,\n\r]")
    return [entry for part in re.split(separator.replace("|", "[|]"), text) if (entry := part.strip(WHITE_SPACE))]


def read_experiment(row: Record, marks: tuple[str, bool], known: Set[int], rejected: set[Rejected]) -> Experiment:
    """A used experiment. Adds the rejects among its compounds, and its run time if that is rejected."""
    user = int(parse_key(row.cells[1]))
    compounds = {parse_key(entry) for entry in entries_of(row.cells[2])}
    run_time = parse_run_time(row.cells[3], marks)

    def report(column: str, fault: str) -> None:
        rejected.add((EXPERIMENTS, row.line, column, True, fault))

    if not compounds:
        report("experiment_compound_ids", "no_compounds")
    elif not known >= compounds:
        report("experiment_compound_ids", "unusable_compounds" if any(isinstance(one, str) for one in compounds) else "unknown_compounds")
    if isinstance(run_time, str):
        report("experiment_run_time", run_time)
        run_time = None
    return Experiment(user, run_time, known & compounds)


def user_features(user: int, experiments: list[Experiment], names: dict[int, str]) -> dict[str, Any]:
    """One user's features. names: the name of each valid compound, possibly empty."""
    times = [e.run_time for e in experiments if e.run_time is not None]
    total = sum(times, Fraction(0))
    uses = Counter(compound for e in experiments for compound in e.compounds)
    most = max(uses.values(), default=None)
    common = sorted(compound for compound in uses if uses[compound] == most)
    return {
        "user_id": user,
        "total_experiments": len(experiments),
        "avg_experiment_run_time": float(total / len(times)) if times else None,
        "total_experiment_run_time": total if times or not experiments else None,
        "distinct_compounds": len(uses),
        "most_common_compound_id": common[0] if common else None,
        "most_common_compound_name": (names[common[0]] or None) if common else None,
        "most_common_compound_ids": ";".join(map(str, common)) or None,
        "most_common_compound_experiments": most,
    }


def summarise(users: int, used: list[Experiment]) -> dict[str, Any]:
    """Totals over the valid users and the used experiments; a mean over nothing is None."""
    active = len({e.user for e in used})
    times = [e.run_time for e in used if e.run_time is not None]
    total = sum(times, Fraction(0))
    return {
        "users": users,
        "users_with_experiments": active,
        "experiments": len(used),
        "compounds_used": len(set().union(*(e.compounds for e in used))),
        "mean_experiments_per_user": len(used) / users if users else None,
        "mean_experiments_per_active_user": len(used) / active if active else None,
        "mean_experiment_run_time": float(total / len(times)) if times else None,
    }
