"""Writes FlexBuffers, with the same bytes as csrc/cpython/codecs/flex_{encode,keys}.c.

A FlexBuffer is written bottom-up: the parts of a container first, then the container, whose width
depends on its parts. Until then, the parts wait as slots. A slot is two numbers: the bits of a
number, or the position of a written value; and ``type << 2 | width``, with the width as a
logarithm. The core writes containers from them (csrc/core/flex_put.h).
"""

from __future__ import annotations

from struct import Struct
from typing import Any, NamedTuple

from ._core import ffi, lib
from .input import copied

_NULL = 0
_INT, _FLOAT, _BOOL = 1 << 2, 3 << 2, 26 << 2
_UINT = 2 << 2 | 3
_KEY = 4 << 2
_STRING, _MAP, _VECTOR, _VECTOR_KEY, _BLOB = 5, 9, 10, 14, 25

_MAX_DEPTH: int = lib.WFBS_FLEX_MAX_DEPTH
_SHARED_MAX: int = lib.WFBS_FLEX_SHARED_MAX
_POOL: int = lib.WFBS_FLEX_POOL
_PATH_MAX = 120
_KEY_SHOWN = 80

_FLT_MAX = 3.4028234663852886e38

_PUT_SINGLE = Struct("<f").pack
_GET_SINGLE = Struct("<f").unpack
_PUT_DOUBLE = Struct("<d").pack
_GET_DOUBLE_BITS = Struct("<q").unpack

_write = lib.wfbs_cffi_flex_write


class _Refused(Exception):
    """A value that can't be written. Each container adds the step to it, innermost first."""

    def __init__(self, error: type[Exception], text: str, path_max: int | None = None) -> None:
        self.error = error
        self.text = text
        self.path_max = path_max
        self.steps: list[str] = []

    def exception(self) -> Exception:
        path = ", at " + "".join(reversed(self.steps)) if self.steps else ""
        return self.error(self.text + path[: self.path_max])


class _Layout(NamedTuple):
    """The written keys of a map, and their vector."""

    keys: list[bytes]  #: sorted
    positions: list[int]
    vector: int
    width: int  #: logarithm, of the vector


def _width_of(n: int) -> int:
    return 0 if n <= 0xFF else 1 if n <= 0xFFFF else 2 if n <= 0xFFFFFFFF else 3


def _put(slots: list[int], bits: int, kind: int) -> None:
    slots.append(bits)
    slots.append(kind)


def _put_int(slots: list[int], n: int) -> None:
    if -(1 << 62) <= n < 1 << 62:  # all in machine words
        _put(slots, n, _INT | _width_of((n if n >= 0 else ~n) * 2))
    elif -(1 << 63) <= n < 1 << 63:
        _put(slots, n, _INT | 3)
    elif n < 0 or n >= 1 << 64:
        raise _Refused(ValueError, "int is outside -2**63..2**64-1")
    else:
        _put(slots, n - (1 << 64), _UINT)


def _put_float(slots: list[int], value: float) -> None:
    """A float takes 32 bits if they represent its value exactly, except NaN."""
    size = abs(value)
    narrow = size == float("inf") or (
        size <= _FLT_MAX and _GET_SINGLE(_PUT_SINGLE(value))[0] == value
    )
    _put(slots, _GET_DOUBLE_BITS(_PUT_DOUBLE(value))[0], _FLOAT | (2 if narrow else 3))


_pool_indices: dict[bytes, int] = {}


def _pool_index(key: bytes) -> int:
    """The slot of a key in the pool, which determines sharing: the core's result, cached."""
    index = _pool_indices.get(key)
    if index is None:
        index = lib.wfbs_flex_pool_index(key, len(key))
        if len(_pool_indices) >= 4096:
            _pool_indices.clear()
        _pool_indices[key] = index
    return index


