"""Every way to write a cell that is accepted or not: a description, the cell, and what it is read as.

Each is a line on the documentation page; test_accepted.py reads all of them on each engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

IDS, LISTS, TIMES, DATES = "user_id", "experiment_compound_ids", "experiment_run_time", "signup_date"
Value = int | Decimal | date | list[int | None]


@dataclass(frozen=True)
class Cell:
    """A cell, and what it is read as.

    what: its description; found: the cell; column: its column; read_as: its value (in a list, None for an item that is left
    out), or the code of the reason why it has none; detail: what the reason names.
    """

    what: str
    found: str
    column: str
    read_as: Value | str
    detail: str | None = None


def no_digit(character: str) -> str:
    code = f"{ord(character):04X}"
    return f': "{character}" (U+{code}) is not one of the digits 0 to 9'


MISSING_WORDS = (
    "NA", "N/A", "NaN", "NULL", "None", "-", "#N/A", "n/a", "null", ".", ",", "?", "--", "–", "—", "\\N",
    "n.a.", "n.d.", "ND", "missing", "<NA>", "(null)", "[NULL]", "#NULL!", "NaT",
)  # fmt: skip

# Cells of files whose run times have decimal points.
CELLS = [
    Cell("an id", "2", IDS, 2),
    Cell("an id with leading zeros", "007", IDS, 7),
    Cell("the largest id", "9223372036854775807", IDS, 9223372036854775807),
    Cell("an id with a zero decimal part, as pandas writes a column with missing values", "2.0", IDS, 2),
    Cell("an id followed by a point", "2.", IDS, 2),
    Cell("an id with two, or more than three, zeros after the point", "2.00", IDS, 2),
    Cell("three zeros after the point, which may be a thousands separator", "2.000", IDS, "id_not_integer"),
    Cell("an id with a plus sign", "+2", IDS, 2),
    Cell("an id kept as text by a spreadsheet formula", '="2"', IDS, 2),
    Cell("an id kept as text by an apostrophe", "'2", IDS, 2),
    Cell("an id in quotes", '"2"', IDS, 2),
    Cell("an id with several of these at once", '="+02.0"', IDS, 2),
    Cell("a number with decimals where an id is expected", "2.5", IDS, "id_not_integer"),
    Cell("a negative number where an id is expected", "-2", IDS, "id_not_integer"),
    Cell("an exponent where an id is expected", "1e3", IDS, "id_not_integer"),
    Cell("two numbers in an id cell", "2 3", IDS, "id_not_integer"),
    Cell("quotes that do not match", "\"2'", IDS, "id_not_integer"),
    Cell("brackets around an id", "(2)", IDS, "id_not_integer"),
    Cell("a number too large for an id", "9223372036854775808", IDS, "id_too_large"),
    Cell("a number too large for an id, with a zero decimal part", "10000000000000000000.0", IDS, "id_too_large"),
    Cell("an empty cell where an id is expected", "", IDS, "missing_id"),
    *(Cell("a word for a missing id", word, IDS, "missing_id") for word in MISSING_WORDS),
    Cell("Arabic digits in an id", "1٢", IDS, "id_not_integer", no_digit("٢")),
    Cell("full-width digits in an id", "１", IDS, "id_not_integer", no_digit("１")),
    Cell("the letter O instead of a zero in an id", "1O", IDS, "id_not_integer", no_digit("O")),
    Cell("a character above U+FFFF in an id", "1𝟐", IDS, "id_not_integer", no_digit("𝟐")),
    Cell("a non-breaking space inside an id", "1\u00a0000", IDS, "id_not_integer", no_digit("\u00a0")),
    Cell("a list", "1;2;3", LISTS, [1, 2, 3]),
    Cell("a list with white space around its ids", "1 ; 2 ;\t3", LISTS, [1, 2, 3]),
    Cell("a list with zero-width characters", "1;\u200b2", LISTS, [1, 2]),
    Cell("a list with commas", "1,5", LISTS, [1, 5]),
    Cell("a list with East Asian commas", "1、2，3", LISTS, [1, 2, 3]),
    Cell("a list with pipes", "1|2|3", LISTS, [1, 2, 3]),
    Cell("a list in square brackets, as Python and JSON write it", "[1, 2]", LISTS, [1, 2]),
    Cell("a list in braces, as Postgres writes it", "{1,2}", LISTS, [1, 2]),
    Cell("a list in parentheses, as R writes it", "c(1, 2)", LISTS, [1, 2]),
    Cell("a list of one in parentheses, as Python writes it", "(1,)", LISTS, [1]),
    Cell("a list of strings, as JSON writes it", '["1", "2"]', LISTS, [1, 2]),
    Cell("a list of strings, as Python writes it", "['1', '2']", LISTS, [1, 2]),
    Cell("a list quoted as a whole", "'21;22'", LISTS, [21, 22]),
    Cell("a list quoted twice", '"1,2"', LISTS, [1, 2]),
    Cell("a list kept as text by a spreadsheet formula", '="1;2"', LISTS, [1, 2]),
    Cell("a list of ids with zero decimal parts", "[1.0, 2.]", LISTS, [1, 2]),
    Cell("a list with plus signs and spreadsheet marks", '+1;="2";\'3', LISTS, [1, 2, 3]),
    Cell("a list with empty items", "1;;2;", LISTS, [1, 2]),
    Cell("a list with leading zeros", "01,002", LISTS, [1, 2]),
    Cell("a list with mixed separators, in which the comma may be a decimal mark", "1;2,3", LISTS, [1, None]),
    Cell("a list with mixed separators, one of them a pipe", "1|2,3", LISTS, [1, None]),
    Cell("a comma that groups digits (a list would pad its first id, too)", "1,002", LISTS, [None]),
    Cell("a bracket inside an id", "1(2", LISTS, [None]),
    Cell("a quote inside an id", '1"2', LISTS, [None]),
    Cell("two pairs of brackets", "[[1;2]]", LISTS, [None, None]),
    Cell("brackets that do not match", "[1;2)", LISTS, [None, None]),
    Cell("a word for a missing id in a list", "1;NA;2", LISTS, [1, None, 2]),
    Cell("values that are not ids", "1;2.5;-1;x;1e3", LISTS, [1, None, None, None, None]),
    Cell("ids of 19 digits", "[9223372036854775807, 9223372036854775808]", LISTS, [9223372036854775807, None]),
    Cell("an empty cell where a list is expected", "", LISTS, "no_compounds"),
    Cell("brackets around nothing", "[]", LISTS, "no_compounds"),
    Cell("separators only", ";;", LISTS, "no_compounds"),
    *(Cell("a word for a missing list", word, LISTS, "no_compounds") for word in MISSING_WORDS),
    Cell("a run time", "12.50", TIMES, Decimal("12.5")),
    Cell("a run time without digits before the point", ".5", TIMES, Decimal("0.5")),
    Cell("a run time without digits after the point", "5.", TIMES, Decimal(5)),
    Cell("an exponent", "1e3", TIMES, Decimal(1000)),
    Cell("an exponent with a sign", "1.5E+01", TIMES, Decimal(15)),
    Cell("a negative exponent", "1.25e-3", TIMES, Decimal("0.00125")),
    Cell("an exponent, and as many digits as allowed", "1.234567890123456789012345678E+9", TIMES, Decimal("1234567890.123456789012345678")),
    Cell("the smallest run time above 0", "1e-18", TIMES, Decimal("1e-18")),
    Cell("more than 18 decimals, as of a float below 0.01; 18 are kept", "0.0034722222222222224", TIMES, Decimal("0.003472222222222222")),
    Cell("a run time with a plus sign", "+5", TIMES, Decimal(5)),
    Cell("a run time kept as text", '="12.5"', TIMES, Decimal("12.5")),
    Cell("too many digits before the point", "12345678901", TIMES, "run_time_too_long"),
    Cell("an exponent that is too large", "1e10", TIMES, "run_time_too_long"),
    Cell("more than 18 decimals of a smaller run time", "9.999999999999e-10", TIMES, "run_time_too_long"),
    Cell("an exponent that is too small", "1e-19", TIMES, "run_time_too_long"),
    Cell("an exponent of many digits", "1e1000", TIMES, "run_time_too_long"),
    Cell("a negative run time", "-0.5", TIMES, "negative_run_time"),
    Cell("a negative run time with an exponent", "-1e3", TIMES, "negative_run_time"),
    Cell("a run time with a unit", "5 min", TIMES, "run_time_not_number"),
    Cell("an exponent without digits", "1e", TIMES, "run_time_not_number"),
    Cell("not a finite number", "inf", TIMES, "run_time_not_number"),
    Cell("Arabic digits in a run time", "٥", TIMES, "run_time_not_number", no_digit("٥")),
    Cell("a typographic minus sign", "−5", TIMES, "run_time_not_number", no_digit("−")),
    Cell("an empty cell where a run time is expected", "", TIMES, "missing_run_time"),
    *(Cell("a word for a missing run time", word, TIMES, "missing_run_time") for word in MISSING_WORDS),
    Cell("a decimal comma in a file with decimal points", "12,5", TIMES, "comma_and_point"),
    Cell("a comma before three digits in a file with decimal commas and decimal points", "1,234", TIMES, "comma_and_point"),
    Cell("a date", "2024-03-01", DATES, date(2024, 3, 1)),
    Cell("a leap day", "2024-02-29", DATES, date(2024, 2, 29)),
    Cell("a date and a time, in ISO 8601 format", "2024-03-01T00:00:00Z", DATES, date(2024, 3, 1)),
    Cell("a date and a time", "2024-03-01 14:00", DATES, date(2024, 3, 1)),
    Cell("a date and a time with an offset, which does not shift the date", "2024-03-01 23:00:05.123-02:00", DATES, date(2024, 3, 1)),
    Cell("a date and a time with another offset", "2024-03-01 00:30:00+0200", DATES, date(2024, 3, 1)),
    Cell("a date and a time with the name of a time zone", "2024-03-01 14:00:00 UTC", DATES, date(2024, 3, 1)),
    Cell("a date with slashes", "2024/03/01", DATES, date(2024, 3, 1)),
    Cell("a date without separators", "20240301", DATES, date(2024, 3, 1)),
    Cell("a date that begins with its day or month", "01/02/2023", DATES, "ambiguous_date"),
    Cell("a date with dots", "1.2.2023", DATES, "ambiguous_date"),
    Cell("a date with a two-digit year", "1.2.23", DATES, "ambiguous_date"),
    Cell("a date that does not exist", "2023-02-29", DATES, "invalid_date"),
    Cell("29 February of a year that is not a leap year", "1900-02-29", DATES, "invalid_date"),
    Cell("a date without separators that does not exist", "20230431", DATES, "invalid_date"),
    Cell("a month that does not exist", "2023-13-01", DATES, "invalid_date"),
    Cell("a time that does not exist", "2024-03-01 25:00", DATES, "invalid_date"),
    Cell("a month with one digit", "2024-3-01", DATES, "invalid_date"),
    Cell("two kinds of separators in a date", "2024-03/01", DATES, "invalid_date"),
    Cell("a word instead of a date", "yesterday", DATES, "invalid_date"),
    Cell("an empty cell where a day is expected", "", DATES, "missing_date"),
    *(Cell("a word for a missing day", word, DATES, "missing_date") for word in MISSING_WORDS),
]


@dataclass(frozen=True)
class File:
    """The run times of one file, whose commas and points together decide what each is read as.

    what: its description; decimal: the setting FEATURES_DECIMAL, empty for none.
    """

    what: str
    decimal: str
    cells: dict[str, Decimal | str]


FILES = [
    File(
        "decimal commas, and no point in the number of any run time", "",
        {"12,5": Decimal("12.5"), "12. Mai": "run_time_not_number", "12.05.2024": "run_time_not_number", "ca. 12": "run_time_not_number", "1,234": Decimal("1.234"), "7": Decimal(7), ",5": Decimal("0.5"), "1,5e1": Decimal(15),
         "1,234,567": "run_time_not_number", "-1,5": "negative_run_time"},
    ),
    File(
        "commas that may be decimal marks or thousands separators", "",
        {"1,234": "ambiguous_comma", "12,345,678": "ambiguous_comma", "7": Decimal(7), "x,y": "run_time_not_number"},
    ),
    File(
        "commas that may be decimal marks or thousands separators, in a file with points", "",
        {"1,234": "ambiguous_comma", "7.5": Decimal("7.5")},
    ),
    File(
        "a comma with no digits after it, which may be a decimal mark or a thousands separator", "",
        {"1,234": "ambiguous_comma", "950,": "ambiguous_comma", "n.a.": "missing_run_time"},
    ),
    File(
        "a comma before a point, so that commas are thousands separators", "",
        {"1,234": Decimal(1234), "1,234.5": Decimal("1234.5"), "12,345,678": Decimal(12345678), "7.5": Decimal("7.5"), "950,": "comma_and_point"},
    ),
    File("a comma that cannot be a thousands separator", "", {"0,125": Decimal("0.125"), "1,234": Decimal("1.234")}),
    File("commas and points", "", {"12,5": "comma_and_point", "1.234,5": "comma_and_point", "7.5": Decimal("7.5")}),
    File("commas, and a point in a number with a unit", "", {"12,5": "comma_and_point", "7.5 min": "run_time_not_number"}),
    File("a decimal comma, and a point that may be a thousands separator", "", {"12,5": "comma_and_point", "1.250": "grouping_points", "7": Decimal(7)}),
    File("the same, and a point that must be a decimal point", "", {"12,5": "comma_and_point", "1.250": Decimal("1.25"), "7.5": Decimal("7.5")}),
    File(
        "points that are thousands separators in one run time, and maybe in others", "",
        {"1.234": "grouping_points", "1.234.567": "grouping_points", "+2.500": "grouping_points", "0.125": Decimal("0.125"),
         "7.5": Decimal("7.5"), "1.2345": Decimal("1.2345"), "1.2.3": "run_time_not_number"},
    ),
    File(
        "a point before a comma, so that points are thousands separators", "",
        {"1.234": Decimal(1234), "1.234,5": Decimal("1234.5"), "1.234.567": Decimal(1234567), "12,5": Decimal("12.5"), "7": Decimal(7)},
    ),
    File("the same, and a point before a comma", "", {"1.234,5": "comma_and_point", "1,234.5": "comma_and_point", "1.234": "grouping_points"}),
    File(
        "FEATURES_DECIMAL is a comma", ",",
        {"12,5": Decimal("12.5"), "1,234": Decimal("1.234"), "1.234,5": Decimal("1234.5"), "1.234": Decimal(1234),
         "1.234.567": Decimal(1234567), "1234e-3": Decimal("1.234"),
         "7": Decimal(7), "7.5": "run_time_not_number", "-1,5": "negative_run_time", "n.a.": "missing_run_time"},
    ),
    File(
        "FEATURES_DECIMAL is a point", ".",
        {"12.5": Decimal("12.5"), "1,234": Decimal(1234), "1,234,567.5": Decimal("1234567.5"), "7": Decimal(7),
         "1.234": Decimal("1.234"), "1.234.567": "run_time_not_number",
         "12,5": "run_time_not_number", "0,123": "run_time_not_number", "-1,234": "negative_run_time"},
    ),
]  # fmt: skip
