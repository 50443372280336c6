"""FlexBuffers: our output can be read here and by two other implementations, and vice versa; the
lazy reader; errors for values that can't be written."""

from __future__ import annotations

import copy
import gc
import json
import math
import os
import random
import struct
import subprocess
import sys
from array import array
from collections import OrderedDict
from contextlib import suppress
from enum import IntEnum
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from flatbuffers import flexbuffers as google
from hypothesis import given, settings
from hypothesis import strategies as st

from autobahn_fbs.flexbuffers import FlexBuffersError, Lazy, dumps, loads
from support.marks import counting_memory, cpython_only

INTS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = st.none() | st.booleans() | INTS | FLOATS | TEXTS | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(KEYS, inner) | st.lists(INTS) | st.lists(FLOATS)
    ),
    max_leaves=30,
)
# Values that Google's implementation also supports: keys are ASCII there, ints signed.
GOOGLES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(width=32, allow_nan=False)
    | TEXTS
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcdefgh", min_size=1), inner),
    max_leaves=30,
)
NO_MAPS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS | st.binary(),
    st.lists,
    max_leaves=30,
)
RECORDS = [{"name": f"user {i}", "age": i, "tags": ["a", "b"], "pi": math.pi} for i in range(500)]


def typed(value: Any) -> Any:
    """The value with its types, so that 1, 1.0 and True differ, as do 0.0 and -0.0."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value), repr(value)


def built(build: Any, **options: Any) -> bytes:
    """The result of Google's builder for a function that is called with it."""
    builder = google.Builder(**options)
    build(builder)
    return bytes(builder.Finish())


# ---- round trips


@given(VALUES, st.booleans())
def test_a_value_reads_back_equal_in_value_and_type(value, compact):
    assert typed(loads(dumps(value, compact=compact))) == typed(value)


@given(VALUES)
def test_every_buffer_kind_is_read(value):
    data = dumps(value)
    expected = typed(value)
    assert typed(loads(bytearray(data))) == expected
    assert typed(loads(memoryview(b"x" + data)[1:])) == expected


@pytest.mark.parametrize("bits", [7, 8, 15, 16, 31, 32, 63])
@pytest.mark.parametrize("compact", [False, True])
def test_ints_at_the_edges_of_widths_read_back(bits, compact):
    values = [2**bits - 1, 2**bits, -(2**bits), 2**64 - 1, -(2**63)]
    for value in [*values, *([item] for item in values), values, {"a": 1, "b": values[0]}]:
        assert loads(dumps(value, compact=compact)) == value


def test_a_nan_reads_back_as_nan():
    assert math.isnan(loads(dumps(math.nan)))


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 65534, 65535, 65536, 70000])
def test_texts_and_blobs_of_every_width_of_length_read_back(size):
    value = ["x" * size, b"y" * size, ["z"], "é" * (size // 2)]
    assert loads(dumps(value)) == value


@pytest.mark.parametrize("size", [1, 2, 62, 63, 64, 300])
@pytest.mark.parametrize("wide", ["", "\x80", "é", "ÿ", "\u0100", "☃", "\uffff", "\U0001f600"])
def test_text_reads_back_as_the_same_kind_of_str(wide, size):
    for text in (wide + "a" * (size - 1), "a" * (size - 1) + wide, wide * size):
        back = loads(dumps([text]))[0]
        assert back == text
        if sys.implementation.name == "cpython":
            assert sys.getsizeof(back) == sys.getsizeof("".join(list(text)))
        assert loads(dumps({text: 1})) == {text: 1}


def test_a_surrogate_is_refused_in_short_and_long_texts():
    for size in (1, 63, 64, 300):
        for text in ("a" * (size - 1) + "\udc80", "\ud800" * size):
            with pytest.raises(ValueError, match="surrogate"):
                dumps(text)


def test_tuples_read_back_as_lists_and_byte_views_as_bytes():
    value = (1, (2.5,), bytearray(b"ab"), memoryview(b"abcd")[::2])
    assert loads(dumps(value)) == [1, [2.5], b"ab", b"ac"]


def test_subclasses_are_written_as_their_base_types():
    class Number(IntEnum):
        SEVEN = 7

    class Name(str):
        pass

    value = OrderedDict([(Name("b"), Number.SEVEN), ("a", Name("x"))])
    assert typed(loads(dumps(value))) == typed({"a": "x", "b": 7})


def test_a_dict_comes_back_in_the_order_of_its_keys_bytes():
    value = {"b": 1, "é": 2, "a": 3, "": 4, "ab": 5, "\U0001f600": 6, "\uffff": 7}
    assert list(loads(dumps(value))) == sorted(value, key=str.encode)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 255, 256, 257, 3000])
