"""Turns the schemas into reStructuredText: every table, field, enum and value with its own comment.

The documentation's pages on the wire format are generated from this (``docs/wire``, by the
directive in ``docs/_ext/wire_schema.py``), so the facts in the schemas aren't written a second
time.
"""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import generate

Thing = dict[str, Any]

#: FlatBuffers' own names of types that reflection spells differently.
_SCALARS = {
    "Bool": "bool",
    "UByte": "ubyte",
    "UShort": "uint16",
    "UInt": "uint32",
    "ULong": "uint64",
    "String": "string",
    "UType": "ubyte",
}

#: The requirement of the attribute ``check``, in words.
_CHECKS = {
    "id": "Has to be a WAMP ID, 0 to 2\\ :sup:`53`.",
    "uri": "Has to be a URI without empty components.",
    "uri_pattern": "Has to be a URI, maybe with empty components.",
    "uri_match": "Has to be a URI of the kind that ``match`` says.",
    "positive": "Has to be 1 or more.",
    "nonzero": "Can't be the first value of its enum.",
    "loose_bool": "As an option, 0 and 1 are taken for a bool.",
    "request_type": "Has to be the type of a request that an ERROR can answer.",
}

#: The meaning of the schema's attributes for kinds of text; the checks above add to it.
_TEXTS = {
    "hex": "Hexadecimal digits.",
    "base64": "Base64.",
    "ppt_keyid": "Whatever lets the receiver find its key.",
}

_META_KINDS = {
    "int": "an integer",
    "str": "a string",
    "list": "a list",
    "principals": "a list of principals",
    "custom": "every ``x_*`` detail",
}


@cache
def reflected() -> Thing:
    """The schemas in the form of flatc's reflection."""
    with tempfile.TemporaryDirectory() as folder:
        return generate.compile_schemas(Path(folder))[1]


def prose(lines: list[str] | None) -> str:
    """A schema's comment as reStructuredText: code in double backticks, no other markup."""
    parts = " ".join(line.strip() for line in lines or []).split("`")
    plain = [re.sub(r"([*_|\\])", r"\\\1", part) for part in parts[::2]]
    words = [plain[0]]
    for code, text in zip(parts[1::2], plain[1:], strict=True):
        # "\ " allows a word to continue directly after the code, for example a plural s.
        words.append(f"``{code}``" + ("\\ " if text[:1].isalnum() else "") + text)
    return "".join(words)


def link(name: str) -> str:
    """A reference to the section on a table or an enum."""
    short = generate.short(name)
    return f":ref:`{short} <wire-{short}>`"


def declared_in(stem: str) -> tuple[list[Thing], list[Thing]]:
    """The enums and the tables of one .fbs file, each in the order of the file."""
    source = (generate.SCHEMAS / f"{stem}.fbs").read_text("utf-8")
    order = re.findall(r"^(?:table|enum|union) (\w+)", source, re.MULTILINE)

    def own(things: list[Thing]) -> list[Thing]:
        here = [thing for thing in things if thing["declaration_file"] == f"//{stem}.fbs"]
        return sorted(here, key=lambda thing: order.index(generate.short(thing["name"])))

    return own(reflected()["enums"]), own(reflected()["objects"])


def fields_of(table: Thing) -> list[Thing]:
    """The fields of a table in the order of their slots."""
    return sorted(table["fields"], key=lambda field: int(field["id"]))


def type_of(field: Thing) -> str:
    """The type of a field in a schema's spelling, with a link if it is one of the schemas' own."""
    kind = field["type"]
    base, index = kind["base_type"], kind["index"]
    of_list = base == "Vector"
    spelled = kind["element"] if of_list else base
    if base == "UType":
        name = "ubyte"
    elif index < 0:
        name = _SCALARS[spelled]
    elif spelled == "Obj":
        name = link(reflected()["objects"][index]["name"])
    else:
        name = link(reflected()["enums"][index]["name"])
    return f"[\\ {name}\\ ]" if of_list else name


def absent(field: Thing) -> str:
    """The value of an absent field."""
    marks = generate.attributes(field)
    if field["required"]:
        return "required; tolerated" if "lenient" in marks else "required"
    base, index = field["type"]["base_type"], field["type"]["index"]
    if base == "UType":
        return "required" if "msg" in field["name"] else "``NONE``"
    if field["optional"] or base in ("String", "Vector", "Obj", "Union"):
        return "None"
    value = int(field["default_integer"])
    if index >= 0:
        values = reflected()["enums"][index]["values"]
        return f"``{next(each['name'] for each in values if each['value'] == value)}``"
    return str(bool(value)) if base == "Bool" else str(value)


