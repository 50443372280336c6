"""Which value in args or kwargs a payload codec could not encode, and what to do about it.

Looked for only when a codec has raised: the values are tried one by one, from the outside in.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: How many values are tried before the search gives up, and how deep it goes.
_MOST_TRIES = 1000
_MOST_LEVELS = 50
#: Characters of a key, and of the whole path, in the text of an error.
_KEY = 40
_PATH = 200


def where_and_what_to_do(value: Any, encode: Callable[[Any], object]) -> str:
    """The rest of an error's text, such as ``, at [0]["x"]; send dataclasses.asdict() of it``; ""
    where there is nothing to say.

    :param value: what `encode` raised for.
    :param encode: encodes one value, and raises for one that it can't encode.
    """
    path, culprit = _found(value, encode)
    return (f", at {path}" if path else "") + _advice(culprit)


def hint(value: Any, encode: Callable[[Any], object]) -> str:
    """The same without the place."""
    return _advice(_found(value, encode)[1])


def _found(value: Any, encode: Callable[[Any], object]) -> tuple[str, Any]:
    try:
        return _find(value, encode)
    except MemoryError:
        raise
    except Exception:  # a value that changes while it is encoded
        return "", None


def _find(value: Any, encode: Callable[[Any], object]) -> tuple[str, Any]:
    """The path to the innermost value that can't be encoded, and that value."""
    path, tries = "", 0
    for _ in range(_MOST_LEVELS):
        for step, inner in _items(value):
            tries += 1
            if tries > _MOST_TRIES:
                return path, None
            try:
                encode(inner)
            except MemoryError:
                raise
            except Exception:
                path, value = path + step, inner
                break
        else:
            return path, value
        if len(path) > _PATH:
            return f"{path[:_PATH]}...", None
    return "", None  # nested so deep that this is the trouble


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """What is directly in a list, tuple or dict, with its step of the path."""
    if type(value) in (list, tuple):
        for index, inner in enumerate(value):
            yield f"[{index}]", inner
    elif type(value) is dict:
        for key, inner in value.items():
            if type(key) is str:
                shown = key if len(key) <= _KEY else f"{key[:_KEY]}..."
                yield '["' + shown.encode("ascii", "backslashreplace").decode() + '"]', inner
            elif type(key) is int and key.bit_length() <= 64:
                yield f"[{key}]", inner
            else:
                yield f"[<{type(key).__name__}>]", inner


def _advice(value: Any) -> str:
    """What to send instead, for the types that users meet; "" for all others."""
    cls = type(value)
    module = getattr(cls, "__module__", None)
    if dataclasses.is_dataclass(cls):
        return "; send dataclasses.asdict() of it"
    if isinstance(module, str) and module.partition(".")[0] == "numpy":
        return f"; it is {module}.{cls.__name__}: send its .tolist()"
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return "; it has no time zone: send .astimezone() of it in CBOR, or .isoformat()"
    if isinstance(value, (datetime.date, datetime.time)):
        return "; send .isoformat() of it, or use the payload serializer cbor"
    if value is None or isinstance(value, (str, int, float, list, tuple, Mapping)):
        return ""  # their type is not the trouble
    return (
        "; convert it first, or register a codec for it with "
        "autobahn_fbs.register_payload_serializer()"
    )
