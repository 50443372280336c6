"""``catalog``: shows schemas of typed payloads, and checks them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..typed.catalog import Catalog
from ..typed.errors import CatalogError
from ..typed.reflection import attributes_of, value_fields
from ..typed.services import Origin
from .terminal import Painter, safe, to_json, wants_color

if TYPE_CHECKING:
    from ..typed.reflection import Reflection

#: The schemas' names for reflection.fbs' BaseType.
_BASES = (
    "none", "utype", "bool", "byte", "ubyte", "short", "ushort", "int", "uint", "long", "ulong",
    "float", "double", "string", "vector", "table", "union", "array", "vector64",
)  # fmt: skip
_FLOAT, _DOUBLE, _STRING, _VECTOR, _OBJECT, _UNION, _ARRAY, _VECTOR64 = 11, 12, *range(13, 19)


def catalog(options: argparse.Namespace) -> int:
    """Shows or checks schemas; returns 0 if they can be read and, for ``check``, there are no
    problems."""
    try:
        loaded = Catalog.load(*options.sources)
    except CatalogError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    problems = loaded.check()
    paint = Painter(wants_color(options.color))
    if options.action == "show":
        _show(loaded._origins, options.json, paint)
    if options.json:
        if options.action == "check":
            print(to_json({"problems": problems}))
    else:
        for text in problems:
            print(paint("bad", safe(text)))
        if options.action == "check" and not problems:
            print(paint("good", f"no problem found in {_counted(loaded._origins)}"))
    return 1 if problems and options.action == "check" else 0


def _fail(text: str) -> int:
    print(f"autobahn_fbs catalog: {safe(text)}", file=sys.stderr)
    return 1


def _counted(origins: tuple[Origin, ...]) -> str:
    tables = sum(len(origin.schema.tables) for origin in origins)
    files = "1 file" if len(origins) == 1 else f"{len(origins)} files"
    return f"{files} with {tables} {'table' if tables == 1 else 'tables'}"


def _show(origins: tuple[Origin, ...], as_json: bool, paint: Painter) -> None:
    for origin in origins:
        described = describe(origin)
        if as_json:
            print(to_json(described))
            continue
        print(paint("title", safe(origin.name)))
        for line in _lines(described):
            print(safe(line))
        print()


def describe(origin: Origin) -> dict[str, Any]:
    """The contents of a schema file, in a form that JSON supports."""
    schema, reflection = origin.schema, origin.reflection
    objects = reflection.objects
    identifier = schema.identifier
    return {
        "file": origin.name,
        "root": schema.root,
        "identifier": None if identifier is None else identifier.decode("utf-8", "replace"),
        "tables": {name: _object(reflection, objects[name]) for name in schema.tables},
        "structs": {name: _object(reflection, objects[name]) for name in schema.structs},
        "enums": _enums(reflection, False),
        "unions": _enums(reflection, True),
        "interfaces": {
            service.name: {
                "attributes": service.attributes,
                "methods": {
                    method.name: {
                        "request": method.request,
                        "response": method.response,
                        "attributes": method.attributes,
                    }
                    for method in service.methods
                },
            }
            for service in reflection.services.values()
        },
        "refused": schema.refused,
    }


def _enums(reflection: Reflection, unions: bool) -> dict[str, dict[str, int]]:
    """The values of each enum, or union, by name."""
    return {
        name: {each["name"]: each.get("value", 0) for each in described.get("values", ())}
        for name, described in reflection.enums.items()
        if bool(described.get("is_union")) is unions
    }


def _object(reflection: Reflection, described: dict[str, Any]) -> dict[str, Any]:
    """A table or struct: attributes and fields."""
    return {"attributes": attributes_of(described), "fields": _fields(reflection, described)}


def _fields(reflection: Reflection, described: dict[str, Any]) -> dict[str, Any]:
    """The fields of a table or struct: type, attributes, and the default if it isn't 0."""
    found = {}
    for field in value_fields(described):
        said: dict[str, Any] = {"type": _type(reflection, field["type"])}
        default = field.get("default_integer", 0) or field.get("default_real", 0.0)
        if field.get("optional") and field["type"]["base_type"] < _STRING:
            said["default"] = None
        elif default:
            said["default"] = default
        attributes = attributes_of(field)
        if field.get("required"):
            attributes.setdefault("required", "0")
        said["attributes"] = {k: v for k, v in attributes.items() if k != "id"}
        found[field["name"]] = said
    return found


def _type(reflection: Reflection, type_: dict[str, Any]) -> str:
    """A type in a schema's spelling."""
    base = type_.get("base_type", 0)
    if base in (_VECTOR, _VECTOR64):
        return f"[{_named(reflection, type_, type_.get('element', 0))}]"
    if base == _ARRAY:
        element = _named(reflection, type_, type_.get("element", 0))
        return f"[{element}:{type_.get('fixed_length', 0)}]"
    return _named(reflection, type_, base)


def _named(reflection: Reflection, type_: dict[str, Any], base: int) -> str:
    names = list(reflection.objects if base == _OBJECT else reflection.enums)
    index = type_.get("index", -1)
    if 0 <= index < len(names) and base not in (_FLOAT, _DOUBLE, _STRING):
        return str(names[index])
    return _BASES[base] if 0 <= base < len(_BASES) else f"type {base}"


def _lines(described: dict[str, Any]) -> Iterator[str]:
    """The text about a file, without its name."""
    if described["root"] is not None:
        yield f"  root {described['root']}"
    if described["identifier"] is not None:
        yield f"  identifier {described['identifier']!r}"
    for kind in ("tables", "structs"):
        for name, found in described[kind].items():
            why = described["refused"].get(name)
            refused = "" if why is None else f", refused: {why}"
            yield f"  {kind[:-1]} {name}{_attributes(found)}{refused}"
            fields = found["fields"]
            width = max(map(len, fields), default=0)
            for field, said in fields.items():
                default = f" = {said['default']}" if "default" in said else ""
                default = " = null" if default == " = None" else default
                yield f"    {field:{width}}  {said['type']}{default}{_attributes(said)}"
    for kind in ("enums", "unions"):
        for name, values in described[kind].items():
            text = ", ".join(f"{value} = {number}" for value, number in values.items())
            yield f"  {kind[:-1]} {name}: {text}"
    for name, service in described["interfaces"].items():
        yield f"  interface {name}{_attributes(service)}"
        for method, said in service["methods"].items():
            yield f"    {method}({said['request']}): {said['response']}{_attributes(said)}"


def _attributes(said: dict[str, Any]) -> str:
    """Attributes in a schema's spelling; in a compiled schema, one without a value has "0"."""
    shown = [
        name if value in ("", "0") else f'{name}: "{value}"'
        for name, value in said["attributes"].items()
    ]
    return f" ({', '.join(shown)})" if shown else ""
