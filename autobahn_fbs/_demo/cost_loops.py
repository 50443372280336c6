"""The functions of asyncio or Twisted that the client process of ``cost`` needs, under the same
names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

HOST = "127.0.0.1"

#: The timeout for all operations, in seconds.
PATIENCE = 30.0


class Asyncio:
    """Asyncio's own loop."""

    #: The package in Autobahn for this framework.
    PACKAGE = "autobahn.asyncio"

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs the loop until `work` has ended."""
        asyncio.run(work)

    def future(self) -> Any:
        """An awaitable that can be settled."""
        return asyncio.get_running_loop().create_future()

    def settle(self, future: Any, value: Any = None) -> None:
        """Sets a future's value."""
        future.set_result(value)

    def within_patience(self, future: Any) -> Any:
        """Waits for a future, or raises TimeoutError if it takes too long."""
        return asyncio.wait_for(future, PATIENCE)

    def sleep(self, seconds: float) -> Any:
        """Lets other tasks run for a while."""
        return asyncio.sleep(seconds)

    def gather(self, works: Iterable[Coroutine[Any, Any, Any]]) -> Any:
        """The results of coroutines that run concurrently."""
        return asyncio.gather(*works)

    def in_thread(self, function: Callable[[], Any]) -> Any:
        """The result of `function`, called in a thread."""
        return asyncio.get_running_loop().run_in_executor(None, function)

    async def connect(self, factory: Any, port: int) -> None:
        """Connects a protocol of the factory to a port on loopback."""
        await asyncio.get_running_loop().create_connection(factory, HOST, port)


class Uvloop(Asyncio):
    """Asyncio on uvloop."""

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        import uvloop  # pyright: ignore[reportMissingImports]  # optional

        uvloop.run(work)


class Twisted:
    """Twisted's usual reactor."""

    PACKAGE = "autobahn.twisted"

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        from twisted.internet.defer import ensureDeferred
        from twisted.internet.task import react

        react(lambda _reactor: ensureDeferred(work))

    def future(self) -> Any:
        from twisted.internet.defer import Deferred

        return Deferred()

    def settle(self, future: Any, value: Any = None) -> None:
        future.callback(value)

    def within_patience(self, future: Any) -> Any:
        from twisted.internet import reactor

        return future.addTimeout(PATIENCE, reactor)

    def sleep(self, seconds: float) -> Any:
        from twisted.internet import reactor
        from twisted.internet.task import deferLater

        clock: Any = reactor
        return deferLater(clock, seconds)

    def gather(self, works: Iterable[Coroutine[Any, Any, Any]]) -> Any:
        from twisted.internet.defer import ensureDeferred, gatherResults

        return gatherResults([ensureDeferred(work) for work in works])

    def in_thread(self, function: Callable[[], Any]) -> Any:
        from twisted.internet.threads import deferToThread

        return deferToThread(function)

    async def connect(self, factory: Any, port: int) -> None:
        from twisted.internet import reactor
        from twisted.internet.endpoints import TCP4ClientEndpoint

        await TCP4ClientEndpoint(reactor, HOST, port).connect(factory)


#: By the name that the client process gets.
LOOPS: dict[str, Callable[[], Any]] = {
    "asyncio": Asyncio,
    "uvloop": Uvloop,
    "twisted": Twisted,
}