@pytest.mark.parametrize("shape", ["{}", "key_{}", "{:012}", "a-long-common-prefix-{}"])
def test_dicts_of_every_size_are_sorted(size, shape):
    keys = [shape.format(i) for i in range(size)]
    random.Random(size).shuffle(keys)
    value = {key: i for i, key in enumerate(keys)}
    back = loads(dumps(value))
    assert back == value
    assert list(back) == sorted(keys)


def test_keys_that_differ_only_near_their_end_are_sorted():
    keys = [half * 30 + str(i % 7) * 9 + str(i) for half in "ab" for i in range(400)]
    random.Random(1).shuffle(keys)
    assert list(loads(dumps(dict.fromkeys(keys)))) == sorted(keys)


# ---- sharing, which depends only on the value


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_the_order_of_a_dict_does_not_change_its_bytes(value):
    reordered = dict(reversed(value.items()))
    assert dumps([value, reordered]) == dumps([reordered, value]) == dumps([value, value])
    compact = dumps([value, reordered], compact=True)
    assert compact == dumps([value, value], compact=True)


def test_copies_of_keys_give_the_same_bytes_as_the_keys_themselves():
    other = [{"".join(list(key)): item for key, item in record.items()} for record in RECORDS]
    assert dumps(other) == dumps(RECORDS)


def test_a_key_is_written_once():
    data = dumps(RECORDS)
    assert (data.count(b"name\0"), data.count(b"tags\0")) == (1, 1)


def test_compact_records_share_the_vector_of_their_keys():
    rows = [{"aa": 1, "bb": 2, "cc": i} for i in range(9)]
    # Three elements of one byte and a length less for each but the first.
    assert len(dumps(rows)) - len(dumps(rows, compact=True)) == 8 * 4
    assert dumps(rows[:1], compact=True) == dumps(rows[:1])


def test_bytes_do_not_depend_on_the_process():
    code = (
        "import sys; from autobahn_fbs.flexbuffers import dumps;"
        "value = [{f'k{i % n}': i for i in range(n)} for n in range(1, 300, 7)];"
        "sys.stdout.buffer.write(dumps(value))"
    )
    outputs = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        outputs.add(subprocess.run(command, env=environment, check=True, stdout=-1).stdout)
    assert len(outputs) == 1
    assert outputs.pop()


def test_a_call_does_not_depend_on_earlier_calls():
    first = dumps({"a": 1, "b": [{"c": 2}]})
    dumps([{"a": "x"}, {"c": {"b": 1}}])
    assert dumps({"a": 1, "b": [{"c": 2}]}) == first


# ---- Google's implementation


@given(NO_MAPS)
def test_without_maps_the_bytes_are_googles(value):
    assert dumps(value) == bytes(google.Dumps(value))


@given(GOOGLES, st.booleans())
def test_google_reads_what_is_written(value, compact):
    assert typed(google.Loads(dumps(value, compact=compact))) == typed(value)


@given(GOOGLES, st.booleans())
def test_the_output_of_google_can_be_read(value, share):
    data = built(lambda builder: builder.Add(value), share_strings=share)
    assert typed(loads(data)) == typed(value)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("value", [0, 1, 127])
def test_numbers_of_every_width_direct_and_indirect_are_read(width, value):
    for name in ("Int", "UInt", "IndirectInt", "IndirectUInt"):
        data = built(lambda builder, name=name: getattr(builder, name)(value, width))
        assert typed(loads(data)) == typed(value)
    if width >= 4:
        for name in ("Float", "IndirectFloat"):
            data = built(lambda builder, name=name: getattr(builder, name)(float(value), width))
            assert typed(loads(data)) == typed(float(value))


@pytest.mark.parametrize("code", "bBhHiIqQfd")
def test_typed_vectors_of_every_width_are_read(code):
    values = array(code, [0, 1, 100])
    data = built(lambda builder: builder.TypedVectorFromElements(values))
    assert typed(loads(data)) == typed(values.tolist())


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("kind", [google.Type.INT, google.Type.UINT, google.Type.FLOAT])
def test_fixed_typed_vectors_are_read(count, kind):
    values = [1.5, 2.5, 3.5, 4.5] if kind == google.Type.FLOAT else [1, 200, 70000, 4]
    data = built(lambda builder: builder.FixedTypedVectorFromElements(values[:count], kind))
    assert typed(loads(data)) == typed(values[:count])


