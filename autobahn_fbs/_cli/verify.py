"""``verify``: whether messages are valid, and the positions of errors."""

from __future__ import annotations

import argparse
import sys

from .. import FlatBuffersObjectSerializer
from .dump import fault_text
from .messages import Message, Wrong, look
from .sources import CannotRead, frames, read
from .terminal import Painter, safe, to_json, wants_color


class Good:
    """A summary of a valid file. The messages themselves are not kept, because there may be
    millions."""

    def __init__(self) -> None:
        self.messages = 0
        self._size = 0
        self._label = ""

    def count(self, message: Message) -> None:
        self.messages += 1
        self._size += message.size
        self._label = message.label

    def __str__(self) -> str:
        what = self._label if self.messages == 1 else f"{self.messages} messages"
        return f"{what}, {self._size} bytes"


def verify(options: argparse.Namespace) -> int:
    """Prints a verdict for each file; returns 0 if all are valid, else 1."""
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
        wrong: list[Wrong] = []
        good = Good()
        for frame in frames(data, options.framing):
            found = look(frame, serializer)
            wrong += [found] if isinstance(found, Wrong) else found.wrong
            if isinstance(found, Message):
                good.count(found)
        if not wrong and not good.messages:
            wrong = [Wrong("", "no message", 0)]
        status = 1 if wrong else status
        if options.json:
            print(
                to_json(
                    {
                        "file": name,
                        "ok": not wrong,
                        "messages": good.messages,
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
                print(fault_text(each, name, paint))
            if not wrong:
                print(f"{safe(name)}: {paint('good', 'ok')} ({good})")
    return status
