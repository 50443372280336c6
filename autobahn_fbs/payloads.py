"""Payload codecs: they encode ``args`` and ``kwargs`` inside the FlatBuffers envelope.

CBOR and FlexBuffers are in C. JSON, MessagePack and UBJSON use Autobahn's own object serializers,
including WAMP's convention for binary values in JSON. Applications can add their own codecs.

Every message names its codec (schema field ``ppt_serializer``), so a receiver can read all of them,
whatever its own codec is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from autobahn.wamp.exception import ProtocolError

from . import _backend, _codec_numbers, _ubjson_guard
from ._binary import as_bytes

Dumps = Callable[[Any], bytes]
Loads = Callable[[memoryview], Any]


class _Codec(NamedTuple):
    dumps: Dumps
    loads: Loads


#: Ids that have a value of their own in the schema's ``PPTSerializer``. Upstream writes 0 for CBOR.
NUMBERS = {
    "cbor": _codec_numbers.TRANSPORT,
    "json": _codec_numbers.JSON,
    "msgpack": _codec_numbers.MSGPACK,
    "ubjson": _codec_numbers.UBJSON,
    "flexbuffers": _codec_numbers.FLEXBUFFERS,
}
#: The libraries that Autobahn uses for a codec. Autobahn 25 uses py-ubjson.
_LIBRARIES = {"msgpack": "msgpack (or u-msgpack-python on PyPy)", "ubjson": "bjdata (or py-ubjson)"}
_NAMES = {number: name for name, number in NUMBERS.items() if number}

#: ``PPTSerializer.OPAQUE``: the codec's name is in the message's metadata.
NAMED = _codec_numbers.OPAQUE

_CUSTOM_ID = re.compile(r"x_[a-z][a-z0-9_]+\Z")
_registered: dict[str, _Codec] = {}


def register_payload_serializer(id: str, dumps: Dumps, loads: Loads) -> None:
    """Adds your own payload codec, for reading and for ``payload_serializer=id``.

    The id is sent in the metadata of every message that the codec encodes. A receiver that has not
    registered it gets a ``ProtocolError`` when it reads ``args`` or ``kwargs``. It can still read
    everything else and forward the message.

    After :func:`autobahn_fbs.install`, sessions can select the codec as ``flatbuffers-`` and the
    id, optionally followed by ``.batched``. It may be registered before or after ``install()``.

    :param id: ``x_`` and a name of two or more lower-case letters, digits and underscores that
        begins with a letter (the WAMP rule for custom attributes), such as ``"x_pickle5"``.
        Registering an id again replaces its codec.
    :param dumps: takes the args (a list or tuple) or kwargs (a dict) of a message and returns
        ``bytes``.
    :param loads: takes a read-only ``memoryview`` of those bytes and returns a list or a dict, not
        a tuple. Its input comes from a peer. Any exception that it raises becomes a
        ``ProtocolError``.
    :raises ValueError: the id doesn't have that form.
    :raises TypeError: ``dumps`` or ``loads`` is not callable.
    """
    if not isinstance(id, str) or not _CUSTOM_ID.match(id):
        raise ValueError(
            f"payload serializer id {id!r} is not of the form x_name, where the name is a "
            "lower-case letter and one or more lower-case letters, digits or underscores"
        )
    if not callable(dumps) or not callable(loads):
        raise TypeError(f"dumps and loads of {id!r} must be callable")
    _registered[id] = _Codec(dumps, loads)
    _tell_install(id)


def unregister_payload_serializer(id: str) -> None:
    """Removes a codec that :func:`autobahn_fbs.register_payload_serializer` added.

    :raises KeyError: no codec with that id is registered.
    """
    del _registered[id]
    _tell_install(id)


def _tell_install(id: str) -> None:
    """Has Autobahn's registry follow, if the drop-in is installed."""
    install = sys.modules.get("autobahn_fbs._install")
    if install is not None:
        install.codec_changed(id)


def known_ids() -> list[str]:
    """The ids that ``payload_serializer=`` currently accepts, sorted."""
    from autobahn.wamp.serializer import SERID_TO_OBJSER

    return sorted(
        [name for name in NUMBERS if name in ("cbor", "flexbuffers") or name in SERID_TO_OBJSER]
        + list(_registered)
    )


def number_of(id: str) -> int:
    """The ``PPTSerializer`` value of a codec.

    :raises ValueError: the id is unknown, or a library that it needs is not installed.
    """
    if id not in known_ids():
        remedy = (
            f"install {_LIBRARIES[id]}, which it needs"
            if id in _LIBRARIES
            else "register it with autobahn_fbs.register_payload_serializer()"
            if isinstance(id, str) and _CUSTOM_ID.match(id)
            else "check the spelling"
        )
        raise ValueError(f"unknown payload serializer {id!r} (known: {known_ids()}): {remedy}")
    return NUMBERS.get(id, NAMED)


