"""DuckDB computes what Postgres computes, to the last digit; `make parity` also compares Spark, on more inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from conftest import FEATURES, Project
from parity import DuckDB, adversarial, difference, environment_of, inputs, outcomes_of
from test_errors import FAULTS as FILE_FAULTS
from test_faults import FAULTS, HARMLESS
from test_file_forms import FORMS
from test_published_input import EXPECTED

GENERATED = 10


@pytest.fixture(scope="module")
def both(project: Project) -> Iterator[Project]:
    """The module's Project, for both engines."""
    project.environment = environment_of(project.folder, project.environment)
    yield project


def test_every_model_and_test_on_duckdb(both: Project) -> None:
    output = both.dbt("build", "--target", "duckdb", SHOW_FEATURES="20")
    passed, warned, failed, skipped = map(int, re.search(r"PASS=(\d+) WARN=(\d+) ERROR=(\d+) SKIP=(\d+)", output).groups())
    assert (warned, failed, skipped) == (0, 0, 0)
    assert passed > 70
    connection = DuckDB(both)
    features = sorted(connection.rows(f"(select {', '.join(FEATURES)} from {both.schema}.user_features)"))
    connection.connection.close()
    assert features == EXPECTED
    assert "Rows read: 24, users published: 10, rows rejected: 0, cells left out: 0." in output


def test_column_of_another_type_stops_the_run(both: Project, published: Project) -> None:
    """DuckDB would round a mean to a whole number, and find another state at each run."""
    both.dbt("build", "--target", "duckdb", "--quiet")
    connection = DuckDB(both).connection
    connection.execute(f"alter table {both.schema}.user_features_history alter avg_experiment_run_time type bigint")
    connection.commit()
    connection.close()
    output = " ".join(both.dbt("run", "--target", "duckdb", succeeds=False).split())
    assert "The column avg_experiment_run_time is DOUBLE, but BIGINT in user_features_history" in output
    connection = DuckDB(both).connection
    connection.execute(output.partition("run `")[2].partition("`")[0])
    connection.commit()
    connection.close()
    both.dbt("run", "--target", "duckdb", "--quiet")


def test_process_on_duckdb_prints_nothing_of_its_own(both: Project, published: Project) -> None:
    process = both.start("seed", "--target", "duckdb", "--quiet")
    assert process.communicate()[0] == ""
    assert process.returncode == 0


def test_file_that_cannot_be_loaded_leaves_the_table(both: Project, published: Project) -> None:
    both.dbt("seed", "--target", "duckdb", "--quiet")
    both.write(users="user_id,name\n1,Alice")
    output = both.dbt("seed", "--target", "duckdb", succeeds=False)
    assert "users.csv: the header on line 1 lacks the column email" in " ".join(output.replace(f" ({both.seeds}/users.csv)", "").split())
    connection = DuckDB(both)
    assert len(list(connection.rows(f"{both.schema}_raw.users"))) == 10
    connection.connection.close()


def test_same_rows_on_every_input(both: Project) -> None:
    # Here, all unusable rows are in one input. `make parity` also tries each of them alone, and every form and error of a file, which
    # the reader treats alike for all engines.
    alone = {*FORMS, *FILE_FAULTS, *(f"fault: {name}" for name in FAULTS | HARMLESS)}
    cases = {name: files for name, files in inputs(GENERATED, of_adversarial=2).items() if name not in alone}
    assert {"published", "all faults at once", "quotes and line breaks", "generated 0", "adversarial 0"} <= set(cases)
    expected = outcomes_of("postgres", both, list(cases.values()))
    found = outcomes_of("duckdb", both, list(cases.values()))
    differences = {name: text for name, wanted, here in zip(cases, expected, found, strict=True) if (text := difference(wanted, here))}
    assert not differences, "\n".join(f"{name}:\n{text}" for name, text in differences.items())


def test_adversarial_input_reaches_what_it_is_meant_to_reach() -> None:
    text = b"".join(adversarial(0).values()).decode()
    for piece in ("NULL", "NaN", "${x}", "007", "O'Neil", "İ", "ς", "9223372036854775807", "9999999999.999999999999999999"):
        assert piece in text
