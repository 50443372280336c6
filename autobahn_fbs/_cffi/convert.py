"""Converts one attribute's Python value to one field's value in the record for the core.

If the typed field can't express it, it goes to the metadata. If the wire format can't express it,
an error names the attribute. csrc/cffi/flat.h explains the record's layout.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ._core import lib
from .classes import ROLE_CLASSES, Attribute, custom_match
from .convert_errors import refuse, refuse_encoding
from .schema import TABLES, Table

#: Number of bits of an int's field, by kind.
INTEGER_BITS = {"U8": 8, "U16": 16, "ENUM16": 16, "U32": 32, "U64": 64}

BUILD_FIELDS: int = lib.WFBS_BUILD_FIELDS
BUILD_ROOM: int = lib.WFBS_BUILD_ROOM

#: Returned instead of a value: it belongs in the metadata.
METADATA = None


class Outgoing:
    """A record under construction: a value per slot, the data that values refer to, and their bytes
    by slot."""

    __slots__ = ("extension", "present", "texts", "values")

    def __init__(self) -> None:
        self.present = 0
        self.values: dict[int, int] = {}
        self.texts: dict[int, bytes] = {}
        self.extension: list[int] = []

    def refer(self, values: list[int]) -> int:
        """Appends values after the record's slots; returns their index."""
        index = BUILD_ROOM + len(self.extension)
        self.extension += values
        return index


def _refuse_type(a: Attribute, expected: str, value: Any, what: str = "") -> NoReturn:
    refuse(a, TypeError, f"{what}expected {expected}, got {type(value).__name__}")


def _u64(a: Attribute, value: Any, what: str = "") -> int:
    """An int in 0 .. 2**64-1. `what` is a prefix of the text for items of lists."""
    if type(value) is not int:
        _refuse_type(a, "int", value, what)
    if not 0 <= value < 2**64:
        try:
            digits = repr(value)
        except ValueError:  # CPython limits the number of digits that an int may show
            digits = "an int with too many digits to show"
        refuse(a, ValueError, f"{what}the wire format holds 0 to 2**64-1, not {digits}")
    return value


def _signed(number: int) -> int:
    """The 64 bits of a number, in the record's form."""
    return number - 2**64 if number >= 2**63 else number


def _text(a: Attribute, value: Any, what: str = "") -> bytes:
    if not isinstance(value, str):
        _refuse_type(a, "str", value, what)
    try:
        return str.encode(value)
    except UnicodeEncodeError:
        refuse(a, ValueError, f"{what}{value!r} has no UTF-8 encoding")


def equals_bool(value: Any) -> bool:
    """Whether an exact int or float equals False or True."""
    return type(value) in (int, float) and value in (True, False)


def is_ppt_name(a: Attribute, value: Any) -> bool:
    """Whether `value` may be an enc_algo, enc_serializer or ppt_cipher: a name from the enum, or a
    custom x_ one."""
    if type(value) is not str:
        return False
    _text(a, value)
    assert a.enum is not None
    return value in a.enum.values or custom_match(value) is not None


def is_request_type(number: int) -> bool:
    """Whether an ERROR can answer a message of this WAMP type."""
    return bool(lib.wfbs_request_type_is_valid(number))


def convert(a: Attribute, value: Any, out: Outgoing) -> bool:
    """Stores `value`, which is not None, in `out`; False if it belongs in the metadata.

    :raises TypeError, ValueError: the text names the attribute.
    """
    number = _CONVERTERS[a.use](a, value, out)
    if number is None:
        return False
    out.values[a.index] = number
    out.present |= a.bit
    return True


def _int(a: Attribute, value: Any, out: Outgoing) -> int | None:
    number = _u64(a, value)
    if a.kind == "NONE":
        return METADATA
    check = a.field.check
    if check == "ID" and number > 2**53:
        refuse(a, ValueError, f"WAMP IDs are 0 to 2**53, not {value!r}")
    if check == "POSITIVE" and not number:
        refuse(a, ValueError, "must be 1 or more")
    if check == "REQUEST_TYPE" and not is_request_type(number):
        refuse(a, ValueError, f"{value!r} is not the type of a request that can fail")
    return _signed(number) if number < 1 << INTEGER_BITS[a.kind] else METADATA


def _bool(a: Attribute, value: Any, out: Outgoing) -> int | None:
    if value is True or value is False:
        return int(value)
    if a.field.check == "LOOSE_BOOL" and equals_bool(value):
        return METADATA  # keeps its type
    _refuse_type(a, "bool", value)


def _string(a: Attribute, value: Any, out: Outgoing) -> int | None:
    data = _text(a, value)
    if a.kind == "NONE":
        return METADATA
    out.texts[a.index] = data
    return len(data)


def _enum(a: Attribute, value: Any, out: Outgoing) -> int | None:
    _text(a, value)
    assert a.enum is not None
    number = a.enum.values.get(str(value))
    if number is None and a.field.open:
        return METADATA
    if number is None and a.use != "ENUM" and custom_match(value) is not None:
        return METADATA
    if number is None or (a.field.check == "NONZERO" and not number):
        refuse(a, ValueError, f"{value!r} is not a value that WAMP defines")
    return number


def _list(a: Attribute, value: Any) -> list[Any]:
    if not isinstance(value, list):
        _refuse_type(a, "list", value)
    return value if type(value) is list else list.copy(value)  # bypasses a subclass's own __iter__


