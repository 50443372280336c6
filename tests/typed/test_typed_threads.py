"""Many threads share a catalog, an instance, a mapping.

With the GIL, these find only errors from switches between bytecodes; on free-threaded builds,
everything runs at once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from autobahn_fbs.typed import Catalog, InvalidPayload
from support.threads import (
    THREADS,
    eager_switches,  # noqa: F401  # a fixture
    together,
)
from support.typed_samples import DRAWING, EVERYTHING
from support.typed_schemas import SCHEMAS

BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
Node: Any = BASICS["basics.Node"]


def test_threads_share_a_catalog():
    data = BASICS.encode("basics.Everything", EVERYTHING)
    drawing = UNIONS.encode("unions.Drawing", DRAWING)
    value = BASICS.decode("basics.Everything", data)

    def work() -> None:
        assert BASICS.encode("basics.Everything", EVERYTHING) == data
        assert BASICS.decode("basics.Everything", data) == value
        assert BASICS.lazy("basics.Everything", data).node.next.name == "b"
        assert UNIONS.encode("unions.Drawing", UNIONS.decode("unions.Drawing", drawing)) == drawing

    together(*[work] * THREADS)


def test_threads_make_the_classes_of_a_schema_once():
    for _ in range(20):
        catalog = Catalog.load(SCHEMAS / "basics.bfbs", words="memory")
        found: list[tuple[Any, ...]] = []

        def work(catalog: Catalog = catalog, found: list[Any] = found) -> None:
            data = catalog.encode("basics.Everything", EVERYTHING)
            types = type(catalog.decode("basics.Everything", data)), catalog["basics.Color"]
            found.append(types)

        together(*[work] * THREADS, once=True)
        assert len(set(found)) == 1


def test_interfaces_are_attached_while_others_are_looked_up():
    catalog = Catalog.load(SCHEMAS / "orders.bfbs")
    names = ("orders.IOrders", "orders.INowhere")

    def attach() -> None:
        for number in range(100):
            for name in names:
                catalog.attach(name, f"com.example.at{number}")

    def look_up() -> None:
        for number in range(100):
            catalog.types("procedure", f"com.example.at{number}.place")
            assert catalog.types("procedure", f"com.nowhere.{number}") is None
            catalog.check()

    together(attach, attach, look_up, look_up, once=True)
    for name in names:
        catalog.attach(name, "com.example.last")
    assert catalog.types("procedure", "com.example.last.place") is not None


def test_an_instance_is_changed_while_it_is_written_compared_and_shown():
    node = Node(name="a", children=[])

    def change() -> None:
        node.name = "x" * 100
        node.next = Node(name="b")
        node.children = [Node() for _ in range(5)]
        node.next = None

    def use() -> None:
        written = BASICS.decode("basics.Node", BASICS.encode("basics.Node", node))
        assert written.name in ("a", "x" * 100)
        assert isinstance(node == written, bool)
        repr(node)
        node.to_dict()

    together(change, change, *[use] * THREADS)


def test_a_mapping_is_changed_while_it_is_written():
    children: list[Any] = []
    value: dict[str, Any] = {"name": "a", "children": children}

    def change() -> None:
        value["name"] = "x" * 100
        value["next"] = {"name": "b" * 50}
        children[:] = [{"name": str(number) * 20} for number in range(5)]
        del value["next"]

    def use() -> None:
        with suppress(InvalidPayload):  # keys changed meanwhile
            data = BASICS.encode("basics.Node", value)
            assert BASICS.decode("basics.Node", data).name in ("a", "x" * 100)

    def refill() -> None:
        with suppress(KeyError):
            change()

    together(refill, refill, *[use] * THREADS)
