"""Messages that sessions at two linked nodes exchange, and the results.

A scene gets a :class:`Line` and returns its result, without numbers that differ each time. So the
behaviour of a link with one serializer can be compared with that with another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from autobahn.wamp import message
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import (
    CallOptions,
    EncodedPayload,
    PublishOptions,
    RegisterOptions,
    SubscribeOptions,
)

from autobahn_fbs._demo import linked
from support.scenes import keyrings

PATIENCE = 15.0
ACKNOWLEDGED = PublishOptions(acknowledge=True)


class Line:
    """Sessions at the two ends of a link: one at the near node, and two at the far one.

    `beside` joins another session at the near node, with a serializer. `links` is the number of
    links of the near node.
    """

    def __init__(
        self,
        name: str,
        near: Any,
        far: Any,
        other: Any,
        beside: Callable[[str], Awaitable[Any]],
        links: int,
    ) -> None:
        self.near, self.far, self.other, self.beside = near, far, other, beside
        self._links = links
        self.base = f"com.example.{name}"
        #: What the far session received, in order.
        self.heard: list[Any] = []
        self._fenced: asyncio.Queue[int] = asyncio.Queue()
        self._fences = -1

    async def listen(self, uri: str, arrives: bool = True, **options: Any) -> None:
        """The far session subscribes; returns when all links of the near node do, too."""

        def on_event(*args: Any, details: Any, **kwargs: Any) -> None:
            kind = [details.topic == uri, details.retained or False]
            self.heard.append([list(args), kwargs, *kind, self.origin(details.publisher, details)])

        options = {"details_arg": "details", **options}
        await self.far.subscribe(on_event, uri, options=SubscribeOptions(**options))
        if arrives:
            await linked.wait_for(self.near, "subscribers", uri, self._links)

    async def register(self, procedure: Any, uri: str, **options: Any) -> None:
        """The far session registers; returns when the near node knows."""
        await self.far.register(procedure, uri, options=RegisterOptions(**options))
        await linked.wait_for(self.near, "callees", uri)

    async def outcome(self, uri: str, *args: Any, **more: Any) -> Any:
        """The outcome of a call of the near session: a result, or an error's URI and arguments."""
        return await outcome(self.near.call(uri, *args, **more))

    async def fence(self) -> None:
        """Afterwards, everything that the near session published before has arrived, or never
        will."""
        uri = f"{self.base}.fence"
        if self._fences < 0:
            await self.far.subscribe(self._fenced.put_nowait, uri)
            await linked.wait_for(self.near, "subscribers", uri, self._links)
        self._fences += 1
        await self.near.publish(uri, self._fences, options=ACKNOWLEDGED)
        while await asyncio.wait_for(self._fenced.get(), PATIENCE) < self._fences:
            pass

    def origin(self, session: int, details: Any) -> Any:
        """The publisher or caller of a message, and its hops; sessions by their place."""
        near = self.near.details.session
        hops = [
            ["near" if hop["session"] == near else "link", hop["authid"], hop["authrole"]]
            for hop in details.forward_for or ()
        ]
        return ["near" if session == near else "link", hops]


async def outcome(call: Awaitable[Any], patience: float = PATIENCE) -> Any:
    """A result, or an error's URI and arguments, or "nothing" within some seconds."""
    try:
        return await asyncio.wait_for(call, patience)
    except TimeoutError:
        return "nothing"
    except ApplicationError as error:
        kwargs = {name: value for name, value in error.kwargs.items() if name != "traceback"}
        return ["error", error.error, list(error.args), kwargs]


# Events


async def acknowledged(line: Line) -> Any:
    """The acknowledgement, and the event."""
    topic = f"{line.base}.topic"
    await line.listen(topic)
    publication = await line.near.publish(topic, 1, "two", options=ACKNOWLEDGED)
    line.near.publish(topic, b"\x00\xff", [None, {"a": 1.5}])
    await line.near.publish(topic, name="by keyword", options=ACKNOWLEDGED)
    await line.fence()
    return [publication.id > 0, *line.heard]


async def patterns(line: Line) -> Any:
    """The events that reach subscriptions by prefix and wildcard, once or more.

    A link may have two subscriptions for one by prefix, because its own comes back to it as a new
    one.
    """
    await line.listen(f"{line.base}.pattern", match="prefix")
    await line.listen(f"{line.base}..wild", match="wildcard", arrives=False)
    for topic in ("pattern", "pattern.below", "any.wild"):
        await line.near.publish(f"{line.base}.{topic}", topic, options=ACKNOWLEDGED)
    await line.fence()
    return sorted({args[0] for args, *_ in line.heard})


