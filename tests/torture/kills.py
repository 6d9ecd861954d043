"""dbt or the server is killed during the publication of a build, or, every second time, at a random moment of the build."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext

from campaign import Campaign
from conftest import Project
from ground import BUILD, Ground, build, connect, expect_history, expect_state, finish, prepare, published, runs_until, tries, two_inputs, wait_for

DBT_KILLED = "dbt killed (SIGKILL) at a random moment of `dbt build`"
INTERRUPTED = "`dbt build`, `dbt seed` or `dbt run` stopped (SIGINT, SIGTERM, SIGHUP) at a random moment, ended within five seconds"
SERVER_KILLED = "the server killed (SIGKILL to the postmaster) at a random moment of `dbt build`"
# dbt includes the name of the node in each of its statements.
PUBLISHING = "select 1 from pg_stat_activity where query like '%model.experiment_features.publications%' and pid <> pg_backend_pid()"
# A publication that has written all tables but its own.
HELD = "select 1 from pg_locks where relation = '{schema}.publications'::regclass and not granted"
# From the first statement of the publication on.
SECONDS_OF_PUBLICATION = 0.3
LONGEST_END_SECONDS = 5


def kill_dbt(campaign: Campaign, ground: Ground, times: int) -> None:
    """Each try uses a different input than the one before; the next build uses the same input as the killed one."""

    def kill(process: subprocess.Popen[str], _: str) -> None:
        process.kill()
        process.communicate()

    _kill(campaign, ground.project("dbt_killed"), DBT_KILLED, times, kill)


def kill_server(campaign: Campaign, ground: Ground, times: int) -> None:
    """The same for the server; dbt has to report in its own words that the connection is gone."""

    def kill(process: subprocess.Popen[str], printed: str) -> None:
        ground.kill_server()
        output = printed or finish(process)
        assert process.returncode != 0 or "Completed" in output, f"exit status {process.returncode}:\n{output}"
        ground.server.up()

    _kill(campaign, ground.project("server_killed"), SERVER_KILLED, times, kill)


def interrupt(campaign: Campaign, ground: Ground, times: int) -> None:
    """The process and its statements end, the run is recorded as cancelled, and the next one works."""
    choose = campaign.random(INTERRUPTED)
    project = ground.project("interrupted")
    inputs = two_inputs(choose)
    seconds = prepare(project, inputs[0], times)
    for number, (old, new) in enumerate(tries(campaign, INTERRUPTED, project, *inputs, times)):
        command = choose.choice([BUILD, BUILD, ("seed",), ("run",)])
        name = choose.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
        moment = choose.uniform(0, seconds if command is BUILD else seconds / 2)
        with campaign.attempt(INTERRUPTED, f"dbt {command[0]}, {name.name} after {moment:.2f} s"):
            new.write(project.seeds)
            started_by = f"interrupt {number}"
            process = project.start(*command, FEATURES_STARTED_BY=started_by)
            output = runs_until(process, moment)
            if not output:
                process.send_signal(name)
                output, _ = process.communicate(timeout=LONGEST_END_SECONDS)
            state = published(project)
            expect_state(state, old, new, where="after the signal")
            status = [one for (one,) in project.query(f"select status from {{schema}}_audit.runs where started_by = '{started_by}'")]
            assert status in ([], ["cancelled"], ["succeeded"]), f"the run is {status} in the run log"
            # Before the run is recorded, Python or dbt itself may end with a traceback.
            assert status == [] or "Traceback" not in output, output
            at_work = project.query("select query from pg_stat_activity where application_name like 'experiment_features %'")
            assert at_work == [], f"statements are left: {at_work}"
            build(project, new)


def _kill(campaign: Campaign, project: Project, name: str, times: int, kill: Callable[[subprocess.Popen[str], str], None]) -> None:
    """Kills at random moments; `kill` gets dbt's process, and its output if it has ended already."""
    choose = campaign.random(name)
    inputs = two_inputs(choose)
    seconds = prepare(project, inputs[0], times)
    for number, (old, new) in enumerate(tries(campaign, name, project, *inputs, times)):
        in_publication = number % 2 == 0
        moment = choose.uniform(0, SECONDS_OF_PUBLICATION if in_publication else seconds)
        with campaign.attempt(name, f"{moment:.2f} s {'after publishing began' if in_publication else f'of {seconds:.2f}'}"):
            new.write(project.seeds)
            started_by = f"kill {number}"
            # The first try, which may be the only one, is sure to come in between.
            is_held = number == 0
            with _held(project) if is_held else nullcontext():
                process = project.start(*BUILD, FEATURES_STARTED_BY=started_by)
                if in_publication:
                    wait_for(project, HELD if is_held else PUBLISHING, process)
                kill(process, runs_until(process, moment))
            state = published(project)
            expect_state(state, old, new, where="after the kill")
            expect_history(project)
            _expect_one_run(project)
            build(project, new)
            _expect_interrupted(project, started_by, may_have_succeeded=state == new.state)


@contextmanager
def _held(project: Project) -> Iterator[None]:
    with closing(connect(project, autocommit=False)) as connection:
        connection.cursor().execute(f"lock table {project.schema}.publications in share mode")
        yield


def _expect_one_run(project: Project) -> None:
    running = project.query("select started_by, started from {schema}_audit.runs where status = 'running'")
    assert len(running) <= 1, f"runs at the same time: {running}"


def _expect_interrupted(project: Project, started_by: str, may_have_succeeded: bool) -> None:
    """A killed run is recorded as interrupted, if it got as far as its row."""
    status = [one for (one,) in project.query(f"select status from {{schema}}_audit.runs where started_by = '{started_by}'")]
    allowed = [[], ["interrupted"]] + [["succeeded"]] * may_have_succeeded
    assert status in allowed, f"the killed run is {status} in the run log, and not one of {allowed}"
