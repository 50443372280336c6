"""The CPython backend: WAMP messages as FlatBuffers, in C (csrc/cpython)."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, final

from autobahn.wamp.message import Message
from typing_extensions import Buffer, disjoint_base

@disjoint_base
class ObjectSerializer:
    """C base class of autobahn_fbs.FlatBuffersObjectSerializer."""

    def __init__(
        self,
        batched: bool = False,
        schema_dialect: bool = False,
        codec: int = 0,
        codec_name: str | None = None,
        limits: tuple[int, int, int, int] | None = None,
    ) -> None: ...
    def serialize(self, obj: Message | list[Any], /) -> bytes:
        """Encodes a WAMP message (or a raw WAMP list) to bytes.

        Raises TypeError or ValueError, which names the attribute, if a value can't be sent.
        """

    def serialize_payload(self, data: Any, /) -> bytes:
        """Encodes args or kwargs with this serializer's payload codec."""

    def unserialize(self, payload: Buffer, /) -> list[Message]:
        """Decodes a bytes-like object to a list of messages: one, or all of a batch.

        Raises autobahn.wamp.exception.ProtocolError if anything is invalid. The classes of the
        messages are those in RECEIVED.
        """

    @property
    def _batched(self) -> bool: ...
    @property
    def _schema_dialect(self) -> bool: ...
    @property
    def _codec(self) -> int: ...

@final
class Masker:
    """Masks the payload of WebSocket frames, like Autobahn's maskers."""

    def __new__(cls, mask: Buffer, length: int | None = None) -> Masker: ...
    def process(self, data: Buffer, /) -> bytes:
        """Masks or unmasks the next bytes of a frame."""

    def pointer(self) -> int:
        """The number of bytes of the frame that have been processed."""

    def reset(self) -> None:
        """Starts a new frame with the same mask."""

@disjoint_base
class TransportSerializer:
    """C base class of autobahn_fbs.FlatBuffersSerializer: the hot path, and the counters of
    stats()."""

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
        """The message's bytes, and True, because they need a binary transport."""

    def unserialize(self, payload: Buffer, isBinary: bool | None = None) -> list[Message]:
        """Decodes a bytes-like object to a list of messages. Raises ProtocolError if anything is
        invalid."""

RECEIVED: dict[str, type[Message]]
"""The classes of received messages. Each is a subclass of Autobahn's class with the same name.

Classes that have a payload offer views of it, as autobahn_fbs.views.HasViews declares."""

def cbor_dumps(obj: Any, /) -> bytes:
    """Returns the same as cbor2.dumps(obj) (RFC 8949), faster for the common data model. Raises
    ValueError for values that cbor_loads would refuse; SECURITY.rst names the exceptions."""

def cbor_loads(data: Buffer, /) -> Any:
    """Returns or raises the same as cbor2.loads(data) (RFC 8949), faster for the common data
    model."""

def counters() -> dict[str, Any]:
    """Counts what the process did with its messages. See autobahn_fbs.counters(), which has types.

    A reason in "refused" is present once it has occurred. It is the name of a WFBS_ERROR_ code
    without that prefix, "METADATA", "BATCH", or "PAYLOAD" for each failed attempt to read args or
    kwargs."""

class FlexBuffersError(ValueError):
    """The bytes aren't a FlexBuffer, or break the rules of the format."""

    offset: int

@final
class Lazy:
    """A vector or map in a FlexBuffer. Its values are decoded on access."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def __getitem__(self, key: str | int, /) -> Any: ...
    def keys(self) -> list[str]:
        """The keys of a map; TypeError for a vector."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value for a key of a map, or the default; TypeError for a vector."""

    def value(self) -> Any:
        """The whole container decoded: a list or a dict."""

    @property
    def is_map(self) -> bool:
        """Whether it is a map; otherwise it is a vector."""

def flex_dumps(obj: Any, /, compact: bool = False) -> bytes:
    """Encodes a value as a FlexBuffer; see autobahn_fbs.flexbuffers.dumps."""

def flex_loads(data: Buffer, /, lazy: bool = False) -> Any:
    """Decodes a FlexBuffer; see autobahn_fbs.flexbuffers.loads."""

def msgpack_check(data: Buffer, /) -> None:
    """Checks that all map keys in MessagePack are text or binary, in linear time. ValueError for
    another key, and for more than 1024 levels. The libraries that read MessagePack detect malformed
    input."""

# Typed payloads (csrc/cpython/typed)

