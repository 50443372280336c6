"""Finds the value in args or kwargs that a payload codec could not encode, and suggests a fix.

The search runs only after a codec has raised. It tries values one by one, from the outside in.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: The maximum number of values to try, and the maximum depth.
_MOST_TRIES = 1000
_MOST_LEVELS = 50
#: The maximum number of characters of a key, and of the whole path, in an error text.
_KEY = 40
_PATH = 200


def where_and_what_to_do(value: Any, encode: Callable[[Any], object], is_cbor: bool = False) -> str:
    """The end of an error text, such as ``, at [0]["x"]; send dataclasses.asdict() of it``; "" if
    there is nothing to add.

    :param value: the value for which `encode` raised.
    :param encode: encodes one value, and raises for one that it can't encode.
    :param is_cbor: whether `encode` encodes CBOR.
    """
    path, advice = _found(value, encode, is_cbor)
    return (f", at {path}" if path else "") + advice


def hint(value: Any, encode: Callable[[Any], object]) -> str:
    """The same without the place."""
    return _found(value, encode, False)[1]


def _found(value: Any, encode: Callable[[Any], object], is_cbor: bool) -> tuple[str, str]:
    """The path to the innermost value that can't be encoded, and what to do about it."""
    try:
        path, culprit, is_cyclic = _find(value, encode)
        return path, "; it contains itself" if is_cyclic else _advice(culprit, is_cbor)
    except MemoryError:
        raise
    except Exception:  # a value that changes while it is encoded
        return "", ""


def _find(value: Any, encode: Callable[[Any], object]) -> tuple[str, Any, bool]:
    """The path to the innermost value that can't be encoded, the value itself, and whether it
    contains itself."""
    path, tries = "", 0
    outer = {id(value): ""}  # the path of each value that contains the current one
    for _ in range(_MOST_LEVELS):
        for step, inner in _items(value):
            tries += 1
            if tries > _MOST_TRIES:
                return path, None, False
            try:
                encode(inner)
            except MemoryError:
                raise
            except Exception:
                if id(inner) in outer:
                    return outer[id(inner)], inner, True
                path, value = path + step, inner
                outer[id(value)] = path
                break
        else:
            return path, value, False
        if len(path) > _PATH:
            return f"{path[:_PATH]}...", None, False
    return "", None, False  # nested so deep that the nesting is the cause


def _of_numpy(value: Any) -> str:
    """What to send instead of a NumPy array or scalar."""
    is_array = hasattr(value, "__len__")
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "M":  # Python's datetime would have no time zone
        return ".astype(str).tolist() of it" if is_array else "str() of it"
    if kind == "m":
        return 'its seconds, (value / numpy.timedelta64(1, "s"))' + (
            ".tolist()" if is_array else ".item()"
        )
    return "its .tolist()" if is_array else "its .item()"


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """The direct items of a list, tuple or dict, each with its step of the path."""
    if type(value) in (list, tuple, set, frozenset):
        for index, inner in enumerate(value):
            yield f"[{index}]", inner
    elif type(value) is dict:
        for key, inner in value.items():
            yield f"[{_shown(key)}]", inner


def _shown(key: object) -> str:
    """A key in an error text: quoted text, a small integer, or else its type. Runs no code of the
    key's class."""
    if type(key) is str:
        text = key if len(key) <= _KEY else f"{key[:_KEY]}..."
        return '"' + text.encode("ascii", "backslashreplace").decode() + '"'
    if type(key) is int and key.bit_length() <= 64:
        return str(key)
    return f"<{type(key).__name__}>"


def _of_keys(value: dict[Any, Any]) -> str:
    """What to send instead of a dict whose values can be encoded; "" if its keys are not the
    cause."""
    for key in value:
        if not isinstance(key, (str, bytes)):
            return (
                f"; its key {_shown(key)} is of type {type(key).__name__}: use text, or the"
                " payload serializer cbor"
            )
    return ""


def _advice(value: Any, is_cbor: bool) -> str:
    """A replacement to send, for types that users often send; "" for all others."""
    cls = type(value)
    module = getattr(cls, "__module__", None)
    if dataclasses.is_dataclass(cls):
        return "; send dataclasses.asdict() of it"
    if isinstance(module, str) and module.partition(".")[0] == "numpy":
        return f"; it is {module}.{cls.__name__}: send {_of_numpy(value)}"
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return "; it has no time zone: send .astimezone() of it in CBOR, or .isoformat()"
    if isinstance(value, datetime.time):  # CBOR has no type for it
        return "; send .isoformat() of it"
    if isinstance(value, datetime.timedelta):
        return "; send .total_seconds() of it"
    if is_cbor and isinstance(value, (decimal.Decimal, re.Pattern)):
        text = "its .pattern" if isinstance(value, re.Pattern) else "str() of it"
        return f"; send {text}"
    if is_cbor and isinstance(value, (set, frozenset)):
        return "; send a list of it"
    if isinstance(value, datetime.date):
        return "; send .isoformat() of it, or use the payload serializer cbor"
    if isinstance(value, enum.Enum) and not isinstance(value, (str, int)):
        return "; send its .value"
    if isinstance(value, (set, frozenset)):
        return "; send a list of it, or use the payload serializer cbor"
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return "; send str() of it, or use the payload serializer cbor"
    if not is_cbor and isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "; it takes more than 64 bits: send str() of it, or use the payload serializer cbor"
    if not is_cbor and type(value) is dict:
        return _of_keys(value)
    if value is None or isinstance(value, (str, int, float, list, tuple, Mapping)):
        return ""  # their type isn't the cause
    return (
        "; convert it first, or register a codec for it with "
        "autobahn_fbs.register_payload_serializer()"
    )
