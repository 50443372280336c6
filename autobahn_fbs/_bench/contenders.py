"""The contenders: this package, Autobahn's own serializers, and msgspec as the floor.

The floor is the time of a C codec that knows the message's fields but doesn't implement WAMP: a
``msgspec.Struct`` with the fields of Autobahn's message class, in the same order and with the same
types. ``msgspec.msgpack`` encodes it as a map of field names and values, with every field written,
as by default. ``msgspec array`` is the same with ``array_like=True``, without field names.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from typing import Any

from .messages import Scenario, attribute_names

OURS = "autobahn_fbs"
UPSTREAM = "Autobahn flatbuffers"
MSGPACK = "Autobahn msgpack"
FLOOR = "msgspec"
FLOOR_ARRAY = "msgspec array"


class Wrong(Exception):
    """A contender changed a message in a round trip; str() gives the contender and the
    difference."""


@dataclass
class Contender:
    """One message with one serializer, checked.

    :ivar new: returns a new object to encode, each time.
    :ivar forget: makes an object forget its cached bytes; None if it caches none.
    :ivar encode: converts an object to bytes, possibly with other results.
    :ivar decode: the function that `expression` calls to decode a buffer.
    :ivar expression: Python code for that, using ``decode``, ``data`` and ``binary``.
    :ivar data: the message's bytes.
    :ivar binary: whether the serializer declares its bytes as binary.
    :ivar lost: attributes that change in a round trip: only Autobahn's flatbuffers, see `prepare`.
    """

    name: str
    new: Callable[[], Any]
    forget: Callable[[Any], None] | None
    encode: Callable[[Any], Any]
    decode: Callable[..., Any]
    expression: str
    data: bytes
    binary: bool = True
    lost: list[str] = field(default_factory=list)

    def received(self, data: bytes) -> Any:
        """Decodes the message in a buffer."""
        names = {"decode": self.decode, "data": data, "binary": self.binary}
        return eval(self.expression, names)


def serializers() -> dict[str, Callable[[], Any]]:
    """Factories of serializers, by name; Autobahn's optional ones only if available."""
    import txaio

    if not getattr(txaio, "_explicit_framework", None):
        txaio.use_asyncio()  # Autobahn's serializers get their clock from it
    with redirect_stderr(io.StringIO()):  # one of Autobahn's imports complains about numpy
        from autobahn.wamp import serializer as autobahn_serializer

    import autobahn_fbs

    from .._serializer import FlatBuffersSerializer

    upstream: Any = autobahn_serializer
    if upstream.FlatBuffersSerializer is FlatBuffersSerializer:
        raise RuntimeError("autobahn_fbs.install() hides the class to compare with: uninstall()")
    makers: dict[str, Callable[[], Any]] = {
        OURS: autobahn_fbs.FlatBuffersSerializer,
        UPSTREAM: upstream.FlatBuffersSerializer,
    }
    for name in ("msgpack", "cbor", "ubjson", "json"):
        cls = upstream.SERID_TO_SER.get(name)
        if cls is not None:
            makers[f"Autobahn {name}"] = cls
    return makers


_TYPES: dict[str, Any] = {
    "args": list | None,
    "kwargs": dict | None,
    "payload": bytes | None,
    "forward_for": list | None,
    **dict.fromkeys(
        ("request", "subscription", "publication", "registration", "request_type"), int
    ),
    **dict.fromkeys(("publisher", "caller", "callee", "timeout"), int | None),
    **dict.fromkeys(
        (
            "acknowledge",
            "exclude_me",
            "retain",
            "retained",
            "receive_progress",
            "progress",
            "x_acknowledged_delivery",
        ),
        bool | None,
    ),
    **dict.fromkeys(("exclude", "eligible"), list[int] | None),
    **dict.fromkeys(
        ("exclude_authid", "exclude_authrole", "eligible_authid", "eligible_authrole"),
        list[str] | None,
    ),
}


def floor_struct(cls: type, array: bool = False) -> Any:
    """A msgspec Struct with the fields of a message class; fields that are not in _TYPES are
    text."""
    import msgspec

    fields = [(name, _TYPES.get(name, str | None), None) for name in attribute_names(cls)]
    return msgspec.defstruct(cls.__name__, fields, array_like=array)


def _canonical(value: Any) -> Any:
    """Converts tuples to lists, views to bytes, role features to dictionaries."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if type(value).__name__.endswith("Features"):
        return {k: v for k, v in vars(value).items() if v is not None and k != "ROLE"}
    return value


def differences(names: tuple[str, ...], first: Any, second: Any) -> list[str]:
    """The attributes in which two messages differ."""
    return [
        name
        for name in names
        if _canonical(getattr(first, name)) != _canonical(getattr(second, name))
    ]


def _uncache(msg: Any) -> None:
    msg._serialized = {}


def _wamp(name: str, serializer: Any, scenario: Scenario) -> Contender:
    sample = scenario.make()
    data, binary = serializer.serialize(sample)
    (back,) = serializer.unserialize(data, binary)
    return Contender(
        name,
        scenario.make,
        _uncache,
        serializer.serialize,
        serializer.unserialize,
        "decode(data, binary)[0]",
        data,
        binary,
        differences(scenario.attributes, sample, back),
    )


def _msgspec(name: str, scenario: Scenario) -> Contender:
    import msgspec

    sample = scenario.make()
    names = scenario.attributes
    struct = floor_struct(type(sample), array=name == FLOOR_ARRAY)

    def new() -> Any:
        return struct(*[getattr(sample, attribute) for attribute in names])

    encode = msgspec.msgpack.Encoder().encode
    decode = msgspec.msgpack.Decoder(struct).decode
    data = encode(new())
    lost = differences(names, sample, decode(data))
    return Contender(name, new, None, encode, decode, "decode(data)", data, lost=lost)


def has_floor() -> bool:
    """Whether msgspec is installed."""
    from importlib.util import find_spec

    return find_spec("msgspec") is not None


def prepare(scenario: Scenario, names: tuple[str, ...] | None = None) -> list[Contender]:
    """The contenders for a message, ours first. Each is checked by a round trip.

    Autobahn's flatbuffers takes part although it loses attributes, and is left out if it can't
    encode the message at all. There is no floor for control messages.

    :param names: the names of the contenders; None for all.
    :raises Wrong: another contender changed the message.
    """
    contenders: list[Contender] = []
    for name, make in serializers().items():
        if names is not None and name not in names:
            continue
        try:
            contender = _wamp(name, make(), scenario)
        except Exception as error:
            if name == UPSTREAM:
                continue
            raise Wrong(f"{name}, {scenario.type} {scenario.size}: {error!r}") from error
        contenders.append(contender)
    if scenario.mode != "control" and has_floor():
        for name in (FLOOR, FLOOR_ARRAY):
            if names is None or name in names:
                contenders.append(_msgspec(name, scenario))
    for contender in contenders:
        if contender.lost and contender.name != UPSTREAM:
            raise Wrong(
                f"{contender.name}, {scenario.type} {scenario.size} {scenario.mode}: "
                f"{', '.join(contender.lost)} came back different"
            )
    return contenders
