"""What CBOR, MessagePack and UBJSON would refuse to read is refused when it is serialized, with its
place. SECURITY.rst names the exceptions."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message as m
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer, payloads
from autobahn_fbs._backend import native

REFUSED_IN_CBOR = {
    "keys that are UUIDs": ({uuid.UUID(int=i): 1 for i in range(257)}, "too many keys"),
    "keys that are tuples": ({(i, i): 1 for i in range(257)}, "too many keys"),
    "a set of tuples": ({(i, i) for i in range(257)}, "too many keys"),
    "keys that are numbers and text": (
        {key: 1 for keys in (range(257), map(str, range(65))) for key in keys},
        "more than 256 numbers and 64 others",
    ),
    "a set of numbers and text": (
        {*range(257), *map(str, range(65))},
        "more than 256 numbers and 64 others",
    ),
    "a regular expression": (re.compile("a"), "regular expressions"),
    "a long decimal": (decimal.Decimal("1" * 3000), "too long"),
    "a shared value": (cbor2.CBORTag(28, []), "shared values"),
}


def error_of(codec: str, value: Any) -> str:
    serializer = FlatBuffersObjectSerializer(payload_serializer=codec)
    texts = []
    for where, more in (("args", {"args": [1, value]}), ("kwargs", {"kwargs": {"k": value}})):
        with pytest.raises(ValueError, match=rf"^EVENT\.{where}: can't be encoded: ") as caught:
            serializer.serialize(m.Event(1, 2, **more))
        texts.append(str(caught.value))
    assert ', at ["k"]' in texts[1]
    return texts[0]


def there_and_back(codec: str, value: Any) -> Any:
    serializer = FlatBuffersObjectSerializer(payload_serializer=codec)
    return serializer.unserialize(serializer.serialize(m.Event(1, 2, args=[value])))[0].args[0]


@pytest.mark.parametrize(("value", "reason"), REFUSED_IN_CBOR.values(), ids=REFUSED_IN_CBOR)
def test_cbor_that_is_refused_when_it_is_read_is_refused_when_it_is_written(value, reason):
    text = error_of("cbor", value)
    assert reason in text and ", at [1]" in text


def test_such_cbor_in_the_metadata_is_refused_with_its_name():
    challenge = m.Challenge("x", {"x_pattern": re.compile("a")})
    with pytest.raises(ValueError, match=r"^CHALLENGE\.extra: can't be encoded: .*regular"):
        FlatBuffersObjectSerializer().serialize(challenge)


def test_as_many_keys_as_are_read_are_written():
    for value in (
        {uuid.UUID(int=i): 1 for i in range(256)},
        {(i, i): 1 for i in range(256)},
        {(i, i) for i in range(256)},
        dict.fromkeys([*range(256), *map(str, range(1000))]),
        dict.fromkeys([*range(1000), *map(str, range(32)), *map(str.encode, map(str, range(32)))]),
        decimal.Decimal("1" * 1000),
    ):
        assert there_and_back("cbor", value) == value


keys = st.integers() | st.floats(allow_nan=False) | st.text() | st.uuids() | st.decimals("0", 1)
leaves = keys | st.datetimes(timezones=st.just(datetime.UTC)) | st.fractions() | st.binary()


@given(
    st.recursive(
        leaves | st.dictionaries(keys | st.tuples(keys), leaves) | st.frozensets(keys),
        lambda inner: st.lists(inner) | st.dictionaries(keys | st.tuples(keys, keys), inner),
    )
)
def test_all_cbor_that_is_written_can_be_read(value):
    assert native.cbor_loads(native.cbor_dumps(value)) == cbor2.loads(cbor2.dumps(value))


needs = {
    codec: pytest.mark.skipif(
        codec not in payloads.known_ids(), reason=f"NOT TESTED: {codec}, whose library is missing"
    )
    for codec in ("msgpack", "ubjson")
}


@needs["msgpack"]
@pytest.mark.parametrize("value", [{1: 2}, [{"a": {None: 1}}], {1.5: 1}], ids=repr)
def test_messagepack_with_other_keys_than_text_and_bytes_is_refused_when_it_is_written(value):
    assert "the key of a map is neither text nor binary" in error_of("msgpack", value)


@needs["msgpack"]
def test_the_error_about_a_key_in_messagepack_names_the_key_and_what_to_send():
    text = error_of("msgpack", {"a": 1, 22: 2})
    assert "at [1]; its key 22 is of type int: use text, or the payload serializer cbor" in text


@needs["msgpack"]
def test_messagepack_with_text_and_bytes_as_keys_is_written():
    for value in ({"a": {b"b": [1]}}, {}, [{}, {"": None}]):
        assert there_and_back("msgpack", value) == value


@needs["ubjson"]
def test_ubjson_that_nests_too_deep_is_refused_when_it_is_written():
    value: Any = []
    for _ in range(300):
        value = [value]
    assert "nested more than 256 levels deep" in error_of("ubjson", value)


@needs["ubjson"]
def test_an_array_without_dimensions_is_refused_in_ubjson_when_it_is_written():
    numpy = pytest.importorskip("numpy", reason="NOT TESTED: numpy arrays, which need numpy")
    pytest.importorskip("bjdata", reason="NOT TESTED: arrays in UBJSON, which need bjdata")
    assert "an array without dimensions" in error_of("ubjson", numpy.array(5))
    assert there_and_back("ubjson", numpy.array([5])).tolist() == [5]
