"""Malformed CBOR is refused: the examples of RFC 8949, appendix F, even if other bytes surround or
follow them."""

from __future__ import annotations

import cbor2
import pytest
from autobahn.wamp.exception import ProtocolError

from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._backend import native
from support.wirebuild import build

OBJSER = FlatBuffersObjectSerializer()

MALFORMED = {
    "the input ends in a head": """
        18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000
        fb000000""",
    "strings of fewer bytes than they say": """
        41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203""",
    "arrays and maps that aren't complete": "81 818181818181818181 8200 a1 a20102 a100 a2000000",
    "a tag without a value": "c0",
    "strings of unknown length that don't end": "5f4100 7f6100",
    "arrays and maps of unknown length that don't end": """
        9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff""",
    "reserved additional information": """
        1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe""",
    "simple values in two bytes that fit one": "f800 f801 f818 f81f",
    "chunks of another kind": """
        5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff""",
    "chunks of unknown length": "5f5f4100ffff 7f7f6100ffff",
    "a break by itself": "ff",
    "a break in what has a length": """
        81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff 9f829f819f9fffffffff""",
    "a break instead of a value": "bf00ff bf000000ff",
    "integers and tags of unknown length": "1f 3f df",
}
EXAMPLES = [
    pytest.param(bytes.fromhex(example), id=f"{kind}: {example}")
    for kind, examples in MALFORMED.items()
    for example in examples.split()
]


@pytest.mark.parametrize("data", EXAMPLES)
def test_malformed_input_is_refused(data):
    with pytest.raises(cbor2.CBORDecodeError):
        native.cbor_loads(data)
    for around in (b"\x81", b"\xa1\x00", b"\x82\x01", b"\xbf\x61a", b"\xd9\xd9\xf7"):
        with pytest.raises(cbor2.CBORDecodeError):
            native.cbor_loads(around + data)


@pytest.mark.parametrize("data", EXAMPLES)
def test_a_message_with_malformed_input_is_refused_when_the_input_is_read(data):
    ids = {"subscription": 1, "publication": 2}
    for fields in ({"args": b"\x81" + data}, {"kwargs": b"\xa1\x61a" + data}):
        (msg,) = OBJSER.unserialize(build("Event", ids | fields))
        with pytest.raises(ProtocolError, match=r"EVENT\.(kw)?args"):
            _ = (msg.args, msg.kwargs)
    with pytest.raises(ProtocolError, match="metadata"):
        OBJSER.unserialize(build("Event", ids, metadata=b"\xa1\x61a" + data))
