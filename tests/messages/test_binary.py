"""Memoryviews, bytearrays and NumPy's values in args and kwargs: alike with every codec."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.wamp import message

from autobahn_fbs import FlatBuffersObjectSerializer, payloads
from autobahn_fbs._binary import as_bytes

CODECS = payloads.known_ids()
DATA = b"abcdef\0\xff"

#: Notations of binary data, and the bytes that arrive.
VIEWS: dict[str, tuple[Any, bytes]] = {
    "bytearray": (bytearray(DATA), DATA),
    "memoryview": (memoryview(DATA), DATA),
    "writable": (memoryview(bytearray(DATA)), DATA),
    "empty": (memoryview(b""), b""),
    "every second byte": (memoryview(DATA)[::2], DATA[::2]),
    "backwards": (memoryview(DATA)[::-1], DATA[::-1]),
    "of 16 bits": (memoryview(DATA).cast("H"), DATA),
    "of doubles": (memoryview(DATA).cast("d"), DATA),
    "of chars": (memoryview(DATA).cast("c"), DATA),
    "of two dimensions": (memoryview(DATA).cast("B", (2, 4)), DATA),
}


def there(codec: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """args and kwargs as a receiver gets them."""
    serializer = FlatBuffersObjectSerializer(payload_serializer=codec)
    data = serializer.serialize(message.Event(1, 2, args=args, kwargs=kwargs))
    (received,) = serializer.unserialize(data)
    return received.args, received.kwargs


@pytest.mark.parametrize("kind", VIEWS)
@pytest.mark.parametrize("codec", CODECS)
def test_binary_arrives_as_bytes(codec: str, kind: str) -> None:
    value, expected = VIEWS[kind]
    args, kwargs = there(codec, value, [1, (value,), {"deep": [value]}], named=value)
    assert args == [expected, [1, [expected], {"deep": [expected]}]]
    assert kwargs == {"named": expected}


@pytest.mark.parametrize("codec", CODECS)
def test_a_payload_with_views_is_not_changed(codec: str) -> None:
    view = memoryview(DATA)[::2]
    inner = {"view": view, "rest": [1]}
    there(codec, inner)
    assert inner["view"] is view and list(inner) == ["view", "rest"]


@pytest.mark.parametrize("codec", CODECS)
def test_a_released_view_is_refused(codec: str) -> None:
    view = memoryview(DATA)
    view.release()
    with pytest.raises(ValueError, match=r"EVENT\.args: can't be encoded: .*released"):
        there(codec, view)


@pytest.mark.parametrize("codec", CODECS)
def test_a_list_that_contains_itself_is_refused_with_a_view_in_it(codec: str) -> None:
    loop: list[Any] = [memoryview(DATA)[::2]]
    loop.append(loop)
    with pytest.raises((ValueError, TypeError, RecursionError), match=r"args|recursion"):
        there(codec, loop)


@pytest.mark.parametrize("codec", sorted({*CODECS} - {"ubjson"}))
@pytest.mark.parametrize("name", ["bool_", "int64", "float32", "complex128", "datetime64"])
def test_an_error_about_a_numpy_scalar_names_its_type_and_what_to_send(
    codec: str, name: str
) -> None:
    numpy = pytest.importorskip("numpy", reason="NOT TESTED: NumPy's scalars, which need NumPy")
    cls = getattr(numpy, name)
    value = cls(1, "s") if name == "datetime64" else cls(1)
    if isinstance(value, complex) and codec == "cbor":
        return  # Python's complex, which CBOR takes
    with pytest.raises((TypeError, ValueError)) as caught:
        there(codec, {"deep": [0, value]})
    text = str(caught.value)
    assert '[0]["deep"][1]' in text
    remedy = "str() of it" if name == "datetime64" else "its .item()"
    assert f"it is numpy.{cls.__name__}: send {remedy}" in text


class Rows(list):
    """Creates new items each time that it is iterated."""

    def __iter__(self):
        return ([item, bytearray(item)] for item in list.__iter__(self))


@pytest.mark.parametrize("codec", ["ubjson", "json", "msgpack"])
def test_items_that_a_list_creates_anew_are_not_confused(codec: str) -> None:
    if codec not in CODECS:
        pytest.skip(f"NOT TESTED: {codec} is not installed")
    rows = [Rows([b"a", b"b"]), Rows([b"c", b"d"]), Rows([b"e", b"f"])]
    pairs = [[[item, item] for item in list.__iter__(row)] for row in rows]
    assert as_bytes(rows) == pairs
    args, _ = there(codec, rows)
    assert args in ([pairs], [[list(list.__iter__(row)) for row in rows]])  # without __iter__
