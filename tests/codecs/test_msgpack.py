"""Map keys in MessagePack, with the library that Autobahn uses (test_switches.py has both)."""

from __future__ import annotations

import struct

import pytest
from autobahn.wamp.exception import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

import support.framework  # noqa: F401
from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._backend import native
from autobahn_fbs._codec_numbers import MSGPACK
from support.wirebuild import build

msgpack = pytest.importorskip("msgpack")
OBJSER = FlatBuffersObjectSerializer()


def args_of(data: bytes) -> object:
    fields = {"subscription": 1, "publication": 2, "args": data, "ppt_serializer": MSGPACK}
    (msg,) = OBJSER.unserialize(build("Event", fields))
    return msg.args


@pytest.mark.parametrize(
    "key",
    [1, -1, 300, 2**40, 1.5, None, True, msgpack.Timestamp(1), msgpack.ExtType(1, b"a" * 40)],
    ids=repr,
)
@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: {"a": [m]}, lambda m: [b"b" * 300, m]])
def test_keys_that_are_neither_text_nor_binary_are_refused(key, wrap):
    for value in ({key: 1}, {"a": {}, key: 1}, {**dict.fromkeys(map(str, range(70))), key: 1}):
        with pytest.raises(ProtocolError, match=r"EVENT\.args"):
            args_of(msgpack.packb([wrap(value)]))


@pytest.mark.parametrize("key", [b"\x90", b"\x80", b"\x91\xc0"], ids=["list", "map", "full"])
def test_containers_as_keys_are_refused(key):
    with pytest.raises(ProtocolError, match=r"EVENT\.args"):
        args_of(b"\x91\x81" + key + b"\xc0")


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=300)
    | st.text(max_size=300)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.dictionaries(st.text(max_size=40) | st.binary(max_size=40), inner, max_size=20)
    ),
)


@given(st.lists(values))
def test_text_and_binary_keys_are_accepted_with_all_values(args):
    assert args_of(msgpack.packb(args)) == args


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(scalars, inner)))
def test_the_check_accepts_the_keys_that_msgpack_accepts(value):
    data = msgpack.packb(value)
    try:
        msgpack.unpackb(data)
    except ValueError:
        with pytest.raises(ValueError, match="neither text nor binary"):
            native.msgpack_check(data)
    else:
        native.msgpack_check(data)


@given(st.binary(max_size=60))
def test_the_check_leaves_malformed_input_to_the_library(data):
    try:
        native.msgpack_check(data)
    except ValueError as error:
        assert "neither text nor binary" in str(error)


def test_the_check_accepts_1024_levels():
    native.msgpack_check(b"\x91" * 1024 + b"\xc0")
    with pytest.raises(ValueError, match="more than 1024 levels, at offset 1024"):
        native.msgpack_check(b"\x91" * 1025 + b"\xc0")


@pytest.mark.parametrize("convert", [bytes, bytearray, memoryview], ids=lambda t: t.__name__)
def test_the_check_takes_any_bytes_like_object(convert):
    with pytest.raises(ValueError, match="at offset 1"):
        native.msgpack_check(convert(b"\x81\x01\xc0"))
    with pytest.raises(TypeError, match="bytes-like"):
        native.msgpack_check("text")


def test_each_kind_of_length_is_skipped():
    after = b"\x81\x01\xc0"
    heads = [
        *(bytes([first]) + struct.pack(form, 3) for first, form in [(0xC4, ">B"), (0xC5, ">H")]),
        b"\xc6\0\0\0\3",
        b"\xd9\3",
        b"\xda\0\3",
        b"\xdb\0\0\0\3",
    ]
    for head in [*heads, b"\xc7\3\5", b"\xc8\0\3\5", b"\xc9\0\0\0\3\5"]:
        with pytest.raises(ValueError, match="at offset"):
            native.msgpack_check(b"\x92" + head + b"abc" + after)
    for first, size in zip(range(0xD4, 0xD9), (1, 2, 4, 8, 16), strict=True):
        with pytest.raises(ValueError, match="at offset"):
            native.msgpack_check(b"\x92" + bytes([first, 5]) + b"x" * size + after)
