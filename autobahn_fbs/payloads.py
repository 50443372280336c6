"""Payload codecs: how ``args`` and ``kwargs`` are written inside the FlatBuffers envelope.

CBOR and FlexBuffers are in C. JSON, MessagePack and UBJSON go through Autobahn's own object
serializers, WAMP's binary-in-JSON convention included. Applications can add their own.

Every message says which codec wrote it (schema field ``ppt_serializer``), so a receiver reads all
of them whatever it is configured to write.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from autobahn.wamp.exception import ProtocolError

from . import _ubjson

Dumps = Callable[[Any], bytes]
Loads = Callable[[memoryview], Any]


class _Codec(NamedTuple):
    dumps: Dumps
    loads: Loads


#: Ids with a value of their own in the schema's ``PPTSerializer``; 0 is what upstream writes for
#: CBOR.
NUMBERS = {"cbor": 0, "json": 1, "msgpack": 2, "ubjson": 4, "flexbuffers": 7}
_NAMES = {number: name for name, number in NUMBERS.items() if number}

#: ``PPTSerializer.OPAQUE``: the codec's name is in the message's metadata.
NAMED = 5

_CUSTOM_ID = re.compile(r"x_[a-z][a-z0-9_]+\Z")
_registered: dict[str, _Codec] = {}


def register_payload_serializer(id: str, dumps: Dumps, loads: Loads) -> None:
    """Adds a payload codec of your own, for reading and for ``payload_serializer=id``.

    The id travels in the metadata of every message that the codec wrote; a receiver that has not
    registered it gets a ``ProtocolError`` when it reads ``args`` or ``kwargs``, and can still read
    all the rest and pass the message on.

    :param id: ``x_`` and a name of two or more lower-case letters, digits and underscores, a letter
        first (the WAMP rule for custom attributes), such as ``"x_pickle5"``. Registering an id
        again replaces its codec.
    :param dumps: takes what a message has as args (a list or tuple) or kwargs (a dict) and returns
        ``bytes``.
    :param loads: takes a read-only ``memoryview`` of those bytes and returns a list or a dict, no
        tuple. It runs on what a peer sent; whatever it raises becomes a ``ProtocolError``.
    :raises ValueError: if the id is not of that form.
    :raises TypeError: if ``dumps`` or ``loads`` can't be called.
    """
    if not isinstance(id, str) or not _CUSTOM_ID.match(id):
        raise ValueError(
            f"payload serializer id {id!r} is not of the form x_name, where the name is a "
            "lower-case letter and one or more lower-case letters, digits or underscores"
        )
    if not callable(dumps) or not callable(loads):
        raise TypeError(f"dumps and loads of {id!r} must be callable")
    _registered[id] = _Codec(dumps, loads)


def unregister_payload_serializer(id: str) -> None:
    """Removes a codec that :func:`autobahn_fbs.register_payload_serializer` added.

    :raises KeyError: if there is none of that id.
    """
    del _registered[id]


def known_ids() -> list[str]:
    """The ids that ``payload_serializer=`` takes here and now, sorted."""
    from autobahn.wamp.serializer import SERID_TO_OBJSER

    return sorted(
        [name for name in NUMBERS if name in ("cbor", "flexbuffers") or name in SERID_TO_OBJSER]
        + list(_registered)
    )


def number_of(id: str) -> int:
    """The ``PPTSerializer`` value of a codec.

    :raises ValueError: if the id is not known, or what it needs is not installed.
    """
    if id not in known_ids():
        raise ValueError(f"unknown payload serializer {id!r} (known: {known_ids()})")
    return NUMBERS.get(id, NAMED)


def _upstream(number: int) -> Any:
    from autobahn.wamp.serializer import SERID_TO_OBJSER

    name = _NAMES.get(number)
    if name not in SERID_TO_OBJSER:
        raise ProtocolError(f"payload codec {name or number} is not known here")
    return SERID_TO_OBJSER[name]()


def _custom(name: str | None) -> _Codec:
    codec = _registered.get(name) if name else None
    if codec is None:
        raise ProtocolError(f"payload codec {name!r} is not registered here")
    return codec


def dumps(number: int, name: str | None, value: Any) -> bytes:
    """Encodes args or kwargs with a codec that is not in C."""
    if number == NAMED:
        data = _custom(name).dumps(value)
        if not isinstance(data, bytes):
            raise TypeError(f"payload codec {name!r} returned {type(data).__name__}, not bytes")
        return data
    return bytes(_upstream(number).serialize(value))


def loads(number: int, name: str | None, view: memoryview) -> Any:
    """Decodes args or kwargs with a codec that is not in C."""
    if number == NAMED:
        return _custom(name).loads(view)
    # JSON is text, so its one copy is due; the others read the received buffer itself, but for the
    # MessagePack that Autobahn has on PyPy.
    copied = ("json", "msgpack") if sys.implementation.name == "pypy" else ("json",)
    payload = bytes(view) if _NAMES.get(number) in copied else view
    if _NAMES.get(number) == "ubjson":
        _ubjson.check(view)
    values = _upstream(number).unserialize(payload)
    if len(values) != 1:
        raise ValueError(f"{len(values)} values instead of one")
    return values[0]
