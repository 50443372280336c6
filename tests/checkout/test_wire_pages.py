"""The pages on the wire format have all that the schemas declare, with its comments."""

from __future__ import annotations

import re
import sys

import pytest

from support.checkout import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import wire_pages  # from tools/
from wire_pages import generate

STEMS = sorted(path.stem for path in generate.SCHEMAS.glob("*.fbs"))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {stem: wire_pages.page(stem) for stem in STEMS}


def section(pages: dict[str, str], name: str) -> str:
    """The text of one page about a table or an enum; no other page has it."""
    (page,) = (page for page in pages.values() if f".. _wire-{name}:" in page)
    return page.partition(f".. _wire-{name}:")[2].partition(".. _wire-")[0]


def test_every_schema_has_a_page():
    shown = {
        stem
        for path in (ROOT / "docs" / "wire").glob("*.rst")
        for stem in re.findall(r"^\.\. wire-schema:: (\w+)$", path.read_text("utf-8"), re.M)
    }
    assert sorted(shown) == STEMS


def test_every_table_and_every_field_is_there_with_its_comment(pages):
    tables = wire_pages.reflected()["objects"]
    assert len(tables) > 40
    for table in tables:
        text = section(pages, generate.short(table["name"]))
        assert wire_pages.prose(table["documentation"]) in text
        for field in table["fields"]:
            assert re.search(rf"\* - {field['id']}\n     - \| ``{field['name']}``\n", text)
            if field["type"]["base_type"] != "UType":
                assert wire_pages.prose(field["documentation"]) in text


def test_every_enum_and_every_value_is_there_with_its_comment(pages):
    enums = wire_pages.reflected()["enums"]
    assert len(enums) > 10
    for enum in enums:
        text = section(pages, generate.short(enum["name"]))
        assert wire_pages.prose(enum["documentation"]) in text
        for value in enum["values"]:
            assert re.search(rf"\* - {value['value']}\n", text)
            assert re.search(rf"[`<]`?(wire-)?{value['name']}[`>]", text)
            if not (enum["is_union"] and value["name"] == "NONE"):
                assert wire_pages.prose(value["documentation"]) in text


def test_everything_that_is_declared_in_the_sources_is_in_the_pages(pages):
    """Counted in the text of the schemas, so that the test doesn't depend only on reflection."""
    source = "\n".join(path.read_text("utf-8") for path in generate.SCHEMAS.glob("*.fbs"))
    declared = re.findall(r"^(?:table|enum|union) (\w+)", source, re.M)
    linked = re.findall(r"^\.\. _wire-(\w+):", "\n".join(pages.values()), re.M)
    assert sorted(declared) == sorted(linked)


def test_messages_show_their_numbers_in_both_dialects(pages):
    assert "Message EVENT: the union's type is 36 (schema dialect: 14)." in pages["pubsub"]


def test_the_value_of_an_absent_field_is_available(pages):
    hello = section(pages, "Hello")
    assert "``roles``\n       | :ref:`ClientRoles <wire-ClientRoles>`\n     - required;" in hello
    assert "``resumable``\n       | bool\n     - None" in hello
    assert "``match``\n       | :ref:`Match <wire-Match>`\n     - ``EXACT``" in pages["pubsub"]


def test_comments_are_marked_up():
    assert wire_pages.prose([" A `b_c` is *d_", " or `e`s."]) == r"A ``b_c`` is \*d\_ or ``e``\ s."
