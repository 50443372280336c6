"""Message.metadata: a CBOR map of the WAMP details that typed fields can't hold.

Written only if needed. Read when a message is received, so that its content is checked like
everything else. The values go directly into the message. In the schema dialect, it is the complete
details map.
"""

from __future__ import annotations

from typing import Any

from autobahn.wamp.exception import ProtocolError

from . import cbor, details
from ._core import ffi, lib
from .attributes import keep
from .classes import ENC, Attribute, MessageClass, custom_match
from .convert import equals_bool, is_ppt_name
from .convert_errors import refuse, refuse_encoding
from .decode import value_of
from .payload import NAMED
from .record import ABSENT, CODEC, DIALECT, FIELDS


def encode(
    c: MessageClass,
    message: Any,
    values: dict[int, Any],
    mask: int,
    dialect: int,
    codec_name: str | None,
) -> bytes:
    """The attributes in `mask` as a CBOR map; under the schema dialect, the complete details.

    `values` has the values that are not None, by attribute.
    """
    if dialect == 1:
        from .. import _helpers

        found = _helpers.details(message)
    else:
        found = {}
    for a in c.used:
        if not mask & a.bit:
            continue
        if a.use == "CUSTOM":
            found.update(values[a.index])
        elif not details.details_are_extra(c.table, dialect) or a.use != "DICT":
            found[a.detail] = values.get(a.index)
    if codec_name is not None:
        found[details.CODEC_KEY] = codec_name
    try:
        data = cbor.dumps(found)
    except MemoryError:
        raise
    except Exception:
        _refuse_culprit(c, values, mask)
        raise
    # Only the entries of hops can contain maps that a writer accepts and a reader doesn't.
    hops = next((a for a in c.used if a.use in ("PRINCIPALS", "LIST")), None)
    if hops is not None and not details.has_text_keys(c.table, data, 0, len(data)):
        refuse(hops, ValueError, "item: keys must be str at all levels")
    return data


def _refuse_culprit(c: MessageClass, values: dict[int, Any], mask: int) -> None:
    """Raises an error that names the attribute that can't be encoded, if encoding the attributes
    separately finds one."""
    for a in c.used:
        if mask & a.bit and a.index in values:
            try:
                cbor.dumps(values[a.index])
            except MemoryError:
                raise
            except Exception as error:
                refuse_encoding(a, error)


# ---- reading


