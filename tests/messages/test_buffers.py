"""Bytes may come in any object with the buffer interface. Later changes of that object don't affect
a message."""

from __future__ import annotations

import array
import ctypes
import gc
import mmap
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer
from autobahn_fbs.flexbuffers import FlexBuffersError, Lazy, dumps, loads
from support.compare import assert_same
from support.marks import cpython_only

OBJSER = FlatBuffersObjectSerializer()
BATCHED = FlatBuffersObjectSerializer(batched=True)
SENT = m.Event(1, 2, args=["x" * 20, 5], kwargs={"a": [None]}, topic="a.b", forward_for=[])
DATA = OBJSER.serialize(SENT)
#: A multiple of 8 in length: bytes after a message belong to it, and nothing reads them.
PADDED = DATA + bytes(-len(DATA) % 8)


def mapped(data: bytes) -> mmap.mmap:
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory


def every_second(data: bytes) -> memoryview:
    """The data with a hole after each byte."""
    return memoryview(bytes(byte for pair in zip(data, data, strict=True) for byte in pair))[::2]


def of_numpy(make: Callable[[Any, Any], Any]) -> Callable[[bytes], Any]:
    """The result of `make` for numpy and an array of the bytes."""

    def wrapped(data: bytes) -> Any:
        numpy = pytest.importorskip("numpy", reason="NOT TESTED: numpy arrays, which need numpy")
        return make(numpy, numpy.frombuffer(data, dtype=numpy.uint8))

    return wrapped


