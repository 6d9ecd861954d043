"""Errors as RFC 9457 problem documents: what is wrong and what to do, in one sentence."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from experiment_features.service.places import NoPlaceError

MEDIA_TYPE = "application/problem+json"
LOG = logging.getLogger(__name__)


class Json(JSONResponse):
    """JSON that ends with a line feed, for reading in a shell."""

    def render(self, content: Any) -> bytes:
        return super().render(jsonable_encoder(content)) + b"\n"


class Problem(Exception):
    """An error of a call.

    Args:
        status: the HTTP status.
        detail: a sentence for the user.
        headers: headers of the response.
        members: further members of the document.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> JSONResponse:
        document = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail}
        return Json({**document, **self.members}, self.status, self.headers, MEDIA_TYPE)


def problem_of(error: psycopg.Error) -> Problem:
    """The problem to return for a database error; the server's own message is not passed on."""
    if isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)):
        return Problem(404, "Nothing has been published yet; start a run with POST /etl.")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return Problem(503, "The service may not read what was published; run `make roles` again as the user who builds.")
    if isinstance(error, psycopg.errors.QueryCanceled):
        return Problem(503, "The database took too long to answer; ask for less, or try again later.", {"Retry-After": "30"})
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return Problem(503, "A run is replacing the table; try again in a moment.", {"Retry-After": "1"})
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return Problem(503, "The database does not answer; start it, or try again in a moment.", {"Retry-After": "5"})
    return Problem(500, "The database refused a statement of the service; see the log of the service.")


def reason_of(error: psycopg.Error) -> str:
    """What the server or libpq says, on one line; it may name users and hosts, and is only for the operator."""
    return " ".join(str(error).split())


def add_problem_handlers(app: FastAPI) -> None:
    """Makes the app respond to every error with a problem document."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(psycopg.Error)
    async def _database(request: Request, error: psycopg.Error) -> JSONResponse:
        problem = problem_of(error)
        reason = f": {reason_of(error)}" if isinstance(error, psycopg.OperationalError) else ""
        LOG.warning("%s %s: %s%s", request.method, request.url.path, type(error).__name__, reason)
        if problem.status == 500:
            LOG.error("the statement failed", exc_info=error)
        return problem.response()

    @app.exception_handler(NoPlaceError)
    async def _no_place(request: Request, error: NoPlaceError) -> JSONResponse:
        whose = " for your address" if error.is_of_client else ""
        sentence = f"There are already {error.places} exports in progress{whose}; try again when one has ended."
        return Problem(503, sentence, {"Retry-After": "5"}).response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        details = {
            400: "The body cannot be read; it has to be JSON, written in UTF-8.",
            404: "There is nothing at this address; GET /docs lists the calls.",
            405: "This address does not support the method; see GET /docs.",
        }
        return Problem(error.status_code, details.get(error.status_code, str(error.detail)), error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"where": ".".join(map(str, one["loc"])), "detail": one["msg"]} for one in error.errors()]
        detail = "The call is not valid: " + "; ".join(f"{one['where']}: {one['detail']}" for one in errors) + "."
        return Problem(422, detail, errors=errors).response()

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        return Problem(500, "Internal error; see the log of the service.").response()
