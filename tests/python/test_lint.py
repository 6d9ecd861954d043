"""sqlfluff over every model and test, by the rules of .sqlfluff."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import PROJECT


def test_sqlfluff(server: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "sqlfluff", "lint", "models", "tests/dbt"],
        cwd=PROJECT,
        env={**server, "FEATURES_SCHEMA": "lint", "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
