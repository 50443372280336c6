"""Hostile payloads and schemas: refused, or read as something valid; never a crash, never work or
memory out of proportion."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog, CatalogError, InvalidPayload
from support.typed_samples import DRAWING, EVERYTHING
from support.typed_schemas import FOREIGN, SCHEMAS

BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
NESTED = Catalog.load(SCHEMAS / "nested.bfbs")
CHECKS = Catalog.load(SCHEMAS / "wamp.bfbs")
SHARED = Catalog.load(SCHEMAS / "shared.bfbs")


def samples() -> Iterator[tuple[Catalog, str, bytes]]:
    yield BASICS, "basics.Everything", BASICS.encode("basics.Everything", EVERYTHING)
    yield UNIONS, "unions.Drawing", UNIONS.encode("unions.Drawing", DRAWING)
    letter = NESTED.encode("nested.inner.Letter", {"text": "inside", "number": 3})
    envelope = NESTED.encode("nested.Envelope", {"letter": letter, "flexible": b"\x0b\x04\x01"})
    yield NESTED, "nested.Envelope", NESTED.encode("nested.Envelope", {"self": envelope})
    many = {"text": "0x" + "a" * 40, "texts": ["0x" + "b" * 40], "raw": b"x" * 20}
    yield CHECKS, "checks.Addresses", CHECKS.encode("checks.Addresses", many)
    if FOREIGN.is_dir():
        monsters = Catalog.load(FOREIGN / "monster_test.bfbs")
        data = (FOREIGN / "monsterdata_test.mon").read_bytes()
        yield monsters, "MyGame.Example.Monster", data


SAMPLES = list(samples())
IDS = [name for _, name, _ in SAMPLES]
each_sample = pytest.mark.parametrize(("catalog", "name", "data"), SAMPLES, ids=IDS)


def read(catalog: Catalog, name: str, data: bytes) -> bool:
    """Whether a buffer is accepted; all ways to read it agree on that."""
    try:
        catalog.verify(name, data)
    except InvalidPayload as error:
        assert str(error).startswith(name)
        with pytest.raises(InvalidPayload):
            catalog.decode(name, data)
        with pytest.raises(InvalidPayload):
            catalog.lazy(name, data)
        return False
    instance = catalog.decode(name, data)
    catalog.decode(name, data, form=2)
    with suppress(InvalidPayload):  # unknown enum values are read and not written
        again = catalog.encode(name, instance)
        assert repr(catalog.decode(name, again)) == repr(instance)
    return True


@each_sample
def test_a_valid_buffer_is_accepted(catalog, name, data):
    assert read(catalog, name, data)


@each_sample
def test_every_cut_is_refused_or_read(catalog, name, data):
    taken = sum(read(catalog, name, data[:size]) for size in range(len(data)))
    assert taken < len(data) / 4


@each_sample
def test_every_changed_byte_is_refused_or_read(catalog, name, data):
    taken = 0
    for at in range(len(data)):
        for change in (0xFF, 0x01, 0x80):
            broken = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
            taken += read(catalog, name, broken)
    assert 0 < taken < 3 * len(data)


@each_sample
def test_every_extreme_word_is_refused_or_read(catalog, name, data):
    for at in range(0, len(data) - 3, 4):
        for word in (0, 1, 4, 2**31 - 4, 2**31, 2**32 - 4, 2**32 - 1):
            read(catalog, name, data[:at] + struct.pack("<I", word) + data[at + 4 :])


@each_sample
def test_any_bytes_are_refused_or_read(catalog, name, data):
    source = random.Random(7)
    for size in [*range(64), 100, 1000]:
        read(catalog, name, source.randbytes(size))
        read(catalog, name, bytes(size))


@pytest.mark.parametrize("value", [None, "text", 7, [1], 1.5])
def test_an_argument_without_a_buffer_is_a_type_error(value):
    for function in (BASICS.decode, BASICS.verify, BASICS.lazy):
        with pytest.raises(TypeError):
            function("basics.Leaf", value)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_buffer_is_any_bytes_like_object(kind):
    data = kind(BASICS.encode("basics.Leaf", {"name": "x"}))
    assert BASICS.decode("basics.Leaf", data).name == "x"
    BASICS.verify("basics.Leaf", data)
    assert BASICS.lazy("basics.Leaf", data).name == "x"
    assert BASICS.get("basics.Leaf", data, "name") == "x"


def test_a_memoryview_may_be_unaligned_in_memory():
    data = BASICS.encode("basics.Everything", EVERYTHING)
    for shift in range(1, 8):
        view = memoryview(bytes(shift) + data)[shift:]
        assert BASICS.decode("basics.Everything", view) == BASICS.decode("basics.Everything", data)


# Bombs: made by a builder of our own, because no honest one makes them


class Buffer:
    """Tables, front to back: references only point forward, so targets come later."""

    def __init__(self) -> None:
        self.data = bytearray(4)

    def table(self, slots: int) -> tuple[int, list[int]]:
        """A table whose fields are all offsets; returns its place and those of the offsets."""
        vtable = len(self.data)
        size = 4 + 2 * slots
        self.data += struct.pack("<HH", size, 4 + 4 * slots)
        self.data += struct.pack(f"<{slots}H", *(4 + 4 * n for n in range(slots)))
        self.data += bytes(-len(self.data) % 4)
        at = len(self.data)
        self.data += struct.pack("<i", at - vtable) + bytes(4 * slots)
        return at, [at + 4 + 4 * n for n in range(slots)]

    def vector(self, count: int) -> tuple[int, list[int]]:
        at = len(self.data)
        self.data += struct.pack("<I", count) + bytes(4 * count)
        return at, [at + 4 + 4 * n for n in range(count)]

    def refer(self, place: int, target: int) -> None:
        struct.pack_into("<I", self.data, place, target - place)


def graph_bomb(levels: int, fanout: int) -> bytes:
    """Node whose children are all one Node, whose children ...: fanout**levels objects."""
    buffer = Buffer()
    places = [0]
    for _ in range(levels):
        # Node: name, next, children
        vtable = len(buffer.data)
        buffer.data += struct.pack("<HHHHH2x", 10, 8, 0, 0, 4)
        at = len(buffer.data)
        buffer.data += struct.pack("<iI", at - vtable, 0)
        for place in places:
            buffer.refer(place, at)
        vector, places = buffer.vector(fanout)
        buffer.refer(at + 4, vector)
    vtable = len(buffer.data)
    buffer.data += struct.pack("<HH", 4, 4)
    at = len(buffer.data)
    buffer.data += struct.pack("<i", at - vtable)
    for place in places:
        buffer.refer(place, at)
    return bytes(buffer.data)


def took(function: Callable[[], Any]) -> float:
    before = time.process_time()
    with suppress(InvalidPayload):
        function()
    return time.process_time() - before


def test_a_small_graph_of_shared_tables_is_read():
    node = BASICS.decode("basics.Node", graph_bomb(2, 3))
    assert len(node.children) == 3 and len(node.children[0].children) == 3
    assert node.children[0].children[0] == BASICS["basics.Node"]()


@pytest.mark.parametrize(("levels", "fanout"), [(40, 2), (20, 10), (4, 100), (3, 1000)])
def test_shared_tables_do_not_multiply(levels, fanout):
    bomb = graph_bomb(levels, fanout)
    for function in (BASICS.verify, BASICS.decode, BASICS.lazy):
        with pytest.raises(InvalidPayload):
            function("basics.Node", bomb)
    honest = BASICS.encode("basics.Vectors", {"strings": ["text"] * 50_000})
    assert took(lambda: BASICS.verify("basics.Node", bomb)) < 20 * max(
        0.01, took(lambda: BASICS.verify("basics.Vectors", honest))
    )


def test_a_vector_of_one_empty_table_does_not_multiply_memory():
    # 4 bytes per reference, about 50 per instance
    bomb = graph_bomb(1, 3_000_000)
    for function in (BASICS.verify, BASICS.decode):
        with pytest.raises(InvalidPayload):
            function("basics.Node", bomb)


def test_one_large_string_is_not_read_many_times():
    text = b"x" * 100_000
    buffer = Buffer()
    vtable = len(buffer.data)
    slots = list(BASICS._origins[0].schema.codec("basics.Vectors").fields)
    number = slots.index("strings")
    offsets = [0] * number + [4]
    size = 4 + 2 * len(offsets)
    buffer.data += struct.pack("<HH", size, 8) + struct.pack(f"<{len(offsets)}H", *offsets)
    buffer.data += bytes(-len(buffer.data) % 4)
    at = len(buffer.data)
    buffer.data += struct.pack("<iI", at - vtable, 0)
    buffer.refer(0, at)
    vector, places = buffer.vector(100_000)
    buffer.refer(at + 4, vector)
    string = len(buffer.data)
    buffer.data += struct.pack("<I", len(text)) + text + b"\0"
    for place in places:
        buffer.refer(place, string)
    with pytest.raises(InvalidPayload):
        BASICS.decode("basics.Vectors", bytes(buffer.data))


def nested_graph(levels: int) -> dict[str, bytes]:
    """A buffer whose nodes refer to the next one twice: 2**levels visits."""
    buffer = Buffer()
    places = [0]
    for _ in range(levels):
        at, references = buffer.table(2)
        for place in places:
            buffer.refer(place, at)
        places = references
    at, _ = buffer.table(0)
    for place in places:
        buffer.refer(place, at)
    return {"node": bytes(buffer.data)}


def nested_texts(count: int) -> dict[str, bytes]:
    """A buffer with a vector of that many references to a string of eight times that size."""
    buffer = Buffer()
    at, (field,) = buffer.table(1)
    buffer.refer(0, at)
    vector, places = buffer.vector(count)
    buffer.refer(field, vector)
    for place in places:
        buffer.refer(place, len(buffer.data))
    buffer.data += struct.pack("<I", 8 * count) + b"x" * 8 * count + b"\0"
    return {"texts": bytes(buffer.data)}


WRITERS: dict[str, Callable[[dict[str, bytes]], object]] = {
    "encode": lambda value: SHARED.encode("shared.Envelope", value),
    "pack": lambda value: SHARED.pack("shared.Envelope", [value.get("node"), value.get("texts")]),
    "validate": lambda value: SHARED.validate(
        "shared.Envelope", [value.get("node"), value.get("texts")]
    ),
    "check": lambda value: SHARED._codec("shared.Envelope").check(value),
    "list": lambda value: SHARED.encode("shared.Envelope", {k: [*v] for k, v in value.items()}),
    "to_dict": lambda value: SHARED.to_dict(SHARED["shared.Envelope"](**value)),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("make", "sizes"), [(nested_graph, (14, 18, 60)), (nested_texts, (1000, 8000, 100_000))]
)
def test_bytes_given_for_a_nested_buffer_cost_no_more_than_their_size(writer, make, sizes):
    write = WRITERS[writer]
    small, large, extreme = (make(size) for size in sizes)
    (few,), (many,) = small.values(), large.values()
    times = [(took(lambda: write(small)), took(lambda: write(large))) for _ in range(5)]
    growth = min(after for _, after in times) / min(before for before, _ in times)
    assert growth < 3 * len(many) / len(few)
    if writer != "to_dict":  # in Python it keeps the bytes as they are
        with pytest.raises(InvalidPayload, match="references add up"):
            write(extreme)


def test_a_null_offset_in_a_vector_is_refused():
    data = bytearray(BASICS.encode("basics.Node", {"children": [{}, {}]}))
    node = BASICS.decode("basics.Node", bytes(data))
    assert len(node.children) == 2
    at = data.index(struct.pack("<I", 2), 8)
    data[at + 4 : at + 8] = bytes(4)
    with pytest.raises(InvalidPayload, match=r"children\[0\].*null"):
        BASICS.verify("basics.Node", bytes(data))


def test_a_string_must_end_in_nul_and_be_utf8():
    data = BASICS.encode("basics.Leaf", {"name": "abcd"})
    at = data.index(b"abcd")
    with pytest.raises(InvalidPayload, match=r"basics\.Leaf\.name"):
        BASICS.verify("basics.Leaf", data[: at + 4] + b"!" + data[at + 5 :])
    for bad in (b"\xff\xfe\xfd\xfc", b"\xc0\x80ab", b"\xed\xa0\x80a", b"\xf5\x80\x80\x80"):
        with pytest.raises(InvalidPayload, match=r"basics\.Leaf\.name.*UTF-8"):
            BASICS.verify("basics.Leaf", data[:at] + bad + data[at + 4 :])


def test_a_bool_is_0_or_1():
    data = BASICS.encode("basics.Vectors", {"truths": [True]})
    at = data.rindex(b"\1\0\0\0\1") + 4
    with pytest.raises(InvalidPayload, match=r"truths\[0\]"):
        BASICS.verify("basics.Vectors", data[:at] + b"\2" + data[at + 1 :])


def test_an_unknown_union_type_is_absent_unless_strict():
    data = bytearray(UNIONS.encode("unions.Drawing", {"shape": ("Circle", {"radius": 1.0})}))
    codes = [at for at in range(8, len(data)) if data[at] == 1]
    for at in codes:
        changed = bytes(data[:at]) + b"\x63" + bytes(data[at + 1 :])
        with suppress(InvalidPayload):
            read_well = UNIONS.decode("unions.Drawing", changed)
            if read_well.shape is None:
                with pytest.raises(InvalidPayload, match="union"):
                    UNIONS.verify("unions.Drawing", changed, strict=True)
                return
    pytest.fail("no change made the union's type an unknown one")


# Schemas


def mutated_schemas(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    source = random.Random(seed)
    for _ in range(count):
        broken = bytearray(data)
        for _ in range(source.choice((1, 1, 1, 2, 4))):
            at = source.randrange(len(broken))
            kind = source.randrange(4)
            if kind == 0:
                broken[at] = source.randrange(256)
            elif kind == 1:
                broken[at] ^= 1 << source.randrange(8)
            elif kind == 2 and at + 4 <= len(broken):
                word = source.choice((0, 1, 4, 2**16, 2**31, 2**32 - 1, source.randrange(2**32)))
                struct.pack_into("<I", broken, at, word)
            else:
                del broken[at:]
                broken += bytes(source.randrange(3))
        yield bytes(broken)


def use(data: bytes) -> bool:
    """Whether a schema is accepted; if so, every table of it is used."""
    if data[4:8] != b"BFBS":
        data = data[:4] + b"BFBS" + data[8:]
    try:
        catalog = Catalog.load(data)
    except CatalogError:
        return False
    for name in list(catalog):
        with suppress(InvalidPayload, KeyError):
            catalog.decode(name, catalog.encode(name, {}))
        with suppress(InvalidPayload, KeyError):
            catalog[name]
    catalog.check()
    return True


@pytest.mark.parametrize("name", ["basics", "unions", "nested", "wamp", "orders", "names"])
def test_a_changed_schema_is_refused_or_usable(name):
    data = (SCHEMAS / f"{name}.bfbs").read_bytes()
    taken = sum(use(broken) for broken in mutated_schemas(data, 400, len(name)))
    assert 0 < taken < 400


@pytest.mark.parametrize("name", ["unions", "common"])
def test_every_cut_of_a_schema_is_refused_or_usable(name):
    data = (SCHEMAS / f"{name}.bfbs").read_bytes()
    assert sum(use(data[:size]) for size in range(8, len(data))) < 20


def test_a_key_may_change_the_mapping_when_it_is_refused():
    class Key(str):
        def __hash__(self) -> int:
            value.clear()
            return 0

    value: dict[str, int] = {}
    value = {Key(f"no field {n}"): 1 for n in range(3)}
    with pytest.raises(InvalidPayload, match="no field 0"):
        NESTED.encode("nested.Envelope", value)


def test_tables_in_nested_buffers_count_as_levels():
    value: dict[str, Any] = {"plain": b"x"}
    for _ in range(20):
        value = {"self": value}
    NESTED.verify("nested.Envelope", NESTED.encode("nested.Envelope", value))
    for _ in range(50_000):
        value = {"self": value}
    with pytest.raises(InvalidPayload, match="nested too deep"):
        NESTED.encode("nested.Envelope", value)


@pytest.mark.parametrize(
    "value",
    [{"a\x1b[31m\n\u202e": 1}, {"scalars": {"color": "a\x1b[31m\n\u202e"}}],
    ids=["field", "enum"],
)
def test_an_error_text_has_nothing_that_a_terminal_acts_on(value):
    with pytest.raises(InvalidPayload) as caught:
        BASICS.encode("basics.Everything", value)
    error: Any = caught.value
    assert str(error).endswith(r" 'a\x1b[31m\n\u202e'")
    assert str(error).endswith(error.reason)
