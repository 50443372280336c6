"""Each attribute separately: similar values are distinguished, and values that the wire format
can't express are refused, by name, when serializing."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from typing import Any

import pytest
from autobahn.wamp import message
from autobahn.wamp.message import Message

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import MESSAGE_CLASSES, assert_same, attribute_names, canonical
from support.impossible import impossible
from support.received import receive
from support.samples import (
    every_sample,
    full,
    minimal,
    values_of,
    with_value,
)

ATTRIBUTES = [(klass, name) for klass in MESSAGE_CLASSES for name in attribute_names(klass)]


def case_id(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)[:30]


def label_of(klass: type[Message]) -> str:
    return "EVENT_RECEIVED" if klass is message.EventReceived else klass.__name__.upper()


@pytest.mark.parametrize(("klass", "name"), ATTRIBUTES, ids=case_id)
def test_each_value_of_an_attribute_comes_back(klass, name, any_serializer):
    for value in values_of(klass, name):
        msg = klass(**with_value(klass, name, value))
        received = receive(msg, any_serializer)
        assert canonical(getattr(received, name)) == canonical(getattr(msg, name)), repr(value)
        assert_same(received, msg)


@pytest.mark.parametrize(("klass", "name"), ATTRIBUTES, ids=case_id)
def test_different_values_have_different_bytes(klass, name, objser):
    seen: dict[bytes, Any] = {}
    for value in values_of(klass, name):
        msg = klass(**with_value(klass, name, value))
        data = objser.serialize(msg)
        now = canonical([getattr(msg, other) for other in attribute_names(klass)])
        assert seen.setdefault(data, now) == now, f"{value!r} is written like {seen[data]}"


@pytest.mark.parametrize("msg", every_sample(), ids=lambda msg: type(msg).__name__)
def test_minimal_and_full_messages_come_back(msg, any_serializer):
    assert_same(receive(msg, any_serializer), msg)


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=case_id)
def test_an_optional_attribute_left_out_reads_as_the_constructor_has_it(klass, any_serializer):
    msg = klass(**minimal(klass))
    received = receive(msg, any_serializer)
    for name in attribute_names(klass):
        assert canonical(getattr(received, name)) == canonical(getattr(msg, name)), name


def test_a_tuple_comes_back_as_a_list(any_serializer):
    received = receive(message.Call(1, "a.b", args=(1, (2,))), any_serializer)
    assert received.args == [1, [2]]
    assert type(received.args) is list
    assert type(received.args[1]) is list


@pytest.mark.parametrize("args", ["text", "", b"raw", b""], ids=repr)
def test_only_publish_accepts_text_and_bytes_as_args(args, any_serializer):
    msg = message.Publish(1, "a.b", args=args, kwargs={"k": 1})
    assert_same(receive(msg, any_serializer), msg)


@pytest.mark.parametrize(
    "value",
    [
        decimal.Decimal("1.50"),
        uuid.UUID(int=7),
        {1, 2},
        datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
        2**64,
        -(2**64) - 1,
        float("inf"),
        float("nan"),
        -0.0,
        {1: "int", "1": "str", b"1": "bytes"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_payloads_carry_everything_that_cbor2_carries(value, any_serializer):
    msg = message.Call(1, "a.b", args=[value], kwargs={"k": value})
    received = receive(msg, any_serializer)
    assert canonical(received.args) == canonical([value])
    assert canonical(received.kwargs) == canonical({"k": value})


@pytest.mark.parametrize("codec", ["json", "msgpack", "ubjson", "cbor"])
def test_any_serializer_reads_any_payload_codec(codec, any_serializer, dialect, batched):
    try:
        writer = FlatBuffersObjectSerializer(batched, codec, dialect)
    except ValueError:
        pytest.skip(f"{codec} is not installed")
    msg = message.Result(1, args=[1, "two", [3.5, None]], kwargs={"k": {"n": True}})
    (received,) = any_serializer.unserialize(writer.serialize(msg))
    assert_same(received, msg)
    assert received.enc_serializer is None


# ---- values that the wire format can't express


@pytest.mark.parametrize(("klass", "name"), ATTRIBUTES, ids=case_id)
def test_a_value_that_no_message_can_carry_is_refused_by_name(klass, name, any_serializer):
    for value in impossible(klass, name):
        msg = klass(
            **with_value(
                klass, name, None if name in ("enc_algo", "payload") else values_of(klass, name)[-1]
            )
        )
        if name in ("enc_algo", "enc_key", "enc_serializer"):
            msg._payload = b"payload"
        setattr(msg, "_" + name, value)
        with pytest.raises((TypeError, ValueError)) as caught:
            any_serializer.serialize(msg)
            pytest.fail(f"wrote {value!r}")
        pattern = rf"^{label_of(klass)}\.{name}\b"
        assert re.search(pattern, str(caught.value)), f"{value!r}: {caught.value}"


@pytest.mark.parametrize("klass", MESSAGE_CLASSES, ids=case_id)
def test_a_refused_message_can_be_repaired_and_sent(klass, objser):
    msg = klass(**full(klass))
    for name in attribute_names(klass):
        good = getattr(msg, name)
        setattr(msg, "_" + name, object())
        with pytest.raises((TypeError, ValueError)):
            objser.serialize(msg)
        setattr(msg, "_" + name, good)
    assert_same(receive(msg, objser), msg)


@pytest.mark.parametrize(
    "klass", [k for k in MESSAGE_CLASSES if "payload" in attribute_names(k)], ids=case_id
)
def test_payload_excludes_args_and_kwargs(klass, any_serializer):
    for name, value in (("args", []), ("args", [1]), ("kwargs", {}), ("kwargs", {"a": 1})):
        msg = klass(**minimal(klass), payload=b"x")
        setattr(msg, "_" + name, value)
        with pytest.raises(ValueError, match=rf"{label_of(klass)}\.(payload|{name})"):
            any_serializer.serialize(msg)


@pytest.mark.parametrize(
    "klass", [k for k in MESSAGE_CLASSES if "payload" in attribute_names(k)], ids=case_id
)
def test_enc_key_and_enc_serializer_require_enc_algo(klass, any_serializer):
    for name, value in (("enc_key", "k"), ("enc_key", ""), ("enc_serializer", "cbor")):
        msg = klass(**minimal(klass), payload=b"x")
        setattr(msg, "_" + name, value)
        with pytest.raises(ValueError, match=rf"{label_of(klass)}\.enc_"):
            any_serializer.serialize(msg)


@pytest.mark.parametrize("number", [10**5000, -(10**5000)], ids=["positive", "negative"])
def test_an_int_of_more_digits_than_python_shows_is_refused_by_name(number, objser):
    msg = message.Publish(1, "a.b")
    msg._exclude = [number]
    with pytest.raises(
        ValueError, match=r"^PUBLISH\.exclude: item: the wire format holds 0 to 2\*\*64-1"
    ):
        objser.serialize(msg)


def test_a_payload_that_has_no_encoding_raises_the_codecs_error(any_serializer):
    msg = message.Call(1, "a.b", args=[object()])
    with pytest.raises(Exception, match="object"):
        any_serializer.serialize(msg)
    msg.args = [1]
    assert_same(receive(msg, any_serializer), msg)


def test_an_object_that_is_not_a_message_is_refused(any_serializer):
    for thing in (None, 5, "HELLO", b"", {}, object(), message.Message):
        with pytest.raises(TypeError):
            any_serializer.serialize(thing)


@pytest.mark.parametrize("key", ["plain", "X_a", "x_A", 5, None])
def test_a_custom_detail_needs_a_custom_name(objser, key):
    msg = message.Welcome(**minimal(message.Welcome))
    msg._custom = {key: 1}
    with pytest.raises((TypeError, ValueError), match=r"^WELCOME\.custom: key"):
        objser.serialize(msg)


@pytest.mark.parametrize("klass", [message.Challenge, message.Authenticate])
def test_the_keys_of_extra_are_strings(objser, klass):
    msg = klass("x", {"a": 1})
    msg._extra = {"a": 1, 2: 3}
    with pytest.raises(TypeError, match=r"\.extra: key: expected str, got int"):
        objser.serialize(msg)
