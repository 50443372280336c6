"""What install() changes in Autobahn's transport factories.

A subprotocol that is in a list of serializers twice is offered once. With ``prefer``, FlatBuffers
comes first where a program names no serializer: in the default lists of the WebSocket and RawSocket
factories and of Component. What had these lists before comes behind it.

A RawSocket client offers one serializer, and a router that doesn't have it hangs up. The next
connection is then made with what Autobahn would have taken, the one after that with FlatBuffers
again if this fails, too.

Autobahn's modules may be imported before or after; a framework that isn't used is not imported. A
function that doesn't take or use what is known stays as it is, with a warning.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from types import FunctionType
from typing import Any

from ._bootstrap.sitecustomize import AfterImport
from ._serializer import FlatBuffersSerializer

#: The attribute of a RawSocket client's factory with what to do when the peer hangs up early.
_REFUSED = "_autobahn_fbs_refused"


@dataclass(frozen=True)
class Change:
    """A function that is wrapped, ``module:name`` or ``module:class.name``."""

    target: str
    #: Its parameters, and names that it must use, to be the one that is known.
    parameters: tuple[str, ...]
    uses: frozenset[str]
    wrap: Callable[[Any], Any]

    @property
    def module(self) -> str:
        """The module that has it."""
        return self.target.partition(":")[0]

    def find(self) -> tuple[Any, str]:
        """What has the function, and its name there.

        :raises LookupError: there is no such class or function.
        """
        owner: Any = sys.modules[self.module]
        *path, name = self.target.partition(":")[2].split(".")
        for each in path:
            owner = vars(owner)[each]
        vars(owner)[name]
        return owner, name

    def is_known(self, function: Any) -> bool:
        """Whether the function is the one that this was written for."""
        if not isinstance(function, FunctionType):
            return False
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        return names == self.parameters and self.uses <= {*code.co_names, *code.co_varnames}


# The wrappers. Each has the signature of what it wraps.


def _first_of_each(serializers: Iterable[Any]) -> list[Any]:
    """`serializers` without those of this package whose subprotocol came before."""
    seen: set[str] = set()
    found = []
    for each in serializers:
        if isinstance(each, FlatBuffersSerializer):
            if each.SERIALIZER_ID in seen:
                continue
            seen.add(each.SERIALIZER_ID)
        found.append(each)
    return found


def _both() -> list[FlatBuffersSerializer]:
    """What comes first in a default list."""
    return [FlatBuffersSerializer(), FlatBuffersSerializer(batched=True)]


def _websocket(original: Any) -> Any:
    @wraps(original)
    def __init__(self: Any, factory: Any, serializers: Any = None) -> None:
        given = serializers is not None
        original(self, factory, _first_of_each(serializers) if given else None)
        if not given and preferred():
            ours = {each.SERIALIZER_ID: each for each in _both()}
            self._serializers = {**ours, **self._serializers}
            self._protocols = [*(f"wamp.2.{name}" for name in ours), *self._protocols]

    return __init__


def _rawsocket_server(original: Any) -> Any:
    @wraps(original)
    def __init__(self: Any, factory: Any, serializers: Any = None) -> None:
        given = serializers is not None
        original(self, factory, _first_of_each(serializers) if given else None)
        if not given and preferred():
            ours = FlatBuffersSerializer()
            self._serializers = {ours.RAWSOCKET_SERIALIZER_ID: ours, **self._serializers}

    return __init__


def _rawsocket_client(original: Any) -> Any:
    @wraps(original)
    def __init__(self: Any, factory: Any, serializer: Any = None) -> None:
        original(self, factory, serializer)
        if serializer is None:
            other = self._serializer
            self._serializer = FlatBuffersSerializer()

            def refused() -> None:
                nonlocal other
                self._serializer, other = other, self._serializer

            setattr(self, _REFUSED, refused)

    return __init__


def _hung_up(protocol: Any, done: bool) -> None:
    """A RawSocket connection has ended; `done` is whether its opening handshake was over."""
    factory: Any = getattr(protocol, "factory", None)
    refused = getattr(factory, _REFUSED, None)
    if refused is not None and not done:
        refused()
        factory.log.info("RawSocket: the peer refused the serializer; trying another one next")


def _twisted_lost(original: Any) -> Any:
    @wraps(original)
    def connectionLost(self: Any, reason: Any) -> None:
        _hung_up(self, self._handshake_complete)
        original(self, reason)

    return connectionLost


def _asyncio_lost(original: Any) -> Any:
    @wraps(original)
    def connection_lost(self: Any, exc: Any) -> None:
        _hung_up(self, getattr(self, "_handshake_done", True))
        original(self, exc)

    return connection_lost


def _create_transport(original: Any) -> Any:
    @wraps(original)
    def create(index: Any, transport: Any, check_native_endpoint: Any = None) -> Any:
        result = original(index, transport, check_native_endpoint)
        if "serializers" not in transport and "serializer" not in transport:
            result.serializers = ["flatbuffers", *result.serializers]
        return result

    return create


def _create_transport_factory(original: Any) -> Any:
    @wraps(original)
    def create(loop: Any, transport: Any, session_factory: Any) -> Any:
        factory = original(loop, transport, session_factory)
        if transport.type == "rawsocket" and len(transport.serializers) > 1:  # by _create_transport
            setattr(factory, _REFUSED, transport.serializers.reverse)
        return factory

    return create


def _init(module: str, name: str, argument: str, wrap: Any, *uses: str) -> Change:
    parameters = ("self", "factory", argument)
    return Change(f"{module}:{name}.__init__", parameters, frozenset(uses), wrap)


_ALWAYS = [
    _init(
        "autobahn.wamp.websocket",
        "WampWebSocketFactory",
        "serializers",
        _websocket,
        "_serializers",
        "_protocols",
    ),
    *(
        _init(
            f"autobahn.{framework}.rawsocket",
            "WampRawSocketServerFactory",
            "serializers",
            _rawsocket_server,
            "_serializers",
        )
        for framework in ("twisted", "asyncio")
    ),
]
_PREFERRING = [
    *(
        _init(
            f"autobahn.{framework}.rawsocket",
            "WampRawSocketClientFactory",
            "serializer",
            _rawsocket_client,
            "_serializer",
        )
        for framework in ("twisted", "asyncio")
    ),
    Change(
        "autobahn.twisted.rawsocket:WampRawSocketProtocol.connectionLost",
        ("self", "reason"),
        frozenset(),
        _twisted_lost,
    ),
    Change(
        "autobahn.asyncio.rawsocket:PrefixProtocol.connection_lost",
        ("self", "exc"),
        frozenset(),
        _asyncio_lost,
    ),
    Change(
        "autobahn.wamp.component:_create_transport",
        ("index", "transport", "check_native_endpoint"),
        frozenset({"serializer_config"}),
        _create_transport,
    ),
    *(
        Change(
            f"autobahn.{framework}.component:_create_transport_factory",
            (loop, "transport", "session_factory"),
            frozenset({"create_transport_serializer", "serializers"}),
            _create_transport_factory,
        )
        for framework, loop in (("twisted", "reactor"), ("asyncio", "loop"))
    ),
]

# What is to be done when its module is there, what was done: (owner, name, original), and what was
# not the one that is known and isn't warned of yet. All of it changes under the lock.
_lock = threading.RLock()
_waiting: list[Change] = []
_done: list[tuple[Any, str, Any]] = []
_unknown: list[str] = []
_hooks: AfterImport | None = None
_preferred = False


def preferred() -> bool:
    """Whether FlatBuffers comes first at the moment."""
    return _preferred


def change(prefer: bool) -> None:
    """Makes the changes in what is imported, and sees to the rest. With `prefer`, all of them.

    What isn't known is warned of by :func:`warn_of_unknown`.
    """
    global _hooks, _preferred
    with _lock:
        if _hooks is None:
            _hooks = AfterImport()
            _hooks.after("autobahn.*", apply_waiting)
            sys.meta_path.insert(0, _hooks)
            _waiting.extend(_ALWAYS)
        if prefer and not _preferred:
            _preferred = True
            _waiting.extend(_PREFERRING)
        _apply()


def apply_waiting() -> None:
    """Makes the changes whose modules have been imported by now."""
    with _lock:
        _apply()
    warn_of_unknown()


def warn_of_unknown() -> None:
    """Warns of functions that were not changed, once for each. Holds no lock."""
    while _unknown:
        warnings.warn(
            f"autobahn_fbs: {_unknown.pop()} is not one that is known, and stays as it is",
            RuntimeWarning,
            stacklevel=3,
        )


def _apply() -> None:
    for each in list(_waiting):
        module: Any = sys.modules.get(each.module)
        if module is None:
            continue
        loading = getattr(module.__spec__, "_initializing", False)
        if _hooks is not None and each.module in _hooks.finished:
            loading = False
        try:
            owner, name = each.find()
        except (LookupError, TypeError):
            if loading:  # the class may be further down
                continue
            owner, name = None, ""
        original = vars(owner).get(name) if owner is not None else None
        _waiting.remove(each)
        if each.is_known(original):
            _done.append((owner, name, original))
            setattr(owner, name, each.wrap(original))
        else:
            _unknown.append(each.target)


def restore() -> None:
    """Takes all changes back. Factories that were made before keep what they have."""
    global _hooks, _preferred
    with _lock:
        if _hooks is not None:
            sys.meta_path.remove(_hooks)
        _hooks, _preferred = None, False
        _waiting.clear()
        for owner, name, original in reversed(_done):
            setattr(owner, name, original)
        _done.clear()
