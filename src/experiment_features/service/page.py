"""The pages for people: the main page, and a description of the calls. They load nothing from other sites."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, select_autoescape

from experiment_features.service.contract import feature_columns

FOLDER = Path(__file__).parent


def add_pages(app: FastAPI) -> None:
    """Adds the main page at /, the description of the calls at /docs, and their style sheet and script."""
    templates = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))

    # Rendered once: it takes as long as a hundred other calls, which would have to wait.
    @cache
    def page() -> HTMLResponse:
        return HTMLResponse(templates.get_template("page.html").render(columns=feature_columns()))

    @cache
    def docs() -> HTMLResponse:
        schema = app.openapi()
        calls = [{"method": method.upper(), "path": path, **call} for path, methods in schema["paths"].items() for method, call in methods.items()]
        return HTMLResponse(templates.get_template("docs.html").render(info=schema["info"], calls=calls))

    @app.get("/", include_in_schema=False)
    async def get_page() -> HTMLResponse:
        return page()

    @app.get("/docs", include_in_schema=False)
    async def get_docs() -> HTMLResponse:
        return docs()
