"""A received message is Autobahn's message: in class, comparison, assignment, copies and pickles.

What it adds: it is lazy, gives views into the buffer, and goes out again as the bytes it came in.
"""

from __future__ import annotations

import copy
import gc
import pickle
import struct
import weakref
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.message import Message
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer
from autobahn_fbs import FlatBuffersObjectSerializer
from compare import (
    MESSAGE_CLASSES,
    assert_same,
    attribute_names,
    attributes_of,
    canonical,
    differences,
    plain_class,
    plain_copy,
)
from hypothesis import given
from strategies import messages

from samples import every_sample, full, minimal, values_of, with_value

SERIALIZER = FlatBuffersObjectSerializer()
SAMPLES = every_sample()
WITH_PAYLOAD = [klass for klass in MESSAGE_CLASSES if "payload" in attribute_names(klass)]


def receive(msg: Message, serializer: FlatBuffersObjectSerializer = SERIALIZER) -> Any:
    (received,) = serializer.unserialize(serializer.serialize(msg))
    return received


def name_of(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else type(value).__name__


all_samples = pytest.mark.parametrize("msg", SAMPLES, ids=name_of)
all_classes = pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=name_of)
with_payload = pytest.mark.parametrize("klass", WITH_PAYLOAD, ids=name_of)


# ---- class


@all_classes
def test_it_is_an_instance_of_autobahns_class_with_the_same_name(klass):
    received = receive(klass(**minimal(klass)))
    assert isinstance(received, klass)
    assert type(received) is not klass
    assert type(received).__name__ == klass.__name__
    assert received.MESSAGE_TYPE == klass.MESSAGE_TYPE
    assert {k for k in vars(m.Message) if not k.startswith("__")} <= set(dir(received))


@all_classes
def test_it_has_no_instance_dict_where_the_plain_class_has_none(klass):
    received = receive(klass(**minimal(klass)))
    with pytest.raises(AttributeError):
        received.no_such_attribute = 1
    with pytest.raises(AttributeError):
        _ = received.no_such_attribute


def test_parse_of_a_received_class_makes_plain_messages():
    received = receive(m.Published(1, 2))
    again = type(received).parse([17, 1, 2])
    assert_same(again, m.Published(1, 2))


# ---- comparing


@all_samples
def test_it_equals_a_plain_message_with_the_same_content_both_ways(msg):
    received = receive(msg)
    plain = plain_copy(msg)
    assert received == plain
    assert plain == received
    assert not received != plain
    assert not plain != received
    assert received == receive(msg)
    assert received == received


@all_classes
def test_it_differs_from_a_message_that_differs_in_one_attribute(klass):
    for name in attribute_names(klass):
        values = values_of(klass, name)
        one = klass(**with_value(klass, name, values[0]))
        other = klass(**with_value(klass, name, values[-1]))
        received = receive(one)
        assert received != other, name
        assert other != received, name
        assert not received == other, name
        assert not other == received, name


def test_it_differs_from_anything_else():
    received = receive(m.Published(1, 2))
    for thing in (None, 5, "x", m.Registered(1, 2), receive(m.Registered(1, 2)), object()):
        assert received != thing
        assert thing != received


@all_samples
def test_it_hashes_like_the_plain_class(msg):
    assert (type(msg).__hash__ is None) == (type(receive(msg)).__hash__ is None)
    with pytest.raises(TypeError):
        hash(msg)
    with pytest.raises(TypeError):
        hash(receive(msg))


# ---- reading


@all_samples
def test_a_second_read_gives_the_very_object(msg):
    received = receive(msg)
    for name in attribute_names(type(msg)):
        first = getattr(received, name)
        assert getattr(received, name) is first, name


@all_samples
def test_private_slots_read_like_the_plain_messages(msg):
    received = receive(msg)
    for name in attribute_names(type(msg)):
        private = getattr(received, "_" + name)
        assert canonical(private) == canonical(getattr(msg, "_" + name)), name
    assert received._from_fbs is None
    assert received._serialized == {}


@all_samples
def test_marshal_and_str_are_the_plain_messages(msg):
    received = receive(msg)
    plain = plain_copy(received)
    assert canonical(received.marshal()) == canonical(plain.marshal())
    assert str(received) == str(plain)
    assert repr(received).startswith("<")


