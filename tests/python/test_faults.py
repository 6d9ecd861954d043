"""Each error ends up in rejected_rows with its reason, its remedy and its row number."""

from __future__ import annotations

import pytest
from cases import Outcome, prepare, run
from conftest import BUILD, Project

USERS = "user_id,name,email,signup_date"
EXPERIMENTS = "experiment_id,user_id,experiment_compound_ids,experiment_run_time"
COMPOUNDS = "compound_id,compound_name,compound_structure"
GOOD = {
    "users": [USERS, "1,Alice,alice@example.com,2023-01-01", "2,Bob,bob@example.com,2023-02-01"],
    "user_experiments": [EXPERIMENTS, "1,1,1;2,10", "2,1,2,15", "3,2,1,20"],
    "compounds": [COMPOUNDS, "1,Compound A,C20H25N3O", "2,Compound B,C21H30O2"],
}
FILL_IN = "Fill in the {0}."
USE_DIGITS = "Write the {0} as a whole number using the digits 0 to 9."
CORRECT = "Correct the {0}."
CELLS = (
    "Give the row one cell per column, and each column a name; put cells with a separator in quotes, close each quote, and write quotes inside quotes twice."
)
NOT_A_DAY = ("The signup_date is not a valid date that begins with its year.", "Write the signup_date as YYYY-MM-DD.")
YEAR_LAST = (
    "The signup_date does not begin with its year, so its day and month could be confused.",
    "Write the signup_date as YYYY-MM-DD.",
)
NOT_A_NUMBER = (
    "The experiment_run_time is not a number.",
    "Write the experiment_run_time using the digits 0 to 9 and at most one decimal point, such as 12.5, without a unit.",
)
AMBIGUOUS_COMMA = (
    "The experiment_run_time has a comma that could be a decimal mark or group its digits, as 1,234 could be 1.234 or 1234.",
    "Set FEATURES_DECIMAL to the decimal mark of the file, a comma or a point.",
)
ADD_COMPOUNDS = "Add the missing compounds to compounds.csv, or correct the ids."
CORRECT_IDS = "Write whole numbers with one kind of separator (1;3); add missing compounds to compounds.csv."
TOO_LARGE = "The {0} is larger than 9223372036854775807."
CONFLICT = (
    "The row has the same id as line {0}, but different content.",
    "Remove the wrong one of the two rows, or merge them; the first one counts.",
)
REPEAT = ("The row is a duplicate of line {0}.", "Remove one of the two rows; the first one counts.")


def key_faults(file: str, column: str, row: str) -> dict[str, tuple[str, str, str, str, str, bool]]:
    """The errors of an id: `row` is a row of the file with {} for the id."""
    texts = {
        "missing": ("", f"The {column} is missing.", FILL_IN),
        "of white space": (" \t", f"The {column} is missing.", FILL_IN),
        "negative": ("-9", f"The {column} is not a whole number.", USE_DIGITS),
        "in words": ("n/a", f"The {column} is missing.", FILL_IN),
        "decimal": ("9.5", f"The {column} is not a whole number.", USE_DIGITS),
        "a word": ("nine", f"The {column} is not a whole number.", USE_DIGITS),
        "Arabic digits": ("٩", f'The {column} is not a whole number: "٩" (U+0669) is not one of the digits 0 to 9.', USE_DIGITS),
        "too large": ("9223372036854775808", TOO_LARGE.format(column), CORRECT),
        "far too large": ("9" * 400, TOO_LARGE.format(column), CORRECT),
    }
    return {f"{file} {column} {name}": (file, row.format(text), column, reason, remedy.format(column), False) for name, (text, reason, remedy) in texts.items()}


