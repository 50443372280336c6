"""``dump`` and ``verify`` end properly for any file: no traceback, linear time and memory."""

from __future__ import annotations

import io
import json
import pickle
import time
from pathlib import Path

import cbor2
import pytest

from autobahn_fbs import FlatBuffersObjectSerializer, Limits
from autobahn_fbs.__main__ import main
from autobahn_fbs._backend import native
from autobahn_fbs._cli import sources
from autobahn_fbs._cli.sources import decode
from autobahn_fbs._cli.terminal import to_json, to_text
from support.hostile import shared_vector
from support.wirebuild import build

#: More digits than the interpreter converts to decimal.
HUGE = 10**5000


def event(args: bytes = b"\x80", **more: object) -> bytes:
    return build("Event", {"subscription": 1, "publication": 2, "args": args, **more})


def batch(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


ODD = {
    "value": event(cbor2.dumps([HUGE])),
    "key": event(cbor2.dumps([{HUGE: -HUGE}])),
    "custom attribute": build(
        "Welcome", {"session": 1}, metadata=cbor2.dumps({"x_huge": {"a": HUGE}})
    ),
    "codec": build(
        "Event",
        {"subscription": 1, "publication": 2, "args": b"\x80", "ppt_serializer": 5},
        metadata=cbor2.dumps({"ppt_serializer": HUGE}),
    ),
    "tagged": event(cbor2.dumps([cbor2.CBORTag(4000, HUGE)])),
    "rational": event(b"\x81\xd8\x1e\x82\xc2\x59\x01\xf0" + b"\x7f" * 496 + b"\x03"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("verb", [["dump"], ["dump", "--json"], ["dump", "--full"], ["verify"]])
def test_each_message_of_a_batch_has_its_line(odd, verb, tmp_path: Path, capsys):
    path = tmp_path / "batch"
    path.write_bytes(batch(event(), odd, event(cbor2.dumps(["the last one"]))))
    assert main([*verb, str(path)]) in (0, 1)
    out = capsys.readouterr().out
    if verb[0] == "dump":
        assert "the last one" in out
    if "--json" in verb:
        assert len([json.loads(line) for line in out.splitlines()]) == 3


class TooLarge(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise MemoryError


@pytest.mark.parametrize("verb", ["dump", "verify"])
def test_a_file_larger_than_the_memory_is_named(verb, tmp_path: Path, monkeypatch, capsys):
    path = tmp_path / "large.bin"
    path.write_bytes(event())
    monkeypatch.setattr(sources, "open", lambda *_: TooLarge(), raising=False)
    assert main([verb, str(path)]) == 1
    output = capsys.readouterr()
    assert f"{path}: too large for the memory" in output.out + output.err


def nested_keys(depth: int) -> bytes:
    return b"\xa1" * depth + b"\xa0" + b"\xf6" * depth


@pytest.mark.parametrize("show", [lambda value: to_text(value, None), to_json])
def test_maps_as_keys_of_maps_are_shown_in_linear_size(show):
    for depth in (10, 20, 30):  # deeper ones are refused
        value = native.cbor_loads(b"\x81" + nested_keys(depth))
        assert len(show(value)) < 100 * depth
    value = native.cbor_loads(b"\x81\xa1" * 20 + b"\x61\\" + b"\xf6" * 20)
    assert len(show(value)) < 2000


def test_a_long_key_is_cut():
    value = {tuple(range(100_000)): 1}
    assert len(to_text(value, None)) < 20_000
    assert "…" in to_text(value, None)


@pytest.mark.parametrize("text", [b" ", b"A ", b"=", b"0", b"\n", b"a-"])
@pytest.mark.parametrize("end", [b"\0", b"=\0", b" = \0"])
def test_a_long_text_like_input_is_recognized_in_linear_time(text, end):
    def seconds(size: int) -> float:
        data = text * (size // len(text)) + end
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            assert decode(data, "auto") == data
            best = min(best, time.process_time() - start)
        return best

    assert seconds(160_000) < 40 * max(seconds(20_000), 1e-4)


def test_text_is_recognized_as_before():
    assert decode(b"0x 00 ff\n", "auto") == b"\0\xff"
    assert decode(b"AP8= \n", "auto") == b"\0\xff"
    assert decode(b" AP-_ \n=\n", "auto") == b"\0\xff\xbf"


def test_a_message_accepted_with_higher_limits_unpickles():
    data = shared_vector("exclude_authid", 60_000, 400)
    (msg,) = FlatBuffersObjectSerializer(
        limits=Limits(apparent_size=2**30, apparent_factor=2**16)
    ).unserialize(data)
    again = pickle.loads(pickle.dumps(msg))
    assert again.exclude_authid == msg.exclude_authid


@pytest.mark.parametrize("limits", [5, "1234", [1, 2, 3, 4], (1, 2, 3), (1, 2, 3, "4")])
def test_limits_of_the_native_serializer_are_a_tuple_of_integers(limits):
    with pytest.raises((TypeError, ValueError)):
        native.ObjectSerializer(False, False, 0, None, limits)
