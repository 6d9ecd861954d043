"""Fixtures: the tests' own Postgres server, and the project's commands as processes.

No test touches the developer's server, data, seeds or build folders.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from forked_dbt import ForkedDbt, ForkedProcess

from experiment_features.postgres import Server

PROJECT = Path(__file__).resolve().parents[2]
PUBLISHED = Path(__file__).resolve().parent / "published"
# Variables with which a developer's own shell could change what is tested.
OWN_SETTINGS = ("PG", "DBT_", "ENGINE", "DUCKDB_", "SPARK_", "FEATURES_", "ETL_", "SEEDS_", "SHOW_FEATURES")
# What `make run` and the service do, without printing.
BUILD = ("build", "--exclude-resource-type", "unit_test")
# The same in about two thirds of the time, for tests in which data tests do not matter.
BUILD_WITHOUT_TESTS = (*BUILD, "--exclude-resource-type", "test")
# Only these columns are compared, so a feature that is added later changes no test.
FEATURES = (
    "user_id", "total_experiments", "avg_experiment_run_time", "total_experiment_run_time", "distinct_compounds",
    "most_common_compound_id", "most_common_compound_name", "most_common_compound_ids", "most_common_compound_experiments",
)  # fmt: skip
FILES = ("users.csv", "user_experiments.csv", "compounds.csv")
# Files that take longest begin first; otherwise they would run on long after the others have ended.
LONGEST = (
    "test_readers", "test_readme", "test_interruptions", "test_service_runs", "test_changes", "test_torture", "test_publishing", "test_runs",
    "test_causes", "test_folders", "test_benchmark", "test_lint", "test_history", "test_errors", "test_plain_dbt", "test_engines",
    "test_service", "test_service_attacks", "test_server", "test_service_page",
)  # fmt: skip

# The connection for the queries of each thread: a test that waits for something sends hundreds of them.
_kept = threading.local()

# The address of the dbt server started by the process that hands tests to this one.
_address: str | None = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@cache
def forked_dbt() -> ForkedDbt:
    """The ForkedDbt of this process, or of the process that started this one to run some of the tests."""
    dbt = ForkedDbt(_address)
    atexit.register(dbt.close)
    return dbt


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by pytest-xdist before it starts a process for tests."""
    node.workerinput["forked_dbt"] = forked_dbt().address


def pytest_configure(config: pytest.Config) -> None:
    global _address
    # nohup and background jobs ignore these, and what the tests start would inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _address = getattr(config, "workerinput", {}).get("forked_dbt")


