"""README.md, CONTRIBUTING.md, CHANGELOG.md and docs/*.md: what they name exists, and what they quote is true.

test_readme.py runs their console blocks, and test_changes.py runs the recipes of CONTRIBUTING.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from conftest import OWN_SETTINGS, PROJECT

FRONT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
PAGES = {path.relative_to(PROJECT).as_posix(): path.read_text() for path in (*(PROJECT / name for name in FRONT), *sorted((PROJECT / "docs").glob("*.md")))}
MOST_LINES = {"README.md": 180, "CONTRIBUTING.md": 325}
# Variables of dbt, the shell, libpq and fsspec, which the project does not read by name.
VARIABLES_OF_OTHERS = {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "TMPDIR", "FSSPEC_HTTPS", "ROWS", "OUT", "FULL"}
SOURCES = [
    path for folder in ("src", "macros", "profiles", "benchmarks", "tests") for path in (PROJECT / folder).rglob("*")
    if path.suffix in (".py", ".sql", ".yml") and path != Path(__file__)
] + [PROJECT / "Makefile", PROJECT / "docker-compose.yml"]  # fmt: skip


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_page_is_short(page: str) -> None:
    assert len(PAGES[page].splitlines()) <= MOST_LINES.get(page, 200)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    prose = re.sub(r"^```.*?^```", "", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", prose):
        name, _, fragment = target.partition("#")
        path = (PROJECT / page).parent / name if name else PROJECT / page
        assert path.exists(), target
        if fragment:
            assert fragment in [anchor(heading) for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)], target


@pytest.mark.parametrize("page", PAGES)
def test_targets_files_and_variables_exist(page: str) -> None:
    text = PAGES[page]
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    blocks = "\n".join(re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    named = set(re.findall(r"`(?:\w+=\S+ )*make ([a-z]+)\b", text)) | set(re.findall(r"(?:^|[ ;])make ([a-z]+)\b(?! files)", blocks, re.MULTILINE))
    assert named <= targets, named - targets
    for name in re.findall(r"`((?:seeds|models|macros|src|profiles|scripts|tests|benchmarks|docs)/[\w./]*)`", text):
        assert (PROJECT / name).exists(), name
    for name in re.findall(r"`(test_\w+)`", text):
        assert any(f"def {name}(" in path.read_text() or path.stem == name for path in (PROJECT / "tests" / "python").glob("*.py")), name
    variables = set(re.findall(rf"(?<![\w-])((?:{'|'.join(OWN_SETTINGS)})[A-Z_]+)\b", text)) - VARIABLES_OF_OTHERS
    known = "\n".join(path.read_text() for path in SOURCES)
    # Some names are assembled from two parts, such as ETL_HEADER and _BYTES.
    assert {name for name in variables if name not in known and name.rpartition("_")[0] not in known} == set()


def test_figures_are_those_that_were_measured() -> None:
    """docs/performance.md quotes benchmarks/results.md, digit for digit."""
    measured = set(re.findall(r"[\d.,]*\d", (PROJECT / "benchmarks" / "results.md").read_text()))
    rows = [line for line in PAGES["docs/performance.md"].splitlines() if line.startswith("| ")]
    figures = {figure for line in rows for figure in re.findall(r"(?<![\w])[\d.,]*\d", line)}
    assert len(figures) > 20
    assert figures <= measured, figures - measured


def test_version_is_the_one_on_top_of_the_changelog() -> None:
    version = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["version"]
    assert f'\nversion = "{version}"\n' in (PROJECT / "pyproject.toml").read_text()
    first = re.search(r"^## \[(.*?)\]", PAGES["CHANGELOG.md"], re.MULTILINE).group(1)
    assert first in (version, "Unreleased")
    assert f"## [{version}]" in PAGES["CHANGELOG.md"]
