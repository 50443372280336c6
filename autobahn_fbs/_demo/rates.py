"""Sizes and message rates compared with Autobahn's own serializers, measured on this machine.

A rate is the best of several short rounds. The serializers take turns within a round, so that a
busy machine slows down all of them, and they are measured side by side.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .samples import SAMPLES, call, event

ROUNDS = 7
_ROUND_SECONDS = 0.012
_MOST_MESSAGES = 20_000

OURS = "autobahn_fbs"
UPSTREAM = "Autobahn flatbuffers"
MSGPACK = "Autobahn msgpack"


@dataclass(frozen=True)
class Size:
    """The size of a message with each serializer, and whether our round trip was correct."""

    message: str
    sizes: dict[str, int]
    equal: bool


@dataclass(frozen=True)
class Rate:
    """Messages per second for one job on one message, by serializer."""

    job: str
    rates: dict[str, float]

    def times(self, other: str) -> float:
        """The ratio of this package's speed to another serializer's."""
        return self.rates[OURS] / self.rates[other]


def sizes() -> list[Size]:
    """Encodes each sample with each serializer, and decodes our bytes."""
    from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer

    import autobahn_fbs

    ours = autobahn_fbs.FlatBuffersSerializer()
    others = {"cbor": CBORSerializer(), "msgpack": MsgPackSerializer(), "json": JsonSerializer()}
    result = []
    for name, make in SAMPLES.items():
        data, _ = ours.serialize(make())
        (back,) = ours.unserialize(data)
        equal = back == make() and back.marshal() == make().marshal()
        lengths = {id: len(other.serialize(make())[0]) for id, other in others.items()}
        result.append(Size(name, {"flatbuffers": len(data), **lengths}, equal))
    return result


@contextmanager
def _autobahn_as_it_comes() -> Iterator[None]:
    """Uninstalls the drop-in temporarily, so that Autobahn's own classes can be created."""
    import autobahn_fbs

    autobahn_fbs.uninstall()
    try:
        yield
    finally:
        autobahn_fbs.install()


def _serializers() -> dict[str, Any]:
    from autobahn.wamp import serializer

    import autobahn_fbs

    return {
        OURS: autobahn_fbs.FlatBuffersSerializer(),
        UPSTREAM: serializer.FlatBuffersSerializer(),
        MSGPACK: serializer.MsgPackSerializer(),
    }


# A job: prepares `count` messages or buffers, and returns the function to measure.
_Job = Callable[[Any, Callable[[], Any], int], Callable[[], None]]


def _serialize(serializer: Any, make: Callable[[], Any], count: int) -> Callable[[], None]:
    messages = [make() for _ in range(count)]  # new ones, because a message caches its bytes

    def work() -> None:
        serialize = serializer.serialize
        for message in messages:
            serialize(message)

    return work


def _unserialize(serializer: Any, make: Callable[[], Any], count: int) -> Callable[[], None]:
    data, _ = serializer.serialize(make())

    def work() -> None:
        unserialize = serializer.unserialize
        for _ in range(count):
            unserialize(data, True)

    return work


def _unserialize_and_read(
    serializer: Any, make: Callable[[], Any], count: int
) -> Callable[[], None]:
    data, _ = serializer.serialize(make())

    def work() -> None:
        unserialize = serializer.unserialize
        for _ in range(count):
            (message,) = unserialize(data, True)
            _ = message.args, message.kwargs  # decoded when they are read

    return work


_JOBS: dict[str, _Job] = {
    "serialize": _serialize,
    "unserialize": _unserialize,
    "unserialize, read args": _unserialize_and_read,
}


def _seconds(work: Callable[[], None]) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def _measure(job: _Job, make: Callable[[], Any], serializers: dict[str, Any]) -> dict[str, float]:
    counts = {}
    for name, serializer in serializers.items():
        probe = 200
        job(serializer, make, probe)()
        each = _seconds(job(serializer, make, probe)) / probe
        counts[name] = max(probe, min(_MOST_MESSAGES, int(_ROUND_SECONDS / each)))
    best = dict.fromkeys(serializers, 0.0)
    for _ in range(ROUNDS):
        for name, serializer in serializers.items():
            seconds = _seconds(job(serializer, make, counts[name]))
            best[name] = max(best[name], counts[name] / seconds)
    return best


def rates() -> list[Rate]:
    """Measures EVENT and CALL; takes two or three seconds."""
    with _autobahn_as_it_comes():
        serializers = _serializers()
        return [
            Rate(f"{name} {job}", _measure(work, make, serializers))
            for name, make in (("EVENT", event), ("CALL", call))
            for job, work in _JOBS.items()
        ]
