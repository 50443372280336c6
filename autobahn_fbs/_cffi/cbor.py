"""CBOR for the common data model: None, bool, int within 64 bits, float, str, bytes, list, tuple,
dict (RFC 8949).

The writer produces exactly the bytes of ``cbor2.dumps(obj)``, and the reader returns values that
are equal in value and type to those of ``cbor2.loads(data)``. If the reader meets something
unknown, it discards its work and passes the whole input to cbor2, which then determines the result
or the exception. When writing, cbor2 gets the unknown leaves. This is straight code for few types,
because PyPy's compiler makes that fast.

Alternatives that we tried on PyPy 7.3.19, in nanoseconds for args and kwargs of
benchmarks/rotate.py in rotation (small, medium, large), on a busy machine, so compare only the
ratios:

=====================================================  =====  ======  =======
reading: cbor2 5.9, in Python                            865   6,079   43,233
reading: u-msgpack, which Autobahn takes on PyPy         657   6,831   51,249
reading: one loop with a stack of its own                418   3,195   20,790
reading: recursion, the place in an object (this)        340   2,991   23,316
the same, with the keys of maps from a table             289   3,122   25,932
writing: cbor2 5.9, in Python                          1,152   5,994   37,592
writing: u-msgpack                                       265   1,679   13,108
writing: io.BytesIO                                      324   2,027   17,569
writing: PyPy's BytesBuilder                             303   2,073   16,177
writing: a list of parts, joined (this)                  202   2,460   27,664
=====================================================  =====  ======  =======
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from struct import Struct
from typing import Any

from .. import _cbor_foreign
from ._core import ffi, lib
from .input import opened

#: Maximum nesting of containers for the recursive functions here, which stays clear of Python's
#: recursion limit.
MAX_DEPTH = 200


class _Unknown(Exception):
    """Input that cbor2 has to decide about."""


class _Changed(Exception):
    """Another thread has changed the value meanwhile, so the output would not be valid CBOR."""


#: How often a changing value is tried again.
_TRIES = 100


# ---- encoding

_ONE = [bytes((byte,)) for byte in range(256)]
_HEAD8 = Struct(">BB").pack
_HEAD16 = Struct(">BH").pack
_HEAD32 = Struct(">BI").pack
_HEAD64 = Struct(">BQ").pack
_FLOAT = Struct(">Bd").pack
#: This many keys may always be numbers and others.
_MOST_MIXED: int = lib.WFBS_PROBES_NUMBERS + lib.WFBS_PROBES_OTHERS


def _head(major: int, n: int) -> bytes:
    """The shortest head for a major type (its initial byte) with an argument."""
    if n < 24:
        return _ONE[major + n]
    if n < 0x100:
        return _HEAD8(major + 24, n)
    if n < 0x10000:
        return _HEAD16(major + 25, n)
    if n < 0x100000000:
        return _HEAD32(major + 26, n)
    return _HEAD64(major + 27, n)


def _put_text(out: list[bytes], value: str) -> None:
    data = value.encode()  # cbor2 raises the UnicodeEncodeError
    out.append(_head(0x60, len(data)))
    out.append(data)


def _put_int(out: list[bytes], value: int) -> None:
    if value >= 0:
        if value > 0xFFFFFFFFFFFFFFFF:
            raise _Unknown
        out.append(_head(0x00, value))
    else:
        if value < -0x10000000000000000:
            raise _Unknown
        out.append(_head(0x20, -1 - value))


def _put_float(out: list[bytes], value: float) -> None:
    if value - value == 0.0:  # finite
        out.append(_FLOAT(0xFB, value))
    elif value != value:
        out.append(b"\xf9\x7e\x00")
    else:
        out.append(b"\xf9\x7c\x00" if value > 0 else b"\xf9\xfc\x00")


def _put_items(out: list[bytes], values: Any, depth: int) -> None:
    left = len(values)
    out.append(_head(0x80, left))
    for value in values:
        _put(out, value, depth)
        left -= 1
    if left:
        raise _Changed


def _is_mixed(values: dict[Any, Any]) -> bool:
    """Whether the keys of a large dict are numbers together with others, which no receiver
    reads."""
    numbers = sum(map(_is_number, values))
    return not lib.wfbs_probes_may_mix(numbers, len(values) - numbers)


def _put_map(out: list[bytes], values: dict[Any, Any], depth: int) -> None:
    left = len(values)
    out.append(_head(0xA0, left))
    try:
        if left > _MOST_MIXED and _is_mixed(values):
            raise _Unknown  # and then refused
        for key, value in values.items():
            if type(key) is str:
                _put_text(out, key)
            else:
                _put(out, key, MAX_DEPTH)  # containers as keys are checked later
            _put(out, value, depth)
            left -= 1
    except RecursionError:
        raise
    except RuntimeError:  # the size of the dict has changed; nothing else here raises this
        raise _Changed from None
    if left:
        raise _Changed


def _put(out: list[bytes], value: Any, depth: int) -> None:
    """Appends the encoding of a value nested in `depth` containers."""
    kind = type(value)
    if kind is str:
        _put_text(out, value)
    elif kind is int:
        _put_int(out, value)
    elif kind is float:
        _put_float(out, value)
    elif value is None:
        out.append(b"\xf6")
    elif kind is bool:
        out.append(b"\xf5" if value else b"\xf4")
    elif kind is bytes:
        out.append(_head(0x40, len(value)))
        out.append(value)
    elif depth >= MAX_DEPTH:
        raise _Unknown
    elif kind is dict:
        _put_map(out, value, depth + 1)
    elif kind is list or kind is tuple:
        _put_items(out, value, depth + 1)
    else:
        raise _Unknown


def dumps(obj: Any, /) -> bytes:
    """Returns the same as cbor2.dumps(obj) (RFC 8949), faster for the common data model.

    :raises ValueError: `loads` would refuse the result (SECURITY.rst).
    :raises RuntimeError: other threads keep changing the value.
    """
    for _ in range(_TRIES):
        out: list[bytes] = []
        try:
            _put(out, obj, 0)
        except (_Unknown, UnicodeEncodeError):
            return _dumps_opened(obj)
        except _Changed:
            continue
        return b"".join(out)
    raise RuntimeError("the value was changed by another thread while it was serialized")


def _dumps_opened(obj: Any) -> bytes:
    """Encodes a value with unknown parts, container by container. cbor2 gets the leaves.

    :raises ValueError: the value is nested too deep, or `loads` would refuse the result.
    """
    out: list[bytes] = []
    path: list[tuple[Any, Iterator[Any]]] = [(None, iter((obj,)))]
    while path:
        for value in path[-1][1]:
            try:
                _put(out, value, MAX_DEPTH)  # if it is a leaf
                continue
            except (_Unknown, UnicodeEncodeError):
                found = _cbor_foreign.opened(value)
            if isinstance(found, bytes):
                out.append(found)
                continue
            if len(path) > _cbor_foreign.MAX_DEPTH:
                _cbor_foreign.refuse(any(value is outer for outer, _ in path))
            head, items = found
            out.append(head)
            path.append((value, iter(items)))
            break
        else:
            path.pop()
    data = b"".join(out)
    _check_input(data)
    return data


# ---- decoding

_GET16 = Struct(">H").unpack_from
_GET32 = Struct(">I").unpack_from
_GET64 = Struct(">q").unpack_from  # signed, because on PyPy the unsigned one creates a long
_DOUBLE = Struct(">d").unpack_from
_SINGLE = Struct(">f").unpack_from
_HALF = Struct(">e").unpack_from


#: This many keys are always accepted.
_FEW_KEYS: int = lib.WFBS_PROBES_FREE


#: Whether a dict whose keys are all integers of 64 bits uses them as they are, instead of hashes.
_HAS_BARE_INTEGERS = sys.implementation.name == "pypy"


class _LargeMap:
    """A map with many entries. The cost of numbers as keys is computed before they become keys
    (core/key_probes.h)."""

    __slots__ = (
        "_bare", "_hash", "_place", "_signed", "_table", "_taken", "found", "most", "numbers",
    )  # fmt: skip

    def __init__(self) -> None:
        self.found: dict[Any, Any] = {}
        self.numbers = 0  #: the number of keys of `found` that are neither text nor bytes
        self._bare = _HAS_BARE_INTEGERS
        self._signed = ffi.new("int64_t[1]")
        self._hash = ffi.cast("uint64_t *", self._signed)
        self._place = ffi.new("size_t[1]")
        self._grow()

    def _grow(self) -> None:
        places = lib.wfbs_probes_places(len(self.found))
        self.most: int = lib.wfbs_probes_most(places)
        self._taken = ffi.new("uint64_t[]", lib.wfbs_probes_words(places))
        self._table = ffi.new("wfbs_probes *")
        lib.wfbs_probes_begin(self._table, places, self._taken)
        numbers = [key for key in self.found if _is_number(key)] if self.numbers else []
        hashes = ffi.from_buffer("uint64_t[]", array("q", map(self._hash_of, numbers)))
        if not lib.wfbs_probes_add_all(self._table, hashes, len(numbers), ffi.NULL):
            raise _refused(lib.WFBS_PROBES_COLLIDE)

    def _insert_again(self) -> None:
        """What the dict does when its first key of another kind comes: it inserts all integers into
        a new table, one by one, by their hashes."""
        hashes = ffi.from_buffer("uint64_t[]", array("q", map(hash, self.found)))
        kind, count = lib.WFBS_PROBES_DICT, len(self.found)
        room = ffi.new("uint32_t[]", lib.wfbs_probes_room(kind, count) // 4)
        if not lib.wfbs_probes_allow(kind, hashes, count, 0, room):
            raise _refused(lib.WFBS_PROBES_COLLIDE)
        self._grow()

    def put(self, key: Any, value: Any) -> None:
        """
        :raises ValueError: numbers among the keys collide too often, or there are too many
            together with others.
        """
        found = self.found
        if self._bare and not _is_machine_integer(key):
            self._bare = False
            self._insert_again()
        if _is_number(key):
            self._put_number(key, value)
        else:
            found[key] = value
        if not lib.wfbs_probes_may_mix(self.numbers, len(found) - self.numbers):
            raise _refused(lib.WFBS_PROBES_MIXED)

    def _hash_of(self, key: Any) -> int:
        return int(key) if self._bare else hash(key)

    def _put_number(self, key: Any, value: Any) -> None:
        before = len(self.found)
        if before >= self.most:
            self._grow()
        self._signed[0] = self._hash_of(key)
        if not lib.wfbs_probes_add_all(self._table, self._hash, 1, self._place):
            raise _refused(lib.WFBS_PROBES_COLLIDE)
        self.found[key] = value
        if len(self.found) > before:
            self.numbers += 1
        else:
            lib.wfbs_probes_leave(self._table, self._place[0])


def _is_number(key: Any) -> bool:
    return type(key) is not str and type(key) is not bytes


def _is_machine_integer(key: Any) -> bool:
    return type(key) is int and -(1 << 63) <= key < 1 << 63


def _refused(reason: Any) -> ValueError:
    return ValueError(f"CBOR: {ffi.string(reason).decode()}")


class _Reader:
    """The position of the reader: `next` is the next byte of `data`, `end` the end."""

    __slots__ = ("data", "end", "next")

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.next = start
        self.end = end

    def take(self, size: int) -> int:
        """Consumes this many bytes; returns their position."""
        start = self.next
        if size > self.end - start:
            raise _Unknown
        self.next = start + size
        return start

    def argument(self, info: int) -> int:
        """The argument given by the low bits of an initial byte."""
        if info < 24:
            return info
        if info == 24:
            return self.data[self.take(1)]
        number: int
        if info == 25:
            (number,) = _GET16(self.data, self.take(2))
        elif info == 26:
            (number,) = _GET32(self.data, self.take(4))
        elif info == 27:
            (number,) = _GET64(self.data, self.take(8))
            if number < 0:
                number += 1 << 64
        else:
            raise _Unknown
        return number

    def text(self, info: int) -> str:
        size = self.argument(info)
        start = self.take(size)
        return self.data[start : start + size].decode()

    def array(self, info: int, depth: int) -> list[Any]:
        count = self.argument(info)
        # Each item takes at least one byte, so a greater count must be wrong.
        if depth > MAX_DEPTH or count > self.end - self.next:
            raise _Unknown
        found = []
        while count:
            found.append(self.item(depth))
            count -= 1
        return found

    def map(self, info: int, depth: int) -> dict[Any, Any]:
        count = self.argument(info)
        if depth > MAX_DEPTH or count > (self.end - self.next) // 2:
            raise _Unknown
        if count > _FEW_KEYS:
            return self.large_map(count, depth)
        found: dict[Any, Any] = {}
        while count:
            key = self.key(depth)
            found[key] = self.item(depth)
            count -= 1
        return found

    def key(self, depth: int) -> Any:
        place = self.next
        if place >= self.end:
            raise _Unknown
        byte = self.data[place]
        if byte >> 5 == 3:
            self.next = place + 1
            return self.text(byte & 31)
        if byte >> 5 == 4 or byte >> 5 == 5:
            raise _Unknown  # cbor2 converts it to a hashable form
        return self.item(depth)

    def large_map(self, count: int, depth: int) -> dict[Any, Any]:
        entries = _LargeMap()
        while count:
            key = self.key(depth)
            entries.put(key, self.item(depth))
            count -= 1
        return entries.found

    def simple(self, byte: int) -> Any:
        if byte == 0xFB:
            (number,) = _DOUBLE(self.data, self.take(8))
            return number
        if byte == 0xF6:
            return None
        if byte == 0xF5:
            return True
        if byte == 0xF4:
            return False
        if byte == 0xFA:
            (number,) = _SINGLE(self.data, self.take(4))
            if number != number:
                raise _Unknown
            return number
        if byte == 0xF9:
            start = self.take(2)
            (number,) = _HALF(self.data, start)
            if number != number and self.data[start : start + 2] != b"\x7e\x00":
                raise _Unknown
            return number
        raise _Unknown

    def item(self, depth: int) -> Any:
        """Reads one item nested in `depth` containers."""
        byte = self.data[self.take(1)]
        major = byte >> 5
        if major == 3:
            return self.text(byte & 31)
        if major == 0:
            return self.argument(byte & 31)
        if major == 7:
            return self.simple(byte)
        if major == 5:
            return self.map(byte & 31, depth + 1)
        if major == 4:
            return self.array(byte & 31, depth + 1)
        if major == 1:
            return -1 - self.argument(byte & 31)
        if major == 2:
            size = self.argument(byte & 31)
            start = self.take(size)
            return self.data[start : start + size]
        raise _Unknown


def _behind_tag(data: bytes, start: int, end: int) -> int:
    """The position after the tags that say that CBOR follows; cbor2's versions treat them
    differently."""
    while data[start : min(start + 3, end)] == b"\xd9\xd9\xf7":
        start += 3
    return start


def loads_first(data: bytes, start: int, end: int) -> tuple[Any, int]:
    """The item at the start of a part of `data`, and the position after it.

    :raises ValueError: the input would take cbor2 more than linear time: core/cbor_guard.c.
    :raises Exception: the exception of cbor2.loads.
    """
    start = _behind_tag(data, start, end)
    reader = _Reader(data, start, end)
    try:
        value = reader.item(0)
    except (_Unknown, UnicodeDecodeError):
        part = data[start:end]
        return _loads_with_cbor2(part), start + lib.wfbs_cbor_item_size(part, len(part))
    return value, reader.next


def loads_part(data: bytes, start: int, end: int) -> Any:
    """Like loads, for a part of `data`."""
    start = _behind_tag(data, start, end)
    reader = _Reader(data, start, end)
    try:
        return reader.item(0)
    except (_Unknown, UnicodeDecodeError):
        return _loads_with_cbor2(data[start:end])


def _check_input(data: bytes) -> None:
    """
    :raises ValueError: the input would take cbor2 more than linear time.
    """
    needed = lib.wfbs_cbor_scratch(data, len(data))
    scratch = ffi.new("uint64_t[]", needed // 8 + 1) if needed else ffi.NULL
    refusal = lib.wfbs_cbor_refusal(data, len(data), scratch)
    if refusal:
        raise ValueError(f"CBOR: {ffi.string(refusal).decode()}")


def _loads_with_cbor2(data: bytes) -> Any:
    import cbor2

    _check_input(data)
    malformed = lib.wfbs_cbor_malformation(data, len(data))
    if not malformed:
        return cbor2.loads(data)
    what = ffi.string(malformed).decode()
    try:  # the pure Python cbor2 accepts it as a value
        cbor2.loads(data)
    except cbor2.CBORDecodeError:
        raise
    except Exception as error:
        raise cbor2.CBORDecodeError(what) from error
    raise cbor2.CBORDecodeError(what)


def loads(data: Any, /) -> Any:
    """Returns or raises the same as cbor2.loads(data) (RFC 8949), faster for the common data model.

    Raises ValueError for input that would take cbor2 more than linear time: SECURITY.rst.
    """
    buffer = data if type(data) is bytes else opened(data, in_pieces=False)
    return loads_part(buffer, 0, len(buffer))
