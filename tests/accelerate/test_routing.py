"""The part ``routing``: a router forwards payloads without decoding and encoding them."""

from __future__ import annotations

import copy
import pickle
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message
from autobahn.wamp.serializer import SERID_TO_SER, create_transport_serializer
from hypothesis import example, given
from hypothesis import strategies as st

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer
from support.marks import extension_only
from support.mutations import mutated
from support.wirebuild import build

pytestmark = extension_only

HERE = Path(__file__).parent
M: Any = message
SERIALIZER = FlatBuffersObjectSerializer()


def native() -> Any:
    return autobahn_fbs._backend.native


def received(args: Any = None, kwargs: Any = None, serializer: Any = SERIALIZER) -> Any:
    """A received PUBLISH."""
    [msg] = serializer.unserialize(serializer.serialize(M.Publish(1, "a.b", args, kwargs)))
    return msg


def event(source: Any, **more: Any) -> Any:
    return native().forward(M.Event, source, 5, 6, publisher=3, **more)


def decoded_event(source: Any, **more: Any) -> Any:
    return M.Event(5, 6, args=source.args, kwargs=source.kwargs, publisher=3, **more)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdé", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.none() | st.lists(plain, max_size=4),
    st.none() | st.dictionaries(st.text("ab", max_size=2), plain, max_size=3),
)
def test_a_forwarded_payload_is_the_same_as_a_decoded_one(args, kwargs):
    source = received(args, kwargs)
    made = event(source, topic="a.b")
    data = SERIALIZER.serialize(made)
    twin = decoded_event(received(args, kwargs), topic="a.b")
    assert data == SERIALIZER.serialize(twin)
    assert native().is_forwardable(source)
    assert not object.__getattribute__(source, "_serialized")  # nothing was read
    assert made == twin and twin == made
    assert (made.args, made.kwargs) == (args, kwargs)


def raw(args: bytes, kwargs: bytes | None = None) -> Any:
    fields: dict[str, Any] = {"request": 1, "topic": "a.b", "args": args}
    if kwargs is not None:
        fields["kwargs"] = kwargs
    [msg] = SERIALIZER.unserialize(build("Publish", fields))
    return msg


@given(st.lists(plain, max_size=4).map(cbor2.dumps), st.randoms(use_true_random=False))
@example(b"\x81\x81\x81", random.Random(1))
@example(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", random.Random(1))
@example(b"\x81\x7b\xff\xff\xff\xff\xff\xff\xff\xff", random.Random(1))
def test_forwardable_payloads_would_be_written_with_the_same_bytes(data, source):
    data = mutated(data, source) if len(data) > 3 and source.random() < 0.8 else data
    msg = raw(data)
    if native().is_forwardable(msg):
        assert type(msg.args) is list
        assert cbor2.dumps(cbor2.loads(data)) == data
        assert SERIALIZER.serialize_payload(msg.args) == data


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (b"\xa0", None),
        (b"\x80", b"\x80"),
        (b"\x80\x00", None),
        (b"", None),
        (b"\x81", None),
        (b"\x81\x18\x17", None),
        (b"\x81\x19\x00\xff", None),
        (b"\x81\x1a\x00\x00\xff\xff", None),
        (b"\x81\x1b\x00\x00\x00\x00\xff\xff\xff\xff", None),
        (b"\x81\xf9\x3c\x00", None),
        (b"\x81\xfa\x3f\x80\x00\x00", None),
        (b"\x81\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", None),
        (b"\x81\xf8\x20", None),
        (b"\x81\xe0", None),
        (b"\x9f\xff", None),
        (b"\x81\x5f\xff", None),
        (b"\x81\xc1\x00", None),
        (b"\x81\x62\xc3\x28", None),
        (b"\x81" * 65 + b"\x80", None),
        (b"\x80", b"\xa1\x41a\x01"),
        (b"\x80", b"\xa2\x61a\x01\x61a\x02"),
        (b"\x80", b"\xb8\x21" + b"".join(b"\x62a" + bytes([65 + i, 0]) for i in range(33))),
    ],
)
def test_unusual_payloads_are_decoded_first(args, kwargs):
    assert not native().is_forwardable(raw(args, kwargs))


@pytest.mark.parametrize("args", [b"\x81\xf9\x7e\x00", b"\x81\xf9\xfc\x00", b"\x81" * 64 + b"\x80"])
def test_the_output_of_the_encoder_is_usual(args):
    if args[1] == 0x81:
        args = args[1:]
    assert native().is_forwardable(raw(args))


