"""Schemas that change: how an older reader reads a newer writer's bytes, and the reverse."""

from __future__ import annotations

import pytest

from autobahn_fbs.typed import Catalog, InvalidPayload
from support.typed_schemas import SCHEMAS

OLD = Catalog.load(SCHEMAS / "version1.bfbs")
NEW = Catalog.load(SCHEMAS / "version2.bfbs")
NAME = "evolving.Message"


def test_a_newer_reader_has_defaults_for_absent_fields():
    data = OLD.encode(NAME, {"id": 1, "body": ("Text", {"text": "t"}), "old": "gone"})
    read = NEW.decode(NAME, data)
    assert (read.id, read.body.text, read.body.language, read.added) == (1, "t", None, None)
    assert not hasattr(read, "old")


def test_an_older_reader_skips_what_it_does_not_know():
    data = NEW.encode(NAME, {"id": 2, "added": [1, 2], "body": ("Text", {"language": "en"})})
    read = OLD.decode(NAME, data)
    assert (read.id, read.old, read.body.text) == (2, None, None)


def test_an_older_reader_reads_a_new_member_of_a_union_as_absent():
    data = NEW.encode(NAME, {"body": ("Number", {"number": 1.5})})
    assert OLD.decode(NAME, data).body is None
    with pytest.raises(InvalidPayload, match=r"evolving\.Message\.body"):
        OLD.decode(NAME, data, strict=True)


def test_an_older_reader_reads_a_new_enum_value_as_a_number():
    data = NEW.encode(NAME, {"kind": "Three"})
    read = OLD.decode(NAME, data)
    assert read.kind == 2 and type(read.kind) is int
    with pytest.raises(InvalidPayload, match=r"evolving\.Message\.kind"):
        OLD.verify(NAME, data, strict=True)
    with pytest.raises(InvalidPayload):
        OLD.encode(NAME, read)


def test_two_versions_of_a_table_are_two_types():
    assert OLD[NAME] is not NEW[NAME]
    assert OLD[NAME].__match_args__ != NEW[NAME].__match_args__
    both = Catalog.load(SCHEMAS / "version1.bfbs", SCHEMAS / "version2.bfbs")
    with pytest.raises(KeyError, match="defined differently"):
        both[NAME]
    assert both["evolving.Number"]
