"""Builds WAMP FlatBuffers messages of any content, valid or not, without the code under test.

The layout is read from the schema text in Autobahn's wheel, the bytes are written by Google's
Python builder. Every field that is given is written, even if it equals its default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import autobahn.wamp
import flatbuffers

SCHEMAS = Path(autobahn.wamp.__path__[0]) / "flatbuffers"

_SCALARS = {
    "bool": "Bool",
    "uint8": "Uint8",
    "uint16": "Uint16",
    "uint32": "Uint32",
    "uint64": "Uint64",
}
_SIZES = {"bool": 1, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8}

#: Root slot 2, which this project and connectanum append to upstream's Message.
METADATA_SLOT = 2
#: The slot that this project appends to upstream's Challenge.
METHOD_NAME_SLOT = 3


@dataclass(frozen=True)
class Field:
    slot: int
    type: str


@cache
def schema() -> tuple[dict[str, dict[str, Field]], dict[str, str]]:
    """Tables (name to fields) and enums (name to scalar type) of upstream's schema."""
    text = "\n".join(path.read_text() for path in sorted(SCHEMAS.glob("*.fbs")))
    text = re.sub(r"//.*", "", text)
    enums = dict(re.findall(r"\benum\s+(\w+)\s*:\s*(\w+)", text))
    tables = {}
    for name, body in re.findall(r"\btable\s+(\w+)\s*\{(.*?)\}", text, re.DOTALL):
        fields, slot = {}, 0
        for field, kind in re.findall(r"(\w+)\s*:\s*([\w.\[\]]+)[^;]*;", body):
            union = kind in ("AnyMessage", "AuthFactor")
            slot += union  # its tag is one slot before
            fields[field] = Field(slot, kind.replace("wamp.", "").replace("proto.", ""))
            slot += 1
        tables[name] = fields
    tables["Challenge"]["method_name"] = Field(METHOD_NAME_SLOT, "string")
    return tables, {
        k: v.replace("ubyte", "uint8").replace("ushort", "uint16") for k, v in enums.items()
    }


def union_tags() -> dict[str, int]:
    """Union member to ordinal, as the schema has them."""
    text = re.sub(r"//.*", "", (SCHEMAS / "wamp.fbs").read_text())
    body = re.search(r"union\s+AnyMessage\s*\{(.*?)\}", text, re.DOTALL)
    assert body is not None
    return {name: i for i, name in enumerate(re.findall(r"\w+", body[1]), 1)}


def _scalar(kind: str) -> str:
    kind = schema()[1].get(kind, kind)
    return {"ubyte": "uint8", "ushort": "uint16"}.get(kind, kind)


def _string(builder: flatbuffers.Builder, value: str | bytes) -> int:
    return int(builder.CreateString(value))


def _vector(builder: flatbuffers.Builder, item: str, values: Any) -> int:
    if isinstance(values, bytes):
        return int(builder.CreateByteVector(values))
    scalar = _scalar(item)
    if scalar in _SCALARS:
        builder.StartVector(_SIZES[scalar], len(values), _SIZES[scalar])
        for value in reversed(values):
            getattr(builder, f"Prepend{_SCALARS[scalar]}")(value)
    else:
        make = _string if item == "string" else lambda b, v: _table(b, item, v)
        offsets = [make(builder, value) for value in values]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _table(builder: flatbuffers.Builder, name: str, values: dict[str, Any]) -> int:
    fields = schema()[0][name]
    offsets = {}
    for field, value in values.items():
        kind = fields[field].type
        if kind == "string":
            offsets[field] = _string(builder, value)
        elif kind.startswith("["):
            offsets[field] = _vector(builder, kind.strip("[]"), value)
        elif _scalar(kind) not in _SCALARS:
            offsets[field] = _table(builder, kind, value)
    builder.StartObject(max(field.slot for field in fields.values()) + 1)
    for field, value in values.items():
        slot = fields[field].slot
        if field in offsets:
            builder.PrependUOffsetTRelativeSlot(slot, offsets[field], 0)
        else:
            getattr(builder, f"Prepend{_SCALARS[_scalar(fields[field].type)]}")(value)
            builder.Slot(slot)
    return int(builder.EndObject())


def build(
    table: str,
    fields: dict[str, Any],
    *,
    tag: int | None = None,
    metadata: bytes | None = None,
    schema_dialect: bool = False,
) -> bytes:
    """The bytes of one message.

    ``fields`` have their schema names; strings may be given as bytes, tables as dicts. The tag
    is upstream's message code (or the schema's ordinal) unless another one is given.
    """
    builder = flatbuffers.Builder(256)
    offset = _table(builder, table, fields)
    extra = builder.CreateByteVector(metadata) if metadata is not None else None
    if tag is None:
        tag = union_tags()[table] if schema_dialect else CODES[table]
    builder.StartObject(METADATA_SLOT + 1)
    builder.PrependUint8(tag)
    builder.Slot(0)
    builder.PrependUOffsetTRelativeSlot(1, offset, 0)
    if extra is not None:
        builder.PrependUOffsetTRelativeSlot(METADATA_SLOT, extra, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


#: Table to the message code that upstream writes as the tag.
CODES = {
    "Hello": 1,
    "Welcome": 2,
    "Abort": 3,
    "Challenge": 4,
    "Authenticate": 5,
    "Goodbye": 6,
    "Error": 8,
    "Publish": 16,
    "Published": 17,
    "Subscribe": 32,
    "Subscribed": 33,
    "Unsubscribe": 34,
    "Unsubscribed": 35,
    "Event": 36,
    "EventReceived": 37,
    "Call": 48,
    "Cancel": 49,
    "Result": 50,
    "Register": 64,
    "Registered": 65,
    "Unregister": 66,
    "Unregistered": 67,
    "Invocation": 68,
    "Interrupt": 69,
    "Yield": 70,
}
