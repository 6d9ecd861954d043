"""README.md and docs/*.md on a fresh copy of the project, with an empty environment: runs every console block, in order.

If the tests run as root, this one runs as an ordinary user, to cover both: the other tests run the
embedded server as whoever runs them.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PROJECT, PUBLISHED

# README.md comes first, because the commands of the others need what it builds.
PAGES = {path.relative_to(PROJECT).as_posix(): path.read_text() for path in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))}
SELF = "make test"
END = "--- end of the command ---"


class Clone:
    """A copy of the project as in a clone, and a shell in it with an empty environment."""

    def __init__(self, folder: Path, user: str | None) -> None:
        self.root = folder / "experiment features"
        self.user = user
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=PROJECT, capture_output=True, text=True
        ).stdout.split("\0")
        for name in filter(None, listed):
            if (PROJECT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, self.root / name)
        for name in ("users.csv", "user_experiments.csv", "compounds.csv"):
            shutil.copy(PUBLISHED / name, self.root / "seeds" / name)
        if user:
            entry = pwd.getpwnam(user)
            for path in (folder, *folder.rglob("*")):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        passed_on = ("PATH", "LANG", "PIP_CERT", "PIP_INDEX_URL", "PIP_FIND_LINKS", "SSL_CERT_FILE")
        self.environment = {name: os.environ[name] for name in passed_on if name in os.environ}
        self.environment["PATH"] = os.pathsep.join(entry for entry in self.environment["PATH"].split(os.pathsep) if ".venv" not in entry)
        self.environment["HOME"] = str(folder)
        # Python compiles modules when they are used, and most of what is installed is not used.
        self.environment["PIP_NO_COMPILE"] = "1"

    def shell(self, script: str) -> str:
        identity = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        done = subprocess.run(["bash", "-c", script], cwd=self.root, env=self.environment, capture_output=True, text=True, **identity)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    folder = Path(tempfile.mkdtemp(prefix="readme"))
    clone = Clone(folder, "nobody" if os.geteuid() == 0 else None)
    yield clone
    clone.shell("make clean")
    shutil.rmtree(folder)


def steps(page: str) -> list[tuple[str, list[str]]]:
    """The commands in all console blocks of a page, each with the output shown for it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGES[page], re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return [step for step in found if step[0] != SELF]


def shown(expected: list[str], output: str) -> bool:
    """Whether the output is as shown; `...` stands for any text within a line, or for any lines."""

    def pattern_of(line: str) -> str:
        if line == "...":
            return r"(?:.*\n)*?"
        escaped = re.escape(line).replace(r"\.\.\.", ".*")
        # A table may have more columns: a feature that is added changes no test.
        return re.sub(r"(?<=\\\|)(?=\\ )", r"(?:[^|\\n]*\\|)*?", escaped) + r"\n"

    pattern = "".join(map(pattern_of, expected))
    return re.fullmatch(pattern, output) is not None


def test_every_promise_names_its_test() -> None:
    promises = re.findall(r"^\| .* \| (`test_.*`) \|$", PAGES["docs/operations.md"], re.MULTILINE)
    assert len(promises) > 10
    tests = "\n".join(path.read_text() for path in (PROJECT / "tests" / "python").glob("test_*.py"))
    for name, case in re.findall(r"`(test_\w+)(?:\[(.*?)\])?`", " ".join(promises)):
        assert f"def {name}(" in tests, name
        assert not case or f'"{case}"' in tests, case


@pytest.mark.parametrize("page", [page for page in PAGES if "```console" in PAGES[page]])
def test_every_command_shows_what_the_page_says(clone: Clone, page: str) -> None:
    commands = steps(page)
    assert len(commands) > (7 if page == "README.md" else 0)
    outputs = clone.shell("set -e\n" + "\n".join(f"{command}\necho '{END}'" for command, _ in commands)).split(f"{END}\n")
    for (command, expected), output in zip(commands, outputs):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
        assert shown(expected, plain), f"{command}\n{plain}"


def test_second_run_installs_nothing_and_the_data_outlives_the_server(clone: Clone) -> None:
    """Whatever the clock says. If PGHOST is set, up, down and clean leave every server alone."""
    own = "for target in up down clean; do PGHOST=localhost make $target; done"
    output = clone.shell(f"touch -d tomorrow requirements/*.lock scripts/*.sh && make run && make down && make up && {own} && make show")
    assert "Installing" not in output
    assert output.count("PGHOST names localhost: the project's own Postgres is left alone.") == 3
    assert output.count("| Compound B ") == 10


def test_activate_script_does_not_override_the_user(clone: Clone) -> None:
    output = clone.shell("export PGHOST=db.example.com DBT_PROFILES_DIR=/elsewhere; source .venv/bin/activate; echo $PGHOST $DBT_PROFILES_DIR")
    assert output == "db.example.com /elsewhere\n"


def test_own_files_in_seeds(clone: Clone) -> None:
    """A user's own files instead of the published ones, loaded by `make run` with one setting."""
    folder = clone.root.parent / "export"
    folder.mkdir()
    (folder / "users.csv").write_text("user_id;name;email;signup_date\n7;Zoë;zoe@example.com;2024-02-29\n8;Yan;y@example.com;\n")
    (folder / "user_experiments.csv").write_text("experiment_id\tuser_id\texperiment_compound_ids\texperiment_run_time\n1\t7\t4;5\t1.25\n2\t9\t4\t1\n")
    (folder / "compounds.csv").write_text('"compound_id","compound_name","compound_structure"\n"4","X ""ray""","C"\n')
    output = clone.shell(f"SEEDS_DIR='{folder}' make run 2>&1")
    assert re.search(r"\| +7 \| +1 \| +1.25 \| +1.25 \|.* 1 \| +4 \| X \"ray\" +\| 4 +\| +1 \|", output)
    assert "Rows read: 5, users published: 2, rows rejected: 1, cells left out: 2." in output
