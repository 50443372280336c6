"""Input that would harm bjdata doesn't reach it; everything that it writes does."""

from __future__ import annotations

import random
import struct
import time
from decimal import Decimal

import pytest
from autobahn.wamp import message as m
from autobahn.wamp.exception import ProtocolError
from autobahn.wamp.serializer import SERID_TO_OBJSER
from hypothesis import given
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer, payloads
from autobahn_fbs._ubjson_guard import check
from support.programs import run_python
from support.wirebuild import build

ubjson = pytest.mark.skipif(
    "ubjson" not in payloads.known_ids(), reason="NOT TESTED: UBJSON, which needs bjdata"
)
OBJSER = FlatBuffersObjectSerializer()

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def refused(data: bytes, match: str = "UBJSON") -> None:
    with pytest.raises(ValueError, match=match):
        check(memoryview(data))


@ubjson
@given(st.lists(values))
def test_the_output_of_bjdata_is_accepted(value):
    import bjdata

    for counts in (False, True):
        data = bjdata.dumpb(value, container_count=counts)
        check(memoryview(data))
        for _ in range(5):
            refused(data[: random.randrange(len(data))])
        refused(data + b"Z", "after its end")


@ubjson
def test_arrays_of_numpy_are_accepted():
    import bjdata

    numpy = pytest.importorskip("numpy", reason="NOT TESTED: numpy arrays, which need numpy")
    for kind in ("uint8", "int8", "int16", "uint32", "int64", "float32", "float64", "bool"):
        for shape in ((3,), (2, 3), (2, 3, 4), (0,), (2, 0), (300, 2)):
            data = bjdata.dumpb([numpy.zeros(shape, dtype=kind), 1])
            check(memoryview(data))
            refused(data[:-2])


def test_numbers_of_py_ubjson_have_their_most_significant_byte_first():
    text = memoryview(b"[SI\x01\x2c" + 300 * b"a" + b"[$i#I\x01\x00" + bytes(256) + b"]")
    check(text, "big")
    refused(bytes(text), "ends too early")


def test_the_output_of_py_ubjson_is_accepted(monkeypatch):
    library = pytest.importorskip("ubjson", reason="NOT TESTED: py-ubjson is not installed")

    class Codec:
        UBJSON_MODULE = library

        def unserialize(self, data):
            return [library.loadb(data)]

    monkeypatch.setitem(SERID_TO_OBJSER, "ubjson", Codec)
    for value in ([300 * "a"], {"k" * 70000: [1, -1, 70000, 2**40, 0.5, None, True, b"x" * 300]}):
        for options in ({}, {"container_count": True}):
            data = memoryview(library.dumpb(value, **options))
            assert payloads.loads(payloads.NUMBERS["ubjson"], None, data) == value


@ubjson
def test_args_in_ubjson_come_back_unchanged():
    args = [1, -1, "text", "x", None, True, 0.5, b"bytes", [[], {}], {"a": {"b": [1]}}, 2**70]
    serializer = FlatBuffersObjectSerializer(payload_serializer="ubjson")
    (msg,) = OBJSER.unserialize(serializer.serialize(m.Event(1, 2, args=args)))
    assert msg.args == [*args[:-1], Decimal(2**70)]


def little(marker: bytes, number: int) -> bytes:
    return marker + struct.pack("<q" if marker == b"L" else "<i", number)


