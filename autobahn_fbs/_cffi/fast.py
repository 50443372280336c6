"""The usual message, encoded without a loop: one function for each class, written from its table.

PyPy's compiler makes much of straight code and little of a loop over fields of all kinds. A
function takes messages of exactly Autobahn's class whose values are of the usual types and need no
metadata; it declines everything else, and encode.py's general way takes that, which also knows all
errors.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .build import BLOB_MIN, ROOM, Workspace, core_build, free, join
from .classes import ENC, Attribute, MessageClass
from .convert import BUILD_FIELDS, BUILD_ROOM, INTEGER_BITS, is_request_type

#: Encodes a message, or returns None if it declines. Arguments: the message, args and kwargs in
#: bytes or None, the codec that wrote them, and whether to frame the message.
Fast = Callable[[Any, bytes | None, bytes | None, int, int], bytes | None]

_DECLINE = "return decline(w)"

#: How a function begins and ends; build.py explains.
_BEGIN = """\
def fast(message, args, kwargs, codec, batched):
    try:
        w = free.pop()
    except IndexError:
        w = Workspace()
    record = w.record
    texts = []
    present = 0
"""
_END = """
    record[0] = present
    record[1] = -1
    text = b"".join(texts)
    size = core_build(INDEX, 0, batched, record, BUILD_ROOM, text, w.output, ROOM)
    if size < 0:
        return decline(w)
    data = w.view[ROOM - size : ROOM]
    if record[0]:
        data = join(data, batched, record, {ARGS: args, KWARGS: kwargs})
    free.append(w)
    return data
"""


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
    lines = []
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
    return _BEGIN + "\n".join(lines) + _END


def _decline(w: Workspace) -> None:
    """What a function does with a message that is not a usual one."""
    free.append(w)


def make(c: MessageClass) -> Fast:
    """The function for a class."""
    # A module's dict, because PyPy's compiler takes what is in those for constants.
    names = vars(ModuleType(f"{__name__}.{c.table.name}"))
    names.update(vars(builtins), free=free, Workspace=Workspace, decline=_decline, join=join)
    names.update(core_build=core_build, is_request_type=is_request_type)
    names.update(INDEX=c.index, BLOB_MIN=BLOB_MIN, BUILD_ROOM=BUILD_ROOM, ROOM=ROOM)
    names["ARGS"], names["KWARGS"] = (
        (c.args.index, c.kwargs.index) if c.args and c.kwargs else (0, 0)
    )
    for a in c.used:
        if a.enum is not None:
            names[f"{a.name}_values"] = a.enum.values
    exec(compile(source(c), f"<fast {c.label}>", "exec"), names)
    fast: Fast = names["fast"]
    return fast
