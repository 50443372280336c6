"""Compares our verdicts with those of Google's C++ verifier, on valid and broken buffers.

If Google's verifier refuses a buffer, ours does, too. If only ours refuses it, the reason is one of
the stricter rules. The verifier is the distribution's (its flatc and headers). Its code is
generated from the schemas in this folder, and it runs with its default options.
"""

from __future__ import annotations

import random
import struct
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from autobahn_fbs.typed import Catalog, InvalidPayload
from support.mutations import mutated
from support.typed_samples import DRAWING, EVERYTHING, POINT
from support.typed_schemas import SCHEMAS
from support.verifier.build import FOLDER, compile_cpp, tools
from support.verifier.verdicts import ask, tally

TABLES = [
    ("basics", "basics.Everything"),
    ("basics", "basics.Strict"),
    ("unions", "unions.Drawing"),
    ("nested", "nested.Envelope"),
    ("wamp", "checks.Addresses"),
]
CATALOGS = {name: Catalog.load(SCHEMAS / f"{name}.bfbs") for name in {n for n, _ in TABLES}}

#: Codes with which ours may refuse buffers that Google's accepts.
STRICTER = {
    "BOOL_VALUE",
    "STRING_UTF8",
    "FLEXBUFFER",
    "DEMAND",
    "BUDGET",
    "OFFSET_NULL",
    "UNION_VALUE",
    "UNION_LENGTH",
    "TABLE_SIZE",
    "FIELD_RANGE",
    "VTABLE_RANGE",
    "VTABLE_SIZE",
    "FIELD_ALIGNMENT",
}

Case = tuple[int, bytes]  # number of a table, buffer


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Google's side; skips with a reason if it can't be built."""
    folder = tmp_path_factory.mktemp("verifier")
    for name in CATALOGS:
        command = [tools()[0], "--cpp", "--gen-all", "-I", SCHEMAS, "-o", folder]
        subprocess.run([*command, SCHEMAS / f"{name}.fbs"], check=True, capture_output=True)
    compile_cpp("-I", folder, FOLDER / "typed.cc", "-o", folder / "google")
    return folder / "google"


def ours(case: Case) -> str:
    """Our code: "OK" if it is accepted."""
    schema, table = TABLES[case[0]]
    try:
        CATALOGS[schema].verify(table, case[1])
    except InvalidPayload as error:
        return str(error.code)
    return "OK"


def compare(program: Path, cases: Iterable[Case]) -> Counter[str]:
    """How often each of our codes occurred; fails if the verdicts disagree."""
    listed = list(cases)
    found = zip(listed, ask(program, listed), strict=True)
    return tally(((*case, bool(google), ours(case)) for case, google in found), STRICTER)


def good() -> list[Case]:
    inner = CATALOGS["nested"].encode("nested.inner.Letter", {"text": "inside", "number": 3})
    addresses = {"text": "0x" + "a" * 40, "texts": ["0x" + "b" * 40], "raw": b"x" * 20}
    values = [
        EVERYTHING,
        {"text": "t", "leaf": {"name": "n"}, "numbers": [1, 2], "point": POINT},
        DRAWING,
        {"letter": inner, "absolute": inner, "plain": b"p"},
        addresses,
    ]
    return [
        (number, CATALOGS[schema].encode(table, value))
        for number, ((schema, table), value) in enumerate(zip(TABLES, values, strict=True))
    ]


def test_both_accept_every_good_buffer(program):
    assert ask(program, good()) == bytes([1] * len(TABLES))
    assert [ours(case) for case in good()] == ["OK"] * len(TABLES)


def test_they_agree_on_every_cut(program):
    cases = [(number, data[:size]) for number, data in good() for size in range(len(data))]
    found = compare(program, cases)
    assert found["refused by both"] > 1000, found


def test_they_agree_on_every_word_set_to_an_extreme(program):
    extremes = [struct.pack("<I", n) for n in (0, 1, 4, 2**31 - 4, 2**31, 2**32 - 4, 2**32 - 1)]
    cases = [
        (number, data[:at] + word + data[at + 4 :])
        for number, data in good()
        for at in range(0, len(data) - 3, 4)
        for word in extremes
    ]
    compare(program, cases)


def test_they_agree_on_changed_valid_buffers(program):
    source = random.Random(15)
    cases = good()
    broken = [
        (number, mutated(data, source))
        for number, data in (source.choice(cases) for _ in range(40_000))
    ]
    found = compare(program, broken)
    assert found["OK"] > 2000 and found["refused by both"] > 2000, found
