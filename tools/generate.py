#!/usr/bin/env python3
"""Compiles schemas/*.fbs: package data (.fbs, wamp.bfbs), the C tables in csrc/generated/,
autobahn_fbs/_codec_numbers.py and autobahn_fbs/_cli/fields.py.

Building the package never runs this. Its output is committed, and a test fails if it is outdated.
It needs flatc, which is in the Autobahn wheel (``autobahn/_flatc/bin/flatc``).

    python tools/generate.py            write everything
    python tools/generate.py --check    exit 1 if anything would change
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"
PACKAGE_DATA = ROOT / "autobahn_fbs" / "schemas"
GENERATED = ROOT / "csrc" / "generated"
CODECS = ROOT / "autobahn_fbs" / "_codec_numbers.py"
FIELDS = ROOT / "autobahn_fbs" / "_cli" / "fields.py"

# EVENT_RECEIVED is 337 in Autobahn's Python classes: 37 does not exist in WAMP.
PYTHON_TYPE = {37: 337}

SCALARS = {"Bool": "BOOL", "UByte": "U8", "UShort": "U16", "UInt": "U32", "ULong": "U64"}
ENUMS = {"UByte": "ENUM8", "UShort": "ENUM16"}
PPT_FIELDS = {
    "enc_algo": "ENC_ALGO",
    "enc_key": "ENC_KEY",
    "enc_serializer": "ENC_SERIALIZER",
    "ppt_cipher": "PPT_CIPHER",
}
META_KINDS = {
    "int": "INT",
    "str": "STR",
    "list": "LIST",
    "principals": "PRINCIPALS",
    "custom": "CUSTOM",
}
USES = [
    "UNUSED",
    "INT",
    "BOOL",
    "STR",
    "ENUM",
    "ENUM_NAME",
    "ENUMS",
    "INTS",
    "STRS",
    "ARGS",
    "KWARGS",
    "PAYLOAD",
    "ENC_ALGO",
    "ENC_KEY",
    "ENC_SERIALIZER",
    "PPT_CIPHER",
    "PRINCIPALS",
    "ROLES",
    "DICT",
    "LIST",
    "CUSTOM",
]


def flatc() -> Path:
    """The flatc of the installed Autobahn wheel."""
    spec = importlib.util.find_spec("autobahn")
    if spec is None or spec.origin is None:
        sys.exit("generate.py needs Autobahn installed: its wheel carries flatc")
    return Path(spec.origin).parent / "_flatc" / "bin" / "flatc"


def compile_schemas(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """Runs flatc twice: for the binary schema, and for the same as JSON, which this script
    reads."""
    compiler = flatc()
    reflection = compiler.parents[2] / "flatbuffers" / "reflection.fbs"
    options = ["--binary", "--schema", "--bfbs-comments", "--bfbs-builtins"]
    options += ["--bfbs-filenames", str(SCHEMAS)]
    wamp = str(SCHEMAS / "wamp.fbs")
    subprocess.run([compiler, *options, "-o", folder, wamp], check=True)
    binary = folder / "wamp.bfbs"
    options = ["--json", "--strict-json", "--defaults-json", "--raw-binary", "-o", str(folder)]
    subprocess.run([compiler, *options, reflection, "--", binary], check=True)
    return binary.read_bytes(), json.loads((folder / "wamp.json").read_text("utf-8"))


def attributes(thing: dict[str, Any]) -> dict[str, str]:
    return {a["key"]: a.get("value", "") for a in thing.get("attributes", ())}


def c_string(text: str) -> str:
    return json.dumps(text)


def short(name: str) -> str:
    return name.rsplit(".", 1)[-1]


class Schema:
    """The reflected schema, reduced to the types that the root table refers to."""

    def __init__(self, reflected: dict[str, Any]) -> None:
        self.objects: list[dict[str, Any]] = reflected["objects"]
        self.enums: list[dict[str, Any]] = reflected["enums"]
        root = reflected["root_table"]["name"]
        self.root = next(o for o in self.objects if o["name"] == root)
        union = next(e for e in self.enums if e["is_union"] and short(e["name"]) == "AnyMessage")
        types = next(e for e in self.enums if short(e["name"]) == "MessageType")
        labels = {v["value"]: v["name"] for v in types["values"]}
        self.messages = [
            (v["value"], labels[v["value"]], v["union_type"]["index"])
            for v in union["values"]
            if v["value"]
        ]
        self.tables: list[int] = []
        for _, _, index in self.messages:
            self.visit(index)
        self.used_enums: list[int] = []
        for index in self.tables:
            for field in self.objects[index]["fields"]:
                kind = field["type"]
                scalar = kind["base_type"] in ENUMS or kind["element"] in ENUMS
                if scalar and kind["index"] >= 0 and kind["index"] not in self.used_enums:
                    self.used_enums.append(kind["index"])

    def visit(self, index: int) -> None:
        """Collects a table after those that it refers to."""
        if index in self.tables:
            return
        for field in self.fields(index):
            kind = field["type"]
            if kind["base_type"] == "Obj" or kind["element"] == "Obj":
                self.visit(kind["index"])
        self.tables.append(index)

    def fields(self, index: int) -> list[dict[str, Any]]:
        return sorted(self.objects[index]["fields"], key=lambda f: int(f["id"]))

    # -- one field ---------------------------------------------------------------------------

    def kind_of(self, field: dict[str, Any]) -> tuple[str, str, int]:
        """(wfbs_kind, default wfbs_use, sub) of a field."""
        kind = field["type"]
        base, element, index = kind["base_type"], kind["element"], kind["index"]
        if base in SCALARS and index < 0:
            return SCALARS[base], "BOOL" if base == "Bool" else "INT", 0
        if base in ENUMS and index >= 0:
            return ENUMS[base], "ENUM", self.used_enums.index(index)
        if base == "String":
            return "STRING", "STR", 0
        if base == "Vector" and element == "UByte":
            if index >= 0:
                return "VECTOR_ENUM8", "ENUMS", self.used_enums.index(index)
            return "BYTES", "UNUSED", 0
        if base == "Vector" and element == "ULong":
            return "VECTOR_U64", "INTS", 0
        if base == "Vector" and element == "String":
            return "VECTOR_STRING", "STRS", 0
        if base == "Obj":
            return "TABLE", "UNUSED", self.tables.index(index)
        if base == "Vector" and element == "Obj":
            return "VECTOR_TABLE", "UNUSED", self.tables.index(index)
        sys.exit(f"field {field['name']}: no code here for type {kind}")

    def field_row(self, field: dict[str, Any]) -> tuple[str, str]:
        """The C initialiser of a field's record, and the field's wfbs_use."""
        marks = attributes(field)
        kind, use, sub = self.kind_of(field)
        attribute = marks.get("attr", str(field["name"]))
        use = PPT_FIELDS.get(attribute, marks.get("use", use).upper())
        if "unused" in marks:
            use = "UNUSED"
        if use in ("UNUSED", "ENUM_NAME"):
            attribute = ""
        check = marks.get("check", "none").upper()
        flags = []
        if field["required"]:
            flags.append("REQUIRED")
        if field["optional"]:
            flags.append("OPTIONAL")
        if "positional" in marks:
            flags.append("POSITIONAL")
            if marks["positional"] == "nullable":
                flags.append("NULLABLE")
        if "lenient" in marks:
            flags.append("LENIENT")
        if kind.endswith("ENUM8") and "open" in attributes(self.enums[field["type"]["index"]]):
            flags.append("OPEN")
        # Elements of the WAMP list aren't details, except some in the schema dialect.
        if (
            attribute
            and use not in ("ARGS", "KWARGS", "PAYLOAD")
            and ("positional" not in marks or use == "DICT" or "OPEN" in flags)
        ):
            flags.append("DETAIL")
        if "or_null" in marks or use in PPT_FIELDS.values():
            flags.append("OR_NULL")
        detail = marks.get("detail", attribute)
        row = self.record(
            field["name"],
            attribute,
            detail,
            kind,
            use,
            check,
            flags,
            sub,
            int(field["default_integer"]),
        )
        return row, use

    @staticmethod
    def record(
        name: str,
        attribute: str,
        detail: str,
        kind: str,
        use: str,
        check: str,
        flags: list[str],
        sub: int,
        default: int,
    ) -> str:
        members = [f".name = {c_string(name)}, .attribute = {c_string(attribute)}"]
        members.append(f".detail = {c_string(detail)}")
        members.append(f".kind = WFBS_KIND_{kind}, .use = WFBS_USE_{use}")
        if check != "NONE":
            members.append(f".check = WFBS_CHECK_{check}")
        if flags:
            members.append(".flags = " + " | ".join(f"WFBS_FLAG_{flag}" for flag in flags))
        if sub:
            members.append(f".sub = {sub}")
        if default:
            members.append(f".default_value = {default}")
        return f"    {{{', '.join(members)}}},"

    # -- one table ---------------------------------------------------------------------------

    @staticmethod
    def ordered(listed: str, slots: dict[str, int]) -> list[int]:
        """The slots named in `listed`, in that order, followed by the rest in slot order."""
        first = []
        for name in listed.split():
            if name not in slots:
                sys.exit(f"order names {name!r}, which the table does not have as such")
            first.append(slots[name])
        return first + [slot for slot in slots.values() if slot not in first]

    def table(self, index: int) -> tuple[list[str], str]:
        """The arrays of a table, and its own initialiser."""
        thing = self.objects[index]
        name = short(thing["name"])
        marks = attributes(thing)
        fields = self.fields(index)
        rows, uses = [], []
        for field in fields:
            row, use = self.field_row(field)
            rows.append(row)
            uses.append(use)
        written = {f["name"]: f["id"] for f, use in zip(fields, uses, strict=True)}
        pointing = {
            f["name"]: f["id"]
            for f in fields
            if f["type"]["base_type"] in ("String", "Vector", "Obj")
        }
        if sum(f["type"]["element"] == "UByte" for f in fields) > 4:
            sys.exit(f"{name}: more byte vectors than WFBS_MAX_BLOBS allows for")
        children = self.ordered(marks.get("children", ""), pointing)
        order = self.ordered(marks.get("fields", ""), written)
        for item in marks.get("meta", "").split():
            text, _, kind = item.partition(":")
            use = META_KINDS[kind]
            rows.append(self.record(text, text, text, "NONE", use, "NONE", ["DETAIL"], 0, 0))
            uses.append(use)
        rule, *about = marks.get("rule", "none").split()
        checks = {attributes(f).get("check") for f in fields}
        if "uri_match" in checks and name != "Register":
            sys.exit(f"{name}: verify.c looks for the match of a REGISTER only")
        dependent = bool(checks & {"uri_match", "request_type"} or {"ENUM_NAME", "ROLES"} & {*uses})
        slot_by_use = {use: uses.index(use) for use in uses if use != "UNUSED"}
        slot_of = ", ".join(
            f"[WFBS_USE_{use}] = {slot_by_use.get(use, 'WFBS_NO_SLOT')}" for use in USES
        )
        arrays = [f"static const wfbs_field fields_{name}[] = {{"]
        arrays += rows or ['    {.name = ""},']
        arrays += ["};"]
        ranks = [order.index(slot) for slot in range(len(fields))]
        child_ranks = [children.index(s) if s in children else 0 for s in range(len(fields))]
        for what, slots in (
            ("children", children),
            ("order", order),
            ("child_rank", child_ranks),
            ("rank", ranks),
        ):
            body = ", ".join(map(str, slots)) or "0"
            arrays.append(f"static const uint8_t {what}_{name}[] = {{{body}}};")
        arrays.append(
            f'_Static_assert({len(rows)} <= WFBS_MAX_FIELDS, "{name} has too many fields");'
        )
        members = [
            f".name = {c_string(name)}, .fields = fields_{name}",
            f".slot_count = {len(fields)}, .field_count = {len(rows)}",
            f".child_count = {len(children)}, .order_count = {len(order)}",
            f".children = children_{name}, .order = order_{name}",
            f".child_rank = child_rank_{name}, .rank = rank_{name}",
            f".child_mask = {sum(1 << slot for slot in children):#x}",
            f".slot_of = {{{slot_of}}}",
        ]
        if rule != "none":
            members.append(f".rule = WFBS_RULE_{rule.upper()}")
        if about:
            members.append(
                f".rule_slots = {{{', '.join(f'WFBS_SLOT_{name}_{each}' for each in about)}}}"
            )
        if dependent:
            members.append(".has_dependent = 1")
        if "role" in marks:
            members.append(f".role = {c_string(marks['role'])}")
        return arrays, "    {" + ",\n     ".join(members) + "},"

    # -- one enum ----------------------------------------------------------------------------

    def enum(self, index: int) -> tuple[list[str], str]:
        thing = self.enums[index]
        name = short(thing["name"])
        values = {v["value"]: v for v in thing["values"]}
        count = max(values) + 1
        lines = [f"static const char *const names_{name}[] = {{"]
        for value in sorted(values):
            text = attributes(values[value]).get("name", str(values[value]["name"]).lower())
            lines.append(f"    [{value}] = {c_string(text)},")
        lines.append("};")
        return lines, f"    {{.name = {c_string(name)}, .names = names_{name}, .count = {count}}},"


def wrap(items: list[str]) -> list[str]:
    """The items of an initialiser or enum, in lines of at most 100 columns."""
    return textwrap.wrap(
        ", ".join(items) + ",",
        width=100,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
    )


def banner(source: str) -> list[str]:
    return [
        "/* Generated by tools/generate.py from the schemas. Do not edit: change the",
        f" * .fbs files and run it again. {source} */",
    ]


def render_header(schema: Schema) -> str:
    lines = banner("Names and numbers for the code.")
    lines += [
        "#ifndef WFBS_TABLES_H",
        "#define WFBS_TABLES_H",
        "",
        '#include "../core/schema.h"',
        "",
    ]
    tables = [short(schema.objects[i]["name"]) for i in schema.tables]
    lines.append("enum {")
    lines += [f"    WFBS_TABLE_{name} = {i}," for i, name in enumerate(tables)]
    lines += [f"    WFBS_TABLE_COUNT = {len(tables)}", "};", ""]
    lines.append("enum {")
    for i, (_, label, _) in enumerate(schema.messages):
        lines.append(f"    WFBS_MESSAGE_{label} = {i},")
    lines += [
        f"    WFBS_MESSAGE_COUNT = {len(schema.messages)},",
        "    WFBS_NO_MESSAGE = 255",
        "};",
        "",
    ]
    lines.append("enum {")
    for i, index in enumerate(schema.used_enums):
        lines.append(f"    WFBS_ENUM_{short(schema.enums[index]['name'])} = {i},")
    lines += [f"    WFBS_ENUM_COUNT = {len(schema.used_enums)}", "};", ""]
    largest = 0
    for index in schema.used_enums:
        enum = schema.enums[index]
        for value in enum["values"]:
            largest = max(largest, value["value"])
        names = [f"WFBS_{short(enum['name'])}_{v['name']} = {v['value']}" for v in enum["values"]]
        lines += ["enum {", *wrap(names), "};", ""]
    lines += ["/* More than the value of any enum. */"]
    lines += [f"enum {{ WFBS_ENUM_MAX = {largest + 1} }};", ""]
    for name, index in zip(tables, schema.tables, strict=True):
        slots = [f"WFBS_SLOT_{name}_{f['name']} = {f['id']}" for f in schema.fields(index)]
        if slots:
            lines += ["enum {", *wrap(slots), "};", ""]
    tags = max(code for code, _, _ in schema.messages) + 1
    lines += [f"enum {{ WFBS_TAG_COUNT = {tags} }};", ""]
    lines += [
        "extern const wfbs_table wfbs_tables[WFBS_TABLE_COUNT];",
        "extern const wfbs_enum wfbs_enums[WFBS_ENUM_COUNT];",
        "extern const wfbs_message_type wfbs_messages[WFBS_MESSAGE_COUNT];",
        "/* By dialect (0 autobahn, 1 schema) and union tag; WFBS_NO_MESSAGE where there is",
        " * none. */",
        "extern const uint8_t wfbs_message_by_tag[2][WFBS_TAG_COUNT];",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


def render_source(schema: Schema) -> str:
    lines = banner("What the schemas say, as constant data.")
    lines += ['#include "tables.h"', ""]
    enums = [schema.enum(i) for i in schema.used_enums]
    for arrays, _ in enums:
        lines += [*arrays, ""]
    lines += [
        "const wfbs_enum wfbs_enums[WFBS_ENUM_COUNT] = {",
        *(own for _, own in enums),
        "};",
        "",
    ]
    tables = [schema.table(i) for i in schema.tables]
    for arrays, _ in tables:
        lines += [*arrays, ""]
    lines.append("const wfbs_table wfbs_tables[WFBS_TABLE_COUNT] = {")
    lines += [own for _, own in tables]
    lines += ["};", "", "const wfbs_message_type wfbs_messages[WFBS_MESSAGE_COUNT] = {"]
    by_tag: list[dict[int, int]] = [{}, {}]
    for i, (code, label, index) in enumerate(schema.messages):
        table = short(schema.objects[index]["name"])
        kind = PYTHON_TYPE.get(code, code)
        lines.append(
            f"    {{.label = {c_string(label)}, .table = WFBS_TABLE_{table}, .type = {kind}, "
            f".code = {code}, .ordinal = {i + 1}}},"
        )
        by_tag[0][code] = i
        by_tag[1][i + 1] = i
    lines += ["};", "", "const uint8_t wfbs_message_by_tag[2][WFBS_TAG_COUNT] = {"]
    tags = max(by_tag[0]) + 1
    for row in by_tag:
        cells = [str(row.get(tag, "WFBS_NO_MESSAGE")) for tag in range(tags)]
        lines.append("    {")
        for start in range(0, tags, 8):
            lines.append("        " + ", ".join(cells[start : start + 8]) + ",")
        lines.append("    },")
    lines += ["};", ""]
    return "\n".join(lines)


def render_module(about: str, lines: list[str]) -> str:
    """A generated Python module, formatted as ruff would."""
    note = "Generated by tools/generate.py. Do not edit: change the .fbs file and run it again."
    return "\n".join([f'"""{about}', "", note, '"""', "", *lines, ""])


def render_codecs(schema: Schema) -> str:
    """The payload codecs' numbers for Python, which needs them before a binding is loaded."""
    enum = next(e for e in schema.enums if short(e["name"]) == "PPTSerializer")
    return render_module(
        "The numbers of payload codecs (payloads.py): ``PPTSerializer`` in schemas/types.fbs.",
        [f"{value['name']} = {value['value']}" for value in enum["values"]],
    )