# name: file, the row added to the good ones, column, reason, remedy, whether the row is used
FAULTS: dict[str, tuple[str, str, str, str, str, bool]] = {
    **key_faults("users", "user_id", "{},Carol,carol@example.com,2023-03-01"),
    **key_faults("compounds", "compound_id", "{},Compound C,C8H11NO2"),
    **key_faults("user_experiments", "experiment_id", "{},1,1,10"),
    **key_faults("user_experiments", "user_id", "4,{},1,10"),
    "too few cells": ("users", "3,Carol,carol@example.com", "", "The row has 3 cells where the header has 4.", CELLS, False),
    "too many cells": ("compounds", "3,Compound C,C8H11NO2,,x", "", "The row has 5 cells where the header has 3.", CELLS, False),
    "too many cells, quoted": ("compounds", '3,"Compound C",C8,"x"', "", "The row has 4 cells where the header has 3.", CELLS, False),
    "one cell": ("user_experiments", "4", "", "The row has 1 cell where the header has 4.", CELLS, False),
    "surplus empty cell in one row": ("compounds", "3,2,4-Dinitrophenol,", "", "The row has 4 cells where the header has 3.", CELLS, False),
    "quotes behind backslashes": (
        "compounds", '3,"Compound \\"C\\"",C8H11NO2', "",
        "The row has a backslash before a quote inside quotes.", CELLS, False,
    ),
    "exact duplicate user": ("users", "1, Alice ,alice@example.com,2023-01-01", "", REPEAT[0].format(2), REPEAT[1].format(2), False),
    "exact duplicate experiment": ("user_experiments", "2,1,2,15", "", REPEAT[0].format(3), REPEAT[1].format(3), False),
    "exact duplicate compound": ("compounds", '2,"Compound B",C21H30O2', "", REPEAT[0].format(3), REPEAT[1].format(3), False),
    "user with other content": ("users", "1,Alicia,alice@example.com,2023-01-01", "", CONFLICT[0].format(2), CONFLICT[1].format(2), False),
    "user with other date": ("users", "1,Alice,alice@example.com,2023-01-02", "", CONFLICT[0].format(2), CONFLICT[1].format(2), False),
    "experiment of other user": ("user_experiments", "3,1,1,20", "", CONFLICT[0].format(4), CONFLICT[1].format(4), False),
    "experiment with other compounds": ("user_experiments", "3,2,2,20", "", CONFLICT[0].format(4), CONFLICT[1].format(4), False),
    "experiment with other run time": ("user_experiments", "3,2,1,21", "", CONFLICT[0].format(4), CONFLICT[1].format(4), False),
    "compound with other content": ("compounds", "02,Compound X,C21H30O2", "", CONFLICT[0].format(3), CONFLICT[1].format(3), False),
    "unknown user": (
        "user_experiments", "4,42,1,10", "user_id",
        "User 42 is not among the accepted rows of users.csv.", "Add the user to users.csv, or correct the user_id.", False,
    ),
    **{
        f"sign-up date {text!r}": ("users", f"3,Carol,carol@example.com,{text}", "signup_date", *NOT_A_DAY, True)
        for text in ("2023-02-29", "1900-02-29", "2023-04-31", "2023-13-01", "2023-00-10", "2023-01-00", "0000-01-01",
                     "2023-3-1", "2023-03-01 25:00", "yesterday", "20230229")
    },
    **{
        f"sign-up date {text!r}": ("users", f"3,Carol,carol@example.com,{text}", "signup_date", *YEAR_LAST, True)
        for text in ("1.3.2023", "01/03/2023")
    },
    "no sign-up date": (
        "users", "3,Carol,carol@example.com,", "signup_date",
        "The signup_date is missing.", "Fill in the signup_date as YYYY-MM-DD.", True,
    ),
    **{
        f"run time {text!r}": ("user_experiments", f"4,2,1,{text}", "experiment_run_time", *NOT_A_NUMBER, True)
        for text in ("ten", "infinity", "-inf", "1_000", "0x10", "10 s", "1.2.3")
    },
    "run time in Arabic digits": (
        "user_experiments", "4,2,1,٣", "experiment_run_time",
        'The experiment_run_time is not a number: "٣" (U+0663) is not one of the digits 0 to 9.', NOT_A_NUMBER[1], True,
    ),
    "run time with a comma in front of three digits": (
        "user_experiments", '4,2,1,"1,234"', "experiment_run_time", *AMBIGUOUS_COMMA, True,
    ),
    **{
        f"run time {text}": (
            "user_experiments", f"4,2,1,{text}", "experiment_run_time",
            "The experiment_run_time has more than 10 digits before the decimal point, or is too small for 18 decimals.",
            "Round the experiment_run_time, or correct it.", True,
        )
        for text in ("1" * 11, "1" * 300, "0." + "0" * 9 + "1" * 10)
    },
    "negative run time": (
        "user_experiments", "4,2,1,-0.5", "experiment_run_time",
        "The experiment_run_time is negative.", CORRECT.format("experiment_run_time"), True,
    ),
    "no run time": (
        "user_experiments", "4,2,1,", "experiment_run_time",
        "The experiment_run_time is missing.", FILL_IN.format("experiment_run_time"), True,
    ),
    "empty compound list": (
        "user_experiments", "4,2,,10", "experiment_compound_ids",
        "The list of compounds is empty.", "List the ids of the compounds, separated by semicolons.", True,
    ),
    "compound list of separators": (
        "user_experiments", "4,2, ; ;;,10", "experiment_compound_ids",
        "The list of compounds is empty.", "List the ids of the compounds, separated by semicolons.", True,
    ),
    "unknown compound": (
        "user_experiments", "4,2,1;9,10", "experiment_compound_ids",
        "Left out of the list: not in compounds.csv: 9.", ADD_COMPOUNDS, True,
    ),
    "non-integer compound": (
        "user_experiments", "4,2,1;B,10", "experiment_compound_ids",
        "Left out of the list: not a compound id: 1 item.", CORRECT_IDS, True,
    ),
    "several bad compounds in one cell": (
        "user_experiments", "4,2,30;x;9; 1;9223372036854775808;9,10", "experiment_compound_ids",
        "Left out of the list: not in compounds.csv: 9, 30; not a compound id: 2 items.", CORRECT_IDS, True,
    ),
}  # fmt: skip


