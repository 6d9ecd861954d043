"""Runs schemathesis on the OpenAPI description of the HTTP service: whatever is sent, the response is one that it describes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from conftest import BUILD_WITHOUT_TESTS, Project
from services import Service, serving

from experiment_features.runs import lock_key

EXAMPLES = 15


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    """A service on a published schema whose lock is held, so no call starts a run."""
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    connection = psycopg2.connect(
        host=project.environment["PGHOST"], user="postgres", dbname="postgres", application_name="experiment_features run of-the-tests"
    )
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [lock_key(project.schema)])
    connection.commit()
    with serving(project) as service:
        yield service
    connection.close()


def test_no_server_error_whatever_is_sent(service: Service, project: Project, tmp_path: Path) -> None:
    assert service.post("/etl", 409)["run"] == "of-the-tests"
    before = project.query("select count(*), max(started) from {schema}_audit.runs")
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", f"{service.url}/openapi.json", "--max-examples", str(EXAMPLES),
            "--phases", "examples,coverage,fuzzing", "--seed", "1", "--generation-deterministic", "--no-color",
            "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ],
        cwd=tmp_path, env=project.environment, capture_output=True, text=True,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    described = sum(len(methods) for methods in service.get("/openapi.json")["paths"].values())
    assert int(re.search(r"Tested: (\d+)", output).group(1)) == described > 10
    assert project.query("select count(*), max(started) from {schema}_audit.runs") == before
    assert "Traceback" not in service.output and "ERROR" not in service.output, service.output
