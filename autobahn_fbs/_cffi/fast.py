"""The usual message, encoded without a loop: one function for each class, written from its table.

PyPy's compiler makes much of straight code and little of a loop over fields of all kinds. A
function takes messages of exactly Autobahn's class whose values are of the usual types and need no
metadata; it declines everything else, and encode.py's general way takes that, which also knows all
errors.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from .build import BLOB_MIN, Workspace, build_usual, free
from .classes import ENC, Attribute, MessageClass
from .convert import BUILD_FIELDS, INTEGER_BITS, is_request_type

#: Encodes a message, or returns None if it declines. Arguments: the message, args and kwargs in
#: bytes or None, the codec that wrote them, and whether to frame the message.
Fast = Callable[[Any, bytes | None, bytes | None, int, int], bytes | None]

_DECLINE = "return None"


def _bytes_of(variable: str, a: Attribute) -> list[str]:
    """Lines that put bytes into the record, but a large payload's not into the texts."""
    lines = [
        f"    record[{BUILD_FIELDS + a.index}] = size = len({variable})",
        f"    present |= {a.bit}",
    ]
    if a.kind == "BYTES":
        lines.append("    if size < BLOB_MIN:")
        return [*lines, f"        texts.append({variable})"]
    return [*lines, f"    texts.append({variable})"]


def _condition(a: Attribute) -> str | None:
    """When an int's value is the usual one."""
    low = 1 if a.field.check == "POSITIVE" else 0
    high = 2 ** min(INTEGER_BITS[a.kind], 53) - (INTEGER_BITS[a.kind] < 53)
    if a.field.check == "REQUEST_TYPE":
        return f"0 <= value <= {high} and is_request_type(value)"
    return f"{low} <= value <= {high}"


def _lines(a: Attribute) -> list[str]:
    """The lines for one attribute, whose value is in `value` and not None."""
    store = f"    record[{BUILD_FIELDS + a.index}] = "
    mark = f"    present |= {a.bit}"
    use = a.use
    if a.kind == "NONE" or use in (*ENC, "PAYLOAD"):
        return [f"    {_DECLINE}"]
    if use == "STR":
        return [
            "    if type(value) is not str:",
            f"        {_DECLINE}",
            "    data = value.encode()",
            *_bytes_of("data", a),
        ]
    if use == "INT":
        condition = f"type(value) is not int or not ({_condition(a)})"
        return [f"    if {condition}:", f"        {_DECLINE}", store + "value", mark]
    if use == "BOOL":
        return [
            "    if type(value) is not bool:",
            f"        {_DECLINE}",
            store + "1 if value else 0",
            mark,
        ]
    if use == "ENUM":
        least = 1 if a.field.check == "NONZERO" else 0
        return [
            f"    number = {a.name}_values.get(value, -1) if type(value) is str else -1",
            f"    if number < {least}:",
            f"        {_DECLINE}",
            store + "number",
            mark,
        ]
    return [f"    {_DECLINE}"]


def source(c: MessageClass) -> str:
    """The Python of a class's function."""
    lines = ["def fill(message, record, texts, args, kwargs, codec):", "    present = 0"]
    for a in c.used:
        if a.use == "ENC_CIPHER":
            continue  # Autobahn's class has none
        if a.use in ("ARGS", "KWARGS"):
            variable = a.use.lower()
            lines += [f"    if {variable} is not None:"]
            lines += ["    " + line for line in _bytes_of(variable, a)]
            continue
        lines.append(f"    value = message.{a.private}")
        if a.use == "ENC_SERIALIZER":
            lines += ["    if value is not None:", f"        {_DECLINE}"]
            lines += ["    if codec and (args is not None or kwargs is not None):"]
            lines += [f"        record[{BUILD_FIELDS + a.index}] = codec"]
            lines += [f"        present |= {a.bit}"]
            continue
        test = "value is not None"
        if a.defaulting:
            test += " and (type(value) is not dict or value)"
        lines.append(f"    if {test}:")
        lines += ["    " + line for line in _lines(a)]
        if a.demanding:
            lines += ["    else:", f"        {_DECLINE}"]
    lines += ["    record[0] = present", "    record[1] = -1", "    return b''.join(texts)"]
    return "\n".join(lines)


def make(c: MessageClass) -> Fast:
    """The function for a class."""
    # A module's dict, because PyPy's compiler takes what is in those for constants.
    names = vars(ModuleType(f"{__name__}.{c.table.name}"))
    names.update(BLOB_MIN=BLOB_MIN, is_request_type=is_request_type, type=type, len=len)
    names.update(int=int, str=str, bool=bool)
    for a in c.used:
        if a.enum is not None:
            names[f"{a.name}_values"] = a.enum.values
    exec(compile(source(c), f"<fast {c.label}>", "exec"), names)
    fill: Callable[..., bytes | None] = names["fill"]
    index = c.index
    slots = (c.args.index, c.kwargs.index) if c.args and c.kwargs else None

    def fast(
        message: Any, args: bytes | None, kwargs: bytes | None, codec: int, batched: int
    ) -> bytes | None:
        try:
            w = free.pop()
        except IndexError:
            w = Workspace()
        try:
            text = fill(message, w.record, [], args, kwargs, codec)
        except UnicodeEncodeError:
            text = None
        data = None
        if text is not None:
            data = build_usual(w, index, batched, text, slots, args, kwargs)
        free.append(w)
        return data

    return fast
