"""docs/files.md is up to date with the tables of the tests."""

from __future__ import annotations

from files_page import PAGE, page


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `python tests/python/files_page.py`"
