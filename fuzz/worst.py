"""Searches for the payloads with the highest cost per byte: ``worst.py [--seconds N]``.

Payloads are trees of a grammar (``payload_trees.py``). For each place where a peer's payload is
read, and for memory and for time, there is a pool of trees. The search changes one of them at
random, and the result replaces a cheaper one. At the end, the costliest payloads are measured again
in a message of 200 kB, as in the table of SECURITY.rst, and printed. Status 1 if one of them
exceeds SECURITY.rst's maximum.
"""

from __future__ import annotations

import argparse
import gc
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "fuzz")]

from library_trees import Json, MsgPack, UbJson  # noqa: E402
from payload_trees import Cbor, Flex, Grammar, Node, TooLarge  # noqa: E402

from support.costs import event, honest, peak, read, seconds  # noqa: E402
from support.wirebuild import build  # noqa: E402

#: Message sizes for searching, and at the end.
SIZE, FINAL_SIZE = 10_000, 200_000
POOL = 24
#: Time measurements are inexact: up to this factor above SECURITY.rst's maximum is not an excess.
TOLERANCE = 1.3


def hello(metadata: bytes) -> bytes:
    return build("Hello", {"realm": "r"}, metadata=metadata)


#: Place: the grammar, and a function that makes a message from a payload. HELLO comes before
#: authentication.
PLACES: dict[str, tuple[type[Grammar], Callable[[bytes], bytes]]] = {
    "CBOR args": (Cbor, event),
    "CBOR authextra": (Cbor, lambda data: hello(b"\xa1\x69authextra\xa1\x61x" + data)),
    "CBOR metadata": (Cbor, lambda data: hello(b"\xa1\x67unknown" + data)),
    "FlexBuffers args": (Flex, lambda data: event(data, codec=7)),
    "JSON args": (Json, lambda data: event(data, codec=1)),
    "MessagePack args": (MsgPack, lambda data: event(data, codec=2)),
    "UBJSON args": (UbJson, lambda data: event(data, codec=4)),
}


Measure = Callable[[bytes], float]


def memory(data: bytes) -> float:
    """Peak memory in bytes for each byte of the message."""
    return peak(data)


def duration(data: bytes, rounds: int = 3) -> float:
    """Nanoseconds for each byte of the message."""
    return seconds(read, data, rounds) / len(data) * 1e9


@dataclass
class Found:
    tree: Node
    unit: bytes
    cost: float


class Search:
    """The search for the worst payload in one place, by one measure."""

    def __init__(self, place: str, measure: Measure, chance: random.Random) -> None:
        grammar, self._message = PLACES[place]
        self._grammar = grammar(chance)
        self._chance = chance
        self._measure = measure
        self._seen: set[bytes] = set()
        self.pool: list[Found] = []
        self.tried = 0

    def message(self, tree: Node, size: int) -> bytes:
        return self._message(self._grammar.payload(tree, size))

    def step(self) -> None:
        """Tries one more tree."""
        if len(self.pool) < POOL or self._chance.random() < 0.1:
            tree = self._grammar.tree()
        else:
            # The costliest are chosen most often.
            tree = self.pool[int(POOL * self._chance.random() ** 2)].tree
            for _ in range(self._chance.choice((1, 1, 2, 4))):
                tree = self._grammar.changed(tree, self._chance.choice(self.pool).tree)
        try:
            unit = self._grammar.unit(tree)
        except TooLarge:
            return
        if unit in self._seen:
            return
        self._seen.add(unit)
        self.tried += 1
        data = self.message(tree, SIZE)
        found = Found(tree, unit, self._measure(data))
        if len(self.pool) == POOL and found.cost > self.pool[0].cost:
            found.cost = min(
                found.cost, self._measure(data)
            )  # the measurement may have been disturbed
        self.pool = sorted([*self.pool, found], key=lambda each: -each.cost)[:POOL]

    def worst(self, size: int) -> list[tuple[Found, bytes]]:
        """Three payloads, each with its message in that size, the costliest first."""
        messages = [(each, self.message(each.tree, size)) for each in self.pool[:6]]
        return sorted(messages, key=lambda pair: -self._measure(pair[1]))[:3]


def promised() -> tuple[float, float]:
    """SECURITY.rst's maximum: bytes, and the ratio to the time of an honest message."""
    text = " ".join((ROOT / "SECURITY.rst").read_text().replace(",", "").split())
    figures = re.search(r"worst payloads that it found took (\d+) bytes .*? (\d+) times", text)
    assert figures is not None
    return float(figures[1]), float(figures[2])


def report(search: Search, size: int) -> bool:
    """Prints the worst payload found; returns whether it is within SECURITY.rst's maximum."""
    most_memory, most_time = promised()
    within = True
    for found, data in search.worst(size):
        used, spent = memory(data), duration(data, 5)
        times = spent / duration(honest(len(data)), 20)
        print(
            f"{used:6.1f} bytes a byte, {spent:6.1f} ns a byte, {times:5.0f} times honest; "
            f"{'read' if read(data) else 'refused'}; {len(found.unit)} bytes "
            f"{found.unit[:40].hex()}\n    {str(found.tree)[:200]}"
        )
        if used > most_memory + 1 or times > most_time * TOLERANCE:
            print("    MORE THAN SECURITY.rst SAYS")
            within = False
    return within


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=300, help="for all of it (300)")
    parser.add_argument("--tries", type=int, help="so many payloads of each kind instead")
    parser.add_argument("--size", type=int, default=FINAL_SIZE, help="of the messages at the end")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--place", choices=PLACES, action="append", help="all unless told")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    chance = random.Random(options.seed)
    gc.freeze()  # imported objects need not be visited each time
    within = True
    places = options.place or list(PLACES)
    for place in places:
        for measure in (memory, duration):
            search = Search(place, measure, chance)
            end = time.monotonic() + options.seconds / len(places) / 2
            while search.tried < options.tries if options.tries else time.monotonic() < end:
                search.step()
            print(f"\n{place}, by {measure.__name__}: {search.tried} payloads tried")
            within = report(search, options.size) and within
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
