"""The operations that are timed.

A job makes a `Run` for a contender: a function that works through a number of batches and returns
the time in seconds. Other work (creating messages, emptying their caches) happens between the
batches while the clock is stopped; nothing is subtracted afterwards. Every time includes a Python
``for`` loop over the batch, the same for all contenders: about 10 ns per message.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any

from .contenders import OURS, Contender, Wrong
from .messages import Scenario

#: Messages per batch, and the maximum size of a batch in bytes: it fits the CPU's cache.
_BATCH = 32
_BATCH_BYTES = 256 * 1024
#: The number of copies of a message's bytes that take turns, because PyPy's compiler could
#: precompute results for a single one.
_COPIES = 1 if sys.implementation.name == "cpython" else 64


@dataclass(frozen=True)
class Run:
    """An operation to time. `seconds(batches)` performs it `batches * count` times."""

    count: int
    seconds: Callable[[int], float]


Job = Callable[[Contender, Scenario], Run | None]


def batch_size(size: int) -> int:
    """The number of messages of this size in a batch."""
    return max(1, min(_BATCH, _BATCH_BYTES // max(1, size)))


def over_batches(
    items: list[Any], work: Callable[[Any], Any], before: Callable[[Any], None]
) -> Run:
    """Runs `work` for each item with the clock running, and `before` for each item without."""

    def seconds(batches: int) -> float:
        total = 0.0
        for _ in range(batches):
            for item in items:
                before(item)
            start = perf_counter()
            for item in items:
                work(item)
            total += perf_counter() - start
        return total

    return Run(len(items), seconds)


def _nothing(item: Any) -> None:
    pass


def serialize(contender: Contender, scenario: Scenario) -> Run:
    """Message to bytes, not cached, as when a message is first sent."""
    items = [contender.new() for _ in range(batch_size(len(contender.data)))]
    return over_batches(items, contender.encode, contender.forget or _nothing)


def fan_out(contender: Contender, scenario: Scenario) -> Run | None:
    """The same message to bytes again, as in a broker with several subscribers."""
    if contender.forget is None:
        return None
    items = [contender.new() for _ in range(batch_size(len(contender.data)))]
    for item in items:
        contender.encode(item)
    return over_batches(items, contender.encode, _nothing)


def pass_on(contender: Contender, scenario: Scenario) -> Run | None:
    """A received, unchanged message to bytes again."""
    if contender.forget is None:
        return None
    items = [contender.received(contender.data) for _ in range(_BATCH)]
    if contender.name == OURS:
        again, _ = contender.encode(contender.received(contender.data))
        if again != contender.data:
            raise Wrong(f"{scenario.type}: a message that was passed on became different bytes")
    return over_batches(items, contender.encode, contender.forget)


def _repeated(contender: Contender, body: str) -> Run:
    """Decodes, and runs `body` with the message `m`.

    The loop is compiled from text, so that reading an attribute is one line of Python, as in a
    program, and not a call that would cost more than the attribute.
    """
    lines = ["def seconds(batches):", "    start = clock()"]
    lines += [
        "    for data in islice(cycle(copies), batches):",
        f"        m = {contender.expression}",
    ]
    lines += [f"        {line}" for line in body.splitlines()]
    lines += ["    return clock() - start"]
    names: dict[str, Any] = {
        "clock": perf_counter,
        "cycle": cycle,
        "islice": islice,
        "decode": contender.decode,
        "copies": [bytes(bytearray(contender.data)) for _ in range(_COPIES)],
        "binary": contender.binary,
    }
    exec("\n".join(lines), names)
    return Run(1, names["seconds"])


def unserialize(contender: Contender, scenario: Scenario) -> Run:
    """Bytes to message, without reading it."""
    return _repeated(contender, "")


def read_payload(contender: Contender, scenario: Scenario) -> Run:
    """Bytes to message, then reads the payload."""
    read = ("payload",) if scenario.mode == "transparent" else ("args", "kwargs")
    return _repeated(contender, "\n".join(f"m.{name}" for name in read))


def read_everything(contender: Contender, scenario: Scenario) -> Run:
    """Bytes to message, then reads each WAMP attribute once."""
    return _repeated(contender, "\n".join(f"m.{name}" for name in scenario.attributes))


#: All jobs, in the order in which they are reported.
JOBS: dict[str, Job] = {
    "serialize": serialize,
    "unserialize": unserialize,
    "unserialize + payload": read_payload,
    "unserialize + everything": read_everything,
    "fan-out": fan_out,
    "pass-on": pass_on,
}
