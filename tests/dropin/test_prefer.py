"""install(prefer=True): FlatBuffers comes first if a program names no serializer, followed by the
original list, and everything is restored. Also lists with a subprotocol twice.

Each test runs in a fresh interpreter, as in test_install.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autobahn_fbs
from autobahn_fbs import _run
from support.programs import run_python

PACKAGES = str(Path(autobahn_fbs.__file__).parent.parent)

FRAMEWORKS = ["asyncio", "twisted"]


def run(framework: str, script: str) -> str:
    """Runs a script in a fresh interpreter with warnings as errors; its output."""
    pytest.importorskip(framework)
    code = f"""
import autobahn_fbs, json, sys
F = {framework!r}
def factories():
    from importlib import import_module
    return import_module(f"autobahn.{{F}}.websocket"), import_module(f"autobahn.{{F}}.rawsocket")
def lists():
    "What the factories without a list of serializers have."
    ws, raw = factories()
    return [
        [p.removeprefix("wamp.2.") for p in ws.WampWebSocketClientFactory(lambda: 0, url="ws://h")._protocols],
        list(ws.WampWebSocketServerFactory(lambda: 0, url="ws://h")._serializers),
        raw.WampRawSocketClientFactory(lambda: 0)._serializer.SERIALIZER_ID,
        [s.SERIALIZER_ID for s in raw.WampRawSocketServerFactory(lambda: 0)._serializers.values()],
    ]
import txaio
getattr(txaio, f"use_{{F}}")()
if F == "asyncio":
    import asyncio
    asyncio.set_event_loop(asyncio.new_event_loop())
{script}
"""
    done = run_python("-W", "error:autobahn_fbs", "-c", code)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("early", [True, False], ids=["imported before", "imported after"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_flatbuffers_is_first_in_default_lists_and_the_old_ones_follow(framework, early):
    run(
        framework,
        f"""
if {early}:
    factories()
    before = lists()
autobahn_fbs.install(prefer=True)
ws_client, ws_server, raw_client, raw_server = after = lists()
autobahn_fbs.uninstall()
before = lists()
assert before[2] != "flatbuffers"
first = ["flatbuffers", "flatbuffers.batched"]
assert ws_client == first + before[0], after
assert ws_server == first + before[1], after
assert raw_client == "flatbuffers"
assert raw_server == ["flatbuffers", *before[3]], after
""",
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_uninstall_puts_every_function_back(framework):
    run(
        framework,
        """
factories()
import importlib
component = importlib.import_module(f"autobahn.{F}.component")
from autobahn.wamp import component as base, websocket
def all_of():
    _, raw = factories()
    spaces = [websocket.WampWebSocketFactory, component, base,
              *(c for c in vars(raw).values() if isinstance(c, type))]
    return [dict(vars(space)) for space in spaces], lists()
before, hooks = all_of(), list(sys.meta_path)
for prefer in (False, True):
    autobahn_fbs.install(prefer=prefer)
    assert all_of()[0] != before[0]
autobahn_fbs.uninstall()
assert all_of() == before
assert sys.meta_path == hooks
""",
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_program_that_names_its_serializers_keeps_them(framework):
    run(
        framework,
        """
autobahn_fbs.install(prefer=True)
ws, raw = factories()
from autobahn.wamp.component import _create_transport
from autobahn.wamp.serializer import JsonSerializer
mine = [JsonSerializer()]
client = ws.WampWebSocketClientFactory(lambda: 0, url="ws://h", serializers=mine)
assert client._protocols == ["wamp.2.json"]
assert raw.WampRawSocketClientFactory(lambda: 0, mine[0])._serializer is mine[0]
assert list(raw.WampRawSocketServerFactory(lambda: 0, mine)._serializers.values()) == mine
for transport, chosen in [
    ({"url": "ws://h", "serializers": ["json"]}, ["json"]),
    ({"url": "ws://h"}, ["flatbuffers", "cbor", "json"]),
    ({"type": "rawsocket", "url": "rs://h:1", "serializer": "json"}, ["json"]),
    ({"type": "rawsocket", "url": "rs://h:1"}, ["flatbuffers", "cbor"]),
]:
    assert _create_transport(0, transport).serializers == chosen, transport
""",
    )


HANGS_UP = """
import socket, threading
asked = []
server = socket.create_server(("127.0.0.1", 0))
PORT = server.getsockname()[1]
def serve():
    while True:
        peer, _ = server.accept()
        octets = peer.recv(4)
        asked.append(octets[1] & 15)
        if asked[-1] == 3:
            peer.sendall(bytes([127, 0xf3, 0, 0]))
            peer.recv(4)
            import os
            os.write(1, repr(asked).encode())  # Twisted's log takes what is printed
            os._exit(0)
        peer.close()
