"""Payload codecs: every composition of envelope and codec, custom codecs, and errors."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import pickle
import re
import uuid

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.serializer import (
    SERID_TO_OBJSER,
    JsonObjectSerializer,
    create_transport_serializer,
)
from hypothesis import given
from hypothesis import strategies as st

import autobahn_fbs
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer, payloads
from support.compare import assert_same

BUILTIN = payloads.known_ids()
READER = FlatBuffersObjectSerializer()
MESSAGES = [
    m.Publish(1, "a.b", args=[1, "x", None, True, 2.5], kwargs={"k": {"n": [1, 2]}}),
    m.Event(1, 2, args=["only args"]),
    m.Call(1, "a.b", kwargs={"only": "kwargs"}),
    m.Invocation(1, 2, args=[], kwargs={}),
    m.Yield(1, args=[[[]]], kwargs={"": ""}),
    m.Result(1),
    m.Error(48, 1, "a.b", args=["bad"], kwargs={"why": "so"}),
]

# In WAMP's JSON a string that begins with NUL is binary.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def shouting():
    """A custom codec for one test: JSON in capitals, so that it isn't JSON."""

    def dumps(value: object) -> bytes:
        return b"!" + json.dumps(value).encode()

    def loads(view: memoryview) -> object:
        assert view.readonly
        if view[0] != ord("!"):
            raise ValueError("not shouting")
        return json.loads(bytes(view[1:]))

    autobahn_fbs.register_payload_serializer("x_shouting", dumps, loads)
    yield "x_shouting"
    payloads._registered.pop("x_shouting", None)


@pytest.mark.parametrize("codec", BUILTIN)
@pytest.mark.parametrize("batched", [False, True])
def test_any_receiver_reads_any_composition(codec, batched):
    writer = FlatBuffersObjectSerializer(batched, codec)
    for other in BUILTIN:
        reader = FlatBuffersObjectSerializer(batched, other)
        for msg in MESSAGES:
            msg.uncache()
            (received,) = reader.unserialize(writer.serialize(msg))
            assert_same(received, msg)
            assert received.enc_serializer is None


@pytest.mark.parametrize("codec", BUILTIN)
@given(args=st.lists(values, max_size=3), kwargs=st.dictionaries(texts, values))
def test_payloads_come_back_equal(codec, args, kwargs):
    msg = m.Event(1, 2, args=args, kwargs=kwargs)
    data = FlatBuffersObjectSerializer(payload_serializer=codec).serialize(msg)
    (received,) = READER.unserialize(data)
    assert_same(received, msg)


JSON_IS_PYTHONS = JsonObjectSerializer.JSON_MODULE is json


@pytest.mark.skipif(not JSON_IS_PYTHONS, reason="ujson has no binary: AUTOBAHN_USE_UJSON")
def test_json_keeps_binary_in_strings():
    msg = m.Event(1, 2, args=[b"\x00\xff"])
    data = FlatBuffersObjectSerializer(payload_serializer="json").serialize(msg)
    assert READER.unserialize(data)[0].args == [b"\x00\xff"]
    assert b'["\\u0000AP8="]' in data


@pytest.mark.parametrize("value", ["\0", "\0abc", "\0aGk=", ["\0"], ({"k": [1, "\0x"]},)])
@pytest.mark.parametrize("name", ["args", "kwargs"])
def test_text_that_json_would_read_as_binary_is_refused_when_it_is_written(name, value):
    serializer = FlatBuffersObjectSerializer(payload_serializer="json")
    msg = m.Event(1, 2, **{name: [value] if name == "args" else {"k": value}})
    with pytest.raises(ValueError, match=rf"EVENT\.{name}: .*begins with a zero character"):
        serializer.serialize(msg)


def test_json_accepts_zero_characters_where_they_are_text():
    msg = m.Event(1, 2, args=["a\0", '"\0'], kwargs={"k": {"\0": 'a"\0'}})
    data = FlatBuffersObjectSerializer(payload_serializer="json").serialize(msg)
    assert_same(READER.unserialize(data)[0], msg)


