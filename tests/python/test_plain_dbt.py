"""A dbt without the project's Python module, such as one that is installed for all projects on a machine."""

from __future__ import annotations

import sys

import pytest
from conftest import BUILD_WITHOUT_TESTS, Project

# Starts dbt as its console script does, without the folder that the project's environment adds.
PLAIN_DBT = (
    sys.executable, "-c",
    "import sys; sys.path[:] = [path for path in sys.path if not path.endswith('/src')]; from dbt.cli.main import cli; cli()",
)  # fmt: skip
WARNING = "This dbt is not the one in the project's environment, so this run has no lock and is not in the run log"


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    return project


def plain_dbt(project: Project, *arguments: str, succeeds: bool = True) -> str:
    process = project.start(*arguments, program=PLAIN_DBT, PYTHONPATH="")
    output = " ".join(process.communicate()[0].split())
    assert (process.returncode == 0) == succeeds and "Traceback" not in output, output
    return output


@pytest.mark.parametrize("command", [("parse",), ("compile",), ("run",), ("test", "--select", "user_features"), ("docs", "generate")])
def test_commands_work_with_one_warning_at_most(built: Project, command: tuple[str, ...]) -> None:
    before, runs = built.features(), built.query("select count(*) from {schema}_audit.runs")
    output = plain_dbt(built, *command)
    assert output.count(WARNING) == (command[0] != "parse")
    assert built.features() == before and built.query("select count(*) from {schema}_audit.runs") == runs


def test_loading_says_what_it_needs(built: Project) -> None:
    output = plain_dbt(built, "seed", succeeds=False)
    assert "Loading files needs the dbt in the project's environment, and this is another one; create the environment with `make up`" in output
    assert built.query("select count(*) from {schema}_raw.users") == [(10,)]
