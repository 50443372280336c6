"""Levels, tables and sizes: every buffer that is written is within the limits for verifying it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from autobahn_fbs import Limits
from autobahn_fbs.typed import Catalog, InvalidPayload
from support.typed_schemas import SCHEMAS

BASICS = SCHEMAS / "basics.bfbs"
NESTED = Catalog.load(SCHEMAS / "nested.bfbs")
#: Tables within tables that are followed.
LEVELS = 64


def envelopes(count: int) -> dict[str, Any]:
    """That many envelopes, each in the one before."""
    value: dict[str, Any] = {"plain": b"x"}
    for _ in range(count - 1):
        value = {"self": value}
    return value


def code_of(action: Any, *arguments: Any, **options: Any) -> Any:
    with pytest.raises(InvalidPayload) as refused:
        action(*arguments, **options)
    error: Any = refused.value
    return error.code


def test_nested_buffers_are_written_and_read_to_the_last_level():
    data = NESTED.encode("nested.Envelope", envelopes(LEVELS))
    NESTED.verify("nested.Envelope", data)
    assert code_of(NESTED.encode, "nested.Envelope", envelopes(LEVELS + 1)) == "DEPTH"


def test_bytes_for_a_nested_buffer_may_use_only_the_remaining_levels():
    inner = NESTED.encode("nested.Envelope", envelopes(LEVELS - 1))
    assert NESTED.encode("nested.Envelope", {"self": inner})
    assert code_of(NESTED.encode, "nested.Envelope", {"self": {"self": inner}}) == "DEPTH"


def test_an_error_in_a_nested_buffer_has_the_whole_path():
    with pytest.raises(InvalidPayload) as refused:
        NESTED.encode("nested.Envelope", {"self": {"letter": {"text": 5}}})
    assert str(refused.value) == "nested.Envelope.self.letter.text: str expected, got int"
    letter = NESTED.encode("nested.inner.Letter", {"text": "inside"})
    broken = letter.replace(b"inside", b"in\xffide")
    with pytest.raises(InvalidPayload) as refused:
        NESTED.encode("nested.Envelope", {"self": {"letter": broken}})
    assert str(refused.value) == "nested.Envelope.self.letter.text: string is not valid UTF-8"


def test_the_bytes_of_nested_buffers_are_charged_once():
    # 40 levels of 50 kB are 2 MB if each level is charged, and 51 kB are there.
    value: dict[str, Any] = {"plain": b"x" * 50_000}
    for _ in range(40):
        value = {"self": value}
    data = NESTED.encode("nested.Envelope", value)
    NESTED.verify("nested.Envelope", data)
    assert len(data) < 60_000


def test_shared_nested_buffers_are_charged_each_time():
    """Each envelope in a vector would be decoded to a copy of the shared bytes."""
    catalog = Catalog.load(
        SCHEMAS / "nested.bfbs", limits=Limits(apparent_size=0, apparent_factor=1)
    )
    data = NESTED.encode("nested.Envelope", {"self": {"plain": b"x" * 100}})
    assert code_of(catalog.verify, "nested.Envelope", data) == "BUDGET"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_size=1000), "TOO_LONG"),
        (Limits(max_tables=5), "TABLES"),
        (Limits(apparent_size=0, apparent_factor=1), "BUDGET"),
    ],
)
def test_a_limit_applies_to_reading_and_writing(limits, code):
    value = {"children": [{"name": "x" * 100} for _ in range(10)]}
    if code == "BUDGET":  # many fields in a class and few bytes
        value = {"node": {"children": [{} for _ in range(1000)]}}
        name = "basics.Everything"
    else:
        name = "basics.Node"
    free, limited = Catalog.load(BASICS), Catalog.load(BASICS, limits=limits)
    data = free.encode(name, value)
    assert free.decode(name, data).to_dict() == value
    for read in (limited.verify, limited.decode, limited.lazy, limited.unpack):
        assert code_of(read, name, data) == code
    assert code_of(limited.encode, name, value) == code
    args = [value.get(field) for field in limited._codec(name).args]
    assert code_of(limited.validate, name, args) == code
    assert limited.encode(name, {}) == free.encode(name, {})


def test_catalogs_with_different_limits_have_the_same_classes():
    small = Catalog.load(BASICS, limits=Limits(max_size=1000))
    assert small["basics.Node"] is Catalog.load(BASICS)["basics.Node"]
    node: Any = small["basics.Node"]
    assert node(name="x" * 2000).to_dict() == {"name": "x" * 2000}


@pytest.mark.parametrize(
    ("limits", "error"),
    [((7, 0, 1, 2), ValueError), ((8, 0, 1, 1), ValueError), ((8.0, 0, 1, 2), TypeError)],
)
def test_a_limit_out_of_range_is_refused(limits, error):
    with pytest.raises(error, match="limit"):
        Catalog.load(BASICS, limits=limits)


def test_empty_limits_are_the_defaults():
    catalog = Catalog.load(BASICS, limits=())  # type: ignore[arg-type]
    assert catalog._limits == Limits()
    catalog.encode("basics.Node", {"name": "x"})


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda codec: pickle.loads(pickle.dumps(codec))]
)
def test_a_copied_or_pickled_codec_has_the_same_limits(again):
    free = Catalog.load(BASICS)._codec("basics.Node")
    assert again(free.schema) is free.schema and again(free).name == "basics.Node"
    limited = again(again(free.limited(Limits(max_size=1000))))
    value = {"name": "x" * 2000}
    assert free.encode(value) == again(free).encode(value)
    assert code_of(limited.encode, value) == "TOO_LONG"
    assert code_of(limited.verify, free.encode(value)) == "TOO_LONG"


def test_strict_writing_refuses_unknown_values_in_bytes_of_nested_buffers():
    letter = bytearray(NESTED.encode("nested.inner.Letter", {"tone": "Loud"}))
    place = NESTED.decode("nested.inner.Letter", letter).tone
    assert place == 1
    letter[letter.rindex(1)] = 7  # the tone: the last byte of 1
    assert NESTED.decode("nested.inner.Letter", letter).tone == 7
    value = {"letter": bytes(letter)}
    assert NESTED.encode("nested.Envelope", value)
    with pytest.raises(InvalidPayload, match=r"nested\.Envelope\.letter\.tone"):
        NESTED.encode("nested.Envelope", value, strict=True)