@pytest.mark.parametrize("codec", BUILTIN)
def test_the_serializer_says_its_codec_and_speaks_flatbuffers(codec):
    serializer = FlatBuffersSerializer(payload_serializer=codec)
    assert codec == serializer.PAYLOAD_SERIALIZER_ID
    assert serializer.SERIALIZER_ID == "flatbuffers"
    assert READER.unserialize(serializer.serialize(m.Event(1, 2, args=[7]))[0])[0].args == [7]
    assert isinstance(serializer.serialize_payload([1]), bytes)


@pytest.mark.filterwarnings("ignore:autobahn_fbs.install:RuntimeWarning")
@pytest.mark.parametrize("codec", BUILTIN)
def test_the_registry_accepts_the_ids_in_the_documentation(codec):
    autobahn_fbs.install()
    try:
        plain = create_transport_serializer(f"flatbuffers-{codec}")
        batched = create_transport_serializer(f"flatbuffers-{codec}.batched")
    finally:
        autobahn_fbs.uninstall()
    assert ("flatbuffers", codec) == (plain.SERIALIZER_ID, plain.PAYLOAD_SERIALIZER_ID)
    assert ("flatbuffers.batched", codec) == (batched.SERIALIZER_ID, batched.PAYLOAD_SERIALIZER_ID)


def test_an_unknown_codec_is_refused_when_configured():
    with pytest.raises(ValueError, match=r"unknown payload serializer 'nope'.*check the spelling"):
        FlatBuffersSerializer(payload_serializer="nope")
    with pytest.raises(ValueError, match=r"'x_never'.*: register it with autobahn_fbs\.register_p"):
        FlatBuffersSerializer(payload_serializer="x_never")


def test_a_custom_codec_is_sent_by_name(shouting):
    serializer = FlatBuffersObjectSerializer(payload_serializer=shouting)
    for msg in MESSAGES:
        data = serializer.serialize(msg)
        assert_same(READER.unserialize(data)[0], msg)
        assert (shouting.encode() in data) == (msg.args is not None or msg.kwargs is not None)


@pytest.mark.parametrize("dialect", ["autobahn", "schema"])
def test_a_codec_that_is_not_known_leaves_the_rest_readable(shouting, dialect):
    writer = FlatBuffersObjectSerializer(payload_serializer=shouting, dialect=dialect)
    msg = m.Event(1, 2, args=[1], kwargs={"a": 1}, publisher=7, topic="a.b")
    data = writer.serialize(msg)
    payloads.unregister_payload_serializer(shouting)
    reader = FlatBuffersObjectSerializer(dialect=dialect)
    (received,) = reader.unserialize(data)
    for name in ("args", "kwargs"):
        with pytest.raises(
            ProtocolError, match=rf"EVENT\.{name}: .*x_shouting.* is not registered"
        ):
            getattr(received, name)
    assert (received.topic, received.publisher, received.enc_serializer) == ("a.b", 7, None)
    assert received.args_view is not None
    assert reader.serialize(received) == data
    received.topic = "c.d"  # if changed, it is still sent with its original payload
    (again,) = reader.unserialize(reader.serialize(received))
    assert again.topic == "c.d" and bytes(again.args_view) == bytes(received.args_view)
    autobahn_fbs.register_payload_serializer(
        shouting, lambda v: b"", lambda v: json.loads(bytes(v[1:]))
    )
    assert again.args == [1]


def test_an_error_of_a_custom_codec_on_reading_is_a_protocol_error(shouting):
    data = FlatBuffersObjectSerializer(payload_serializer=shouting).serialize(
        m.Event(1, 2, args=[1])
    )
    broken = data.replace(b"![1]", b"?[1]")
    with pytest.raises(ProtocolError, match=r"EVENT\.args: .*ValueError: not shouting"):
        _ = READER.unserialize(broken)[0].args


