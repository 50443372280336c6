"""Finds one value by its path, ``header.seq`` or ``points[3].x``, in bytes that aren't verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core import ffi, lib
from .core import Rules, raise_fault
from .decode import slot

if TYPE_CHECKING:
    from .codec import TypedSchema
    from .plan import Object

_free: list[Any] = []


class _Scratch:
    """Memory for a search, which the core fills."""

    def __init__(self) -> None:
        self.verifier = ffi.new("wfbs_verifier *")
        self.fault = ffi.new("wfbs_fault *")
        self.root = ffi.new("uint32_t *")
        self.place = ffi.new("wfbs_place *")


def get(schema: TypedSchema, of: Object, data: bytes, path: str, rules: Rules) -> Any:
    """The value at the path in a table; None if it, or a part of the path, is absent.

    :raises KeyError: the schema doesn't have the path.
    :raises IndexError: a vector or array has no such element.
    :raises autobahn.wamp.exception.InvalidPayload: the bytes on the path to it, or its own, are
        invalid.
    """
    try:
        scratch = _free.pop()
    except IndexError:
        scratch = _Scratch()
    fault, place = scratch.fault, scratch.place
    text = path.encode("utf-8", "surrogatepass")
    found = lib.wfbs_typed_open(
        scratch.verifier, rules.lenient, data, len(data), ffi.NULL, fault, scratch.root
    ) and lib.wfbs_typed_find(scratch.verifier, of.index, scratch.root[0], text, len(text), place)
    if not found:
        if fault.code == lib.WFBS_FAULT_PATH:
            from ...typed._classes import unknown_path

            raise unknown_path(schema, of.name, path)
        if fault.code == lib.WFBS_FAULT_INDEX:
            raise IndexError(f"{of.name} has no element {path!r:.200}")
        raise_fault(fault, schema.plan.raw, of.index)
    kind, at = place.kind, place.at
    if kind == lib.WFBS_PLACE_ABSENT:
        value = None
    else:
        field = schema.plan.object(place.object).fields[place.number]
        reader = schema.instances
        if kind == lib.WFBS_PLACE_ELEMENT:
            value = reader.reader(field.element)(data, at + place.index * field.stride)
        elif kind == lib.WFBS_PLACE_MEMBER:
            value = reader.reader(field)(data, at + field.offset)
        else:
            inline = slot(data, at, field.offset)
            if not inline:
                value = schema.absent(field)
            elif field.tag is not None:
                value = reader.union(field, data, at, inline)
            else:
                value = reader.reader(field)(data, inline)
    _free.append(scratch)
    return value
