"""Starts the service: ``python -m experiment_features.service``, or ``make serve``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import uvicorn

from experiment_features.service.app import make_app
from experiment_features.service.connections import GuardedProtocol, places_for
from experiment_features.service.database import Database
from experiment_features.service.problems import reason_of
from experiment_features.service.runner import Runner
from experiment_features.service.settings import Settings, SettingsError, read_settings

# For clients that are still receiving data after the current run was stopped. With the run, all has to end within five seconds.
LAST_ANSWERS_SECONDS = 1
# uvicorn ticks ten times a second.
TICKS_BETWEEN_CHECKS = 3


class Server(uvicorn.Server):
    """A uvicorn server that checks its connections and, on shutdown, stops the current run before it waits for the last responses."""

    def __init__(self, config: uvicorn.Config, runner: Runner) -> None:
        super().__init__(config)
        self._runner = runner

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Like uvicorn's, but a handled signal is not raised again at the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_BETWEEN_CHECKS == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, GuardedProtocol):
                    connection.check()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._runner.stop()
        for seconds, are_readers in ((0, False), (LAST_ANSWERS_SECONDS, True)):
            asyncio.get_running_loop().call_later(seconds, self._close_waiting, are_readers)
        await super().shutdown(sockets)

    def _close_waiting(self, are_readers: bool) -> None:
        """Closes the connections that wait for a client to send a call or, if `are_readers` is true, to read a response."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, GuardedProtocol) and connection.waiting_since is not None and (are_readers or not connection.is_being_read):
                connection.give_up()


async def serve(settings: Settings, listening: socket.socket) -> None:
    """Serves until a signal ends it."""
    database = Database(settings)
    await database.open()
    environment = dict(os.environ)
    if "password" in settings.connection:
        environment["PGPASSWORD"] = settings.connection["password"]
    runner = Runner(settings, database, environment)
    config = uvicorn.Config(
        make_app(settings, database, runner),
        # uvicorn also accepts any callable that makes a protocol, and seconds as a float.
        http=partial(GuardedProtocol, settings, places_for(settings)),  # type: ignore[arg-type]
        timeout_keep_alive=settings.limits.idle_seconds,  # type: ignore[arg-type]
        ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=bool(settings.proxies), forwarded_allow_ips=[str(network) for network in settings.proxies],
        timeout_graceful_shutdown=2 * LAST_ANSWERS_SECONDS,
        h11_max_incomplete_event_size=settings.limits.header_bytes,
    )  # fmt: skip
    try:
        if not await database.has_reader():
            user = settings.connection["user"]
            print(f"The service reads as {user}, because it cannot use the role {settings.reader} here; `make roles` sets it up.", flush=True)
    except psycopg.OperationalError as error:
        print(f"The database does not answer yet, so calls that need it get an error: {reason_of(error)}", flush=True)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"The service is up: http://{host}:{listening.getsockname()[1]}/ shows the page; Ctrl-C stops it.", flush=True)
    await Server(config, runner).serve([listening])
    await database.close()


def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for name in ("uvicorn", "psycopg", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A call that does not end in time when the service ends is no error of its own.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)))
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        sys.exit(f"The service cannot listen on {settings.host}:{settings.port} ({error.strerror}); set ETL_HOST or ETL_PORT to use another.")
    with listening:
        asyncio.run(serve(settings, listening))


if __name__ == "__main__":
    main()
