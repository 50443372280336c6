"""Numbers as keys take linear time, however they were chosen; honest ones are accepted."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import cbor2
import pytest
from autobahn.wamp import message
from autobahn.wamp.exception import ProtocolError

import support.framework  # noqa: F401
from autobahn_fbs import FlatBuffersObjectSerializer
from autobahn_fbs._backend import native
from support.colliding import PYPY, colliding_elements, colliding_integers
from support.marks import cpython_only, pypy_only
from support.wirebuild import build

OBJSER = FlatBuffersObjectSerializer()
NULL = b"\xf6"

chosen = cache(colliding_integers)
elements = cache(colliding_elements)


def head(major: int, count: int) -> bytes:
    return bytes([major << 5 | 26]) + struct.pack(">I", count)


def entries(keys: list[int]) -> bytes:
    return b"".join(cbor2.dumps(key) + NULL for key in keys)


def plain(keys: list[int]) -> bytes:
    return head(5, len(keys)) + entries(keys)


def endless(keys: list[int]) -> bytes:
    return b"\xbf" + entries(keys) + b"\xff"


def beside_a_tag(keys: list[int]) -> bytes:
    """cbor2 reads input with tags."""
    return b"\x82\xd8\x64\x00" + plain(keys)


def beside_words(keys: list[int]) -> bytes:
    words = b"".join(cbor2.dumps(f"word {i}") + NULL for i in range(60))
    return head(5, len(keys) + 60) + words + entries(keys)


def in_kwargs(data: bytes) -> bytes:
    return build("Event", {"subscription": 1, "publication": 2, "kwargs": b"\xa1\x61k" + data})


def in_args(data: bytes) -> bytes:
    return build("Event", {"subscription": 1, "publication": 2, "args": b"\x81" + data})


def in_authextra(data: bytes) -> bytes:
    return build("Hello", {"realm": "r"}, metadata=b"\xa1\x69authextra\xa1\x61x" + data)


def in_an_unknown_entry(data: bytes) -> bytes:
    return build("Hello", {"realm": "r"}, metadata=b"\xa1\x67unknown" + data)


def read(data: bytes) -> None:
    (msg,) = OBJSER.unserialize(data)
    _ = getattr(msg, "args", None), getattr(msg, "kwargs", None)


def seconds_to_read(data: bytes) -> float:
    """The time to read it, whether it is accepted or refused."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        with suppress(ProtocolError):
            read(data)
        best = min(best, time.process_time() - start)
    return best


def seconds_to_refuse(data: bytes) -> float:
    with pytest.raises(ProtocolError):
        read(data)
    return seconds_to_read(data)


def test_the_chosen_integers_do_cost_a_dict_quadratic_time():
    def cost(keys: list[int]) -> float:
        start = time.process_time()
        dict.fromkeys(keys)
        return time.process_time() - start

    keys = chosen(5_461)
    honest = min(cost(list(range(len(keys)))) for _ in range(5))
    assert min(cost(keys) for _ in range(3)) > 5 * honest


def as_set(keys: list[int]) -> bytes:
    return b"\xd9\x01\x02" + head(4, len(keys)) + b"".join(map(cbor2.dumps, keys))


# PyPy's sets are dicts. CPython's look for places in another order: see below.
FORMS = [plain, endless, beside_a_tag, beside_words, *([as_set] if PYPY else [])]


@pytest.mark.parametrize("place", [in_args, in_kwargs, in_authextra, in_an_unknown_entry])
@pytest.mark.parametrize("form", FORMS)
def test_chosen_integers_are_refused_in_linear_time(
    place: Callable[[bytes], bytes], form: Callable[[list[int]], bytes]
):
    # Of 25 kB and 400 kB; half of that on PyPy.
    small, large = (place(form(chosen(count))) for count in (5_461, 87_381))
    for _ in range(3):  # a machine that does other things as well
        growth = seconds_to_refuse(large) / len(large) * len(small) / seconds_to_refuse(small)
        if growth < 1.5:
            return
    pytest.fail(f"each byte of the larger message costs {growth:.1f} times as much")


def as_endless_set(keys: list[int]) -> bytes:
    return b"\xd9\x01\x02\x9f" + b"".join(map(cbor2.dumps, keys)) + b"\xff"


@cpython_only
def test_the_chosen_elements_do_cost_a_set_quadratic_time():
    def cost(keys: list[int]) -> float:
        start = time.process_time()
        found = set()
        for key in keys:
            found.add(key)
        return time.process_time() - start

    keys = elements(32_768)
    honest = min(cost(list(range(len(keys)))) for _ in range(5))
    assert min(cost(keys) for _ in range(3)) > 5 * honest