def test_keys_bools_and_strings_in_typed_vectors_are_read():
    for kind, values in ((google.Type.KEY, ["a", "bc"]), (google.Type.BOOL, [True, False])):
        data = built(lambda b, k=kind, v=values: b.TypedVectorFromElements(v, k))
        assert typed(loads(data)) == typed(values)
    data = built(lambda b: b.TypedVectorFromElements(["xy", "z"], google.Type.STRING))
    assert data[-2] >> 2 == google.Type.VECTOR_STRING_DEPRECATED
    assert loads(data) == ["xy", "z"]


def test_a_key_as_a_value_is_read():
    assert loads(built(lambda builder: builder.Key("abc"))) == "abc"


def test_compact_writes_the_types_that_need_no_type_bytes():
    def root_type(value):
        return google.Type(dumps(value, compact=True)[-2] >> 2)

    assert root_type([1]) is google.Type.VECTOR_INT
    assert root_type([1, 2]) is google.Type.VECTOR_INT2
    assert root_type([2**63] * 3) is google.Type.VECTOR_UINT3
    assert root_type([0.5] * 4) is google.Type.VECTOR_FLOAT4
    assert root_type([0.5] * 5) is google.Type.VECTOR_FLOAT
    assert root_type([True, False]) is google.Type.VECTOR_BOOL
    assert root_type([1, True]) is google.Type.VECTOR
    assert root_type([]) is google.Type.VECTOR


def test_compact_moves_a_few_wide_numbers_out_of_the_way():
    value = [1, 2, 3, 4, 5, 6, 7, None, 2**40, 0.1]
    data = dumps(value, compact=True)
    assert len(data) < len(dumps(value)) / 2
    assert loads(data) == google.Loads(data) == value


def test_compact_takes_no_memory_for_numbers_that_stay_in_place():
    value = [None, 1] * 30_000
    assert dumps(value) == dumps(value, compact=True)
    with counting_memory() as plain:
        dumps(value)
    with counting_memory() as compact:
        dumps(value, compact=True)
    assert compact.peak <= plain.peak + len(value)


# ---- flatc


def flatc(tmp_path: Path, *arguments: str | Path) -> None:
    program = resources.files("autobahn") / "_flatc" / "bin" / "flatc"
    if not Path(str(program)).exists():
        pytest.skip("NOT TESTED: against flatc, which this Autobahn does not include")
    subprocess.run([str(program), "--flexbuffers", "-o", tmp_path, *arguments], check=True)


# Values that JSON and flatc can express: no empty keys, no bytes, no whole floats.
DOCUMENT: dict[str, Any] = {
    "numbers": [0, -1, 255, 256, -(2**31), 2**40, 2**63 - 1, 2**64 - 1, 0.5, -1.25],
    "texts": ["", "x", 'text with "quotes" and é ☃'],
    "rows": [{"id": i, "name": f"row {i}", "deep": {"even": i % 2 == 0}} for i in range(100)],
    "none": None,
    "nothing": [[], {}],
}


@pytest.mark.parametrize("compact", [False, True])
def test_flatc_reads_what_is_written(tmp_path, compact):
    # See dumps about flatc's verifier and shared keys.
    document = DOCUMENT | {"rows": DOCUMENT["rows"][: 20 if compact else None]}
    (tmp_path / "ours.bin").write_bytes(dumps(document, compact=compact))
    flatc(tmp_path, "--json", "--strict-json", "--raw-binary", tmp_path / "ours.bin")
    assert json.loads((tmp_path / "ours.json").read_text("utf-8")) == document


def test_the_output_of_flatc_can_be_read(tmp_path):
    # flatc's JSON parser turns 2**64 - 1 into 0.
    document = DOCUMENT | {"numbers": [n for n in DOCUMENT["numbers"] if n != 2**64 - 1]}
    (tmp_path / "theirs.json").write_text(json.dumps(document), "utf-8")
    flatc(tmp_path, "--binary", tmp_path / "theirs.json")
    data = (tmp_path / "theirs.bin").read_bytes()
    assert loads(data) == document
    assert loads(data, lazy=True)["rows"][99]["deep"]["even"] is False