async def retained(line: Line) -> Any:
    """Events retained before, and those retained while there is a subscription."""
    topic, keep = f"{line.base}.topic", PublishOptions(acknowledge=True, retain=True)
    await line.near.publish(f"{topic}.early", "early", options=keep)
    await line.listen(f"{topic}.early", get_retained=True)
    await line.listen(topic)
    await line.near.publish(topic, "late", options=keep)
    await line.fence()
    later: list[Any] = []
    options = SubscribeOptions(get_retained=True)
    await line.other.subscribe(lambda *args: later.append(list(args)), topic, options=options)
    await line.fence()
    return [[args for args, *_ in line.heard], later]


async def lists(line: Line) -> Any:
    """The events of a publisher that excludes or selects receivers, as far as they reach the far
    session."""
    topic = f"{line.base}.topic"
    await line.listen(topic)
    far = line.far.details
    for options in (
        {"exclude": [far.session]},
        {"exclude_authid": [far.authid]},
        {"exclude_authrole": [far.authrole]},
        {"eligible": [far.session]},
        {"eligible_authid": [far.authid]},
        {"eligible_authrole": [far.authrole]},
    ):
        told = PublishOptions(acknowledge=True, **options)
        await line.near.publish(topic, *options, options=told)
    await line.fence()
    return [args[0] for args, *_ in line.heard]


async def crowd(line: Line) -> Any:
    """Whether some subscribers at the near node lose events with keyword arguments.

    Sessions lose them if they come after the link in the router's order of subscribers, and are the
    first with their serializer. The order differs for other sessions, so this is tried several
    times.
    """
    serializers = ("flatbuffers", "cbor", "msgpack", "json")
    for attempt in range(8):
        topic = f"{line.base}.topic{attempt}"
        line.heard.clear()
        await line.listen(topic)
        counts = [0] * len(serializers)

        def count(place: int, counts: list[int] = counts) -> Callable[..., None]:
            def on_event(**kwargs: Any) -> None:
                counts[place] += 1

            return on_event

        for place, serializer in enumerate(serializers):
            await (await line.beside(serializer)).subscribe(count(place), topic)
        for number in range(10):
            await line.near.publish(topic, number=number, options=ACKNOWLEDGED)
        await line.fence()
        await asyncio.sleep(0.1)
        if min(counts) < 10:
            return [len(line.heard), "some lost"]
    return [len(line.heard), "none lost"]


# Calls


async def results(line: Line) -> Any:
    """Results of all shapes, and a large one."""

    def echo(*args: Any, **kwargs: Any) -> Any:
        return [list(args), kwargs]

    await line.register(echo, f"{line.base}.echo")
    large = bytes(range(256)) * 512
    call = line.near.call
    came = [await call(f"{line.base}.echo", 1, b"\x00", a=None), await call(f"{line.base}.echo")]
    return [*came, await call(f"{line.base}.echo", large) == [[large], {}]]


async def errors(line: Line) -> Any:
    """An error with arguments, and a procedure that does not exist."""

    def fail() -> None:
        raise ApplicationError("com.example.error.failed", 1, "two", hint="three")

    await line.register(fail, f"{line.base}.fail")
    return [await line.outcome(f"{line.base}.fail"), await line.outcome(f"{line.base}.nobody")]


async def progress(line: Line) -> Any:
    """Progressive results, and the last one."""

    def count(details: Any) -> str:
        if details.progress:
            details.progress(1)
            details.progress(2)
        return "done"

    seen: list[Any] = []
    await line.register(count, f"{line.base}.count", details_arg="details")
    told = CallOptions(on_progress=seen.append)
    return [*seen, await line.outcome(f"{line.base}.count", options=told)]


async def shared(line: Line) -> Any:
    """Which of two callees answer four calls."""
    options = {"invoke": "roundrobin"}
    await line.register(lambda: "far", f"{line.base}.who", **options)
    await line.other.register(
        lambda: "other", f"{line.base}.who", options=RegisterOptions(**options)
    )
    return sorted([await line.outcome(f"{line.base}.who") for _ in range(4)])


async def caller(line: Line) -> Any:
    """The caller, as the callee sees it."""

    def tell(details: Any) -> Any:
        return line.origin(details.caller, details)

    await line.register(tell, f"{line.base}.tell", details_arg="details")
    return await line.outcome(f"{line.base}.tell")


