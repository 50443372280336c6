"""Errors about bytes that aren't messages: they say what the bytes look like, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.wamp import message
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.serializer import create_transport_serializer
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer
from support.samples import every_sample

HELLO = next(each for each in every_sample() if isinstance(each, message.Hello))
PUBLISH = message.Publish(7, "com.example.topic", args=[1])
CLIENT_HELLO = bytes.fromhex("160301020001 0001fc0303") + bytes(range(64))


def refusal(data: bytes, **settings: Any) -> str:
    with pytest.raises(ProtocolError) as caught:
        FlatBuffersObjectSerializer(**settings).unserialize(data)
    return str(caught.value)


def written(id: str, msg: message.Message) -> bytes:
    try:
        data, _ = create_transport_serializer(id).serialize(msg)
    except RuntimeError as error:
        pytest.skip(f"NOT TESTED: {error}")
    return bytes(data)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("there", ["", ".batched"])
@pytest.mark.parametrize("msg", [HELLO, PUBLISH], ids=["HELLO", "PUBLISH"])
@pytest.mark.parametrize(
    ("id", "name"),
    [("json", "JSON"), ("msgpack", "MessagePack"), ("cbor", "CBOR"), ("ubjson", "UBJSON")],
)
def test_another_serializer_is_recognized(
    id: str, name: str, msg: message.Message, there: str, batched: bool
) -> None:
    text = refusal(written(id + there, msg), batched=batched)
    assert text.endswith(f"; it looks like {name}: does the peer use wamp.2.{id}?")
    assert " at offset 0" in text


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n", "an HTTP request"),
        (CLIENT_HELLO, "TLS"),
    ],
    ids=["HTTP", "TLS"],
)
def test_another_protocol_is_recognized(data: bytes, expected: str, batched: bool) -> None:
    assert f"; it looks like {expected}: does the peer" in refusal(data, batched=batched)


def test_a_batch_without_batched_mode_is_recognized() -> None:
    batch = b"".join(FlatBuffersObjectSerializer(True).serialize(m) for m in (HELLO, PUBLISH))
    text = refusal(batch)
    assert text.endswith(
        "; it is valid with batched=True (flatbuffers.batched): configure both sides alike"
    )


def test_a_single_message_in_batched_mode_is_recognized() -> None:
    text = refusal(FlatBuffersObjectSerializer().serialize(PUBLISH), batched=True)
    assert text.startswith("batch: message length runs past the frame at offset 0")
    assert text.endswith(
        "; it is valid with batched=False (flatbuffers): configure both sides alike"
    )


@pytest.mark.parametrize(("here", "there"), [("autobahn", "schema"), ("schema", "autobahn")])
def test_the_other_dialect_is_recognized(here: str, there: str) -> None:
    msg = message.Unregistered(3)
    text = refusal(FlatBuffersObjectSerializer(dialect=there).serialize(msg), dialect=here)
    assert text.endswith(f'; it is valid with dialect="{there}": configure both sides alike')


def test_a_batch_of_the_other_dialect_is_recognized() -> None:
    data = FlatBuffersObjectSerializer(True, dialect="schema").serialize(PUBLISH)
    assert refusal(data).endswith(
        '; it is valid with batched=True (flatbuffers.batched) and dialect="schema": '
        "configure both sides alike"
    )


@pytest.mark.parametrize("batched", [False, True])
def test_a_damaged_message_is_not_mistaken_for_anything_else(batched: bool) -> None:
    data = FlatBuffersObjectSerializer(batched).serialize(PUBLISH)
    for size in range(1, len(data) - 8):  # the end may be padding
        assert "; it " not in refusal(data[:size], batched=batched)


def test_a_message_with_bad_metadata_is_not_mistaken_for_one_of_the_other_dialect() -> None:
    """It is valid except for its metadata, and HELLO has the same tag in both dialects."""
    hello = message.Hello("realm1", HELLO.roles, authextra={"x": 1})
    data = FlatBuffersObjectSerializer().serialize(hello)
    text = refusal(data.replace(b"authextra", b"authext\xffa"))
    assert "metadata" in text and "; it " not in text


def test_only_the_start_of_a_long_message_is_examined() -> None:
    """The dialect is not tested, so that refusing stays cheap."""
    long = message.Publish(7, "com.example.topic", args=["x" * 20000])
    assert "; it " not in refusal(FlatBuffersObjectSerializer(dialect="schema").serialize(long)[4:])
    assert "; it looks like JSON" in refusal(written("json", long))


@given(st.binary(max_size=80), st.booleans())
def test_the_text_contains_no_part_of_the_bytes(data: bytes, batched: bool) -> None:
    try:
        FlatBuffersObjectSerializer(batched).unserialize(b"[1,secret" + data)
    except ProtocolError as error:
        assert "secret" not in str(error)
