"""Tests what the project survives: `make torture`, or `make torture FULL=1` for the long form.

It kills dbt and the server, runs builds at once, cuts connections, fills the disk, attacks the service, and loads broken, hostile
and changing files. It prints a table of what was tried and what was lost, writes it to results.md beside this file, and exits with 1
if anything was lost. SEED, a number, repeats the random choices of an earlier run, as far as they decide the outcome. All
servers are the campaign's own, in a temporary folder.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

# The tests' own helpers, which the modules here also use.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

import attacks
import builds_at_once
import changing_files
import cuts
import generated_inputs
import injection
import kills
import starts
from campaign import Campaign
from ground import Ground, ground

RESULTS = Path(__file__).with_name("results.md")
DEFAULT_SEED = 20_260_301
AT_ONCE = 3
# The order of the table.
FAULTS = (
    kills.DBT_KILLED, kills.INTERRUPTED, kills.SERVER_KILLED, starts.START_KILLED, starts.NO_ROOM,
    builds_at_once.ON_EMPTY, builds_at_once.ON_FULL, builds_at_once.WHILE_PUBLISHING,
    cuts.WORKER_CUT, cuts.LOCK_CUT, cuts.WRONG_PASSWORD, cuts.OLD_SERVER, cuts.DISK_FULL, cuts.DISK_FILLS_UP,
    generated_inputs.GENERATED, generated_inputs.RANDOM_BYTES, generated_inputs.WHOLE_BUILDS,
    attacks.ATTACKED, attacks.ATTACKED_RUN,
    injection.INJECTED_FILES, injection.INJECTED_SETTINGS, changing_files.GROWS, changing_files.REPLACED, changing_files.CUT_SHORT,
)  # fmt: skip
Part = Callable[[Campaign, Ground], None]


def parts(full: bool) -> dict[str, Part]:
    """The parts by name, the longest first; each gets its own server."""
    return {
        "kill_dbt": lambda campaign, ground: kills.kill_dbt(campaign, ground, 30 if full else 10),
        "interrupt": lambda campaign, ground: kills.interrupt(campaign, ground, 100 if full else 10),
        "kill_server": lambda campaign, ground: kills.kill_server(campaign, ground, 15 if full else 10),
        "kill_start": lambda campaign, ground: starts.kill_start(campaign, ground, 40 if full else 10),
        "injection": lambda campaign, ground: injection.inject(campaign, ground, all_payloads=full),
        "on_full": lambda campaign, ground: builds_at_once.on_full(campaign, ground, 8 if full else 4, 3 if full else 2),
        "on_empty": lambda campaign, ground: builds_at_once.on_empty(campaign, ground, 8 if full else 4, 3 if full else 2),
        "while_publishing": lambda campaign, ground: builds_at_once.while_publishing(campaign, ground, 3 if full else 2),
        "generated": lambda campaign, ground: generated_inputs.compare(campaign, ground, 4500 if full else 200),
        "whole_builds": lambda campaign, ground: generated_inputs.build_whole(campaign, ground, 20 if full else 5),
        "changing_files": lambda campaign, ground: changing_files.change_files(campaign, ground, 10 if full else 2),
        "cut_worker": lambda campaign, ground: cuts.cut_worker(campaign, ground, 10 if full else 2),
        "cut_lock_holder": lambda campaign, ground: cuts.cut_lock_holder(campaign, ground, 20 if full else 2),
        "attack": lambda campaign, ground: attacks.attack(campaign, ground, 300 if full else 20),
        "disk_full": lambda campaign, ground: cuts.disk_full(campaign, ground, 10 if full else 2),
        "no_room": lambda campaign, ground: starts.no_room(campaign, ground, 10 if full else 2),
        "wrong_password": cuts.wrong_password,
        "old_server": cuts.old_server,
    }


def run(campaign: Campaign, name: str, part: Part, folder: Path) -> float:
    """Runs a part on its own server and returns the seconds."""
    started = time.monotonic()
    campaign.say(f"{name} begins")
    (folder / name).mkdir(mode=0o755)
    whole = f"the part {name}, which stopped"
    with campaign.attempt(whole, quiet=True), ground(folder / name) as own:
        part(campaign, own)
    campaign.forget(whole)
    seconds = time.monotonic() - started
    campaign.say(f"{name} has ended after {seconds:.0f} s")
    return seconds


def total(campaign: Campaign) -> str:
    """How many attempts there were, and how they ended."""
    tries, losses = sum(fault.tries for fault in campaign.faults.values()), campaign.losses()
    hung = sum("did not end within" in loss or "TimeoutExpired" in loss for loss in losses)
    return f"{tries:,} attempts: {len(losses)} lost, of which {hung} hung."


def report(campaign: Campaign, form: str, seconds: float, server_version: str, names: list[str]) -> str:
    """The content of results.md."""
    packages = [f"{name} {version(name)}" for name in ("dbt-core", "dbt-postgres")]
    versions = ", ".join([f"PostgreSQL {server_version}", f"Python {platform.python_version()}", *packages])
    lines = [
        "# What the project survived",
        "",
        f"`{form}` on {datetime.now(timezone.utc):%Y-%m-%d} with {versions}; seed {campaign.seed}, {seconds:.0f} s on {os.cpu_count()} cores.",
        *([f"Only the parts {', '.join(names)}."] if names else []),
        "",
        campaign.table(),
        "",
        total(campaign),
    ]
    for loss in campaign.losses():
        lines += ["", "```text", loss, "```"]
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> int:
    full = os.environ.get("FULL", "") not in ("", "0")
    chosen = {name: part for name, part in parts(full).items() if not names or name in names}
    campaign = Campaign(int(os.environ.get("SEED") or DEFAULT_SEED), [] if names else FAULTS)
    campaign.say(f"seed {campaign.seed}, the {'long' if full else 'short'} form")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with ground(folder / "version") as own:
            server_version = own.project("version").query("show server_version")[0][0]

        def run_and_save(item: tuple[str, Part]) -> float:
            """Runs a part, and saves what is known by then: a long campaign may be stopped."""
            seconds = run(campaign, *item, folder)
            if not names or campaign.losses():
                form = "make torture FULL=1" if full else "make torture"
                RESULTS.write_text(report(campaign, form, time.monotonic() - started, server_version, names))
            return seconds

        # More than there are cores, because a build spends much of its time waiting.
        with ThreadPoolExecutor(AT_ONCE) as executor:
            seconds = list(executor.map(run_and_save, chosen.items()))
    print(f"\n{campaign.table()}\n")
    print(f"Seconds of each part, {AT_ONCE} at a time: " + ", ".join(f"{name} {one:.0f}" for name, one in zip(chosen, seconds, strict=True)))
    lost = len(campaign.losses())
    print(total(campaign) + (f" Details are in {RESULTS}." if lost else ""))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