# ---- values that can't be written


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ({1, 2}, TypeError, "can't hold set"),
        ([0, 1, 2, {"name": {3}}], TypeError, r'can\'t hold set, at \[3\]\["name"\]'),
        ({"a": {"b": [object()]}}, TypeError, r'object, at \["a"\]\["b"\]\[0\]'),
        (2**64, ValueError, "int is outside"),
        ([-(2**63) - 1], ValueError, r"int is outside .*, at \[0\]"),
        (["\ud800"], ValueError, r"surrogate.*at \[0\]"),
        ([{1: 2}], TypeError, r"key of a dict must be str, not int, at \[0\]"),
        ([{"a\0b": 2}], ValueError, r"'a\\x00b' has a NUL.*at \[0\]"),
        ([{"\udfff": 2}], ValueError, r"'\\udfff' has a surrogate.*at \[0\]"),
    ],
)
def test_values_that_cannot_be_written_are_named_with_their_place(value, error, text):
    with pytest.raises(error, match=text):
        dumps(value)


def test_keys_with_the_same_text_in_one_dict_are_refused():
    class Key(str):
        __hash__ = object.__hash__

        def __eq__(self, other):
            return self is other

    with pytest.raises(ValueError, match="two keys with the text 'a'"):
        dumps({Key("a"): 1, Key("a"): 2})


