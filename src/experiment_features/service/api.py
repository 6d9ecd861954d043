"""The endpoints of the service; `page` has those for people."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter, Body, Header, Path, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import StreamingResponse

from experiment_features.service import models, plots
from experiment_features.service.database import Database
from experiment_features.service.problems import MEDIA_TYPE, Json, Problem, problem_of
from experiment_features.service.runner import Run, Runner

REFUSED_BY_SEED = ("Compilation Error", "Runtime Error")
TEST_OF_REJECTS = "rejected_rows_are_tolerable"


def problems(**descriptions: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI descriptions of the problems that a call may return: problems(s404="There is no such run.")."""
    always = {
        "s401": "The token is missing or wrong.", "s421": "The service does not answer to this name.", "s431": "The header is too large.",
        "s500": "Internal error.", "s503": "The database does not answer, or all connections are taken.",
    }  # fmt: skip
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {int(name[1:]): {"description": text, "content": content} for name, text in {**always, **descriptions}.items()}


RunId = Annotated[str, Path(description="The id of the run.", max_length=100, pattern=r"^[0-9A-Za-z_.-]+$")]
UserId = Annotated[int, Path(description="The user.", ge=0, le=models.LARGEST_KEY)]
INVALID = "The call is not valid."
WRITES = {"s403": "The call comes from a page of another site.", "s408": "The body did not arrive in time."}


