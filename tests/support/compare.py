"""Compares WAMP messages attribute by attribute, in value and in type.

Autobahn's own ``==`` is vacuous for seven classes and treats ``True`` as ``1``, so no test relies
on it. Here, a message becomes a tree of ``(type name, content)`` pairs, in which a tuple is a list
(as in every codec) and a role is the features that it announces.
"""

from __future__ import annotations

import inspect
from typing import Any

from autobahn.wamp import message
from autobahn.wamp.message import Message
from autobahn.wamp.role import RoleFeatures

#: Autobahn's 25 message classes, in the order of their codes.
MESSAGE_CLASSES: tuple[type[Message], ...] = tuple(
    sorted(
        (
            value
            for value in vars(message).values()
            if inspect.isclass(value)
            and issubclass(value, Message)
            and value.MESSAGE_TYPE is not None
        ),
        key=lambda klass: klass.MESSAGE_TYPE,
    )
)


def attribute_names(klass: type[Message]) -> tuple[str, ...]:
    """The names of a class's WAMP attributes: its constructor's parameters."""
    parameters = inspect.signature(plain_class(klass).__init__).parameters
    return tuple(name for name in parameters if name not in ("self", "from_fbs"))


def plain_class(klass: type[Message]) -> type[Message]:
    """Autobahn's own class behind a class of received messages or a subclass."""
    for base in klass.__mro__:
        if base in MESSAGE_CLASSES:
            return base
    raise TypeError(f"{klass} is not a message class")


def canonical(value: Any) -> Any:
    """A value as a tree that compares by type and content."""
    if isinstance(value, RoleFeatures):
        features = {k: v for k, v in vars(value).items() if not k.startswith("_")}
        return (type(value).__name__, canonical(features))
    if isinstance(value, (list, tuple)):
        return ("list", tuple(canonical(item) for item in value))
    if isinstance(value, dict):
        items = [(canonical(k), canonical(v)) for k, v in value.items()]
        return ("dict", tuple(sorted(items, key=repr)))
    if isinstance(value, float):
        return ("float", value.hex())
    return (type(value).__name__, value)


def attributes_of(msg: Message) -> dict[str, Any]:
    """Every WAMP attribute of a message, read through its public accessor."""
    return {name: getattr(msg, name) for name in attribute_names(type(msg))}


def plain_copy(msg: Message) -> Message:
    """A message of Autobahn's own class with the same attributes, through its constructor."""
    return plain_class(type(msg))(**attributes_of(msg))


def differences(left: Message, right: Message) -> list[str]:
    """The differences between two messages, one line per attribute; empty if there are none."""
    if plain_class(type(left)) is not plain_class(type(right)):
        return [f"{type(left).__name__} is not {type(right).__name__}"]
    found = []
    for name in attribute_names(type(left)):
        a, b = getattr(left, name), getattr(right, name)
        if canonical(a) != canonical(b):
            found.append(f"{type(left).__name__}.{name}: {a!r} is not {b!r}")
    return found


def assert_same(left: Message, right: Message) -> None:
    """Fails with the list of differing attributes unless the messages are equal."""
    found = differences(left, right)
    assert not found, "; ".join(found)
