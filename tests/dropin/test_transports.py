"""Real WAMP transports on loopback, WebSocket and RawSocket, asyncio and Twisted, with every
serializer id. Each message arrives, and comes back from a server that sends the received object
again."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs import payloads
from support.programs import run_python
from support.samples import every_sample

CODECS = payloads.known_ids()
IDS = [
    f"{name}{batched}"
    for name in ("flatbuffers", *(f"flatbuffers-{codec}" for codec in CODECS))
    for batched in ("", ".batched")
]
PROGRAM = Path(__file__).parents[1] / "support" / "transport_echo.py"


@cache
def reports(framework: str) -> list[dict[str, Any]]:
    """The report of one process with this framework, with an entry per transport and serializer."""
    done = run_python(PROGRAM, framework)
    assert done.returncode == 0, done.stdout + done.stderr
    result: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("serializer", IDS)
@pytest.mark.parametrize("transport", ["websocket", "rawsocket"])
@pytest.mark.parametrize("framework", ["asyncio", "twisted"])
def test_all_messages_make_a_round_trip(framework, transport, serializer):
    pytest.importorskip(framework)
    (report,) = (
        entry
        for entry in reports(framework)
        if (entry["transport"], entry["serializer"]) == (transport, serializer)
    )
    count = len(every_sample())
    assert report["class"] == "autobahn_fbs._serializer.FlatBuffersSerializer"
    name, dot, batched = serializer.partition(".")
    assert report["id"] == f"flatbuffers{dot}{batched}"
    assert report["codec"] == (name.partition("-")[2] or "cbor")
    assert report["is a copy"]
    assert report["active"]
    assert report["differences"] == []
    assert (report["sent"], report["got"]) == (count, count)
    assert report["octets"][0] == report["octets"][1]  # the server passed on the same bytes
    assert report["lazy"]
