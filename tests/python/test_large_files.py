"""A file of a million rows."""

from __future__ import annotations

from conftest import FILES, PUBLISHED, Project


def test_faults_at_row_900_000(project: Project) -> None:
    """In a file of a million rows, errors are rejected with their row numbers, as in a file of ten."""
    header = "experiment_id,user_id,experiment_compound_ids,experiment_run_time"
    lines = [f"{number},{number % 10 + 1},1;3,12.5" for number in range(1, 1_000_001)]
    lines[899_998] = "x,1,1;3,12.5"
    lines[899_999] = "900000,1,1;99,12.5"
    lines[900_000] = "900001,1"
    project.write(**{name.removesuffix(".csv"): (PUBLISHED / name).read_bytes() for name in FILES})
    project.write(user_experiments="\n".join([header, *lines]))
    assert "LOADED 1000000" in project.dbt("seed")
    project.dbt("run", "--quiet")
    rejects = "select row_number, column_name, reason from {schema}.rejected_rows order by row_number"
    assert project.query(rejects) == [
        (900_000, "experiment_id", "The experiment_id is not a whole number."),
        (900_001, "experiment_compound_ids", "Left out of the list: not in compounds.csv: 99."),
        (900_002, "", "The row has 2 cells where the header has 4."),
    ]
