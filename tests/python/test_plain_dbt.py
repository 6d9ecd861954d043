"""A dbt without the project's Python module, such as one that is installed for all projects on a machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from conftest import BUILD_WITHOUT_TESTS, Project

# Runs the commands that it reads, without the folder that the project's environment adds.
PLAIN_DBT = (
    sys.executable, "-c",
    "import json, sys; sys.path[:] = [path for path in sys.path if not path.endswith('/src')]; from dbt.cli.main import dbtRunner\n"
    "for arguments in json.load(sys.stdin): print('succeeded:', dbtRunner().invoke([sys.argv[1], *arguments]).success, flush=True)",
)  # fmt: skip
COMMANDS = (["parse"], ["compile"], ["run"], ["test", "--select", "user_features"], ["docs", "generate"])
WARNING = "This dbt is not the one in the project's environment, so this run has no lock and is not in the run log"


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    return project


def plain_dbt(project: Project, *commands: list[str]) -> list[tuple[str, bool]]:
    """The output of each command, and whether it succeeded."""
    process = project.start(program=PLAIN_DBT, stdin=subprocess.PIPE, PYTHONPATH="")
    output = process.communicate(json.dumps(commands))[0]
    assert "Traceback" not in output, output
    found = re.findall(r"(.*?)^succeeded: (True|False)$", output, re.DOTALL | re.MULTILINE)
    assert len(found) == len(commands), output
    return [(" ".join(text.split()), succeeded == "True") for text, succeeded in found]


def test_commands_work_with_one_warning_at_most(built: Project) -> None:
    before, runs = built.features(), built.query("select count(*) from {schema}_audit.runs")
    for command, (output, succeeded) in zip(COMMANDS, plain_dbt(built, *COMMANDS), strict=True):
        assert succeeded and output.count(WARNING) == (command != ["parse"]), output
    assert built.features() == before and built.query("select count(*) from {schema}_audit.runs") == runs


def test_loading_says_what_it_needs(built: Project) -> None:
    [(output, succeeded)] = plain_dbt(built, ["seed"])
    assert not succeeded
    assert "Loading files needs the dbt in the project's environment, and this is another one; create the environment with `make up`" in output
    assert built.query("select count(*) from {schema}_raw.users") == [(10,)]
