"""The documentation site, as `dbt docs serve` shows it, in headless Chromium."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import chromium, needs_chromium
from conftest import BUILD_WITHOUT_TESTS, FEATURES, Project
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def site(project: Project) -> Iterator[str]:
    project.dbt(*BUILD_WITHOUT_TESTS, "--quiet")
    project.dbt("docs", "generate", "--quiet", DBT_WRITE_JSON="true")
    with socket.create_server(("localhost", 0)) as free:
        port = str(free.getsockname()[1])
    with subprocess.Popen(
        [Path(sys.executable).parent / "dbt", "docs", "serve", "--port", port, "--no-browser"],
        cwd=project.root,
        env={
            **project.environment,
            "DBT_TARGET_PATH": str(project.folder / "target"),
            "DBT_LOG_PATH": str(project.folder / "logs"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            if "Serving docs at" in line:
                break
        else:
            pytest.fail("dbt docs serve ended before it served")
        yield f"http://localhost:{port}"
        process.terminate()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def test_features_columns_and_lineage(site: str, browser: webdriver.Chrome, project: Project) -> None:
    browser.get(f"{site}/#!/model/model.experiment_features.user_features")
    wait = WebDriverWait(browser, 30)
    wait.until(lambda page: "One row per accepted user" in page.find_element(By.TAG_NAME, "body").text)
    body = browser.find_element(By.TAG_NAME, "body").text
    for column in FEATURES:
        assert column in body
    assert "int_user_compounds" in body, "what the model depends on"

    browser.find_element(By.CSS_SELECTOR, "[ng-click='onLauncherClick()'], .launch-icons").click()
    lineage = wait.until(
        lambda page: page.execute_script(
            "const graph = Array.from(document.querySelectorAll('*')).find(element => element._cyreg && element.offsetWidth);"
            "const nodes = graph ? graph._cyreg.cy.nodes().filter(node => node.visible()).map(node => node.data('label')) : [];"
            "return nodes.length ? nodes : null;"
        )
    )
    browser.save_screenshot(str(project.folder / "lineage.png"))
    assert {"int_user_compounds", "int_users", "user_features"} <= set(lineage)


def test_site_knows_the_tables(site: str) -> None:
    with urllib.request.urlopen(f"{site}/catalog.json") as catalog:
        text = catalog.read().decode()
    assert "model.experiment_features.user_features" in text and "One row per accepted user" in text