def _enums(a: Attribute, value: Any, out: Outgoing) -> int | None:
    items = [_text(a, item, "item: ").decode() for item in _list(a, value)]
    assert a.enum is not None
    numbers = [a.enum.values.get(item) for item in items]
    data = bytes(number for number in numbers if number is not None)
    if len(data) < len(items):
        return METADATA  # one unknown name moves the whole list to the metadata
    out.texts[a.index] = data
    return len(data)


def _ints(a: Attribute, value: Any, out: Outgoing) -> int | None:
    numbers = [_signed(_u64(a, item, "item: ")) for item in _list(a, value)]
    return out.refer(numbers) << 32 | len(numbers)


def _strs(a: Attribute, value: Any, out: Outgoing) -> int | None:
    items = [_text(a, item, "item: ") for item in _list(a, value)]
    out.texts[a.index] = b"".join(items)
    return out.refer([len(item) for item in items]) << 32 | len(items)


def _payload(a: Attribute, value: Any, out: Outgoing) -> int | None:
    """bytes; or a memoryview, which upstream's reader returns, copied."""
    if not isinstance(value, (bytes, memoryview)):
        _refuse_type(a, "bytes", value)
    try:
        data = value if type(value) is bytes else bytes(value)
    except ValueError as error:  # it was released
        refuse_encoding(a, error)
    out.texts[a.index] = data
    return len(data)


def _principal(a: Attribute, hop: Any) -> tuple[list[int], bytes]:
    """One hop (session, authid or None, authrole) as a table's values and bytes."""
    if not isinstance(hop, dict):
        _refuse_type(a, "dict", hop, "item: ")
    if not ("session" in hop and "authid" in hop and "authrole" in hop):
        refuse(a, ValueError, "item: session, authid and authrole must be present")
    session = _signed(_u64(a, hop["session"], "session: "))
    authid = None if hop["authid"] is None else _text(a, hop["authid"], "authid: ")
    authrole = _text(a, hop["authrole"], "authrole: ")
    present = 5 if authid is None else 7
    authid = authid or b""
    return [present, session, len(authid), len(authrole)], authid + authrole


def _principals(a: Attribute, value: Any, out: Outgoing) -> int | None:
    if not isinstance(value, (list, tuple)):
        _refuse_type(a, "list", value)
    hops = [_principal(a, hop) for hop in value]
    # An additional entry in a hop moves the whole chain to the metadata.
    if a.kind != "VECTOR_TABLE" or any(len(hop) != 3 for hop in value):
        return METADATA
    out.texts[a.index] = b"".join(data for _, data in hops)
    return out.refer([number for values, _ in hops for number in values]) << 32 | len(hops)


def _features(a: Attribute, t: Table, role: Any) -> list[int]:
    """One role's features as a table's values."""
    cls = ROLE_CLASSES[t.name]
    if not isinstance(role, cls):
        _refuse_type(a, cls.__name__, role)
    values = [0] * t.slot_count
    present = 0
    for field in t.fields:
        if field.use != "BOOL":
            continue
        feature = getattr(role, field.name)
        if feature is True or feature is False:
            values[field.index] = int(feature)
            present |= 1 << field.index
        elif feature is not None:
            refuse(a, TypeError, f"feature {field.attribute}: expected bool or None")
    return [present, *values]


def _roles(a: Attribute, value: Any, out: Outgoing) -> int | None:
    if not isinstance(value, dict):
        _refuse_type(a, "dict", value)
    if not value:
        refuse(a, ValueError, "at least one role must be announced")
    t = TABLES[a.field.sub]
    values = [0] * t.slot_count
    present = 0
    for field in t.fields:
        if field.name in value:
            values[field.index] = out.refer(_features(a, TABLES[field.sub], value[field.name]))
            present |= 1 << field.index
    if present.bit_count() != len(value):
        refuse(a, ValueError, f"{value!r} has roles that {a.owner.label} can't announce")
    return out.refer([present, *values])


def _dict(a: Attribute, value: Any, out: Outgoing) -> int | None:
    """A dict for the metadata. If Message.parse checks the keys, they must be str; those of
    WELCOME.custom must be x_* names."""
    if not isinstance(value, dict):
        _refuse_type(a, "dict", value)
    custom = a.use == "CUSTOM"
    for key in value if custom or a.field.positional else ():
        if type(key) is not str:
            refuse(a, TypeError, f"key: expected str, got {type(key).__name__}")
        if custom and custom_match(key) is None:
            refuse(a, ValueError, f"key {key!r} is not a custom x_* name")
    return METADATA


def _any_list(a: Attribute, value: Any, out: Outgoing) -> int | None:
    _list(a, value)
    return METADATA


_CONVERTERS = {
    "INT": _int,
    "BOOL": _bool,
    "STR": _string,
    "ENC_KEY": _string,
    "ENUM": _enum,
    "ENC_ALGO": _enum,
    "ENC_SERIALIZER": _enum,
    "PPT_CIPHER": _enum,
    "ENUMS": _enums,
    "INTS": _ints,
    "STRS": _strs,
    "PAYLOAD": _payload,
    "PRINCIPALS": _principals,
    "ROLES": _roles,
    "DICT": _dict,
    "CUSTOM": _dict,
    "LIST": _any_list,
}
