"""Input that is never published, and what the user reads about it: a sentence for each cause, and the rejected rows."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable, Sequence

from conftest import BUILD, PROJECT, Project

USERS = "user_id,name,email,signup_date"
EXPERIMENTS = "experiment_id,user_id,experiment_compound_ids,experiment_run_time"
COMPOUNDS = "compound_id,compound_name,compound_structure"
ID = "Write the user_id as a whole number using the digits 0 to 9."


def write(project: Project, users: Sequence[str] = ("1,Ann,a@example.com,2023-01-01",), experiments: Sequence[str] = ()) -> None:
    """Writes the files, with the compounds 1 and 2."""
    project.write(
        users="\n".join([USERS, *users]),
        user_experiments="\n".join([EXPERIMENTS, *experiments]),
        compounds="\n".join([COMPOUNDS, "1,A,C", "2,B,C"]),
    )


def experiments(column: str, cells: Sequence[str]) -> list[str]:
    """Experiments of user 1 with these cells in one column."""
    good = {"user_id": "1", "experiment_compound_ids": "1", "experiment_run_time": "5"}
    return [",".join([str(number), *{**good, column: cell}.values()]) for number, cell in enumerate(cells, 1)]


def test_more_than_half_stops_a_small_file(project: Project) -> None:
    """test_faults.py::test_limit has more of what is more than half."""
    write(project, experiments=experiments("experiment_run_time", ["5", "1.5 s", "2 s", "-1"]))
    output = project.dbt(*BUILD, succeeds=False)
    found = "3 of 4 filled cells of experiment_run_time in accepted rows of user_experiments.csv cannot be used as they are (more than 50%)"
    last = f"Nothing was published: {found}, so {project.schema}.user_features is as it was before this run."
    assert output.splitlines()[-1] == last
    assert output.index("configured to fail if != 0") < output.index("user_experiments.csv: ") < output.index(last)
    assert output.count(last) == 1
    assert project.query("select to_regclass('{schema}.user_features')") == [(None,)]


def test_dbt_run_is_stopped_as_well(project: Project) -> None:
    """`dbt run` runs no tests."""
    write(project, experiments=experiments("experiment_run_time", ["x", "x", "5"]))
    project.dbt("seed", "--quiet")
    lines = project.dbt("run", succeeds=False).splitlines()
    found = "2 of 3 filled cells of experiment_run_time in accepted rows of user_experiments.csv cannot be used as they are (more than 50%)"
    assert f"Nothing is published, since {found}; correct the files, or raise the limits in dbt_project.yml." in " ".join(" ".join(lines).split())
    assert lines[-1].startswith(f"Nothing was published: {found}, so ")
    assert project.query("select to_regclass('{schema}.user_features')") == [(None,)]


def test_causes_are_grouped_with_count_example_and_line(make_project: Callable[[str], Project]) -> None:
    """They are the same in the terminal, in dbt's log and in the run log of a run that publishes."""
    project = make_project("grouped")
    faults = ["2a", "Ann", "1.5", "", "9" * 60, "1", "2,too,many"]
    write(
        project,
        users=[*(f"{number},U,u@example.com,2023-01-01" for number in range(1, 41)), "41,U,u@example.com,", "42,U,u@example.com,1.2.2023",
               *(f"{fault},Ann,ann@example.com,2023-01-01" for fault in faults)],
        experiments=experiments("experiment_run_time", ["5"] * 8 + ["7 s", "8 s"]),
    )  # fmt: skip
    output = project.dbt(*BUILD, DBT_LOG_LEVEL_FILE="debug")
    lines = output.splitlines()
    expected = [
        'users.csv: 3 of 49 rows: the user_id is not a whole number, for example "2a" on line 44; write the user_id as a whole number using the digits 0 to 9.',
        "users.csv: 1 of 49 rows: the signup_date is missing, as on line 42; fill in the signup_date as YYYY-MM-DD.",
        'users.csv: 1 of 49 rows: the signup_date does not begin with its year, so its day and month could be confused, for example "1.2.2023" on line 43; '
        "write the signup_date as YYYY-MM-DD.",
        "users.csv: 1 of 49 rows: the user_id is missing, as on line 47; fill in the user_id.",
        f'users.csv: 1 of 49 rows: the user_id is larger than 9223372036854775807, for example "{"9" * 40}…" on line 48; correct the user_id.',
        "users.csv: and 2 more causes (2 rows); `make rejects` prints them.",
        'user_experiments.csv: 2 of 10 rows: the experiment_run_time is not a number, for example "7 s" on line 10; '
        "write the experiment_run_time using the digits 0 to 9 and at most one decimal point, such as 12.5, without a unit.",
    ]
    assert lines[-8:-1] == expected
    assert lines[-1].startswith("Rows read: 61, users published: 42, rows rejected: 7, cells left out: 4. ")
    log = (project.folder / "logs" / "dbt.log").read_text()
    assert all(line in log for line in lines[-8:])
    assert project.query("select causes, message from {schema}_audit.runs") == [(expected, None)]