def make_router(database: Database, runner: Runner) -> APIRouter:
    """The endpoints, which read from `database` and start runs through `runner`."""
    router = APIRouter()

    @router.post(
        "/etl",
        tags=["runs"],
        status_code=202,
        response_model=models.Run,
        responses={
            200: {"model": models.Run, "description": "With wait: the run has succeeded."},
            202: {"description": "The run has started; its address is in Location."},
            **problems(
                s400="The body is not UTF-8.",
                s409="A run is in progress; its id is in the member `run`.",
                s413="The body is too large.",
                s415="The body is not JSON.",
                s422="The call is not valid; or, with wait, the input was refused, for the reasons in the member `reasons`.",
                s500="With wait: the run did not succeed. Or: internal error.",
                **WRITES,
            ),
        },
    )
    async def start_a_run(
        options: Annotated[models.RunOptions | None, Body()] = None,
        wait: Annotated[bool, Query(description="Respond only when the run has ended.")] = False,
    ) -> Response:
        """Starts the build, which loads the files and computes, tests and publishes the features. Only one run at a time."""
        child = await runner.start(full_refresh=options is not None and options.full_refresh)
        headers = {"Location": f"/etl/{child.run_id}"}
        if not wait:
            return Json(await runner.run(child.run_id), 202, headers)
        run = await runner.wait(child)
        if run["status"] == "succeeded":
            return Json(run, 200, headers)
        reasons = _reasons(run)
        sentence = f"The run {run['id']} did not succeed: it is {run['status']}. {' '.join(reasons)}".strip()
        raise Problem(422 if _input_was_refused(run) else 500, sentence, headers, reasons=reasons, run=run)

    @router.get("/etl", tags=["runs"], response_model=models.RunPage, responses=problems(s404="There is no run `after`.", s422=INVALID))
    async def list_runs(
        after: Annotated[str | None, Query(description="The id of the last run on the previous page.", max_length=100, pattern=r"^[0-9A-Za-z_.-]+$")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """All runs, newest first, whoever started them."""
        runs = await runner.runs(after, limit + 1)
        following = _address("/etl", after=runs[limit - 1]["id"], limit=limit) if len(runs) > limit else None
        return Json({"runs": runs[:limit], "next": following})

    @router.get("/etl/{id}", tags=["runs"], response_model=models.Run, responses=problems(s404="There is no such run.", s422=INVALID))
    async def show_a_run(id: RunId) -> Response:
        """The progress of a run, or how it ended."""
        return Json(await runner.run(id))

    @router.get(
        "/etl/{id}/events",
        tags=["runs"],
        response_class=Response,
        responses={
            200: {"description": "Each event is the run, as /etl/{id} returns it.", "content": {"text/event-stream": {}}},
            **problems(s404="There is no such run.", s422=INVALID),
        },
    )
    async def follow_a_run(id: RunId) -> Response:
        """The run as server-sent events: at once, whenever more nodes have ended, and when the run has ended."""
        changes = runner.changes(id)
        return StreamingResponse(_events(await changes.__anext__(), changes), media_type="text/event-stream")

    @router.post(
        "/etl/{id}/cancel",
        tags=["runs"],
        response_model=models.Run,
        responses=problems(
            s404="There is no such run.",
            s409="The run has ended.",
            s413="The body is too large.",
            s415="The body is not JSON.",
            s422=INVALID,
            **WRITES,
        ),
    )
    async def cancel_a_run(id: RunId) -> Response:
        """Stops a run, and responds when it has ended; the published tables are complete, from an earlier run or from this one."""
        return Json(await runner.cancel(id))

    @router.get(
        "/features",
        tags=["features"],
        response_model=models.FeaturesPage,
        responses={
            200: {"description": "A page as JSON, or all as CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}},
            **problems(s404="Nothing has been published yet.", s406="Neither JSON nor CSV is accepted.", s422=INVALID),
        },
    )
    async def list_features(
        after: Annotated[int | None, Query(description="The last user_id on the previous page.", ge=0, le=models.LARGEST_KEY)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        accept: Annotated[str, Header(description="text/csv returns all users as CSV.")] = "*/*",
    ) -> Response:
        """The features, ordered by user_id: a page as JSON, or all as CSV with `Accept: text/csv`."""
        if _prefers_csv(accept):
            pieces = database.features_as_csv()
            # Fetches the first piece now, while the response can still be an error.
            try:
                first = await pieces.__anext__()
            except OSError as error:
                raise Problem(
                    503, f"The CSV cannot be written into a temporary file: {error.strerror}; free space in its folder, or set TMPDIR to use another."
                ) from error
            return StreamingResponse(_chained(first, pieces), media_type="text/csv", headers={"Vary": "Accept"})
        users = await database.features(-1 if after is None else after, limit + 1)
        following = _address("/features", after=users[limit - 1][0], limit=limit) if len(users) > limit else None
        lines = ",\n".join(text for _, text in users[:limit])
        body = f'{{"features": [\n{lines}\n], "next": {json.dumps(following)}}}\n'
        return Response(body, media_type="application/json", headers={"Vary": "Accept"})

    @router.get(
        "/features/{user_id}",
        tags=["features"],
        response_model=models.Features,
        responses=problems(s404="There is no such user.", s422=INVALID),
    )
    async def show_features_of_a_user(user_id: UserId) -> Response:
        """The features of one user."""
        features = await database.features_of(user_id)
        if features is None:
            raise Problem(404, f"User {user_id} is not published.")
        return Response(f"{features}\n", media_type="application/json")

    @router.get(
        "/rejected",
        tags=["rejected rows"],
        response_model=models.RejectedPage,
        responses=problems(s404="Nothing has been published yet.", s422=INVALID),
    )
    async def list_rejected_rows(
        after: Annotated[
            str | None,
            Query(
                description="The last row on the previous page, such as `users.csv,12,email`.",
                pattern=r"^[^,\x00]{1,100},[0-9]{1,18},[^,\x00]{0,100}$",
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Rejected rows and cells of the files behind the published features, and the reasons."""
        file, row_number, column = (after or ",0,").split(",")
        rows = await database.rejected((file, int(row_number), column), limit + 1)
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = _address("/rejected", after=f"{last['file']},{last['row_number']},{last['column_name']}", limit=limit)
        return Json({"rejected": rows[:limit], "next": following})

    @router.get(
        "/rejected/reasons",
        tags=["rejected rows"],
        response_model=models.Reasons,
        responses=problems(s404="Nothing has been published yet."),
    )
    async def count_reasons() -> Response:
        """The number of rejected rows and cells for each reason."""
        return Json({"reasons": await database.reasons()})

    @router.get(
        "/plots/{name}.svg",
        tags=["features"],
        response_class=Response,
        responses={
            200: {"content": {"image/svg+xml": {}}, "description": "The plot, in the colours of the page that embeds it."},
            **problems(s404="There is no such plot, or nothing has been published yet.", s422=INVALID),
        },
    )
    async def plot(name: Annotated[str, Path(description="experiments_per_user or most_used_compounds")]) -> Response:
        """A plot of the published features."""
        if name == "experiments_per_user":
            svg = plots.experiments_per_user(await database.users_per_experiments(plots.BARS))
        elif name == "most_used_compounds":
            svg = plots.most_used_compounds(await database.most_used_compounds(plots.BARS))
        else:
            raise Problem(404, "There is no such plot; the plots are experiments_per_user and most_used_compounds.")
        return Response(svg, media_type="image/svg+xml")

    @router.get("/health", tags=["health"], response_model=models.Health, responses=problems())
    async def health() -> Response:
        """Whether the database answers, and when features were last published. It needs no token."""
        try:
            published = await database.last_published()
        except psycopg.Error as error:
            problem = problem_of(error)
            raise Problem(503, problem.detail, problem.headers, database=False) from error
        return Json({"database": True, "published": published})

    return router


def _address(path: str, **parameters: Any) -> str:
    return f"{path}?{urlencode(parameters)}"


def _prefers_csv(accept: str) -> bool:
    """Whether an Accept header prefers CSV to JSON. Raises Problem if it accepts neither."""
    weights = {"text/csv": 0.0, "application/json": 0.0}
    specific = {"text/csv": -1, "application/json": -1}
    for one in accept.split(","):
        name, *parameters = (part.strip().lower() for part in one.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        for kind in weights:
            how_specific = (kind, f"{kind.partition('/')[0]}/*", "*/*")
            if name in how_specific and (rank := 2 - how_specific.index(name)) > specific[kind]:
                try:
                    weights[kind], specific[kind] = float(weight), rank
                except ValueError:
                    continue
    if not any(weight > 0 for weight in weights.values()):
        raise Problem(406, "The features are available as application/json or text/csv.")
    return weights["text/csv"] > weights["application/json"]


def _input_was_refused(run: Run) -> bool:
    """Whether a run failed because of its input: a file cannot be loaded, or a test fails."""

    def is_of_input(one: dict[str, Any]) -> bool:
        is_seed = one["node"].startswith("seed.")
        return one["status"] == "fail" or (is_seed and (one["message"] or "").startswith(REFUSED_BY_SEED))

    return bool(run["failed_nodes"]) and all(map(is_of_input, run["failed_nodes"]))


def _reasons(run: Run) -> list[str]:
    """Sentences that explain why a run did not succeed."""
    # The causes that a run found in the rows explain more than the test that counted them.
    reasons = [
        f"{name}: {' '.join((one['message'] or one['status']).split())}"
        for name, one in ((one["node"].split(".")[2], one) for one in run["failed_nodes"])
        if not (run["causes"] and name == TEST_OF_REJECTS)
    ]
    if run["message"]:
        reasons += run["message"].split("\n") if run["causes"] else [" ".join(run["message"].split())]
    return [f"{reason.rstrip('.')}." for reason in reasons]


async def _chained(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


async def _events(first: Run, changes: AsyncIterator[Run]) -> AsyncIterator[str]:
    run = first
    while True:
        yield f"data: {json.dumps(jsonable_encoder(run))}\n\n"
        try:
            run = await changes.__anext__()
        except StopAsyncIteration:
            return
        except (psycopg.Error, Problem):
            # The client asks again, and the response to that is the problem.
            return
