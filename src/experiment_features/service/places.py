"""Limits on what one client may use at once: connections, exports and database connections.

A client is an address. For IPv6 it is a network of 64 bits, since its owner can use every address in it.
"""

from __future__ import annotations

import ipaddress
import time
from collections import defaultdict
from contextvars import ContextVar
from typing import Protocol

# The client of the current call; empty outside a call.
CLIENT: ContextVar[str] = ContextVar("CLIENT", default="")
# A holder that arrived or made progress this recently keeps its place.
GRACE_SECONDS = 0.25


def client_of(address: str) -> str:
    """The client to which an address belongs."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return found.exploded[:19] if found.version == 6 else str(found)


class Holder(Protocol):
    """Something that takes up a place, such as a connection.

    Attributes:
        owner: its client; None for a proxy, to which only the total applies.
        waiting_since: when it started to wait for its client, by time.monotonic(); None while it waits for the service.
    """

    owner: str | None

    @property
    def waiting_since(self) -> float | None: ...

    def give_up(self) -> None:
        """Ends it, because its place is given to another."""


class NoPlaceError(Exception):
    """Every place is taken, and none of the holders is waiting for its client."""

    def __init__(self, places: int, is_of_client: bool) -> None:
        super().__init__(places)
        self.places = places
        self.is_of_client = is_of_client


class PlaceLostError(Exception):
    """The place was given to another holder; the response ends before it is complete."""


class Places:
    """A limited number of places. If all are taken, the holder that has waited longest for its client gives up its place.

    Args:
        total: places for all clients together.
        per_client: places for each client.
    """

    def __init__(self, total: int, per_client: int) -> None:
        self._total = total
        self._per_client = per_client
        self._all: set[Holder] = set()
        self._of_client: defaultdict[str, set[Holder]] = defaultdict(set)

    def take(self, holder: Holder) -> None:
        """Gives the holder a place. Raises NoPlaceError."""
        if holder.owner is not None and len(own := self._of_client[holder.owner]) >= self._per_client:
            self._make_room(own, self._per_client, is_of_client=True)
        if len(self._all) >= self._total:
            self._make_room(self._all, self._total, is_of_client=False)
        self._all.add(holder)
        if holder.owner is not None:
            self._of_client[holder.owner].add(holder)

    def leave(self, holder: Holder) -> None:
        self._all.discard(holder)
        if holder.owner is not None:
            own = self._of_client[holder.owner]
            own.discard(holder)
            if not own:
                del self._of_client[holder.owner]

    def _make_room(self, holders: set[Holder], places: int, is_of_client: bool) -> None:
        waiting = [(since, id(holder), holder) for holder in holders if (since := holder.waiting_since) is not None]
        since, _, longest = min(waiting, default=(float("inf"), 0, None))
        if longest is None or since > time.monotonic() - GRACE_SECONDS:
            raise NoPlaceError(places, is_of_client)
        self.leave(longest)
        longest.give_up()
