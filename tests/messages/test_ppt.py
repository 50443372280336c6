"""Payload passthru: the cipher, and end-to-end encryption with Autobahn's own keyring."""

from __future__ import annotations

import copy
import pickle

import cbor2
import pytest
from autobahn.wamp import message as m
from autobahn.wamp import serializer as upstream
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer, ppt
from support.wirebuild import build

OBJSER = FlatBuffersObjectSerializer()
CARRIERS = [
    m.Publish(
        1, "a.b", payload=b"secret", enc_algo="cryptobox", enc_key="k", enc_serializer="cbor"
    ),
    m.Event(1, 2, payload=b"", enc_algo="mqtt"),
    m.Call(1, "a.b", payload=b"x", enc_algo="xbr", enc_serializer="json"),
    m.Invocation(1, 2, payload=b"x", enc_algo="x_own", enc_serializer="x_mine"),
    m.Yield(1, payload=b"x", enc_algo="cryptobox"),
    m.Result(1, payload=b"x", enc_algo="cryptobox"),
    m.Error(48, 1, "a.b", payload=b"x", enc_algo="cryptobox"),
]
CIPHERS = ["xsalsa20poly1305", "aes256gcm", "x_own"]


@pytest.mark.parametrize("msg", CARRIERS, ids=lambda msg: type(msg).__name__)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("dialect", ["autobahn", "schema"])
def test_the_cipher_reaches_the_wire_and_comes_back(msg, cipher, dialect):
    objser = FlatBuffersObjectSerializer(dialect=dialect)
    (received,) = objser.unserialize(objser.serialize(ppt.with_cipher(msg, cipher)))
    assert received.ppt_cipher == ppt.cipher_of(received) == cipher
    assert received == msg and msg == received
    assert (received.enc_algo, received.enc_serializer) == (msg.enc_algo, msg.enc_serializer)


def test_a_message_without_cipher_is_not_changed_by_it():
    for msg in CARRIERS:
        assert ppt.cipher_of(msg) is None
        assert OBJSER.serialize(ppt.with_cipher(msg, None)) == OBJSER.serialize(msg)
        assert OBJSER.unserialize(OBJSER.serialize(msg))[0].ppt_cipher is None


def test_a_message_from_autobahns_reader_keeps_its_content():
    data = OBJSER.serialize(m.Event(1, 2, payload=b"secret", enc_algo="mqtt", topic="a.b"))
    (read,) = upstream.FlatBuffersSerializer().unserialize(data)
    sent = ppt.with_cipher(read, "aes256gcm")
    (received,) = OBJSER.unserialize(OBJSER.serialize(sent))
    assert (received.subscription, received.publication, received.topic) == (1, 2, "a.b")
    assert (received.payload, received.enc_algo) == (b"secret", "mqtt")
    assert received.ppt_cipher == "aes256gcm"


def test_a_received_cipher_is_sent_on_when_something_else_changes():
    sent = ppt.with_cipher(CARRIERS[0], "aes256gcm")
    (received,) = OBJSER.unserialize(OBJSER.serialize(sent))
    received.topic = "c.d"
    (again,) = OBJSER.unserialize(OBJSER.serialize(received))
    assert (again.topic, again.ppt_cipher, again.payload) == ("c.d", "aes256gcm", b"secret")


def test_a_cipher_can_be_set_on_a_received_message():
    (received,) = OBJSER.unserialize(OBJSER.serialize(CARRIERS[1]))
    received.ppt_cipher = "x_mine"
    assert OBJSER.unserialize(OBJSER.serialize(received))[0].ppt_cipher == "x_mine"
    received.ppt_cipher = None
    assert OBJSER.serialize(received) == OBJSER.serialize(CARRIERS[1])


@pytest.mark.parametrize("cipher", ["rot13", "", 5, "null"])
def test_a_cipher_that_wamp_does_not_define_is_refused(cipher):
    with pytest.raises(ValueError, match=r"ppt_cipher: .* is not a cipher"):
        ppt.with_cipher(CARRIERS[0], cipher)


def test_copies_keep_the_cipher():
    (received,) = OBJSER.unserialize(OBJSER.serialize(ppt.with_cipher(CARRIERS[0], "x_own")))
    for twin in (
        copy.copy(received),
        copy.deepcopy(received),
        pickle.loads(pickle.dumps(received)),
    ):
        assert twin.ppt_cipher == "x_own" and twin == received


def test_a_cipher_without_payload_is_refused():
    msg = ppt.with_cipher(m.Event(1, 2, args=[1]), "x_own")
    with pytest.raises(ValueError, match=r"EVENT\.ppt_cipher: is only allowed with payload"):
        OBJSER.serialize(msg)


def test_messages_without_payload_have_no_cipher():
    with pytest.raises(TypeError, match="Subscribe messages have no payload"):
        ppt.with_cipher(m.Subscribe(1, "a.b"), "x_own")


def test_two_messages_that_differ_in_their_cipher_are_not_equal():
    one, two = (
        OBJSER.unserialize(OBJSER.serialize(ppt.with_cipher(CARRIERS[0], c)))[0]
        for c in CIPHERS[:2]
    )
    assert one != two


def test_a_cipher_with_an_unknown_number_is_refused():
    data = bytearray(OBJSER.serialize(ppt.with_cipher(CARRIERS[1], "aes256gcm")))
    plain = OBJSER.serialize(ppt.with_cipher(CARRIERS[1], "xsalsa20poly1305"))
    (place,) = [i for i, (a, b) in enumerate(zip(data, plain, strict=True)) if a != b]
    data[place] = 9
    with pytest.raises(ProtocolError, match=r"EVENT\.ppt_cipher: value is not in its enumeration"):
        OBJSER.unserialize(bytes(data))


# Accepted messages can be forwarded in the other dialect, too: writing such a message is refused.


def test_a_cipher_without_a_scheme_is_refused():
    data, other = (
        OBJSER.serialize(ppt.with_cipher(m.Event(1, 2, payload=b"", enc_algo=algo), "aes256gcm"))
        for algo in ("mqtt", "xbr")
    )
    (place,) = [i for i, (a, b) in enumerate(zip(data, other, strict=True)) if a != b]
    with pytest.raises(ProtocolError, match=r"EVENT\.enc_algo: .* ppt_cipher without enc_algo"):
        OBJSER.unserialize(data[:place] + b"\0" + data[place + 1 :])


@pytest.mark.parametrize("schema_dialect", [False, True], ids=["autobahn", "schema"])
def test_a_cipher_in_the_metadata_without_a_scheme_is_refused(schema_dialect):
    fields = {"request": 1, "topic": "a.b", "payload": b"x"}
    metadata = cbor2.dumps({"ppt_cipher": "x_own"})
    data = build("Publish", fields, metadata=metadata, schema_dialect=schema_dialect)
    reader = FlatBuffersObjectSerializer(dialect="schema" if schema_dialect else "autobahn")
    with pytest.raises(ProtocolError, match=r"PUBLISH\.enc_algo: is required with ppt_cipher"):
        reader.unserialize(data)
