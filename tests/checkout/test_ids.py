"""The table of serializer ids on the page on payloads: registered ids, and those that Crossbar.io's
configuration takes."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec

import pytest

import autobahn_fbs
from support.docs_blocks import ROOT
from support.programs import run_python


def ids_of_the_table() -> dict[str, str]:
    """The entries about Crossbar.io on the page on payloads, by id."""
    text = (ROOT / "docs" / "payloads.rst").read_text()
    return dict(re.findall(r"^``(flatbuffers\S*)`` +\w+ +(accepted|refused)", text, re.MULTILINE))


def test_the_table_of_ids_has_those_that_install_registers():
    from autobahn.wamp.serializer import SERID_TO_SER

    autobahn_fbs.install()
    try:
        registered = {id for id in SERID_TO_SER if id.startswith("flatbuffers") and "x_" not in id}
    finally:
        autobahn_fbs.uninstall()
    assert registered <= ids_of_the_table().keys()
    assert registered | {"flatbuffers-ubjson", "flatbuffers-ubjson.batched"} == {
        *ids_of_the_table()
    }


@pytest.mark.skipif(
    find_spec("crossbar") is None, reason='needs Crossbar.io: pip install ".[demo]"'
)
def test_crossbar_accepts_and_refuses_ids_as_the_table_says():
    done = run_python(
        "-c",
        """
import json, sys, txaio
txaio.use_twisted()
import autobahn_fbs
autobahn_fbs.install()
from unittest.mock import Mock
from crossbar.common.checkconfig import InvalidConfigException
from crossbar.common.checkconfig import check_listening_transport_rawsocket as check
from crossbar.personality import Personality
from crossbar.router.protocol import WampRawSocketServerFactory, WampWebSocketServerFactory
endpoint = {"type": "tcp", "port": 8080}
for id in sys.argv[1:]:
    config = {"type": "rawsocket", "serializers": [id], "endpoint": endpoint}
    found = {}
    for name, make in (
        ("websocket", lambda: WampWebSocketServerFactory(Mock(), "", config, None)),
        ("rawsocket", lambda: WampRawSocketServerFactory(Mock(), config)),
        ("check", lambda: check(Personality, config)),
    ):
        try:
            make()
            found[name] = "accepted"
        except Exception as error:
            found[name] = f"refused: {error}"
    print(json.dumps([id, found]))
""",
        *ids_of_the_table(),
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == len(ids_of_the_table()) > 2
    for id, found in lines:
        for transport in ("websocket", "rawsocket"):
            assert found[transport].partition(":")[0] == ids_of_the_table()[id], (id, found)
        assert "RawSocket transport configuration - must be one of" in found["check"]
