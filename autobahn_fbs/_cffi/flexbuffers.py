"""Reads FlexBuffers, completely or lazily. flex_write writes them.

C checks everything and converts it to tokens in one call (csrc/core/flex_tokens.h). Building values
from the tokens needs only one more check: that no map has duplicate keys.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, final

from ._core import ffi, lib
from .flex_write import dumps
from .input import opened

__all__ = ["FlexBuffersError", "Lazy", "dumps", "loads"]

_FLOAT = Struct("<f").unpack_from
_DOUBLE = Struct("<d").unpack_from

_ROOM = 2048
#: Whether a view keeps mutable memory in place; PyPy lets a bytearray be resized.
_STAYS = sys.implementation.name == "cpython"
_NULL: int = lib.WFBS_TOKEN_NULL
_TRUE: int = lib.WFBS_TOKEN_TRUE
_INT: int = lib.WFBS_TOKEN_INT
_UINT: int = lib.WFBS_TOKEN_UINT
_SINGLE: int = lib.WFBS_TOKEN_FLOAT
_WIDE: int = lib.WFBS_TOKEN_DOUBLE
_TEXT: int = lib.WFBS_TOKEN_TEXT
_AGAIN: int = lib.WFBS_TOKEN_TEXT_AGAIN
_BLOB: int = lib.WFBS_TOKEN_BLOB
_VECTOR: int = lib.WFBS_TOKEN_VECTOR

_IS_SCALAR: int = lib.WFBS_FLEX_IS_SCALAR
_IS_MAP: int = lib.WFBS_FLEX_IS_MAP
_NO_UTF8: int = lib.WFBS_FLEX_ERROR_UTF8
_DUPLICATE: int = lib.WFBS_FLEX_ERROR_DUPLICATE
_NO_REF = ffi.NULL


class FlexBuffersError(ValueError):
    """The bytes aren't a FlexBuffer, or break the rules of the format.

    The attribute ``offset`` is a position in the bytes.
    """

    offset: int


FlexBuffersError.__module__ = "autobahn_fbs.flexbuffers"


def _error(code: int, at: int) -> FlexBuffersError:
    text = ffi.string(lib.wfbs_flex_error_text(code)).decode()
    error = FlexBuffersError(f"{text}, at offset {at}")
    error.offset = at
    return error


class _Tokens:
    """Tokens of `data` (bytes, or a memoryview of bytes), and the position in them."""

    __slots__ = ("data", "next", "numbers", "texts")

    def __init__(self, data: Any, numbers: Sequence[int]) -> None:
        self.data = data
        self.numbers = numbers
        self.next = 0
        self.texts: dict[int, str] = {}

    def text(self) -> str:
        """The text whose kind is the next number."""
        numbers, place = self.numbers, self.next
        kind = numbers[place]
        start = numbers[place + 1]
        size = numbers[place + 2]
        self.next = place + 3
        key = start << 32 ^ size
        if kind == _AGAIN and key in self.texts:
            return self.texts[key]
        try:
            text = str(self.data[start : start + size], "utf-8")
        except UnicodeDecodeError:  # the bytes have changed since C read them
            raise _error(_NO_UTF8, start) from None
        self.texts[key] = text
        return text

    def value(self) -> Any:
        """The next value.

        :raises IndexError: the tokens have ended.
        """
        numbers, place = self.numbers, self.next
        kind = numbers[place]
        if kind in (_TEXT, _AGAIN):
            return self.text()
        if kind == _INT:
            self.next = place + 2
            return numbers[place + 1]
        if kind <= _TRUE:
            self.next = place + 1
            return None if kind == _NULL else kind == _TRUE
        number = numbers[place + 1]
        self.next = place + 2
        if kind == _WIDE:
            return _DOUBLE(self.data, number)[0]
        if kind == _SINGLE:
            return _FLOAT(self.data, number)[0]
        if kind == _UINT:
            return number if number >= 0 else number + (1 << 64)
        if kind == _VECTOR:
            items = []
            while number > 0:
                items.append(self.value())
                number -= 1
            return items
        self.next = place + 3
        if kind == _BLOB:
            return bytes(self.data[number : number + numbers[place + 2]])
        return self.map(number, numbers[place + 2])

    def map(self, count: int, keys: int) -> dict[str, Any]:
        """The map whose head has been read; `keys` is the position of its keys."""
        found: dict[str, Any] = {}
        left = count
        while left > 0:
            key = self.text()
            found[key] = self.value()
            left -= 1
        if len(found) != count:
            raise _error(_DUPLICATE, keys)
        return found


class _Scratch:
    """Memory for one call at a time."""

    __slots__ = ("fault", "numbers")

    def __init__(self) -> None:
        self.numbers = ffi.new("int64_t[]", _ROOM)
        self.fault = ffi.new("wfbs_flex_fault *")


_free: list[_Scratch] = []


def _scratch() -> _Scratch:
    try:
        return _free.pop()
    except IndexError:
        return _Scratch()


def _decoded(data: Any, buffer: Any, size: int, ref: Any, whole: bool) -> Any:
    """The target of a reference. `data` can be sliced; `buffer` is for C."""
    s = _scratch()
    numbers, fault = s.numbers, s.fault
    count = lib.wfbs_cffi_flex_read(buffer, size, ref, whole, numbers, _ROOM, fault)
    while count > len(numbers):  # repeats if the bytes have changed meanwhile
        numbers = ffi.new("int64_t[]", count)
        count = lib.wfbs_cffi_flex_read(buffer, size, ref, whole, numbers, count, fault)
    if count < 0:
        raise MemoryError
    # Many tokens are read in place: as Python ints they would take more memory than the value.
    many = numbers is not s.numbers
    tokens = _Tokens(data, numbers if many else ffi.unpack(numbers, count) if count else [])
    code, at = fault.error, fault.at
    _free.append(s)
    try:
        value = tokens.value()
    except IndexError:
        if code:
            raise _error(code, at) from None
        raise
    if code:
        raise _error(code, at)
    return value


@final
class Lazy:
    """A vector or map in a FlexBuffer. Its values are checked and decoded on access.

    ``lazy[index]`` and ``lazy[key]`` return another Lazy for a vector or map, and the value for
    anything else. ``len()``, iteration (over items, or over the keys of a map), ``in``, ``keys()``
    and ``get()`` work as for lists and dicts; ``value()`` decodes the whole. All of them raise
    FlexBuffersError if the bytes that they read are malformed.
    """

    __slots__ = ("__weakref__", "_buffer", "_count", "_map", "_ref", "_view", "is_map")

    is_map: bool
    _view: memoryview
    _buffer: Any
    _ref: Any
    _map: Any
    _count: int

    def __new__(cls, *args: Any, **kwargs: Any) -> Lazy:
        raise TypeError("cannot create 'autobahn_fbs.flexbuffers.Lazy' instances")

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<lazy FlexBuffers {'map' if self.is_map else 'vector'} of {self._count}>"

    def __iter__(self) -> Iterator[Any]:
        if self.is_map:
            return iter(self.keys())
        return (_element(self, i) for i in range(self._count))

    def __contains__(self, value: object, /) -> bool:
        if self.is_map:
            return _find(self, value) is not None
        return any(item is value or item == value for item in self)

    def __getitem__(self, key: Any, /) -> Any:
        if self.is_map:
            found = _find(self, key)
            if found is None:
                raise KeyError(key)
            return _element(self, found)
        try:
            index = operator.index(key)
        except TypeError:
            name = type(key).__name__
            raise TypeError(f"the index of a vector must be an int, not {name}") from None
        if index < 0:
            index += self._count
        if not 0 <= index < self._count:
            raise IndexError("index out of range")
        return _element(self, index)

    def keys(self) -> list[str]:
        """The keys of a map; TypeError for a vector."""
        if not self.is_map:
            raise TypeError("a vector has no keys")
        fault = ffi.new("wfbs_flex_fault *")
        room = 3 * self._count
        numbers = ffi.new("int64_t[]", room)
        arguments = (self._buffer, len(self._buffer), self._map, numbers, room, fault)
        count = lib.wfbs_cffi_flex_keys(*arguments)
        if fault.error:
            raise _error(fault.error, fault.at)
        tokens = _Tokens(self._view, ffi.unpack(numbers, count) if count else [])
        return [tokens.text() for _ in range(self._count)]

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value for a key of a map, or the default; TypeError for a vector."""
        if not self.is_map:
            raise TypeError("a vector has no keys")
        found = _find(self, key)
        return default if found is None else _element(self, found)

    def value(self) -> Any:
        """The whole container decoded: a list or a dict."""
        return _decoded(self._view, self._buffer, len(self._buffer), self._ref, True)


