"""WAMP IDL: attributes, args and kwargs, interfaces."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog, CatalogError, InvalidPayload
from support.typed_schemas import SCHEMAS, needs_flatc

CHECKS = Catalog.load(SCHEMAS / "wamp.bfbs")
ORDERS = Catalog.load(SCHEMAS / "orders.bfbs")
ID = "bf469db0-efea-425b-8de4-24b5770e6241"
ADDRESS = "0x" + "ab" * 20


def accepted(table: str, field: str, value: Any) -> Any:
    table = f"checks.{table}"
    data = CHECKS.encode(table, {field: value})
    CHECKS.verify(table, data)
    CHECKS.validate(table, *in_place(table, field, value))
    return getattr(CHECKS.decode(table, data), field)


def in_place(table: str, field: str, value: Any) -> tuple[list[Any], dict[str, Any]]:
    codec = CHECKS._origins[0].schema.codec(table)
    given = {name: codec.default(name) for name in codec.args} | {field: value}
    if table == "checks.Ids" and field != "one":
        given["one"] = 1
    return [given[name] for name in codec.args], {}


def refused(table: str, field: str, value: Any) -> str:
    table = f"checks.{table}"
    with pytest.raises(InvalidPayload) as caught:
        CHECKS.encode(table, {field: value})
    with pytest.raises(InvalidPayload):
        CHECKS.validate(table, *in_place(table, field, value))
    with pytest.raises(InvalidPayload):
        CHECKS.pack(table, *in_place(table, field, value))
    assert str(caught.value).startswith(f"{table}.{field}"), str(caught.value)
    return str(caught.value)


def test_a_wampid_is_between_1_and_2_to_the_53():
    for value in (1, 2, 2**53):
        assert accepted("Ids", "one", value) == value
        assert accepted("Ids", "many", [value, 1]) == [value, 1]
    for value in (2**53 + 1, 2**64 - 1):
        refused("Ids", "one", value)
        assert "[1]" in refused("Ids", "many", [1, value])
    assert "[0]" in refused("Ids", "many", [0])


URIS = {
    "name": (["a", "Ä", "a-b", "com<x>"], ["", "a.b", "a b", "a#", "a\n", "a\u2003b"]),
    "name_s": (["a", "a_1", "0"], ["", "A", "a.b", "a-b", "ä", "a\n", "\u0661"]),
    "uri": (["a", "a.b", "A.Ä"], ["", ".", "a.", ".a", "a..b", "a b", "a#b", "a.b\n"]),
    "uri_s": (["a.b_1"], ["", "A.b", "a..b", "a.", "a.b\n", "a.\u0661"]),
    "uri_p": (["", "a", "a..b", ".", "a.", ".a", "..", "A"], ["a b", "#", "a\n"]),
    "uri_sp": (["", "a..b", "a.", "."], ["A", "a b", "a-b", "a.\u0661"]),
    "uri_pp": (["", "a", "a.", "a.b."], ["a..b", ".a", ".", "a b", "a.\n"]),
    "uri_spp": (["", "a.b.", "a"], ["a..b", "A.", ".a"]),
}


@pytest.mark.parametrize("field", URIS)
def test_a_uri_has_the_form_that_its_attribute_says(field):
    good, bad = URIS[field]
    for text in good:
        assert accepted("Names", field, text) == text
    for text in bad:
        refused("Names", field, text)


def test_every_element_of_a_vector_is_checked():
    assert accepted("Names", "many_uris", ["a.b", "c"]) == ["a.b", "c"]
    assert "[1]" in refused("Names", "many_uris", ["a.b", "c..d"])
    assert "[0]" in refused("Names", "many_names", ["a.b"])


def test_a_uuid_is_its_text_or_16_bytes_or_an_integer_of_four_words():
    value = uuid.UUID(ID)
    assert accepted("Uuids", "text", ID) == ID
    for given in (value, ID, value.bytes, value.int):
        assert accepted("Uuids", "integer", given) == value
    assert accepted("Uuids", "integers", [value, ID]) == [value, value]
    read = accepted("Uuids", "raw", value.bytes)
    assert read in (value, value.bytes)
    for text in ("", ID[:-1], ID + "0", ID.replace("-", ""), "{" + ID + "}", ID[:-1] + "g"):
        refused("Uuids", "text", text)
        assert "[0]" in refused("Uuids", "texts", [text])
    assert "16 bytes" in refused("Uuids", "raw", b"123456789012345")
    for given in (b"short", 2**128, -1, "text", 1.5):
        refused("Uuids", "integer", given)


def test_the_first_word_of_an_integer_is_the_least_significant():
    data = CHECKS.encode("checks.Chain", {"plain128": {"w0": 1, "w1": 2, "w2": 3, "w3": 4}})
    plain = CHECKS.decode("checks.Chain", data).plain128
    assert (plain.w0, plain.w3) == (1, 4)
    value = uuid.UUID(int=(4 << 96) | (3 << 64) | (2 << 32) | 1)
    data = CHECKS.encode("checks.Uuids", {"integer": value})
    assert b"\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0" in data


def test_words_in_memory_order_are_those_that_xbr_writes():
    memory = Catalog.load(SCHEMAS / "wamp.bfbs", words="memory")
    value = uuid.UUID(ID)
    data = memory.encode("checks.Uuids", {"integer": value})
    assert value.bytes in data and memory.decode("checks.Uuids", data).integer == value
    address = bytes(range(20))
    data = memory.encode("checks.Addresses", {"integer": address})
    assert address in data and memory.decode("checks.Addresses", data).integer == address
    with pytest.raises((ValueError, InvalidPayload)):
        Catalog.load(SCHEMAS / "wamp.bfbs", words="other")


def test_an_ethereum_address_is_20_bytes():
    raw = bytes.fromhex(ADDRESS[2:])
    for given in (raw, ADDRESS, ADDRESS.upper().replace("X", "x")):
        assert accepted("Addresses", "integer", given) == raw
    assert accepted("Addresses", "text", ADDRESS) == ADDRESS
    for text in ("", "0x", ADDRESS[:-1], ADDRESS + "0", ADDRESS[2:], ADDRESS[:-1] + "g"):
        refused("Addresses", "text", text)
    assert "20 bytes" in refused("Addresses", "raw", b"x" * 19)
    for given in (b"x" * 21, "0x12", 2**160, 1.5):
        refused("Addresses", "integer", given)
    assert "[1]" in refused("Addresses", "integers", [raw, b""])


def test_integers_of_256_bits_are_ints_and_hashes_bytes():
    for field in ("value", "block"):
        for number in (0, 1, 2**256 - 1):
            assert accepted("Chain", field, number) == number
        for number in (2**256, -1):
            refused("Chain", field, number)
    assert accepted("Chain", "hash", b"\1" * 32) == b"\1" * 32
    refused("Chain", "hash", b"\1" * 31)
    refused("Chain", "raw_hash", b"\1" * 33)
    assert "65 bytes" in refused("Chain", "signature", b"1" * 64)
    assert accepted("Chain", "signature", b"1" * 65) == b"1" * 65


def test_cbor_is_well_formed():
    import cbor2

    data = cbor2.dumps({"a": [1, 2.5, None]})
    assert accepted("Encoded", "value", data) == data
    for broken in (data[:-1], data + b"\0", b"\xff", b"\x5f"):
        refused("Encoded", "value", broken)


def test_a_url_is_not_empty():
    assert accepted("Names", "url", "https://example.com/x?y#z")
    refused("Names", "url", "")


def test_a_timestamp_is_any_unsigned_integer():
    assert accepted("Times", "one", 2**64 - 1) == 2**64 - 1


def test_bytes_are_checked_too():
    data = bytearray(CHECKS.encode("checks.Names", {"uri": "a.b"}))
    at = data.index(b"a.b")
    data[at : at + 3] = b"a.."
    for read in (CHECKS.verify, CHECKS.decode, CHECKS.unpack, CHECKS.lazy):
        with pytest.raises(InvalidPayload, match=r"checks\.Names\.uri"):
            read("checks.Names", bytes(data))


# Args and kwargs


def pack(table: str, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
    table = f"orders.{table}"
    ORDERS.validate(table, list(args), kwargs)
    return ORDERS.unpack(table, ORDERS.pack(table, list(args), kwargs))


def test_fields_without_kwarg_are_positional_and_the_others_keywords():
    assert pack("Place", "abc", 5) == (["abc", 5], {})
    assert pack("Place", "abc", 0, limit=1.5) == (["abc", 0], {"limit": 1.5})
    assert pack("Mixed", 2, "four", third="three") == ([2, "four"], {"third": "three"})


def test_a_keyword_that_was_given_is_read_even_with_its_default():
    side = ORDERS["orders.Side"]
    assert pack("Place", "abc", 5, side="Buy") == (["abc", 5], {"side": side.Buy})
    assert pack("Mixed", 0, None, first=0) == ([0, None], {"first": 0})
    assert pack("Place", "abc", 5, limit=None) == (["abc", 5], {})


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ([], {}, "missing positional"),
        (None, None, "missing positional"),
        (["abc"], {}, "1 missing positional arguments.*quantity"),
        (["abc", 1, 2], {}, "1 unexpected positional"),
        (["abc", 1], {"other": 1}, "unexpected keyword argument 'other'"),
        (["abc", 1], {"quantity": 1}, "unexpected keyword argument 'quantity'"),
        ("abc", {}, "args must be a list"),
        (["abc", 1], [1], "kwargs must be a map"),
        ([None, 1], {}, r"orders\.Place\.symbol"),
        (["abc", None], {}, r"orders\.Place\.quantity"),
        (["abc", -1], {}, r"orders\.Place\.quantity"),
        (["a.b", 1], {}, r"orders\.Place\.symbol"),
        (["abc", 1], {"side": "Hold"}, r"orders\.Place\.side"),
        (["abc", 1], {"limit": "1.5"}, r"orders\.Place\.limit"),
    ],
)
def test_args_and_kwargs_that_do_not_fit_are_refused(args, kwargs, message):
    for function in (ORDERS.validate, ORDERS.pack):
        with pytest.raises(InvalidPayload, match=message):
            function("orders.Place", args, kwargs)


def test_an_absent_argument_is_none_or_the_default():
    assert ORDERS.unpack("orders.Receipt", ORDERS.pack("orders.Receipt", [1, 0])) == ([1, 0], {})
    assert pack("Page", 0, None) == ([0, None], {})


def test_void_accepts_only_no_arguments_or_a_single_none():
    for args in ([], None, [None], (), (None,)):
        ORDERS.validate("Void", args, None)
        assert ORDERS.unpack("Void", ORDERS.pack("Void", args)) == ([], {})
    for args in ([1], [None, None]):
        with pytest.raises(InvalidPayload):
            ORDERS.validate("Void", args)
    with pytest.raises(InvalidPayload):
        ORDERS.validate("Void", [], {"a": 1})


def test_an_instance_stands_for_the_whole_table():
    place: Any = ORDERS["orders.Place"]
    data = ORDERS.pack("orders.Place", [place(symbol="abc", quantity=3, side="Sell")])
    args, kwargs = ORDERS.unpack("orders.Place", data)
    assert args == ["abc", 3] and kwargs["side"] == 2
    with pytest.raises(InvalidPayload):
        ORDERS.validate("orders.Place", [place()])


def test_the_result_of_unpack_may_be_changed():
    data = ORDERS.pack("orders.Place", ["abc", 1], {"note": "x"})
    args, kwargs = ORDERS.unpack("orders.Place", data)
    args.append(1)
    kwargs.clear()
    assert ORDERS.unpack("orders.Place", data) == (["abc", 1], {"note": "x"})


def test_nested_values_are_instances():
    args, _ = pack("Page", 1, [{"id": 1, "filled": 2}])
    assert args[1] == [ORDERS["orders.Receipt"](id=1, filled=2)]


# Interfaces


def names(kind: Any, uri: str, catalog: Catalog = ORDERS) -> dict[str, list[str]] | None:
    found = catalog.types(kind, uri)
    if found is None:
        return None
    return {role: [cls.__name__ for cls in classes] for role, classes in found.items()}


def test_a_procedure_has_its_types_by_role():
    assert names("procedure", "com.example.orders.place") == {
        "call": ["Place"],
        "call_progress": ["Place"],
        "call_result": ["Receipt"],
        "call_result_progress": ["Receipt"],
        "call_error": ["NoLimit", "Closed"],
    }


def test_progress_has_the_types_that_the_method_says():
    found = names("procedure", "com.example.orders.history")
    assert found["call_progress"] == ["Chunk"] and found["call_result_progress"] == ["Page"]
    assert sorted(found["call_error"]) == ["Closed", "NoLimit"]


def test_a_topic_has_the_type_of_its_event():
    assert names("topic", f"com.example.orders.{ID}.on_filled") == {"event": ["Filled"]}
    assert names("topic", "com.example.orders.on_closed") == {"event": ["Void"]}
    assert names("topic", "com.example.orders.x.on_filled") is None


def test_topics_and_procedures_are_separate():
    assert names("topic", "com.example.orders.place") == {"event": ["Filled"]}
    assert names("procedure", "com.example.orders.on_closed") is None


def test_an_absolute_uri_is_not_prefixed_twice():
    assert names("procedure", "com.example.orders.absolute")["call_result"] == ["Any"]
    assert names("procedure", "com.example.ping")["call"] == ["Void"]


def test_a_pattern_matches_by_type_and_position():
    assert names("procedure", "com.example.orders.buy.3.last")["call"] == ["Query"]
    assert names("procedure", "com.example.orders.buy.x.last") is None
    assert names("procedure", "com.example.orders.<str>.<int>.last") is None


def test_a_method_without_a_type_is_left_out():
    assert names("procedure", "com.example.orders.fixme") is None


def test_an_error_has_the_type_of_its_uri():
    assert names("error", "com.example.orders.error.no_limit") == {"error": ["NoLimit"]}
    assert names("error", "wamp.error.runtime_error") is None


def test_an_unknown_kind_is_a_value_error():
    with pytest.raises(ValueError, match="kind"):
        ORDERS.types("registration", "a.b")  # type: ignore[arg-type]


def test_an_interface_attached_under_a_prefix_leaves_its_own():
    catalog = Catalog.load(SCHEMAS / "orders.bfbs")
    catalog.attach("orders.IOrders", "com.site.<uuid:site>")
    assert names("procedure", "com.example.orders.place", catalog) is None
    assert names("procedure", f"com.site.{ID}.place", catalog)["call"] == ["Place"]
    assert names("procedure", f"com.site.{ID}.absolute", catalog)["call"] == ["Query"]
    catalog.attach("orders.IOrders", "com.other")
    assert names("procedure", "com.other.place", catalog)["call"] == ["Place"]
    assert names("procedure", f"com.site.{ID}.place", catalog)["call"] == ["Place"]
    assert names("procedure", "com.example.ping", catalog)["call"] == ["Void"]


def test_nothing_is_attached_if_so_requested():
    catalog = Catalog.load(SCHEMAS / "orders.bfbs", attach=False)
    assert names("procedure", "com.example.orders.place", catalog) is None


def test_attaching_an_unknown_interface_is_an_error():
    with pytest.raises(KeyError, match=r"did you mean orders\.IOrders"):
        ORDERS.attach("orders.IOrder")
    with pytest.raises(CatalogError, match="no method nothing"):
        ORDERS.attach("orders.IOrders", without=["nothing"])
    with pytest.raises(CatalogError, match="URI"):
        ORDERS.attach("orders.IOrders", "com.<x:y>")
    assert names("procedure", "com.example.orders.place")["call"] == ["Place"]


TWICE = """
attribute "type"; attribute "wampuri";
namespace twice;
table A { a: int; } table B { b: int; } table Void {}
rpc_service IOne (wampuri: "com.x") {
  get(A): Void (type: "procedure", wampuri: "get");
  %s
}
rpc_service ITwo (wampuri: "com.x") {
  set(A): Void (type: "procedure");
  %s
}
"""


def twice(tmp_path: Path, one: str, two: str) -> Catalog:
    path = tmp_path / "twice.fbs"
    path.write_text(TWICE % (one, two))
    return Catalog.load(path)


@needs_flatc
def test_two_methods_with_one_uri_and_the_same_types_are_one(tmp_path: Path):
    catalog = twice(tmp_path, "", 'other(A): Void (type: "procedure", wampuri: "get");')
    assert names("procedure", "com.x.get", catalog)["call"] == ["A"]
    assert any("com.x.get" in text for text in catalog.check())


@needs_flatc
def test_two_methods_with_one_uri_and_different_types_are_an_error_that_names_both(tmp_path: Path):
    catalog = twice(tmp_path, "", 'other(B): Void (type: "procedure", wampuri: "get");')
    with pytest.raises(CatalogError, match=r"twice\.IOne\.get.*twice\.ITwo\.other"):
        catalog.types("procedure", "com.x.get")
    catalog.attach("twice.ITwo")
    assert names("procedure", "com.x.get", catalog)["call"] == ["B"]
    with pytest.raises(CatalogError, match="different types"):
        catalog.attach("twice.IOne")
    assert names("procedure", "com.x.get", catalog)["call"] == ["B"]


@needs_flatc
def test_one_of_two_methods_of_an_interface_can_be_left_out(tmp_path: Path):
    catalog = twice(tmp_path, 'again(B): Void (type: "procedure", wampuri: "get");', "")
    with pytest.raises(CatalogError):
        catalog.attach("twice.IOne")
    catalog.attach("twice.IOne", without=["again"])
    assert names("procedure", "com.x.get", catalog)["call"] == ["A"]


@needs_flatc
def test_wamps_own_interface_is_only_attached_explicitly(tmp_path: Path):
    path = tmp_path / "meta.fbs"
    path.write_text(
        'attribute "type"; attribute "wampuri"; namespace m;\n'
        "table Id { id: ulong; } table Void {}\n"
        'rpc_service IMeta (wampuri: "wamp") {\n'
        '  kill(Id): Void (type: "procedure", wampuri: "wamp.session.kill"); }'
    )
    catalog = Catalog.load(path)
    assert names("procedure", "wamp.session.kill", catalog) is None
    catalog.attach("m.IMeta")
    assert names("procedure", "wamp.session.kill", catalog)["call"] == ["Id"]


def test_answers_about_uris_of_peers_are_not_kept_without_limit():
    for number in range(10_000):
        assert ORDERS.types("procedure", f"com.example.x{number}") is None
    assert len(ORDERS._services._current[1]) <= ORDERS._services.CACHED


def test_answers_about_long_uris_are_not_kept():
    before = list(ORDERS._services._current[1])
    assert ORDERS.types("procedure", "com.example." + "x" * 100_000) is None
    assert list(ORDERS._services._current[1]) == before