def test_row_of_a_part_is_named_by_the_part_and_its_line(make_project: Callable[[str], Project]) -> None:
    project = make_project("in_parts")
    write(project)
    (project.seeds / "user_experiments.csv").unlink()
    (project.seeds / "user_experiments").mkdir()
    for name, rows in {"2024.csv": ["1,1,1,5", "2,1,2,x"], "2025.csv": ["", "3,1,9;1,5", "1,1,1,5", "3,1,9;1,5", "4,1", "5,1,1,5"]}.items():
        (project.seeds / "user_experiments" / name).write_text("\n".join([EXPERIMENTS, *rows]))
    output = project.dbt(*BUILD)
    assert 'run_time is not a number, for example "x" on line 3 of user_experiments/2024.csv; ' in output
    assert project.query("select file, row_number, reason from {schema}.rejected_rows order by 1, 2") == [
        ("user_experiments/2024.csv", 3, "The experiment_run_time is not a number."),
        ("user_experiments/2025.csv", 3, "Left out of the list: not in compounds.csv: 9."),
        ("user_experiments/2025.csv", 4, "The row is a duplicate of line 2 of user_experiments/2024.csv."),
        ("user_experiments/2025.csv", 5, "The row is a duplicate of line 3 of user_experiments/2025.csv."),
        ("user_experiments/2025.csv", 6, "The row has 2 cells where the header has 4."),
    ]
    texts = project.query("select file, row_number, row_text from {schema}_staging.int_rejected_row_text order by 1, 2")
    assert texts[0] == ("user_experiments/2024.csv", 3, "2,1,2,x") and texts[-1] == ("user_experiments/2025.csv", 6, "4,1")

    # A single file in place of the folder has no parts.
    write(project, experiments=["1,1,1,5", "2,1,2,x", "3,1,2,5"])
    shutil.rmtree(project.seeds / "user_experiments")
    project.dbt(*BUILD)
    assert project.query("select file, row_number from {schema}.rejected_rows") == [("user_experiments.csv", 3)]


def test_what_may_be_a_name_is_not_shown(make_project: Callable[[str], Project]) -> None:
    project = make_project("shifted")
    write(project, users=["1,Ann,a@example.com,2023-01-01", "Bob Lee,2,b@example.com,2023-01-01", "c@example.com,Cid,3,2023-01-01"])
    output = project.dbt(*BUILD, succeeds=False)
    assert "users.csv: 2 of 3 rows: the user_id is not a whole number, as on line 3; write the user_id" in output
    assert "Bob" not in output and "@" not in output


def test_rejects_as_a_table_and_as_csv(make_project: Callable[[str], Project]) -> None:
    """After a run that published, and after a run that was stopped."""
    project = make_project("listed")
    write(project, ["1,Ann,a@example.com,2023-01-01", '2a,"Bob ""B"", jr.\nat home",b@example.com,2023-01-01'], ["1,1,1,5"])
    show = ("--quiet", "run-operation", "show_rejects")
    output = project.dbt("seed", "--quiet") + project.dbt(*show, succeeds=False)
    assert "No run has checked the rows yet; start the first one with `make run`." in output
    project.dbt(*BUILD, "--quiet")
    lines = project.dbt(*show).splitlines()
    assert lines[0] == "Rejected rows and cells of what is published:"
    assert lines[1].startswith('users.csv: 1 of 2 rows: the user_id is not a whole number, for example "2a" on line 3; ')
    assert [cell.strip() for cell in lines[4].split("|")[1:-1]] == [
        "users.csv", "3", "user_id", "The user_id is not a whole number.", ID, "False", '2a,"Bob ""B"", jr.⏎at home",b@example.com,2023-01-01',
    ]  # fmt: skip
    assert len(lines) == 5

    write(project, users=["x,Ann,a@example.com,2023-01-01", '2a,"Bob ""B"", jr.\nat home",b@example.com,2023-01-01'])
    project.dbt(*BUILD, "--quiet", succeeds=False)
    file = project.folder / "rejects.csv"
    output = project.dbt(*show, REJECTS_FILE=str(file))
    assert output.startswith("Rejected rows and cells of the last run, which published nothing; listed.rejected_rows is from an earlier one:")
    assert output.splitlines()[-1] == f"2 rows were written to {file}."
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["file"], row["row_number"], row["remedy"]) for row in rows] == [("users.csv", "2", ID), ("users.csv", "3", ID)]
    assert rows[1]["row_text"] == '2a,"Bob ""B"", jr.\nat home",b@example.com,2023-01-01'


def test_make_passes_the_file_on() -> None:
    shown = subprocess.run(["make", "-n", "rejects", "OUT=a b.csv"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert 'REJECTS_FILE="a b.csv" dbt --quiet run-operation show_rejects' in shown
