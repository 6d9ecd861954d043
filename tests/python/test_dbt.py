"""dbt's own tests: every unit and data test passes on the published input."""

from __future__ import annotations

import re

from conftest import Project


def test_unit_and_data_tests(project: Project) -> None:
    output = project.dbt("build")
    print(output)
    passed, warned, failed, skipped = map(int, re.search(r"PASS=(\d+) WARN=(\d+) ERROR=(\d+) SKIP=(\d+)", output).groups())
    assert (warned, failed, skipped) == (0, 0, 0)
    assert passed > 100
    assert "deprecat" not in output.lower()

    output = project.dbt("test")
    assert re.search(r"WARN=0 ERROR=0 SKIP=0", output)