@cpython_only
@pytest.mark.parametrize("place", [in_args, in_kwargs, in_authextra])
@pytest.mark.parametrize("form", [as_set, as_endless_set])
def test_chosen_elements_cost_linear_time(
    place: Callable[[bytes], bytes], form: Callable[[list[int]], bytes]
):
    """Up to 25 kB they are accepted, because they cost little; larger ones are refused."""
    small, large = (place(form(elements(size))) for size in (8_192, 131_072))
    for _ in range(3):
        growth = seconds_to_read(large) / len(large) * len(small) / seconds_to_read(small)
        if growth < 1.5:
            break
    else:
        pytest.fail(f"each byte of the larger message costs {growth:.1f} times as much")
    seconds_to_refuse(large)


@pytest.mark.parametrize("form", [plain, endless])
def test_chosen_integers_are_refused_as_soon_as_they_are_many(form: Callable[[list[int]], bytes]):
    with pytest.raises(ValueError, match="collide too often"):
        native.cbor_loads(form(chosen(2_800 if PYPY else 600)))


def words_behind(keys: list[int]) -> bytes:
    words = b"".join(cbor2.dumps(f"word {i}") + NULL for i in range(60))
    return head(5, len(keys) + 60) + entries(keys) + words


@pypy_only
def test_integers_collide_by_value_or_by_hash():
    """They collide by value on PyPy, and by Python's hash if a map has keys of other kinds, too."""
    keys = [key + 2**61 - 1 for key in chosen(11_000)]
    for form in (plain, endless):
        assert native.cbor_loads(form(keys)) == dict.fromkeys(keys)
    for form in (beside_words, words_behind):
        for data in (form(keys), b"\xbf" + form(keys)[5:] + b"\xff"):
            with pytest.raises(ValueError, match="collide too often"):
                native.cbor_loads(data)


def test_repeated_numbers_beside_a_tag_have_no_budget_for_each_map():
    """Each map is counted separately and takes its own bytes, so many of them stay linear."""
    few = chosen(2_800)[:120]
    one = plain(few)
    small, large = (
        in_args(b"\x82\xd8\x64\x00" + head(4, count) + one * count) for count in (40, 640)
    )
    for _ in range(3):
        growth = seconds_to_read(large) / len(large) * len(small) / seconds_to_read(small)
        if growth < 1.5:
            return
    pytest.fail(f"each byte of the larger message costs {growth:.1f} times as much")


def test_few_numbers_of_one_hash_are_accepted():
    same = [0.75 * 2.0 ** (61 * k) for k in range(-16, 17)]
    assert len(set(map(hash, same))) == 1
    # These 33 are all that exist, and few enough.
    assert native.cbor_loads(cbor2.dumps(dict.fromkeys(same))) == dict.fromkeys(same)


HONEST = {
    "in sequence": range(100_000),
    "from a number on": range(10**12, 10**12 + 30_000),
    "below zero": range(-10_000, 10_000),
    "in descending order": range(30_000, 0, -1),
    "multiples of a power of two": range(0, 20_000 << 40, 1 << 40),
    "multiples of another": range(0, 20_000 << 32, 1 << 32),
    "milliseconds": range(1_700_000_000_000, 1_700_020_000_000, 1000),
    "nanoseconds": range(17 * 10**17, 17 * 10**17 + 20_000 * 10**9, 10**9),
    "products": [x * 7919 * 2**20 % (2**63 - 25) for x in range(20_000)],
    "places in a grid": [x << 32 | y for x in range(150) for y in range(150)],
    "halves": [x / 2 for x in range(20_000)],
    "hundredths": [x / 100 for x in range(20_000)],
    "reciprocals": [1 / x for x in range(1, 20_000)],
    "small negative floats": [-x * 1e-9 for x in range(1, 20_000)],
    "words and a few numbers": [*range(200), *map(str, range(10_000))],
    "numbers and a few words": [*range(10_000), *map(str, range(60))],
}


@pytest.mark.parametrize("keys", HONEST.values(), ids=HONEST)
def test_honest_keys_are_accepted(keys):
    value = dict.fromkeys(keys)
    data = cbor2.dumps(value)
    assert native.cbor_loads(data) == value
    size = len(data) - len(b"".join(cbor2.dumps(key) + NULL for key in value))
    assert native.cbor_loads(b"\xbf" + data[size:] + b"\xff") == value


@pytest.mark.parametrize("keys", HONEST.values(), ids=HONEST)
def test_honest_elements_of_a_set_are_accepted(keys):
    assert native.cbor_loads(cbor2.dumps(set(keys))) == set(keys)


def test_a_repeated_key_is_accepted_as_before():
    keys = [7, *range(100), 7, 7.0, True, "a", *["a"] * 100]
    data = head(5, len(keys)) + b"".join(
        cbor2.dumps(k) + cbor2.dumps(i) for i, k in enumerate(keys)
    )
    found, expected = native.cbor_loads(data), cbor2.loads(data)
    assert found == expected
    assert list(map(repr, found)) == list(map(repr, expected))