def codec_id(number: int, name: object) -> str:
    """The id of the codec of a message, from its ``PPTSerializer`` value and its name in the
    metadata. A custom codec without a name is ``"opaque"``. A value that the schema lacks is
    returned as digits. Payloads with either can't be decoded."""
    if number == NAMED:
        return name if isinstance(name, str) else "opaque"
    if number in (_codec_numbers.TRANSPORT, _codec_numbers.CBOR):
        return "cbor"
    return _NAMES.get(number, str(number))


def _upstream(name: str) -> Any:
    from autobahn.wamp.serializer import SERID_TO_OBJSER

    if name not in SERID_TO_OBJSER:
        raise ProtocolError(f"payload codec {name} is not known here")
    return SERID_TO_OBJSER[name]()


# Autobahn uses other libraries if environment variables say so, on PyPy, and in other versions.
# These functions therefore check the codec itself, not the interpreter.


def _is_umsgpack(codec: Any) -> bool:
    module = getattr(codec, "MSGPACK_MODULE", None)
    return getattr(module, "__name__", "") == "umsgpack"


def _reads_only_bytes(codec: Any) -> bool:
    """Whether it can't read a memoryview. This applies to JSON, which is text, and umsgpack."""
    return hasattr(codec, "JSON_MODULE") or _is_umsgpack(codec)


def _ujson(codec: Any) -> Any:
    """ujson if AUTOBAHN_USE_UJSON makes Autobahn use it, otherwise None. Autobahn's own JSON
    serializer passes options that ujson doesn't know."""
    module = getattr(codec, "JSON_MODULE", None)
    return module if getattr(module, "__name__", "") == "ujson" else None


def _check_json(value: Any) -> None:
    """Checks that no text would be read back as binary, in a value that is known to be encodable.

    :raises ValueError: a text would.
    """
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str) and each.startswith("\0"):
            raise ValueError(
                "text that begins with a zero character can't be sent in JSON, because it would"
                f" be read as binary: {each[:20]!r}"
            )
        if isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, (list, tuple)):
            todo += each


def _guard(codec: Any, data: bytes | memoryview, read: bool) -> None:
    """Checks that the codec's library can read this data safely.

    :param read: whether a peer wrote the data.
    :raises ValueError: it can't.
    """
    # msgpack accepts only text and binary keys, as this check does, but only when it reads.
    # umsgpack accepts others, whose hashes a peer could choose so that they collide.
    if _is_umsgpack(codec) if read else hasattr(codec, "MSGPACK_MODULE"):
        _backend.native.msgpack_check(data)
    library = getattr(codec, "UBJSON_MODULE", None)
    if library:
        # bjdata's numbers are little-endian, those of py-ubjson are big-endian.
        _ubjson_guard.check(memoryview(data), "little" if library.__name__ == "bjdata" else "big")


def _written(codec: Any, value: Any) -> bytes:
    """Encodes a value, and checks that `loads` won't refuse the result.

    :raises ValueError: it would.
    """
    data = bytes(codec.serialize(value))
    _guard(codec, data, read=False)
    return data


def _dumps(codec: Any, value: Any) -> bytes:
    if not hasattr(codec, "JSON_MODULE"):
        return _written(codec, value)
    module = _ujson(codec)
    data = module.dumps(value).encode() if module else bytes(codec.serialize(value))
    if b'"\\u0000' in data:  # the beginning of such a text, or of binary data
        _check_json(value)
    return data


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
    codec = _upstream(_NAMES.get(number, str(number)))
    if hasattr(codec, "UBJSON_MODULE"):  # which writes a memoryview as a list of numbers
        return _written(codec, as_bytes(value))
    try:
        return _dumps(codec, value)
    except MemoryError:
        raise
    except Exception:
        binary = as_bytes(value)
        if binary is value:
            raise
        return _dumps(codec, binary)


def loads(number: int, name: str | None, view: memoryview) -> Any:
    """Decodes args or kwargs with a codec that is not in C."""
    if number == NAMED:
        return _custom(name).loads(view)
    codec = _upstream(_NAMES.get(number, str(number)))
    module = _ujson(codec)
    if module:
        return module.loads(bytes(view))
    _guard(codec, view, read=True)
    values = codec.unserialize(bytes(view) if _reads_only_bytes(codec) else view)
    if len(values) != 1:
        raise ValueError(f"{len(values)} values instead of one")
    return values[0]
