"""The memory of a received message, compared with Autobahn's own message object.

Measured with tracemalloc, which counts the memory from Python's allocators, and with sys.getsizeof,
which counts a single object.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

from autobahn_fbs._bench.contenders import OURS, prepare
from autobahn_fbs._bench.messages import TYPES, Scenario, scenario, with_args

_COUNT = 500


def held(make: Callable[[], Any]) -> float:
    """The memory that one result of `make` keeps, including everything created for it, in bytes."""
    make()
    gc.collect()
    kept: list[Any] = [None] * _COUNT
    import tracemalloc

    tracemalloc.start()
    try:
        before: int = tracemalloc.get_traced_memory()[0]
        for index in range(_COUNT):
            kept[index] = make()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / _COUNT
    finally:
        tracemalloc.stop()


def peak(work: Callable[[], Any]) -> int:
    """The peak of the memory that `work` has allocated, in bytes."""
    work()
    gc.collect()
    import tracemalloc

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def message_memory(message: Scenario) -> dict[str, float]:
    """Bytes for one message.

    ``ours``: a received message with its received buffer; ``buffer``: only that buffer;
    ``autobahn``: only Autobahn's own message object, because the objects that it refers to are
    shared; ``extra``: our total minus the other two. ``object`` and ``autobahn object``:
    sys.getsizeof.
    """
    (contender,) = prepare(message, (OURS,))
    size = len(contender.data)
    source = bytearray(contender.data)
    ours = held(lambda: contender.received(bytes(source)))
    buffer = held(lambda: bytes(source))
    autobahn = held(message.make)
    return {
        "bytes": size,
        "ours": ours,
        "buffer": buffer,
        "autobahn": autobahn,
        "extra": ours - buffer - autobahn,
        "object": sys.getsizeof(contender.received(contender.data)),
        "autobahn object": sys.getsizeof(message.make()),
    }


def growth(name: str = "Event") -> dict[str, int]:
    """The peak of unserialize for payloads of 1 kB and of 1 MB, in bytes."""
    found = {}
    for lane, size in (("1 kB", 1_000), ("1 MB", 1_000_000)):
        (contender,) = prepare(with_args(name, ["z" * size]), (OURS,))
        call, data = contender.decode, contender.data
        found[lane] = peak(lambda call=call, data=data: call(data, True))  # type: ignore[misc]
    return found


def measure() -> dict[str, Any]:
    """Memory of every class with a small payload, and of unserialize as payloads grow; empty on
    PyPy, which can't measure it."""
    if sys.implementation.name != "cpython":
        return {}
    return {
        "messages": {name: message_memory(scenario(name, "small")) for name in TYPES},
        "unserialize peak": growth(),
    }