def test_an_error_of_a_custom_codec_on_writing_names_the_attribute(shouting):
    serializer = FlatBuffersObjectSerializer(payload_serializer=shouting)
    with pytest.raises(TypeError, match=r"EVENT\.args: can't be encoded: TypeError"):
        serializer.serialize(m.Event(1, 2, args=[object()]))


class Silent(Exception):
    """An exception whose text can't be read."""

    def __str__(self) -> str:
        raise LookupError("no text")


def test_an_exception_without_a_text_is_named_by_its_type():
    def fail(value):
        raise Silent

    autobahn_fbs.register_payload_serializer("x_silent", lambda value: b"x", fail)
    try:
        serializer = FlatBuffersObjectSerializer(payload_serializer="x_silent")
        data = serializer.serialize(m.Event(1, 2, args=[1]))
        with pytest.raises(
            ProtocolError, match=r"EVENT\.args: payload can't be decoded: Silent \("
        ):
            _ = READER.unserialize(data)[0].args
        autobahn_fbs.register_payload_serializer("x_silent", fail, fail)
        with pytest.raises(ValueError, match=r"EVENT\.args: can't be encoded: Silent$"):
            serializer.serialize(m.Event(1, 2, args=[1]))
    finally:
        payloads.unregister_payload_serializer("x_silent")


def test_the_text_of_a_codecs_exception_has_nothing_that_a_terminal_acts_on():
    def fail(view):
        raise ValueError(bytes(view).decode())

    quoted = "é\x1b[31m\n\u202e".encode()
    autobahn_fbs.register_payload_serializer("x_quoting", lambda value: quoted, fail)
    try:
        serializer = FlatBuffersObjectSerializer(payload_serializer="x_quoting")
        data = serializer.serialize(m.Event(1, 2, args=[1]))
        with pytest.raises(ProtocolError) as caught:
            _ = READER.unserialize(data)[0].args
    finally:
        payloads.unregister_payload_serializer("x_quoting")
    text = r"EVENT.args: payload can't be decoded: ValueError: \xe9\x1b[31m\n\u202e (at offset "
    assert str(caught.value).startswith(text)


def test_a_custom_codec_must_return_bytes():
    autobahn_fbs.register_payload_serializer("x_wrong", lambda v: "text", lambda v: v)
    try:
        with pytest.raises(TypeError, match="returned str, not bytes"):
            FlatBuffersObjectSerializer(payload_serializer="x_wrong").serialize(
                m.Event(1, 2, args=[])
            )
    finally:
        payloads.unregister_payload_serializer("x_wrong")


@pytest.mark.parametrize("id", ["cbor", "x_", "x_a", "X_a", "x_A", "x_a b", "x_abc\n", 5, ""])
def test_ids_of_custom_codecs_are_checked(id):
    with pytest.raises(ValueError, match="not of the form x_name, where"):
        autobahn_fbs.register_payload_serializer(id, pickle.dumps, pickle.loads)


def test_a_custom_codec_must_be_callable():
    with pytest.raises(TypeError, match="callable"):
        autobahn_fbs.register_payload_serializer("x_none", None, None)


def test_a_codec_may_use_the_serializer_itself():
    def dumps(value: object) -> bytes:
        inner = m.Event(9, 9, args=list(value) if isinstance(value, (list, tuple)) else [value])
        return READER.serialize(inner)

    def loads(view: memoryview) -> object:
        return READER.unserialize(view)[0].args

    autobahn_fbs.register_payload_serializer("x_nested", dumps, loads)
    try:
        serializer = FlatBuffersObjectSerializer(payload_serializer="x_nested")
        msg = m.Publish(1, "a.b", args=[1, "two"])
        assert READER.unserialize(serializer.serialize(msg))[0].args == [1, "two"]
    finally:
        payloads.unregister_payload_serializer("x_nested")


