"""Headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="Chromium or its driver is not installed (Debian: chromium, chromium-driver)")


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser that keeps its data in a folder and makes no background requests."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1400,1000",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        f"--user-data-dir={folder}",
    ):  # fmt: skip
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(CHROMEDRIVER)) as driver:
        yield driver