def files(**added: str) -> dict[str, bytes]:
    return {name: "\n".join([*lines, *([added[name]] if name in added else [])]).encode() for name, lines in GOOD.items()}


# Rows that look odd but are valid: file and row.
HARMLESS = {
    "stray and doubled separators": ("user_experiments", "4,2,;1;; 2 ;,10"),
    "compound listed twice": ("user_experiments", "4,2,1;01;1,10"),
    "run time with a decimal comma": ("user_experiments", '4,2,1,"12,5"'),
    "run time with an exponent": ("user_experiments", "4,2,1,1.5E+01"),
    "ids with decimals of zero": ("user_experiments", "4.0,2.0,[1.0],10"),
    "run time without digits before the point": ("user_experiments", "4,2,1,.5"),
    "run time without digits behind the point": ("user_experiments", "4,2,1,5."),
    "run time of many digits": ("user_experiments", "4,2,1," + "1" * 10 + "." + "1" * 18),
    "largest key": ("user_experiments", "9223372036854775807,2,1,10"),
    "leap day": ("users", "3,Carol,carol@example.com,2024-02-29"),
    "user without name and email": ("users", "3,,,2023-03-01"),
    "compound without name": ("compounds", "3,,"),
    "blank line": ("users", " \t "),
    "separators only": ("users", ",,,"),
    "empty quotes": ("users", '"",""'),
    "header again, spelled otherwise": ("users", "User ID,NAME,E.mail,Signup-Date".replace("E.mail", "Email")),
    "header again": ("users", USERS),
}


def of_column(column: str, *cells: str) -> dict[str, bytes]:
    """Experiments of user 1 with these cells in one column."""
    good = {"user_id": "1", "experiment_compound_ids": "1", "experiment_run_time": "5"}
    rows = [",".join([str(number), *{**good, column: cell}.values()]) for number, cell in enumerate(cells, 1)]
    return {**files(), "user_experiments": "\n".join([EXPERIMENTS, *rows]).encode()}


def of_users(good: int, bad: int) -> dict[str, bytes]:
    rows = [f"{number},User,,2023-01-01" for number in range(1, good + 1)] + ["x,User,,2023-01-01"] * bad
    return {**files(), "users": "\n".join([USERS, *rows]).encode()}


UNUSABLE = "filled cells of {} in accepted rows of user_experiments.csv cannot be used as they are (more than 50%)"
# An input, and why nothing of it is published; None if it is.
LIMITS: dict[str, tuple[dict[str, bytes], str | None]] = {
    "most rows": (of_column("user_id", "1", "a", "b", "c"), "3 of 4 rows of user_experiments.csv are rejected (more than 50%)"),
    "one row of ten": (of_column("user_id", *["1"] * 9, "a"), None),
    "most run times": (of_column("experiment_run_time", "5", "1.5 s", "2 s", "-1"), "3 of 4 " + UNUSABLE.format("experiment_run_time")),
    "half of the run times": (of_column("experiment_run_time", "5", "5", "x", "x"), None),
    # Empty cells tell nothing about the others.
    "most filled run times": (of_column("experiment_run_time", *["", "", "5", "6", "x", "x", "x"]), "3 of 5 " + UNUSABLE.format("experiment_run_time")),
    "empty run times": (of_column("experiment_run_time", "", "", "", "5"), None),
    # A list counts as used if all its items are ids and one of them is used.
    "most lists": (of_column("experiment_compound_ids", "9;1", "1;A", "9;9", "8"), "3 of 4 " + UNUSABLE.format("experiment_compound_ids")),
    "empty lists": (of_column("experiment_compound_ids", "", ";", " ; ", "9;1"), None),
    "just over 1%": (of_users(989, 11), "11 of 1000 rows of users.csv are rejected (more than 10 and more than 1%)"),
    "1% exactly": (of_users(1089, 11), None),
    "nearly all of a small file": (of_users(5, 11), "11 of 16 rows of users.csv are rejected (more than 50%)"),
    "half of a small file, and 10 at most": (of_users(10, 10), None),
}