def notes(field: Thing) -> list[str]:
    """The meaning of a field's attributes, a sentence each."""
    marks = generate.attributes(field)
    if "unused" in marks:
        return ["Autobahn has no attribute for it: verified, then ignored, and never written."]
    said = []
    if "attr" in marks:
        said.append(f"Autobahn's ``{marks['attr']}``.")
    if "detail" in marks:
        said.append(f"WAMP's ``{marks['detail']}``.")
    if "check" in marks:
        said.append(_CHECKS[marks["check"]])
    said += [text for mark, text in _TEXTS.items() if mark in marks]
    if marks.get("positional") == "nullable":
        said.append("null in WAMP's list where it is None.")
    return said


def _rows(widths: str, heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = [".. list-table::", f"   :widths: {widths}", "   :header-rows: 1"]
    lines += ["   :class: wire", ""]
    for row in [heads, *rows]:
        for position, cell in enumerate(row):
            mark = "* -" if position == 0 else "  -"
            first, *more = cell.split("\n")
            lines.append(f"   {mark} {first}".rstrip())
            lines += [f"       {line}".rstrip() for line in more]
    return [*lines, ""]


def _section(thing: Thing, title: str) -> list[str]:
    short = generate.short(thing["name"])
    return [
        f".. _wire-{short}:",
        "",
        title,
        "-" * len(title),
        "",
        prose(thing["documentation"]),
        "",
    ]


def _message_of(table: Thing) -> tuple[int, int, str] | None:
    """(WAMP code, ordinal in the schema dialect, WAMP's name) of a message's table."""
    for ordinal, (code, label, index) in enumerate(generate.Schema(reflected()).messages, 1):
        if reflected()["objects"][index] is table:
            return code, ordinal, label
    return None


def table_section(table: Thing) -> list[str]:
    """The section on a table."""
    name = generate.short(table["name"])
    lines = _section(table, name)
    message = _message_of(table)
    if message is not None:
        code, ordinal, label = message
        lines += [f"Message {label}: the union's type is {code} (schema dialect: {ordinal}).", ""]
    rows = []
    for field in fields_of(table):
        said = [prose(field.get("documentation")) or _type_field(field), *notes(field)]
        cell = f"| ``{field['name']}``\n| {type_of(field)}"
        rows.append([str(field["id"]), cell, absent(field), " ".join(said)])
    if rows:
        heads = ["Slot", "Field and type", "If absent", "Meaning"]
        lines += _rows("7 28 15 50", heads, rows)
    else:
        lines += ["It has no fields.", ""]
    extra = [item.split(":") for item in generate.attributes(table).get("meta", "").split()]
    if extra:
        held = ", ".join(f"``{key}`` ({_META_KINDS[kind]})" for key, kind in extra)
        lines += [f"Without a slot, in ``Message.metadata``: {held}.", ""]
    return lines


def _type_field(field: Thing) -> str:
    """The meaning of a union's type field, which flatc adds without a comment."""
    return f"What ``{field['name'].removesuffix('_type')}`` holds: a value of the union."


def enum_section(enum: Thing) -> list[str]:
    """The section on an enum or a union."""
    name = generate.short(enum["name"])
    lines = _section(enum, name)
    if "open" in generate.attributes(enum):
        lines += ["WAMP knows other strings, too; those travel in ``Message.metadata``.", ""]
    if enum["is_union"]:
        return lines + _union_rows(enum)
    wide = enum["underlying_type"]["base_type"]
    lines += [f"Stored as {_SCALARS[wide]}.", ""]
    spelled = any("name" in generate.attributes(value) for value in enum["values"])
    used = enum in [reflected()["enums"][i] for i in generate.Schema(reflected()).used_enums]
    rows = []
    for value in enum["values"]:
        row = [str(value["value"]), f"``{value['name']}``"]
        if spelled or (used and wide == "UByte"):
            text = generate.attributes(value).get("name", value["name"].lower())
            row.append(f"``{text}``" if text else "none")
        rows.append([*row, prose(value["documentation"])])
    if len(rows[0]) == 4:
        return lines + _rows("11 27 20 42", ["Value", "Name", "In WAMP", "Meaning"], rows)
    return lines + _rows("11 29 60", ["Value", "Name", "Meaning"], rows)


def _union_rows(enum: Thing) -> list[str]:
    rows = []
    for ordinal, value in enumerate(enum["values"]):
        text = prose(value.get("documentation")) or "Nothing: refused in a message."
        name = "``NONE``"
        if value["value"]:
            name = link(reflected()["objects"][value["union_type"]["index"]]["name"])
        rows.append([str(value["value"]), str(ordinal), name, text])
    heads = ["Type", "Ordinal", "Table", "Meaning"]
    return _rows("11 14 28 47", heads, rows)


def page(stem: str) -> str:
    """All declarations of one .fbs file: tables first, then the enums that they refer to."""
    enums, tables = declared_in(stem)
    lines: list[str] = []
    for table in tables:
        lines += table_section(table)
    for enum in enums:
        lines += enum_section(enum)
    return "\n".join(lines)
