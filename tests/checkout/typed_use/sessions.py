"""A user's program: sessions in each of Autobahn's ways. It needs a router, so it is not run."""

from __future__ import annotations

from typing import Any

from autobahn.asyncio.component import Component, run
from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp.types import ComponentConfig, SessionDetails

import autobahn_fbs

autobahn_fbs.install()

URL = "ws://localhost:8080/ws"

component = Component(
    transports=[{"url": URL, "serializers": ["flatbuffers", "flatbuffers.batched"]}],
    realm="realm1",
)


@component.on_join  # type: ignore[untyped-decorator]  # Autobahn's is not annotated
async def joined(session: Any, details: SessionDetails) -> None:
    await session.subscribe(print, "com.example.hello")
    session.publish("com.example.hello", "world")


class Adder(ApplicationSession):
    def __init__(self, config: ComponentConfig | None = None) -> None:
        super().__init__(config)

    # Autobahn's may return an awaitable, but does not say so.
    async def onJoin(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, details: SessionDetails
    ) -> None:
        registered: Any = self.register(self.add, "com.example.add")
        await registered

    def add(self, a: int, b: int) -> int:
        return a + b


def main() -> None:
    serializers = [autobahn_fbs.FlatBuffersSerializer(batched=True)]
    ApplicationRunner(URL, "realm1", serializers=serializers).run(Adder)
    run([component])
    autobahn_fbs.uninstall()


if __name__ == "__main__":
    main()