def test_correlation_and_router_attributes_begin_as_none_and_can_be_set():
    received = receive(m.Published(1, 2))
    values = {"correlation_id": "c", "correlation_uri": "a.b", "correlation_is_anchor": True,
              "correlation_is_last": False}
    for name, value in values.items():
        assert getattr(received, name) is None
        setattr(received, name, value)
        assert getattr(received, name) == value
        with pytest.raises(AssertionError):
            setattr(received, name, 5)
    assert received._router_internal is None
    received._router_internal = (1, 2, 3)
    assert received._router_internal == (1, 2, 3)
    assert received == m.Published(1, 2)
    assert SERIALIZER.serialize(received) == SERIALIZER.serialize(m.Published(1, 2))


# ---- setting


@all_classes
def test_every_attribute_can_be_set_and_is_sent(klass, any_serializer):
    for name in attribute_names(klass):
        values = values_of(klass, name)
        received = receive(klass(**with_value(klass, name, values[-1])))
        expected = plain_copy(received)
        if getattr(klass, name).fset is None:  # a few of Autobahn's are read-only
            with pytest.raises(AttributeError):
                setattr(received, name, values[0])
            continue
        setattr(received, name, values[0])
        setattr(expected, name, values[0])
        assert canonical(getattr(received, name)) == canonical(getattr(expected, name))
        assert received == expected
        assert_same(received, expected)
        if name in ("payload", "enc_algo"):
            continue  # enc_key and enc_serializer may not be left alone
        assert any_serializer.serialize(received) == any_serializer.serialize(expected), name


@all_classes
def test_setters_check_like_the_plain_class(klass):
    received = receive(klass(**full(klass)))
    plain = klass(**full(klass))
    for name in attribute_names(klass):
        for value in (object(), 5, "text", b"raw", [object()], {1: 2}, None, True, -1, 1.5):
            outcomes = []
            for target in (received, plain):
                try:
                    setattr(target, name, value)
                except (AssertionError, TypeError, AttributeError) as error:
                    outcomes.append(type(error))
                else:
                    outcomes.append(None)
            assert outcomes[0] == outcomes[1], f"{name} = {value!r}"


def test_attributes_cannot_be_deleted():
    received = receive(m.Published(1, 2))
    with pytest.raises(AttributeError):
        del received.request
    assert received.request == 1


def test_private_slots_can_be_set_without_checks_as_other_code_does(objser):
    received = receive(m.Event(1, 2, args=[1]))
    received._args = ["new"]
    received._topic = "a.b"
    assert received.args == ["new"]
    assert received.topic == "a.b"
    assert_same(receive(received), m.Event(1, 2, args=["new"], topic="a.b"))


# ---- views


@with_payload
def test_views_give_the_raw_payload_without_a_copy(klass):
    import cbor2

    received = receive(klass(**minimal(klass), args=[1, "x"], kwargs={"a": 1}))
    assert isinstance(received.args_view, memoryview)
    assert received.args_view.readonly
    assert bytes(received.args_view) == cbor2.dumps([1, "x"])
    assert bytes(received.kwargs_view) == cbor2.dumps({"a": 1})
    assert received.payload_view is None
    received = receive(klass(**minimal(klass), payload=b"\0raw"))
    assert bytes(received.payload_view) == b"\0raw"
    assert received.args_view is None
    assert received.kwargs_view is None
    assert type(received.payload) is bytes
    empty = receive(klass(**minimal(klass), payload=b""))
    assert empty.payload_view is not None
    assert bytes(empty.payload_view) == b""


def test_a_view_lives_on_after_its_message():
    data = SERIALIZER.serialize(m.Event(1, 2, payload=b"p" * 1000))
    (received,) = SERIALIZER.unserialize(data)
    view = received.payload_view
    assert view.obj is data  # no copy: a view onto the very bytes that came in
    del received, data
    gc.collect()
    assert bytes(view) == b"p" * 1000


def test_a_view_of_a_replaced_payload_is_none():
    received = receive(m.Event(1, 2, args=[1]))
    received.args = [2]
    assert received.args_view is None


