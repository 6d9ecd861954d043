"""Runs of the HTTP service: one at a time, followed while they run, stopped, killed, and found again in the run log."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from conftest import BUILD, PROJECT, Project, connection_environment
from services import Service, is_gone, serving, until
from test_interruptions import LONGEST_END_SECONDS
from test_published_input import EXPECTED

from experiment_features.postgres import Server


@contextmanager
def halted(project: Project) -> Iterator[None]:
    """Builds stop at one of the first models, because a reader holds its table."""
    connection = psycopg2.connect(host=project.environment["PGHOST"], user="postgres", dbname="postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"lock table {project.schema}_staging.stg_users in access share mode")
        yield
    finally:
        connection.close()


def at_the_halt(project: Project) -> bool | None:
    """True if a build waits for the reader, otherwise None."""
    waiting = project.query("select 1 from pg_locks where not granted and relation = to_regclass('{schema}_staging.stg_users')")
    return True if waiting else None


def locks(project: Project) -> list[tuple]:
    return project.query("select pid from pg_locks where locktype = 'advisory' and granted")


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    with serving(project) as service:
        yield service


@pytest.fixture(scope="module")
def built(service: Service, project: Project) -> Iterator[Service]:
    """A service after twenty simultaneous calls, and the events of the one run that began."""
    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda _: service.call("POST", "/etl"), range(20)))
    started = [answer.json() for answer in answers if answer.status_code == 202]
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    run_id = started[0]["id"]
    assert {answer.json()["run"] for answer in answers if answer.status_code == 409} == {run_id}
    assert next(answer for answer in answers if answer.status_code == 202).headers["Location"] == f"/etl/{run_id}"
    assert started[0]["status"] == "running" and started[0]["finished"] is None

    events = [json.loads(line[6:]) for line in service.call("GET", f"/etl/{run_id}/events", 200, stream=True).iter_lines() if line]
    done = [event["nodes_done"] for event in events]
    assert done == sorted(done) and len(set(done)) > 5, "the bar moves"
    assert [event["status"] for event in events[:-1]] == ["running"] * (len(events) - 1)
    assert events[-1]["status"] == "succeeded" and events[-1]["nodes_done"] == events[-1]["nodes_total"]
    assert project.query("select id, status from {schema}_audit.runs") == [(run_id, "succeeded")]
    yield service


def start_and_halt(service: Service, project: Project) -> str:
    run_id = service.post("/etl", 202)["id"]
    until(lambda: at_the_halt(project))
    run = service.get(f"/etl/{run_id}")
    assert run["status"] == "running" and 0 < run["nodes_done"] < run["nodes_total"]
    return run_id


def test_twenty_at_once_are_one_run(built: Service, project: Project) -> None:
    assert project.features() == EXPECTED


def test_cancel(built: Service, project: Project) -> None:
    """Whoever waits for the run learns of it."""
    with halted(project), ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(built.call, "POST", "/etl?wait=true", 500)
        until(lambda: at_the_halt(project))
        run_id = built.get("/etl?limit=1")["runs"][0]["id"]
        dbt = built.dbt
        run = built.post(f"/etl/{run_id}/cancel", 200)
        assert run["status"] == "cancelled" and run["finished"]
        assert is_gone(dbt)
        assert waiting.result().json()["run"]["status"] == "cancelled"
    assert project.query("select status from {schema}_audit.runs order by started desc limit 1") == [("cancelled",)]
    assert project.features() == EXPECTED


def test_cancel_of_a_process_that_does_not_end(built: Service, project: Project) -> None:
    """It is killed after a while, but the run still counts as cancelled."""
    with halted(project):
        run_id = start_and_halt(built, project)
        dbt = built.dbt
        os.kill(dbt, signal.SIGSTOP)
        assert built.post(f"/etl/{run_id}/cancel", 200)["status"] == "cancelled"
        assert is_gone(dbt)
    assert project.query("select status from {schema}_audit.runs order by started desc limit 1") == [("cancelled",)]
    assert project.features() == EXPECTED


def test_cancel_before_dbt_is_in_the_run_log(built: Service, project: Project) -> None:
    run_id = built.post("/etl", 202)["id"]
    assert built.post(f"/etl/{run_id}/cancel", 200)["status"] == "cancelled"
    assert built.get("/etl?limit=1")["runs"][0]["id"] == run_id
    assert built.get("/etl?limit=1")["runs"][0]["status"] == "cancelled"


def test_dbt_killed(built: Service, project: Project) -> None:
    with halted(project):
        run_id = start_and_halt(built, project)
        os.kill(built.dbt, signal.SIGKILL)
        run = built.run_when(run_id, lambda run: run["status"] != "running")
        assert run["status"] == "interrupted" and run["message"].endswith("dbt was ended by SIGKILL.")
        assert 0 < run["nodes_done"] < run["nodes_total"]
        listed = built.get("/etl?limit=1")["runs"][0]
        assert (listed["id"], listed["status"]) == (run_id, "interrupted")
        assert project.features() == EXPECTED
        until(lambda: None if locks(project) else True)
        # The next run begins at once, and the statements that the killed one left in the server are gone.
        following = built.post("/etl", 202)["id"]
        built.run_when(following, lambda run: run["nodes_done"])
        assert built.get(f"/etl/{run_id}")["status"] == "interrupted"
        assert built.post(f"/etl/{following}/cancel", 200)["status"] == "cancelled"


def test_a_run_that_nobody_holds_the_lock_for(built: Service, project: Project) -> None:
    """A service finds such a run if it starts after the machine crashed."""
    project.query("insert into {schema}_audit.runs (id, command, started_by) values ('gone', 'dbt build', 'alice')")
    run = built.get("/etl/gone")
    assert (run["status"], run["message"]) == ("interrupted", "The process ended before the run did.")
    assert built.get("/etl?limit=1")["runs"] == [run]
    built.post("/etl/gone/cancel", 409)
    project.query("update {schema}_audit.runs set status = 'interrupted', finished = started where id = 'gone'")


def test_a_run_of_a_shell(built: Service, project: Project) -> None:
    """It is visible, keeps other runs away, and can be stopped, which leaves the published tables as they were."""
    with halted(project):
        # An id longer than the name of a connection.
        shell = project.start_fork(*BUILD, FEATURES_STARTED_BY="alice", FEATURES_RUN_ID="nightly-run-as-the-scheduler-names-it-of-today")
        until(lambda: at_the_halt(project))
        run = built.get("/etl?limit=1")["runs"][0]
        assert run["status"] == "running" and run["started_by"] == "alice" and 0 < run["nodes_done"] < run["nodes_total"]
        assert built.post("/etl", 409)["run"] == run["id"]
        assert built.post("/etl?wait=true", 409)["run"] == run["id"]

        stopped = built.post(f"/etl/{run['id']}/cancel", 200)
        assert stopped["status"] == "cancelled" and stopped["message"] == "Stopped by the HTTP service."
        assert shell.wait()[1] != 0
    assert built.get(f"/etl/{run['id']}")["status"] == "cancelled"
    assert project.features() == EXPECTED


def test_service_killed_and_started_again(built: Service, project: Project) -> None:
    """The build goes on, and the new service finds it in the run log."""
    with serving(project) as first:
        with halted(project):
            run_id = start_and_halt(first, project)
            dbt = first.dbt
            first.end(signal.SIGKILL)
            assert not is_gone(dbt)
            with serving(project) as second:
                found = second.get(f"/etl/{run_id}")
                assert found["status"] == "running" and 0 < found["nodes_done"] < found["nodes_total"]
                assert second.post("/etl", 409)["run"] == run_id
        run = built.run_when(run_id, lambda run: run["status"] != "running")
    assert run["status"] == "succeeded" and run["nodes_done"] == run["nodes_total"] > 40
    assert project.features() == EXPECTED


def test_service_ends(built: Service, project: Project) -> None:
    """A running build is ended cleanly, clients that watch it or wait for it are released, and others are not waited for."""
    with serving(project) as service, halted(project), socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2]))) as stalled:
        stalled.sendall(b"POST /etl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        run_id = start_and_halt(service, project)
        dbt = service.dbt
        events = service.call("GET", f"/etl/{run_id}/events", 200, stream=True).iter_lines()
        assert json.loads(next(events)[6:])["status"] == "running"
        assert service.end(signal.SIGTERM) == 0
        assert is_gone(dbt)
        assert list(events)[-1] == b""
        assert "Traceback" not in service.output
    assert built.get(f"/etl/{run_id}")["status"] == "cancelled"
    assert project.features() == EXPECTED


def small_project(project: Project, name: str, model: str) -> dict[str, str]:
    """Another project for dbt, which takes less time to parse."""
    folder = project.folder / name
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: small\nversion: 1.0.0\nprofile: experiment_features\n")
    (folder / "models" / "model.sql").write_text(model)
    return {"DBT_PROJECT_DIR": str(folder), "DBT_TARGET_PATH": str(folder / "target")}


def broken_project(project: Project) -> dict[str, str]:
    return small_project(project, "broken", "select {{ ref('nothing') }}")


def no_database(project: Project) -> dict[str, str]:
    """Gives dbt a different server than the service, which would not start dbt without a database."""
    environment = small_project(project, "elsewhere", "select 1 as one")
    text = (PROJECT / "profiles" / "profiles.yml").read_text()
    (Path(environment["DBT_PROJECT_DIR"]) / "profiles.yml").write_text(text.replace("env_var('PGHOST', '')", "'/nowhere'"))
    return {**environment, "DBT_PROFILES_DIR": environment["DBT_PROJECT_DIR"]}


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [(broken_project, "nothing"), (no_database, 'connection to server on socket "/nowhere/')],
    ids=["parse error", "no database"],
)
def test_fails_before_the_first_hook(built: Service, project: Project, faulty: Any, reason: str) -> None:
    before = project.query("select count(*) from {schema}_audit.runs")
    with serving(project, **faulty(project)) as service:
        problem = service.post("/etl?wait=true", 500)
        assert reason in problem["detail"]
        run = service.get(f"/etl/{problem['run']['id']}")
        assert run["status"] == "failed" and reason in run["message"] and run["finished"]
        assert service.get("/etl?limit=1")["runs"] == [run]
        assert len(service.get(f"/etl?limit=1&after={run['id']}")["runs"]) == 1
    assert project.query("select count(*) from {schema}_audit.runs") == before


def open_files(service: Service) -> int:
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


def test_service_ends_though_the_database_does_not_answer(tmp_path: Path) -> None:
    """A call that would start a run does not keep it."""
    server = Server(tmp_path / "postgres")
    server.up()
    postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
    try:
        with serving(Project(tmp_path / "project", "features", connection_environment(server))) as service, ExitStack() as stack:
            before = open_files(service)
            os.kill(postmaster, signal.SIGSTOP)
            stack.callback(os.kill, postmaster, signal.SIGCONT)
            pending = stack.enter_context(socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2]))))
            pending.sendall(b"POST /etl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            # The sockets of the client and of the database.
            until(lambda: True if open_files(service) >= before + 2 else None)
            service.process.send_signal(signal.SIGHUP)
            assert service.process.wait(LONGEST_END_SECONDS) == 0
            assert "Traceback" not in service.output
    finally:
        server.clean()


def test_database_stopped_and_started(tmp_path: Path) -> None:
    server = Server(tmp_path / "postgres")
    server.up()
    try:
        project = Project(tmp_path / "project", "features", connection_environment(server))
        with serving(project) as service:
            service.get("/health")
            server.down()
            assert service.get("/health", 503)["database"] is False
            for path in ("/features", "/features/1", "/rejected", "/etl", "/etl/x", "/etl/x/events", "/plots/most_used_compounds.svg"):
                assert service.get(path, 503)["detail"] == "The database does not answer; start it, or try again in a moment."
            service.get("/features", 503, headers={"Accept": "text/csv"})
            service.post("/etl", 503)
            service.call("GET", "/", 200)
            server.up()
            assert service.get("/health") == {"database": True, "published": None}
            assert service.end(signal.SIGINT) == 0
        # Also without a database at the start.
        server.down()
        with serving(project) as service:
            service.get("/features", 503)
            assert re.search("(?m)^The database does not answer yet, .*: No such file or directory", service.output)
            until(lambda: re.search("(?m)^WARNING .* GET /features: .*: No such file or directory", service.output))
            server.up()
            service.get("/health")
    finally:
        server.clean()
