"""Encodes ordinary messages without a loop over fields: functions for each class, generated from
its table.

PyPy's compiler handles straight code well, and a loop over fields of many kinds poorly. A function
accepts messages of exactly Autobahn's class whose values have the usual types and need no metadata.
It declines everything else, which encode.py's general path handles, including all errors.

There are two functions for each class. `fast` takes args and kwargs as bytes. `flat` takes messages
whose args and kwargs contain no containers. It leaves their CBOR to the core, and is one function
with no unnecessary calls, because its loops are where the compiler ends one piece of code and
begins the next: in a function of its own, each would be a call with a new frame.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ._core import lib
from .build import BLOB_MIN, ITEMS_MAX, ROOM, Workspace, core_build, free, join
from .classes import ENC, Attribute, MessageClass
from .convert import BUILD_FIELDS, BUILD_ROOM, INTEGER_BITS, is_request_type

#: Encodes a message, or returns None to decline it. Arguments: the message, args and kwargs as
#: bytes or None, their codec, and whether to frame the message.
Fast = Callable[[Any, bytes | None, bytes | None, int, int], bytes | None]
#: The same for a message with args or kwargs, in CBOR. Arguments: the message, the codec (CBOR by
#: either of its numbers), and whether to frame the message.
Flat = Callable[[Any, int, int], bytes | None]

#: Maximum size of a string for `flat`: longer ones may make payloads too large for it.
TEXT_MAX = 255

_DECLINE = "return decline(w)"

#: The beginning and the end of a function; build.py explains them.
_BEGIN = """\
def {name}:
    try:
        w = free.pop()
    except IndexError:
        w = Workspace()
    record = w.record
    texts = []
    present = 0
"""
#: Tokens for args and kwargs (csrc/cffi/cbor_tokens.h). `left` detects changes by other threads.
_PAYLOADS = """\
    floats = w.floats
    at = BUILD_ROOM
    args = message._args
    if args is not None:
        if type(args) is not list and type(args) is not tuple:
            return decline(w)
        left = len(args)
        if left > ITEMS_MAX:
            return decline(w)
        record[at] = left << 3 | 4
        at += 1
        for value in args:
VALUE
            left -= 1
        if left:
            return decline(w)
        args_tokens = -(BUILD_ROOM << 32 | at - BUILD_ROOM)
    kwargs = message._kwargs
    if kwargs is not None:
        if type(kwargs) is not dict:
            return decline(w)
        left = len(kwargs)
        if left > ITEMS_MAX:
            return decline(w)
        record[at] = left << 3 | 5
        first = at
        at += 1
        for key, value in kwargs.items():
            if type(key) is not str:
                return decline(w)
            data = key.encode()
            size = len(data)
            if size > TEXT_MAX:
                return decline(w)
            record[at] = size << 3 | 3
            texts.append(data)
            at += 1
VALUE
            left -= 1
        if left:
            return decline(w)
        kwargs_tokens = -(first << 32 | at - first)
"""
_VALUE = """\
            kind = type(value)
            if kind is str:
                data = value.encode()
                size = len(data)
                if size > TEXT_MAX:
                    return decline(w)
                record[at] = size << 3 | 3
                texts.append(data)
            elif kind is int:
                if 0 <= value < 1 << 60:
                    record[at] = value << 3
                elif -1 << 60 <= value < 0:
                    record[at] = -1 - value << 3 | 1
                else:
                    return decline(w)
            elif kind is float:
                record[at] = DOUBLE
                at += 1
                record[at] = 0  # an index that is checked, unlike the next: the list may be growing
                floats[at] = value
            elif value is None:
                record[at] = 0xF6 << 3 | 7
            elif kind is bool:
                record[at] = (0xF5 if value else 0xF4) << 3 | 7
            else:
                return decline(w)
            at += 1
"""
_END = """
    record[0] = present
    record[1] = -1
    text = b"".join(texts)
    size = core_build(INDEX, 0, batched, record, BUILD_ROOM, text, w.output, ROOM)
    if size < 0:
        return decline(w)
    data = w.view[ROOM - size : ROOM]