@pytest.mark.parametrize("key", [7, 1000, -1, 2**63, 1.5, True], ids=repr)
@pytest.mark.parametrize("before", [[], [3, 5, 9], [*range(1000, 1200)]], ids=len)
def test_one_key_that_is_repeated_often_counts_once(key, before):
    """Before, each took a slot of its own, and the search for another one never ended."""
    keys = [*before, *[key] * 20_000]
    value = native.cbor_loads(plain(keys))
    assert value == dict.fromkeys(keys)
    assert list(map(repr, value)) == list(map(repr, dict.fromkeys(keys)))


def test_two_alternating_keys_count_twice():
    """In a small table, each takes a slot beyond the other's."""
    assert native.cbor_loads(plain([8, 16] * 10_000)) == {8: None, 16: None}


def test_keys_that_are_not_numbers_are_all_kept():
    nan = b"\xfb\x7f\xf8" + bytes(6) + NULL
    kept = 1 if PYPY else 5000  # PyPy's floats are identical if their bits are
    assert len(native.cbor_loads(head(5, 5000) + nan * 5000)) == kept


def test_many_numbers_together_with_many_words_are_refused():
    for keys in ([*range(257), *map(str, range(65))], [*map(str, range(65)), *range(257)]):
        data = cbor2.dumps(dict.fromkeys(keys))
        for form in (data, b"\xbf" + data[3:] + b"\xff"):
            with pytest.raises(ValueError, match="more than 256 numbers and 64 others"):
                native.cbor_loads(form)


def test_only_a_few_points_in_time_may_be_keys():
    """Their hashes are not randomized."""
    points = b"".join(b"\xc1" + cbor2.dumps(1_700_000_000 + i) + NULL for i in range(257))
    assert len(native.cbor_loads(head(5, 256) + points)) == 256
    with pytest.raises(ValueError, match="too many keys"):
        native.cbor_loads(head(5, 257) + points)


@pytest.mark.parametrize(
    "entry",
    [
        {"unknown": {1: 2}},
        {"unknown": [{"a": [{b"b": 2}]}]},
        {"roles": {1: {}}},
        {"roles": {"caller": {"features": {1: True}}}},
        {"resumable": {1: 1}},
    ],
)
def test_metadata_has_text_keys_on_all_levels(entry):
    for data in (cbor2.dumps(entry), b"\xbf" + cbor2.dumps(entry)[1:] + b"\xff"):
        with pytest.raises(ProtocolError, match="keys that are not strings"):
            OBJSER.unserialize(build("Hello", {"realm": "r"}, metadata=data))


def test_metadata_may_have_other_keys_where_wamp_leaves_it_open():
    extra = {1: {2: 3}, "a": [{b"b": None}]}
    metadata = cbor2.dumps({"authextra": extra})
    (hello,) = OBJSER.unserialize(build("Hello", {"realm": "r"}, metadata=metadata))
    assert hello.authextra == extra
    metadata = cbor2.dumps({"x_own": extra})
    (welcome,) = OBJSER.unserialize(build("Welcome", {"session": 1}, metadata=metadata))
    assert welcome.custom == {"x_own": extra}
    metadata = cbor2.dumps({"method": "x_own", "extra": {"a": extra}})
    (challenge,) = OBJSER.unserialize(build("Challenge", {}, metadata=metadata))
    assert challenge.extra == {"a": extra}


HOP = {"session": 1, "authid": None, "authrole": "r"}


@pytest.mark.parametrize("dialect", ["autobahn", "schema"])
@pytest.mark.parametrize("more", [{1: 2}, [{"a": {b"b": 3}}], {"a": {(): None}}], ids=repr)
def test_hops_with_keys_that_a_reader_refuses_are_not_written(more, dialect):
    """Before, they were written, and every reader refused the message."""
    serializer = FlatBuffersObjectSerializer(dialect=dialect)
    for msg in (
        message.Event(1, 2, forward_for=[HOP, {**HOP, "more": more}]),
        message.Cancel(1, forward_for=[{**HOP, "more": more}]),
        message.Unregister(1, 2, forward_for=[{**HOP, "more": more}]),
    ):
        place = f"{type(msg).__name__.upper()}.forward_for: item: keys must be str at all levels"
        with pytest.raises(ValueError, match=place):
            serializer.serialize(msg)
        msg.forward_for = [{**HOP, "more": {"a": [{"b": 1}]}}]
        (received,) = serializer.unserialize(serializer.serialize(msg))
        assert received.forward_for == msg.forward_for


@pytest.mark.parametrize("tags", [1, 2])
def test_args_may_say_that_they_are_cbor(tags):
    for value in ([1, {"a": 2}], [1, cbor2.CBORTag(4000, 1)]):
        data = b"\xd9\xd9\xf7" * tags + cbor2.dumps(value)
        (msg,) = OBJSER.unserialize(
            build("Event", {"subscription": 1, "publication": 2, "args": data})
        )
        assert msg.args == value
    metadata = b"\xd9\xd9\xf7" * tags + cbor2.dumps({"authextra": {"a": 1}})
    (msg,) = OBJSER.unserialize(build("Hello", {"realm": "r"}, metadata=metadata))
    assert msg.authextra == {"a": 1}
