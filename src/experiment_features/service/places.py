"""Who may have how many of what there are few of: connections, exports, connections of the database.

A client is an address; of IPv6 the first 64 bits, since whoever has one address of such a network has all of them.
"""

from __future__ import annotations

import ipaddress
import time
from collections import defaultdict
from contextvars import ContextVar
from typing import Protocol

# Who makes the call under way; empty where nobody does.
CLIENT: ContextVar[str] = ContextVar("CLIENT", default="")
# Nobody is put out who came, or took something, this short a time ago.
GRACE_SECONDS = 0.25


def client_of(address: str) -> str:
    """The client that an address belongs to."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return found.exploded[:19] if found.version == 6 else str(found)


class Holder(Protocol):
    """Who has a place.

    Attributes:
        owner: the client whose place it is; None for a proxy, whose many clients are limited only as all are.
        waiting_since: since when it has been waiting for its client, by time.monotonic(); None while the service works for it.
    """

    owner: str | None

    @property
    def waiting_since(self) -> float | None: ...

    def give_up(self) -> None:
        """Ends what it does, since somebody else has its place."""


class NoPlaceError(Exception):
    """Every place is taken, by clients that all wait for the service."""

    def __init__(self, places: int, is_of_client: bool) -> None:
        super().__init__(places)
        self.places = places
        self.is_of_client = is_of_client


class PlaceLostError(Exception):
    """Somebody else has the place; an answer that is under way ends before it is complete."""


class Places:
    """Places of one kind. Where all are taken, who has waited longest for its client makes room for who comes.

    Args:
        total: for all clients.
        per_client: for each.
    """

    def __init__(self, total: int, per_client: int) -> None:
        self._total = total
        self._per_client = per_client
        self._all: set[Holder] = set()
        self._of_client: defaultdict[str, set[Holder]] = defaultdict(set)

    def take(self, holder: Holder) -> None:
        """Gives somebody a place. Raises NoPlaceError."""
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
