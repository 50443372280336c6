"""Integers that a dict takes quadratic time for, though no two have one hash.

A dict of CPython looks for the place of a key at hash modulo size, then at 5 * place + 1 + the hash
shifted right by 5, 10, 15 … bits. Small hashes are soon used up, and from then on every search goes
along one circle of all places. So half of the keys are put on a part of that circle, one behind the
other; each of the others is one whose first places are all taken, and has to go to the end.
"""

from __future__ import annotations

import random


def colliding_integers(count: int) -> list[int]:
    """That many, or up to a half fewer, so that a table is as full as it gets."""
    size = 8
    while size * 2 * 2 // 3 <= count:
        size *= 2
    most = size * 2 // 3 - 1
    order, place = [], 0
    for _ in range(size):
        order.append(place)
        place = (5 * place + 1) % size
    rank = {place: index for index, place in enumerate(order)}
    keys = order[: most // 2]
    chosen = set(keys)
    random_ = random.Random(11)
    while len(keys) < most:
        key = random_.randrange(size, size * 32)
        place, shifted, taken = key % size, key, True
        while taken and shifted:
            taken = rank[place] < len(keys)
            shifted >>= 5
            place = (5 * place + shifted + 1) % size
        if taken and key not in chosen:
            chosen.add(key)
            keys.append(key)
    return keys
