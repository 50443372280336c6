"""Protects bjdata and py-ubjson from harmful UBJSON.

The sender of a message chooses whether Autobahn's UBJSON library reads it: bjdata, or py-ubjson
before Autobahn 26. From nine bytes, bjdata makes a list of any length (typed arrays of null or
bool). It allocates the memory for arrays of many dimensions before it checks that the data is
there. It crashes the process if the lengths of dimensions are themselves arrays of many dimensions,
and there are similar problems. py-ubjson also makes such lists. Its format differs in the byte
order of numbers.

This check accepts what bjdata writes, and UBJSON's counted containers: plain containers, and typed
arrays of numbers, including numpy's arrays of several dimensions. Besides malformed input, it
refuses all other typed arrays, typed objects, structures of arrays, arrays without dimensions, and
more than 256 levels.
"""

from __future__ import annotations

import re
from typing import Literal

Order = Literal["little", "big"]

_MAX_DEPTH = 256
#: The same limit as numpy's. bjdata keeps the lengths in an array of that size.
_MAX_DIMENSIONS = 32
#: The maximum of the other lengths of an empty array.
_MAX_EMPTY = 2**20

_SIGNED = b"iIlL"
_INTS = {ord("i"): 1, ord("U"): 1, ord("I"): 2, ord("u"): 2,
         ord("l"): 4, ord("m"): 4, ord("L"): 8, ord("M"): 8}  # fmt: skip
_NUMBERS = {**_INTS, ord("B"): 1, ord("C"): 1, ord("h"): 2, ord("d"): 4, ord("D"): 8}

#: One value of a fixed length, and arrays of them.
_ONE = rb"[ZTF]|[iUBC].|[Iuh]..|[lmd].{4}|[LMD].{8}"
_VALUE = re.compile(_ONE, re.DOTALL)
_VALUES = re.compile(rb"(?:N|" + _ONE + rb")*+", re.DOTALL)


def check(data: memoryview, order: Order = "little") -> None:
    """Checks that the library can read this safely, in linear time.

    :param order: the byte order of numbers: ``"little"`` for bjdata, or ``"big"``.
    :raises ValueError: it can't. The text gives the reason.
    """
    try:
        end = _value(data, 0, _MAX_DEPTH, order)
    except IndexError:
        raise ValueError("UBJSON ends too early") from None
    if end < len(data):
        raise ValueError(f"UBJSON has {len(data) - end} bytes after its end")


# Each of these takes the position of an item and returns the position after it. IndexError means
# that there are too few bytes.


def _value(data: memoryview, at: int, depth: int, order: Order) -> int:
    plain = _VALUE.match(data, at)
    if plain:
        return plain.end()
    marker = data[at]
    if marker in b"SH":
        return _bytes(data, at + 1, order)
    if marker not in b"[{":
        raise ValueError(f"UBJSON: no value at offset {at}")
    if not depth:
        raise ValueError(f"UBJSON is nested more than {_MAX_DEPTH} levels deep")
    return _container(data, at + 1, depth - 1, marker == ord("{"), order)


def _int(data: memoryview, at: int, order: Order) -> tuple[int, int]:
    """A non-negative integer."""
    width = _INTS.get(data[at])
    if width is None:
        raise ValueError(f"UBJSON: no length at offset {at}")
    end = _skip(data, at + 1, width)
    number = int.from_bytes(data[at + 1 : end], order, signed=data[at] in _SIGNED)
    if number < 0:
        raise ValueError(f"UBJSON: negative length at offset {at}")
    return number, end


def _skip(data: memoryview, at: int, size: int) -> int:
    if size > len(data) - at:
        raise IndexError
    return at + size


def _bytes(data: memoryview, at: int, order: Order) -> int:
    size, at = _int(data, at, order)
    return _skip(data, at, size)


def _container(data: memoryview, at: int, depth: int, keys: bool, order: Order) -> int:
    first = data[at]
    if first == ord("$"):
        return _typed(data, at + 1, keys, order)
    if first == ord("#"):
        return _counted(data, at + 1, depth, keys, order)
    end = ord("}" if keys else "]")
    while True:
        if not keys:
            values = _VALUES.match(data, at)
            at = values.end() if values else at
        if data[at] == end:
            return at + 1
        if keys:
            at = _bytes(data, at, order)
        at = _value(data, at, depth, order)


def _counted(data: memoryview, at: int, depth: int, keys: bool, order: Order) -> int:
    count, at = _int(data, at, order)
    for _ in range(count):  # each element takes a byte, or raises
        while data[at] == ord("N"):
            at += 1
        if keys:
            at = _bytes(data, at, order)
        at = _value(data, at, depth, order)
    return at


def _typed(data: memoryview, at: int, keys: bool, order: Order) -> int:
    width = _NUMBERS.get(data[at])
    if keys or width is None or data[at + 1] != ord("#"):
        raise ValueError(f"UBJSON: typed containers other than arrays of numbers, at offset {at}")
    at += 2
    if data[at] != ord("["):
        count, at = _int(data, at, order)
        return _skip(data, at, count * width)
    at += 1
    whole, least, dimensions = width, width, 0
    while data[at] != ord("]"):
        length, at = _int(data, at, order)
        whole *= length
        least *= max(length, 1)  # a length of 0 doesn't make up for large other lengths
        dimensions += 1
        if dimensions > _MAX_DIMENSIONS or least > max(len(data), _MAX_EMPTY):
            raise ValueError(f"UBJSON: an array that claims more than its bytes, at offset {at}")
    if not dimensions:
        raise ValueError(f"UBJSON: an array without dimensions, at offset {at}")
    return _skip(data, at + 1, whole)


__all__ = ["check"]
