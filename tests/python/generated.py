"""Hypothesis strategies for whole inputs: three CSV files, as bytes.

`rows` draws the content of the files (ids, texts and their errors), `csv_file` draws
how a file is written (line ends, quotes, separators, columns, blank lines), and `inputs`
combines them, with one input in ten that cannot be loaded. `generate` makes a number
of inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Row = list[str]

# Within one run, hypothesis builds on what it drew before, and may leave out a kind of error.
INPUTS_PER_RUN = 10

WHITE_SPACE = " \t\r\n\v\f\u00a0\ufeff"
USER_COLUMNS = ("user_id", "name", "email", "signup_date")
EXPERIMENT_COLUMNS = (
    "experiment_id",
    "user_id",
    "experiment_compound_ids",
    "experiment_run_time",
)
COMPOUND_COLUMNS = ("compound_id", "compound_name", "compound_structure")
PROBLEMS = ("empty", "missing_column", "duplicate_column", "not_utf8", "unclosed_quote")

MAX_KEY = 9223372036854775807
BAD_KEYS = ["x", "1.5", "-1", "1.01", "1e0", "1_0", "1 2", "0x1", "NULL", "²", "١", "++1", "=1", "\"1'", "1'", ".0", "1,0"]
BAD_KEYS += ['"', "'", '=""', "1O", "1\u00a02", "𝟐", "n/a", "None", "-", "(1)", "[]", "+-1", "+"]
LARGE_KEYS = [f"{MAX_KEY + 1}", f"'{MAX_KEY + 1}.0", "10000000000000000000", f"0{2 * MAX_KEY + 3}", "9" * 400]
SMALL_KEYS = ["1", "2", "3", "4", "5", "6", "7"]
# Ways in which programs write an id; the first ones are the most likely.
KEY_FORMS = ["{}"] * 8 + ["0{}", "00{}", "+{}", "{}.0", "{}.", "{}.00", "{}.0000", '="{}"', "'{}", '"{}"', "'{}'", '="+{}.0"']
ODD_KEYS = ["0", "00", f"{MAX_KEY}", f"000{MAX_KEY}", "0" * 400 + "1", f'="{MAX_KEY}.0"', "000.0"]

GOOD_DATES = ["2023-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"]
GOOD_DATES += ["2024-03-01T00:00:00Z", "2024-03-01 14:00", "2024-03-01 14:00:05.123+02:00", "2024/03/01", "20240301"]
GOOD_DATES += ["2024-03-01 23:59:59 UTC", "2024/03/01 24:00", "2024-03-01T00:00:00.000000-0900"]
# Bad cells of a column, by kind; all kinds are equally likely.
BAD_DATES = [["", "NA", "n/a", "nan", "null", "-"]]
BAD_DATES += [["2023-02-29", "1900-02-29", "0000-01-01", "2023-13-01", "2023-04-31", "20230229", "0000/01/01"]]
BAD_DATES[1] += ["2023-1-05", "2023010", "2023-01-05 25:00", "2023-01-05 00:60", "2023-01-05 00:00:70", "2023-01/05"]
BAD_DATES[1] += ["today", "infinity", "-0001-01-01", "10000-01-01", "2023-00-10", "20230105 00:00", "2023-01-05T"]
BAD_DATES[1] += ["٢٠٢٣-01-05", "2023-01-05 00:00 CET", "2023-01-05 00:00+1", "2023-01-00", "2023/04/31 00:00"]
BAD_DATES += [["01/02/2023", "1.2.2023", "31-12-23", "01/02/2023 00:00", "99.99.9999"]]

GOOD_TIMES = ["0", "5", "5.", ".5", "007", "0.1", "0.2", "12.50", "1" * 10]
GOOD_TIMES += ["." + "3" * 18, "0." + "0" * 17 + "1", "9999999999.999999999999999999"]
GOOD_TIMES += ["1e3", "1.5E+01", "1e-18", "0.00001e3", "12345678901e-3", "1." + "2" * 27 + "e9", "0e0", "5.e1", ".5E1"]
GOOD_TIMES += ["0.0034722222222222224", "." + "3" * 19, "1." + "9" * 40 + "E-2", "1.234", "+5", '="12.5"', "'7", "1e+003"]
BAD_TIMES = [["", "NA", "N/A", "#N/A", "NaN", "none", "-"], ["-5", "-.5", "-0", "-5.", "-" + "7" * 300, "-1e3", "-1,5"]]
BAD_TIMES += [["1" * 11, "00000000005", "0." + "0" * 19, "1" * 300, "9" * 11 + "." + "9" * 19]]
BAD_TIMES[-1] += ["1e10", "1e-19", "1e99999999999", "0e-400", "1.5e-18"]
BAD_TIMES += [["Infinity", "inf", "1_000", "1 0", ".", ",", "e1", "1e", "1e+", "1,2,3", "1,23,456"]]
BAD_TIMES[-1] += [
    "٥",
    "5a",
    "0x10",
    "--5",
    "-.",
    "- 5",
    "1.2.3",
    "1.234.567",
    "5-",
    "5 min",
    "5.5 min",
    "5. May",
    "5.05.2024",
    "ca. 5",
    "−5",
    "1,5 h",
    "n.a.",
    "1e1.5",
]
GROUPED_BY_COMMAS, GROUPED_BY_POINTS = ["1,234.5", "1,234", "12,345,678.", '="2,000"'], ["1.234,5", "1.234", "12.345.678", "2.000,"]
COMMA_TIMES = [["1,234", "12,345,678", "1,234.5"], ["12,5", "0,125", ",5", "5,", "1,5e1", "1.234,5", '="1,5"', "1234,567"]]

UNUSUAL_LISTS = ["1;2,3", "1|2,3", "1;2|3", "1 2", "1:2", "1(2", '1"2', "[[1;2]]", "[1;2)", "[1", "1]", "(1)(2)", "{1;'2'}"]
UNUSUAL_LISTS += ["'1;2'", "[NA]", "1,NaN", "?", "1;?", "[1,2];3", "'1,2", '"1;2"', "1,5", "1,234", "[']", "{}}", "1;\\1"]
UNUSUAL_LISTS += [
    "c(1, 2)",
    "c(1;2",
    "1、2",
    "1；2,3",
    "1\n2",
    "1\r\n2, 3",
    "1\n2;3",
    "1\n,002",
    "C(1)",
    "c()",
    "['1'\n'2']",
    "1,002",
    "10,020,3",
    "1,234,05",
    "01,002",
    "1,020;3",
]

# Pieces of adversarial names. The characters \x85, \x1c, \u2003 and \u2028 are white
# space to Python and to Unicode, but not to the specification.
PIECES = ["Ann", "Zoë", "e\u0301", "İ", "ı", "ΟΔΟΣ", "ς", "ß", "😀", "漢字", "NULL", "NaN"]
PIECES += ['"', '""', ",", ";", "\t", "\n", "\r\n", "\r", " ", "\u00a0", "\ufeff", "\v"]
PIECES += ["\\", "\\n", "\\N", "\n\\.\n", "${x}", "%s", "{{ x }}", "{% x %}", "'", "$$"]
PIECES += ["--", "/*", "\x85", "\x1c", "\u2003", "\u2028", "\x01", "\U0010ffff", "\uffff"]
NAMES = st.one_of(
    st.sampled_from(["Ann", "Ann Lee", "aspirin", "NULL", "NaN", "O'Brien", ""]),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
)
EXTRA_COLUMNS = ["note", "note, old", "a;b", 'the "old" one', "x\ty", "", "line\nbreak"]
NOT_UTF8 = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"\0"]


@dataclass(frozen=True)
class Input:
    """The three files as bytes."""

    users: bytes
    experiments: bytes
    compounds: bytes


def once_in(draw: st.DrawFn, times: int) -> bool:
    """True about once in this many times; shrinks to False."""
    return draw(st.integers(1, times)) == times


def some_text(draw: st.DrawFn, kinds: Sequence[Sequence[str]]) -> str:
    """A text of a random kind."""
    return draw(st.sampled_from(draw(st.sampled_from(kinds))))


def mostly(draw: st.DrawFn, good: Sequence[str], bad: Sequence[Sequence[str]], times: int) -> str:
    """One of the good texts, but once in this many times a bad one of a random kind."""
    return some_text(draw, bad) if once_in(draw, times) else draw(st.sampled_from(good))


def some_key(draw: st.DrawFn, faulty: bool, known: Sequence[str]) -> str:
    """One of the known ids in some form; if faulty, occasionally any other text."""
    if faulty and once_in(draw, 8):
        others = [[""], LARGE_KEYS, BAD_KEYS, ODD_KEYS, SMALL_KEYS, SMALL_KEYS]
        return some_text(draw, others)
    return draw(st.sampled_from(KEY_FORMS)).format(draw(st.sampled_from(known)))


def some_list(draw: st.DrawFn, faulty: bool, known: Sequence[str]) -> str:
    """A cell of compound ids; if faulty, sometimes with bad ids or without any."""
    if faulty and once_in(draw, 10):
        return some_text(draw, [["", ";", " ; ;", "[]", "{ , }", "NA", "null", "-"], UNUSUAL_LISTS])
    ids = [some_key(draw, False, known) for _ in range(draw(st.integers(1, 4)))]
    if faulty and once_in(draw, 6):
        ids[draw(st.integers(0, len(ids) - 1))] = some_key(draw, True, SMALL_KEYS)
    separator = draw(st.sampled_from([";", ";", ";", "; ", " ;", ";;", ";\n", ",", ", ", "|", " | "]))
    opening, closing = draw(st.sampled_from(["|", "|", "|", "[|]", "{|}", "(|)", "[ | ]"])).split("|")
    quote = draw(st.sampled_from(["", "", "", "'", '"']))
    if all(key.isdecimal() for key in ids):
        ids = [f"{quote}{key}{quote}" for key in ids]
    end = separator.strip() if once_in(draw, 4) else ""
    return opening + separator.join(ids) + end + closing


def with_keys(draw: st.DrawFn, faulty: bool, rows: list[Row]) -> list[Row]:
    """Rows with an id in front: all different or, if faulty, with duplicates and bad ones."""
    keys = [str(key) for key in draw(st.permutations(range(1, len(rows) + 1)))]
    if faulty:
        keys = [some_key(draw, True, [key, key, key, keys[0]]) for key in keys]
    keyed = [[key, *row] for key, row in zip(keys, rows)]
    for place in range(1, len(keyed)):
        if faulty and once_in(draw, 10):
            earlier = keyed[draw(st.integers(0, place - 1))]
            keyed[place] = [draw(st.sampled_from(["", "0"])) + earlier[0], *earlier[1:]]
    return keyed


@st.composite
def rows(draw: st.DrawFn, faulty: bool) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows of users, experiments and compounds, each with its required cells in order.

    If not faulty, every row is good and used, though names may be anything.
    """
    # In one file of three, run times have commas, and often no points.
    good_times = GOOD_TIMES
    if once_in(draw, 3):
        kept = [text for text in GOOD_TIMES if "." not in text]
        good_times = kept + draw(st.sampled_from([some + COMMA_TIMES[1][:5] for some in ([], [], COMMA_TIMES[0][:2])]))
    elif once_in(draw, 4):
        good_times = draw(st.sampled_from([GOOD_TIMES + GROUPED_BY_COMMAS, GROUPED_BY_POINTS, [*GROUPED_BY_POINTS, "12,5", "7"]]))
    dates, times = (BAD_DATES, [*BAD_TIMES, *COMMA_TIMES]) if faulty else ([GOOD_DATES], [good_times])
    has_points = any("." in text for text in good_times)
    times = [[text for text in kind if has_points or "." not in text] for kind in times]
    users = [[draw(NAMES), draw(NAMES), mostly(draw, GOOD_DATES, dates, 5)] for _ in range(draw(st.integers(0, 6)))]
    compounds = [[draw(NAMES), draw(NAMES)] for _ in range(draw(st.integers(0, 5)))]
    users, compounds = with_keys(draw, faulty, users), with_keys(draw, faulty, compounds)

    known_users = [row[0] for row in users] or ["1"]
    known_compounds = [row[0] for row in compounds] or ["1"]
    usable = faulty or (users and compounds)
    experiments = [
        [
            some_key(draw, faulty, known_users),
            some_list(draw, faulty, known_compounds),
            mostly(draw, good_times, times, 5),
        ]
        for _ in range(draw(st.integers(0, 12)) if usable else 0)
    ]
    return users, with_keys(draw, faulty, experiments), compounds