def _is_unsigned(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**64


def _is_uri(value: str) -> bool:
    try:
        data = value.encode()
    except UnicodeEncodeError:
        return False
    return bool(lib.wfbs_uri_is_valid(data, len(data), lib.WFBS_URI_NO_EMPTY))


def _is_principal(hop: Any) -> bool:
    return (
        type(hop) is dict
        and _is_unsigned(hop.get("session"))
        and "authid" in hop
        and (hop["authid"] is None or type(hop["authid"]) is str)
        and type(hop.get("authrole")) is str
    )


def _entry_is_good(a: Attribute, value: Any) -> bool:
    """Whether the entry's value has the type and range that Message.parse requires."""
    use, check, kind = a.use, a.field.check, type(value)
    if use == "INT":
        return _is_unsigned(value) and (value > 0 or check != "POSITIVE")
    if use == "BOOL":
        return kind is bool or (check == "LOOSE_BOOL" and equals_bool(value))
    if use in ("STR", "ENC_KEY"):
        return kind is str and (check != "URI" or _is_uri(value))
    if use == "ENUM":
        assert a.enum is not None
        number = a.enum.values.get(value) if kind is str else None
        return kind is str and (
            a.field.open or (number is not None and (number > 0 or check != "NONZERO"))
        )
    if use in ENC:
        return is_ppt_name(a, value)
    if use in ("ENUMS", "STRS"):
        return kind is list and all(type(item) is str for item in value)
    if use == "INTS":
        return kind is list and all(map(_is_unsigned, value))
    if use == "PRINCIPALS":
        return kind is list and all(map(_is_principal, value))
    if use == "DICT":
        return kind is dict and (not a.field.positional or all(type(k) is str for k in value))
    return use == "LIST" and kind is list


def _refuse(a: Attribute, why: str) -> None:
    raise ProtocolError(f"{a.place}: metadata entry {why}")


def _store(a: Attribute, message: Any, value: Any) -> None:
    """Stores an entry after comparing it with the typed field, if both are present. Only valid
    values are compared; even then, comparing can raise, for example for a decimal from an old
    cbor2."""
    raw = message._record[FIELDS + a.index]
    name = a.owner.table.slot_of.get("ENUM_NAME") if a.use == "ENUM" else None
    is_typed = raw != ABSENT or (name is not None and message._record[FIELDS + name] != ABSENT)
    null = value is None and a.field.or_null
    if not null and not _entry_is_good(a, value):
        _refuse(a, "has a wrong type or value")
    if is_typed:
        typed = value_of(a, message, raw)
        same = typed == "" if null else type(typed) is type(value) and typed == value
        if not same:
            _refuse(a, "contradicts the typed field")
    keep(message, a.index, value)


def _store_roles(a: Attribute, message: Any, value: Any) -> None:
    """Adds roles from a details map to those of the typed tables."""
    from .. import _helpers

    typed = value_of(a, message, message._record[FIELDS + a.index])
    keep(message, a.index, _helpers.merge_roles(typed, value, a.owner.label))


def _check_needs(c: MessageClass, message: Any, cause: bool, name: str, needed: str) -> None:
    if cause and getattr(message, needed) is None:
        raise ProtocolError(f"{c.label}.{needed}: is required with {name}")


def _check_rules(c: MessageClass, message: Any) -> None:
    """The rules about several fields, after the metadata has been read. If there is metadata, the
    core doesn't check them."""
    rule = c.table.rule
    if "ENUM_NAME" in c.table.slot_of:
        if getattr(message, c.table.fields[c.table.slot_of["ENUM"]].attribute) is None:
            raise ProtocolError(f"{c.label}.method: required field is missing")
    elif rule == "PAYLOAD":
        for name in ("enc_key", "enc_serializer", "ppt_cipher"):
            _check_needs(c, message, getattr(message, name) is not None, name, "enc_algo")
    elif rule == "NEEDS":
        name, needed = (c.table.fields[slot].attribute for slot in c.table.rule_slots)
        _check_needs(c, message, getattr(message, name), name, needed)
    elif rule == "REVOKE":
        name, request = (c.table.fields[slot].attribute for slot in c.table.rule_slots)
        revoked = getattr(message, name)
        if revoked is not None and (not revoked or getattr(message, request)):
            why = ffi.string(lib.wfbs_error_text(lib.WFBS_ERROR_REVOCATION)).decode()
            raise ProtocolError(f"{c.label}.{name}: {why}")


def _check_codec(c: MessageClass, message: Any, found: dict[str, Any]) -> None:
    """The codec of args and kwargs may be named by a number and in the details; both must agree."""
    a = c.attributes[c.table.slot_of["ENC_SERIALIZER"]]
    number = message._record[CODEC]
    if details.CODEC_KEY not in found or number == NAMED:
        return
    name = found[details.CODEC_KEY]
    assert a is not None and a.enum is not None
    if not name or name != (a.enum.names[number] if number else "cbor"):
        _refuse(a, "contradicts the typed field")


def _apply_details(c: MessageClass, message: Any, found: dict[str, Any]) -> None:
    """Every attribute's entry of the details."""
    transparent = message._record[CODEC] < 0
    if "PAYLOAD" in c.table.slot_of and not transparent:
        _check_codec(c, message, found)
    for a in c.used:
        use = a.use
        if use == "CUSTOM":
            custom = {key: value for key, value in found.items() if custom_match(key) is not None}
            keep(message, a.index, custom)
            continue
        if use in ENC and not transparent:
            continue  # without a payload, Message.parse ignores them, too
        if a.field.is_detail and a.detail in found:
            (_store_roles if use == "ROLES" else _store)(a, message, found[a.detail])


def apply(c: MessageClass, message: Any) -> None:
    """Reads a received message's metadata into it.

    :raises ProtocolError: an entry is invalid or contradicts the typed fields.
    """
    found = details.read(message)
    if details.details_are_extra(c.table, message._record[DIALECT]):
        assert c.extra is not None
        _store(c.extra, message, found)
    else:
        _apply_details(c, message, found)
    _check_rules(c, message)
