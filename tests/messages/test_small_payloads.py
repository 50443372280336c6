"""Small payloads are in the message as cbor2 writes them. On PyPy, those without containers in them
have their own code: autobahn_fbs/_cffi/encode_fast.py."""

from __future__ import annotations

import sys
import threading
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message as m
from hypothesis import given
from hypothesis import strategies as st

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer

SERIALIZER = FlatBuffersObjectSerializer()
BATCHED = FlatBuffersObjectSerializer(batched=True)
NAMED = FlatBuffersObjectSerializer(payload_serializer="cbor")

EDGES = [n + d for n in (0, 24, 2**8, 2**16, 2**32, 2**53, 2**60) for d in (-1, 0)]
SCALARS = [
    *EDGES,
    *(-1 - n for n in EDGES if n >= 0),
    *(2**63, 2**64 - 1, 2**64, -(2**63), -(2**64), -(2**64) - 1),
    *(0.0, -0.0, 1.5, 1e300, 5e-324, float("inf"), float("-inf"), float("nan")),
    *(None, True, False, "", "a", "ä", "𝄞" * 6, b"", b"\0\xff"),
    *(char * n for char in "xé" for n in (23, 24, 127, 128, 255, 256, 2047, 2048, 70_000)),
]


class Word(str):
    __slots__ = ()


def assert_written_as_by_cbor2(args: Any, kwargs: Any) -> None:
    expected = [None if each is None else cbor2.dumps(each) for each in (args, kwargs)]
    for serializer in (SERIALIZER, BATCHED, NAMED):
        for msg in (
            m.Event(1, 2, args=args, kwargs=kwargs, topic="com.example.topic", publisher=7),
            m.Call(1, "com.example.procedure", args=args, kwargs=kwargs, timeout=10),
        ):
            (again,) = serializer.unserialize(serializer.serialize(msg))
            written = [view and bytes(view) for view in (again.args_view, again.kwargs_view)]
            assert written == expected
            for name in (
                ("topic", "publisher") if type(msg) is m.Event else ("procedure", "timeout")
            ):
                assert getattr(again, name) == getattr(msg, name)


@pytest.mark.parametrize("value", [n for n in SCALARS if n == n], ids=lambda v: repr(v)[:20])
def test_a_scalar_is_written_as_by_cbor2(value):
    assert_written_as_by_cbor2([value], {"key": value})
    assert_written_as_by_cbor2([1, value, "last"], {"first": "ä", "key": value, "last": 2.5})


def test_not_a_number_is_written_as_by_cbor2():
    (again,) = SERIALIZER.unserialize(SERIALIZER.serialize(m.Event(1, 2, args=[float("nan")])))
    assert bytes(again.args_view) == cbor2.dumps([float("nan")])


@pytest.mark.parametrize("count", [0, 1, 23, 24, 31, 32, 33, 255, 256, 3000])
@pytest.mark.parametrize("value", [1.5, 2**40, "xyz", "x" * 255])
def test_any_number_of_items_is_written_as_by_cbor2(count, value):
    assert_written_as_by_cbor2([value] * count, {f"key {n}": value for n in range(count)})


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ([1, [2, [3]]], {"a": 1, "b": {"c": [None]}}),
        ((1, "two", 3.0), {"x" * 300: 1}),
        ([1, Word("two")], {Word("key"): Word("value"), "b": True}),
        ([], None),
        (None, {}),
        (None, {"only": "kwargs"}),
        (["only args"], None),
    ],
)
def test_other_payloads_are_written_as_by_cbor2(args, kwargs):
    assert_written_as_by_cbor2(args, kwargs)