def test_a_changed_message_is_written_with_the_codec_of_the_writer():
    data = FlatBuffersObjectSerializer(payload_serializer="json").serialize(m.Event(1, 2, args=[1]))
    (received,) = READER.unserialize(data)
    received.args.append(2)
    rewritten = READER.serialize(received)
    assert b"\x82\x01\x02" in rewritten and READER.unserialize(rewritten)[0].args == [1, 2]


# ---- payload_codec


def received_with(codec: str, message: m.Message) -> m.Message:
    [received] = READER.unserialize(
        FlatBuffersObjectSerializer(payload_serializer=codec).serialize(message)
    )
    return received


@pytest.mark.parametrize("codec", BUILTIN)
@pytest.mark.parametrize("message", [each for each in MESSAGES if each.args or each.kwargs])
def test_a_received_message_names_its_codec(codec, message):
    assert received_with(codec, message).payload_codec == codec


@pytest.mark.parametrize("message", [m.Result(1), m.Event(1, 2, payload=b"x")])
def test_a_message_without_args_and_kwargs_names_no_codec(message):
    assert received_with("json", message).payload_codec is None


def test_a_custom_codec_is_named_where_it_is_not_registered(shouting):
    received = received_with(shouting, m.Event(1, 2, args=[1]))
    payloads.unregister_payload_serializer(shouting)
    assert received.payload_codec == shouting


def test_the_codec_is_that_of_the_views_so_assigned_attributes_have_none():
    received = received_with("flexbuffers", m.Event(1, 2, args=[1], kwargs={"a": 1}))
    received.args = [2]
    assert received.payload_codec == "flexbuffers"
    received.kwargs = {"b": 2}
    assert (received.args_view, received.kwargs_view, received.payload_codec) == (None,) * 3


def test_the_codec_of_a_message_that_the_constructor_made_is_none():
    assert type(received_with("json", m.Result(1)))(1, args=[1]).payload_codec is None


def test_messages_without_a_payload_have_no_such_attribute():
    assert not hasattr(received_with("json", m.Published(1, 2)), "payload_codec")


@pytest.mark.parametrize(
    ("number", "name", "id"),
    [(0, None, "cbor"), (3, None, "cbor"), (5, None, "opaque"), (5, 7, "opaque"), (99, None, "99")],
)
def test_codecs_that_cannot_be_decoded_have_an_id_too(number, name, id):
    assert payloads.codec_id(number, name) == id


# ---- errors about values that no codec takes


@dataclasses.dataclass
class Reading:
    celsius: float


def error_of(codec: str, **payload: object) -> str:
    serializer = FlatBuffersObjectSerializer(payload_serializer=codec)
    with pytest.raises((TypeError, ValueError)) as caught:
        serializer.serialize(m.Event(1, 2, **payload))
    assert caught.value.__cause__ is not None
    return str(caught.value)


@pytest.mark.parametrize("codec", BUILTIN)
def test_an_error_about_a_value_says_where_it_is_and_what_to_do(codec):
    text = error_of(codec, args=[{"deep": [0, {"x": Reading(20.5)}]}])
    assert text.startswith("EVENT.args: can't be encoded: ")
    assert text.endswith(', at [0]["deep"][1]["x"]; send dataclasses.asdict() of it')
    text = error_of(codec, kwargs={"fine": 1, "a": object()})
    assert text.startswith("EVENT.kwargs: can't be encoded: ")
    assert ', at ["a"]; convert it first, or register a codec' in text


def test_the_advice_fits_the_type():
    assert "; it has no time zone: " in error_of("cbor", args=[datetime.datetime(2026, 1, 1)])
    assert "; send .isoformat() of it" in error_of("json", args=[datetime.date(2026, 1, 1)])
    array = type("ndarray", (), {"__module__": "numpy", "__len__": lambda self: 1})()
    for codec in BUILTIN:
        assert "; it is numpy.ndarray: send its .tolist()" in error_of(codec, args=[array])


