"""The properties of received messages. Each decodes its field when it is first read.

A message keeps the int record that the core made. A decoded or assigned value is in the list
`_kept`, and the record is marked: KEPT. Text, ints and bools are created again each time they are
read, because on PyPy this costs less than keeping them.

Each property is a closure over its attribute, so that PyPy's compiler sees constants.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock
from typing import Any

from . import payload
from .classes import Attribute
from .convert import is_ppt_name
from .decode import absent, integer, value_of
from .record import ABSENT, ASSIGNED, EXPOSED, FIELDS, KEPT, LARGE, LENGTH, UNSET, pristine

Getter = Callable[[Any], Any]

#: In the record, marks absent args or kwargs that have been read.
READ_ABSENT = -4


#: Held while a message's state changes, because other threads may read and assign at the same time,
#: and Python can be interrupted between any two steps. Reentrant, because a finalizer may run
#: meanwhile. Code that only reads the state does so once, and needs no lock.
_CHANGING = RLock()
if hasattr(os, "register_at_fork"):  # or a child could find it locked by a thread that it lacks
    os.register_at_fork(
        before=_CHANGING.acquire,
        after_in_parent=_CHANGING.release,
        after_in_child=_CHANGING.release,
    )


def keep(message: Any, index: int, value: Any) -> None:
    """Makes `value` the message's value of attribute `index`."""
    record = message._record
    with _CHANGING:
        kept = message._kept
        if kept is None:
            kept = message._kept = [None] * (len(record) - FIELDS)
        kept[index] = value
        record[FIELDS + index] = KEPT


def _settle(message: Any, a: Attribute, value: Any) -> Any:
    """Keeps a decoded value, and returns the message's current value: another thread, or Python
    code that ran while decoding, may have read or assigned the attribute meanwhile."""
    record = message._record
    with _CHANGING:
        if a.mutable:
            record[EXPOSED] |= a.bit  # first: a copy made now then shares the kept values
        if record[FIELDS + a.index] == KEPT:
            return message._kept[a.index]
        keep(message, a.index, value)
    return value


def _missing(a: Attribute) -> Any:
    raise AttributeError(a.private)


def _text(a: Attribute) -> Getter:
    place, index = FIELDS + a.index, a.index

    def get(self: Any) -> Any:
        value = self._record[place]
        if value >= 0:
            start = value >> 32
            return self._buffer[start : start + (value & LENGTH)].decode()
        if value == KEPT:
            return self._kept[index]
        return None if value == ABSENT else _missing(a)

    return get


def _integer(a: Attribute) -> Getter:
    place, index = FIELDS + a.index, a.index
    otherwise = absent(a, None)

    def get(self: Any) -> Any:
        value = self._record[place]
        if value >= 0:
            return value
        if value == ABSENT:
            return otherwise
        if value == KEPT:
            return self._kept[index]
        if value > LARGE:
            return _missing(a)
        return _settle(self, a, integer(self._buffer, value))

    return get


def _bool(a: Attribute) -> Getter:
    place, index = FIELDS + a.index, a.index

    def get(self: Any) -> Any:
        value = self._record[place]
        if value >= 0:
            return value == 1
        if value == KEPT:
            return self._kept[index]
        return None if value == ABSENT else _missing(a)

    return get


def _general(a: Attribute) -> Getter:
    """For a value that is worth keeping and may be changed in place."""
    place, index, bit, mutable = FIELDS + a.index, a.index, a.bit, a.mutable
    payload = a.use in ("ARGS", "KWARGS")

    def get(self: Any) -> Any:
        record = self._record
        state = record[place]
        if state == KEPT:
            value = self._kept[index]
            if mutable and value is not None and not record[EXPOSED] & bit:
                _settle(self, a, value)  # it came from the metadata, and nobody has read it before
            return value
        if state == READ_ABSENT:
            return None
        if state == UNSET:
            return _missing(a)
        value = value_of(a, self, state)
        if value is not None or (payload and state != ABSENT):
            return _settle(self, a, value)
        if payload:
            with _CHANGING:
                if record[place] == KEPT:
                    return self._kept[index]
                record[place] = READ_ABSENT
        return None

    return get


def getter(a: Attribute) -> Getter:
    """Reads the private attribute: None if absent."""
    if a.use in ("STR", "ENC_KEY"):
        return _text(a)
    if a.use == "INT":
        return _integer(a)
    if a.use == "BOOL":
        return _bool(a)
    return _general(a)


def defaulting_getter(a: Attribute, private: Getter) -> Getter:
    """Reads the public attribute, for which Autobahn's properties turn None into {}."""

    def get(self: Any) -> Any:
        value = private(self)
        return {} if value is None else value

    return get


def setter(a: Attribute) -> Callable[[Any, Any], None]:
    """Assigns the private attribute, without checks."""
    index, bit = a.index, a.bit

    def assign(self: Any, value: Any) -> None:
        with _CHANGING:
            self._record[ASSIGNED] |= bit  # first: see _settle
            keep(self, index, value)
        self._cache = None  # the cached bytes no longer match the message

    return assign


def checking_setter(a: Attribute) -> Callable[[Any, Any], None]:
    """Assigns the attribute that Autobahn's classes lack."""
    private = setter(a)

    def assign(self: Any, value: Any) -> None:
        if value is not None and not is_ppt_name(a, value):
            raise ValueError(f"{a.name}: {value!r} is not a cipher that WAMP defines")
        private(self, value)

    return assign


def deleter(a: Attribute) -> Callable[[Any], None]:
    """Refuses to delete the private attribute."""

    def delete(self: Any) -> None:
        raise AttributeError(f"can't delete attribute {a.private!r}")

    return delete


def view(a: Attribute) -> Getter:
    """A read-only view of the field's bytes."""
    place, bit = FIELDS + a.index, a.bit

    def get(self: Any) -> memoryview | None:
        record = self._record
        if self._buffer is None or record[ASSIGNED] & bit:
            return None
        span = record[place]
        if span == KEPT:
            span = pristine(self)[place]
        return payload.view(self, span) if span >= 0 else None

    return get


def codec(args: Attribute, kwargs: Attribute) -> Getter:
    """The id of the codec that args and kwargs are in."""
    args_view, kwargs_view = view(args), view(kwargs)

    def get(self: Any) -> str | None:
        if args_view(self) is None and kwargs_view(self) is None:
            return None
        from .. import _helpers

        return _helpers.payload_codec(*payload.codec_of(self))

    return get


def properties(attributes: tuple[Attribute, ...]) -> dict[str, property]:
    """All properties of a received class, by name."""
    found: dict[str, property] = {}
    for a in attributes:
        private, assign = getter(a), setter(a)
        public = defaulting_getter(a, private) if a.defaulting else private
        checked = a.property.fset if a.property else checking_setter(a)
        found[a.name] = property(public, checked)
        found[a.private] = property(private, assign, deleter(a))
        if a.use in ("ARGS", "KWARGS", "PAYLOAD"):
            found[f"{a.name}_view"] = property(view(a), doc=_VIEW)
    by_use = {a.use: a for a in attributes}
    if "ARGS" in by_use:
        found["payload_codec"] = property(codec(by_use["ARGS"], by_use["KWARGS"]), doc=_CODEC)
    return found


_CODEC = "The id of the codec that args_view and kwargs_view are in; None without either."


_VIEW = (
    "The field's bytes in the received buffer, read-only and not copied; None if absent or since "
    "assigned."
)
