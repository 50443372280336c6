"""Every way from Autobahn to a real router: ApplicationRunner and Component, both frameworks.

Each runs in a process of its own, because a process has one framework.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import threading
from importlib.util import find_spec

import pytest

import autobahn_fbs
from autobahn_fbs._demo.config import REALM
from support.router import Place

RUNNER = """
    import sys
    import autobahn_fbs
    autobahn_fbs.install()
    from autobahn.{framework}.wamp import ApplicationRunner, ApplicationSession
    from autobahn.wamp.serializer import create_transport_serializers
    from autobahn.wamp.types import PublishOptions

    class Ids:
        serializers = ["{serializer}"]

    class Session(ApplicationSession):
        async def onJoin(self, details):
            await self.subscribe(lambda *args: self.heard(details, args), "com.example.runner")
            options = PublishOptions(acknowledge=True, exclude_me=False)
            await self.publish("com.example.runner", 1, "two", options=options)
        def heard(self, details, args):
            kind = type(self._transport._serializer._serializer).__mro__[1].__module__
            print(details.serializer, args, kind, flush=True)
            self.leave()
        def onDisconnect(self):
            {stop}

    runner = ApplicationRunner({url!r}, {realm!r}, serializers=create_transport_serializers(Ids))
    runner.run(Session)
"""
COMPONENT = """
    import autobahn_fbs
    autobahn_fbs.install()
    from autobahn.{framework}.component import Component, run
    from autobahn.wamp.types import PublishOptions

    transport = {{"url": {url!r}, "serializers": ["{serializer}"]}}
    if {url!r}.startswith("rs://"):
        transport = {{"type": "rawsocket", "url": {url!r}, "serializer": "{serializer}",
                     "endpoint": {{"type": "tcp", "host": "127.0.0.1", "port": {port}}}}}
    component = Component(transports=[transport], realm={realm!r})

    @component.on_join
    async def joined(session, details):
        async def heard(*args):
            kind = type(session._transport._serializer._serializer).__mro__[1].__module__
            print(details.serializer, args, kind, flush=True)
            session.leave()
        await session.subscribe(heard, "com.example.runner")
        options = PublishOptions(acknowledge=True, exclude_me=False)
        await session.publish("com.example.runner", 1, "two", options=options)

    run([component], log_level="info")
"""
STOP = {
    "asyncio": "import asyncio; asyncio.get_event_loop().stop()",
    "twisted": "from twisted.internet import reactor; reactor.stop()",
}


def run(code: str) -> str:
    """The program's report about its session. Doesn't wait for the program's end: on RawSocket, an
    asyncio Component connects again after every leave, with any serializer."""
    command = [sys.executable, "-W", "ignore", "-u", "-c", textwrap.dedent(code)]
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        guard = threading.Timer(40, p.kill)
        guard.start()
        try:
            for line in p.stdout or ():
                said.append(line)
                if "(1, 'two')" in line:
                    return re.sub(r"^\S+T\S+ ", "", line.strip())  # Twisted puts a time before it
            pytest.fail("".join(said) + (p.stderr.read() if p.stderr else ""))
        finally:
            guard.cancel()
            p.kill()


@pytest.mark.parametrize("serializer", ["flatbuffers", "flatbuffers.batched"])
@pytest.mark.parametrize("framework", ["asyncio", "twisted"])
@pytest.mark.parametrize("program", [RUNNER, COMPONENT], ids=["ApplicationRunner", "Component"])
def test_a_program_talks_flatbuffers_over_websocket(
    place: Place, program: str, framework: str, serializer: str
) -> None:
    if framework == "twisted" and find_spec("twisted") is None:
        pytest.skip("needs Twisted")
    port = place.router.websocket
    code = program.format(
        framework=framework,
        serializer=serializer,
        stop=STOP[framework],
        url=f"ws://127.0.0.1:{port}/",
        port=port,
        realm=REALM,
    )
    assert run(code) == f"{serializer} (1, 'two') autobahn_fbs._{autobahn_fbs.backend}"


@pytest.mark.parametrize("framework", ["asyncio", "twisted"])
def test_a_component_talks_flatbuffers_over_rawsocket(place: Place, framework: str) -> None:
    port = place.router.rawsocket
    code = COMPONENT.format(
        framework=framework,
        serializer="flatbuffers",
        url=f"rs://127.0.0.1:{port}",
        port=port,
        realm=REALM,
    )
    assert run(code) == f"flatbuffers (1, 'two') autobahn_fbs._{autobahn_fbs.backend}"
