"""Finds the value in args or kwargs that a payload codec could not encode, and suggests a fix.

The search runs only after a codec has raised. It tries values one by one, from the outside in.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: The maximum number of values to try, and the maximum depth.
_MOST_TRIES = 1000
_MOST_LEVELS = 50
#: The maximum number of characters of a key, and of the whole path, in an error text.
_KEY = 40
_PATH = 200


def where_and_what_to_do(value: Any, encode: Callable[[Any], object]) -> str:
    """The end of an error text, such as ``, at [0]["x"]; send dataclasses.asdict() of it``; "" if
    there is nothing to add.

    :param value: the value for which `encode` raised.
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
    """The path to the innermost value that can't be encoded, and the value itself."""
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
    return "", None  # nested so deep that the nesting is the cause


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """The direct items of a list, tuple or dict, each with its step of the path."""
    if type(value) in (list, tuple, set, frozenset):
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
    """A replacement to send, for types that users often send; "" for all others."""
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
    if isinstance(value, enum.Enum) and not isinstance(value, (str, int)):
        return "; send its .value"
    if isinstance(value, (set, frozenset)):
        return "; send a list of it, or use the payload serializer cbor"
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return "; send str() of it, or use the payload serializer cbor"
    if value is None or isinstance(value, (str, int, float, list, tuple, Mapping)):
        return ""  # their type isn't the cause
    return (
        "; convert it first, or register a codec for it with "
        "autobahn_fbs.register_payload_serializer()"
    )
