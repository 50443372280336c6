"""``dump``: messages as readable text, or as JSON."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .. import FlatBuffersObjectSerializer
from .messages import Message, Wrong, look
from .sources import CannotRead, frames, read
from .terminal import Painter, safe, to_json, to_text, wants_color

_WIDTH = 200


def dump(options: argparse.Namespace) -> int:
    """Prints the content of the files; returns 0 if all of it is valid, else 1."""
    serializer = FlatBuffersObjectSerializer(dialect=options.dialect)
    paint = Painter(wants_color(options.color))
    status = 0
    several = len(options.files) > 1
    for name in options.files:
        try:
            data = read(name, options.encoding)
        except CannotRead as error:
            print(f"{safe(name)}: {safe(str(error))}", file=sys.stderr)
            status = 1
            continue
        if several and not options.json:
            print(paint("title", f"==> {safe(name)} <=="))
        for index, frame in enumerate(frames(data, options.framing)):
            found = look(frame, serializer)
            if isinstance(found, Wrong) or found.wrong:
                status = 1
            try:
                shown = _shown(found, name, index, options, paint)
            except (ValueError, RecursionError, MemoryError) as error:
                status = 1
                reason = f"can't be shown: {type(error).__name__}"
                shown = _shown(Wrong("", reason, frame.offset), name, index, options, paint)
            print(shown)
    return status


def _shown(
    found: Message | Wrong, name: str, index: int, options: argparse.Namespace, paint: Painter
) -> str:
    if options.json:
        return to_json({"file": name, "index": index, **as_json(found)})
    return as_text(found, name, paint, None if options.full else _WIDTH)


def as_json(found: Message | Wrong) -> dict[str, Any]:
    """The content of one line of ``--json``."""
    if isinstance(found, Wrong):
        return {"ok": False, "errors": [_error(found)]}
    return {
        "ok": not found.wrong,
        "type": found.label,
        "code": found.code,
        "offset": found.offset,
        "size": found.size,
        "codec": found.codec,
        "attributes": found.attributes,
        "fields": [
            {
                "name": place.name,
                "attribute": place.attribute,
                "slot": place.slot,
                "offset": found.offset + place.offset,
                "size": place.size,
            }
            for place in found.places
        ],
        **({"errors": [_error(wrong) for wrong in found.wrong]} if found.wrong else {}),
    }


def _error(wrong: Wrong) -> dict[str, Any]:
    return {"where": wrong.where, "reason": wrong.reason, "offset": wrong.offset}


def fault_text(wrong: Wrong, name: str, paint: Painter) -> str:
    """An error as ``FILE:OFFSET: reason``, the same in `dump` and `verify`."""
    at = "" if wrong.offset is None else f"{wrong.offset}:"
    return f"{safe(name)}:{at} {paint('bad', safe(str(wrong)))}"


def as_text(found: Message | Wrong, name: str, paint: Painter, width: int | None) -> str:
    """One message of a file as lines: each attribute with the position and size of its bytes."""
    if isinstance(found, Wrong):
        return fault_text(found, name, paint)
    codec = f", payload in {safe(found.codec)}" if found.codec else ""
    head = f"{found.label} [{found.code}]"
    lines = [f"{paint('title', head)}  {found.size} bytes at offset {found.offset}{codec}"]
    places = {place.attribute: place for place in found.places}
    for attribute, value in found.attributes.items():
        place = places.pop(attribute, None)
        if place is None:
            beyond = attribute in found.metadata or attribute == "custom"
            at = "metadata" if beyond else "-"
        else:
            size = "" if place.size is None else f" +{place.size}"
            at = f"@{found.offset + place.offset}{size}"
        text = to_text(value, width)
        lines.append(f"  {paint('name', f'{attribute:<23}')} {paint('faint', f'{at:<12}')} {text}")
    if "metadata" in places:
        place = places["metadata"]
        at = f"@{found.offset + place.offset} +{place.size}"
        lines.append(f"  {paint('faint', f'(metadata)              {at}')}")
    lines += [f"  {fault_text(wrong, name, paint)}" for wrong in found.wrong]
    return "\n".join(lines)
