"""Assembles the app from its parts."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from experiment_features.service import models
from experiment_features.service.api import make_router
from experiment_features.service.database import Database
from experiment_features.service.page import add_pages
from experiment_features.service.problems import add_problem_handlers
from experiment_features.service.runner import Runner
from experiment_features.service.security import Guard
from experiment_features.service.settings import Settings

DESCRIPTION = """Starts runs, shows their progress, and returns the published features.
Errors are problem documents (RFC 9457)."""


class App(FastAPI):
    """FastAPI with the schema of problem documents in its OpenAPI description."""

    def openapi(self) -> dict[str, Any]:
        schema = super().openapi()
        schema["components"]["schemas"]["ProblemDocument"] = models.ProblemDocument.model_json_schema()
        return schema


def make_app(settings: Settings, database: Database, runner: Runner) -> ASGIApp:
    """The app to serve, behind its guard."""
    app = App(title="Experiment features", description=DESCRIPTION, version="1", docs_url=None, redoc_url=None)
    add_problem_handlers(app)
    app.include_router(make_router(database, runner))
    add_pages(app)
    return Guard(app, settings)
