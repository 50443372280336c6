"""The first example of the README: a client that registers a procedure, calls it and leaves."""

import autobahn_fbs

autobahn_fbs.install()

from autobahn.asyncio.component import Component, run

component = Component(
    transports=[{"url": "ws://localhost:8080/ws", "serializers": ["flatbuffers"]}],
    realm="realm1",
)


@component.register("com.example.add")
def add(x, y):
    return x + y


@component.on_join
async def joined(session, details):
    print("joined with", details.serializer)
    print("2 + 3 =", await session.call("com.example.add", 2, 3))
    session.leave()


run([component], log_level="error")
print("encoded by autobahn_fbs:", autobahn_fbs.counters()["encoded"])
