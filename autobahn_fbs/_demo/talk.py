"""Two sessions exchange messages: events in one direction, calls with answers in the other.

Everything that arrives is compared with what was sent. A difference raises :class:`Different`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import (
    CallOptions,
    PublishOptions,
    RegisterOptions,
    SubscribeOptions,
)

# Any instead of Peer: Autobahn declares the results of its sessions' methods, but not that they
# must be awaited.
Peer = Any

TOPIC = "com.example.weather"
COUNTDOWN = "com.example.countdown"
DIVIDE = "com.example.divide"
DIVISION_ERROR = "com.example.error.division"

# One of each type of value: non-ASCII text, a float, None, nesting, and bytes, which JSON lacks
# (WAMP defines an encoding).
EVENT_ARGS = ["Zürich", 12.5, None, [1, [2, 3]]]
EVENT_KWARGS = {"raw": b"\x00\x01\xff", "sunny": True, "wind": {"from": "W", "knots": 7}}

_PATIENCE = 15.0

#: Called with a sentence about each success.
Teller = Callable[[str], None]


class Different(Exception):
    """A message differs from the one that was sent."""


def _same(what: str, sent: Any, received: Any) -> None:
    if received != sent:
        raise Different(f"{what}: sent {sent!r}, received {received!r}")


async def events(speaker: Peer, listener: Peer, tell: Teller) -> None:
    """`listener` subscribes, `speaker` publishes with acknowledgement.

    :raises Different: the event, or the id of its publication, differs from the published one.
    """
    received: asyncio.Queue[Any] = asyncio.Queue()

    def on_event(*args: Any, details: Any, **kwargs: Any) -> None:
        received.put_nowait((list(args), kwargs, details.publication))

    subscription = await listener.subscribe(
        on_event, TOPIC, options=SubscribeOptions(details_arg="details")
    )
    publication = await speaker.publish(
        TOPIC, *EVENT_ARGS, options=PublishOptions(acknowledge=True), **EVENT_KWARGS
    )
    args, kwargs, number = await asyncio.wait_for(received.get(), _PATIENCE)
    await subscription.unsubscribe()
    _same("args of the event", EVENT_ARGS, args)
    _same("kwargs of the event", EVENT_KWARGS, kwargs)
    _same("id of the publication", publication.id, number)
    tell("event: published, acknowledged, received with equal args and kwargs")


async def progress(caller: Peer, callee: Peer, tell: Teller) -> None:
    """`callee` registers a procedure with progressive results, `caller` calls it.

    :raises Different: the results, or their order, differ from those that were sent.
    """

    async def countdown(start: int, details: Any) -> str:
        for number in range(start, 0, -1):
            details.progress(number, unit="s")
        return "lift-off"

    seen: list[Any] = []

    def on_progress(number: int, unit: str) -> None:
        seen.append((number, unit))

    registration = await callee.register(
        countdown, COUNTDOWN, options=RegisterOptions(details_arg="details")
    )
    options = CallOptions(on_progress=on_progress)
    result = await asyncio.wait_for(caller.call(COUNTDOWN, 3, options=options), _PATIENCE)
    await registration.unregister()
    _same("progressive results", [(3, "s"), (2, "s"), (1, "s")], seen)
    _same("result of the call", "lift-off", result)
    tell("call: progressive results 3, 2, 1, then the final result")


async def failure(caller: Peer, callee: Peer, tell: Teller) -> None:
    """`callee` answers a call with an error that carries args and kwargs.

    :raises Different: the call returns, or the error is another one.
    """

    def divide(dividend: int, divisor: int) -> float:
        if divisor == 0:
            raise ApplicationError(DIVISION_ERROR, dividend, divisor, hint="not by zero")
        return dividend / divisor

    registration = await callee.register(divide, DIVIDE)
    try:
        result = await asyncio.wait_for(caller.call(DIVIDE, 7, divisor=0), _PATIENCE)
    except ApplicationError as error:
        _same("URI of the error", DIVISION_ERROR, error.error)
        _same("args of the error", [7, 0], list(error.args))
        _same("kwargs of the error", {"hint": "not by zero"}, _own_kwargs(error))
    else:
        raise Different(f"{DIVIDE} returned {result!r} instead of an error")
    await registration.unregister()
    tell(f"error: {DIVISION_ERROR} with its args and kwargs")


def _own_kwargs(error: ApplicationError) -> dict[str, Any]:
    """The kwargs from the callee; its session may add a traceback, if configured."""
    return {name: value for name, value in error.kwargs.items() if name != "traceback"}


async def everything(first: Peer, second: Peer, tell: Teller) -> None:
    """All of the above: `first` publishes and calls, `second` subscribes and is called."""
    await events(first, second, tell)
    await progress(first, second, tell)
    await failure(first, second, tell)
