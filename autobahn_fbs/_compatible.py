"""Checks whether this package knows the installed Autobahn.

Received messages are built in the slots of Autobahn's classes, without calling their constructors,
and messages are sent slot by slot. If Autobahn had other slots, classes or registries, messages
would be misread, or new attributes would be lost. Everything that this package relies on is
therefore compared first. The versions in pyproject.toml are tested; this check is for all others.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

#: Slots of Autobahn's Message that are never sent.
NEVER_SENT = (
    "_correlation_id",
    "_correlation_uri",
    "_correlation_is_anchor",
    "_correlation_is_last",
    "_router_internal",
)
#: All slots of Autobahn's Message: these, Autobahn's own buffer and the cache.
_BASE_SLOTS = {"_from_fbs", "_serialized", *NEVER_SENT}

#: Names in autobahn.wamp.serializer that install() replaces or the serializers inherit from.
_REGISTRIES = ("SERID_TO_SER", "SERID_TO_OBJSER")
_CLASSES = ("FlatBuffersSerializer", "FlatBuffersObjectSerializer")
_METHODS = ("stats", "stats_reset", "stats_rated_messages", "set_stats_autoreset")


#: The number of messages that these checks have encoded. counters() doesn't count them.
encoded = 0


class IncompatibleAutobahn(ImportError):
    """This package doesn't know the installed Autobahn. The text lists the differences."""


def refuse(differences: Iterable[object]) -> IncompatibleAutobahn:
    """An IncompatibleAutobahn that lists the differences."""
    try:
        version = metadata.version("autobahn")
    except metadata.PackageNotFoundError:
        version = "of an unknown version"
    try:
        needed = [r for r in metadata.requires("autobahn_fbs") or () if r.startswith("autobahn")]
    except metadata.PackageNotFoundError:  # it runs from its sources
        needed = []
    tested = f" (it is tested with {needed[0]})" if needed else ""
    return IncompatibleAutobahn(
        f"autobahn_fbs doesn't know Autobahn {version}{tested}: "
        + "; ".join(str(each) for each in differences)
    )


def _slots(cls: type) -> set[str]:
    slots = cls.__dict__.get("__slots__", ())
    return {slots} if isinstance(slots, str) else set(slots)


def of_messages(received: dict[str, Any]) -> Iterator[str]:
    """The differences between Autobahn's message classes and `received`, the classes of received
    messages by name. The backend checked the slots that these rely on when it was loaded."""
    from autobahn.wamp import message

    base: Any = message.Message
    for name in sorted(_BASE_SLOTS ^ _slots(base)):
        yield f"Message has {'an unknown' if name not in _BASE_SLOTS else 'no'} slot {name}"
    for name, cls in vars(message).items():
        if (
            inspect.isclass(cls)
            and issubclass(cls, base)
            and isinstance(getattr(cls, "MESSAGE_TYPE", None), int)
        ):
            known = received.get(cls.__name__)
            if known is None:
                yield f"there is an unknown message {name}"
            elif known.__mro__[1] is not cls:
                yield f"{name} is a different class"
    for name, ours in received.items():
        for cls in ours.__mro__[1:]:
            if cls is base:
                break
            for slot in sorted(_slots(cls) - set(vars(ours))):
                yield f"{name} has an unknown slot {slot}"


def of_serializers(received: dict[str, Any]) -> Iterator[str]:
    """How autobahn.wamp.serializer differs from the version that install() and the serializers rely
    on."""
    from autobahn.wamp import message, serializer

    for name in _REGISTRIES:
        registry = getattr(serializer, name, None)
        if not isinstance(registry, dict):
            yield f"autobahn.wamp.serializer has no dict {name}"
        elif "flatbuffers" not in registry:
            yield f"{name} has no entry flatbuffers"
    for name in _CLASSES:
        if not inspect.isclass(getattr(serializer, name, None)):
            yield f"autobahn.wamp.serializer has no class {name}"
    if not callable(getattr(message.Message, "serialize", None)):
        yield "Message has no method serialize"
    base = getattr(serializer, "Serializer", None)
    for name in _METHODS:
        if not callable(getattr(base, name, None)):
            yield f"Serializer has no method {name}"
    types = getattr(base, "MESSAGE_TYPE_MAP", None) or {}
    for name, ours in received.items():
        if types.get(ours.MESSAGE_TYPE) is not ours.__mro__[1]:
            yield f"Serializer.MESSAGE_TYPE_MAP has no {name} for {ours.MESSAGE_TYPE}"
    for number, cls in types.items():
        if cls.__name__ not in received:
            yield f"Serializer.MESSAGE_TYPE_MAP has an unknown message {cls.__name__} for {number}"


def of_roles(serializer: Any) -> Iterator[str]:
    """The role features that are lost when they are sent. Only one thread may call this at a
    time."""
    global encoded
    from autobahn.wamp import message, role

    classes: dict[str, Any] = role.ROLE_NAME_TO_CLASS
    for name, cls in classes.items():
        features = [p for p in inspect.signature(cls).parameters]
        features = [feature for feature in features if feature != "kwargs"]
        sent = {name: cls(**dict.fromkeys(features, True))}
        module: Any = message
        try:
            if name in ("broker", "dealer"):
                opening = module.Welcome(1, sent, realm="realm1", authid="a", authrole="b")
            else:
                opening = module.Hello("realm1", sent)
            data = serializer.serialize(opening)
            encoded += 1
            [back] = serializer.unserialize(data)
            there = vars(back.roles[name])
        except Exception as error:
            yield f"role {name} can't be sent: {error}"
            continue
        for feature in features:
            if there.get(feature) is not True:
                yield f"role {name} has an unknown feature {feature}"


def check_messages(received: dict[str, Any]) -> None:
    """Checks the loaded backend.

    :raises IncompatibleAutobahn: there are differences; the text lists all of them.
    """
    found = list(of_messages(received))
    if found:
        raise refuse(found)


def check_installable(received: dict[str, Any], serializer: Any) -> None:
    """Checks Autobahn before install() changes anything.

    :raises IncompatibleAutobahn: there are differences; the text lists all of them.
    """
    found = [*of_serializers(received), *of_roles(serializer)]
    if found:
        raise refuse(found)
