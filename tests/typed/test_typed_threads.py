"""Many threads share a catalog, an instance, a mapping.

With the GIL, these find only errors from switches between bytecodes; on free-threaded builds,
everything runs at once.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog, InvalidPayload
from support.typed_samples import DRAWING, EVERYTHING
from support.typed_schemas import SCHEMAS

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
SECONDS = 1.0 if FREE_THREADED else 0.2
THREADS = 8 if FREE_THREADED else 4
BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
Node: Any = BASICS["basics.Node"]


@pytest.fixture(autouse=True)
def eager_switches() -> Iterator[None]:
    """Lets a thread with the GIL run for a hundredth of the usual time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 100)
    yield
    sys.setswitchinterval(before)


def together(*works: Callable[[], object], once: bool = False) -> None:
    """Calls each repeatedly, or once, in its own thread; raises an exception of theirs."""
    start, stop = threading.Barrier(len(works)), threading.Event()
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
            while not stop.is_set() and not once:
                work()
        except BaseException as error:
            errors.append(error)
            stop.set()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    if not once:
        stop.wait(SECONDS)
        stop.set()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


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
