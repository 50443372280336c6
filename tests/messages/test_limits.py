"""The limits that a serializer enforces for received messages."""

from __future__ import annotations

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, Limits

WRITER = FlatBuffersObjectSerializer()
SMALL = WRITER.serialize(m.Event(1, 2, args=[1]))
HOPS = [{"session": i, "authid": "a", "authrole": "r"} for i in range(100)]
FORWARDED = WRITER.serialize(m.Event(1, 2, forward_for=HOPS))


def reader(**limits: int) -> FlatBuffersObjectSerializer:
    return FlatBuffersObjectSerializer(limits=Limits(**limits))


def test_the_defaults_refuse_nothing_ordinary():
    for data in (SMALL, FORWARDED):
        assert FlatBuffersObjectSerializer(limits=Limits()).unserialize(data)
        assert FlatBuffersObjectSerializer().unserialize(data)


def test_a_message_may_be_as_long_as_the_limit_and_no_longer():
    assert reader(max_size=len(SMALL)).unserialize(SMALL)
    with pytest.raises(ProtocolError, match=r"longer than the limit \(Limits\.max_size\)"):
        reader(max_size=len(SMALL) - 1).unserialize(SMALL)


def test_the_limit_is_for_each_message_of_a_batch():
    batch = FlatBuffersObjectSerializer(batched=True).serialize(m.Event(1, 2, args=[1])) * 3
    limits = Limits(max_size=len(SMALL))
    assert len(FlatBuffersObjectSerializer(True, limits=limits).unserialize(batch)) == 3


def test_tables_are_counted():
    assert reader(max_tables=102).unserialize(FORWARDED)
    with pytest.raises(ProtocolError, match=r"Principal: more tables .* \(Limits\.max_tables\)"):
        reader(max_tables=101).unserialize(FORWARDED)


def test_the_apparent_size_is_bounded():
    assert reader(apparent_size=0, apparent_factor=2).unserialize(FORWARDED)
    with pytest.raises(ProtocolError, match=r"add up to more .* \(Limits\.apparent_size\)"):
        reader(apparent_size=0, apparent_factor=1).unserialize(FORWARDED)


def test_the_transport_serializer_takes_limits_too():
    serializer = FlatBuffersSerializer(limits=Limits(max_size=8))
    with pytest.raises(ProtocolError, match=r"longer than the limit \(Limits\.max_size\)"):
        serializer.unserialize(SMALL)


def test_limits_do_not_bind_the_writer():
    assert reader(max_size=8).serialize(m.Event(1, 2, args=[1])) == SMALL


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("max_size", 7, ValueError),
        ("max_size", 2**31, ValueError),
        ("max_size", "1", TypeError),
        ("apparent_size", -1, ValueError),
        ("apparent_factor", 0, ValueError),
        ("max_tables", 1, ValueError),
        ("max_tables", 2.5, TypeError),
    ],
)
def test_a_limit_out_of_its_range_is_refused_by_name(name, value, error):
    with pytest.raises(error, match=f"limit {name} must be"):
        reader(**{name: value})


@pytest.mark.parametrize("limits", [{"max_size": 3}, 3, [2**20]])
def test_limits_of_another_type_are_refused_by_its_name(limits):
    with pytest.raises(
        TypeError, match=rf"must be an autobahn_fbs.Limits.* not {type(limits).__name__}"
    ):
        FlatBuffersObjectSerializer(limits=limits)
