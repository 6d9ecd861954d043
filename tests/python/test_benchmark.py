"""The benchmark: its input, a run of 100 rows, a run in which two contenders disagree, and its report."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import oracle
import pytest
from conftest import FILES, PROJECT

INSTALLED = PROJECT / ".venv-bench" / "bin" / "python"
PYTHON = INSTALLED if INSTALLED.exists() else Path(sys.executable)

pytestmark = pytest.mark.skipif(PYTHON != INSTALLED and find_spec("polars") is None, reason="what the benchmark needs is installed by `make bench`")


def run(script: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of the benchmark as a process."""
    return subprocess.run([PYTHON, script, *map(str, arguments)], env={**os.environ, **environment}, capture_output=True, text=True)


def generated(folder: Path, form: str, rows: int = 1000) -> list[bytes]:
    """The three files as bytes: users, experiments, compounds."""
    done = run(PROJECT / "benchmarks" / "generate.py", rows, folder, "--form", form)
    assert done.returncode == 0, done.stderr
    return [(folder / name).read_bytes() for name in FILES]


def test_every_form_has_the_same_rows_each_time(tmp_path: Path) -> None:
    clean = generated(tmp_path / "clean", "clean")
    assert clean == generated(tmp_path / "again", "clean")
    assert [b.replace(b",\t", b",").removeprefix(b"\n") for b in generated(tmp_path / "published", "published")] == clean
    assert [b.replace(b'"', b"") for b in generated(tmp_path / "quoted", "quoted")] == clean


def test_input_has_every_kind_of_bad_row_and_no_other(tmp_path: Path) -> None:
    users, experiments, compounds = generated(tmp_path, "clean")
    result = oracle.compute(users, experiments, compounds)
    assert result.rows_read == {"users.csv": 20, "user_experiments.csv": 1000, "compounds.csv": 100}
    faults = sorted(fault for _, _, _, _, fault in result.rejected)
    assert faults == [
        "duplicate_id", "duplicate_row", "id_not_integer", "missing_id", "negative_run_time", "no_compounds",
        "run_time_not_number", "unknown_compounds", "unknown_user",
    ]  # fmt: skip
    lists = [row.cells[2].split(";") for row in oracle.load(oracle.EXPERIMENTS, experiments).rows]
    assert sum(len(ids) != len(set(ids)) for ids in lists) == 1


def test_run_measures_everything_and_keeps_other_results(tmp_path: Path) -> None:
    older = {"rows": 7, "contender": "pandas", "job": "an older one", "median_seconds": 1, "median_peak_mib": 1}
    (tmp_path / "results.json").write_text(json.dumps({"measurements": [older, {**older, "rows": 100}]}))
    done = run(PROJECT / "benchmarks" / "run.py", "--output", tmp_path, ROWS="100", REPEATS="1", FORMS="quoted", ENGINES="")
    assert done.returncode == 0, done.stdout + done.stderr

    results = json.loads((tmp_path / "results.json").read_text())
    first, *measured = results["measurements"]
    assert first == older
    assert [(one["rows"], one["contender"]) for one in measured] == [
        (100, name)
        for name in (
            "dbt seed && dbt run", "pandas", "polars", "duckdb",
            "dbt seed", "dbt seed, quoted", "read_csv of duckdb", "psql \\copy", "stock dbt seed",
        )
    ]  # fmt: skip
    for one in measured:
        assert one["seconds"] == [one["median_seconds"]] and one["median_seconds"] > 0
        assert one["peak_mib"] == [one["median_peak_mib"]] and one["median_peak_mib"] > 1
        assert bool(one["loading_seconds"]) == (one["job"] != "From the three files to one row of features per user")
    assert results["versions"].keys() >= {"PostgreSQL", "Python", "dbt-core", "pandas", "polars", "duckdb"}

    page = (tmp_path / "results.md").read_text()
    assert "| `dbt seed && dbt run` | " in page and "| `stock dbt seed` | " in page
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")
    assert re.search(r"^5 of 11: 100 rows, polars, measured [0-9.]+ s and [0-9]+ MiB, [0-9.]+ s$", done.stdout, re.MULTILINE)


