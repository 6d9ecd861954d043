"""Time and size limits for the connections of the service.

uvicorn waits forever for a header that is never completed and for a client that stops reading, and its limit on connections
turns everyone away once one client has used it up. Here, each client has a limited number of connections, every connection must
make progress, and if all places are taken, the connection that has waited longest for its client is closed. `security` limits
the bodies of calls.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from contextlib import suppress
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from experiment_features.service.places import NoPlaceError, Places, client_of
from experiment_features.service.problems import Problem
from experiment_features.service.security import HEADERS
from experiment_features.service.settings import Settings

# File descriptors for everything else: the database, dbt, exports and the files of the page.
OTHER_FILES = 200
# A reader has stalled if it takes less than this within the time limit.
LEAST_BYTES = 16 * 1024
# What asyncio may hand over at once.
CHUNK_BYTES = 256 * 1024
# Unsent bytes that the system buffers per connection; by default, several megabytes for each stalled reader.
UNSENT_BYTES = 128 * 1024


class Turn(Enum):
    """What a connection waits for: the client's header or body, the client to read, or a response of the service."""

    HEADER = auto()
    BODY = auto()
    READER = auto()
    SERVICE = auto()


class GuardedProtocol(H11Protocol):
    """A connection of uvicorn that takes up a place and is closed if its client makes no progress.

    Args:
        settings: the settings of the service.
        places: the places for connections.
        arguments: the arguments of uvicorn's protocol.
    """

    def __init__(self, settings: Settings, places: Places, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.owner: str | None = None
        self._settings = settings
        self._limits = settings.limits
        self._places = places
        self._turn = Turn.HEADER
        self._cycle_of_turn: RequestResponseCycle | None = None
        self._since = time.monotonic()
        self._unread = 0

    @property
    def waiting_since(self) -> float | None:
        is_served = self._turn is Turn.SERVICE and not self.transport.is_closing()
        return None if is_served else self._since

    @property
    def is_being_read(self) -> bool:
        """Whether the client has yet to read the end of a response."""
        return self._turn is Turn.READER or self.transport.is_closing()

    def give_up(self) -> None:
        """Closes the connection at once and discards what the client has not read."""
        self.transport.abort()

    def check(self) -> None:
        """Closes the connection if its client has exceeded its time limit."""
        seconds = {
            # After a response, the connection may be idle first.
            Turn.HEADER: self._limits.header_seconds + (self._limits.idle_seconds if self.cycle is not None else 0),
            Turn.READER: self._limits.stall_seconds,
        }.get(Turn.READER if self.transport.is_closing() else self._turn)
        if seconds is None or time.monotonic() - self._since < seconds:
            return
        unread = self.transport.get_write_buffer_size()
        if 0 < unread <= self._unread - LEAST_BYTES:
            self._since, self._unread = time.monotonic(), unread
        elif self.conn.our_state is h11.IDLE and self.conn.trailing_data[0] and not self.transport.is_closing():
            self._turn_away(Problem(408, "The header of the call did not arrive in time."))
        else:
            self.give_up()

    # uvicorn narrows this type in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _tune(transport.get_extra_info("socket"))
        address = self.client[0] if self.client else ""
        self.owner = None if self._settings.is_proxy(address) else client_of(address)
        try:
            self._places.take(self)
        except NoPlaceError as error:
            whose = "from your address" if error.is_of_client else "to the service"
            sentence = f"There are {error.places} connections {whose} already; close some, or try again in a moment."
            self._turn_away(Problem(503, sentence, {"Retry-After": "1"}))

    def connection_lost(self, exc: Exception | None) -> None:
        self._places.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()
        # Further calls that arrive during a response wait in h11's buffer, which h11 does not limit.
        if len(self.conn.trailing_data[0]) > CHUNK_BYTES + self._limits.header_bytes + self._limits.body_bytes:
            self.give_up()

    def on_response_complete(self) -> None:
        self._look()
        # Starts the next call, if it has already arrived.
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Responds to invalid HTTP and to headers that are too large, without reading the rest."""
        if self.conn.our_state is not h11.IDLE and self.conn.our_state is not h11.SEND_RESPONSE:
            self.give_up()
        elif len(self.conn.trailing_data[0]) > self._limits.header_bytes:
            self._turn_away(Problem(431, f"The header of the call is larger than {self._limits.header_bytes} bytes."))
        else:
            super().send_400_response(msg)

    def _look(self) -> None:
        """Records whose turn it is, and since when."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            turn = Turn.HEADER
        elif self.flow.write_paused:
            turn = Turn.READER
        else:
            turn = Turn.BODY if cycle.more_body else Turn.SERVICE
        if (turn, cycle) != (self._turn, self._cycle_of_turn):
            self._turn, self._cycle_of_turn = turn, cycle
            self._since, self._unread = time.monotonic(), self.transport.get_write_buffer_size()

    def _turn_away(self, problem: Problem) -> None:
        """Responds without calling the app, and closes the connection."""
        response = problem.response()
        own = {**HEADERS, "Cache-Control": "no-store", "Connection": "close"}
        headers = [*response.raw_headers, *((name.encode(), value.encode()) for name, value in own.items())]
        start = h11.Response(status_code=problem.status, headers=headers, reason=HTTPStatus(problem.status).phrase.encode())
        for event in (start, h11.Data(data=bytes(response.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _tune(connection: socket.socket) -> None:
    """Sets options that asyncio sets only on sockets created with an explicit protocol."""
    # Setting options fails if the client has already gone.
    with suppress(OSError):
        # Otherwise the body of a response waits until the client acknowledges the header, which clients delay by 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def places_for(settings: Settings) -> Places:
    """Places for as many connections as are configured, or as many as the system allows."""
    wanted = settings.limits.connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        wanted = max(soft - OTHER_FILES, soft // 2) if soft < needed else wanted
    if wanted < settings.limits.connections:
        print(f"The system lets the service have {soft} files, so it takes {wanted} connections at once (ETL_CONNECTIONS).", flush=True)
    return Places(wanted, settings.limits.connections_per_client)
