"""Who is measured: this package, Autobahn's own serializers, and msgspec as the floor.

The floor is what a C codec takes that knows the message's fields and nothing of WAMP: a
``msgspec.Struct`` with the fields of Autobahn's message class, in its order, with their types,
encoded with ``msgspec.msgpack`` as a map of field names and values: msgspec's default, with
every field written. ``msgspec array`` is the same with ``array_like=True``, no field names.
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
    """A contender did not give a message back as it was; str() says which and how."""


@dataclass
class Contender:
    """One message with one serializer, checked.

    :ivar new: a new object to encode, each time.
    :ivar forget: makes an object forget the bytes that it became; None if it keeps none.
    :ivar encode: an object to bytes, possibly with more around them.
    :ivar decode: what `expression` calls to make a message of a buffer.
    :ivar expression: Python for that, in terms of ``decode``, ``data`` and ``binary``.
    :ivar data: the message's bytes.
    :ivar binary: whether the serializer says that its bytes are not text.
    :ivar lost: attributes that come back different: Autobahn's flatbuffers only, see `prepare`.
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
        """The message that a buffer holds."""
        names = {"decode": self.decode, "data": data, "binary": self.binary}
        return eval(self.expression, names)


def serializers() -> dict[str, Callable[[], Any]]:
    """Makers of serializers, by name; Autobahn's optional ones only where they are."""
    import txaio

    if not getattr(txaio, "_explicit_framework", None):
        txaio.use_asyncio()  # Autobahn's serializers take their clock from it
    with redirect_stderr(io.StringIO()):  # one of Autobahn's imports complains of its numpy
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
    """A msgspec Struct with the fields of a message class; what is not in _TYPES is text."""
    import msgspec

    fields = [(name, _TYPES.get(name, str | None), None) for name in attribute_names(cls)]
    return msgspec.defstruct(cls.__name__, fields, array_like=array)


def _canonical(value: Any) -> Any:
    """Tuples as lists, views as bytes, role features as dictionaries."""
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
    """The attributes of two messages that differ."""
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
    """The contenders for a message, ours first, each shown to give the message back.

    Autobahn's flatbuffers is let in although it loses attributes, and left out where it can't
    carry the message at all. There is no floor for control messages.

    :param names: who; None for everybody.
    :raises Wrong: somebody else gave back something different.
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
