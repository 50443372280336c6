"""``verify``: whether messages are good, and if not, where they are wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from .. import FlatBuffersObjectSerializer
from .messages import Message, Wrong, look
from .sources import CannotRead, frames, read
from .terminal import Painter, safe, to_json, wants_color


def verify(options: argparse.Namespace) -> int:
    """Prints a verdict for each file; 0 if all are good, else 1."""
    serializer = FlatBuffersObjectSerializer(dialect=options.dialect)
    paint = Painter(wants_color(options.color))
    status = 0
    for name in options.files:
        try:
            data = read(name, options.encoding)
        except CannotRead as error:
            print(f"{safe(name)}: {safe(str(error))}", file=sys.stderr)
            status = 1
            continue
        found = [look(frame, serializer) for frame in frames(data, options.framing)]
        wrong = list(_wrong(found))
        if not found:
            wrong = [Wrong("", "no message", 0)]
        status = 1 if wrong else status
        if options.json:
            print(
                to_json(
                    {
                        "file": name,
                        "ok": not wrong,
                        "messages": sum(isinstance(each, Message) for each in found),
                        "size": len(data),
                        "errors": [
                            {"where": w.where, "reason": w.reason, "offset": w.offset}
                            for w in wrong
                        ],
                    }
                )
            )
        elif not options.quiet:
            for each in wrong:
                at = "" if each.offset is None else f"{each.offset}:"
                print(f"{safe(name)}:{at} {paint('bad', safe(str(each)))}")
            if not wrong:
                print(f"{safe(name)}: {paint('good', 'ok')} ({_summary(found)})")
    return status


def _wrong(found: list[Message | Wrong]) -> Iterator[Wrong]:
    for each in found:
        if isinstance(each, Wrong):
            yield each
        else:
            yield from each.wrong


def _summary(found: list[Message | Wrong]) -> str:
    messages = [each for each in found if isinstance(each, Message)]
    if len(messages) == 1:
        return f"{messages[0].label}, {messages[0].size} bytes"
    return f"{len(messages)} messages, {sum(each.size for each in messages)} bytes"
