"""The project in folders with any name and place, moved, and with its output elsewhere.

Everything is run by make, but nothing is downloaded: instead of Python, make gets a program whose venv has its own pip module,
which adds the packages of the tests by their path and writes the command dbt just as pip does.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OWN_SETTINGS, PROJECT

from experiment_features.postgres import Server

STRANGE = 'it\'s $5, Bücher #1; 100% "x" `id` \\ & |'
COPIED = ("Makefile", "dbt_project.yml", "macros", "models", "profiles", "scripts", "seeds", "src", "requirements", "tests/dbt", "tests/macros")
PYTHON = f"""#!{sys.executable}
import os, pathlib, subprocess, sys
if sys.argv[1:3] != ["-m", "venv"]:
    os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])
subprocess.run([{sys.executable!r}, "-m", "venv", "--without-pip", *sys.argv[3:]], check=True)
packages = next(pathlib.Path(sys.argv[-1]).glob("lib/python*/site-packages"))
(packages / "tests.pth").write_text({sysconfig.get_path("purelib")!r})
(packages / "pip.py").write_text('''
import sys
sys.path[:] = [folder for folder in sys.path if not folder.startswith(sys.prefix)]
from pip._vendor.distlib.scripts import ScriptMaker
maker = ScriptMaker(None, sys.prefix + "/bin")
maker.variants, maker.set_mode = {{""}}, True
maker.make("dbt = dbt.cli.main:cli")
''')
"""


@pytest.fixture
def top() -> Iterator[Path]:
    """A folder that every user can enter, with the program that takes the place of Python."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "python").write_text(PYTHON)
    (folder / "python").chmod(0o755)
    yield folder
    for home in list(folder.rglob(".postgres")):
        Server(home).clean()
    shutil.rmtree(folder)


def copy(root: Path) -> Path:
    """The project as in a fresh clone."""
    for name in COPIED:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(PROJECT / name, place)
    return root


def shell(folder: Path, script: str, succeeds: bool = True, **environment: str) -> str:
    """The output of a script in a folder, run by a user without settings and without a home."""
    removed = (*OWN_SETTINGS, "VIRTUAL_ENV", "PYTHONPATH", "MAKE", "HOME")
    own = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
    path = os.pathsep.join(entry for entry in own["PATH"].split(os.pathsep) if ".venv" not in entry)
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}"], cwd=folder, env={**own, "PATH": path, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert (done.returncode == 0) == succeeds and "Traceback" not in done.stdout, done.stdout
    return done.stdout


def test_any_name_and_moved(top: Path) -> None:
    root = copy(top / STRANGE)
    output = shell(root, "make run PYTHON=../python")
    assert output.count("Installing") == 1 and output.count("| Compound B ") == 5
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    answer = "curl -sSf --retry 60 --retry-delay 1 --retry-connrefused 127.0.0.1:$ETL_PORT/features/1"
    output = shell(root, f"make serve PYTHON=../python & {answer}; kill %1; wait || true", ETL_PORT=port)
    assert '"user_id":1,"total_experiments":2,' in output
    long = top / ("long" * 50) / "a b"
    long.parent.mkdir()
    # The server keeps running; a shell knows the folder from the file that it sources.
    root.rename(long)
    output = shell(long, 'source .venv/bin/activate; echo "$VIRTUAL_ENV"; make up; dbt --quiet run-operation show_features')
    assert output.startswith(f"{long}/.venv\n") and output.count("| Compound B ") == 5
    (top / "link").symlink_to(long)
    output = shell(top, "cd link; make show; cd ..; source link/.venv/bin/activate; dbt --version; cd link; make down")
    assert "Installing" not in output and output.count("| Compound B ") == 5


def test_files_elsewhere(top: Path) -> None:
    """The project itself may be read-only; nothing is written to it."""
    root = copy(top / "project")
    before = sorted(root.rglob("*"))
    for path in (root, *before):
        path.chmod(path.stat().st_mode & 0o555)
    home = top / STRANGE
    script = 'make run PYTHON=../python; source "$FEATURES_HOME/.venv/bin/activate"; make down'
    output = shell(root, script, FEATURES_HOME=str(home), PYTHONDONTWRITEBYTECODE="1")
    assert output.count("| Compound B ") == 5
    assert sorted(root.rglob("*")) == before
    assert {path.name for path in home.iterdir()} == {".venv", ".venv.lock", ".postgres", "target", "logs"}
    for path in (root, *before):
        path.chmod(path.stat().st_mode | 0o200)


def test_two_installations_at_once(top: Path) -> None:
    root = copy(top / "project")
    output = shell(root, "make up PYTHON=../python & make up PYTHON=../python; wait; make clean")
    assert output.count("Installing") == 1 and output.count("Postgres is up") == 2


@pytest.mark.parametrize(
    ("home", "sentence"),
    [("/tmp/a:b", "holds a colon"), ("/dev/null/a", "/dev/null/a cannot be written; name a folder"), ("/tmp/a\nb", "a line break")],
)
def test_what_cannot_work_is_refused(top: Path, home: str, sentence: str) -> None:
    root = copy(top / "project")
    output = shell(root, "make up PYTHON=../python", succeeds=False, FEATURES_HOME=home)
    assert sentence in output and "Installing" not in output and not (root / ".venv").exists()


def test_spark_is_refused_where_its_paths_would_break(top: Path) -> None:
    output = shell(copy(top / STRANGE), "make run ENGINE=spark PYTHON=../python", succeeds=False)
    assert "their names may hold only letters from A to Z" in output and "Installing" not in output
