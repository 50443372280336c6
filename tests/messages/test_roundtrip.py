"""Every message that Autobahn accepts comes back equal, in value and type, and its bytes depend
only on its content."""

from __future__ import annotations

import struct

import pytest
from autobahn.wamp import message, role
from autobahn.wamp import message as m
from autobahn.wamp.message import Message
from hypothesis import given, note
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import MESSAGE_CLASSES, assert_same, attribute_names, plain_class, plain_copy
from support.strategies import BY_CLASS, BY_NAME, attribute, messages, messages_of

SERIALIZERS = {
    f"{dialect}{'-batched' if batched else ''}": FlatBuffersObjectSerializer(
        batched=batched, dialect=dialect
    )
    for dialect in ("autobahn", "schema")
    for batched in (False, True)
}


def test_there_is_a_strategy_for_each_of_the_171_attributes():
    attributes = [(klass, name) for klass in MESSAGE_CLASSES for name in attribute_names(klass)]
    assert len(MESSAGE_CLASSES) == 25
    assert len(attributes) == 171
    for klass, name in attributes:
        assert isinstance(attribute(klass, name), st.SearchStrategy)
    used = {name for _, name in attributes}
    assert set(BY_NAME) <= used
    assert set(BY_CLASS) <= set(attributes)


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=lambda klass: klass.__name__)
def test_values_come_back_unchanged(klass: type[Message]):
    @given(messages_of(klass))
    def check(msg: Message) -> None:
        for setting, serializer in SERIALIZERS.items():
            note(setting)
            data = serializer.serialize(msg)
            assert type(data) is bytes
            (received,) = serializer.unserialize(data)
            assert isinstance(received, klass)
            assert_same(received, msg)
            # Unchanged: the same bytes. From the content alone: the same bytes again.
            assert serializer.serialize(received) == data
            assert serializer.serialize(plain_copy(received)) == data

    check()


@given(messages())
def test_the_same_message_gives_the_same_bytes(msg: Message):
    serializer = SERIALIZERS["autobahn"]
    first = serializer.serialize(msg)
    msg.uncache()
    assert serializer.serialize(msg) == first
    assert FlatBuffersObjectSerializer().serialize(plain_copy(msg)) == first


@given(st.lists(messages(), min_size=1, max_size=4), st.sampled_from(["autobahn", "schema"]))
def test_a_batch_is_the_messages_each_after_its_length(msgs: list[Message], dialect: str):
    batched = SERIALIZERS[f"{dialect}-batched"]
    plain = SERIALIZERS[dialect]
    frames = [batched.serialize(msg) for msg in msgs]
    for msg, frame in zip(msgs, frames, strict=True):
        body = plain.serialize(msg)
        assert frame == struct.pack(">I", len(body)) + body
    received = batched.unserialize(b"".join(frames))
    assert len(received) == len(msgs)
    for got, sent in zip(received, msgs, strict=True):
        assert_same(got, sent)
        assert batched.serialize(got) == batched.serialize(sent)


@given(messages())
def test_a_message_moves_between_the_dialects_and_framings(msg: Message):
    data = SERIALIZERS["schema-batched"].serialize(msg)
    (received,) = SERIALIZERS["schema-batched"].unserialize(data)
    for name, serializer in SERIALIZERS.items():
        (again,) = serializer.unserialize(serializer.serialize(received))
        assert_same(again, msg)
        assert plain_class(type(again)) is plain_class(type(msg)), name


@pytest.mark.parametrize("roles", ["text", 5, None, [1], {"b": 1, "a": 2}, {"b": {}, "a": {}}])
@pytest.mark.parametrize("klass", [m.Challenge, m.Authenticate])
def test_an_extra_may_have_an_entry_called_roles(klass, roles):
    """A value from a peer caused an AttributeError when the message was forwarded."""
    sent = klass("wampcra", {"roles": roles, "more": 1})
    for serializer in SERIALIZERS.values():
        (received,) = serializer.unserialize(serializer.serialize(sent))
        assert_same(received, sent)
        assert_same(plain_copy(received), sent)
        assert serializer.serialize(plain_copy(received)) == serializer.serialize(sent)


def test_a_custom_detail_may_be_called_x_and_hold_maps_with_any_keys():
    welcome = message.Welcome(
        1, {"broker": role.RoleBrokerFeatures()}, realm="r", authid="a", authrole="b",
        custom={"x_": {1: 2}},
    )  # fmt: skip
    for serializer in SERIALIZERS.values():
        (received,) = serializer.unserialize(serializer.serialize(welcome))
        assert received.custom == {"x_": {1: 2}}
