"""The two serializer classes: Autobahn's interfaces to the C code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import time_ns
from typing import TYPE_CHECKING, Any, ClassVar

from autobahn.wamp import serializer as upstream
from autobahn.wamp.interfaces import IObjectSerializer, ISerializer
from autobahn.wamp.message import Message
from autobahn.wamp.serializer import Serializer

from . import payloads
from ._backend import native
from .limits import Limits

# Autobahn's serializers get their clock from txaio when their module is imported. If no framework
# has been chosen by then, they all keep a clock that raises. This clock replaces it.
try:
    upstream.time_ns()  # type: ignore[attr-defined]  # imported there, not exported
except RuntimeError:
    upstream.time_ns = time_ns  # type: ignore[attr-defined]

_DIALECTS = ("autobahn", "schema")


class FlatBuffersObjectSerializer(native.ObjectSerializer):
    """Serializes and unserializes single messages or batches (``IObjectSerializer``).

    :param batched: frame every message with its length, 32 bits, big-endian (WAMP section
        "Message Batching").
    :param payload_serializer: the codec for args and kwargs of sent messages: ``"cbor"``,
        ``"flexbuffers"``, ``"json"``, ``"msgpack"``, ``"ubjson"``, or one that
        :func:`autobahn_fbs.register_payload_serializer` added. Every message names its codec, so
        any receiver can read any of them.
    :param dialect: ``"autobahn"`` (the union's types are WAMP message codes) or ``"schema"`` (they
        are the ordinals in Autobahn's schema, as connectanum uses them).
    :param limits: the maximum cost of a received message; :class:`autobahn_fbs.Limits` has the
        defaults.
    :raises TypeError: limits is not a :class:`autobahn_fbs.Limits`.
    :raises ValueError: the payload serializer or dialect is unknown, or a limit is out of range.
    """

    #: Autobahn recognizes FlatBuffers by this name.
    NAME = "flatbuffers"
    #: The bytes need a binary transport.
    BINARY = True
    #: The module that implements the serializer, for version displays.
    FLATBUFFERS_MODULE = sys.modules[__name__.rpartition(".")[0]]
    #: Maps FlatBuffers message codes (``MessageType`` in the schema) to message classes.
    MESSAGE_TYPE_MAP: ClassVar[dict[int, type[Message]]] = {
        (37 if kind == 337 else kind): cls for kind, cls in Serializer.MESSAGE_TYPE_MAP.items()
    }

    def __init__(
        self,
        batched: bool = False,
        payload_serializer: str = "cbor",
        dialect: str = "autobahn",
        limits: Limits | None = None,
    ) -> None:
        self._configure(batched, payload_serializer, dialect, limits)

    def _configure(
        self, batched: bool, payload_serializer: str, dialect: str, limits: Limits | None
    ) -> None:
        number = payloads.number_of(payload_serializer)
        if dialect not in _DIALECTS:
            raise ValueError(f"unknown dialect {dialect!r} (known: {list(_DIALECTS)})")
        name = payload_serializer if number == payloads.NAMED else None
        if limits is not None and not isinstance(limits, tuple):
            raise TypeError(
                "limits must be an autobahn_fbs.Limits, such as Limits(max_size=1_000_000), "
                f"not {type(limits).__name__}"
            )
        checked = None if limits is None else Limits(*limits).checked()
        super().__init__(batched, dialect == "schema", number, name, checked)
        self._settings = (batched, payload_serializer, dialect, checked)
        self._payload_serializer_id = payload_serializer

    # For copy and pickle, which create an object without calling __init__.

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._configure(*state["_settings"])
        self.__dict__.update(state)


# The methods that C overrides take their message by position only.
class FlatBuffersSerializer(native.TransportSerializer, Serializer):  # type: ignore[misc]
    """The serializer for transports (``ISerializer``): converts messages to bytes and back, with
    statistics.

    Takes the same arguments as :class:`FlatBuffersObjectSerializer`. ``copy.copy`` returns a
    serializer with its own statistics that shares the object serializer; transports make such a
    copy for each connection. A pickled or deeply copied serializer has equal settings and
    statistics. To unpickle it, its payload codec must be registered.
    """

    #: Part of the WebSocket subprotocol ``wamp.2.flatbuffers``; ``"flatbuffers.batched"`` with
    #: ``batched=True``.
    SERIALIZER_ID = "flatbuffers"
    #: Number of the serializer in RawSocket's handshake.
    RAWSOCKET_SERIALIZER_ID = 5
    #: Content type of one message.
    MIME_TYPE = "application/x-flatbuffers"

    def __init__(
        self,
        batched: bool = False,
        payload_serializer: str = "cbor",
        dialect: str = "autobahn",
        limits: Limits | None = None,
    ) -> None:
        Serializer.__init__(
            self, FlatBuffersObjectSerializer(batched, payload_serializer, dialect, limits)
        )
        self._rated_size = self.RATED_MESSAGE_SIZE
        if batched:
            self.SERIALIZER_ID = "flatbuffers.batched"
        self._payload_serializer_id = payload_serializer

    @property
    def PAYLOAD_SERIALIZER_ID(self) -> str:
        """The id of the codec for args and kwargs of sent messages."""
        return self._payload_serializer_id

    def serialize_payload(self, data: Any) -> bytes:
        """Encodes args or kwargs with the configured codec.

        :raises Exception: the codec's error for a value that it can't encode.
        """
        return self._serializer.serialize_payload(data)

    if TYPE_CHECKING:  # Autobahn doesn't annotate these

        def stats(self, reset: bool = True, details: bool = False) -> dict[str, Any]: ...
        def stats_reset(self) -> int: ...
        def stats_bytes(self) -> int: ...
        def stats_messages(self) -> int: ...
        def stats_rated_messages(self) -> int: ...
        def set_stats_autoreset(
            self,
            rated_messages: int | None,
            duration: int | None,
            callback: Callable[[dict[str, Any]], object],
            reset_now: bool = False,
        ) -> dict[str, Any] | None: ...

    # For copy and pickle, which create an object without calling __init__.

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, **{name: getattr(self, name) for name in _COUNTED}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def _maybe_autoreset(self) -> None:
        """Resets the statistics if that is due. The C code calls this when a callback is set."""
        due = (
            self._autoreset_duration and time_ns() - self._stats_reset >= self._autoreset_duration
        ) or (
            self._autoreset_rated_messages
            and self.stats_rated_messages() >= self._autoreset_rated_messages
        )
        if due and self._autoreset_callback is not None:
            self._autoreset_callback(self.stats(reset=True))


# The part of a serializer's state that C keeps, outside its __dict__.
_COUNTED = (
    "_serializer",
    "_autoreset_callback",
    "_autoreset_rated_messages",
    "_autoreset_duration",
    "_serialized_bytes",
    "_serialized_messages",
    "_serialized_rated_messages",
    "_unserialized_bytes",
    "_unserialized_messages",
    "_unserialized_rated_messages",
    "_rated_size",
)

IObjectSerializer.register(FlatBuffersObjectSerializer)
ISerializer.register(FlatBuffersSerializer)