@final
class TypedSchema:
    """One compiled schema (.bfbs): codecs for its tables, and classes for its types.

    InvalidPayload if the bytes aren't a valid schema. words is "rfc" or "memory", the order of the
    words of uint128_t and similar structs. Only bind() changes the schema."""

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
        """The tables and structs that can't be used, with the reasons."""

    @property
    def root(self) -> str | None: ...
    @property
    def identifier(self) -> bytes | None: ...
    def describe(self) -> dict[str, Any]:
        """The file in the terms of reflection.fbs: fields that are present, base types as
        numbers."""

    def codec(self, name: str, /) -> TypedCodec:
        """The codec of a table. KeyError, or InvalidPayload if the table can't be used."""

    def type(self, name: str, /) -> Any:
        """The class of a table or struct, or the IntEnum or IntFlag of an enum or union."""

    def to_dict(self, value: Any, /) -> dict[str, Any]:
        """The result of TypedTable.to_dict() for an instance of a class of this schema."""

    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def bind(self, name: str, cls: Any, /) -> None:
        """Binds a class to a table or struct. TypeError if it lacks a field, ValueError if the type
        already has a class."""

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
        """Encodes an instance or a mapping; InvalidPayload."""

    def check(self, value: Any, /) -> None:
        """Raises the same errors as encode()."""

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
        """Decodes a buffer. form is 0 for an instance, 1 for a dict of the fields that are present,
        2 for a dict with defaults, 3 for a dict like 1 but with values as in instances.
        InvalidPayload."""

    def verify(
        self, data: Buffer, /, *, strict: bool = False, identifier: bytes | None = None
    ) -> None:
        """Raises InvalidPayload if a buffer is invalid."""

    def get(self, data: Buffer, path: str, /) -> Any:
        """The value at a path; KeyError, IndexError, InvalidPayload."""

    def lazy(self, data: Buffer, /) -> Any:
        """The verified root table, whose fields are read on demand. InvalidPayload."""

    def default(self, field: str, /) -> Any:
        """The value of a field when it is absent; KeyError."""

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
        """The fields that aren't None, by their names in the schema, including nested ones."""

@final
class TypedUnion(tuple[str, Any]):
    """A member of a union: its name in the union, and its value."""

    __match_args__ = ("type", "value")
    @property
    def type(self) -> str: ...
    @property
    def value(self) -> Any: ...
    def __new__(cls, type: str, value: Any) -> Self: ...

@final
class TypedLazy:
    """A table of a verified buffer. Its fields are read on access."""

    def decode(self) -> Any:
        """The whole table as an instance."""

    def to_dict(self) -> dict[str, Any]:
        """The whole table as a dict, like TypedTable.to_dict()."""

@disjoint_base
class TypedCatalog:
    """C base class of autobahn_fbs.typed.Catalog, with its hot calls."""

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
        """Encodes a table from an instance of its class or a mapping by field name.

        sort_keys sorts vectors of tables that have a key. identifier has 4 bytes. KeyError if there
        is no such table, InvalidPayload if the value doesn't match the table."""

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
        """Verifies a buffer and decodes it to an instance, or to a dict as TypedCodec.decode does.

        strict refuses enum values and union types that the schema doesn't have. identifier has 4
        bytes; the buffer must have it. KeyError, InvalidPayload."""

    def verify(
        self,
        name: str,
        data: Buffer,
        /,
        *,
        strict: bool = False,
        identifier: bytes | None = None,
    ) -> None:
        """Verifies a buffer without creating objects. KeyError, InvalidPayload with path and
        offset."""

    def get(self, name: str, data: Buffer, path: str, /) -> Any:
        """The value at a path, such as "header.seq" or "points[3].x"; None if it is absent.

        Verifies only the value and the path to it. KeyError if there is no such table or field,
        IndexError if there is no such element, InvalidPayload."""

    def lazy(self, name: str, data: Buffer, /) -> Any:
        """Verifies a buffer and returns a TypedLazy, which has an attribute for each field and
        reads it on access. Vectors of numbers are views of the buffer."""

# Only this backend has these: see autobahn_fbs/_accelerate/parts.
def construct_in_c(cls: type[Message], /) -> None:
    """Makes constructor calls of one of Autobahn's message classes go through C; TypeError if that
    isn't possible."""

def construct_in_python(cls: type[Message], /) -> None:
    """Undoes construct_in_c(); TypeError if it is not one of Autobahn's message classes."""

def is_forwardable(message: Message, /) -> bool:
    """Whether a received message has args and kwargs that forward() doesn't decode."""

def forward(cls: type[Message], source: Message, /, *args: Any, **kwargs: Any) -> Message:
    """cls(*args, args=source.args, kwargs=source.kwargs, **kwargs), but decoded on access."""

@final
class Pieces:
    """Received bytes that haven't been read yet, in pieces. Adding to them copies nothing."""

    def __new__(cls, data: Buffer = b"", /) -> Pieces: ...
    def __len__(self) -> int: ...
    def __add__(self, data: Buffer, /) -> Pieces:
        """Adds to these, and returns them."""

    def __getitem__(self, part: slice, /) -> Any:
        """Bytes for p[a:b]; Pieces for p[a:]."""
