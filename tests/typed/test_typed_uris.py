"""URIs of WAMP IDL: how they are joined, and what they match."""

from __future__ import annotations

import pytest

from autobahn_fbs.typed import uris
from autobahn_fbs.typed.errors import CatalogError

SITE = "bf469db0-efea-425b-8de4-24b5770e6241"


@pytest.mark.parametrize(
    ("prefix", "own", "joined"),
    [
        ("com.example", None, "com.example.name"),
        ("com.example", "book.last", "com.example.book.last"),
        ("com.example", "com.example.book.last", "com.example.book.last"),
        ("com.example", "com.example", "com.example"),
        ("com.example", "com.examples.x", "com.example.com.examples.x"),
        ("wamp", "wamp.session.kill", "wamp.session.kill"),
        (None, "com.example.ping", "com.example.ping"),
        (None, None, "name"),
        ("com.<uuid:site>", "<int:level>.on", "com.<uuid:site>.<int:level>.on"),
    ],
)
def test_a_method_has_its_own_uri_below_that_of_its_service(prefix, own, joined):
    assert uris.join(prefix, own, "name") == joined


@pytest.mark.parametrize(
    ("uri", "good", "bad"),
    [
        ("a.b", ["a.b"], ["a.c", "a.b.c", "aXb", "a.b\n"]),
        ("a.<x:str>.b", ["a.q.b", "a.Ü.b"], ["a..b", "a.q.r.b", "a.q#.b", "a. .b"]),
        ("a.<str:x>", ["a.q"], ["a.", "a"]),
        ("a.<int:level>", ["a.0", "a.-12"], ["a.x", "a.1x", "a.\u0661", "a.1\n", "a.+1"]),
        ("a.<level:int>", ["a.0"], ["a.x"]),
        ("<uuid:s>.x", [f"{SITE}.x", f"{SITE.upper()}.x"], ["x.x", f"{SITE[:-1]}.x", f"{SITE}0.x"]),
        ("a..c", ["a.b.c"], ["a..c", "a.b.b.c"]),
    ],
)
def test_a_typed_component_matches_only_its_type(uri, good, bad):
    matches = uris.matcher(uri)
    assert [text for text in good if not matches(text)] == []
    assert [text for text in bad if matches(text)] == []


@pytest.mark.parametrize("uri", ["a.<x>", "a.<x:float>", "a.x<y:str>", "a b", "a.<:str>", "a.#"])
def test_a_malformed_component_is_an_error(uri):
    for function in (uris.matcher, uris.normalized, uris.specificity):
        with pytest.raises(CatalogError, match="URI"):
            function(uri)


def test_a_uri_that_is_too_long_is_an_error():
    assert uris.matcher("a." * 2000 + "b")("a." * 2000 + "b")
    with pytest.raises(CatalogError, match="has 4097 characters; 4096 are allowed") as caught:
        uris.matcher("a" * 4097)
    assert len(str(caught.value)) < 200


def test_names_of_components_make_no_difference():
    assert uris.normalized("a.<x:int>.<uuid:y>") == uris.normalized("a.<int:z>.<w:uuid>")
    assert uris.normalized("a.<x:int>") != uris.normalized("a.<x:str>")
    assert uris.normalized("a..b") == uris.normalized("a.<x:str>.b")


def test_the_most_specific_uri_comes_first():
    texts = ["<x:str>.b", "a.<x:str>", "a.<x:int>", "a.<x:uuid>"]
    assert sorted(texts, key=uris.specificity) == [
        "a.<x:uuid>",
        "a.<x:int>",
        "a.<x:str>",
        "<x:str>.b",
    ]


def test_a_uri_is_exact_if_it_stands_for_itself():
    assert uris.is_exact("a.b.c")
    assert not uris.is_exact("a..c") and not uris.is_exact("a.<x:str>")
