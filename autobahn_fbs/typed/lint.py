"""Finds possible problems in a schema: ``Catalog.check()``.

A compiled schema has no trace of defaults of ``ulong`` above 2**63-1 (they read as 0), so they
can't be reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .reflection import Reflection, attributes_of
from .services import Origin

#: reflection.fbs' BaseType.
_STRING, _VECTOR = 13, 14

#: AdvancedFeatures.DefaultVectorsAndStrings.
_DEFAULT_VECTORS_AND_STRINGS = 8

#: FlatBuffers' own attributes that leave a trace in a compiled schema: the trace, and the attribute
#: that ``--bfbs-builtins`` adds.
_TRACES = ("required", "deprecated", "key")


def findings(origin: Origin) -> Iterator[str]:
    """A sentence for each possible problem in one file."""
    reflection = origin.reflection
    for name, reason in origin.schema.refused.items():
        yield f"{origin.name}: {name} can't be used: {reason}"
    if _lacks_builtins(reflection):
        yield (
            f"{origin.name}: compiled without --bfbs-builtins, so bit flags and nested buffers are "
            "not marked as such"
        )
    has_defaults = reflection.advanced_features & _DEFAULT_VECTORS_AND_STRINGS
    for described in reflection.objects.values():
        if not described.get("is_struct"):
            yield from _of_table(f"{origin.name}: {described['name']}", described, has_defaults)
    yield from _of_services(origin)


def _fields(described: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(described.get("fields", ()), key=lambda field: field.get("id", 0))


def _lacks_builtins(reflection: Reflection) -> bool:
    """Whether a field is required, deprecated or a key but has no attribute that says so."""
    return any(
        field.get(trace) and trace not in attributes_of(field)
        for described in reflection.objects.values()
        for field in described.get("fields", ())
        for trace in _TRACES
        # A string key is implicitly required.
        if not (trace == "required" and field.get("key"))
    )


def _of_table(where: str, described: dict[str, Any], has_defaults: int) -> Iterator[str]:
    keyword = None
    for field in _fields(described):
        said, base = attributes_of(field), field.get("type", {}).get("base_type")
        if "kwarg" in said:
            keyword = field["name"]
        elif "arg" in said and keyword is not None:
            yield f"{where}.{field['name']}: positional field after the keyword field {keyword}"
        plain = not field.get("optional") and not field.get("required")
        if has_defaults and base in (_STRING, _VECTOR) and plain:
            yield f"{where}.{field['name']}: its default is not in the compiled schema"


def _of_services(origin: Origin) -> Iterator[str]:
    for service in origin.reflection.services.values():
        for method in service.methods:
            where = f"{origin.name}: {service.name}.{method.name}"
            kind = method.attributes.get("type")
            if kind not in ("procedure", "topic"):
                yield f"{where}: its type is neither procedure nor topic, so it is left out"
            response = origin.reflection.objects.get(method.response, {})
            if kind == "topic" and response.get("fields"):
                yield f"{where}: the response of a topic must be a table without fields"