def test_run_fails_where_contenders_disagree(tmp_path: Path) -> None:
    copy = tmp_path / "benchmarks"
    shutil.copytree(PROJECT / "benchmarks", copy)
    script = copy / "contenders" / "pandas_script.py"
    right = script.read_text()
    wrong = right.replace("run_times.size()", "run_times.size() + 1")
    assert wrong != right
    script.write_text(wrong)
    with (copy / "contenders" / "__init__.py").open("a") as file:
        # Another script in place of dbt, which would take most of the time.
        file.write(
            "\nimport dataclasses\npandas, polars = [one for one in CONTENDERS if one.name in (PANDAS, 'polars')]\n"
            "CONTENDERS = [dataclasses.replace(polars, name=DBT_SEED_AND_RUN), pandas]\n"
        )

    done = run(copy / "run.py", "--output", tmp_path, ROWS="100", REPEATS="1", FORMS="clean", ENGINES="")
    assert done.returncode == 1
    assert done.stderr == ("pandas and dbt seed && dbt run disagree at 100 rows: user 1 has total_experiments 8 instead of 7.\n")
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ROWS", "many", "ROWS is 'many'; set it to whole numbers such as 1000000."),
        ("FORMS", "quoted strange", "FORMS has strange; there are clean, published, quoted, extra, trailing, stray, blank, odd, inside and gzip."),
        ("ENGINES", "duckdb mysql", "ENGINES has mysql; there are duckdb and spark."),
    ],
)
def test_settings_that_make_no_sense_are_named(name: str, value: str, sentence: str) -> None:
    done = run(PROJECT / "benchmarks" / "run.py", **{name: value})
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n")


def test_report_compares_what_is_required_as_far_as_it_was_measured(tmp_path: Path) -> None:
    def measured(rows: int, contender: str, job: str, seconds: float, peak_mib: float) -> dict[str, object]:
        return {
            "rows": rows, "contender": contender, "job": job,
            "median_seconds": seconds, "median_peak_mib": peak_mib, "median_loading_seconds": seconds / 2,
        }  # fmt: skip

    features, loading = "From the three files to one row of features per user", "Loading the files"
    results = {
        "date": "2023-10-01T00:00:00+00:00",
        "machine": {"cores": 2, "memory_gib": 16.0, "cpu": "a CPU"},
        "versions": {"PostgreSQL": "18.0"},
        "measurements": [
            measured(10, "dbt seed && dbt run", features, 8.0, 100.0),
            measured(100_000, "dbt seed", loading, 3.0, 100.0),
            measured(100_000, "stock dbt seed", loading, 36.0, 300.0),
            measured(1_000_000, "dbt seed && dbt run", features, 10.0, 100.0),
            measured(1_000_000, "dbt seed", loading, 4.0, 100.0),
            measured(1_000_000, "dbt seed, quoted", loading, 6.0, 100.0),
            measured(1_000_000, "psql \\copy", loading, 2.0, 10.0),
            measured(10_000_000, "dbt seed && dbt run", features, 50.0, 110.0),
            measured(10_000_000, "pandas", features, 100.0, 5500.0),
        ],
    }
    (tmp_path / "results.json").write_text(json.dumps(results))
    done = run(PROJECT / "benchmarks" / "report.py", tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "results.md").read_text()
    required = page.split("| what | required | measured |\n|---|---|---|\n")[1].split("\n\n")[0]
    assert [line.strip("| ").split(" | ")[1:] for line in required.splitlines()] == [
        ["within 0.85x", "0.50x"],
        ["within 2.6x", "2.00x"],
        ["within 6x", "2.00x"],
        ["at least 12x faster", "12.0x faster"],
        ["under 1.2x", "1.10x"],
        ["less than 0.1x", "0.020x"],
        ["less than 11x", "5.0x"],
        ["within 1.8x", "1.50x"],
    ]
    assert "| pandas | 100.00 | 2.00 | 5500 |" in page
