"""What `make run` shows while it works: dbt with FEATURES_PROGRESS."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from conftest import BUILD_WITHOUT_TESTS, Project

COMMAND = (Path(sys.executable).parent / "dbt", "--log-level", "warn")


def test_log_has_a_line_for_each_step_with_its_seconds(project: Project) -> None:
    lines = project.dbt("--log-level", "warn", *BUILD_WITHOUT_TESTS, FEATURES_PROGRESS="1").splitlines()
    steps = [found[1] for line in lines if (found := re.fullmatch(r"[0-9]+ of [0-9]+: (?:seed|model) (\w+) success, [0-9.]+ s", line))]
    assert len(steps) == len(set(steps)) == 21 and steps[-1] == "publications"
    assert lines[-1].startswith("Rows read: 24, ")


def test_nothing_without_being_asked_or_if_quiet(project: Project) -> None:
    assert ": seed users success" not in project.dbt("--log-level", "warn", *BUILD_WITHOUT_TESTS)
    assert project.dbt("--quiet", "seed", FEATURES_PROGRESS="1") == ""


def test_output_that_nobody_reads_stops_no_run(project: Project) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [*COMMAND, *BUILD_WITHOUT_TESTS],
        cwd=project.root,
        # Without this variable, which a developer may have set, Python has a buffer.
        env=project.settings({"FEATURES_PROGRESS": "1", "PYTHONUNBUFFERED": ""}),
        stdout=subprocess.DEVNULL,
        stderr=write,
    )
    os.close(write)
    assert process.wait() == 0
    assert len(project.features()) == 10


def test_terminal_has_a_line_that_is_written_anew(project: Project) -> None:
    rows = "".join(f"{number},1,1;2,5\n" for number in range(1, 500_001))
    project.write(user_experiments="experiment_id,user_id,experiment_compound_ids,experiment_run_time\n" + rows)
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "seed", "--select", "user_experiments"],
        cwd=project.root,
        env=project.settings({"FEATURES_PROGRESS": "1"}),
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    shown = b""
    # When the other end of the terminal is closed, Linux reports an error.
    try:
        while block := os.read(terminal, 4096):
            shown += block
    except OSError:
        pass
    os.close(terminal)
    assert process.wait() == 0
    lines = shown.decode().split("\r\x1b[K")
    assert any(re.match(r"0 of 1 done; user_experiments [0-9]+ s, [0-9]+% read, [0-9,]+ rows per second", line) for line in lines), lines
    assert "seed user_experiments success" not in shown.decode()