@all_classes
def test_only_messages_with_payload_have_views(klass):
    received = receive(klass(**minimal(klass)))
    for name in ("args_view", "kwargs_view", "payload_view"):
        if klass in WITH_PAYLOAD:
            assert getattr(received, name) is None
        else:
            assert not hasattr(received, name)


# ---- the buffer


@pytest.mark.parametrize("make", [bytearray, lambda d: memoryview(bytearray(d))],
                         ids=["bytearray", "memoryview"])
@all_samples
def test_a_buffer_that_changes_afterwards_changes_nothing(msg, make):
    data = SERIALIZER.serialize(msg)
    source = bytearray(data)
    (received,) = SERIALIZER.unserialize(source if make is bytearray else memoryview(source))
    for i in range(len(source)):
        source[i] = 0xFF
    assert_same(received, msg)
    assert SERIALIZER.serialize(received) == data


def test_a_view_onto_bytes_is_taken_too():
    data = SERIALIZER.serialize(m.Event(1, 2, args=["x"] * 9, topic="a.b"))
    for view in (memoryview(data), memoryview(b"...." + data)[4:],
                 memoryview(data + b"tail")[: len(data)]):
        (received,) = SERIALIZER.unserialize(view)
        assert_same(received, m.Event(1, 2, args=["x"] * 9, topic="a.b"))
        assert SERIALIZER.serialize(received) == data


def test_what_is_no_contiguous_buffer_is_refused():
    data = SERIALIZER.serialize(m.Published(1, 2))
    strided = memoryview(bytes(2 * len(data)))[::2]
    for thing in (None, "text", 5, [data], strided):
        with pytest.raises((TypeError, BufferError, ProtocolError)):
            SERIALIZER.unserialize(thing)


def test_a_messages_buffer_goes_when_the_message_goes():
    class Bytes(bytes):
        pass

    data = Bytes(SERIALIZER.serialize(m.Event(1, 2, args=[1])))
    gone = weakref.ref(data, lambda _: None) if hasattr(data, "__weakref__") else None
    (received,) = SERIALIZER.unserialize(data)
    assert received.args == [1]
    del received, data
    gc.collect()
    assert gone is None or gone() is None


def test_a_cycle_through_a_received_message_is_collected():
    class Owner:
        pass

    owner = Owner()
    received = receive(m.Event(1, 2, args=[1]))
    owner.message = received
    received._router_internal = owner
    received.args.append(received.args)
    gone = weakref.ref(owner)
    del owner, received
    gc.collect()
    assert gone() is None


# ---- going out again


@all_samples
def test_an_unchanged_message_goes_out_as_its_very_bytes(msg, dialect):
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
    sample = m.Publish(1, "a.b", args=[{"deep": 1}, 1], kwargs={"k": 1}, exclude=[1],
                       exclude_authid=["a"],
                       forward_for=[{"session": 1, "authid": "a", "authrole": "r"}])
    name = TARGETS.get(kind, kind)
    received = receive(sample, any_serializer)
    unchanged = any_serializer.serialize(received)
    MUTATIONS[kind](getattr(received, name))
    now = any_serializer.serialize(received)
    assert now != unchanged
    (again,) = any_serializer.unserialize(now)
    assert_same(again, received)
    assert [line.split(":")[0] for line in differences(again, sample)] == [f"Publish.{name}"]
    MUTATIONS[kind](getattr(received, name))  # and once more, past any cache
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


def test_a_role_changed_in_place_is_sent_as_changed(any_serializer):
    received = receive(m.Welcome(**full(m.Welcome)), any_serializer)
    received.roles["dealer"].call_timeout = None
    again = receive(received, any_serializer)
    assert again.roles["dealer"].call_timeout is None
    assert_same(again, received)


@all_samples
@pytest.mark.parametrize("kind", [CBORSerializer, JsonSerializer], ids=name_of)
def test_it_goes_out_through_another_serializer_like_the_plain_message(msg, kind):
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


def test_a_setter_makes_other_serializers_encode_anew():
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
def test_copies_and_pickles_say_the_same(msg, read_first, dialect):
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


def test_setting_on_a_copy_leaves_the_original_alone():
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
