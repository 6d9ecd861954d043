"""The calls of the HTTP service: their responses, and what they refuse."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests
from conftest import FEATURES, Project
from fastapi import FastAPI
from services import Service, refused, serving
from test_published_input import EXPECTED
from test_publishing import users

from experiment_features.service import security
from experiment_features.service.page import add_pages
from experiment_features.service.settings import SettingsError, read_settings

PATHS = ("/etl", "/features", "/features/1", "/rejected", "/rejected/reasons", "/plots/experiments_per_user.svg", "/docs", "/openapi.json")


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    with serving(project, DBT_WRITE_JSON="true") as service:
        assert service.get("/features", 404)["detail"] == "Nothing has been published yet; start a run with POST /etl."
        assert service.get("/etl") == {"runs": [], "next": None}
        assert service.get("/health") == {"database": True, "published": None}
        yield service


@pytest.fixture(scope="module")
def first_run(service: Service) -> dict[str, Any]:
    """The response of a call that waited for its run."""
    answer = service.call("POST", "/etl?wait=true", 200, json={"full_refresh": True})
    assert answer.headers["Location"] == f"/etl/{answer.json()['id']}"
    return answer.json()


def test_start_and_wait(service: Service, first_run: dict[str, Any], project: Project) -> None:
    assert first_run["status"] == "succeeded" and first_run["failed_nodes"] == [] and first_run["message"] is None
    assert first_run["nodes_done"] == first_run["nodes_total"] > 40
    assert (first_run["rows_read"], first_run["rows_published"], first_run["rows_rejected"]) == (24, 24, 0)
    assert first_run["started"] < first_run["finished"]
    assert service.get(f"/etl/{first_run['id']}") == first_run
    assert project.query("select id, started_by, status from {schema}_audit.runs") == [(first_run["id"], "the HTTP service", "succeeded")]
    assert project.features() == EXPECTED


def test_options_reach_dbt(first_run: dict[str, Any], project: Project) -> None:
    assert json.loads((project.folder / "target" / "run_results.json").read_text())["args"]["full_refresh"] is True


def test_features_as_json(service: Service, first_run: dict[str, Any]) -> None:
    page = service.get("/features")
    assert [tuple(user[name] for name in FEATURES) for user in page["features"]] == [
        tuple(float(value) if isinstance(value, Decimal) else value for value in row) for row in EXPECTED
    ]
    assert [name for name in page["features"][0] if name in FEATURES] == list(FEATURES) and page["next"] is None


def test_features_page_by_key(service: Service, first_run: dict[str, Any]) -> None:
    path, found = "/features?limit=4", []
    while path:
        page = service.get(path)
        found.append([user["user_id"] for user in page["features"]])
        path = page["next"]
    assert found == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert service.get("/features?after=9223372036854775807") == {"features": [], "next": None}


def test_sums_keep_all_their_digits(service: Service, first_run: dict[str, Any], project: Project) -> None:
    project.query("update {schema}.user_features set total_experiment_run_time = 12345678901234567890.123456789 where user_id = 1")
    assert '"total_experiment_run_time":12345678901234567890.123456789,' in service.call("GET", "/features/1", 200).text
    project.query("update {schema}.user_features set total_experiment_run_time = 25 where user_id = 1")


def test_settings_of_the_database_change_no_value(service: Service, first_run: dict[str, Any], project: Project) -> None:
    before = service.get("/features/1")
    project.query("alter database postgres set datestyle to 'German, DMY'; alter database postgres set extra_float_digits to -13")
    try:
        assert service.get("/features/1") == before and before["avg_experiment_run_time"] == 12.5
        assert service.get("/health")["published"] and service.get("/etl")["runs"]
    finally:
        project.query("alter database postgres reset datestyle; alter database postgres reset extra_float_digits")


@pytest.mark.parametrize("accept", ["text/csv", "text/csv, application/json;q=0.5", "text/*;q=0.9, */*;q=0.1", "Text/CSV; charset=utf-8"])
def test_features_as_csv(service: Service, first_run: dict[str, Any], accept: str) -> None:
    answer = service.call("GET", "/features", 200, headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/csv") and answer.headers["Vary"] == "Accept"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["user_id"]) for row in rows] == list(range(1, 11)) and [name for name in rows[0] if name in FEATURES] == list(FEATURES)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html, */*;q=0.8", "text/csv;q=0, application/*", "text/csv;q=x, */*"])
def test_json_is_what_others_get(service: Service, first_run: dict[str, Any], accept: str) -> None:
    assert len(service.get("/features", headers={"Accept": accept})["features"]) == 10


def test_neither_json_nor_csv(service: Service) -> None:
    service.get("/features", 406, headers={"Accept": "image/png"})


def test_one_user(service: Service, first_run: dict[str, Any]) -> None:
    assert service.get("/features/7")["most_common_compound_name"] == "Compound B"
    assert service.get("/features/11", 404)["detail"] == "User 11 is not published."


def test_rejected_rows_page_by_key(service: Service, first_run: dict[str, Any], project: Project) -> None:
    project.query(
        "insert into {schema}.rejected_rows "
        "select file, number, '', 'The row is a duplicate of line ' || number || '.', 'Take it out.', file = 'b.csv' "
        "from generate_series(1, 3) as number cross join (values ('a.csv'), ('b.csv')) as files (file)"
    )
    path, found = "/rejected?limit=4", []
    while path:
        page = service.get(path)
        found.append([(row["file"], row["row_number"], row["row_kept"]) for row in page["rejected"]])
        path = page["next"]
    assert found == [
        [("a.csv", 1, False), ("a.csv", 2, False), ("a.csv", 3, False), ("b.csv", 1, True)],
        [("b.csv", 2, True), ("b.csv", 3, True)],
    ]
    assert service.get("/rejected/reasons")["reasons"] == [
        {"file": file, "reason": "The row is a duplicate of line ….", "row_kept": kept, "count": 3} for file, kept in (("a.csv", False), ("b.csv", True))
    ]
    project.query("delete from {schema}.rejected_rows")


def test_health_says_when_features_were_published(service: Service, first_run: dict[str, Any], project: Project) -> None:
    health = service.get("/health")
    assert health["database"] is True and first_run["started"] < health["published"] < first_run["finished"]
    with psycopg2.connect(host=project.environment["PGHOST"], user="postgres", dbname="postgres") as replacing, replacing.cursor() as cursor:
        cursor.execute(f"lock table {project.schema}.publications")
        assert service.get("/health") == {"database": True, "published": None}
    replacing.close()


def test_plots(service: Service, first_run: dict[str, Any]) -> None:
    plot = service.call("GET", "/plots/experiments_per_user.svg", 200)
    assert plot.headers["Content-Type"] == "image/svg+xml"
    assert 'aria-label="Experiments per user. 1 experiment: 9 users; 2 experiments: 1 user."' in plot.text
    most_used = service.call("GET", "/plots/most_used_compounds.svg", 200).text
    assert 'aria-label="Most used compounds. Compound C: 9 experiments; Compound B: 8 experiments; Compound A: 6 experiments."' in most_used
    # The page's Content-Security-Policy would not allow them.
    assert re.search(r"<style|<script|style=", plot.text) is None
    service.get("/plots/other.svg", 404)


def test_histogram_has_few_bars(service: Service, first_run: dict[str, Any], project: Project) -> None:
    project.query(
        "insert into {schema}.user_features (user_id, total_experiments, distinct_compounds) "
        "select 100 + number, number, 0 from generate_series(0, 9999) as number"
    )
    bars = re.search('aria-label="Experiments per user. (.*?)"', service.call("GET", "/plots/experiments_per_user.svg", 200).text).group(1)
    assert len(bars.split("; ")) == 10 and "0 to 999 experiments: 1,010 users" in bars
    project.query("delete from {schema}.user_features where user_id >= 100")


def test_docs_tell_every_call(service: Service) -> None:
    described = service.get("/openapi.json")["paths"]
    told = service.call("GET", "/docs", 200).text
    for path, methods in described.items():
        for method in methods:
            assert f"{method.upper()} {path}" in told
    promised = {"/etl", "/etl/{id}", "/etl/{id}/cancel", "/features", "/features/{user_id}", "/rejected", "/health"}
    assert promised <= set(described)


@pytest.mark.parametrize(
    ("content", "reason", "cause"),
    [
        (users(5, 12), "12 of 17 rows of users.csv are rejected", "users.csv: 12 of 17 rows: the user_id is not a whole number"),
        ("user_id,name,signup_date\n1,Alice,2023-01-01", "the header on line 1 lacks the column email", None),
    ],
    ids=["too many rejected rows", "a file that cannot be loaded"],
)
def test_refused_input(service: Service, first_run: dict[str, Any], published: Project, content: str, reason: str, cause: str | None) -> None:
    """The status is 422, with the reasons and their causes; published tables stay as they were."""
    published.write(users=content)
    problem = service.post("/etl?wait=true", 422)
    assert any(reason in one for one in problem["reasons"]) and reason in problem["detail"]
    run = problem["run"]
    assert run["status"] == "failed" and run["failed_nodes"] and run["nodes_done"] < run["nodes_total"]
    assert [one.partition(", for example")[0] for one in run["causes"][:1]] == ([cause] if cause else [])
    if cause:
        assert problem["reasons"] == [*run["causes"], run["message"].splitlines()[-1]] and problem["reasons"][-1].startswith("Nothing was published: ")
    assert service.get(f"/etl/{run['id']}") == run
    assert published.features() == EXPECTED


def test_history_is_paged_newest_first(service: Service, first_run: dict[str, Any], project: Project) -> None:
    project.query(
        "insert into {schema}_audit.runs (id, command, started_by, started, finished, status) select 'old-' || number, 'dbt run', 'alice', "
        "timestamptz '2020-01-01Z' + number * interval '1 day', timestamptz '2020-02-01Z', 'succeeded' from generate_series(1, 5) as number"
    )
    path, found = "/etl?limit=3", []
    while path:
        page = service.get(path)
        assert len(page["runs"]) <= 3
        found += [run["id"] for run in page["runs"]]
        path = page["next"]
    expected = project.query("select id from {schema}_audit.runs order by started desc")
    assert found == [run_id for (run_id,) in expected] and found[-5:] == [f"old-{number}" for number in (5, 4, 3, 2, 1)]
    service.get("/etl?after=unknown", 404)


def test_cancel_of_what_is_not_running(service: Service, first_run: dict[str, Any]) -> None:
    assert service.post(f"/etl/{first_run['id']}/cancel", 409)["detail"] == "The run has already ended: succeeded."
    service.post("/etl/unknown/cancel", 404)


@pytest.mark.parametrize(
    ("method", "path", "status", "arguments"),
    [
        ("GET", "/nothing", 404, {}),
        ("GET", "/etl/unknown", 404, {}),
        ("GET", "/etl/unknown/events", 404, {}),
        ("GET", "/static/nothing.js", 404, {}),
        ("GET", "/static/../settings.py", 404, {}),
        ("GET", "/static/%2e%2e/settings.py", 404, {}),
        ("DELETE", "/etl", 405, {}),
        ("GET", "/etl/x;drop%20table", 422, {}),
        ("GET", "/etl?after='", 422, {}),
        ("GET", "/etl?limit=0", 422, {}),
        ("GET", "/features?limit=1001", 422, {}),
        ("GET", "/features?after=1;select", 422, {}),
        ("GET", "/features/9223372036854775808", 422, {}),
        ("GET", "/features/-1", 422, {}),
        ("GET", "/rejected?after=users.csv", 422, {}),
        ("POST", "/etl?wait=perhaps", 422, {}),
        ("POST", "/etl", 422, {"json": {"full_refresh": "yes"}}),
        ("POST", "/etl", 422, {"json": {"select": "users"}}),
        ("POST", "/etl", 422, {"data": b"{", "headers": {"Content-Type": "application/json"}}),
        ("POST", "/etl", 400, {"data": b'{"full_refresh": "\xff"}', "headers": {"Content-Type": "application/json"}}),
        ("POST", "/etl", 415, {"data": {"full_refresh": "true"}}),
        ("POST", "/etl", 413, {"data": b" " * 65537, "headers": {"Content-Type": "application/json"}}),
        ("POST", "/etl", 413, {"data": iter([b" " * 65536, b" "]), "headers": {"Content-Type": "application/json"}}),
    ],
)
def test_errors_are_problem_documents(service: Service, method: str, path: str, status: int, arguments: dict[str, Any]) -> None:
    before = service.get("/etl")
    service.call(method, path, status, **arguments)
    assert service.get("/etl") == before, "nothing was started"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_starts_and_stops_nothing(service: Service, headers: dict[str, str]) -> None:
    before = service.get("/etl")
    for path in ("/etl", "/etl/unknown/cancel"):
        service.post(path, 403, headers=headers)
    assert service.get("/etl") == before
    assert "Access-Control-Allow-Origin" not in service.call("GET", "/features", headers=headers).headers


def test_its_own_page_may(service: Service) -> None:
    own = {"Origin": service.url, "Sec-Fetch-Site": "same-origin"}
    service.post("/etl/unknown/cancel", 404, headers=own)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "localhost.evil.example", ""])
def test_a_name_that_was_pointed_here_is_not_served(service: Service, host: str) -> None:
    service.get("/features", 421, headers={"Host": host})


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "[::1]:5000"])
def test_own_names_are_served(service: Service, host: str) -> None:
    service.get("/health", headers={"Host": host})


def test_every_answer_has_the_headers(service: Service) -> None:
    for path in ("/", *PATHS, "/health", "/nothing", "/static/page.css"):
        headers = service.call("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'") and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in headers


def test_listens_on_this_machine_only(service: Service) -> None:
    assert service.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        *(
            ({"ETL_HOST": host}, f"On {host} others can reach the service, so it needs a token: set ETL_API_TOKEN, or ETL_HOST to 127.0.0.1.")
            for host in ("0.0.0.0", "::", "192.0.2.1", "example.com")
        ),
        ({"ETL_PORT": "http"}, "ETL_PORT is 'http', which is not a number below 65536."),
        ({"ENGINE": "duckdb"}, "The service needs Postgres, and ENGINE is 'duckdb'; start it without ENGINE."),
        ({"ETL_API_TOKEN_FILE": "/nowhere"}, "ETL_API_TOKEN_FILE names /nowhere, which cannot be read: No such file or directory."),
        ({"ETL_CONNECTIONS": "0"}, "ETL_CONNECTIONS is '0', which is not a whole number above 0."),
        ({"ETL_STALL_SECONDS": "soon"}, "ETL_STALL_SECONDS is 'soon', which is not a number above 0."),
        ({"ETL_PROXIES": "proxy"}, "ETL_PROXIES takes addresses or networks, such as 192.0.2.1 or 192.0.2.0/24, separated by commas: "
         "'proxy' does not appear to be an IPv4 or IPv6 network."),
    ],
)  # fmt: skip
def test_settings_that_are_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment)
    assert str(caught.value) == sentence


def test_refuses_to_start_with_one_sentence(project: Project) -> None:
    assert refused(project, ETL_HOST="0.0.0.0") == "On 0.0.0.0 others can reach the service, so it needs a token: set ETL_API_TOKEN, or ETL_HOST to 127.0.0.1."


def test_port_in_use(service: Service, project: Project) -> None:
    port = service.url.rpartition(":")[2]
    assert refused(project, ETL_PORT=port).startswith(f"The service cannot listen on 127.0.0.1:{port}")


TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def guarded(project: Project, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that other machines could reach, with a token in a file and a password for the database."""
    secret = tmp_path_factory.mktemp("secrets") / "token"
    secret.write_text(f"{TOKEN}\n")
    with serving(project, ETL_HOST="0.0.0.0", ETL_API_TOKEN_FILE=str(secret), PGPASSWORD="a-password-of-the-tests") as service:
        service.url = service.url.replace("0.0.0.0", "127.0.0.1")
        yield service


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, f"Basic {TOKEN}", "Bearer é"])
def test_every_call_needs_the_token(guarded: Service, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for path in PATHS:
        assert guarded.call("GET", path, 401, headers=headers).headers["WWW-Authenticate"] == "Bearer"
    for path in ("/etl", "/etl/x/cancel"):
        guarded.post(path, 401, headers=headers)


def test_what_needs_no_token(guarded: Service) -> None:
    """Health, and the page itself, which contains no data."""
    guarded.get("/health")
    for path in ("/", "/static/page.js", "/static/page.css", "/static/icon.svg"):
        guarded.call("GET", path, 200)


def test_with_the_token(guarded: Service, first_run: dict[str, Any]) -> None:
    for path in PATHS:
        guarded.call("GET", path, 200, headers={"Authorization": f"Bearer {TOKEN}", "Host": "features.example"})


def test_pages_are_rendered_once() -> None:
    """While a page is rendered, all other calls wait."""
    app = FastAPI()
    add_pages(app)
    for path in ("/", "/docs"):
        [endpoint] = [route.endpoint for route in app.routes if getattr(route, "path", "") == path and hasattr(route, "response_model")]
        assert asyncio.run(endpoint()) is asyncio.run(endpoint())


def test_no_secret_is_shown(guarded: Service, first_run: dict[str, Any], project: Project) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    texts = [guarded.output]
    for path in ("/", *PATHS, "/nothing", "/features?limit=x", "/health"):
        answer = requests.get(guarded.url + path, headers=headers, timeout=60)
        texts += [answer.text, str(answer.headers)]
    texts.append(requests.get(guarded.url + f"/etl/{TOKEN}", timeout=60).text)
    texts += [path.read_text(errors="replace") for path in (project.folder / "logs").rglob("*") if path.is_file()]
    assert [text for text in texts if TOKEN in text or "a-password-of-the-tests" in text] == []


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(security.hmac, "compare_digest", lambda *pair: compared.append(pair) or False)

    async def call() -> None:
        async def nothing(*_: Any) -> None: ...

        guard = security.Guard(nothing, read_settings({"ETL_API_TOKEN": "x"}))
        scope = {"type": "http", "method": "GET", "path": "/etl", "headers": [(b"host", b"localhost"), (b"authorization", b"Bearer x")]}
        await guard(scope, nothing, nothing)

    asyncio.run(call())
    assert compared == [(b"Bearer x", b"Bearer x")]


def test_reads_as_the_reader_where_there_is_one(service: Service, first_run: dict[str, Any], project: Project) -> None:
    sentence = "The service reads as postgres, because it cannot use the role {} here; `make roles` sets it up."
    assert sentence.format("features_reader") in service.output
    # A role of another database of the same server.
    project.query("create role reader_elsewhere")
    with serving(project, FEATURES_READER="reader_elsewhere") as elsewhere:
        assert sentence.format("reader_elsewhere") in elsewhere.output
        elsewhere.get("/features")
    project.dbt("run-operation", "create_reader_role", FEATURES_READER="reader_of_service")
    with serving(project, FEATURES_READER="reader_of_service") as reading:
        assert "The service reads as" not in reading.output
        for path in PATHS:
            reading.call("GET", path, 200)
        project.query("revoke select on {schema}.user_features from reader_of_service")
        assert "make roles" in reading.get("/features", 503)["detail"]
        service.get("/features")


def test_the_package_has_what_the_pages_need() -> None:
    """The pages load nothing from other sites."""
    import experiment_features.service

    folder = Path(experiment_features.service.__file__).parent
    for path in [*folder.glob("templates/*"), *folder.glob("static/*")]:
        addresses = re.findall(r"""(?:src|href|url\(|import|fetch\()\s*=?\s*["'(](https?:|//)""", path.read_text())
        assert addresses == [], path.name
