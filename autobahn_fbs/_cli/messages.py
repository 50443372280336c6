"""One frame: its content, or its error."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from autobahn.wamp.exception import ProtocolError

from .. import FlatBuffersObjectSerializer, payloads
from .layout import Place, number, places
from .sources import Fault, Frame
from .terminal import spelled

#: The offset at the end of an error text: ", at offset 44", " at offset 0", " (at offset 44)". A
#: codec's earlier offset refers to the payload.
_AT = re.compile(r",? ?\(?at offset (\d{1,19})\)?(; it (?:looks like|is valid) .*)?\Z")
_WHERE = re.compile(r"([A-Z_]+(?:\.\w+)?): ")


@dataclass(frozen=True)
class Wrong:
    """An error. `where` is "EVENT.topic", or "" if it concerns the input as a whole. `offset`
    counts from the beginning of the input; None if the error has no position."""

    where: str
    reason: str
    offset: int | None

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


@dataclass(frozen=True)
class Message:
    """A valid message, except for the errors in `wrong`: payloads that can't be decoded."""

    label: str  #: "EVENT"
    code: int  #: 36
    offset: int
    size: int
    attributes: dict[str, Any]
    places: list[Place]
    codec: str | None  #: of args and kwargs; None if there are none
    metadata: dict[str, Any]  #: details that the schema's fields can't express, by WAMP's names
    wrong: list[Wrong] = field(default_factory=list)


def fault_of(error: Exception, offset: int) -> Wrong:
    """The parts of a ProtocolError's text; its message begins at `offset` of the input."""
    text = str(error)
    at = _AT.search(text)
    place = None if at is None else offset + int(at[1])
    text = text[: at.start()] + (at[2] or "") if at else text
    where = _WHERE.match(text)
    return Wrong(where[1], text[where.end() :], place) if where else Wrong("", text, place)


def attribute_names(cls: type) -> list[str]:
    """The slots of Autobahn's class itself. The slots that all messages have are not sent."""
    names = [
        slot.removeprefix("_")
        for base in cls.__mro__
        if base.__name__ != "Message"
        for slot in base.__dict__.get("__slots__", ())
    ]
    return [*names, "ppt_cipher"] if hasattr(cls, "ppt_cipher") else names


def look(frame: Frame | Fault, serializer: FlatBuffersObjectSerializer) -> Message | Wrong:
    """Verifies a frame and, if it is valid, decodes all its content."""
    if isinstance(frame, Fault):
        return Wrong("", frame.reason, frame.offset)
    try:
        [message] = serializer.unserialize(frame.data)
    except ProtocolError as error:
        return fault_of(error, frame.offset)
    cls: Any = type(message)
    attributes, wrong = {}, []
    for name in attribute_names(cls):
        try:
            value = getattr(message, name)
        except ProtocolError as error:
            wrong.append(fault_of(error, frame.offset))
            continue
        except RecursionError:
            wrong.append(Wrong(name, "is nested too deep to be shown", None))
            continue
        if value is not None and not (name == "custom" and value == {}):
            attributes[name] = value
    found = places(frame.data, cls.__name__)
    metadata = _metadata(frame.data, found)
    return Message(
        label=_label(cls.__name__),
        code=cls.MESSAGE_TYPE,
        offset=frame.offset,
        size=len(frame.data),
        attributes=attributes,
        places=found,
        codec=_codec(frame.data, cls.__name__, found, metadata),
        metadata=metadata,
        wrong=wrong,
    )


def _label(name: str) -> str:
    """WAMP's name of a message: EVENT_RECEIVED of EventReceived."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _metadata(data: bytes, found: list[Place]) -> dict[str, Any]:
    from .._backend import native

    for place in found:
        if place.name == "metadata":
            map: dict[str, Any] = native.cbor_loads(
                data[place.offset : place.offset + (place.size or 0)]
            )
            return map
    return {}


def _codec(data: bytes, label: str, found: list[Place], metadata: dict[str, Any]) -> str | None:
    names = {place.name for place in found}
    if "payload" in names or not {"args", "kwargs"} & names:
        return None
    codec = number(data, label, "ppt_serializer")
    if codec == payloads.NAMED:
        name = metadata.get("ppt_serializer")
        return name if isinstance(name, str) else spelled(name)
    return next((id for id, value in payloads.NUMBERS.items() if value == codec), "cbor")