Lazy.__module__ = "autobahn_fbs.flexbuffers"


def _lazy(view: memoryview, buffer: Any, ref: Any) -> Any:
    """A Lazy for a reference to a container; the value of anything else."""
    found = ffi.new("wfbs_flex_map *")
    fault = ffi.new("wfbs_flex_fault *")
    shape = lib.wfbs_cffi_flex_container(buffer, len(buffer), ref, found, fault)
    if shape == _IS_SCALAR:
        return _decoded(view, buffer, len(buffer), ref, False)
    if fault.error:
        raise _error(fault.error, fault.at)
    lazy: Lazy = object.__new__(Lazy)
    lazy._view = view
    lazy._buffer = buffer
    lazy._ref = ref
    lazy._map = found
    lazy._count = found.values.count
    lazy.is_map = shape == _IS_MAP
    return lazy


def _element(lazy: Lazy, index: int) -> Any:
    ref = ffi.new("wfbs_flex_ref *")
    lib.wfbs_cffi_flex_item(lazy._buffer, len(lazy._buffer), lazy._map, index, ref)
    return _lazy(lazy._view, lazy._buffer, ref)


def _find(lazy: Lazy, key: object) -> int | None:
    """The index of a key, None if there is none."""
    if not isinstance(key, str):
        return None
    try:
        text = str.encode(key)
    except UnicodeEncodeError:  # a surrogate, which no key contains
        return None
    if b"\0" in text:
        return None
    fault = ffi.new("wfbs_flex_fault *")
    found: int = lib.wfbs_cffi_flex_find(
        lazy._buffer, len(lazy._buffer), lazy._map, text, len(text), fault
    )
    if fault.error:
        raise _error(fault.error, fault.at)
    return found if found < lazy._count else None


