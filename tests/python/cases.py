"""Many small inputs through the project's own loading and models, with one start of dbt for all of them.

Each input is loaded by the macro that `dbt seed` uses; then a function of the database fills a table for
every model by the SQL that dbt compiled, in the order of the graph, and keeps the result as JSON, together
with the failures of every data test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from conftest import Project

RESULTS = {
    "features": "{schema}.user_features",
    "summary": "{schema}.experiment_summary",
    "rejects": "{schema}_staging.int_rejected_rows",
    "rows_per_file": "{schema}_staging.int_rows_per_file",
    "raw_users": "{schema}_raw.users",
    "raw_user_experiments": "{schema}_raw.user_experiments",
    "raw_compounds": "{schema}_raw.compounds",
}
# These tell of the input, not of the project.
TESTS_OF_THE_INPUT = {"rejected_rows_are_tolerable", "rejected_rows_are_rare", "cells_left_out_are_rare"}


@dataclass
class Outcome:
    """What came of one input: the problem of a file that could not be loaded, or the relations' rows."""

    problem: str | None
    relations: dict[str, list[dict[str, Any]]]
    failed_tests: list[str]


def prepare(project: Project) -> None:
    """Makes the schemas, a table for each model, and the function that fills them and keeps the results."""
    project.dbt("compile", "--exclude", "resource_type:unit_test", "--quiet")
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())
    nodes = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    tests = {
        node["name"]: node["compiled_code"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node["name"] not in TESTS_OF_THE_INPUT
    }
    statements = [f"create schema {{schema}}{suffix};" for suffix in ("", "_staging", "_raw")]
    for seed in (node for node in manifest["nodes"].values() if node["resource_type"] == "seed" and node["columns"]):
        columns = ", ".join(f"{column} text" for column in seed["columns"])
        statements.append(
            f"create table {seed['schema']}.{seed['name']} (row_number bigint not null, {columns}, row_fault text, row_text text);"
        )
    ordered: list[dict[str, Any]] = []
    while len(ordered) < len(nodes):
        made = {node["unique_id"] for node in ordered}
        ordered += (
            node
            for name, node in nodes.items()
            if name not in made and all(parent in made for parent in node["depends_on"]["nodes"] if parent in nodes)
        )
    statements += (f"create table {node['relation_name']} as {node['compiled_code']};" for node in ordered)
    statements.append(
        "create table {schema}.results (case_number integer, kind text, content json);"
        "create function {schema}.record(case_number integer, problem text) returns void language plpgsql as $record$ begin "
        "if problem is not null then insert into {schema}.results values (case_number, 'problem', to_json(problem)); return; end if;"
    )
    statements += (
        f"delete from {node['relation_name']}; insert into {node['relation_name']} {node['compiled_code']};" for node in ordered
    )
    for kind, relation in RESULTS.items():
        statements.append(
            f"insert into {{schema}}.results select case_number, '{kind}', to_json(result) from {relation} as result;"
        )
    for name, code in tests.items():
        statements.append(
            f"insert into {{schema}}.results select case_number, 'failed_test', to_json('{name}'::text) from ({code}) as failures;"
        )
    statements.append("end $record$;")
    project.query("\n".join(statements))


def run(project: Project, inputs: Sequence[dict[str, bytes]]) -> list[Outcome]:
    """The outcome of each input, a dict of file name without .csv to content."""
    folder = project.folder / "cases"
    for number, files in enumerate(inputs):
        (folder / str(number)).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / str(number) / f"{name}.csv").write_bytes(content)
    project.query("truncate {schema}.results")
    arguments = json.dumps({"folder": str(folder), "count": len(inputs), "recorder": f"{project.schema}.record"})
    project.dbt("run-operation", "load_cases", "--args", arguments, "--quiet")
    outcomes = [Outcome(None, {kind: [] for kind in RESULTS}, []) for _ in inputs]
    for number, kind, text in project.query("select case_number, kind, content::text from {schema}.results"):
        content = json.loads(text, parse_float=Decimal)
        if kind == "problem":
            outcomes[number].problem = content
        elif kind == "failed_test":
            outcomes[number].failed_tests.append(content)
        else:
            outcomes[number].relations[kind].append(content)
    return outcomes
