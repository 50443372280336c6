"""Forwarding a received message: as the received bytes, with changes, through another serializer,
as a copy and as a pickle."""

from __future__ import annotations

import copy
import pickle
import struct
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer
from hypothesis import given

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, payloads
from support.compare import (
    assert_same,
    attributes_of,
    canonical,
    differences,
    plain_class,
    plain_copy,
)
from support.received import SERIALIZER, all_samples, name_of, receive
from support.samples import full
from support.strategies import messages
from support.wirebuild import build

# ---- going out again


@all_samples
def test_an_unchanged_message_is_sent_as_the_received_bytes(msg, dialect):
    plain = FlatBuffersObjectSerializer(dialect=dialect)
    batched = FlatBuffersObjectSerializer(batched=True, dialect=dialect)
    data = plain.serialize(msg)
    framed = struct.pack(">I", len(data)) + data
    for serializer, wire in ((plain, data), (batched, framed)):
        (received,) = serializer.unserialize(wire)
        for _ in range(2):
            assert plain.serialize(received) == data
            assert batched.serialize(received) == framed
            attributes_of(received)  # reading changes nothing
    (received,) = plain.unserialize(data)
    assert plain.serialize(received) is data


def test_bytes_that_we_would_write_otherwise_stay_as_they_came():
    upstreams = bytes.fromhex(
        "0c00000008000a0009000400080000001000000000010a0008000000000004000a0000000400000011000000"
        "636f6d2e6578616d706c652e7265616c6d000000"
    )
    (received,) = SERIALIZER.unserialize(upstreams)
    assert SERIALIZER.serialize(received) == upstreams
    assert received.roles == {}
    assert SERIALIZER.serialize(received) == upstreams


MUTATIONS: dict[str, Any] = {
    "args": lambda value: value.append("more"),
    "nested args": lambda value: value[0].update(more=True),
    "True for 1": lambda value: value.__setitem__(1, True),
    "kwargs": lambda value: value.update(more=1),
    "exclude": lambda value: value.append(9),
    "exclude_authid": lambda value: value.clear(),
    "forward_for": lambda value: value.append({"session": 9, "authid": None, "authrole": "r"}),
    "hop": lambda value: value[0].update(authid="other"),
}
TARGETS = {"nested args": "args", "True for 1": "args", "hop": "forward_for"}


@pytest.mark.parametrize("kind", MUTATIONS)
def test_a_list_or_dict_changed_in_place_is_sent_as_changed(kind, any_serializer):
    sample = m.Publish(
        1,
        "a.b",
        args=[{"deep": 1}, 1],
        kwargs={"k": 1},
        exclude=[1],
        exclude_authid=["a"],
        forward_for=[{"session": 1, "authid": "a", "authrole": "r"}],
    )
    name = TARGETS.get(kind, kind)
    received = receive(sample, any_serializer)
    unchanged = any_serializer.serialize(received)
    MUTATIONS[kind](getattr(received, name))
    now = any_serializer.serialize(received)
    assert now != unchanged
    (again,) = any_serializer.unserialize(now)
    assert_same(again, received)
    assert [line.split(":")[0] for line in differences(again, sample)] == [f"Publish.{name}"]
    MUTATIONS[kind](getattr(received, name))  # and once more, without any cache
    assert_same(receive(received, any_serializer), received)


@pytest.mark.parametrize(
    ("msg", "name", "change"),
    [
        (m.Hello("realm1", full(m.Hello)["roles"], ["ticket"]), "authmethods", "append"),
        (m.Hello("realm1", full(m.Hello)["roles"], authextra={"a": []}), "authextra", "clear"),
        (m.Challenge("wampcra", {"salt": "s"}), "extra", "clear"),
        (m.Welcome(1, full(m.Welcome)["roles"], custom={"x_cb_node": 1}), "custom", "clear"),
    ],
    ids=lambda value: value if isinstance(value, str) else name_of(value),
)
def test_other_containers_changed_in_place_are_sent_as_changed(msg, name, change, any_serializer):
    received = receive(msg, any_serializer)
    value = getattr(received, name)
    value.append("x_more") if change == "append" else value.clear()
    again = receive(received, any_serializer)
    assert canonical(getattr(again, name)) == canonical(value)
    assert_same(again, received)


@pytest.fixture
def pickling():
    """A payload codec that knows every type, which CBOR does not."""
    autobahn_fbs.register_payload_serializer("x_pickle", pickle.dumps, pickle.loads)
    yield FlatBuffersObjectSerializer(payload_serializer="x_pickle")
    payloads.unregister_payload_serializer("x_pickle")


def test_a_read_payload_with_types_that_cbor_lacks_can_be_forwarded(pickling):
    data = pickling.serialize(m.Event(1, 2, args=[ValueError], kwargs={"a": range(3)}))
    (received,) = SERIALIZER.unserialize(data)
    assert (received.args, received.kwargs) == ([ValueError], {"a": range(3)})
    for serializer in (SERIALIZER, pickling):
        assert serializer.serialize(received) == data
    received.args.append(KeyError)
    (again,) = SERIALIZER.unserialize(pickling.serialize(received))
    assert again.args == [ValueError, KeyError]
    with pytest.raises((TypeError, ValueError), match=r"EVENT\.args: can't be encoded"):
        SERIALIZER.serialize(received)


