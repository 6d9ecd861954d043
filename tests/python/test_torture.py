"""Runs `make torture` in small numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cuts
import injection
import kills
import pytest
import starts
from campaign import Campaign
from ground import Ground, ground

PARTS: dict[str, Callable[[Campaign, Ground], None]] = {
    "dbt killed": lambda campaign, own: kills.kill_dbt(campaign, own, 1),
    "server killed": lambda campaign, own: kills.kill_server(campaign, own, 1),
    "start killed": lambda campaign, own: starts.kill_start(campaign, own, 2),
    "disk full at the first start": lambda campaign, own: starts.no_room(campaign, own, 1),
    "connection cut": lambda campaign, own: cuts.cut_worker(campaign, own, 1),
    "old server": cuts.old_server,
    "disk full": lambda campaign, own: cuts.disk_full(campaign, own, 1),
    "injection": lambda campaign, own: injection.inject_a_little(campaign, own),
}


@pytest.fixture(scope="module")
def own() -> Iterator[Ground]:
    """A server that may be killed, in a folder that any user can reach."""
    with tempfile.TemporaryDirectory(prefix="torture", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with ground(folder) as started:
            yield started


@pytest.mark.parametrize("part", PARTS)
def test_survives(own: Ground, part: str) -> None:
    campaign = Campaign(seed=1)
    PARTS[part](campaign, own)
    assert campaign.losses() == []
    not_possible = [fault.not_possible for fault in campaign.faults.values() if fault.not_possible]
    if not_possible:
        pytest.skip(not_possible[0])
    assert sum(fault.tries for fault in campaign.faults.values()) > 0
