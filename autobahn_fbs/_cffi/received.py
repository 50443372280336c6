"""Received messages: one subclass of each of Autobahn's message classes.

The attributes are in ``attributes.py``.
"""

from __future__ import annotations

from typing import Any

from autobahn.wamp.message import Message

from .._compatible import NEVER_SENT
from . import metadata, payload
from .attributes import keep, properties
from .classes import CLASSES, AnyObjectSerializer, Attribute, MessageClass, register
from .record import (
    ABSENT,
    ASSIGNED,
    DIALECT,
    EXPOSED,
    FIELDS,
    KEPT,
    MESSAGE,
    METADATA,
    NO_LIMITS,
    SIZE,
    START,
    UNSET,
    read,
)

_new = object.__new__


def make(record: list[int], buffer: bytes) -> Any:
    """The message for a record of the core.

    :raises ProtocolError: its metadata is invalid.
    """
    received = _RECEIVED[record[MESSAGE]]
    self: Any = _new(received)
    self._buffer = buffer
    self._record = record
    self._kept = None
    self._cache = None
    self._from_fbs = None
    self._correlation_id = None
    self._correlation_uri = None
    self._correlation_is_anchor = None
    self._correlation_is_last = None
    self._router_internal = None
    if record[METADATA] != ABSENT:
        metadata.apply(CLASSES[record[MESSAGE]], self)
    return self


def _class_init(c: MessageClass) -> dict[str, Any]:
    """The initial state of messages from the constructor: nothing assigned, and no buffer."""
    header = [0] * FIELDS
    header[MESSAGE], header[METADATA] = c.index, ABSENT
    begin = header + [ABSENT if a is None or a.property is None else UNSET for a in c.attributes]

    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:
        self = _new(cls)
        self._buffer = None
        self._record = begin[:]
        self._kept = None
        self._cache = None
        return self

    def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:
        raise TypeError(f"received {c.table.name} is not an acceptable base type")

    return {"__new__": __new__, "__init_subclass__": classmethod(__init_subclass__)}


# ---- the cache of serializations


def _get_serialized(self: Any) -> Any:
    if self._cache is None:
        self._cache = {}
    return self._cache


def _set_serialized(self: Any, value: Any) -> None:
    self._cache = value


def _delete_serialized(self: Any) -> None:
    self._cache = None


# ---- comparing


def _same_content(c: MessageClass, self: Any, other: Any) -> bool:
    """Whether two messages are equal in every attribute that both have."""
    return all(
        getattr(self, a.name) == getattr(other, a.name)
        for a in c.used
        if a.property is not None or type(other) is c.received
    )


def _same_encoding(a: Attribute, fresh: Any, self: Any) -> bool:
    """Compares an exposed attribute of two messages. Compares encodings, because True == 1 == 1.0,
    and an equal list may differ in such values."""
    before, now = getattr(fresh, a.name), getattr(self, a.name)
    if a.use == "ROLES":
        return bool(before == now)
    number, name = payload.CBOR, None
    if a.use in ("ARGS", "KWARGS"):  # their own codec may know types that CBOR does not
        number, name = payload.codec_of(self)
    try:
        expected = payload.encode(number, name, before)
    except MemoryError:
        raise
    except Exception:  # a value that was read may have no encoding (half a surrogate pair)
        return bool(before == now)
    try:
        return payload.encode(number, name, now) == expected
    except MemoryError:
        raise
    except Exception:
        return False


def is_unchanged(c: MessageClass, self: Any) -> bool:
    """Whether a received message is still equal to its bytes."""
    record = self._record
    if self._buffer is None or record[ASSIGNED]:
        return False
    exposed = record[EXPOSED]
    if not exposed:
        return True
    # Other code may have a list or dict of this message. Decode it again and compare.
    again = read(self._buffer, record[START], record[SIZE], record[DIALECT], NO_LIMITS)
    assert again is not None, "verified bytes don't change"
    fresh = make(again, self._buffer)
    fresh._uncounted = True
    return all(_same_encoding(a, fresh, self) for a in c.used if exposed & a.bit)


def _comparisons(c: MessageClass) -> dict[str, Any]:
    def __eq__(self: Any, other: object) -> bool:
        return isinstance(other, c.plain) and _same_content(c, self, other)

    def __ne__(self: Any, other: object) -> bool:
        return not __eq__(self, other)

    return {"__eq__": __eq__, "__ne__": __ne__, "__hash__": None}


# ---- copying


def _copy(self: Any) -> Any:
    """A new message over the same buffer, without the cache of serializations. The two messages
    then share the kept values, so they count as exposed."""
    twin = _new(type(self))
    twin._buffer = self._buffer
    record = self._record
    for a in CLASSES[record[MESSAGE]].used:
        if a.mutable and record[FIELDS + a.index] == KEPT:
            record[EXPOSED] |= a.bit
    twin._record = record[:]
    twin._kept = self._kept and self._kept[:]
    twin._cache = None
    twin._uncounted = True
    for name in ("_from_fbs", *NEVER_SENT):
        if hasattr(self, name):
            setattr(twin, name, getattr(self, name))
    return twin


def _deepcopy(self: Any, memo: Any) -> Any:
    from .._helpers import deepcopy

    twin = _copy(self)
    c = CLASSES[twin._record[MESSAGE]]
    for a in c.used:
        if a.mutable and twin._record[FIELDS + a.index] == KEPT:
            keep(twin, a.index, deepcopy(twin._kept[a.index], memo))
    return twin


def _reduce(self: Any) -> Any:
    """Pickles a message as its bytes (encoded again if changed), its dialect and the attributes
    that are never sent."""
    from .. import _helpers

    schema = self._record[DIALECT] == 1
    return _helpers.reduce(self, _helpers.encode(self, schema), schema)


def _text(self: Any) -> str:
    """Like Autobahn's, but never raises the errors of reading an attribute."""
    from .. import _helpers

    return _helpers.text(self)


def _serialize(self: Any, serializer: Any, /) -> bytes:
    """The message's bytes for an object serializer, from its cache if they are there.

    An unchanged received message returns the bytes that were received, for serializers of this
    package. Any other serializer gets the result of marshal().
    """
    data: bytes
    if isinstance(serializer, AnyObjectSerializer):
        data = serializer.serialize(self)
    else:
        data = Message.serialize(self, serializer)
    return data


# ---- the classes


def _received_class(c: MessageClass) -> Any:
    namespace: dict[str, Any] = {
        # Only copies have _uncounted: they were already counted as received.
        "__slots__": ("_buffer", "_cache", "_kept", "_record", "_uncounted"),
        "__module__": "autobahn_fbs._cffi",
        "__doc__": c.plain.__doc__,
        "__copy__": _copy,
        "__deepcopy__": _deepcopy,
        "__reduce__": _reduce,
        "__str__": _text,
        "serialize": _serialize,
        "_serialized": property(_get_serialized, _set_serialized, _delete_serialized),
        **_class_init(c),
        **_comparisons(c),
        **properties(c.used),
    }
    metaclass: Any = type(c.plain)
    received = metaclass(c.plain.__name__, (c.plain,), namespace)
    del received.__slots__  # code that accesses a message's slots expects Autobahn's
    return received


for _c in CLASSES:
    _c.received = _received_class(_c)
    register(_c.received, _c)

_RECEIVED = [c.received for c in CLASSES]

#: Autobahn's class name -> our class.
RECEIVED = {c.table.name: c.received for c in CLASSES}
