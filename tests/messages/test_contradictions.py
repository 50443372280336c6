"""If a message states a fact twice, both must agree; otherwise, readers of one place would see
other values than readers of the other."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer, payloads
from support.wirebuild import build

READERS = {
    dialect: FlatBuffersObjectSerializer(dialect=dialect) for dialect in ("autobahn", "schema")
}
TICKET, CRA = 1, 2
JSON, CBOR, NAMED = 1, 3, 5


def challenge(dialect: str, fields: dict[str, Any], details: dict[str, Any] | None = None) -> Any:
    metadata = None if details is None else cbor2.dumps(details)
    data = build("Challenge", fields, metadata=metadata, schema_dialect=dialect == "schema")
    (msg,) = READERS[dialect].unserialize(data)
    return msg


@pytest.mark.parametrize("dialect", READERS)
@pytest.mark.parametrize("name", ["cryptosign", "wampcra", "x_other", "", "TICKET", "ticket2"])
def test_a_method_and_another_name_are_refused(dialect, name):
    with pytest.raises(ProtocolError, match=r"CHALLENGE.*contradicts"):
        challenge(dialect, {"method": TICKET, "method_name": name})
    with pytest.raises(ProtocolError, match=r"CHALLENGE.*contradicts"):
        challenge(dialect, {"method": TICKET, "method_name": name}, {})


@pytest.mark.parametrize("dialect", READERS)
def test_a_method_and_its_name_are_accepted(dialect):
    assert challenge(dialect, {"method": CRA, "method_name": "wampcra"}).method == "wampcra"
    assert challenge(dialect, {"method_name": "x_other"}).method == "x_other"


@pytest.mark.parametrize("method", ["x_other", "ticket", None])
@pytest.mark.parametrize("fields", [{"method": CRA}, {"method_name": "wampcra"}])
def test_metadata_does_not_name_another_method(fields, method):
    with pytest.raises(ProtocolError, match=r"CHALLENGE\.method: metadata entry"):
        challenge("autobahn", fields, {"method": method})
    assert challenge("autobahn", fields, {"method": "wampcra"}).method == "wampcra"


def event(number: int | None, name: Any) -> Any:
    fields = {"subscription": 1, "publication": 2, "args": cbor2.dumps([1])}
    data = build(
        "Event",
        fields | ({} if number is None else {"ppt_serializer": number}),
        metadata=cbor2.dumps({"ppt_serializer": name}),
    )
    (msg,) = READERS["autobahn"].unserialize(data)
    return msg


@pytest.mark.parametrize(
    ("number", "name"),
    [(None, "x_mine"), (0, "json"), (CBOR, "x_mine"), (CBOR, "json"), (JSON, "cbor"), (JSON, None)],
)
def test_a_codec_and_another_name_are_refused(number, name):
    with pytest.raises(ProtocolError, match=r"EVENT\.enc_serializer: .*contradicts"):
        event(number, name)


def test_a_codec_and_its_name_are_accepted():
    assert event(None, "cbor").args == [1]
    assert event(CBOR, "cbor").args == [1]
    payloads.register_payload_serializer("x_mine", bytes, lambda view: [bytes(view)])
    try:
        assert event(NAMED, "x_mine").args == [cbor2.dumps([1])]
    finally:
        payloads.unregister_payload_serializer("x_mine")
