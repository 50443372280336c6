"""Compares our verdicts with those of Google's C++ verifier, on valid and broken messages.

If Google's verifier refuses a message, ours does, too. If only ours refuses it, the reason is one
of the stricter rules that SECURITY.rst lists. The verifier is the distribution's (its flatc and its
headers, version 2.0.8 in Debian 12). Its code is generated from our schemas, and it runs with its
default options.
"""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autobahn_fbs import FlatBuffersObjectSerializer
from support.checkout import CSRC, ROOT, compiler
from support.mutations import mutated
from support.samples import every_sample
from support.strategies import messages
from support.vectors import VECTORS
from support.verifier.build import FOLDER, compile_cpp, tools
from support.verifier.cpp_schema import generate
from support.verifier.verdicts import ask, tally
from support.wirebuild import CODES, build, union_tags

DIALECTS = ("autobahn", "schema")
SERIALIZERS = {name: FlatBuffersObjectSerializer(dialect=name) for name in DIALECTS}

#: Error codes with which our verifier may refuse messages that Google's accepts. Each is a rule of
#: SECURITY.rst.
STRICTER = set(
    re.findall(r"X\((\w+)\)", (FOLDER / "stricter.h").read_text("utf-8").partition("(X)")[2])
)

Case = tuple[str, bytes]  # dialect, message


class Verdicts:
    """The verifier program (tests/support/verifier)."""

    def __init__(self, program: Path) -> None:
        self.program = program
        names = subprocess.run([program, "--names"], capture_output=True, text=True, check=True)
        self.names = names.stdout.split()

    def __call__(self, cases: Iterable[Case]) -> list[tuple[bool, str]]:
        """For each message, whether Google's verifier accepts it, and our error code."""
        found = ask(self.program, ((DIALECTS.index(dialect), data) for dialect, data in cases))
        pairs = zip(found[::2], found[1::2], strict=True)
        return [(bool(google), self.names[ours]) for google, ours in pairs]

    def compare(self, cases: list[Case]) -> Counter[str]:
        """How often each of our codes occurred; fails if the verdicts disagree."""
        found = zip(cases, self(cases), strict=True)
        return tally(((*case, *verdict) for case, verdict in found), STRICTER)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Builds the program; skips, with a reason, if Google's side of it is missing."""
    folder = tmp_path_factory.mktemp("verifier")
    flatc, cxx = tools()
    for dialect in DIALECTS:
        generate(flatc, folder / dialect, by_ordinal=dialect == "schema")
        flags = ["-DBY_ORDINAL"] if dialect == "schema" else []
        compile_cpp(
            *flags,
            "-I",
            folder / dialect,
            "-c",
            FOLDER / "google.cc",
            "-o",
            folder / f"{dialect}.o",
        )
    sources = [CSRC / "core" / "verify.c", CSRC / "core" / "text.c", CSRC / "generated/tables.c"]
    for source in (*sources, FOLDER / "verdicts.c"):
        command = [*compiler(), "-std=c11", "-O1", "-c", source, "-o", folder / f"{source.stem}.o"]
        subprocess.run(command, check=True)
    program = folder / "verdicts"
    subprocess.run([cxx, "-o", program, *folder.glob("*.o")], check=True)
    return Verdicts(program)


def good_messages() -> list[Case]:
    return [
        (dialect, serializer.serialize(msg))
        for msg in every_sample()
        for dialect, serializer in SERIALIZERS.items()
    ]


def test_both_accept_every_good_message(verdicts):
    cases = good_messages()
    assert verdicts(cases) == [(True, "OK")] * len(cases)


def test_both_accept_the_vectors(verdicts):
    cases = [("autobahn", bytes.fromhex(v["bytes_hex"])) for v in VECTORS["encoded"]]
    assert verdicts(cases) == [(True, "OK")] * len(cases)


@settings(max_examples=30)
@given(st.lists(messages(), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_they_agree_on_any_message_and_its_changes(verdicts, msgs, source):
    for dialect, serializer in SERIALIZERS.items():
        whole = [(dialect, serializer.serialize(msg)) for msg in msgs]
        assert verdicts(whole) == [(True, "OK")] * len(whole)
        verdicts.compare([(dialect, mutated(data, source)) for _, data in whole * 20])


def test_they_agree_on_the_changed_samples(verdicts):
    source = random.Random(6)
    cases = good_messages()
    broken = [
        (dialect, mutated(data, source))
        for dialect, data in (source.choice(cases) for _ in range(60_000))
    ]
    found = verdicts.compare(broken)
    # The changes are neither all harmless nor all fatal, and reach the rules.
    assert found["OK"] > 3000 and found["refused by both"] > 3000
    assert len(found) > 12, found


def test_they_agree_on_every_cut(verdicts):
    cases = good_messages()[::7]
    cut = [(dialect, data[:size]) for dialect, data in cases for size in range(len(data))]
    found = verdicts.compare(cut)
    assert found["refused by both"] > 3000, found


def test_they_agree_on_every_word_set_to_an_extreme(verdicts):
    extremes = [struct.pack("<I", n) for n in (0, 1, 4, 2**31 - 4, 2**31, 2**32 - 4, 2**32 - 1)]
    verdicts.compare(
        [
            (dialect, data[:at] + word + data[at + 4 :])
            for dialect, data in good_messages()[::5]
            for at in range(0, len(data) - 3, 4)
            for word in extremes
        ]
    )


def test_only_we_refuse_a_tag_without_a_meaning(verdicts):
    for dialect, tags in (("autobahn", CODES), ("schema", union_tags())):
        unknown = sorted(set(range(256)) - set(tags.values()))
        cases = [
            (dialect, build("Published", {"request": 1, "publication": 2}, tag=tag))
            for tag in unknown
        ]
        assert set(verdicts(cases)) == {(True, "UNION_TYPE")}


def references(count: int) -> bytes:
    """A PUBLISH whose forward_for refers ``count`` times to one empty Principal."""
    head = bytearray(build("Publish", {"request": 1, "topic": "a.b", "forward_for": [{}]}))
    vector = head.rindex(struct.pack("<I", 1))  # its length; the only offset comes after it
    (offset,) = struct.unpack_from("<I", head, vector + 4)
    target = vector + 4 + offset
    # The table keeps its place. The rewritten vector goes to the end, and can't refer back, so the
    # new table goes there, too: a vtable of two sizes, and the table itself.
    place = len(head)
    assert place % 4 == 0 and target < place
    table = place + 4 + 4 * count + 4
    words = [count, *(table - (place + 4 + 4 * i) for i in range(count))]
    head += struct.pack(f"<{len(words)}I", *words) + struct.pack("<HHi", 4, 4, 4)
    for at in range(0, place, 4):  # the only offset to the vector
        if at + struct.unpack_from("<I", head, at)[0] == vector and at < vector:
            struct.pack_into("<I", head, at, place - at)
    return bytes(head)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, (True, "OK")), (999_998, (True, "OK")), (999_999, (False, "TABLES"))],
)
def test_both_visit_at_most_a_million_tables(verdicts, count, expected):
    assert verdicts([("autobahn", references(count))]) == [expected]


def test_every_stricter_rule_is_in_the_security_policy():
    policy = (ROOT / "SECURITY.rst").read_text("utf-8")
    listed = set(re.findall(r"^``([A-Z0-9_]+)``$", policy, re.MULTILINE))
    assert listed == STRICTER