threading.Thread(target=serve, daemon=True).start()
autobahn_fbs.install(prefer=True)
"""


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_component_whose_rawsocket_peer_hangs_up_connects_again_with_what_autobahn_takes(
    framework,
):
    said = run(
        framework,
        HANGS_UP
        + """
from importlib import import_module
module = import_module(f"autobahn.{F}.component")
transport = {"type": "rawsocket", "url": f"rs://127.0.0.1:{PORT}", "initial_retry_delay": 0.1,
             "endpoint": {"type": "tcp", "host": "127.0.0.1", "port": PORT}}
module.run([module.Component(transports=[transport], realm="realm1")], log_level="critical")
""",
    )
    assert "[5, 3]" in said


def test_a_runner_that_reconnects_falls_back_on_rawsocket():
    said = run(
        "twisted",
        HANGS_UP
        + """
from autobahn.twisted.wamp import ApplicationRunner, ApplicationSession
runner = ApplicationRunner(f"rs://127.0.0.1:{PORT}", "realm1")
runner.run(ApplicationSession, auto_reconnect=True)
""",
    )
    assert "[5, 3]" in said


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_subprotocol_that_is_listed_twice_is_offered_once_and_the_first_one_writes(framework):
    run(
        framework,
        """
autobahn_fbs.install()
ws, raw = factories()
from autobahn.wamp.serializer import create_transport_serializers
class Ids:
    serializers = ["flatbuffers-flexbuffers", "flatbuffers", "flatbuffers.batched", "cbor"]
make = lambda: create_transport_serializers(Ids)
for factory in (ws.WampWebSocketClientFactory(lambda: 0, url="ws://h", serializers=make()),
                ws.WampWebSocketServerFactory(lambda: 0, url="ws://h", serializers=make())):
    assert factory._protocols == ["wamp.2.flatbuffers", "wamp.2.flatbuffers.batched", "wamp.2.cbor"]
    assert factory._serializers["flatbuffers"]._payload_serializer_id == "flexbuffers"
Ids.serializers = ["flatbuffers-flexbuffers", "flatbuffers", "cbor"]
server = raw.WampRawSocketServerFactory(lambda: 0, make())
assert server._serializers[5]._payload_serializer_id == "flexbuffers"
""",
    )


def test_the_environment_variable_prefers_and_a_wrong_value_is_refused():
    script = "import autobahn_fbs; autobahn_fbs.install(); from autobahn_fbs import _factories; "
    script += "print(_factories.preferred())"
    for value, said in [("1", "True"), ("0", "False"), ("", "False"), ("yes", "'yes'; it must be")]:
        done = run_python("-c", script, AUTOBAHN_FBS_PREFER=value)
        assert said in done.stdout + done.stderr, value


def test_a_launched_program_and_its_children_prefer_flatbuffers(tmp_path):
    pytest.importorskip("twisted")
    child = (
        "from autobahn.twisted.wamp import ApplicationRunner\n"
        "from autobahn.twisted.websocket import WampWebSocketClientFactory as F\n"
        "print(F(lambda: 0, url='ws://h')._protocols[0])\n"
    )
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\n{child}"
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error:autobahn_fbs",
            "-m",
            "autobahn_fbs",
            "run",
            "--prefer",
            "-c",
            program,
        ],
        env={**os.environ, "PYTHONPATH": PACKAGES},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["wamp.2.flatbuffers"] * 2, done.stdout + done.stderr


def test_a_factory_that_is_not_known_stays_as_it_is_with_a_warning():
    run(
        "asyncio",
        """
import warnings
from autobahn.wamp.websocket import WampWebSocketFactory as factory
def other(self, factory, serializers=None, *, more=None): ...
factory.__init__ = other
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    autobahn_fbs.install()
assert factory.__init__ is other
[each] = [w for w in found if "WampWebSocketFactory" in str(w.message)]
autobahn_fbs.uninstall()
assert factory.__init__ is other
""",
    )


def test_the_switch_travels_in_pythonpath_and_in_the_environment():
    environ = _run.environment({}, prefer=True)
    assert _run.PREFER in environ["PYTHONPATH"].split(os.pathsep)
    assert environ["AUTOBAHN_FBS_PREFER"] == "1"