def nest(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_at_most_256_levels_are_written_and_read():
    assert loads(dumps(nest(256))) == nest(256)
    with pytest.raises(ValueError, match="more than 256 levels"):
        dumps(nest(257))


def test_a_container_that_contains_itself_is_refused():
    itself: list[Any] = []
    itself.append({"again": itself})
    with pytest.raises(ValueError, match="levels"):
        dumps(itself)
    itself.clear()


def test_writing_works_after_an_error():
    value = {"a": [1, {"b": "x"}]}
    expected = dumps(value)
    for bad in ({"a": [1, {"b": {1}}]}, [{"a": 1}, {"a": {1: 1}}], {"\0": 1}):
        with pytest.raises((TypeError, ValueError)):
            dumps(bad)
        assert dumps(value) == expected


@pytest.mark.parametrize("call", [dumps, loads])
def test_wrong_arguments_raise_type_error(call):
    for arguments, named in (((), {}), ((b"", 1, 2), {}), ((b"",), {"nonsense": 1})):
        with pytest.raises(TypeError):
            call(*arguments, **named)
    with pytest.raises(TypeError):
        loads("text")


# ---- the lazy reader

LAZY = {"a": {"b": [10, "x", None, {"c": 2.5}]}, "n": 2**64 - 1, "é": b"blob", "t": True}


def test_lazy_reaches_values_without_decoding_containers():
    lazy = loads(dumps(LAZY), lazy=True)
    assert isinstance(lazy, Lazy)
    assert isinstance(lazy["a"]["b"], Lazy)
    assert lazy["a"]["b"][3]["c"] == 2.5
    assert lazy["a"]["b"][-3] == "x"
    assert (lazy["n"], lazy["é"], lazy["t"]) == (2**64 - 1, b"blob", True)
    assert lazy["a"]["b"].value() == LAZY["a"]["b"]
    assert lazy.value() == LAZY


def test_lazy_behaves_like_a_dict_or_a_list():
    lazy = loads(dumps(LAZY), lazy=True)
    assert lazy.keys() == list(lazy) == sorted(LAZY)
    assert len(lazy) == 4
    assert ("a" in lazy, "b" in lazy, "a\0" in lazy, "\ud800" in lazy) == (
        True,
        False,
        False,
        False,
    )
    assert (lazy.get("n"), lazy.get("zz"), lazy.get("zz", 5)) == (2**64 - 1, None, 5)
    items = lazy["a"]["b"]
    assert (len(items), list(items)[:3], "x" in items, 11 in items) == (
        4,
        [10, "x", None],
        True,
        False,
    )
    assert (lazy.is_map, items.is_map) == (True, False)
    assert repr(items) == "<lazy FlexBuffers vector of 4>"


def test_lazy_raises_what_dicts_and_lists_raise():
    lazy = loads(dumps(LAZY), lazy=True)
    with pytest.raises(KeyError, match="zz"):
        lazy["zz"]
    with pytest.raises(KeyError):
        lazy[0]
    for index in (4, -5, 2**70):
        with pytest.raises(IndexError):
            lazy["a"]["b"][index]
    with pytest.raises(TypeError):
        lazy["a"]["b"]["c"]
    with pytest.raises(TypeError):
        lazy["a"]["b"].keys()
    with pytest.raises(TypeError):
        Lazy()


def test_lazy_returns_scalars_at_once():
    assert loads(dumps("abc"), lazy=True) == "abc"


@given(VALUES)
def test_lazy_finds_every_value(value):
    def check(lazy, expected):
        if isinstance(expected, dict):
            assert lazy.keys() == list(loads(dumps(expected)))
            for key, item in expected.items():
                check(lazy[key], item)
        elif isinstance(expected, list):
            assert len(lazy) == len(expected)
            for one, item in zip(lazy, expected, strict=True):
                check(one, item)
        else:
            assert typed(lazy) == typed(expected)

    check(loads(dumps(value), lazy=True), value)


def test_lazy_keeps_its_buffer_alive():
    inner = loads(bytearray(dumps(LAZY)), lazy=True)["a"]["b"]
    gc.collect()
    assert inner[1] == "x"


@cpython_only
def test_lazy_survives_changes_of_a_bytearray():
    data = bytearray(dumps(RECORDS))
    lazy = loads(data, lazy=True)
    with pytest.raises(BufferError):
        data.clear()
    data[:] = b"\xff" * len(data)
    with pytest.raises(FlexBuffersError):
        lazy[3].value()


@pytest.mark.skipif(sys.implementation.name == "cpython", reason="keeps a bytearray in place")
def test_lazy_copies_a_bytearray_if_nothing_keeps_it_in_place():
    data = bytearray(dumps(RECORDS))
    lazy = loads(data, lazy=True)
    data.clear()
    gc.collect()
    assert lazy[3].value() == RECORDS[3]


def test_lazy_needs_a_contiguous_buffer():
    with pytest.raises(BufferError):
        loads(memoryview(dumps(LAZY))[::2], lazy=True)


def test_lazy_does_not_read_what_is_not_requested():
    data = bytearray(dumps({"bad": "\x7f" * 5, "good": [1, 2]}))
    position = data.index(b"\x7f" * 5)
    data[position] = 0xFF
    with pytest.raises(FlexBuffersError, match="UTF-8"):
        loads(data)
    lazy = loads(data, lazy=True)
    assert lazy["good"][1] == 2
    with pytest.raises(FlexBuffersError, match="UTF-8"):
        lazy["bad"]


def test_a_map_that_is_not_sorted_is_read_and_searched():
    data = bytearray(dumps({"aa": 1, "bb": 2, "cc": 3, "dd": 4}))
    for old, new in ((b"aa", b"zz"), (b"cc", b"bc"), (b"bb", b"xx")):
        data = data.replace(old + b"\0", new + b"\0")
    expected = {"zz": 1, "xx": 2, "bc": 3, "dd": 4}
    assert loads(data) == expected
    lazy = loads(data, lazy=True)
    assert {key: lazy[key] for key in expected} == expected
    assert lazy.get("cc") is None


# ---- no leaks


def exercise() -> None:
    data = dumps(RECORDS[:20])
    loads(data)
    lazy = loads(data, lazy=True)
    assert lazy[3]["tags"][1] == "b"
    list(lazy[0])
    assert "nope" not in lazy[0]
    for bad in (data[:-3], data[5:], b"", b"\x01\x00\x28\x01"):
        for flag in (False, True):
            with suppress(FlexBuffersError):
                loads(bad, lazy=flag)
    for value in ({1}, [{"a": [object()]}], {"a\0": 1}, nest(300), {"k": 2**70}):
        with suppress(TypeError, ValueError):
            dumps(value)


@cpython_only
def test_memory_and_references_stay_constant():
    key = copy.deepcopy("counted key")
    value = {key: [key, {key: key}]}
    for _ in range(3):
        exercise()
    gc.collect()
    import tracemalloc

    count = sys.getrefcount(key)
    tracemalloc.start()
    try:
        exercise()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            exercise()
            loads(dumps(value))
            with pytest.raises(TypeError):
                dumps({key: [value, object()]})
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert sys.getrefcount(key) == count
    assert after - before < 2000


@settings(max_examples=20)
@given(st.integers(0, 2**64 - 1))
def test_a_float_keeps_its_bits(bits):
    value = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    if not math.isnan(value):
        assert struct.pack("<d", loads(dumps(value))) == bits.to_bytes(8, "little")