@pytest.fixture(scope="module")
def outcomes(project: Project) -> dict[str, Outcome]:
    inputs = {name: files(**{file: row}) for name, (file, row, *_) in FAULTS.items()}
    inputs |= {name: files(**{file: row}) for name, (file, row) in HARMLESS.items()}
    inputs |= {name: content for name, (content, _) in LIMITS.items()}
    prepare(project)
    return dict(zip(inputs, run(project, list(inputs.values()))))


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(outcomes: dict[str, Outcome], fault: str) -> None:
    file, _, column, reason, remedy, kept = FAULTS[fault]
    outcome = outcomes[fault]
    assert outcome.problem is None
    assert [(row["file"], row["row_number"], row["column_name"], row["reason"], row["remedy"], row["row_kept"]) for row in outcome.relations["rejects"]] == [
        (f"{file}.csv", len(GOOD[file]) + 1, column, reason, remedy, kept)
    ]
    assert outcome.failed_tests == []
    assert {row["file"]: row["rows_rejected"] for row in outcome.relations["rows_per_file"]}[f"{file}.csv"] == (not kept)
    users = {row["user_id"]: row["total_experiments"] for row in outcome.relations["features"]}
    assert users[1] == 2
    assert users[2] == (2 if kept and file == "user_experiments" else 1)


@pytest.mark.parametrize("row", HARMLESS)
def test_harmless(outcomes: dict[str, Outcome], row: str) -> None:
    assert outcomes[row].problem is None
    assert outcomes[row].relations["rejects"] == []
    assert outcomes[row].failed_tests == []


@pytest.mark.parametrize("limit", LIMITS)
def test_limit(outcomes: dict[str, Outcome], limit: str) -> None:
    """What is published then, and what is not, is shown by tests that run dbt."""
    content, sentence = LIMITS[limit]
    file = next(f"{name}.csv" for name, text in content.items() if text != files()[name])
    assert {row["file"]: row["mismatch"] for row in outcomes[limit].relations["rows_per_file"]}[file] == sentence


def test_compound_listed_twice_counts_once(outcomes: dict[str, Outcome]) -> None:
    (user,) = (row for row in outcomes["compound listed twice"].relations["features"] if row["user_id"] == 2)
    assert (user["most_common_compound_id"], user["most_common_compound_experiments"], user["distinct_compounds"]) == (1, 2, 1)


def test_known_compounds_of_a_bad_list_count(outcomes: dict[str, Outcome]) -> None:
    (user,) = (row for row in outcomes["several bad compounds in one cell"].relations["features"] if row["user_id"] == 2)
    assert (user["most_common_compound_ids"], user["most_common_compound_experiments"]) == ("1", 2)


def test_rejected_text_is_kept_apart(project: Project) -> None:
    """The row's original text is in staging, and nowhere in rejected_rows."""
    other = Project(project.folder / "text", "rejected_text", project.environment)
    other.write(users="\n".join([*GOOD["users"], "x7,Mallory,mallory@example.com,2023-03-01", "8,Oscar"]))
    other.write(user_experiments="\n".join(GOOD["user_experiments"]), compounds="\n".join(GOOD["compounds"]))
    output = other.dbt(*BUILD)
    assert other.query("select file, row_number, row_text from {schema}_staging.int_rejected_row_text order by row_number") == [
        ("users.csv", 4, "x7,Mallory,mallory@example.com,2023-03-01"),
        ("users.csv", 5, "8,Oscar"),
    ]
    published = str(other.query("select * from {schema}.rejected_rows"))
    assert "allory" not in published and "x7" not in published and "Oscar" not in published
    assert "Got 2 results, configured to warn" in output
    assert "Rows read: 9, users published: 2, rows rejected: 2, cells left out: 0. The features are in rejected_text.user_features" in output
