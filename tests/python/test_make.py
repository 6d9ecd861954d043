"""What `make` prints if it cannot do what was asked: one sentence that says what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import OWN_SETTINGS, PROJECT

# Each makes a Python that differs from a proper one only in what a test is about.
OTHER_VERSION = """case "$*" in *version_info*) exit 1;; --version) echo Python {version}; exit;; esac"""
WITHOUT_VENV = """case "$*" in *ensurepip*) exit 1;; esac"""
FULL_DISK = """case "$*" in *"pip install"*) echo "ERROR: Could not install packages: [Errno 28] No space left on device"; exit 1;; esac"""


def make(root: Path, *arguments: str, **environment: str) -> str:
    """The output of a failing `make`, without its own last line, run by a user without settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith((*OWN_SETTINGS, "PYTHONPATH", "MAKE"))}
    done = subprocess.run(
        ["make", *arguments], cwd=root, env={**own, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    assert done.returncode != 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("make: ***", "make[", "Installing into ", "done in ", "PGHOST names "))]
    assert len(lines) == 1, done.stdout
    return lines[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of the project that installing needs."""
    shutil.copy(PROJECT / "Makefile", tmp_path)
    for name in ("scripts", "requirements"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    return tmp_path


def python(root: Path, difference: str) -> str:
    """The path of a Python that also serves as the Python of the environments it creates."""
    path = root / "python"
    create = 'case "$*" in *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python"; exit;; esac'
    path.write_text(f'#!/bin/sh\n{difference}\n{create}\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_settings_without_a_server_do_not_apply() -> None:
    """They belong to a server that PGHOST names."""
    settings = {"PGHOSTADDR": "192.0.2.1", "PGUSER": "ann", "PGREQUIREAUTH": "scram-sha-256"}
    print_them = ["make", "--eval", "settings: ; @env | grep ^PG || echo none", "settings"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    for named, shown in (({}, "none\n"), ({"PGHOST": "db"}, "PGHOST=db\n")):
        done = subprocess.run(print_them, cwd=PROJECT, env={**own, **settings, **named}, capture_output=True, text=True, check=True)
        assert shown in done.stdout and ("PGUSER=ann" in done.stdout) == bool(named)


def test_unknown_engine(root: Path) -> None:
    assert "ENGINE is 'oracle'; it must be postgres, duckdb or spark" in make(root, "run", "ENGINE=oracle")


def test_no_python(root: Path) -> None:
    sentence = "python9 does not run; install Python 3.10 to 3.13, or name one that is installed: make PYTHON=python3.13 ..."
    assert make(root, "run", "PYTHON=python9") == sentence


@pytest.mark.parametrize("version", ["3.9.2", "3.14.0"])
def test_other_version_of_python(root: Path, version: str) -> None:
    path = python(root, OTHER_VERSION.format(version=version))
    assert make(root, "run", f"PYTHON={path}") == (
        f"Python 3.10 to 3.13 is needed, and {path} is Python {version}; name another with: make PYTHON=python3.13 ..."
    )


def test_judges_need_a_later_python(root: Path) -> None:
    path = python(root, """case "$*" in *"(3, 11)"*) exit 1;; esac""")
    assert make(root, "judge", f"PYTHON={path}") == "The judges need Python 3.11 to 3.13; name one: make judge PYTHON=python3.13"


def test_no_venv(root: Path) -> None:
    path = python(root, WITHOUT_VENV)
    assert make(root, "run", f"PYTHON={path}") == f"{path} lacks venv; on Debian and Ubuntu install the package python3-venv."


def test_no_network(root: Path) -> None:
    sentence = "The packages cannot be fetched, because the package index does not answer; check the network (or PIP_INDEX_URL) and start this again."
    assert make(root, "run", f"PYTHON={sys.executable}", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull) == sentence
    assert not list(root.glob(".venv/installed-*"))


def test_full_disk(root: Path) -> None:
    assert make(root, "run", f"PYTHON={python(root, FULL_DISK)}") == (
        f"There is no space left for what is installed in {root}; free a gigabyte, or name another folder: FEATURES_HOME=/some/folder make ..."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "ROWS=abc"], "ROWS is 'abc'; set it to the number of rows to print, such as 20."),
        (["docs", "PORT=80 80"], "PORT is '80 80'; set it to a number below 65536."),
    ],
)
def test_setting_that_is_no_number(arguments: list[str], sentence: str) -> None:
    assert make(PROJECT, *arguments, PGHOST="nowhere") == sentence


def test_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert make(PROJECT, "docs", f"PORT={port}", PGHOST="nowhere") == f"Port {port} is in use; set another: make docs PORT=8081"
