"""Nested CBOR: our own code writes it up to a limit, so that neither a small stack nor an endlessly
nested sequence ends the process. cbor2 gets only the leaves."""

from __future__ import annotations

import array
import collections
import decimal
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import cbor2
import pytest
from autobahn.wamp import message as m

from autobahn_fbs import FlatBuffersObjectSerializer, payloads
from autobahn_fbs._backend import native

OBJSER = FlatBuffersObjectSerializer()
HERE = Path(__file__).resolve().parent
LEAF = decimal.Decimal("1.5")
Point = collections.namedtuple("Point", "x y")

KINDS = {
    "list": lambda inner: [inner],
    "tuple": lambda inner: (inner,),
    "dict": lambda inner: {"k": inner},
    "list subclass": lambda inner: type("Own", (list,), {})([inner]),
    "named tuple": lambda inner: Point(1, inner),
    "OrderedDict": lambda inner: collections.OrderedDict(k=inner),
    "tag": lambda inner: cbor2.CBORTag(4711, inner),
    "frozenset": lambda inner: frozenset([inner]),
}


def outcome(function: Any, value: object) -> tuple[object, type | None]:
    try:
        return function(value), None
    except Exception as error:
        return None, type(error)


FOREIGN = {
    "named tuple": Point(LEAF, 1),
    "OrderedDict": collections.OrderedDict(b=LEAF, a=[1], c=2),
    "defaultdict": collections.defaultdict(list, a=[LEAF]),
    "Counter": collections.Counter("abca"),
    "list subclass": type("Own", (list,), {})([1, [LEAF]]),
    "dict subclass": type("Own", (dict,), {})({1: {2: LEAF}}),
    "str subclass": type("Own", (str,), {})("text"),
    "bytes subclass": type("Own", (bytes,), {})(b"bytes"),
    "bytearray": bytearray(b"bytes"),
    "deque": collections.deque([1, LEAF]),
    "UserList": collections.UserList([1, [LEAF]]),
    "UserDict": collections.UserDict(a=[LEAF]),
    "ChainMap": collections.ChainMap({"a": 1}, {"b": LEAF}),
    "mappingproxy": types.MappingProxyType({"a": [1]}),
    "range": range(300),
    "array": array.array("h", [1, -2]),
    "set": {(1, 2), LEAF},
    "frozenset": frozenset({"a", frozenset({1})}),
    "tag": cbor2.CBORTag(70000, [cbor2.CBORTag(0, LEAF)]),
    "simple value": cbor2.CBORSimpleValue(19),
    "undefined": cbor2.undefined,
    "view": {}.keys(),
    "iterator": iter([]),
    "many": (*range(70000), LEAF),
}


def test_a_memoryview_is_written_as_its_bytes_with_any_cbor2():
    """cbor2 5 doesn't know it."""
    assert native.cbor_dumps([LEAF, memoryview(b"ab")]) == cbor2.dumps([LEAF, b"ab"])


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN)
def test_containers_around_leaves_of_cbor2_have_the_bytes_of_cbor2(value):
    for whole in (value, [1, value, {"k": (value,)}, LEAF], {"a": LEAF, "b": value}):
        assert outcome(native.cbor_dumps, whole) == outcome(cbor2.dumps, whole)


class Mirror(collections.UserDict[Any, Any]):
    """A mapping that contains another one like it, without end."""

    def items(self) -> Any:
        return [("k", Mirror())]

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("value", [collections.UserString("text"), Mirror()], ids=["str", "dict"])
@pytest.mark.parametrize("where", ["args", "kwargs"])
def test_endlessly_nested_sequences_are_refused_with_the_attribute(value, where):
    msg = m.Event(1, 2, **{where: [value] if where == "args" else {"k": value}})
    with pytest.raises((ValueError, TypeError), match=rf"EVENT\.{where}: can't be encoded"):
        OBJSER.serialize(msg)