def quoted(text: str, padding: str = "") -> str:
    """A text between quotes, its own quotes doubled, padded inside them."""
    return '"' + padding + text.replace('"', '""') + padding + '"'


def write_cell(text: str, style: str, inside: str, special: str) -> str:
    """A text as a cell. special: characters that only a quoted cell may contain.

    Styles: minimal; all (quoted, with `inside` as padding within the quotes); half
    (only the first half in quotes, if the second half has nothing special).
    """
    middle = len(text) // 2
    rest = text[middle:]
    if style == "half" and not rest.startswith('"') and not set(special) & set(rest):
        return quoted(text[:middle]) + rest
    needed = set(special) & set(text) or text.lstrip(WHITE_SPACE).startswith('"')
    if style == "minimal" and not needed:
        return text
    return quoted(text, inside)


@st.composite
def csv_file(
    draw: st.DrawFn,
    columns: Sequence[str],
    rows: list[Row],
    faulty: bool,
    problems: set[str],
) -> bytes:
    """One file: its rows in some form, with the given problems (see PROBLEMS).

    If faulty, some rows get a wrong number of cells, and some repeated headers differ.
    """
    bom = draw(st.sampled_from(["", "", "\ufeff"]))
    line_ends = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n|\r\n"])).split("|")
    separator = draw(st.sampled_from([",", ",", ",", "\t", ";"]))
    styles = ["minimal", "minimal", "all", "half", "all|minimal|half"]
    cell_styles = draw(st.sampled_from(styles)).split("|")
    inside = draw(st.sampled_from(["", "", " ", "\t", "\u00a0 "]))
    pads = ["", "", " ", "\u00a0"] + ["\t"] * (separator == ",")
    around, after = draw(st.sampled_from(pads)), draw(st.sampled_from(pads))
    blanks = ["", " ", " \t", "\v\f", "\u00a0\ufeff"]
    # The separator of a file is found in its header, which may contain no other separator.
    header_special, special = ',\t;\r\n"', separator + "\n"
    if line_ends == ["\r"]:
        special += "\r"

    def end() -> str:
        return draw(st.sampled_from(line_ends))

    def blank_lines(times: int) -> str:
        number = draw(st.integers(1, 3)) if once_in(draw, times) else 0
        return "".join(draw(st.sampled_from(blanks)) + end() for _ in range(number))

    def record(cells: Row, special: str) -> str:
        if line_ends == ["\r"]:  # A line feed would be another kind of line end.
            cells = [cell.replace("\r\n", "\r").replace("\n", "\r") for cell in cells]
        written = []
        for cell in cells:
            style = draw(st.sampled_from(cell_styles))
            written.append(around + write_cell(cell, style, inside, special) + around)
        return (separator + after).join(written)

    # The columns in the order of the file: a name, and a required column or None.
    layout: list[tuple[str, int | None]] = [(c, i) for i, c in enumerate(columns)]
    missing, doubled = draw(st.permutations(range(len(columns))))[:2]
    if "missing_column" in problems:
        name = draw(st.sampled_from(["", "id", columns[missing] + "s"]))
        layout[missing] = (name, missing)
    if "duplicate_column" in problems:
        layout.append((columns[doubled], doubled))
    if once_in(draw, 3):
        layout += [(draw(st.sampled_from(EXTRA_COLUMNS)), None)] * draw(st.integers(1, 2))
    if once_in(draw, 3):
        layout = draw(st.permutations(layout))
    case = draw(st.sampled_from([str.lower, str.lower, str.upper, str.title]))
    header = [case(name) for name, _ in layout]

    empty = "empty" in problems
    parts = [bom, blank_lines(2 if empty else 6), record(header, header_special)]
    repeats = once_in(draw, 4)
    for row in rows:
        parts += [end(), blank_lines(12)]
        if repeats and once_in(draw, 3):
            swapped = faulty and once_in(draw, 4)
            again = [name.swapcase() if swapped else name for name in header]
            parts += [record(again, header_special), end()]
        cells = [draw(NAMES) if i is None else row[i] for _, i in layout]
        if faulty and once_in(draw, 15):
            wrong = [cells[:-1], cells[:1], [*cells, ""], [*cells, "x"]]
            cells = draw(st.sampled_from(wrong))
        parts.append(record(cells, special))
    if draw(st.booleans()):
        parts += [end(), blank_lines(4), draw(st.sampled_from(["", "", "", "", " ", "\t"]))]
    if "unclosed_quote" in problems:
        start = draw(st.sampled_from(['"', '"a""', '1{}"', '1{}"a""'])).format(separator)
        parts += [end(), start, draw(st.sampled_from(["", end()]))]

    text = "".join(parts[:2] if empty else parts)
    if "not_utf8" not in problems:
        return text.encode()
    place = draw(st.integers(0, len(text)))
    return text[:place].encode() + draw(st.sampled_from(NOT_UTF8)) + text[place:].encode()


@st.composite
def inputs(draw: st.DrawFn) -> Input:
    """Whole inputs: one in three has no errors, one in ten cannot be loaded."""
    faulty = not once_in(draw, 3)
    problems: list[set[str]] = [set(), set(), set()]
    if once_in(draw, 10):
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            place = draw(st.integers(0, 2))
            problems[place].add(draw(st.sampled_from(PROBLEMS)))
    columns = (USER_COLUMNS, EXPERIMENT_COLUMNS, COMPOUND_COLUMNS)
    tables = draw(rows(faulty))
    return Input(*(draw(csv_file(names, table, faulty, problem)) for names, table, problem in zip(columns, tables, problems)))


def generate(number: int, chosen: int = 0) -> list[Input]:
    """This many inputs, collected first, to start dbt once for all of them; chosen: the seed for what is drawn."""
    collected: list[Input] = []
    for start in range(0, number, INPUTS_PER_RUN):

        @seed(f"{chosen} {start}")
        @settings(
            max_examples=min(INPUTS_PER_RUN, number - start), phases=[Phase.generate], database=None, deadline=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(inputs())
        def collect(one: Input) -> None:
            collected.append(one)

        collect()
    return collected[:number]
