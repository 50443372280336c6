"""Facts in a compiled schema beyond its plan: attributes, services, and origins of types.

All facts come from ``TypedSchema.describe()``, the file in the terms of ``reflection.fbs``. The
engine decodes it like any other buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

#: Base types of reflection.fbs: those that refer to an object, and the hidden type of a union.
_OBJECT, _TYPE = 15, 1

#: Keys that don't affect the type.
_UNIMPORTANT = {"documentation", "declaration_file"}

Attributes = dict[str, str]


def attributes_of(described: dict[str, Any]) -> Attributes:
    """The attributes of a table, field, method or service; one without a value has "0"."""
    return {pair["key"]: pair.get("value", "") for pair in described.get("attributes", ())}


def value_fields(described: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a table that have values, by id: without deprecated ones and the hidden types
    of unions."""
    fields = sorted(described.get("fields", ()), key=lambda field: field.get("id", 0))
    return [
        field
        for field in fields
        if not field.get("deprecated")
        and _TYPE not in (field["type"].get("base_type"), field["type"].get("element"))
    ]


class Method(NamedTuple):
    """A method of a service."""

    service: str
    name: str
    request: str
    response: str
    attributes: Attributes


class Service(NamedTuple):
    """An ``rpc_service``."""

    name: str
    attributes: Attributes
    #: In the order of the schema.
    methods: tuple[Method, ...]


class Reflection:
    """One schema file's description, by name."""

    def __init__(self, described: dict[str, Any]) -> None:
        self._described = described

    @cached_property
    def objects(self) -> dict[str, dict[str, Any]]:
        """Tables and structs."""
        return {each["name"]: each for each in self._described.get("objects", ())}

    @cached_property
    def enums(self) -> dict[str, dict[str, Any]]:
        """Enums and unions."""
        return {each["name"]: each for each in self._described.get("enums", ())}

    @cached_property
    def services(self) -> dict[str, Service]:
        """The services, with their methods in the order of the schema."""
        return {
            each["name"]: Service(
                each["name"],
                attributes_of(each),
                tuple(
                    Method(
                        each["name"],
                        call["name"],
                        call["request"]["name"],
                        call["response"]["name"],
                        attributes_of(call),
                    )
                    for call in each.get("calls", ())
                ),
            )
            for each in self._described.get("services", ())
        }

    @property
    def advanced_features(self) -> int:
        """The bits of ``AdvancedFeatures``."""
        features = self._described.get("advanced_features", 0)
        return _bits(features)

    def structure(self, name: str) -> dict[str, Any]:
        """The definition of a table, struct or enum, and of all types that it refers to, by name.

        Two types are structurally equal if these are equal. Comments and file names don't count.
        """
        found: dict[str, Any] = {}
        open_names = [name]
        while open_names:
            current = open_names.pop()
            if current not in found:
                described = self.objects.get(current) or self.enums[current]
                found[current] = self._plain(described)
                open_names += self._references(described)
        return found

    def _plain(self, value: Any) -> Any:
        """A description with names in place of the file's own indices."""
        if isinstance(value, dict):
            plain = {k: self._plain(v) for k, v in value.items() if k not in _UNIMPORTANT}
            if (target := self.target(value)) is not None:
                plain["index"] = target
            return plain
        return [self._plain(each) for each in value] if isinstance(value, list) else value

    def _references(self, value: Any) -> Iterator[str]:
        """The names that a description refers to."""
        if isinstance(value, dict):
            if (target := self.target(value)) is not None:
                yield target
            for each in value.values():
                yield from self._references(each)
        elif isinstance(value, list):
            for each in value:
                yield from self._references(each)

    def target(self, type_: dict[str, Any]) -> str | None:
        """The type that a Type of reflection.fbs refers to, if any."""
        index = type_.get("index", -1)
        if not isinstance(index, int) or index < 0 or "base_type" not in type_:
            return None
        kinds = (type_["base_type"], type_.get("element", 0))
        names = list(self.objects if _OBJECT in kinds else self.enums)
        # The core checks only those that it uses; a string's may be anything.
        return names[index] if index < len(names) else None


def _bits(value: Any) -> int:
    """Bit flags in the form of the engine's dicts: names, or a number if one is unknown."""
    if isinstance(value, int):
        return value
    known = {
        "AdvancedArrayFeatures": 1,
        "AdvancedUnionFeatures": 2,
        "OptionalScalars": 4,
        "DefaultVectorsAndStrings": 8,
    }
    return sum(known.get(name, 0) for name in str(value).split())
