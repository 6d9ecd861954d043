"""Files that are written to, replaced or cut short while `dbt seed` loads them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

from campaign import Campaign
from conftest import Project
from ground import Ground, finish, runs_until, wait_for

GROWS = "a file that grows without end while `dbt seed` loads it"
REPLACED = "a file replaced while `dbt seed` loads it"
CUT_SHORT = "a file cut short while `dbt seed` loads it"
HEADER = "experiment_id,user_id,experiment_compound_ids,experiment_run_time\n"
# Loading this many rows takes a few tenths of a second.
ROWS = 150_000
CHANGED = "changed while it was loaded"
LOADING = "select 1 from pg_stat_activity where query ilike '%{schema}_raw%user_experiments%' and state <> 'idle' and pid <> pg_backend_pid()"


def change_files(campaign: Campaign, ground: Ground, times: int) -> None:
    """Tries each kind this many times: on plain files, which are loaded by COPY, and on files with an odd quote, which are not."""
    choose = campaign.random(GROWS)
    project = ground.project("changing")
    file = project.seeds / "user_experiments.csv"
    for number in range(times):
        content = _content(choose, odd=number % 2 == 1)
        for name, change in ((GROWS, _grow), (REPLACED, _replace), (CUT_SHORT, _cut_short)):
            file.write_bytes(_content(choose, odd=False, rows=1000))
            project.dbt("seed", "--quiet")
            old = _rows(project)
            file.write_bytes(content)
            with campaign.attempt(name, "in any form" if number % 2 else "plain"):
                change(project, choose, file, old)


def _grow(project: Project, choose: Random, file: Path, old: list[tuple]) -> None:
    """Appends before, during and after the load, which can therefore never load the whole file."""
    stop = threading.Event()

    def write() -> None:
        with open(file, "ab", buffering=0) as appended:
            number = ROWS
            while not stop.is_set():
                number += 1
                appended.write(f"\n{number},1,1;2,12.5".encode())
                stop.wait(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        process = project.start("seed")
        output = finish(process)
    finally:
        stop.set()
        writer.join()
    assert process.returncode != 0 and CHANGED in " ".join(output.split()), f"exit status {process.returncode}:\n{output}"
    assert _rows(project) == old, f"the table has changed:\n{output}"


def _replace(project: Project, choose: Random, file: Path, old: list[tuple]) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(_content(choose, odd=False, rows=choose.randrange(1000, ROWS)))
    _change_once(project, file, old, lambda: new.replace(file))


def _cut_short(project: Project, choose: Random, file: Path, old: list[tuple]) -> None:
    lines = file.read_bytes()[: choose.randrange(len(HEADER), file.stat().st_size)].rpartition(b"\n")[0]
    _change_once(project, file, old, lambda: os.truncate(file, len(lines)))


def _change_once(project: Project, file: Path, old: list[tuple], change: Callable[[], object]) -> None:
    """Changes the file as soon as the server works on the table; either all of one file is loaded, or nothing."""
    before = file.read_bytes()
    process = project.start("seed")
    _as_soon_as_loading(project, process)
    change()
    output = finish(process)
    found = _rows(project)
    if process.returncode == 0:
        # Either file, identified by its checksum in the run log, with all of its rows.
        wanted = [(hashlib.sha256(content).hexdigest(), content.count(b"\n")) for content in (before, file.read_bytes())]
        logged = project.query("select sha256, rows_read from {schema}_audit.run_files where file = 'user_experiments.csv' order by loaded desc limit 1")
        assert logged[0] in wanted and found[0][0] == logged[0][1], f"{found[0][0]} rows were loaded, {logged} is on record, not {wanted}"
        return
    assert CHANGED in " ".join(output.split()), output
    assert found == old, f"the table has changed:\n{output}"


def _as_soon_as_loading(project: Project, process: subprocess.Popen[str]) -> None:
    try:
        wait_for(project, LOADING, process)
    except AssertionError:
        if process.poll() is None:
            raise
        # The load was too fast to be seen, so the change comes after it.
        runs_until(process, 0)


def _rows(project: Project) -> list[tuple]:
    """The number of rows in the table, and their checksum."""
    return project.query(
        "select count(*), sum(hashtextextended(concat_ws('|', row_number, experiment_id, user_id, experiment_compound_ids, "
        "experiment_run_time, row_fault, row_text), 0)) from {schema}_raw.user_experiments"
    )


def _content(choose: Random, odd: bool, rows: int = ROWS) -> bytes:
    """This many experiments; odd: whether a quote inside a cell keeps the file from COPY."""
    lines = [f"{key},{choose.randint(1, 10)},1;2;3,{choose.randint(1, 999)}" for key in range(1, rows + 1)]
    if odd:
        lines[len(lines) // 2] = f'{rows // 2},1,1"2,5'
    return (HEADER + "\n".join(lines)).encode()
