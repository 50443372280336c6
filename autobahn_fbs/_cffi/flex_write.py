"""Writes FlexBuffers, with the same bytes as csrc/cpython/codecs/flex_{encode,keys,write}.c.

A FlexBuffer is written bottom-up: the parts of a container first, then the container, whose width
depends on its parts. Until then, the parts wait as slots.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, NamedTuple

from ._core import lib

_NULL, _INT, _UINT, _FLOAT, _KEY, _STRING, _INDIRECT = range(7)
_MAP, _VECTOR, _VECTOR_INT, _VECTOR_KEY, _VECTOR_INT2 = 9, 10, 11, 14, 16
_BLOB, _BOOL, _VECTOR_BOOL = 25, 26, 36

_MAX_DEPTH: int = lib.WFBS_FLEX_MAX_DEPTH
_SHARED_MAX: int = lib.WFBS_FLEX_SHARED_MAX
_POOL: int = lib.WFBS_FLEX_POOL
_PATH_MAX = 120
_KEY_SHOWN = 80

_WORD = (1 << 64) - 1
_FLT_MAX = 3.4028234663852886e38
_MASKS = (0xFF, 0xFFFF, 0xFFFFFFFF, _WORD)

_PUT_SINGLE = Struct("<f").pack
_GET_SINGLE = Struct("<f").unpack
_GET_SINGLE_BITS = Struct("<I").unpack
_PUT_DOUBLE = Struct("<d").pack
_GET_DOUBLE_BITS = Struct("<Q").unpack


class _Slot(NamedTuple):
    """A value that waits for its container."""

    bits: Any  #: a number, or the position of the written value
    type: int
    width: int  #: logarithm: the smallest width for a number, or the width of the written value


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


def _is_inline(kind: int) -> bool:
    return kind <= _FLOAT or kind == _BOOL


def _int_slot(n: int) -> _Slot:
    if -(1 << 63) <= n < 1 << 63:
        return _Slot(n, _INT, _width_of((n if n >= 0 else ~n) * 2))
    if n < 0 or n > _WORD:
        raise _Refused(ValueError, "int is outside -2**63..2**64-1")
    return _Slot(n, _UINT, 3)


def _float_slot(value: float) -> _Slot:
    """A float takes 32 bits if they represent its value exactly, except NaN."""
    size = abs(value)
    narrow = size == float("inf") or (
        size <= _FLT_MAX and _GET_SINGLE(_PUT_SINGLE(value))[0] == value
    )
    return _Slot(value, _FLOAT, 2 if narrow else 3)


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

    __slots__ = ("compact", "layouts", "out", "pool")

    def __init__(self, compact: bool) -> None:
        self.out = bytearray()
        self.compact = compact
        self.layouts: dict[int, _Layout] = {}  # the last one at each depth
        self.pool: dict[int, tuple[bytes, int]] = {}  # keys by their index, with their positions

    # --- values other than containers

    def string(self, text: bytes, kind: int) -> _Slot:
        out, log = self.out, _width_of(len(text))
        width = 1 << log
        out += bytes(-len(out) % width) + len(text).to_bytes(width, "little")
        slot = _Slot(len(out), kind, log)
        out += text
        if kind == _STRING:
            out.append(0)
        return slot

    def text(self, value: str) -> _Slot:
        try:
            data = str.encode(value)
        except UnicodeEncodeError:
            text = "str has a surrogate, which UTF-8 can't hold"
            raise _Refused(ValueError, text) from None
        return self.string(data, _STRING)

    def value(self, obj: Any, depth: int) -> _Slot:
        """Writes the parts of a value nested in `depth` containers."""
        kind = type(obj)
        if kind is str:
            return self.text(obj)
        if kind is int:
            return _int_slot(obj)
        if kind is float:
            return _float_slot(obj)
        if kind is bool:
            return _Slot(int(obj), _BOOL, 0)
        if obj is None:
            return _Slot(0, _NULL, 0)
        return self.other(obj, depth)

    def other(self, obj: Any, depth: int) -> _Slot:
        """The same for other types: subclasses are written as their base types."""
        if isinstance(obj, int):
            return _int_slot(int.__index__(obj))
        if isinstance(obj, float):
            return _float_slot(float.__float__(obj))
        if isinstance(obj, str):
            return self.text(obj)
        if isinstance(obj, (bytes, bytearray, memoryview)):
            return self.string(memoryview(obj).tobytes(), _BLOB)
        if not isinstance(obj, (list, tuple, dict)):
            raise _Refused(TypeError, f"FlexBuffers can't hold {type(obj).__name__}")
        if depth >= _MAX_DEPTH:
            text = f"containers are nested more than {_MAX_DEPTH} levels deep"
            raise _Refused(ValueError, text, _PATH_MAX)
        if isinstance(obj, list):
            return self.items(list.__getitem__(obj, slice(None)), depth + 1)
        if isinstance(obj, tuple):
            return self.items(list(tuple.__iter__(obj)), depth + 1)
        return self.map(dict.copy(obj), depth)

    # --- containers: copies, so that no other code changes them

    def items(self, values: list[Any], depth: int) -> _Slot:
        slots: list[_Slot] = []
        try:
            for value in values:
                slots.append(self.value(value, depth))
        except _Refused as refused:
            refused.steps.append(f"[{len(slots)}]")
            raise
        kind = _typed_vector(slots) if self.compact else _VECTOR
        if self.compact and kind == _VECTOR:
            slots = self.with_indirect(slots)
        return self.vector(kind, slots)

    def map(self, values: dict[Any, Any], depth: int) -> _Slot:
        """The values are written in the order of their keys: equal dicts give equal bytes."""
        texts = [_key_text(key) for key in values]
        pairs = list(zip(texts, values.values(), strict=True))
        pairs.sort(key=lambda pair: pair[0])
        layout = self.keys(pairs, values, depth)
        slots: list[_Slot] = []
        try:
            for _, value in pairs:
                slots.append(self.value(value, depth + 1))
        except _Refused as refused:
            key = pairs[len(slots)][0].decode()[:_KEY_SHOWN]
            refused.steps.append(f'["{key}"]')
            raise
        if self.compact:
            slots = self.with_indirect(slots)
        return self.vector(_MAP, slots, layout)

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
        slot = self.vector(_VECTOR_KEY, [_Slot(at, _KEY, 0) for at in positions])
        layout = _Layout(texts, positions, slot.bits, slot.width)
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

    def vector_width(self, slots: list[_Slot], header: int, keys: int | None) -> int:
        """The smallest width, as a logarithm, of a vector with `header` fields before its elements;
        `keys` is the position of a map's keys."""
        log = _width_of(len(slots))
        places = []
        for bits, kind, width in slots:
            if not _is_inline(kind):
                places.append(bits)
            elif width > log:
                log = width
        if keys is not None:
            places.append(keys)
        if not places:
            return log
        lowest = min(places)
        while log < 3:
            width = 1 << log
            start = len(self.out) + -len(self.out) % width
            at = start + header * width
            if at + len(slots) * width - lowest <= _MASKS[log]:
                break
            if (keys is None or start - keys <= _MASKS[log]) and all(
                _is_inline(slot.type) or at + i * width - slot.bits <= _MASKS[log]
                for i, slot in enumerate(slots)
            ):
                break
            log += 1
        return log

    def put_elements(self, slots: list[_Slot], log: int) -> None:
        out, width = self.out, 1 << log
        at, mask = len(out), _MASKS[log]
        for bits, kind, _ in slots:
            if not _is_inline(kind):
                number = at - bits
            elif kind == _FLOAT:
                number = (
                    _GET_SINGLE_BITS(_PUT_SINGLE(bits))[0]
                    if log == 2
                    else _GET_DOUBLE_BITS(_PUT_DOUBLE(bits))[0]
                )
            else:
                number = bits & mask
            out += number.to_bytes(width, "little")
            at += width

    def vector(self, kind: int, slots: list[_Slot], layout: _Layout | None = None) -> _Slot:
        fixed = _VECTOR_INT2 <= kind < _BLOB
        header = 3 if layout else 0 if fixed else 1
        log = self.vector_width(slots, header, layout.vector if layout else None)
        out, width = self.out, 1 << log
        out += bytes(-len(out) % width)
        if layout:
            out += (len(out) - layout.vector).to_bytes(width, "little")
            out += (1 << layout.width).to_bytes(width, "little")
        if not fixed:
            out += len(slots).to_bytes(width, "little")
        slot = _Slot(len(out), kind, log)
        self.put_elements(slots, log)
        if kind in (_VECTOR, _MAP):
            out += bytes(
                each.type << 2 | (log if _is_inline(each.type) else each.width) for each in slots
            )
        return slot

    def with_indirect(self, slots: list[_Slot]) -> list[_Slot]:
        """The slots, with the widest numbers written indirectly if that saves space."""
        of_width = [0, 0, 0, 0]
        for slot in slots:
            if _is_inline(slot.type):
                of_width[slot.width] += 1
        log = 3
        while log > 0 and not of_width[log]:
            log -= 1
        rest = log - 1 if log else 0
        while rest > 0 and not of_width[rest]:
            rest -= 1
        rest = max(rest, _width_of(len(slots)))
        if rest >= log or len(slots) * ((1 << log) - (1 << rest)) <= of_width[log] << log:
            return slots
        out = self.out
        out += bytes(-len(out) % (1 << log))
        found = []
        for slot in slots:
            if _is_inline(slot.type) and slot.width == log:
                at = len(out)
                self.put_elements([slot], log)
                slot = _Slot(at, slot.type - _INT + _INDIRECT, slot.width)
            found.append(slot)
        return found

    def root(self, slot: _Slot) -> None:
        log = slot.width if _is_inline(slot.type) else self.vector_width([slot], 0, None)
        self.out += bytes(-len(self.out) % (1 << log))
        self.put_elements([slot], log)
        self.out += bytes((slot.type << 2 | slot.width, 1 << log))


def _key_text(key: Any) -> bytes:
    if not isinstance(key, str):
        raise _Refused(TypeError, f"a key of a dict must be str, not {type(key).__name__}")
    try:
        return str.encode(key)
    except UnicodeEncodeError:
        text = f"key {key!a} has a surrogate, which UTF-8 can't hold"
        raise _Refused(ValueError, text) from None


def _typed_vector(slots: list[_Slot]) -> int:
    """The type of the smallest vector for the slots: a typed one if all are numbers (or bools) of
    one type."""
    if not slots:
        return _VECTOR
    kind = slots[0].type
    if not _is_inline(kind) or kind == _NULL or any(slot.type != kind for slot in slots):
        return _VECTOR
    if kind == _BOOL:
        return _VECTOR_BOOL
    if 2 <= len(slots) <= 4:
        return _VECTOR_INT2 + 3 * (len(slots) - 2) + kind - _INT
    return _VECTOR_INT + kind - _INT


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
    try:
        writer.root(writer.value(obj, 0))
    except _Refused as refused:
        raise refused.exception() from None
    return bytes(writer.out)