BUFFERS: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview of bytes": memoryview,
    "memoryview of a bytearray": lambda data: memoryview(bytearray(data)),
    "readonly memoryview of a bytearray": lambda data: memoryview(bytearray(data)).toreadonly(),
    "slice of a memoryview": lambda data: memoryview(b"abc" + data + b"defg")[3:-4],
    "slice of a slice": lambda data: memoryview(bytearray(b"abc" + data + b"d"))[1:][2:-1],
    "with holes": every_second,
    "backwards": lambda data: memoryview(data[::-1])[::-1],
    "mmap": mapped,
    "memoryview of an mmap": lambda data: memoryview(mapped(data)),
    "array of bytes": lambda data: array.array("B", data),
    "array of signed bytes": lambda data: array.array("b", data),
    "array of 64 bits": lambda data: array.array("Q", data),
    "of two dimensions": lambda data: memoryview(data).cast("B", (len(data) // 2, 2)),
    "of 64 bits": lambda data: memoryview(bytearray(data)).cast("Q"),
    "of chars": lambda data: memoryview(data).cast("c"),
    "ctypes": lambda data: (ctypes.c_uint8 * len(data)).from_buffer_copy(data),
    "pickle buffer": lambda data: pickle.PickleBuffer(bytearray(data)),
    "numpy": of_numpy(lambda numpy, data: data.copy()),
    "numpy, readonly": of_numpy(lambda numpy, data: data),
    "numpy, with holes": of_numpy(lambda numpy, data: numpy.stack([data, data], axis=1)[:, 0]),
    "numpy, by columns": of_numpy(
        lambda numpy, data: numpy.asfortranarray(data.reshape(2, -1)),
    ),
}


@pytest.mark.parametrize("make", BUFFERS.values(), ids=BUFFERS)
def test_every_buffer_is_read_as_its_bytes(make):
    buffer = make(PADDED)
    (msg,) = OBJSER.unserialize(buffer)
    del buffer
    gc.collect()
    assert_same(msg, SENT)
    assert OBJSER.serialize(msg) == PADDED
    assert msg.args_view.readonly


@pytest.mark.parametrize("make", BUFFERS.values(), ids=BUFFERS)
def test_every_buffer_is_accepted_as_a_batch(make):
    frame = len(PADDED).to_bytes(4, "big") + PADDED
    buffer = make(frame * 2)
    first, second = BATCHED.unserialize(buffer)
    assert_same(first, SENT)
    assert_same(second, SENT)


@pytest.mark.parametrize("make", BUFFERS.values(), ids=BUFFERS)
def test_every_buffer_that_is_too_short_is_refused(make):
    for data in (PADDED[:8], bytes(8)):
        with pytest.raises(ProtocolError):
            OBJSER.unserialize(make(data))


@pytest.mark.parametrize(
    "empty",
    [b"", bytearray(), memoryview(b""), memoryview(bytearray()), array.array("Q")],
    ids=["bytes", "bytearray", "view of bytes", "view of bytearray", "array"],
)
def test_an_empty_buffer_is_refused(empty):
    with pytest.raises(ProtocolError, match="shorter than the smallest message"):
        OBJSER.unserialize(empty)
    assert BATCHED.unserialize(empty) == []


def test_an_argument_without_a_buffer_is_an_error_of_the_program():
    released = memoryview(DATA)
    released.release()
    for thing, error in (
        ("text", TypeError),
        (None, TypeError),
        (5, TypeError),
        (released, ValueError),
    ):
        with pytest.raises(error):
            OBJSER.unserialize(thing)


def test_a_buffer_may_change_in_size_while_messages_and_views_live():
    source = bytearray(DATA)
    (msg,) = OBJSER.unserialize(source)
    views = [msg.args_view, msg.kwargs_view]
    source.clear()  # BufferError if anything still had a view
    source += b"\xff" * 1000
    assert [bytes(view) for view in views] == [bytes(msg.args_view), bytes(msg.kwargs_view)]
    assert_same(msg, SENT)


def test_memory_may_be_unmapped_while_messages_live():
    memory = mapped(DATA)
    (msg,) = OBJSER.unserialize(memory)
    (other,) = OBJSER.unserialize(memoryview(memory))
    view = msg.args_view
    memory.close()  # BufferError if anything still had a view
    assert_same(msg, SENT)
    assert_same(other, SENT)
    assert bytes(view) == bytes(other.args_view)


@pytest.mark.parametrize("make", [bytearray, mapped, lambda data: array.array("B", data)])
def test_nothing_changes_a_message_that_was_verified(make):
    """Bytes that are written to the buffer after verification are not read."""
    source = make(DATA)
    (msg,) = OBJSER.unserialize(source)
    view = msg.args_view
    args = bytes(view)
    for i in range(len(DATA)):
        source[i] = 0xFF
    assert bytes(view) == args
    assert_same(msg, SENT)
    with pytest.raises(ProtocolError):
        OBJSER.unserialize(source)


def test_the_transport_serializer_takes_buffers_too():
    serializer = FlatBuffersSerializer()
    for make in (bytearray, memoryview, every_second, mapped):
        (msg,) = serializer.unserialize(make(DATA), True)
        assert_same(msg, SENT)


# ---- FlexBuffers by themselves

VALUE = {"a": [1, 2.5, "text"], "b": {"c": b"blob"}}


@pytest.mark.parametrize(
    "make", [bytearray, memoryview, mapped, lambda data: memoryview(b"12345678" + data)[8:]]
)
def test_flexbuffers_are_read_from_any_contiguous_buffer(make):
    buffer = make(dumps(VALUE))
    assert loads(buffer) == VALUE
    lazy = loads(buffer, lazy=True)
    assert lazy["a"][2] == "text"
    assert lazy.value() == VALUE


def test_flexbuffers_are_not_read_from_pieces():
    for lazy in (False, True):
        with pytest.raises(BufferError):
            loads(every_second(dumps(VALUE)), lazy=lazy)


@cpython_only
def test_a_lazy_value_keeps_its_buffer_in_place():
    source = bytearray(dumps(VALUE))
    lazy = loads(source, lazy=True)["a"]
    with pytest.raises(BufferError):
        source.clear()
    assert lazy.value() == VALUE["a"]
    del lazy
    gc.collect()
    source.clear()


@cpython_only
def test_a_buffer_that_changes_under_a_lazy_value_gives_other_values_or_errors():
    source = bytearray(dumps([VALUE] * 3))
    seen = set()

    def walk(lazy: Any) -> None:
        if isinstance(lazy, Lazy):
            for item in list(lazy.keys()) if lazy.is_map else range(len(lazy)):
                walk(lazy[item])

    for place in range(len(source)):
        for byte in (0, 1, 0x7F, 0xFF):
            before = source[place]
            lazy = loads(source, lazy=True) if seen else loads(bytes(source), lazy=True)
            source[place] = byte
            try:
                walk(lazy)
                seen.add("read")
            except (FlexBuffersError, KeyError) as error:
                seen.add(type(error).__name__)
            source[place] = before
    assert {"read", "FlexBuffersError"} <= seen
