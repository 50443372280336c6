"""Makes Autobahn use this package, and restores the original state."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import Any

from autobahn.wamp import message
from autobahn.wamp import serializer as upstream

from . import _factories, payloads
from ._backend import native
from ._compatible import check_installable
from ._installed import current
from ._serializer import FlatBuffersObjectSerializer, FlatBuffersSerializer
from ._startup_log import INSTALL

_ABSENT = object()

# The state before install(): (container, key, value). None while not installed.
_saved: list[tuple[Any, str, Any]] | None = None

#: If "1" in the environment, install() prefers FlatBuffers by default.
PREFER = "AUTOBAHN_FBS_PREFER"

# Held while _saved and Autobahn's registries change together.
_lock = threading.Lock()

# Modules that have been warned about. Each is warned about once.
_warned: set[str] = set()


def _batched(batched: bool = True, **options: Any) -> FlatBuffersSerializer:
    """The registry's entry for "flatbuffers.batched"; always batched."""
    return FlatBuffersSerializer(batched=True, **options)


def _composition(payload_serializer: str, always_batched: bool = False) -> Any:
    """The registry's entry for "flatbuffers-json" and the like, or for its ".batched" form. All
    speak wamp.2.flatbuffers."""

    def create(batched: bool = False, **options: Any) -> FlatBuffersSerializer:
        return FlatBuffersSerializer(batched or always_batched, payload_serializer, **options)

    return create


def _compositions(codec: str) -> list[tuple[Any, str, Any]]:
    """The changes that make a payload codec selectable."""
    return [
        (upstream.SERID_TO_SER, f"flatbuffers-{codec}", _composition(codec)),
        (upstream.SERID_TO_SER, f"flatbuffers-{codec}.batched", _composition(codec, True)),
    ]


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
    """Finds the modules that imported a replaced class by name. They keep it."""
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
            f"name before, and keep it: {', '.join(sorted(stale))}; call install() before they are "
            "imported, or start the program with python -m autobahn_fbs run",
            RuntimeWarning,
            stacklevel=3,
        )


def _changes() -> list[tuple[Any, str, Any]]:
    return [
        (upstream.SERID_TO_SER, "flatbuffers", FlatBuffersSerializer),
        (upstream.SERID_TO_SER, "flatbuffers.batched", _batched),
        *(change for codec in payloads.known_ids() for change in _compositions(codec)),
        (upstream.SERID_TO_OBJSER, "flatbuffers", FlatBuffersObjectSerializer),
        (upstream, "FlatBuffersSerializer", FlatBuffersSerializer),
        (upstream, "FlatBuffersObjectSerializer", FlatBuffersObjectSerializer),
        (message.Message, "serialize", _message_serialize(message.Message.serialize)),
    ]


def _asked_for(prefer: bool | None) -> bool:
    """`prefer`, or the value in the environment."""
    if isinstance(prefer, bool):
        return prefer
    if prefer is not None:
        raise TypeError(f"prefer must be True, False or None, not {prefer!r}")
    value = os.environ.get(PREFER, "")
    if value not in ("", "0", "1"):
        raise ValueError(f"{PREFER} is {value!r}; it must be 1 or 0, or unset")
    return value == "1"


def _replace(prefer: bool) -> tuple[Any, ...]:
    """Does the work of install(). Returns the classes that were replaced, or none if it was
    installed already."""
    global _saved
    with _lock:
        if _saved is not None:
            _factories.change(prefer)
            return ()
        check_installable(native.RECEIVED, FlatBuffersObjectSerializer())
        changes = _changes()
        _saved = [(container, key, _get(container, key)) for container, key, _ in changes]
        for container, key, value in changes:
            _put(container, key, value)
        _factories.change(prefer)
        return tuple(
            value
            for container, key, value in _saved
            if container is upstream and value is not _ABSENT
        )


def install(prefer: bool | None = None) -> None:
    """Makes Autobahn use this package wherever it serializes WAMP with FlatBuffers.

    Replaces the entries of ``SERID_TO_SER`` and ``SERID_TO_OBJSER``, adds ``flatbuffers.batched``
    and, for each payload codec, entries such as ``flatbuffers-json`` and
    ``flatbuffers-json.batched``, including codecs that are registered later. Replaces
    ``FlatBuffersSerializer`` and ``FlatBuffersObjectSerializer`` in ``autobahn.wamp.serializer``
    and ``Message.serialize``. Calling it again has no effect, unless `prefer` changes.

    From now on, if a transport's list of serializers contains a subprotocol twice
    (``flatbuffers-json`` and ``flatbuffers``), it is offered once. The first one determines how
    payloads are encoded.

    Warns (RuntimeWarning, once for each) about modules that imported one of the replaced classes by
    name before: they keep the original class. Also warns about a transport factory that this
    package doesn't know: it is left unchanged.

    :param prefer: if True, FlatBuffers comes first when a program names no serializer: in the
        default lists of Autobahn's WebSocket and RawSocket factories, of ApplicationRunner and of
        Component. The original entries follow. A RawSocket client, which can offer only one
        serializer, offers FlatBuffers; if the router closes the connection for this reason, the
        next connection uses Autobahn's choice. False leaves an existing preference unchanged. None
        takes the value from ``AUTOBAHN_FBS_PREFER`` in the environment: ``1`` is True; ``0``, empty
        and unset are False.
    :raises TypeError: `prefer` is neither a bool nor None.
    :raises ValueError: ``AUTOBAHN_FBS_PREFER`` has another value.
    :raises IncompatibleAutobahn: the installed Autobahn has classes, slots, role features or
        registries that this package doesn't know. In this case, nothing is changed.
    """
    replaced = _replace(_asked_for(prefer))
    _factories.warn_of_unknown()
    if replaced:  # a warning can run arbitrary code, so no lock is held here
        INSTALL.info("installed: %s", current())
        _warn_of_old_imports(replaced)


def codec_changed(codec: str) -> None:
    """Makes a payload codec that has just been registered selectable, and takes back the entries of
    one that has been removed; does nothing while not installed."""
    with _lock:
        if _saved is None:
            return
        known = codec in payloads.known_ids()
        for container, key, value in _compositions(codec):
            before = [each for each in _saved if each[0] is container and each[1] == key]
            if known and not before:
                _saved.append((container, key, _get(container, key)))
                _put(container, key, value)
            elif before and not known:
                _put(*before[0])
                _saved.remove(before[0])


def is_installed() -> bool:
    """Whether :func:`install` is in force."""
    return _saved is not None


def uninstall() -> None:
    """Restores everything that :func:`install` changed. Does nothing if it was not called.

    Existing messages, serializers and factories keep working.
    """
    global _saved
    with _lock:
        for container, key, value in _saved or ():
            _put(container, key, value)
        if _saved is not None:
            _factories.restore()
        _saved = None
