"""Starts and stops runs, and reports their outcomes.

The run log in the database is authoritative. The service adds what only it knows about its own processes: that one has
ended, and why, if the process could not write that to the log. This is kept only as long as the service runs.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import psycopg

from experiment_features.service.child import COMMAND, STARTED_BY, Child
from experiment_features.service.database import Database
from experiment_features.service.problems import Problem
from experiment_features.service.settings import Settings

REMEMBERED = 100
# A page needs no more events than that; dbt completes about twenty nodes a second.
SECONDS_BETWEEN_EVENTS = 0.2
SECONDS_BETWEEN_LOOKS = 1.0
INTERRUPTED = "The process ended before the run did."
LOG = logging.getLogger(__name__)

Run = dict[str, Any]


class Runner:
    """The runs of one schema.

    Args:
        settings: the settings of the service.
        database: the database with the run log.
        environment: the environment for dbt.
    """

    def __init__(self, settings: Settings, database: Database, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._database = database
        self._environment = environment
        self._children: dict[str, Child] = {}
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Event()

    async def start(self, full_refresh: bool) -> Child:
        """Starts a run.

        Raises:
            Problem: 409 if a run is in progress, whoever started it; 503 if the service is shutting down.
            psycopg.OperationalError: the database does not answer.
        """
        async with self._starting:
            running = next((child.run_id for child in self._children.values() if child.is_alive), None)
            running = running or await self._database.holder()
            if self._stopping.is_set():
                raise Problem(503, "The service is shutting down and starts no more runs.")
            if running:
                raise under_way(running)
            run_id = str(uuid.uuid4())
            child = await Child.start(run_id, full_refresh, self._environment, self._settings.secrets)
            if self._stopping.is_set():
                await child.stop()
            self._children[run_id] = child
            while len(self._children) > REMEMBERED:
                del self._children[next(iter(self._children))]
        LOG.info("the run %s has started", run_id)
        return child

    async def run(self, run_id: str) -> Run:
        """What is known about a run, in the shape of models.Run. Raises Problem if there is no such run."""
        child = self._children.get(run_id)
        try:
            run = await self._logged(run_id)
        except psycopg.OperationalError:
            # A run that ended before it began to build is not in the log.
            if child is None or child.is_alive or child.has_begun:
                raise
            run = None
        if run is not None:
            return _with_child(run, child)
        if child is None:
            raise Problem(404, "There is no such run; GET /etl lists them.")
        return _of_child(child)

    async def runs(self, after: str | None, limit: int) -> list[Run]:
        """At most `limit` runs, newest first; if `after` is given, only runs that come after it."""
        before = None
        if after is not None:
            last = await self.run(after)
            before = (last["started"], last["id"])
        held = await self._database.holder()
        logged = {run["id"]: run for run in await self._database.runs(limit, before)}
        runs = []
        for run_id, run in logged.items():
            if run["status"] == "running" and held != run_id:
                run = await self._logged(run_id) or run
            runs.append(_with_child(run, self._children.get(run_id)))
        for run_id, child in list(self._children.items()):
            is_behind = before is None or (child.started, run_id) < before
            if run_id not in logged and is_behind and await self._database.run(run_id) is None:
                runs.append(_of_child(child))
        return sorted(runs, key=lambda run: (run["started"], run["id"]), reverse=True)[:limit]

    async def cancel(self, run_id: str) -> Run:
        """Stops a run and waits for its end. Raises Problem if there is no such run, or it has ended."""
        child = self._children.get(run_id)
        if child is not None and child.is_alive:
            await child.stop()
            run = await self.run(run_id)
            # A process that had to be killed leaves its row open; it is closed below.
            if run["status"] != "interrupted":
                return run
        else:
            run = await self.run(run_id)
            if run["status"] != "running":
                raise Problem(409, f"The run has already ended: {run['status']}.", run=run)
        try:
            await self._database.end_run(run_id, f"Stopped by {STARTED_BY}.")
        except psycopg.errors.InsufficientPrivilege:
            raise Problem(409, f"The run was started by {run['started_by']} as another user of the database; only they can stop it.", run=run) from None
        return await self.run(run_id)

    async def wait(self, child: Child) -> Run:
        """Waits for the end of a run. Raises Problem if another run was first."""
        await child.wait()
        run = await self.run(child.run_id)
        if run["status"] == "failed" and not child.has_begun:
            held = await self._database.holder()
            if held:
                raise under_way(held)
        return run

    async def changes(self, run_id: str) -> AsyncIterator[Run]:
        """Yields the run at once and after every change, until the run or the service ends."""
        last = None
        while True:
            run = await self.run(run_id)
            if run != last:
                yield run
            last = run
            if run["status"] != "running" or self._stopping.is_set():
                return
            child = self._children.get(run_id)
            if child is not None and child.is_alive:
                await asyncio.sleep(SECONDS_BETWEEN_EVENTS)
                await child.wait_for_change(SECONDS_BETWEEN_LOOKS)
            else:
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def stop(self) -> None:
        """Stops the current run if the service started it, and starts no more runs."""
        self._stopping.set()
        # A process that is being started is waited for, but not a database that does not answer.
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._starting.acquire(), 1)
            self._starting.release()
        for child in list(self._children.values()):
            if child.is_alive:
                LOG.info("the run %s is stopped, as the service ends", child.run_id)
                await child.stop()

    async def _logged(self, run_id: str) -> Run | None:
        """The run from the log; interrupted if it is recorded as running but does not hold the lock.

        The order of the queries matters: a run may begin or end between two of them.
        """
        held = await self._database.holder()
        run = await self._database.run(run_id)
        if run is None or run["status"] != "running" or held == run_id:
            return run
        held = await self._database.holder()
        run = await self._database.run(run_id)
        if run is not None and run["status"] == "running" and held != run_id:
            run |= {"status": "interrupted", "message": INTERRUPTED}
        return run


def under_way(run_id: str) -> Problem:
    """The problem for a call that would start a second run."""
    return Problem(409, f"The run {run_id} is in progress; wait until it has ended, or stop it.", run=run_id)


def _of_child(child: Child) -> Run:
    """A run that is not in the log, or not yet."""
    status = "running" if child.is_alive else "cancelled" if child.is_cancelled else "failed"
    return {
        "id": child.run_id, "command": COMMAND, "started_by": STARTED_BY, "started": child.started, "finished": child.finished,
        "status": status, "message": (child.message or child.ending) if status == "failed" else None,
        "causes": [], "nodes_done": 0, "nodes_total": None, "failed_nodes": [],
        "rows_read": None, "rows_published": None, "rows_rejected": None, "files": [],
    }  # fmt: skip


def _with_child(run: Run, child: Child | None) -> Run:
    """A run of the log, with what the service knows about its own process."""
    if child is not None and child.is_alive:
        return run | {"status": "running", "finished": None}
    if child is not None and run["status"] in ("running", "interrupted"):
        # The server may take a moment to notice that the process is gone.
        return run | {"status": "interrupted", "message": f"{INTERRUPTED} {child.ending}", "finished": child.finished}
    return run
