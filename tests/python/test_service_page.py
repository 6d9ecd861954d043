"""The page of the HTTP service in headless Chromium.

SAVE_SCREENSHOT=1 renews the screenshot in README.md: `SAVE_SCREENSHOT=1 pytest tests/python/test_service_page.py`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browsers import chromium, needs_chromium
from conftest import PROJECT, PUBLISHED, Project
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from services import Service, serving, until
from test_publishing import users
from test_service_runs import at_the_halt, halted

pytestmark = needs_chromium

SECONDS = 120
WIDTH = 1280
TOKEN = "a-token-of-the-tests"
NAMES_OF_CONTROLS = """
return Array.from(document.querySelectorAll('button, input, select, progress, a, table, [role=region]')).map(one => [
    one.outerHTML.slice(0, 80),
    (one.textContent.trim() && one.tagName !== 'SELECT' ? one.textContent : '') || one.labels?.[0]?.textContent
        || one.getAttribute('aria-label') || document.getElementById(one.getAttribute('aria-labelledby'))?.textContent
]).filter(([, name]) => !name?.trim()).map(([html]) => html)
"""


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    with serving(project) as service:
        yield service


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def wait(browser: webdriver.Chrome, condition: Any) -> Any:
    return WebDriverWait(browser, SECONDS, poll_frequency=0.1).until(condition)


def text(browser: webdriver.Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def column(browser: webdriver.Chrome, name: str) -> list[str]:
    """The cells of a column of the features."""
    return browser.execute_script(
        "const place = document.querySelector(`#features-table th[data-key=${arguments[0]}]`)?.cellIndex;"
        "return Array.from(document.querySelectorAll('#features-table tbody tr')).map(row => row.cells[place].textContent)", name
    )  # fmt: skip


def emulate(browser: webdriver.Chrome, scheme: str, width: int, height: int = 1000) -> None:
    # Without animations, to show the bar in its final place in a screenshot.
    features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def open_page(browser: webdriver.Chrome, service: Service) -> None:
    browser.get(service.url)
    wait(browser, lambda page: "Looking" not in text(page, "#health"))


@pytest.fixture(scope="module")
def pressed(browser: webdriver.Chrome, service: Service) -> list[tuple[int, int]]:
    """Presses the button on an empty database: what the bar shows until the run ends."""
    emulate(browser, "light", 1200)
    open_page(browser, service)
    wait(browser, lambda page: "Nothing has been published yet" in text(page, "#features-state"))
    assert text(browser, "#health") == "Nothing published yet"
    browser.execute_script(
        "window.shown = []; new MutationObserver(() => { const bar = document.getElementById('progress');"
        "if (bar.hasAttribute('value')) shown.push([bar.value, bar.max]) })"
        ".observe(document.getElementById('progress'), {attributes: true})"
    )
    browser.find_element(By.ID, "start").click()
    wait(browser, lambda page: text(page, "#run-state").startswith("Running, started by the HTTP service"))
    assert not browser.find_element(By.ID, "start").is_enabled()
    wait(browser, lambda page: text(page, "#run-state") == "The last run succeeded.")
    wait(browser, lambda page: len(column(page, "user_id")) == 10)
    return browser.execute_script("return shown")


def test_the_bar_moves_and_reaches_the_end(browser: webdriver.Chrome, pressed: list[tuple[int, int]]) -> None:
    values = [value for value, _ in pressed]
    total = pressed[-1][1]
    assert values[-1] == total > 40
    assert len({value for value in values if 0 < value < total}) > 1, "by server-sent events, not in one step"
    assert text(browser, "#run-count") == f"{total} of {total} steps"


def test_ten_users(browser: webdriver.Chrome, pressed: Any) -> None:
    assert column(browser, "user_id") == [str(number) for number in range(1, 11)]
    assert column(browser, "most_common_compound_name")[:2] == ["Compound B", "Compound A"]
    assert text(browser, "#features-state") == "Users 1 to 10, 10 on this page."
    wait(browser, lambda page: text(page, "#health").startswith("Features published "))
    wait(browser, lambda page: text(page, "#rejected-state") == "Every row and every cell of the published input was used.")
    wait(browser, lambda page: text(page, "#runs-table tbody").startswith("succeeded "))


def test_plots(browser: webdriver.Chrome, pressed: Any) -> None:
    wait(browser, lambda page: len(page.find_elements(By.CSS_SELECTOR, ".plot svg[role=img]")) == 2)
    first, second = browser.find_elements(By.CSS_SELECTOR, ".plot svg")
    assert first.get_attribute("aria-label") == "Experiments per user. 1 experiment: 9 users; 2 experiments: 1 user."
    assert "Compound A" in second.text and second.size["width"] > 300
    bar = browser.find_element(By.CSS_SELECTOR, ".plot .rect")
    assert bar.value_of_css_property("fill") != "rgb(0, 0, 0)", "coloured by the page's style sheet"


def test_sorts_the_page_shown_by_keyboard(browser: webdriver.Chrome, pressed: Any) -> None:
    heading = browser.find_element(By.CSS_SELECTOR, "th[data-key=total_experiment_run_time]")
    button = heading.find_element(By.TAG_NAME, "button")
    for expected, direction in ((["20", "25", "25"], "ascending"), (["60", "55", "50"], "descending")):
        button.send_keys(Keys.ENTER)
        assert column(browser, "total_experiment_run_time")[:3] == expected and heading.get_attribute("aria-sort") == direction
    assert len(browser.find_elements(By.CSS_SELECTOR, "#features-table th[aria-sort]")) == 1
    browser.find_element(By.CSS_SELECTOR, "th[data-key=user_id] button").send_keys(Keys.ENTER)


def test_pages(browser: webdriver.Chrome, pressed: Any, project: Project) -> None:
    project.query(
        "insert into {schema}.user_features (user_id, total_experiments, distinct_compounds) select number, 0, 0 from generate_series(11, 25) as number"
    )
    browser.find_element(By.ID, "page-size").send_keys("10")
    browser.refresh()
    wait(browser, lambda page: page.find_element(By.ID, "next").is_enabled())
    shown = [column(browser, "user_id")]
    for button in ("next", "next", "previous"):
        before = column(browser, "user_id")
        browser.find_element(By.ID, button).send_keys(Keys.ENTER)
        wait(browser, lambda page, before=before: column(page, "user_id") != before)
        shown.append(column(browser, "user_id"))
        if len(shown) == 3:
            wait(browser, lambda page: not page.find_element(By.ID, "next").is_enabled())
    assert [(numbers[0], numbers[-1]) for numbers in shown] == [("1", "10"), ("11", "20"), ("21", "25"), ("11", "20")]
    project.query("delete from {schema}.user_features where user_id > 10")


def test_a_run_of_somebody_else_is_seen_and_stopped(browser: webdriver.Chrome, service: Service, pressed: Any, project: Project) -> None:
    open_page(browser, service)
    with halted(project):
        service.post("/etl", 202)
        until(lambda: at_the_halt(project))
        wait(browser, lambda page: page.find_element(By.ID, "cancel").is_displayed())
        browser.find_element(By.ID, "cancel").send_keys(Keys.ENTER)
        cancelled = "The last run was cancelled; the published tables are complete, either from an earlier run or from that one."
        wait(browser, lambda page: text(page, "#run-state") == cancelled)
    wait(browser, lambda page: page.find_element(By.ID, "start").is_enabled())


def test_why_a_run_failed_and_rows_were_rejected(browser: webdriver.Chrome, service: Service, pressed: Any, published: Project) -> None:
    published.query("insert into {schema}.rejected_rows values ('users.csv', 3, '', 'The row is a duplicate of line <b>2</b>.', 'Take it out.', false)")
    published.write(users=users(5, 12))
    open_page(browser, service)
    browser.find_element(By.ID, "start").click()
    wait(browser, lambda page: text(page, "#run-state") == "The last run failed; what was published before stays.")
    assert "users.csv: 12 of 17 rows: the user_id is not" in text(browser, "#run-reasons")
    wait(browser, lambda page: text(page, "#runs-table tbody").startswith("failed "))
    assert "12 of 17 rows" in text(browser, "#runs-table tbody").partition("succeeded")[0]
    assert text(browser, "#rejected-state") == "1 rows were rejected, and 0 cells of other rows left out."
    # Values from files are shown as text, not as HTML.
    assert "The row is a duplicate of line <b>…</b>." in text(browser, "#rejected-table")
    published.query("delete from {schema}.rejected_rows")


def test_everything_has_a_name_and_the_status_is_spoken(browser: webdriver.Chrome, service: Service, pressed: Any) -> None:
    open_page(browser, service)
    assert browser.execute_script(NAMES_OF_CONTROLS) == []
    assert all(caption.text for caption in browser.find_elements(By.CSS_SELECTOR, "#features-table caption, #runs-table caption"))
    assert browser.find_element(By.ID, "run-state").get_attribute("aria-live") == "polite"
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


def test_light_dark_and_phone(browser: webdriver.Chrome, service: Service, pressed: Any) -> None:
    grounds = []
    for scheme, width in (("light", 1200), ("dark", 1200), ("dark", 390), ("light", 390)):
        emulate(browser, scheme, width)
        open_page(browser, service)
        grounds.append(browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert grounds[0] == grounds[3] != grounds[1] == grounds[2]
    emulate(browser, "light", 1200)


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_blocked(browser: webdriver.Chrome, service: Service, pressed: Any) -> None:
    browser.get_log("browser")
    for path in ("/docs", "/"):
        browser.get(service.url + path)
        wait(browser, lambda page: page.execute_script("return document.readyState") == "complete")
    wait(browser, lambda page: len(page.find_elements(By.CSS_SELECTOR, ".plot svg")) == 2)
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert len(loaded) > 5 and all(address.startswith(service.url) for address in loaded)
    assert browser.get_log("browser") == []


def test_screenshot(browser: webdriver.Chrome, service: Service, pressed: Any, project: Project) -> None:
    """The screenshot in README.md: after a run, with the page at its full height."""
    shutil.copy(PUBLISHED / "users.csv", project.seeds)
    service.post("/etl?wait=true", 200)
    emulate(browser, "light", WIDTH)
    open_page(browser, service)
    wait(browser, lambda page: len(page.find_elements(By.CSS_SELECTOR, ".plot svg")) == 2 and len(column(page, "user_id")) == 10)
    wait(browser, lambda page: text(page, "#run-state") == "The last run succeeded.")
    emulate(browser, "light", WIDTH, browser.execute_script("return document.documentElement.scrollHeight"))
    picture = browser.get_screenshot_as_png()
    assert len(picture) > 20_000
    (project.folder / "page.png").write_bytes(picture)
    if os.environ.get("SAVE_SCREENSHOT"):
        (PROJECT / "docs").mkdir(exist_ok=True)
        (PROJECT / "docs" / "page.png").write_bytes(picture)


def test_the_page_asks_for_the_token(browser: webdriver.Chrome, project: Project, pressed: Any) -> None:
    emulate(browser, "light", 1200)
    with serving(project, ETL_API_TOKEN=TOKEN) as guarded:
        browser.get(guarded.url)
        field = browser.find_element(By.ID, "token")
        wait(browser, lambda page: field.is_displayed())
        assert column(browser, "user_id") == []
        field.send_keys("wrong", Keys.ENTER)
        wait(browser, lambda page: text(page, "#token-error") == "This is not the token of the service.")
        field.send_keys(TOKEN, Keys.ENTER)
        wait(browser, lambda page: len(column(page, "user_id")) == 10 and not field.is_displayed())
        kept = browser.execute_script("return [Object.values(sessionStorage), Object.values(localStorage), document.cookie]")
        assert kept == [[TOKEN], [], ""]
        assert TOKEN not in browser.page_source
