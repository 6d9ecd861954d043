"""Compares the SQL with an oracle in plain Python, on generated input in every form and with every error."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from fractions import Fraction

import oracle
from cases import Outcome, prepare, run
from conftest import Project
from generated import Input, generate

INPUTS = int(os.environ.get("GENERATED_INPUTS", "150"))
PROBLEMS = {
    "empty": "the file is empty",
    "missing_column": "lacks the column|the header seems to be on line|more than once|seems to be a row|spread over several",
    "duplicate_column": "more than once",
    "not_utf8": "is not UTF-8 text|contains a NUL byte",
    "unclosed_quote": "is never closed",
    "unclear_cells": "so it is unclear which column each belongs to",
    "row_names": "as if R or pandas had written row names",
    "another_header": "is another header",
    "another_table": "seems to be the header of another table",
}


def difference(one: Input, outcome: Outcome) -> str | None:
    """The difference between the oracle and the project for one input; None if there is none."""
    try:
        expected = oracle.compute(one.users, one.experiments, one.compounds)
    except oracle.LoadError as error:
        if outcome.problem and re.match(f"{error.file}: .*({PROBLEMS[error.problem]})", outcome.problem):
            return None
        return f"problem: {error.file} {error.problem} expected, {outcome.problem} found"
    if outcome.problem:
        return f"problem: none expected, {outcome.problem} found"

    features = sorted(outcome.relations["features"], key=lambda row: row["user_id"])
    # Features that the oracle does not know have their own unit tests.
    features = [{name: row[name] for name in known} for row in features for known in expected.features[:1]]
    for row in (*features, *expected.features):
        total = row["total_experiment_run_time"]
        row["total_experiment_run_time"] = None if total is None else Fraction(total)
    summary = outcome.relations["summary"]
    for row in (*features, *summary):
        row.update({name: float(value) for name, value in row.items() if isinstance(value, Decimal)})
    rejected = [(row["file"], row["row_number"], row["column_name"], row["row_kept"], row["code"]) for row in outcome.relations["rejects"]]
    rows_read = {row["file"]: row["rows_read"] for row in outcome.relations["rows_per_file"]}
    for what, wanted, found in (
        ("features", expected.features, features),
        ("summary", [expected.summary], summary),
        ("usage", expected.usage, sorted(outcome.relations["usage"], key=lambda row: row["compound_id"])),
        ("rejected", sorted(expected.rejected), sorted(rejected)),
        ("rows read", expected.rows_read, rows_read),
        ("failed tests", [], outcome.failed_tests),
    ):
        if wanted != found:
            return f"{what}:\n  expected {wanted}\n  found    {found}"
    return None


def test_same_features_and_rejects(project: Project) -> None:
    generated = generate(INPUTS)
    prepare(project)
    outcomes = run(project, [{"users": one.users, "user_experiments": one.experiments, "compounds": one.compounds} for one in generated])
    different = [(one, text) for one, outcome in zip(generated, outcomes, strict=True) if (text := difference(one, outcome)) is not None]
    smallest = min(different, key=lambda pair: sum(map(len, vars(pair[0]).values())), default=None)
    assert smallest is None, f"{len(different)} of {len(generated)} inputs differ; the smallest: {smallest[0]}\n{smallest[1]}"

    # The inputs reach all reasons, or all but the rarest.
    faults = {row["code"] for outcome in outcomes for row in outcome.relations["rejects"]}
    assert len(faults) >= 19, faults
    assert sum(outcome.problem is None for outcome in outcomes) > 0.8 * len(outcomes)