JOIN
    free.append(w)
    return data
"""
_JOIN = """\
    if record[0]:
        data = join(data, batched, record, {ARGS: args, KWARGS: kwargs})
"""


def _bytes_of(variable: str, a: Attribute) -> list[str]:
    """Lines that put bytes into the record and, unless too large, into the text."""
    lines = [
        f"    record[{BUILD_FIELDS + a.index}] = size = len({variable})",
        f"    present |= {a.bit}",
    ]
    if a.kind == "BYTES":
        lines.append("    if size < BLOB_MIN:")
        return [*lines, f"        texts.append({variable})"]
    return [*lines, f"    texts.append({variable})"]


def _condition(a: Attribute) -> str | None:
    """The condition for an int's usual value."""
    low = 1 if a.field.check == "POSITIVE" else 0
    high = 2 ** min(INTEGER_BITS[a.kind], 53) - (INTEGER_BITS[a.kind] < 53)
    if a.field.check == "REQUEST_TYPE":
        return f"0 <= value <= {high} and is_request_type(value)"
    return f"{low} <= value <= {high}"


def _lines(a: Attribute) -> list[str]:
    """The lines for one attribute, whose value is in `value` and isn't None."""
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


def _payload(variable: str, a: Attribute, flat: bool) -> list[str]:
    """The lines for args or kwargs."""
    if flat:
        store = f"        record[{BUILD_FIELDS + a.index}] = {variable}_tokens"
        lines = [store, f"        present |= {a.bit}"]
    else:
        lines = ["    " + line for line in _bytes_of(variable, a)]
    return [f"    if {variable} is not None:", *lines]


def source(c: MessageClass, flat: bool) -> str:
    """The Python code of a class's function."""
    if flat:
        begin = _BEGIN.format(name="flat(message, codec, batched)")
        begin += _PAYLOADS.replace("VALUE\n", _VALUE)
    else:
        begin = _BEGIN.format(name="fast(message, args, kwargs, codec, batched)")
    lines = []
    for a in c.used:
        if a.use == "PPT_CIPHER":
            continue  # Autobahn's class has none
        if a.use in ("ARGS", "KWARGS"):
            lines += _payload(a.use.lower(), a, flat)
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
    return begin + "\n".join(lines) + _END.replace("JOIN\n", "" if flat else _JOIN)


def _decline(w: Workspace) -> None:
    """The end of a function for a message that it declines."""
    free.append(w)


def _compiled(c: MessageClass, flat: bool) -> Any:
    # A module's dict, because PyPy's compiler treats its values as constants.
    names = vars(ModuleType(f"{__name__}.{c.table.name}"))
    names.update(vars(builtins), free=free, Workspace=Workspace, decline=_decline, join=join)
    names.update(core_build=core_build, is_request_type=is_request_type)
    names.update(INDEX=c.index, BLOB_MIN=BLOB_MIN, BUILD_ROOM=BUILD_ROOM, ROOM=ROOM)
    names.update(DOUBLE=lib.WFBS_CBOR_DOUBLE, ITEMS_MAX=ITEMS_MAX, TEXT_MAX=TEXT_MAX)
    names["ARGS"], names["KWARGS"] = (
        (c.args.index, c.kwargs.index) if c.args and c.kwargs else (0, 0)
    )
    for a in c.used:
        if a.enum is not None:
            names[f"{a.name}_values"] = a.enum.values
    kind = "flat" if flat else "fast"
    exec(compile(source(c, flat), f"<{kind} {c.label}>", "exec"), names)
    return names[kind]


def make(c: MessageClass) -> Fast:
    """The first function for a class."""
    made: Fast = _compiled(c, flat=False)
    return made


def make_flat(c: MessageClass) -> Flat:
    """The second function for a class, for messages with args and kwargs."""
    made: Flat = _compiled(c, flat=True)
    return made
