"""The CPython backend: WAMP messages as FlatBuffers, in C (csrc/cpython)."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, final

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

# Typed payloads (csrc/cpython/typed)

@final
class TypedSchema:
    """One compiled schema (.bfbs): its tables' codecs, and the classes of its types.

    InvalidPayload if the bytes are no good schema. words: "rfc" or "memory", the order of the words
    of uint128_t and its like. Nothing but bind() changes it."""

    def __new__(cls, data: Buffer, /, *, words: str = "rfc") -> TypedSchema: ...
    @property
    def data(self) -> bytes: ...
    @property
    def words(self) -> str: ...
    @property
    def tables(self) -> tuple[str, ...]: ...
    @property
    def structs(self) -> tuple[str, ...]: ...
    @property
    def enums(self) -> tuple[str, ...]: ...
    @property
    def refused(self) -> dict[str, str]:
        """The tables and structs that can't be used, and why."""

    @property
    def root(self) -> str | None: ...
    @property
    def identifier(self) -> bytes | None: ...
    def describe(self) -> dict[str, Any]:
        """The file as reflection.fbs has it: what is present, base types as numbers."""

    def codec(self, name: str, /) -> TypedCodec:
        """What encodes and decodes a table. KeyError, or InvalidPayload if it can't be used."""

    def type(self, name: str, /) -> Any:
        """The class of a table or struct, the IntEnum or IntFlag of an enum or union."""

    def to_dict(self, value: Any, /) -> dict[str, Any]:
        """What TypedTable.to_dict() says, of an instance of a class of this schema."""

    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def bind(self, name: str, cls: Any, /) -> None:
        """Makes a class that of a table or struct. TypeError if it lacks a field, ValueError if the
        type has a class already."""

@final
class TypedCodec:
    """One table of a schema as the root of buffers."""

    @property
    def name(self) -> str: ...
    @property
    def schema(self) -> TypedSchema: ...
    @property
    def fields(self) -> tuple[str, ...]: ...
    @property
    def args(self) -> tuple[str, ...]: ...
    @property
    def kwargs(self) -> tuple[str, ...]: ...
    @property
    def identifier(self) -> bytes | None: ...
    def encode(
        self,
        value: Any,
        /,
        *,
        identifier: bytes | None = None,
        keep_kwargs: bool = False,
        sort_keys: bool = False,
        strict: bool = False,
    ) -> bytes:
        """The buffer of an instance or a mapping; InvalidPayload."""

    def check(self, value: Any, /) -> None:
        """Raises what encode() raises."""

    def limited(self, limits: tuple[int, int, int, int], /) -> TypedCodec:
        """The same codec with other limits, those of a Limits."""

    def decode(
        self,
        data: Buffer,
        /,
        *,
        form: int = 0,
        strict: bool = False,
        identifier: bytes | None = None,
    ) -> Any:
        """What is in a buffer. form: 0 an instance, 1 a dict of what is present, 2 a dict with
        defaults, 3 a dict of what is present of values as instances have them. InvalidPayload."""

    def verify(
        self, data: Buffer, /, *, strict: bool = False, identifier: bytes | None = None
    ) -> None:
        """InvalidPayload if a buffer is wrong."""

    def get(self, data: Buffer, path: str, /) -> Any:
        """One value by its path; KeyError, IndexError, InvalidPayload."""

    def lazy(self, data: Buffer, /) -> Any:
        """The verified root, whose fields are read on demand. InvalidPayload."""

    def default(self, field: str, /) -> Any:
        """What a field's absence means; KeyError."""

class TypedTable:
    """Base of the classes of tables and structs."""

    __fbs_name__: ClassVar[str]
    __fbs_schema__: ClassVar[TypedSchema]
    __fbs_fields__: ClassVar[dict[str, str]]
    __match_args__: ClassVar[tuple[str, ...]]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __copy__(self) -> Self: ...
    def __replace__(self, /, **changes: Any) -> Self: ...
    def to_dict(self) -> dict[str, Any]:
        """The fields that are not None by their names in the schema, nested ones too."""

@final
class TypedUnion(tuple[str, Any]):
    """A union's member, by the name that the union has for it, and its value."""

    __match_args__ = ("type", "value")
    @property
    def type(self) -> str: ...
    @property
    def value(self) -> Any: ...
    def __new__(cls, type: str, value: Any) -> Self: ...

@final
class TypedLazy:
    """A table of a verified buffer, of which only what is asked for is read."""

    def decode(self) -> Any:
        """All of it, as an instance."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, as TypedTable.to_dict() has it."""

@disjoint_base
class TypedCatalog:
    """Base of autobahn_fbs.typed.Catalog: its hot calls."""

    _codecs: dict[str, TypedCodec]
    def encode(
        self,
        name: str,
        value: Any,
        /,
        *,
        identifier: bytes | None = None,
        keep_kwargs: bool = False,
        sort_keys: bool = False,
        strict: bool = False,
    ) -> bytes:
        """The buffer of a table, from an instance of its class or a mapping by field name.

        sort_keys sorts vectors of tables that have a key. identifier is of 4 bytes. KeyError if
        there is no such table, InvalidPayload if the value is not what the table says."""

    def decode(
        self,
        name: str,
        data: Buffer,
        /,
        *,
        form: int = 0,
        strict: bool = False,
        identifier: bytes | None = None,
    ) -> Any:
        """The instance in a buffer, which is verified first; or a dict, as TypedCodec.decode says.

        strict refuses enum values and union types that the schema doesn't have; identifier, of 4
        bytes, is the one that the buffer must have. KeyError, InvalidPayload."""

    def verify(
        self,
        name: str,
        data: Buffer,
        /,
        *,
        strict: bool = False,
        identifier: bytes | None = None,
    ) -> None:
        """Checks a buffer and makes no object of it. KeyError, InvalidPayload with path, offset."""

    def get(self, name: str, data: Buffer, path: str, /) -> Any:
        """One value by its path, such as "header.seq" or "points[3].x"; None if it is absent.

        What is on the way is verified, and the value, and nothing else. KeyError if there is no
        such table or field, IndexError if there is no such element, InvalidPayload."""

    def lazy(self, name: str, data: Buffer, /) -> Any:
        """The table in a buffer, verified, whose fields are read when they are asked for: a
        TypedLazy with an attribute for each. Vectors of numbers are views of the buffer."""

# These are this backend's only: see autobahn_fbs/_accelerate/parts.
def construct_in_c(cls: type[Message], /) -> None:
    """Makes calls of one of Autobahn's message classes go through C; TypeError if it can't."""

def construct_in_python(cls: type[Message], /) -> None:
    """Takes construct_in_c() back; TypeError if it is not one of Autobahn's message classes."""

def is_forwardable(message: Message, /) -> bool:
    """Whether a message came in with args and kwargs that forward() does not decode."""

def forward(cls: type[Message], source: Message, /, *args: Any, **kwargs: Any) -> Message:
    """cls(*args, args=source.args, kwargs=source.kwargs, **kwargs), decoded when it is read."""

@final
class Pieces:
    """Received bytes that were not read yet, as they came: adding to them copies nothing."""

    def __new__(cls, data: Buffer = b"", /) -> Pieces: ...
    def __len__(self) -> int: ...
    def __add__(self, data: Buffer, /) -> Pieces:
        """Adds to these, and gives them back."""

    def __getitem__(self, part: slice, /) -> Any:
        """Bytes for p[a:b]; Pieces for p[a:]."""
