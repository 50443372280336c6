"""The official WAMP test vectors: their content can be read, and written to the same bytes.

``support.vectors`` has them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message, role
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.message import Message
from autobahn.wamp.serializer import Serializer

from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import assert_same, attribute_names, canonical
from support.vectors import VECTORS
from support.wirebuild import build

SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "singlemessage"

#: Content that the vectors' writer drops, so that our bytes say more than theirs.
DROPPED = {"HELLO": "roles", "WELCOME": "roles"}

RENAMED = {
    "request_id": "request",
    "session_id": "session",
    "publication_id": "publication",
    "subscription_id": "subscription",
    "registration_id": "registration",
}


def name_of(sample: dict[str, Any]) -> str:
    return str(sample["description"])


def expected(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample's expected attributes under Autobahn's names."""
    result: dict[str, Any] = {}
    for name, value in sample["expected_attributes"].items():
        if name in ("details", "options"):
            result.update(value)
        elif name == "payload" and value is not None:
            result[name] = bytes.fromhex(value)
        elif name == "roles":
            result[name] = {key: role.ROLE_NAME_TO_CLASS[key](**v) for key, v in value.items()}
        elif name != "message_type":
            result[RENAMED.get(name, name)] = value
    return result


def message_of(sample: dict[str, Any]) -> Message:
    """Autobahn's message with the sample's content."""
    klass = Serializer.MESSAGE_TYPE_MAP[sample["expected_attributes"]["message_type"]]
    return klass(**expected(sample))


def check_decoding(sample: dict[str, Any], serializer: FlatBuffersObjectSerializer) -> None:
    (msg,) = serializer.unserialize(bytes.fromhex(sample["bytes_hex"]))
    assert sample["expected_attributes"]["message_type"] == type(msg).MESSAGE_TYPE
    wanted = expected(sample)
    if sample["message"] in DROPPED:
        wanted[DROPPED[sample["message"]]] = {}
    for name, value in wanted.items():
        assert canonical(getattr(msg, name)) == canonical(value), name
    defaults = type(message_of(sample))(**expected(sample))
    for name in set(attribute_names(type(msg))) - set(wanted):
        assert canonical(getattr(msg, name)) == canonical(getattr(defaults, name)), name


def check_encoding(sample: dict[str, Any], serializer: FlatBuffersObjectSerializer) -> None:
    data = bytes.fromhex(sample["bytes_hex"])
    (received,) = serializer.unserialize(data)
    assert serializer.serialize(received) == data
    if sample["message"] not in DROPPED:
        assert serializer.serialize(message_of(sample)).hex() == sample["bytes_hex"]


@pytest.mark.parametrize("sample", VECTORS["encoded"], ids=name_of)
def test_a_vector_decodes_to_its_expected_attributes(sample, objser):
    check_decoding(sample, objser)


@pytest.mark.parametrize("sample", VECTORS["encoded"], ids=name_of)
def test_a_vector_is_encoded_to_the_same_bytes_again(sample, objser):
    check_encoding(sample, objser)


@pytest.mark.parametrize("sample", VECTORS["encoded"], ids=name_of)
def test_the_content_of_a_vector_round_trips(sample, any_serializer):
    msg = message_of(sample)
    (received,) = any_serializer.unserialize(any_serializer.serialize(msg))
    assert_same(received, msg)


def test_only_roles_change_the_bytes_of_a_vector(objser):
    differing = {
        sample["message"]
        for sample in VECTORS["encoded"]
        if objser.serialize(message_of(sample)).hex() != sample["bytes_hex"]
    }
    assert differing == set(DROPPED)


def raw_message(sample: dict[str, Any]) -> list[Any]:
    """The raw message; a transparent payload is hexadecimal in the vectors."""
    raw = list(sample["wmsg"])
    if isinstance(raw[-1], str) and len(raw) == 5:
        raw[-1] = bytes.fromhex(raw[-1])
    return raw


def typed_with_details(raw: list[Any]) -> bytes:
    """The positional part of a raw message in typed fields, its details as metadata."""
    if raw[0] == message.Event.MESSAGE_TYPE:
        table, details = "Event", raw[3]
        fields = {"subscription": raw[1], "publication": raw[2]}
    else:
        table, details = {16: "Publish", 32: "Subscribe"}[raw[0]], raw[2]
        fields = {"request": raw[1], "topic": raw[3]}
    if len(raw) == 5:
        payload = isinstance(raw[4], bytes)
        fields["payload" if payload else "args"] = raw[4] if payload else cbor2.dumps(raw[4])
    return build(table, fields, metadata=cbor2.dumps(details))


@pytest.mark.parametrize("sample", VECTORS["judged"], ids=name_of)
def test_a_raw_message_gets_the_verdict_of_the_vectors(sample, any_serializer):
    raw = raw_message(sample)
    klass = Serializer.MESSAGE_TYPE_MAP[raw[0]]
    if "expected_error" in sample:
        with pytest.raises(ProtocolError):
            any_serializer.serialize(raw)
    else:
        (received,) = any_serializer.unserialize(any_serializer.serialize(raw))
        assert_same(received, klass.parse(raw))


@pytest.mark.parametrize("sample", VECTORS["judged"], ids=name_of)
def test_details_in_the_metadata_get_the_verdict_of_the_vectors(sample, objser):
    raw = raw_message(sample)
    data = typed_with_details(raw)
    if "expected_error" in sample:
        with pytest.raises(ProtocolError) as caught:
            objser.unserialize(data)
        assert sample["expected_error"]["contains"] in str(caught.value)
    else:
        (received,) = objser.unserialize(data)
        assert_same(received, Serializer.MESSAGE_TYPE_MAP[raw[0]].parse(raw))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the complete vectors are not beside the checkout")
def test_the_copied_vectors_are_the_published_ones(objser):
    encoded = judged = 0
    for path in sorted(SHARED.glob("*/*.json")):
        published = json.loads(path.read_text(encoding="utf-8"))
        for sample in published["samples"]:
            sample = {**sample, "message": published["wamp_message_type"]}
            for entry in sample.get("serializers", {}).get("flatbuffers", []):
                encoded += 1
                check_decoding({**sample, **entry}, objser)
                check_encoding({**sample, **entry}, objser)
            judged += "wmsg" in sample
    assert (encoded, judged) == (len(VECTORS["encoded"]), len(VECTORS["judged"]))
