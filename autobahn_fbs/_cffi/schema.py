"""The schemas' facts, read from the core's generated tables, so that there is no second list of
fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._core import ffi, lib


def _text(pointer: Any) -> str:
    text: str = ffi.string(pointer).decode()
    return text


def _names(enum: str) -> dict[int, str]:
    """The values of one of the core's enums by number, without their common prefix."""
    return {value: name.split("_", 2)[2] for value, name in ffi.typeof(enum).elements.items()}


_KINDS, _USES = _names("wfbs_kind"), _names("wfbs_use")
_CHECKS, _RULES = _names("wfbs_check"), _names("wfbs_rule")


@dataclass(frozen=True, slots=True)
class Enum:
    """An enumeration: the WAMP string of each value, None if it has none."""

    names: tuple[str | None, ...]
    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table, or an attribute that is only in the metadata (kind NONE)."""

    index: int
    name: str
    attribute: str  #: Autobahn's name, "" if the field is not used
    detail: str  #: the WAMP detail's key
    kind: str  #: wfbs_kind: how it is stored in the table
    use: str  #: wfbs_use: its meaning in Python
    check: str  #: wfbs_check
    required: bool
    optional: bool
    positional: bool
    nullable: bool
    open: bool
    is_detail: bool  #: an entry of the metadata may state it
    or_null: bool  #: and that entry may be null
    sub: int  #: table or enum, by kind
    default: int


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `slot_of` has the first field of each use."""

    index: int
    name: str
    fields: tuple[Field, ...]
    slot_count: int
    rule: str
    rule_slots: tuple[int, int]  #: the fields of the rule
    role: str  #: Autobahn's class if this table has the features of a role, else ""
    slot_of: dict[str, int]


@dataclass(frozen=True, slots=True)
class MessageType:
    """One of the 25 WAMP messages."""

    index: int
    label: str
    table: Table


def _field(index: int, raw: Any) -> Field:
    return Field(
        index=index,
        name=_text(raw.name),
        attribute=_text(raw.attribute),
        detail=_text(raw.detail),
        kind=_KINDS[raw.kind],
        use=_USES[raw.use],
        check=_CHECKS[raw.check],
        required=bool(raw.flags & lib.WFBS_FLAG_REQUIRED),
        optional=bool(raw.flags & lib.WFBS_FLAG_OPTIONAL),
        positional=bool(raw.flags & lib.WFBS_FLAG_POSITIONAL),
        nullable=bool(raw.flags & lib.WFBS_FLAG_NULLABLE),
        open=bool(raw.flags & lib.WFBS_FLAG_OPEN),
        is_detail=bool(raw.flags & lib.WFBS_FLAG_DETAIL),
        or_null=bool(raw.flags & lib.WFBS_FLAG_OR_NULL),
        sub=raw.sub,
        default=raw.default_value,
    )


def _table(index: int) -> Table:
    raw = lib.wfbs_tables[index]
    fields = tuple(_field(i, raw.fields[i]) for i in range(raw.field_count))
    slot_of: dict[str, int] = {}
    for field in fields:
        slot_of.setdefault(field.use, field.index)
    return Table(
        index=index,
        name=_text(raw.name),
        fields=fields,
        slot_count=raw.slot_count,
        rule=_RULES[raw.rule],
        rule_slots=(raw.rule_slots[0], raw.rule_slots[1]),
        role=_text(raw.role) if raw.role else "",
        slot_of=slot_of,
    )


def _enum(index: int) -> Enum:
    raw = lib.wfbs_enums[index]
    texts = [_text(raw.names[i]) if raw.names[i] else "" for i in range(raw.count)]
    names = tuple(text or None for text in texts)
    return Enum(names, {text: value for value, text in enumerate(texts) if text})


TABLES = tuple(_table(i) for i in range(lib.WFBS_TABLE_COUNT))
ENUMS = tuple(_enum(i) for i in range(lib.WFBS_ENUM_COUNT))
MESSAGES = tuple(
    MessageType(i, _text(lib.wfbs_messages[i].label), TABLES[lib.wfbs_messages[i].table])
    for i in range(lib.WFBS_MESSAGE_COUNT)
)
#: The label in error texts by table name: "EVENT" for "Event".
LABELS = {kind.table.name: kind.label for kind in MESSAGES}