@pytest.mark.parametrize("kind", ["list", "dict", "tag"])
def test_a_container_that_contains_itself_gets_the_error_of_cbor2_at_any_depth(kind):
    loop: list[Any] = []
    value: Any = loop
    for _ in range(150):
        value = KINDS[kind](value)
    loop.append(value)
    with pytest.raises(cbor2.CBOREncodeValueError, match="cyclic"):
        native.cbor_dumps([LEAF, loop])


def nested(kind: str, depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = KINDS[kind](value)
    return value


@pytest.mark.parametrize("kind", ["list", "dict", "OrderedDict"])
def test_the_limit_is_400_levels_for_any_kind_of_container(kind):
    assert isinstance(native.cbor_dumps(nested(kind, 400)), bytes)
    for depth in (401, 1000):
        with pytest.raises(ValueError, match="more than 400 levels"):
            native.cbor_dumps(nested(kind, depth))


@pytest.mark.parametrize("kind", ["tag", "frozenset"])
def test_the_limit_is_32_levels_for_tags_and_sets_as_for_input(kind):
    assert native.cbor_loads(native.cbor_dumps(nested(kind, 32))) == nested(kind, 32)
    for depth in (33, 400):
        with pytest.raises(ValueError, match="more than 32 levels"):
            native.cbor_dumps(nested(kind, depth))
    with pytest.raises(ValueError, match="more than 400 levels"):
        native.cbor_dumps(nested(kind, 401))


def test_a_payload_that_nests_too_deep_for_cbor_is_refused_when_it_is_written_again():
    def loads(view: memoryview) -> Any:
        value: Any = []
        for _ in range(989):
            value = [value]
        return value

    payloads.register_payload_serializer("x_deep", lambda value: b"deep", loads)
    try:
        writer = FlatBuffersObjectSerializer(payload_serializer="x_deep")
        (received,) = OBJSER.unserialize(writer.serialize(m.Event(1, 2, args=[1])))
        event = m.Event(3, 4, args=received.args)
    finally:
        payloads.unregister_payload_serializer("x_deep")
    with pytest.raises(ValueError, match=r"EVENT\.args: can't be encoded: .* 400 levels"):
        OBJSER.serialize(event)


PROGRAM = """
import sys, threading

kind, size = sys.argv[1], int(sys.argv[2])
sys.path[:0] = sys.argv[3:]
sys.setrecursionlimit(20_000)
from autobahn_fbs._backend import native
from test_cbor_nesting import KINDS, LEAF

native.cbor_dumps([LEAF])
deep, deeper = 1, 1
for level in range(900):
    if level < 399:
        deep = KINDS[kind](deep)
    deeper = KINDS[kind](deeper)
said = []


def work():
    for value in (deep, [deep], [LEAF, deep], deeper, [LEAF, deeper]):
        try:
            native.cbor_dumps(value)
            said.append("written")
        except ValueError:
            said.append("refused")


threading.stack_size(size * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(*said)
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy manages its own stacks")
@pytest.mark.parametrize("size", [128, 512, 1024])
@pytest.mark.parametrize("kind", ["list", "tuple", "dict", "OrderedDict", "tag", "frozenset"])
def test_a_thread_with_a_small_stack_survives_nesting(kind, size):
    if size == 128 and "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("NOT TESTED: 128 kB under ASan, whose frames are several times as large")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(size), str(HERE), str(HERE.parent)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    shallow = "refused" if kind in ("tag", "frozenset") else "written"
    assert done.stdout.split() == [shallow] * 3 + ["refused"] * 2, done.stderr[-2000:]


TAG = b"\xd9\x12\x67"
READ = {
    "arrays": b"\x81" * 390 + b"\x00",
    "maps": b"\xa1\x00" * 390 + b"\x00",
    "endless arrays": b"\x9f" * 390 + b"\xff" * 390,
    "endless maps": b"\xbf\x00" * 390 + b"\x00" + b"\xff" * 390,
    "a tag around arrays": TAG + b"\x81" * 389 + b"\x00",
    "a tag in arrays": b"\x81" * 389 + TAG + b"\x00",
    "tags in arrays": b"\x81" * 358 + TAG * 32 + b"\x00",
    "arrays as a key": b"\xa1" + b"\x81" * 389 + b"\x00\x00",
    "maps as keys in arrays": b"\x81" * 357 + b"\xa1" * 33 + b"\x00" * 34,
    "maps of maps as keys": b"\x81" * 357 + b"\xa1" + b"\xa1\x00" * 32 + b"\x00\x00",
    "arrays as two keys": b"\xa2" + (b"\x81" * 389 + b"\x00\x00") * 2,
    "tags as two keys": b"\x81" * 357 + b"\xa2" + (TAG * 32 + b"\x00\x00") * 2,
    "tags and arrays as two keys": b"\xa2" + (b"\x81" * 357 + TAG * 32 + b"\x00\x00") * 2,
    "tags as a key": b"\xa1" + TAG * 32 + b"\x00\x00",
    "tags as a key in arrays": b"\x81" * 357 + b"\xa1" + TAG * 32 + b"\x00\x00",
    "tags in a set in arrays": b"\x81" * 356 + b"\xd9\x01\x02\x81" + TAG * 31 + b"\x00",
}
REFUSED = {
    "tags": TAG * 390 + b"\x00",
    "many tags as a key": b"\xa1" + TAG * 389 + b"\x00\x00",
    "many tags in a set": b"\xd9\x01\x02\x81" + TAG * 388 + b"\x00",
    "tags with arrays between": (TAG + b"\x81") * 195 + b"\x00",
    "sets in sets": b"\xd9\x01\x02\x81" * 195 + b"\x00",
    "maps as keys": b"\xa1" * 390 + b"\x00" * 391,
    "maps of maps as two keys": b"\xa2" + (b"\xa1\x00" * 388 + b"\x00\x00") * 2,
    "numbers in numbers": b"\xd8\x1e\x82" * 195 + b"\x01" * 196,
}

READER = """
import sys, threading

data, size = bytes.fromhex(sys.argv[1]), int(sys.argv[2])
from autobahn.wamp import message as m
from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._backend import native

native.cbor_loads(bytes.fromhex("82a1d91267010102"))
serializer = FlatBuffersObjectSerializer()
str(serializer.unserialize(serializer.serialize(m.Event(1, 2, args=[1])))[0])
said = []


def work():
    try:
        value = native.cbor_loads(data)
    except ValueError as error:
        said.append(str(error))
    else:
        assert value == native.cbor_loads(data)
        said.append("shown" if repr(value) else "")


threading.stack_size(size * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(*said)
"""


def read_in_a_thread(data: bytes, size: int) -> str:
    if size == 128 and "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("NOT TESTED: 128 kB under ASan, whose frames are several times as large")
    done = subprocess.run(
        [sys.executable, "-c", READER, data.hex(), str(size)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy manages its own stacks")
@pytest.mark.parametrize("name", READ)
def test_a_thread_with_a_small_stack_reads_compares_and_shows_nested_values(name):
    """cbor2 reads all but definite arrays and maps, hashes keys, compares and shows tags."""
    assert read_in_a_thread(READ[name], 128) == "shown"


@pytest.mark.parametrize("name", REFUSED)
def test_input_that_would_exhaust_a_threads_stack_is_refused(name):
    with pytest.raises(ValueError, match="tags, or maps in keys, are nested more than 32"):
        native.cbor_loads(REFUSED[name])


def test_32_tags_within_each_other_are_read():
    value = native.cbor_loads(TAG * 32 + b"\x00")
    for _ in range(32):
        value = value.value
    assert value == 0


def test_tags_beside_each_other_are_not_counted():
    assert len(native.cbor_loads(b"\x98\xff" + (TAG + b"\x00") * 255)) == 255
