"""counters(): what a process did with its messages, and the meaning of each number."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, Limits

OBJSER = FlatBuffersObjectSerializer()


def event(**more: Any) -> m.Event:
    return m.Event(1, 2, args=[1], kwargs={"a": 2}, **more)


DATA = OBJSER.serialize(event())


def counted(act: Callable[[], object]) -> dict[str, Any]:
    """The counters that a call changes, and by how much."""
    before: Any = autobahn_fbs.counters()
    act()
    after: Any = autobahn_fbs.counters()
    changed = {k: after[k] - before[k] for k in after if k != "refused" and after[k] != before[k]}
    refused = {
        reason: number - before["refused"].get(reason, 0)
        for reason, number in after["refused"].items()
        if number != before["refused"].get(reason, 0)
    }
    return {**changed, "refused": refused} if refused else changed


def received() -> Any:
    return OBJSER.unserialize(DATA)[0]


def test_all_of_them_are_there_from_the_start() -> None:
    assert set(autobahn_fbs.counters()) == set(autobahn_fbs.Counters.__annotations__)


def test_a_new_message_is_encoded_once_and_then_taken_from_its_cache() -> None:
    message = event()
    assert counted(lambda: OBJSER.serialize(message)) == {"encoded": 1}
    assert counted(lambda: OBJSER.serialize(message)) == {"cache_hits": 1}


def test_an_event_for_many_subscribers_is_encoded_once() -> None:
    one = FlatBuffersSerializer()
    connections = [copy.copy(one) for _ in range(5)]
    message = event()
    found = counted(lambda: [each.serialize(message) for each in connections])
    assert found == {"encoded": 1, "cache_hits": 4}


def test_messages_that_cannot_be_encoded_are_not_counted() -> None:
    def fail() -> None:
        with pytest.raises((TypeError, ValueError)):
            OBJSER.serialize(m.Event(1, 2, args=[object()]))

    assert counted(fail) == {}


def test_a_received_message_is_passed_on() -> None:
    message = received()
    assert counted(lambda: OBJSER.serialize(message)) == {"pass_ons": 1}


def test_a_received_message_that_was_read_and_not_changed_is_passed_on() -> None:
    message = received()
    assert message.args == [1]
    assert counted(lambda: OBJSER.serialize(message)) == {"pass_ons": 1}


def test_a_received_message_that_was_changed_is_encoded() -> None:
    message = received()
    message.args.append(2)
    assert counted(lambda: OBJSER.serialize(message)) == {"encoded": 1}


def test_payloads_that_nobody_reads_are_never_decoded() -> None:
    assert counted(received) == {"payloads": 2, "payloads_never_decoded": 2}


def test_a_payload_is_counted_when_it_is_first_read() -> None:
    message = received()
    once = {"payloads_decoded": 1, "payloads_never_decoded": -1}
    assert counted(lambda: message.kwargs) == once
    assert counted(lambda: message.kwargs) == {}


def test_views_do_not_decode() -> None:
    message = received()
    assert counted(lambda: bytes(message.args_view)) == {}


def test_absent_payloads_are_not_counted() -> None:
    data = OBJSER.serialize(m.Event(1, 2))
    assert counted(lambda: OBJSER.unserialize(data)[0].args) == {}


def test_encrypted_payloads_are_not_counted() -> None:
    data = OBJSER.serialize(m.Event(1, 2, payload=b"x", enc_algo="cryptobox"))
    assert counted(lambda: OBJSER.unserialize(data)[0].payload) == {}


def test_copies_are_not_counted() -> None:
    message = received()
    assert counted(lambda: copy.copy(message).args) == {}
    assert counted(lambda: copy.deepcopy(message).kwargs) == {}


def test_unpickled_messages_count_as_received() -> None:
    pickled = pickle.dumps(received())
    assert counted(lambda: pickle.loads(pickled))["payloads"] == 2


def test_every_message_of_a_batch_is_counted() -> None:
    batched = FlatBuffersObjectSerializer(batched=True)
    data = batched.serialize(event()) * 3
    assert counted(lambda: batched.unserialize(data))["payloads"] == 6


def refuse(data: bytes, serializer: Any = OBJSER) -> Callable[[], None]:
    def act() -> None:
        with pytest.raises(ProtocolError):
            serializer.unserialize(data)

    return act


def test_a_refused_message_is_counted_by_its_reason() -> None:
    assert counted(refuse(b"")) == {"refused": {"too_short": 1}}
    assert counted(refuse(b"\xff" * 64)) == {"refused": {"offset_range": 1}}


def test_a_message_beyond_a_limit_is_counted() -> None:
    small = FlatBuffersObjectSerializer(limits=Limits(max_size=8))
    assert counted(refuse(DATA, small)) == {"refused": {"too_long": 1}}


def test_a_text_that_is_not_utf_8_is_counted() -> None:
    data = OBJSER.serialize(m.Event(1, 2, topic="com.example"))
    spoiled = data.replace(b"com.example", b"com.ex\xffmple")
    assert counted(refuse(spoiled)) == {"refused": {"string_utf8": 1}}


def test_wrong_metadata_is_counted() -> None:
    data = OBJSER.serialize(m.Error(48, 1, "com.example.error", callee_authid="joe"))
    spoiled = data.replace(b"\x63joe", b"\xffjoe")
    assert counted(refuse(spoiled)) == {"refused": {"metadata": 1}}


def test_a_wrong_batch_is_counted() -> None:
    batched = FlatBuffersObjectSerializer(batched=True)
    assert counted(refuse(b"\0\0\0\xff", batched)) == {"refused": {"batch": 1}}


def test_a_payload_that_cannot_be_decoded_is_counted_each_time_that_it_is_read() -> None:
    message = OBJSER.unserialize(DATA.replace(b"\x81\x01", b"\x81\xff"))[0]

    def read() -> None:
        with pytest.raises(ProtocolError):
            _ = message.args

    assert counted(read) == {"refused": {"payload": 1}}
    assert counted(read) == {"refused": {"payload": 1}}
