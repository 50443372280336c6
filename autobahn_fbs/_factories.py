"""Changes that install() makes in Autobahn's transport factories.

If a list of serializers has the same subprotocol twice, it is offered once. With ``prefer``,
FlatBuffers comes first if a program names no serializer: in the default lists of the WebSocket and
RawSocket factories, and of Component. The original entries of these lists follow.

A RawSocket client offers one serializer, and a router without that serializer closes the
connection. The next connection then uses Autobahn's usual choice. If that fails too, the one after
it uses FlatBuffers again.

Autobahn's modules may be imported before or after install(). A framework that isn't used is not
imported. A function with unknown parameters or names is left unchanged, with a warning.
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

#: The attribute of a RawSocket client's factory that stores the action for an early disconnect.
_REFUSED = "_autobahn_fbs_refused"


@dataclass(frozen=True)
class Change:
    """A function to be wrapped, given as ``module:name`` or ``module:class.name``."""

    target: str
    #: The parameters that the known function has, and names that it must use.
    parameters: tuple[str, ...]
    uses: frozenset[str]
    wrap: Callable[[Any], Any]

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.target.partition(":")[0]

    def find(self) -> tuple[Any, str]:
        """The object that has the function, and the function's name there.

        :raises LookupError: there is no such class or function.
        """
        owner: Any = sys.modules[self.module]
        *path, name = self.target.partition(":")[2].split(".")
        for each in path:
            owner = vars(owner)[each]
        vars(owner)[name]
        return owner, name

    def is_known(self, function: Any) -> bool:
        """Whether the function is the known one."""
        if not isinstance(function, FunctionType):
            return False
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        return names == self.parameters and self.uses <= {*code.co_names, *code.co_varnames}


# The wrappers. Each has the signature of what it wraps.


def _first_of_each(serializers: Iterable[Any]) -> list[Any]:
    """`serializers` without those of this package whose subprotocol occurred before."""
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
    """The serializers that come first in a default list."""
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
    """Handles the end of a RawSocket connection. `done` says whether the opening handshake was
    complete."""
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

# The changes to make once their module is imported; the changes that were made, as (owner, name,
# original); and the unknown functions that haven't been warned of yet. The lock protects all of
# them.
_lock = threading.RLock()
_waiting: list[Change] = []
_done: list[tuple[Any, str, Any]] = []
_unknown: list[str] = []
_hooks: AfterImport | None = None
_preferred = False


def preferred() -> bool:
    """Whether FlatBuffers currently comes first."""
    return _preferred


def change(prefer: bool) -> None:
    """Makes the changes in imported modules, and arranges for the others. With `prefer`, all of
    them.

    :func:`warn_of_unknown` warns of unknown functions.
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
    """Makes the changes whose modules have been imported since."""
    with _lock:
        _apply()
    warn_of_unknown()


def warn_of_unknown() -> None:
    """Warns of functions that were not changed, once for each. Holds no lock."""
    while _unknown:
        warnings.warn(
            f"autobahn_fbs: {_unknown.pop()} is not known, so it is left unchanged",
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
    """Undoes all changes. Existing factories keep what they have."""
    global _hooks, _preferred
    with _lock:
        if _hooks is not None:
            sys.meta_path.remove(_hooks)
        _hooks, _preferred = None, False
        _waiting.clear()
        for owner, name, original in reversed(_done):
            setattr(owner, name, original)
        _done.clear()