@given(
    st.lists(st.sampled_from([s for s in SCALARS if s == s and not isinstance(s, (str, bytes))])),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.text("aé")),
)
def test_any_flat_payload_is_written_as_by_cbor2(args, kwargs):
    assert_written_as_by_cbor2(args, kwargs)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"args": ["ok", "\ud800"]}, ValueError, "EVENT.args: can't be encoded"),
        ({"kwargs": {"a": 1, "b": "\ud800"}}, ValueError, "EVENT.kwargs: can't be encoded"),
        ({"kwargs": {"\ud800": 1}}, ValueError, "EVENT.kwargs: can't be encoded"),
        ({"args": [1], "kwargs": {"a": object()}}, (TypeError, ValueError), "EVENT.kwargs: can't"),
        ({"args": [1], "topic": "\ud800"}, ValueError, "EVENT.topic: "),
    ],
)
def test_values_that_cannot_be_sent_are_refused_by_name(arguments, error, text):
    for _ in range(3):  # and leaves nothing behind
        with pytest.raises(error, match=text):
            SERIALIZER.serialize(m.Event(1, 2, **arguments))
        assert_written_as_by_cbor2([1, "two", 3.0], {"four": 5})


def test_keys_that_were_added_later_are_checked():
    msg = m.Event(1, 2, kwargs={"a": 1})
    msg.kwargs[2] = 3
    with pytest.raises(TypeError, match=r"EVENT\.kwargs: expected dict with str keys"):
        SERIALIZER.serialize(msg)


def test_payloads_that_other_threads_change_are_well_formed():
    args: list[Any] = [1, "two", 3.0]
    kwargs: dict[str, Any] = {"a": 1, "b": "two"}
    stop = threading.Event()

    def change():
        while not stop.is_set():
            args.append(4)
            kwargs["c"] = 3.0
            del args[3:], kwargs["c"]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(3000):
            msg = m.Event(1, 2)  # which examines its argument, and may fail
            msg.args, msg.kwargs = args, kwargs
            data = SERIALIZER.serialize(msg)
            (again,) = SERIALIZER.unserialize(data)
            assert again.args[:3] == [1, "two", 3.0] and set(again.args[3:]) <= {4}
            assert again.kwargs | {"c": 3.0} == {"a": 1, "b": "two", "c": 3.0}
    finally:
        stop.set()
        thread.join()


cffi_only = pytest.mark.skipif(
    autobahn_fbs.backend != "cffi", reason="about the records of the cffi binding"
)


def event_class() -> Any:
    from autobahn_fbs._cffi.classes import CLASSES

    return next(c for c in CLASSES if c.label == "EVENT")


@cffi_only
def test_a_list_that_grows_while_it_is_written_is_not_written_beyond_the_record(monkeypatch):
    """A finalizer or another thread can do this. Floats go through a pointer, unchecked."""
    from autobahn_fbs._cffi import build, encode_fast

    class Floats:
        def __setitem__(self, at: int, value: float) -> None:
            assert at < len(workspace.record)
            floats[at] = value

    def grow(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_name == "flat":
            args.append(1.5)
            return grow
        return None

    workspace = build.Workspace()
    floats, workspace.floats = workspace.floats, Floats()
    monkeypatch.setattr(encode_fast, "free", free := [workspace])
    monkeypatch.setattr(encode_fast, "Workspace", lambda: workspace)
    flat = encode_fast.make_flat(event_class())
    args = [1.5]
    before = sys.gettrace()
    sys.settrace(grow)
    try:
        with pytest.raises(IndexError):
            flat(m.Event(1, 2, args=args), 0, 0)
    finally:
        sys.settrace(before)
    assert not free


@cffi_only
def test_the_length_of_a_payload_is_not_mistaken_for_tokens():
    """A codec's output of 4 GiB is too long; it became an empty payload."""
    from autobahn_fbs._cffi._core import lib
    from autobahn_fbs._cffi.build import ROOM, Workspace, core_build
    from autobahn_fbs._cffi.convert import BUILD_FIELDS, BUILD_ROOM

    w = Workspace()
    event = event_class()
    for size in (2**32, 2**32 + 1, 2**40):
        w.record[0], w.record[1] = event.args.bit, -1
        w.record[BUILD_FIELDS + event.args.index] = size
        built = core_build(event.index, 0, 0, w.record, BUILD_ROOM, b"", w.output, ROOM)
        assert built == lib.WFBS_BUILD_TOO_LONG