def test_changes_are_found_where_cbor_shows_no_difference(pickling):
    (received,) = SERIALIZER.unserialize(pickling.serialize(m.Event(1, 2, args=[(1, 2)])))
    received.args[0] = [1, 2]
    (again,) = SERIALIZER.unserialize(pickling.serialize(received))
    assert again.args == [[1, 2]]


def test_a_payload_that_can_be_read_but_not_written_is_forwarded_unchanged():
    """JSON can have half a surrogate pair, which is a str, but one without UTF-8."""
    event = {"subscription": 1, "publication": 2, "args": b'["\\ud800"]', "ppt_serializer": 1}
    data = build("Event", event)
    (received,) = SERIALIZER.unserialize(data)
    assert received.args == ["\ud800"]
    assert SERIALIZER.serialize(received) == data
    assert pickle.loads(pickle.dumps(received)).args == ["\ud800"]
    received.args[0] = "whole"
    (again,) = SERIALIZER.unserialize(SERIALIZER.serialize(received))
    assert again.args == ["whole"]


def test_a_role_changed_in_place_is_sent_as_changed(any_serializer):
    received = receive(m.Welcome(**full(m.Welcome)), any_serializer)
    received.roles["dealer"].call_timeout = None
    again = receive(received, any_serializer)
    assert again.roles["dealer"].call_timeout is None
    assert_same(again, received)


@all_samples
@pytest.mark.parametrize("kind", [CBORSerializer, JsonSerializer], ids=name_of)
def test_another_serializer_sends_it_like_the_plain_message(msg, kind):
    other = kind()
    try:
        expected = other.serialize(plain_copy(msg))
    except Exception as error:
        with pytest.raises(type(error)):
            other.serialize(receive(msg))
        return
    assert other.serialize(receive(msg)) == expected


# ---- the cache


def test_serialize_goes_through_the_message_and_uncache_empties_the_cache(objser):
    received = receive(m.Event(1, 2, args=[1]))
    other = CBORSerializer()._serializer
    data = received.serialize(other)
    assert received._serialized[other] == data
    assert received.serialize(other) is data
    received.uncache()
    assert received._serialized == {}
    assert received.serialize(objser) == objser.serialize(m.Event(1, 2, args=[1]))


def test_a_setter_makes_other_serializers_encode_again():
    received = receive(m.Event(1, 2, args=[1]))
    other = CBORSerializer()
    before = other.serialize(received)
    received.uncache()
    received.args = [2]
    assert other.serialize(received) != before
    assert other.serialize(received) == other.serialize(m.Event(1, 2, args=[2]))


# ---- copies


@all_samples
@pytest.mark.parametrize("read_first", [False, True], ids=["fresh", "read"])
def test_copies_and_pickles_have_the_same_content(msg, read_first, dialect):
    serializer = FlatBuffersObjectSerializer(dialect=dialect)
    received = receive(msg, serializer)
    if read_first:
        attributes_of(received)
    received.correlation_id = "c"
    received._router_internal = 7
    for make in (copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))):
        twin = make(received)
        assert twin is not received
        assert type(twin) is type(received)
        assert_same(twin, msg)
        assert twin == received
        assert twin.correlation_id == "c"
        assert twin._router_internal == 7
        assert serializer.serialize(twin) == serializer.serialize(received)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_carries_a_changed_message(protocol):
    received = receive(m.Event(1, 2, args=[1], topic="a.b"))
    received.args.append(2)
    received.topic = "c.d"
    twin = pickle.loads(pickle.dumps(received, protocol))
    assert_same(twin, m.Event(1, 2, args=[1, 2], topic="c.d"))


def test_a_copy_shares_what_was_read_and_a_deep_copy_does_not():
    received = receive(m.Event(1, 2, args=[[1]]))
    args = received.args
    assert copy.copy(received).args is args
    deep = copy.deepcopy(received)
    assert deep.args == args
    assert deep.args is not args
    assert deep.args[0] is not args[0]
    deep.args[0].append(2)
    assert received.args == [[1]]
    assert_same(receive(deep), m.Event(1, 2, args=[[1, 2]]))


def test_a_shared_value_of_a_copy_changes_in_both(any_serializer):
    """Also values that were present from the beginning, because they came in the metadata."""
    received = receive(
        m.Hello("realm1", full(m.Hello)["roles"], authextra={"a": 1}), any_serializer
    )
    before, after = copy.copy(received), copy.copy(received)
    received.authextra["a"] = 2
    for twin in (before, after, received):
        assert any_serializer.unserialize(any_serializer.serialize(twin))[0].authextra == {"a": 2}
    second = receive(received, any_serializer)
    copy.copy(second).authextra["a"] = 3  # the copy and the original share it
    assert any_serializer.unserialize(any_serializer.serialize(second))[0].authextra == {"a": 3}


def test_setting_on_a_copy_leaves_the_original_unchanged():
    received = receive(m.Event(1, 2, topic="a.b"))
    twin = copy.copy(received)
    twin.topic = "c.d"
    assert received.topic == "a.b"
    assert_same(receive(twin), m.Event(1, 2, topic="c.d"))
    assert_same(receive(received), m.Event(1, 2, topic="a.b"))


@given(messages())
def test_any_received_message_equals_copies_and_pickles_like_the_plain_one(msg):
    received = receive(msg)
    assert plain_class(type(received)) is type(msg)
    if canonical(msg.marshal()) == canonical(msg.marshal()):
        assert canonical(received.marshal()) == canonical(plain_copy(msg).marshal())
    for make in (copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))):
        assert_same(make(received), msg)