@dataclass
class Project:
    """The project with its own input, schema and build folder.

    Args:
        folder: the folder for the seeds and dbt's output.
        schema: the target schema; staging and raw tables go to `<schema>_staging` and `<schema>_raw`.
        environment: the environment of every process, apart from the schema and the folders.
    """

    folder: Path
    schema: str
    environment: dict[str, str]
    root: Path = PROJECT
    seeds: Path = field(init=False)

    def __post_init__(self) -> None:
        self.seeds = self.folder / "seeds"
        shutil.copytree(PUBLISHED, self.seeds)

    def write(self, **files: bytes | str) -> None:
        """Replaces input files: users=..., user_experiments=..., compounds=..."""
        for name, content in files.items():
            (self.seeds / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)

    def start(
        self, *arguments: str, program: Sequence[str | Path] = (Path(sys.executable).parent / "dbt",), stdin: int | None = None,
        **environment: str,
    ) -> subprocess.Popen[str]:  # fmt: skip
        """Starts dbt, or a program that runs it, as a process; its stdout also contains its stderr."""
        return subprocess.Popen(
            [*program, "--no-use-colors", *arguments],
            cwd=self.root,
            env=self.settings(environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start_fork(self, *arguments: str, **environment: str) -> ForkedProcess:
        """Starts dbt as a process that has already imported it."""
        return forked_dbt().start(["--no-use-colors", *arguments], self.root, self.settings(environment))

    def dbt(self, *arguments: str, succeeds: bool | None = True, **environment: str) -> str:
        """Runs dbt as a process and returns its output; succeeds=None accepts either outcome."""
        settings = self.settings(environment)
        # Bytes that are no text cannot be handed to the one that is loaded.
        is_text = all(isinstance(value, str) for value in settings.values())
        if is_text and settings.get("PYTHONPATH") == os.environ.get("PYTHONPATH"):
            output, code = forked_dbt().run(["--no-use-colors", *arguments], self.root, settings)
        else:
            # Another copy of the project has its own modules, which are not the ones that are loaded.
            process = self.start(*arguments, **environment)
            output, code = process.communicate()[0], process.returncode
        assert "Traceback" not in output, output
        assert succeeds is None or succeeds == (code == 0), output
        return output

    def begin(self, *arguments: str, succeeds: bool | None = True, **environment: str) -> Future[str]:
        """Runs dbt beside the test, which waits for it with result(); to stop or kill dbt, use `start`."""
        executor = ThreadPoolExecutor(1)
        future = executor.submit(self.dbt, *arguments, succeeds=succeeds, **environment)
        executor.shutdown(wait=False)
        return future

    def settings(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process."""
        return {
            **self.environment,
            "FEATURES_SCHEMA": self.schema,
            "SEEDS_DIR": str(self.seeds),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            # Writing its log and its manifest takes a fifth of dbt's time, and hardly any test reads them.
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_WRITE_JSON": "false",
            **environment,
        }

    def query(self, sql: str) -> list[tuple]:
        """The rows of a query; `{schema}` in it is the target schema."""
        address = {"host": self.environment["PGHOST"], "port": self.environment["PGPORT"], "dbname": self.environment["PGDATABASE"]}
        while True:
            is_new = getattr(_kept, "address", None) != address
            if is_new:
                _kept.connection = psycopg2.connect(user="postgres", **address)
                _kept.connection.autocommit, _kept.address = True, address
            try:
                with _kept.connection.cursor() as cursor:
                    cursor.execute(sql.replace("{schema}", self.schema))
                    return cursor.fetchall() if cursor.description else []
            except psycopg2.Error:
                # The server may have been restarted since the last query.
                if is_new or not _kept.connection.closed:
                    raise
                _kept.address = None

    def features(self) -> list[tuple]:
        """The published features that the tests know, by user."""
        return self.query(f"select {', '.join(FEATURES)} from {{schema}}.user_features order by user_id")

    def rejects(self) -> list[tuple[str, int, str, bool]]:
        """The published rejects: file, row number, column, whether the row is used."""
        return self.query("select file, row_number, column_name, row_kept from {schema}.rejected_rows order by file, row_number, column_name")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment for the tests' own Postgres: the embedded server, in a temporary folder."""
    server = Server(tmp_path_factory.mktemp("server") / "postgres")
    server.up()
    yield connection_environment(server)
    server.clean()


def connection_environment(server: Server) -> dict[str, str]:
    """The environment that a process needs to reach a server of the tests, without the developer's own settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN_SETTINGS)}
    return {
        **environment,
        "PGHOST": str(server.socket),
        "PGPORT": "5432",
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "DBT_PROFILES_DIR": str(PROJECT / "profiles"),
    }


@pytest.fixture(scope="session")
def make_project(server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Project]:
    """Creates a separate Project: make_project('name')."""

    def make(schema: str) -> Project:
        return Project(tmp_path_factory.mktemp(schema), schema, server)

    return make


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Project], request: pytest.FixtureRequest) -> Project:
    """A Project for the tests of one file, which begin with the published input."""
    return make_project(request.module.__name__)


@pytest.fixture
def published(project: Project) -> Project:
    """The module's Project, with the published files as its input again."""
    for name in FILES:
        shutil.copy(PUBLISHED / name, project.seeds / name)
    return project