def _lazy_root(data: Any) -> Any:
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("the buffer of a FlexBuffer must be contiguous")
    if not _STAYS and type(view.obj) is not bytes:
        view = memoryview(view.tobytes())
    if view.format != "B" or view.ndim != 1:
        view = view.cast("B")
    buffer = ffi.from_buffer("uint8_t[]", view)
    ref = ffi.new("wfbs_flex_ref *")
    fault = ffi.new("wfbs_flex_fault *")
    lib.wfbs_cffi_flex_root(buffer, len(buffer), ref, fault)
    if fault.error:
        raise _error(fault.error, fault.at)
    return _lazy(view, buffer, ref)


def loads(data: Any, /, lazy: bool = False) -> Any:
    """Decodes a FlexBuffer.

    Everything is checked. Where the format is not specific: containers may share parts as long as
    these don't add up to much more than the buffer (about four times its size; a repeated text
    counts one sixteenth); containers may be nested 256 deep; a map may have its keys in any order,
    but no duplicates; bytes that nothing refers to are ignored.

    :param data: a bytes-like object with one FlexBuffer and nothing after it, because the format is
        read from the end.
    :param lazy: return a Lazy for a vector or map, which decodes (and checks) values on access:
        loads(data, lazy=True)["a"][3]["b"]. Any other value is decoded immediately. The Lazy keeps
        data alive. Don't change data meanwhile; on PyPy, anything but bytes is copied.
    :raises FlexBuffersError: the bytes are malformed; a ValueError with the attribute offset.
    """
    if lazy:
        return _lazy_root(data)
    found = data if type(data) is bytes else opened(data, in_pieces=False)
    return _decoded(found, found, len(found), _NO_REF, True)
