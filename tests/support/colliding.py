"""Integers for which a dict or a set takes quadratic time, although no two have the same hash.

A dict of CPython probes for the slot of a key at hash modulo size, then at 5 * place + 1 + the hash
shifted right by 5, 10, 15 … bits. Small hashes are soon exhausted, and from then on, every search
follows one cycle of all slots. Half of the keys are therefore placed on a part of that cycle, one
after the other. Each of the others is chosen so that its first slots are all occupied, and has to
go to the end.

A dict or set of PyPy adds the whole hash first and shifts it later. Its tables have other sizes.

A set of CPython looks at 9 more slots after each probe before it goes on, so all of them must be
occupied: consecutive keys are placed after each slot on a part of the cycle, and after the first
slots of each of the others.
"""

from __future__ import annotations

import random
import sys

PYPY = sys.implementation.name == "pypy"


def _fullest(count: int) -> tuple[int, int]:
    """The size of the largest table that so many keys can fill, and the number of keys that do."""
    if not PYPY:
        size = 8
        while size * 2 * 2 // 3 <= count:
            size *= 2
        return size, size * 2 // 3 - 1
    size = larger = 16
    while (larger * 2 - 1) // 3 <= count:
        size, larger = larger, larger * (4 if larger <= 65_536 else 2)
    return size, (size * 2 - 1) // 3


def _next(place: int, left: int, size: int) -> tuple[int, int]:
    """The next place of a search, and what is left of the hash then."""
    if PYPY:
        return (5 * place + left + 1) % size, left >> 5
    return (5 * place + (left >> 5) + 1) % size, left >> 5


def colliding_integers(count: int) -> list[int]:
    """That many, or fewer (a half, on PyPy a quarter), so that a table is as full as it gets."""
    size, most = _fullest(count)
    order, place = [], 0
    for _ in range(size):
        order.append(place)
        place = (5 * place + 1) % size
    rank = {place: index for index, place in enumerate(order)}
    keys = order[: most // 2]
    chosen = set(keys)
    random_ = random.Random(11)
    while len(keys) < most:
        key = random_.randrange(size, size * (1024 if PYPY else 32))
        place, left, taken = key % size, key, True
        while taken and left:
            taken = rank[place] < len(keys)
            place, left = _next(place, left, size)
        if taken and rank[place] < len(keys) and key not in chosen:
            chosen.add(key)
            keys.append(key)
    return keys


def _row(place: int, size: int) -> range:
    """The slots that a set of this size looks at before it goes on."""
    return range(place, place + 10) if place + 9 < size else range(place, place + 1)


def colliding_elements(size: int) -> list[int]:
    """The maximum number of elements of a set with this many slots."""
    most = size * 3 // 5 - 1
    length, place = most // 22, 0
    circle: dict[int, int] = {}
    for index in range(length):
        circle[place] = index
        place = (5 * place + 1) % size
    taken = {each for place in circle for each in _row(place, size)}
    late: list[int] = []
    for key in range(size, 32 * size):
        path, shifted = [key % size], key >> 5
        while shifted:
            path.append((5 * path[-1] + shifted + 1) % size)
            shifted >>= 5
        if circle.get((5 * path[-1] + 1) % size, length) < length // 3:
            more = {each for place in path for each in _row(place, size)} - taken
            if len(taken) + len(more) + len(late) >= most:
                break
            taken |= more
            late.append(key)
    return [*taken, *late]
