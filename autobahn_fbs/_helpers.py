"""Rare paths that the extension leaves to Python, and calls by name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from autobahn.wamp import message
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.role import ROLE_NAME_TO_CLASS

from . import _codec_numbers
from ._backend import native
from ._compatible import NEVER_SENT
from ._refusal_hint import hint as refusal_hint  # called from C
from ._unencodable import hint, where_and_what_to_do
from .payloads import codec_id as payload_codec  # the extension calls these three
from .payloads import dumps as payload_dumps
from .payloads import loads as payload_loads

# The index of details (or options) in the result of marshal(), by message class.
_DETAILS_INDEX = {
    message.Hello: 2,
    message.Welcome: 2,
    message.Abort: 1,
    message.Challenge: 2,
    message.Authenticate: 2,
    message.Goodbye: 1,
    message.Error: 3,
    message.Publish: 2,
    message.Subscribe: 2,
    message.Unsubscribe: 3,
    message.Unsubscribed: 2,
    message.Event: 3,
    message.Call: 2,
    message.Cancel: 2,
    message.Result: 2,
    message.Register: 2,
    message.Unregister: 3,
    message.Unregistered: 2,
    message.Invocation: 3,
    message.Interrupt: 2,
    message.Yield: 2,
}

#: The maximum number of characters from a peer, or from an error about them, in an error text.
SHOWN = 200

__all__ = [
    "advice",
    "deepcopy",
    "details",
    "encode",
    "merge_roles",
    "parse",
    "payload_codec",
    "payload_dumps",
    "payload_loads",
    "reduce",
    "refusal_hint",
    "restore",
    "text",
]

deepcopy: Callable[[Any, Any], Any] = copy.deepcopy


def details(msg: message.Message) -> dict[str, Any]:
    """The complete details of a message, as in ``marshal()``; a new dict."""
    for cls in type(msg).__mro__:
        if cls in _DETAILS_INDEX:
            twin = copy.copy(msg)
            if isinstance(twin, message.MessageWithAppPayload):
                twin._args = twin._kwargs = None  # not needed here, and possibly not decodable
            raw = twin.marshal()
            index = _DETAILS_INDEX[cls]
            found = dict(raw[index]) if len(raw) > index else {}
            if cls in (message.Hello, message.Welcome):
                # Equal messages have equal bytes, whatever the order of their roles.
                found["roles"] = dict(sorted(found["roles"].items()))
            return found
    return {}


def advice(number: int, value: Any) -> str:
    """An addition to a codec's error about args or kwargs: the place of the value that can't be
    encoded, and what to send instead. "" for a custom codec, because we don't know its types.

    :param number: the codec's ``PPTSerializer``.
    """
    if number == _codec_numbers.OPAQUE:
        return ""
    if number == _codec_numbers.FLEXBUFFERS:  # its errors already state the place
        return hint(value, native.flex_dumps)
    if number in (_codec_numbers.TRANSPORT, _codec_numbers.CBOR):
        return where_and_what_to_do(value, native.cbor_dumps, is_cbor=True)
    return where_and_what_to_do(value, lambda inner: payload_dumps(number, None, inner))


def parse(raw: list[Any]) -> message.Message:
    """A message from a raw WAMP list, checked by Autobahn's own ``parse``."""
    from autobahn.wamp.serializer import Serializer

    if not raw or type(raw[0]) is not int or raw[0] not in Serializer.MESSAGE_TYPE_MAP:
        kind = raw[0] if raw else "nothing"
        raise ProtocolError(f"invalid WAMP message type {kind!r} in a raw list")
    cls: Any = Serializer.MESSAGE_TYPE_MAP[raw[0]]
    parsed: message.Message = cls.parse(raw)
    return parsed


class _Unreadable:
    """The text shown in place of an attribute that can't be read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __repr__(self) -> str:
        return f"<{_described(self._error)}>"


def _described(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {str(error)[:SHOWN]}"
    except Exception:
        return type(error).__name__


def text(msg: message.Message) -> str:
    """The result of ``str()`` for a received message: Autobahn's text, with the error in place of
    args or kwargs that can't be decoded, or a short text if something else can't be shown.
    Transports log messages before anything has read them, so this never raises."""
    try:
        return message.Message.__str__(msg)
    except Exception:
        pass
    try:
        twin: Any = copy.copy(msg)
        for name in ("args", "kwargs"):
            try:
                getattr(twin, name, None)
            except Exception as error:
                setattr(twin, f"_{name}", _Unreadable(error))
        return message.Message.__str__(twin)
    except Exception as error:
        return f"{type(msg).__name__.upper()}:: <can't be shown: {_described(error)}>"


def _role(name: str, features: dict[str, Any], label: str) -> Any:
    """One role with these features.

    This function is short because CPython stores where in a handler an exception occurred as an
    int. Above 256, that needs an allocation, which CPython retries endlessly when memory is
    exhausted."""
    try:
        return ROLE_NAME_TO_CLASS[name](**features)
    except (ProtocolError, TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(
            f"{label}.roles: metadata entry of {name!r}: {str(error)[:SHOWN]}"
        ) from error


def merge_roles(typed: dict[str, Any], entry: Any, label: str) -> dict[str, Any]:
    """Adds the roles of a details map to those of the typed tables (WAMP section "Session
    Establishment"). Raises ProtocolError if they are malformed or contradict each other."""
    allowed = (
        ("broker", "dealer")
        if label == "WELCOME"
        else tuple(name for name in ROLE_NAME_TO_CLASS if name not in ("broker", "dealer"))
    )
    if type(entry) is not dict or not entry:
        raise ProtocolError(f"{label}.roles: metadata entry is not a map of roles")
    merged = dict(typed)
    for name, role in entry.items():
        if name not in allowed or type(role) is not dict:
            # Some ints are too long to be shown.
            shown = name[:SHOWN] if type(name) is str else type(name).__name__
            raise ProtocolError(f"{label}.roles: metadata entry has an invalid role {shown!r}")
        features = role.get("features", {})
        if type(features) is not dict or not all(type(key) is str for key in features):
            raise ProtocolError(f"{label}.roles: metadata entry has invalid features of {name!r}")
        stated = _role(name, features, label)
        for feature, value in vars(typed.get(name, stated)).items():
            if value is not None and getattr(stated, feature) not in (None, value):
                raise ProtocolError(f"{label}.roles: {name}.{feature} contradicts the typed field")
            if getattr(stated, feature) is None:
                setattr(stated, feature, value)
        merged[name] = stated
    return merged


# -- pickling -----------------------------------------------------------------------------------


def encode(msg: message.Message, schema_dialect: bool) -> bytes:
    """The message's bytes, unbatched, in one of the dialects."""
    return native.ObjectSerializer(False, schema_dialect).serialize(msg)


def reduce(msg: message.Message, data: bytes, schema_dialect: bool) -> tuple[Any, ...]:
    """The result of ``__reduce__`` for a received message."""
    state = {name: getattr(msg, name) for name in NEVER_SENT}
    return restore, (data, schema_dialect, {k: v for k, v in state.items() if v is not None})


def restore(data: bytes, schema_dialect: bool, state: dict[str, Any]) -> message.Message:
    """Unpickles a received message. The bytes are verified again, with the highest limits, because
    they were within the limits of the serializer that received them."""
    highest = (2**31 - 1, 2**31 - 1, 2**16, 2**31 - 1)
    (msg,) = native.ObjectSerializer(False, schema_dialect, 0, None, highest).unserialize(data)
    for name, value in state.items():
        setattr(msg, name, value)
    return msg