class _Writer:
    """The bytes of one FlexBuffer, as far as they are written."""

    __slots__ = ("compact", "layouts", "out", "pool", "room", "scratch")

    def __init__(self, compact: bool) -> None:
        self.out = bytearray()
        self.compact = compact
        self.layouts: dict[int, _Layout] = {}  # the last one at each depth
        self.pool: dict[int, tuple[bytes, int]] = {}  # keys by their index, with their positions
        self.room = 0  # bytes in the scratch memory, which is made when it is needed
        self.scratch: Any = None

    # --- values other than containers

    def string(self, slots: list[int], text: bytes, kind: int) -> None:
        out, log = self.out, _width_of(len(text))
        width = 1 << log
        out += bytes(-len(out) % width) + len(text).to_bytes(width, "little")
        _put(slots, len(out), kind << 2 | log)
        out += text
        if kind == _STRING:
            out.append(0)

    def text(self, slots: list[int], value: str) -> None:
        try:
            data = str.encode(value)
        except UnicodeEncodeError:
            text = "str has a surrogate, which UTF-8 can't hold"
            raise _Refused(ValueError, text) from None
        self.string(slots, data, _STRING)

    def value(self, slots: list[int], obj: Any, depth: int) -> None:
        """Writes the parts of a value nested in `depth` containers, and appends its slot."""
        kind = type(obj)
        if kind is str:
            self.text(slots, obj)
        elif kind is int:
            _put_int(slots, obj)
        elif kind is float:
            _put_float(slots, obj)
        elif kind is bool:
            _put(slots, int(obj), _BOOL)
        elif obj is None:
            _put(slots, 0, _NULL)
        else:
            self.other(slots, obj, depth)

    def other(self, slots: list[int], obj: Any, depth: int) -> None:
        """The same for other types: subclasses are written as their base types."""
        if isinstance(obj, int):
            _put_int(slots, int.__index__(obj))
        elif isinstance(obj, float):
            _put_float(slots, float.__float__(obj))
        elif isinstance(obj, str):
            self.text(slots, obj)
        elif isinstance(obj, (bytes, bytearray, memoryview)):
            self.string(slots, copied(obj), _BLOB)
        elif not isinstance(obj, (list, tuple, dict)):
            raise _Refused(TypeError, f"FlexBuffers can't hold {type(obj).__name__}")
        elif depth >= _MAX_DEPTH:
            text = f"containers are nested more than {_MAX_DEPTH} levels deep"
            raise _Refused(ValueError, text, _PATH_MAX)
        elif isinstance(obj, list):
            _put(slots, *self.items(list.__getitem__(obj, slice(None)), depth + 1))
        elif isinstance(obj, tuple):
            _put(slots, *self.items(list(tuple.__iter__(obj)), depth + 1))
        else:
            _put(slots, *self.map(dict.copy(obj), depth))

    # --- containers: copies, so that no other code changes them

    def items(self, values: list[Any], depth: int) -> tuple[int, int]:
        slots: list[int] = []
        try:
            for value in values:
                self.value(slots, value, depth)
        except _Refused as refused:
            refused.steps.append(f"[{len(slots) // 2}]")
            raise
        return self.write(_VECTOR, slots)

    def map(self, values: dict[Any, Any], depth: int) -> tuple[int, int]:
        """The values are written in the order of their keys: equal dicts give equal bytes."""
        texts = [_key_text(key) for key in values]
        pairs = list(zip(texts, values.values(), strict=True))
        pairs.sort(key=lambda pair: pair[0])
        layout = self.keys(pairs, values, depth)
        slots: list[int] = []
        try:
            for _, value in pairs:
                self.value(slots, value, depth + 1)
        except _Refused as refused:
            key = pairs[len(slots) // 2][0].decode()[:_KEY_SHOWN]
            refused.steps.append(f'["{key}"]')
            raise
        return self.write(_MAP, slots, layout.vector, layout.width)

    def keys(self, pairs: list[tuple[bytes, Any]], values: dict[Any, Any], depth: int) -> _Layout:
        """Ensures that the keys of a map and their vector are written."""
        texts = [text for text, _ in pairs]
        last = self.layouts.get(depth)
        if last is not None and last.keys == texts:
            if self.compact:
                return last
            positions = last.positions
        else:
            positions = self.key_texts(texts, values)
        slots = [number for at in positions for number in (at, _KEY)]
        vector, kind = self.write(_VECTOR_KEY, slots)
        layout = _Layout(texts, positions, vector, kind & 3)
        if all(len(text) <= _SHARED_MAX for text in texts):
            self.layouts[depth] = layout
        else:  # readers limit the expansion by sharing
            self.layouts.pop(depth, None)
        return layout

    def key_texts(self, texts: list[bytes], values: dict[Any, Any]) -> list[int]:
        """The positions of sorted keys. Writes those that the pool doesn't know."""
        out, pool = self.out, self.pool
        pooled = len(texts) <= _POOL // 2  # a map with more keys is a table rather than a record
        positions: list[int] = []
        for i, text in enumerate(texts):
            index = -1
            if pooled and len(text) <= _SHARED_MAX:
                index = _pool_index(text)
                known = pool.get(index)
                if known is not None and known[0] == text:
                    positions.append(known[1])
                    self.refuse_twice(texts, i, values)
                    continue
            if 0 in text:
                shown = ascii(text.decode())
                why = f"key {shown} has a NUL, which ends keys in FlexBuffers"
                raise _Refused(ValueError, why)
            positions.append(len(out))
            if index >= 0:
                pool[index] = (text, len(out))
            out += text
            out.append(0)
            self.refuse_twice(texts, i, values)
        return positions

    def refuse_twice(self, texts: list[bytes], i: int, values: dict[Any, Any]) -> None:
        """A dict can have two keys of a str subclass with the same text."""
        if i > 0 and texts[i] == texts[i - 1]:
            same = [key for key in values if str.encode(key) == texts[i]]
            raise _Refused(ValueError, f"a dict has two keys with the text {same[-1]!a}")

    def write(
        self, kind: int, slots: list[int], keys: int = -1, keys_width: int = 0
    ) -> tuple[int, int]:
        """Writes a vector or map of the slots, or the end of the FlexBuffer (_NULL). Its slot."""
        count = len(slots) // 2
        room = 17 * count + 38
        if room > self.room:
            self.room = max(room, 1000)
            self.scratch = ffi.new("uint8_t[]", self.room)
        numbers = ffi.new("int64_t[]", slots or (0, 0))
        out, scratch = self.out, self.scratch
        size = _write(numbers, count, kind, self.compact, keys, keys_width, len(out), scratch)
        out += ffi.buffer(scratch, size)
        return numbers[0], numbers[1]


def _key_text(key: Any) -> bytes:
    if not isinstance(key, str):
        raise _Refused(TypeError, f"a key of a dict must be str, not {type(key).__name__}")
    try:
        return str.encode(key)
    except UnicodeEncodeError:
        text = f"key {key!a} has a surrogate, which UTF-8 can't hold"
        raise _Refused(ValueError, text) from None


def dumps(obj: Any, /, compact: bool = False) -> bytes:
    """Encodes a value as a FlexBuffer.

    Equal values (of equal types) give equal bytes, whatever the order of their dicts: maps are
    sorted by key, as the format requires. A repeated key of at most 64 bytes is written once.
    Widths are as small as possible, as in Google's builder.

    :param obj: a value of the types in the table of autobahn_fbs.flexbuffers, or of subclasses,
        which are written as their base types. Keys of dicts must be str.
    :param compact: take less space: typed vectors, indirect numbers, shared key vectors. Off by
        default because the type on the wire then depends on the values.
    :raises TypeError: for any other type; the message names the place, such as [3]["name"].
    :raises ValueError: for an int outside -2**63..2**64-1, a key with a NUL character (which ends
        keys in the format), a str with a surrogate, and containers nested more than 256 deep (or in
        themselves); the message names the place.
    """
    writer = _Writer(bool(compact))
    slots: list[int] = []
    try:
        writer.value(slots, obj, 0)
    except _Refused as refused:
        raise refused.exception() from None
    writer.write(_NULL, slots)
    return bytes(writer.out)
