"""Keeps MessagePack away from umsgpack that would cost it quadratic time.

Autobahn reads MessagePack with umsgpack on PyPy, and where ``AUTOBAHN_USE_UMSGPACK`` is set. It
takes any value for the key of a map: a peer can choose numbers that collide. The other library,
msgpack, takes nothing but text and binary, whose hashes are keyed (``strict_map_key``); so does
this.
"""

from __future__ import annotations

from contextlib import suppress

#: Bytes of a value behind its first one, by that byte. What holds values isn't among them.
_FIXED = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8,
    0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
    **dict.fromkeys([*range(0x80), *range(0xE0, 0x100)], 0),
    **{0xA0 + size: size for size in range(32)},
}  # fmt: skip
#: What says in so many bytes how many there are, and how many more there are than that.
_COUNTED = {
    0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0),  # binary
    0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1),  # extensions, which have a type, too
    0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0),  # text
}  # fmt: skip
_KEYS = frozenset([*range(0xA0, 0xC0), 0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB])


def check(data: memoryview) -> None:
    """Checks that keys of maps are text or binary; costs linear time. The library finds what is
    malformed.

    :raises ValueError: if there is another key.
    """
    with suppress(IndexError):  # it ends too early
        _walk(data)


def _walk(data: memoryview) -> None:
    """:raises IndexError: at the end of the data, if a value isn't whole."""
    at = 0
    todo = [(1, False)]  # of each open container: how many items, and whether these are a map's
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
    """What an array or a map adds to what is to be done, and where its items begin."""
    if first < 0xA0:
        in_map, count = first < 0x90, first & 15
    elif first >= 0xDC:
        in_map, width = first >= 0xDE, 4 if first & 1 else 2
        count = int.from_bytes(data[at : at + width], "big")
        at += width
    else:  # 0xC1, which is no value
        raise IndexError
    return (2 * count if in_map else count, in_map), at


__all__ = ["check"]
