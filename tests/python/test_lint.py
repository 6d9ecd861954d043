"""`make lint`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import PROJECT


def test_lint(server: dict[str, str], tmp_path: Path) -> None:
    environment = {**server, "FEATURES_SCHEMA": "lint", "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
    done = subprocess.run(["make", "lint"], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
