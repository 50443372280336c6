"""What the client process of ``cost`` needs of asyncio or Twisted, under the same names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

HOST = "127.0.0.1"

#: Seconds that anything may take.
PATIENCE = 30.0


class Asyncio:
    """Asyncio's own loop."""

    #: The package in Autobahn that is for it.
    PACKAGE = "autobahn.asyncio"

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` to its end, and the loop as long."""
        asyncio.run(work)

    def future(self) -> Any:
        """Something to await, until it is settled."""
        return asyncio.get_running_loop().create_future()

    def settle(self, future: Any, value: Any = None) -> None:
        """Gives a future its value."""
        future.set_result(value)

    def within_patience(self, future: Any) -> Any:
        """A future, or TimeoutError if it takes too long."""
        return asyncio.wait_for(future, PATIENCE)

    def sleep(self, seconds: float) -> Any:
        """Lets others run for a while."""
        return asyncio.sleep(seconds)

    def gather(self, works: Iterable[Coroutine[Any, Any, Any]]) -> Any:
        """The results of coroutines that run side by side."""
        return asyncio.gather(*works)

    def in_thread(self, function: Callable[[], Any]) -> Any:
        """What `function` returns, called in a thread."""
        return asyncio.get_running_loop().run_in_executor(None, function)

    async def connect(self, factory: Any, port: int) -> None:
        """Connects a protocol of the factory to a port on loopback."""
        await asyncio.get_running_loop().create_connection(factory, HOST, port)


class Uvloop(Asyncio):
    """Asyncio on uvloop."""

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        import uvloop

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


#: By the name that the client process is told.
LOOPS: dict[str, Callable[[], Any]] = {
    "asyncio": Asyncio,
    "uvloop": Uvloop,
    "twisted": Twisted,
}
