"""Autobahn's message classes, and the facts that this backend has about each."""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message, role
from autobahn.wamp.message import Message

from .schema import ENUMS, MESSAGES, TABLES, Enum, Field, MessageType

#: Uses whose returned values can be changed in place.
_MUTABLE = frozenset(
    ("ENUMS", "INTS", "STRS", "ARGS", "KWARGS", "PRINCIPALS", "ROLES", "DICT", "LIST", "CUSTOM")
)
#: Uses that describe the payload of transparent mode.
ENC = ("ENC_ALGO", "ENC_KEY", "ENC_SERIALIZER", "PPT_CIPHER")

#: Whether Autobahn takes a name as custom (x_...): a match or None.
custom_match = message._CUSTOM_ATTRIBUTE.match


class AnyObjectSerializer:
    """The base class of this package's object serializers, for received messages to recognize."""

    def serialize(self, obj: Any, /) -> bytes:
        raise NotImplementedError


class Attribute:
    """One attribute of one message class."""

    __slots__ = (
        "bit", "defaulting", "demanding", "detail", "enum", "field", "index", "kind", "mutable",
        "name", "owner", "private", "property", "use",
    )  # fmt: skip

    def __init__(self, owner: MessageClass, field: Field) -> None:
        self.owner = owner
        self.field = field
        self.index = field.index
        self.bit = 1 << field.index
        self.kind = field.kind
        self.use = field.use
        self.name = field.attribute
        self.private = "_" + field.attribute
        self.detail = field.detail
        self.mutable = field.use in _MUTABLE
        scalar = field.kind in ("ENUM8", "ENUM16", "VECTOR_ENUM8")
        self.enum: Enum | None = ENUMS[field.sub] if scalar else None
        positional = field.positional and not field.nullable and field.use != "DICT"
        #: None is not simply left out
        self.demanding = positional or field.required
        #: an absent field means {}
        self.defaulting = field.use == "CUSTOM" or (field.use == "DICT" and field.positional)
        #: Autobahn's property, whose setter checks the value; None if Autobahn lacks the attribute
        self.property: Any = None
        if field.use != "PPT_CIPHER":
            self.property = vars_of(owner.plain, self.name)
            if not hasattr(self.property, "__set__") or self.private not in slots_of(owner.plain):
                raise TypeError(
                    f"{owner.plain.__name__}.{self.name} is not a property over a slot: "
                    "autobahn_fbs doesn't know this Autobahn"
                )

    @property
    def place(self) -> str:
        """The attribute's name in error texts: "EVENT.topic"."""
        return f"{self.owner.label}.{self.name}"


def vars_of(cls: type, name: str) -> Any:
    """The raw attribute of a class or its bases, without descriptors."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def slots_of(cls: type) -> set[str]:
    """The names of all slots of a class."""
    return {name for base in cls.__mro__ for name in vars(base).get("__slots__", ())}


class MessageClass:
    """One of Autobahn's message classes, and our subclass of it."""

    def __init__(self, kind: MessageType) -> None:
        self.index = kind.index
        self.label = kind.label
        self.table = kind.table
        self.plain: type[Message] = getattr(message, kind.table.name)
        self.received: Any = None  # received.py creates it
        if hasattr(self.plain, "__dict__") and "__dict__" in slots_of(self.plain):
            raise TypeError(
                f"autobahn.wamp.message.{self.plain.__name__} is not a class that has only slots"
            )
        #: by index; None for fields without an attribute in Autobahn
        self.attributes: tuple[Attribute | None, ...] = tuple(
            Attribute(self, field) if field.attribute else None for field in kind.table.fields
        )
        self.used = tuple(a for a in self.attributes if a is not None)
        by_use = {a.use: a for a in reversed(self.used)}
        self.args, self.kwargs = by_use.get("ARGS"), by_use.get("KWARGS")
        self.payload = by_use.get("PAYLOAD")
        self.enc: tuple[Attribute, ...] = tuple(by_use[use] for use in ENC) if self.payload else ()
        self.extra = by_use.get("DICT")
        self.fast: Any = None  # encode.py creates these on first use
        self.flat: Any = None

    def named(self, name: str) -> Attribute:
        """The attribute with Autobahn's name `name`."""
        return next(a for a in self.used if a.name == name)


CLASSES = tuple(MessageClass(kind) for kind in MESSAGES)

_BY_TYPE: dict[type, MessageClass] = {c.plain: c for c in CLASSES}


def register(cls: type, owner: MessageClass) -> None:
    """Records the class of an exact type."""
    _BY_TYPE[cls] = owner


def find(cls: type) -> MessageClass | None:
    """The class of a message; None if `cls` is not a message class."""
    found = _BY_TYPE.get(cls)
    if found is None:
        found = next((_BY_TYPE[base] for base in cls.__mro__ if base in _BY_TYPE), None)
    return found


#: The role classes by table name, "BrokerFeatures" and so on.
ROLE_CLASSES: dict[str, type] = {
    table.name: getattr(role, table.role) for table in TABLES if table.role
}