class Slow:
    """A procedure that takes a while, and reports its outcome."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.started = asyncio.Event()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.started.set()
        try:
            await asyncio.sleep(self._seconds)
            self.ended.set_result("finished")
            return "late"
        except asyncio.CancelledError:
            self.ended.set_result("interrupted")
            raise ApplicationError("com.example.error.interrupted") from None


async def cancelling(line: Line) -> Any:
    """The outcome of cancelled calls, and whether their procedures are interrupted, by mode."""

    async def cancel(mode: str) -> Any:
        slow, uri = Slow(1), f"{line.base}.{mode}"
        await line.register(slow, uri)
        call = line.near.call(uri)
        (request,) = [n for n, each in line.near._call_reqs.items() if each.procedure == uri]
        await asyncio.wait_for(slow.started.wait(), PATIENCE)
        line.near._transport.send(message.Cancel(request, mode=mode))
        came = await outcome(call, 2)
        return [mode, came, await asyncio.wait_for(slow.ended, PATIENCE)]

    return await asyncio.gather(*(cancel(mode) for mode in ("kill", "killnowait", "skip")))


async def timeout(line: Line) -> Any:
    """The outcome of a call that exceeds its timeout."""
    slow = Slow(3)
    await line.register(slow, f"{line.base}.wait")
    # WAMP defines milliseconds. Crossbar.io counts seconds, and its timer is up to one too fast.
    came = await line.outcome(f"{line.base}.wait", options=CallOptions(timeout=2))
    return [came, await asyncio.wait_for(slow.ended, PATIENCE)]


# Payloads that routers don't read


class Opaque:
    """A payload codec for URIs with ".sealed." in them: any bytes."""

    def encode(self, originating: bool, uri: str, args: Any, kwargs: Any) -> EncodedPayload | None:
        return EncodedPayload(b"\x00opaque\xff", "x_opaque", "x_any") if ".sealed." in uri else None

    def decode(self, originating: bool, uri: str, encoded: EncodedPayload) -> Any:
        return uri, [bytes(encoded.payload)], {}


async def opaque(line: Line) -> Any:
    """An event and a call with payloads that only the ends can read."""
    for each in (line.near, line.far):
        each.set_payload_codec(Opaque())
    return await _sealed(line)


async def encrypted(line: Line) -> Any:
    """The same, encrypted by Autobahn's keyrings."""
    ends = keyrings(f"{line.base}.sealed.topic", f"{line.base}.sealed.echo")
    for each, keyring in zip((line.near, line.far), ends, strict=True):
        each.set_payload_codec(keyring)
    return await _sealed(line)


async def _sealed(line: Line) -> Any:
    topic, procedure = f"{line.base}.sealed.topic", f"{line.base}.sealed.echo"
    await line.listen(topic)
    await line.register(lambda value: value, procedure)
    await line.near.publish(topic, "for you alone", options=ACKNOWLEDGED)
    await line.fence()
    came = await line.outcome(procedure, "for you alone")
    return [line.heard, came[:2] if isinstance(came, list) else came]


# What happens

INTERRUPTED = [["error", "wamp.error.canceled", [], {}], "interrupted"]
IGNORED = ["nothing", "finished"]
TIMED_OUT = ["error", "wamp.error.canceled", ["timeout reached"], {}]
UNREADABLE = [[], ["error", "wamp.error.no_payload_codec"]]

#: The results of scenes over a link: to the connecting node, and from it; a single value if they
#: are the same. Crossbar.io 26.10.1 can't interrupt a session in the router's process, which a link
#: has at the connecting node, and doesn't answer a call that is cancelled with "skip".
OUTCOMES: list[tuple[Callable[[Line], Awaitable[Any]], list[Any]]] = [
    (patterns, [["pattern"]]),
    (retained, [[[["late"]], []]]),
    (lists, [["exclude", "exclude_authid", "exclude_authrole"]]),
    (results, [[[[1, b"\x00"], {"a": None}], [[], {}], True]]),
    (progress, [["done"]]),
    (caller, [["near", []]]),
    (
        cancelling,
        [
            [["kill", *INTERRUPTED], ["killnowait", *INTERRUPTED], ["skip", *IGNORED]],
            [["kill", *IGNORED], ["killnowait", *IGNORED], ["skip", *IGNORED]],
        ],
    ),
    (timeout, [[TIMED_OUT, "interrupted"], [TIMED_OUT, "finished"]]),
    (opaque, [UNREADABLE]),
]