HUGE = little(b"l", 2**31 - 1)
BOMBS = {
    "bools": b"[$T#" + HUGE,
    "nulls in an array of arrays": b"[$[#U\x01$Z#" + HUGE,
    "nulls in an object of arrays": b"{$[#U\x01U\x01a$Z#" + HUGE,
    "null fields": b"{$Z#" + HUGE,
    "an array in an array": b"[[$F#" + HUGE + b"]",
    "nulls in two dimensions": b"[$Z#[" + HUGE + HUGE + b"]",
    "bytes in two dimensions": b"[$U#[" + HUGE + HUGE + b"]",
    "dimensions of which the product is 0": b"[$D#[" + little(b"L", 2**62) * 2 + b"U\x00]",
    "dimensions of which the product wraps": b"[$d#["
    + little(b"L", 2**62)
    + little(b"L", 4)
    + b"]"
    + bytes(32),
    "many dimensions": b"[$U#[" + b"U\x01" * 1000 + b"]U",
    "dimensions within dimensions": b"[$U#" * 100_000,
    "dimensions without a type": b"[#" * 100_000,
    "a structure of arrays": b"[${U\x01aZ}#" + HUGE,
    "a structure of arrays by columns": b"{${U\x01aZ}#" + HUGE,
    "a claim": b"[#" + HUGE,
    "a long string": b"[S" + HUGE,
    "a long key": b"{" + HUGE,
    "a negative length": b"[SI\xff\xff]",
    "strings of one type": b"[$S#U\x01U\x00",
    "no operation": b"N" * 100,
    "nothing": b"",
    "nesting": b"[" * 257 + b"]" * 257,
    "more nesting": b"[" * 1_000_000,
    "counted nesting": b"[#U\x01" * 100_000,
    "nested objects": b"{U\x01a" * 100_000,
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_input_that_would_harm_bjdata_is_refused(data):
    refused(data)
    event = build("Event", {"subscription": 1, "publication": 2, "args": data, "ppt_serializer": 4})
    (msg,) = OBJSER.unserialize(event)
    with pytest.raises(ProtocolError, match=r"EVENT\.args"):
        _ = msg.args


def test_nesting_is_accepted_up_to_its_limit():
    check(memoryview(b"[" * 256 + b"]" * 256))


def test_every_text_is_accepted():
    """Only the structure is checked."""
    for text in (b"[$Z#l", b"[$[#U", b"[$U#[", b"{$"):
        check(memoryview(b"[SU" + bytes([len(text)]) + text + b"]"))
        check(memoryview(b"[[$B#U" + bytes([len(text)]) + text + b"]"))


def test_checking_takes_linear_time():
    def seconds(data: bytes) -> float:
        start = time.process_time()
        check(memoryview(data))
        return time.process_time() - start

    for piece in (b"Z", b"SU\x01a", b"[]", b"[$U#U\x01a", b"{}", b"N", b"[#U\x00"):
        small, large = (b"[" + piece * count + b"]" for count in (5_000, 40_000))
        assert seconds(large) < 40 * min(seconds(small) for _ in range(3)) + 0.01, piece


MUTATE = """
import random, sys, warnings
warnings.simplefilter("ignore")
import bjdata
from autobahn_fbs._ubjson_guard import check
random.seed(5)
words = [bytes([b]) for b in b"[]{}$#ZNTFiUIulmLMhdDCSHB"] + [
    b"U\\x01", b"U\\x00", b"#U\\x02", b"[$U#", b"#["]
seeds = [bjdata.dumpb(v, container_count=c) for c in (0, 1) for v in
         ([1, "text", None, 2.5, b"bytes", [True, [], {}], {"a": {"b": [1, 300, 70000]}}, 2**70],
          {"k": [{"a": 1}] * 5}, [[[[b""]]]])]
seeds.append(b"[[$D#[U\\x01U\\x02]" + bytes(16) + b"]")
read = 0
for _ in range(30000):
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(data) + 1)
        data[at : at + random.choice((0, 0, 1, 2))] = random.choice(words)
    try:
        check(memoryview(data))
    except ValueError:
        continue
    try:
        bjdata.loadb(bytes(data))
        read += 1
    except (bjdata.DecoderException, ValueError):
        pass
assert read > 500, read
print("done")
"""


@ubjson
def test_accepted_input_crashes_nothing():
    """In a process of its own, which may crash: random changes of bjdata's output."""
    done = run_python("-c", MUTATE)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-2000:]