def test_the_advice_is_not_to_use_the_codec_that_is_used():
    for value, remedy in (
        (datetime.time(1), ".isoformat() of it"),
        (datetime.timedelta(1), ".total_seconds() of it"),
        (re.compile("a"), "its .pattern"),
        (decimal.Decimal("1" * 3000), "str() of it"),
        ({(i, i) for i in range(300)}, "a list of it"),
    ):
        assert error_of("cbor", args=[value]).endswith(f", at [0]; send {remedy}")


def test_the_advice_for_durations_and_times_fits_every_codec():
    assert "; send .total_seconds() of it" in error_of("json", args=[datetime.timedelta(1)])
    assert error_of("json", args=[datetime.time(1)]).endswith("; send .isoformat() of it")


@pytest.mark.parametrize("codec", BUILTIN)
def test_a_value_that_contains_itself_is_called_that_at_its_first_place(codec):
    loop: dict[str, object] = {}
    loop["k"] = [0, loop]
    text = error_of(codec, args=[1, {"a": loop}])
    assert text.endswith("; it contains itself")
    if codec != "flexbuffers":  # which states where it stopped
        assert text.endswith(', at [1]["a"]; it contains itself')


@pytest.mark.parametrize("codec", ["cbor", "json"])
def test_what_to_send_instead_of_values_of_numpy_can_be_sent(codec):
    numpy = pytest.importorskip("numpy", reason="NOT TESTED: NumPy's values, which need NumPy")
    day, second = numpy.datetime64("2026-01-01"), numpy.timedelta64(1, "s")
    for value, remedy, instead in (
        (numpy.int32(1), "its .item()", numpy.int32(1).item()),
        (numpy.zeros(2), "its .tolist()", numpy.zeros(2).tolist()),
        (day, "str() of it", str(day)),
        (
            numpy.array([day]),
            ".astype(str).tolist() of it",
            numpy.array([day]).astype(str).tolist(),
        ),
        (
            second,
            'its seconds, (value / numpy.timedelta64(1, "s")).item()',
            (second / second).item(),
        ),
        (
            numpy.array([second]),
            'its seconds, (value / numpy.timedelta64(1, "s")).tolist()',
            (numpy.array([second]) / second).tolist(),
        ),
    ):
        assert error_of(codec, args=[value]).endswith(f"send {remedy}")
        FlatBuffersObjectSerializer(payload_serializer=codec).serialize(
            m.Event(1, 2, args=[instead])
        )


def test_the_search_for_a_bad_value_ends():
    circle: list[object] = []
    circle.append(circle)
    assert error_of("cbor", args=circle).endswith("; it contains itself")
    many = [0] * 5000 + [object()]
    assert ", at " not in error_of("json", args=many)
    assert ', at ["' + "k" * 40 in error_of("json", args=[], kwargs={"k" * 5000: object()})


def test_the_error_about_a_number_that_a_codec_lacks_has_a_place_and_advice():
    assert error_of("msgpack", args=[[1, 2**70]]).endswith(
        ", at [0][1]; it takes more than 64 bits: send str() of it, or use the payload serializer"
        " cbor"
    )


class Color(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (Color.RED, "; send its .value"),
        ({1}, "; send a list of it, or use the payload serializer cbor"),
        (uuid.UUID(int=7), "; send str() of it, or use the payload serializer cbor"),
    ],
    ids=["enum", "set", "UUID"],
)
def test_an_error_about_a_common_type_says_what_to_send(value, remedy):
    assert error_of("msgpack", args=[{"deep": [value]}]).endswith(f', at [0]["deep"][0]{remedy}')


def test_an_error_about_an_element_of_a_set_names_the_element():
    assert ", at [0][0]; convert it first" in error_of("cbor", args=[{object}])


@pytest.mark.parametrize(("codec", "library"), [("ubjson", "bjdata"), ("msgpack", "msgpack")])
def test_a_codec_without_its_library_names_the_library(codec, library, monkeypatch):
    monkeypatch.delitem(SERID_TO_OBJSER, codec, raising=False)
    with pytest.raises(ValueError, match=f"install {library}.*, which it needs"):
        FlatBuffersObjectSerializer(payload_serializer=codec)
