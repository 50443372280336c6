"""Making Autobahn use this package, and putting everything back."""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any

from autobahn.wamp import message
from autobahn.wamp import serializer as upstream

from . import payloads
from ._backend import native
from ._compatible import check_installable
from ._serializer import FlatBuffersObjectSerializer, FlatBuffersSerializer

_ABSENT = object()

# What was there before install(): (container, key, value); None while not installed.
_saved: list[tuple[Any, str, Any]] | None = None

# Held while _saved and Autobahn's registries change together.
_lock = threading.Lock()

# Modules that were warned about: once each.
_warned: set[str] = set()


def _batched(batched: bool = True, **options: Any) -> FlatBuffersSerializer:
    """The registry's entry for "flatbuffers.batched"; always batched."""
    return FlatBuffersSerializer(batched=True, **options)


def _composition(payload_serializer: str) -> Any:
    """The registry's entry for "flatbuffers-json" and the like. All speak wamp.2.flatbuffers."""

    def create(batched: bool = False, **options: Any) -> FlatBuffersSerializer:
        return FlatBuffersSerializer(batched, payload_serializer, **options)

    return create


def _get(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key, _ABSENT)
    return getattr(container, key, _ABSENT)


def _put(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        if value is _ABSENT:
            container.pop(key, None)
        else:
            container[key] = value
    elif value is _ABSENT:
        delattr(container, key)
    else:
        setattr(container, key, value)


def _message_serialize(original: Any) -> Any:
    def serialize(self: message.Message, serializer: Any) -> bytes:
        """Autobahn's ``Message.serialize``, except for this package's object serializers."""
        if isinstance(serializer, native.ObjectSerializer):
            return serializer.serialize(self)
        data: bytes = original(self, serializer)
        return data

    return serialize


def _warn_of_old_imports(old: tuple[Any, ...]) -> None:
    """Names the modules that imported a replaced class by name: those keep it."""
    stale = []
    for name, module in list(sys.modules.items()):
        if module is None or module is upstream or name in _warned:
            continue
        namespace = getattr(module, "__dict__", {})
        if any(value is cls for value in list(namespace.values()) for cls in old):
            stale.append(name)
    if stale:
        _warned.update(stale)
        warnings.warn(
            "autobahn_fbs.install(): these modules imported Autobahn's FlatBuffers serializer by "
            f"name before, and keep it: {', '.join(sorted(stale))}",
            RuntimeWarning,
            stacklevel=3,
        )


def _changes() -> list[tuple[Any, str, Any]]:
    return [
        (upstream.SERID_TO_SER, "flatbuffers", FlatBuffersSerializer),
        (upstream.SERID_TO_SER, "flatbuffers.batched", _batched),
        *(
            (upstream.SERID_TO_SER, f"flatbuffers-{name}", _composition(name))
            for name in payloads.known_ids()
        ),
        (upstream.SERID_TO_OBJSER, "flatbuffers", FlatBuffersObjectSerializer),
        (upstream, "FlatBuffersSerializer", FlatBuffersSerializer),
        (upstream, "FlatBuffersObjectSerializer", FlatBuffersObjectSerializer),
        (message.Message, "serialize", _message_serialize(message.Message.serialize)),
    ]


def _replace() -> tuple[Any, ...]:
    """Does what install() says; returns the classes that were replaced, none if it was done."""
    global _saved
    with _lock:
        if _saved is not None:
            return ()
        check_installable(native.RECEIVED, FlatBuffersObjectSerializer())
        changes = _changes()
        _saved = [(container, key, _get(container, key)) for container, key, _ in changes]
        for container, key, value in changes:
            _put(container, key, value)
        return tuple(
            value
            for container, key, value in _saved
            if container is upstream and value is not _ABSENT
        )


def install() -> None:
    """Makes Autobahn use this package wherever it serializes WAMP with FlatBuffers.

    Replaces the entries of ``SERID_TO_SER`` and ``SERID_TO_OBJSER``, adds ``flatbuffers.batched``
    and one ``flatbuffers-<payload serializer>`` for each payload codec (``flatbuffers-json`` ...),
    and replaces ``FlatBuffersSerializer`` and ``FlatBuffersObjectSerializer`` in
    ``autobahn.wamp.serializer`` and ``Message.serialize``. Calling it again does nothing.

    Warns (RuntimeWarning, once for each) about modules that imported one of the replaced classes
    by name before: those keep what they have.

    :raises IncompatibleAutobahn: the installed Autobahn has other classes, slots, role features or
        registries than this package knows. Nothing is changed then.
    """
    replaced = _replace()
    if replaced:  # a warning can run any code, so nothing is locked here
        _warn_of_old_imports(replaced)


def uninstall() -> None:
    """Puts back everything that :func:`install` changed; does nothing if it was not called.

    Messages and serializers made before keep working.
    """
    global _saved
    with _lock:
        for container, key, value in _saved or ():
            _put(container, key, value)
        _saved = None
