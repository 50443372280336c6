"""The CPython backend: WAMP messages as FlatBuffers, in C (csrc/cpython)."""

from collections.abc import Callable, Iterator
from typing import Any, final

from autobahn.wamp.message import Message
from typing_extensions import Buffer, disjoint_base

@disjoint_base
class ObjectSerializer:
    """Base of autobahn_fbs.FlatBuffersObjectSerializer: the part that is in C."""

    def __init__(
        self,
        batched: bool = False,
        schema_dialect: bool = False,
        codec: int = 0,
        codec_name: str | None = None,
        limits: tuple[int, int, int, int] | None = None,
    ) -> None: ...
    def serialize(self, obj: Message | list[Any], /) -> bytes:
        """The bytes of a WAMP message (or of a raw WAMP list).

        Raises TypeError or ValueError that names the attribute if a value can't be sent.
        """

    def serialize_payload(self, data: Any, /) -> bytes:
        """The bytes of args or kwargs in this serializer's payload codec."""

    def unserialize(self, payload: Buffer, /) -> list[Message]:
        """The messages in a bytes-like object: one, or all of a batch.

        Raises autobahn.wamp.exception.ProtocolError if anything is wrong. The messages are of the
        classes in RECEIVED.
        """

    @property
    def _batched(self) -> bool: ...
    @property
    def _schema_dialect(self) -> bool: ...
    @property
    def _codec(self) -> int: ...

@final
class Masker:
    """Masks the payload of WebSocket frames, as Autobahn's maskers do."""

    def __new__(cls, mask: Buffer, length: int | None = None) -> Masker: ...
    def process(self, data: Buffer, /) -> bytes:
        """Masks or unmasks the next bytes of a frame."""

    def pointer(self) -> int:
        """How many bytes of the frame have been processed."""

    def reset(self) -> None:
        """Begins another frame with the same mask."""

@disjoint_base
class TransportSerializer:
    """Base of autobahn_fbs.FlatBuffersSerializer: the hot path and the counters of stats()."""

    _serializer: ObjectSerializer
    _autoreset_callback: Callable[[dict[str, Any]], object] | None
    _autoreset_rated_messages: int | None
    _autoreset_duration: int | None
    _serialized_bytes: int
    _serialized_messages: int
    _serialized_rated_messages: int
    _unserialized_bytes: int
    _unserialized_messages: int
    _unserialized_rated_messages: int
    _rated_size: int

    def serialize(self, msg: Message | list[Any], /) -> tuple[bytes, bool]:
        """The message's bytes, and True: they need a binary transport."""

    def unserialize(self, payload: Buffer, isBinary: bool | None = None) -> list[Message]:
        """The messages in a bytes-like object; ProtocolError if anything is wrong."""

RECEIVED: dict[str, type[Message]]
"""The classes of received messages, each a subclass of Autobahn's class of that name.

Those with a payload have views of it, as autobahn_fbs.views.HasViews declares them."""

def cbor_dumps(obj: Any, /) -> bytes:
    """What cbor2.dumps(obj) returns (RFC 8949), faster for the common data model."""

def cbor_loads(data: Buffer, /) -> Any:
    """What cbor2.loads(data) returns or raises (RFC 8949), faster for the common data model."""

def counters() -> dict[str, Any]:
    """What the process did with its messages: see autobahn_fbs.counters(), which types it.

    A reason in "refused" is there once it happened; it is the name of a WFBS_ERROR_ code without
    that prefix, "METADATA", "BATCH" or, for each failed reading of args or kwargs, "PAYLOAD"."""

class FlexBuffersError(ValueError):
    """The bytes are no FlexBuffer, or one that breaks the rules of the format."""

    offset: int

@final
class Lazy:
    """A vector or map inside a FlexBuffer, of which only what is asked for is decoded."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def __getitem__(self, key: str | int, /) -> Any: ...
    def keys(self) -> list[str]:
        """The keys of a map; TypeError for a vector."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """What a map has under a key, or the default; TypeError for a vector."""

    def value(self) -> Any:
        """The whole container decoded: a list or a dict."""

    @property
    def is_map(self) -> bool:
        """Whether it is a map; otherwise it is a vector."""

def flex_dumps(obj: Any, /, compact: bool = False) -> bytes:
    """The FlexBuffer of a value; see autobahn_fbs.flexbuffers.dumps."""

def flex_loads(data: Buffer, /, lazy: bool = False) -> Any:
    """The value of a FlexBuffer; see autobahn_fbs.flexbuffers.loads."""

# These are this backend's only: see autobahn_fbs/_accelerate/parts.
def construct_in_c(cls: type[Message], /) -> None:
    """Makes calls of one of Autobahn's message classes go through C; TypeError if it can't."""

def construct_in_python(cls: type[Message], /) -> None:
    """Takes construct_in_c() back; TypeError if it is not one of Autobahn's message classes."""

def is_forwardable(message: Message, /) -> bool:
    """Whether a message came in with args and kwargs that forward() does not decode."""

def forward(cls: type[Message], source: Message, /, *args: Any, **kwargs: Any) -> Message:
    """cls(*args, args=source.args, kwargs=source.kwargs, **kwargs), decoded when it is read."""

class Pieces:
    """Received bytes that were not read yet, as they came: adding to them copies nothing."""

    def __new__(cls, data: Buffer = b"", /) -> Pieces: ...
    def __len__(self) -> int: ...
    def __add__(self, data: Buffer, /) -> Pieces:
        """Adds to these, and gives them back."""

    def __getitem__(self, part: slice, /) -> Any:
        """Bytes for p[a:b]; Pieces for p[a:]."""
