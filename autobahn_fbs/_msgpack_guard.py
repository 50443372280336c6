"""Protects umsgpack from MessagePack that would take quadratic time.

Autobahn reads MessagePack with umsgpack on PyPy, and wherever ``AUTOBAHN_USE_UMSGPACK`` is set.
umsgpack accepts any value as a map key, so a peer could choose numbers that collide. The other
library, msgpack, accepts only text and binary keys, whose hashes are randomized
(``strict_map_key``). This check does the same.
"""

from __future__ import annotations

from contextlib import suppress

#: The number of bytes after the first byte of a value, by that byte. Containers are not included.
_FIXED = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8,
    0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
    **dict.fromkeys([*range(0x80), *range(0xE0, 0x100)], 0),
    **{0xA0 + size: size for size in range(32)},
}  # fmt: skip
#: First bytes that are followed by a count: the width of the count, and how many more bytes than
#: that.
_COUNTED = {
    0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0),  # binary
    0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1),  # extensions, which also have a type
    0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0),  # text
}  # fmt: skip
_KEYS = frozenset([*range(0xA0, 0xC0), 0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB])


def check(data: memoryview) -> None:
    """Checks that all map keys are text or binary, in linear time. The library itself detects
    malformed input.

    :raises ValueError: there is another key.
    """
    with suppress(IndexError):  # the data ends too early
        _walk(data)


def _walk(data: memoryview) -> None:
    """:raises IndexError: the data ends inside a value."""
    at = 0
    todo = [(1, False)]  # per open container: items left, and whether it is a map
    while todo:
        left, in_map = todo.pop()
        if not left:
            continue
        todo.append((left - 1, in_map))
        first = data[at]
        if in_map and left % 2 == 0 and first not in _KEYS:
            raise ValueError(
                f"MessagePack: the key of a map is neither text nor binary, at offset {at}"
            )
        at += 1
        if first in _FIXED:
            at += _FIXED[first]
        elif first in _COUNTED:
            width, more = _COUNTED[first]
            at += width + more + int.from_bytes(data[at : at + width], "big")
        else:
            count, at = _items(data, first, at)
            todo.append(count)


def _items(data: memoryview, first: int, at: int) -> tuple[tuple[int, bool], int]:
    """The work that an array or a map adds, and where its items begin."""
    if first < 0xA0:
        in_map, count = first < 0x90, first & 15
    elif first >= 0xDC:
        in_map, width = first >= 0xDE, 4 if first & 1 else 2
        count = int.from_bytes(data[at : at + width], "big")
        at += width
    else:  # 0xC1, which is not a value
        raise IndexError
    return (2 * count if in_map else count, in_map), at


__all__ = ["check"]