def test_a_reader_gets_the_list_of_the_source():
    source = received([1, 2], {"a": 1})
    made = event(source)
    assert made.args is source.args and made.kwargs is source.kwargs
    assert type(made.args) is list and type(made.kwargs) is dict
    source.args.append(3)
    assert SERIALIZER.unserialize(SERIALIZER.serialize(made))[0].args == [1, 2, 3]


def test_it_is_one_of_autobahns_messages():
    made = event(received([1]))
    assert isinstance(made, M.Event) and type(made).__name__ == "Event"
    assert (made.subscription, made.publication, made.publisher) == (5, 6, 3)
    made.correlation_id = "id"
    made._router_internal = (1, "a", "b")
    assert (made.correlation_id, made._router_internal) == ("id", (1, "a", "b"))


@pytest.mark.parametrize("name", ["json", "msgpack", "cbor", "ubjson"])
def test_other_serializers_write_what_they_did(name):
    if name not in SERID_TO_SER:
        pytest.skip(f"NOT TESTED: {name}, its library is not installed")
    serializer = create_transport_serializer(name)
    assert serializer.serialize(event(received(["ä", 1.5], {"a": None}))) == serializer.serialize(
        decoded_event(received(["ä", 1.5], {"a": None}))
    )


@pytest.mark.parametrize("theirs", ["cbor", "flexbuffers", "json"])
@pytest.mark.parametrize("ours", ["cbor", "flexbuffers", "json"])
def test_every_receiver_gets_its_codec(theirs, ours):
    source = FlatBuffersObjectSerializer(payload_serializer=theirs)
    target = FlatBuffersObjectSerializer(payload_serializer=ours)
    msg = received([1, "a"], {"b": 2.5}, source)
    expected = target.serialize(decoded_event(received([1, "a"], {"b": 2.5}, source)))
    assert target.serialize(event(msg)) == expected


def test_it_is_serialized_once_for_all_receivers():
    made = event(received([1]))
    assert SERIALIZER.serialize(made) is SERIALIZER.serialize(made)


def test_copies_are_as_deep_as_they_should_be():
    made = event(received([[1]], {"a": [2]}))
    shallow, deep = copy.copy(made), copy.deepcopy(made)
    assert shallow.args is made.args
    assert deep == made and deep.args is not made.args and deep.args[0] is not made.args[0]
    assert pickle.loads(pickle.dumps(made)) == made
    fresh = event(received([[1]]))
    assert copy.deepcopy(fresh).args is not fresh.args


def test_an_attribute_can_be_assigned():
    made = event(received([1]))
    SERIALIZER.serialize(made)
    made.args = [2]
    assert SERIALIZER.unserialize(SERIALIZER.serialize(made))[0].args == [2]


def test_only_messages_with_a_payload_can_be_forwarded():
    for source in (M.Subscribed(1, 2), 7):
        with pytest.raises(TypeError, match="takes a message with args and kwargs"):
            event(source)
        assert not native().is_forwardable(source)
    with pytest.raises(TypeError, match="a class and a message"):
        native().forward(M.Event)


def test_messages_from_a_constructor_are_forwarded_the_old_way():
    source = M.Publish(1, "a.b", args=[1], kwargs={"a": 1})
    made = event(source)
    assert type(made) is M.Event
    assert made.args is source.args and made.kwargs is source.kwargs


@pytest.mark.parametrize(
    "arguments",
    [
        {"publisher": "no int"},
        {"nothing": 1},
        {"subscription": 1},
        {"args": [1]},
        {"payload": b"a"},
    ],
)
def test_wrong_arguments_raise_what_autobahn_raises(arguments):
    source = received([1])
    with pytest.raises((TypeError, AssertionError)) as ours:
        native().forward(M.Event, source, 5, 6, **arguments)
    if "args" not in arguments:
        with pytest.raises((TypeError, AssertionError)) as theirs:
            M.Event(5, 6, **{"args": source.args, "kwargs": source.kwargs, **arguments})
        assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))


def routed(*parts: str) -> list[str]:
    command = [sys.executable, str(HERE / "routed.py"), *parts]
    path = str(HERE.parent)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={"PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    scenes: list[list[str]] = []
    for line in done.stdout.splitlines():
        scenes += [[line]] if line.startswith("--") or not scenes else []
        scenes[-1].append(line)
    # A broker iterates over its receivers in the order of a set.
    return [line for scene in scenes for line in sorted(scene)]


@pytest.mark.skipif(find_spec("crossbar") is None, reason="needs Crossbar.io")
def test_a_router_sends_the_same_for_good_and_bad_payloads():
    before = routed()
    assert len(before) > 300
    assert routed("routing") == before
    assert routed("texts", "messages", "routing") == before
