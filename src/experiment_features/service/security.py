"""The checks before a call reaches the app, and the headers of every response.

A page of another site can make the user's browser send calls to this machine. It cannot read the responses, because none
allows it to, and it cannot start anything, because the browser names the origin of a call in Origin and Sec-Fetch-Site.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from experiment_features.service.places import CLIENT, PlaceLostError, client_of
from experiment_features.service.problems import Problem
from experiment_features.service.settings import Limits, Settings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LOG = logging.getLogger(__name__)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Passes a call on to the app, or responds with a problem.

    Args:
        app: the app to protect.
        settings: the token required, whether only this machine is served, and how large a call may be.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limits = settings.limits
        self._token = f"Bearer {settings.token}".encode() if settings.token else None
        self._hosts = {"localhost", "127.0.0.1", "::1", settings.host} if settings.is_local else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        CLIENT.set(client_of((scope.get("client") or ("",))[0]))
        try:
            headers = Headers(scope=scope)
            _check_size(headers, self._limits.header_bytes)
            self._check_host(headers)
            self._check_token(headers, scope["path"])
            if scope["method"] not in SAFE_METHODS:
                _check_origin(headers)
            receive = await _with_bounded_body(headers, receive, self._limits)
        except ClientDisconnect:
            return
        except Problem as problem:
            await problem.response()(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive, send_with_headers)
        except PlaceLostError:
            # The server closes the connection, which shows the client that the response is incomplete.
            LOG.warning("%s %s: a reader that stalled is cut off", scope["method"], scope["path"])

    def _check_host(self, headers: Headers) -> None:
        """Refuses a foreign host name that a DNS server resolves to this machine."""
        if self._hosts is not None and _hostname(f"//{headers.get('host', '')}") not in self._hosts:
            raise Problem(421, "The service only answers to the names localhost and 127.0.0.1.")

    def _check_token(self, headers: Headers, path: str) -> None:
        # The page contains no data; it asks for the token and sends it with the calls that return data.
        if self._token is None or path in ("/health", "/") or path.startswith("/static/"):
            return
        # As bytes, because compare_digest accepts only ASCII text.
        if not hmac.compare_digest(headers.get("authorization", "").encode("latin-1"), self._token):
            raise Problem(401, "This call needs the token of the service, as the header `Authorization: Bearer ...`.", {"WWW-Authenticate": "Bearer"})


def _check_origin(headers: Headers) -> None:
    site = headers.get("sec-fetch-site", "none")
    origin = headers.get("origin")
    if site not in ("same-origin", "none") or (origin is not None and origin.partition("://")[2] != headers.get("host")):
        raise Problem(403, "A page of another site may not start or stop anything here; use the service's own page.")


def _check_size(headers: Headers, limit: int) -> None:
    """Refuses large headers that arrive at once; h11 limits only those that arrive incomplete."""
    if sum(len(name) + len(value) for name, value in headers.raw) > limit:
        raise Problem(431, f"The header of the call is larger than {limit} bytes.", {"Connection": "close"})


async def _with_bounded_body(headers: Headers, receive: Receive, limits: Limits) -> Receive:
    """Reads the body before the app is called, which therefore never waits for it or holds more than the limit.

    Raises:
        Problem: the body is too large, too late, or not JSON.
        ClientDisconnect: the client disconnected before the body was complete, so there is no call.
    """
    body = b""
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        try:
            body = await asyncio.wait_for(_body(receive, limits.body_bytes), limits.body_seconds)
        except asyncio.TimeoutError:
            raise Problem(408, "The body did not arrive in time.", {"Connection": "close"}) from None
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "The body has to be JSON, with the header `Content-Type: application/json`.")
    is_read = False

    async def receive_again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _body(receive: Receive, limit: int) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise Problem(413, f"The body is larger than {limit} bytes.", {"Connection": "close"})
    return body


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
