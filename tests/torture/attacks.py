"""The HTTP service is attacked by clients that stall, idle, send half of something or nonsense, while others use it."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import ExitStack
from random import Random

import requests
from campaign import Campaign
from ground import Ground, build, some_input
from services import Service, serving, until

ATTACKED = "a client of the service stalls, idles, sends half of something or nonsense, up to 60 times at once"
ATTACKED_RUN = "the same during a run that the service has started"
# Answers promised to everybody else.
SECONDS = 1.0
LIMITS = {"ETL_HEADER_SECONDS": "2", "ETL_BODY_SECONDS": "2", "ETL_IDLE_SECONDS": "2", "ETL_STALL_SECONDS": "2"}
ATTACKS = {
    "nothing": b"",
    "half a header": b"GET /features/1 HTTP/1.1\r\nHost: x\r\n",
    "idle": b"GET /features/1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "many calls, no answer read": b"GET /features?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
    "an export that is not read": b"GET /features HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n\r\n",
    "half a body": b"POST /etl HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{",
    "chunks without an end": b"POST /etl HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "an endless header": b"GET / HTTP/1.1\r\nA: " + b"a" * 100_000,
    "nonsense": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100,
    "an upgrade": b"GET /etl HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


def attack(campaign: Campaign, ground: Ground, times: int) -> None:
    """After each attack, even while it goes on, everybody else is answered, and it has started no run."""
    choose = campaign.random(ATTACKED)
    project = ground.project("attacked")
    build(project, some_input("attacked", choose, users=40, experiments=200, rejected=3))
    with serving(project, **LIMITS) as service, ExitStack() as held:
        for number in range(times):
            is_during_run = number % 10 == 9
            kind = choose.choice(list(ATTACKS))
            with campaign.attempt(ATTACKED_RUN if is_during_run else ATTACKED, kind, quiet=not is_during_run):
                run_id = service.post("/etl", 202)["id"] if is_during_run else None
                before = len(service.get("/etl")["runs"])
                for _ in range(choose.randint(1, 60)):
                    _send(held, service, kind, choose)
                _require_answers(service)
                assert len(service.get("/etl")["runs"]) == before, "a run was started by an attack"
                if run_id:
                    assert service.run_when(run_id, lambda run: run["status"] != "running")["status"] == "succeeded"
                if choose.random() < 0.3:
                    held.close()
        held.close()
        with campaign.attempt(ATTACKED, "the end of all"):
            until(lambda: requests.get(f"{service.url}/features/1", timeout=60).status_code == 200 or None)
            assert "Traceback" not in service.output, service.output


def _send(held: ExitStack, service: Service, kind: str, choose: Random) -> None:
    """Sends an attack on a connection that is cut at once, or held until the clients are let go."""
    connection = held.enter_context(socket.socket())
    connection.settimeout(5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((f"127.0.{choose.randint(1, 3)}.{choose.randint(1, 250)}", 0))
    try:
        connection.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
        connection.sendall(ATTACKS[kind])
    except OSError:
        # The service may have closed the connection.
        return
    if choose.random() < 0.2:
        # Drops what is still on its way.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def _require_answers(service: Service) -> None:
    for path in ("/health", "/features/1", "/etl", "/"):
        with requests.Session() as session:
            before = time.monotonic()
            assert session.get(service.url + path, timeout=60).status_code == 200, path
            seconds = time.monotonic() - before
        assert seconds < SECONDS, f"{path} was answered after {seconds:.2f} s"