def render_fields(schema: Schema, binary: bytes) -> str:
    """The fields of messages for the command line. Freezers include modules, but not always data
    files such as wamp.bfbs."""
    tables = [schema.objects.index(schema.root), *(index for _, _, index in schema.messages)]
    lines = [
        "#: The first 16 digits of the SHA-256 of schemas/wamp.bfbs.",
        f'FINGERPRINT = "{hashlib.sha256(binary).hexdigest()[:16]}"',
        "#: By table: a field's name, Autobahn's attribute, the slot, base type and element type.",
        "FIELDS: dict[str, list[tuple[str, str, int, str, str]]] = {",
    ]
    for index in tables:
        lines.append(f'    "{short(schema.objects[index]["name"])}": [')
        for field in schema.fields(index):
            attribute = attributes(field).get("attr", field["name"])
            kind = field["type"]
            row = [field["name"], attribute, field["id"], kind["base_type"], kind["element"]]
            lines.append(f"        ({', '.join(map(json.dumps, row))}),")
        lines.append("    ],")
    return render_module("The fields of messages, as the schemas define them.", [*lines, "}"])


def outputs() -> dict[Path, bytes]:
    """Every generated file with its content."""
    with tempfile.TemporaryDirectory() as folder:
        binary, reflected = compile_schemas(Path(folder))
    schema = Schema(reflected)
    files = {
        PACKAGE_DATA / "wamp.bfbs": binary,
        GENERATED / "tables.h": render_header(schema).encode(),
        GENERATED / "tables.c": render_source(schema).encode(),
        CODECS: render_codecs(schema).encode(),
        FIELDS: render_fields(schema, binary).encode(),
    }
    for source in sorted(SCHEMAS.glob("*.fbs")):
        files[PACKAGE_DATA / source.name] = source.read_bytes()
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    check = parser.parse_args().check
    stale = 0
    for path, content in outputs().items():
        if path.exists() and path.read_bytes() == content:
            continue
        stale += 1
        print(("stale: " if check else "wrote: ") + str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
