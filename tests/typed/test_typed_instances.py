"""Instances of the classes that a catalog makes."""

from __future__ import annotations

import copy
import enum
import gc
import pickle
import subprocess
import sys
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from autobahn_fbs.typed import Catalog
from support.typed_samples import DRAWING, EVERYTHING
from support.typed_schemas import SCHEMAS

BASICS = Catalog.load(SCHEMAS / "basics.bfbs")
UNIONS = Catalog.load(SCHEMAS / "unions.bfbs")
NAMES = Catalog.load(SCHEMAS / "names.bfbs")
Leaf: Any = BASICS["basics.Leaf"]
Point: Any = BASICS["basics.Point"]
Node: Any = BASICS["basics.Node"]


def test_a_class_is_made_once_and_named_as_the_table():
    assert BASICS["basics.Leaf"] is Leaf
    assert Leaf.__name__ == Leaf.__qualname__ == "Leaf" and Leaf.__fbs_name__ == "basics.Leaf"


def test_fields_are_keywords_and_positions_with_the_schemas_defaults():
    leaf = Leaf(name="x")
    assert (leaf.name, leaf.number) == ("x", 0)
    assert Leaf("x", 3) == Leaf(number=3, name="x")
    defaults = BASICS["basics.Defaults"]()
    assert defaults.i8 == -7 and defaults.truth is True and defaults.color.name == "Blue"
    assert BASICS["basics.Optionals"]().i8 is None
    assert BASICS["basics.Vectors"]().u8 is None


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {"nam": "x"}, "nam"),
        (("a", 1, 2), {}, "3"),
        (("a",), {"name": "b"}, "name"),
    ],
)
def test_an_unknown_or_repeated_field_is_a_type_error(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        Leaf(*args, **kwargs)


def test_an_attribute_that_is_not_a_field_is_refused():
    leaf = Leaf()
    with pytest.raises(AttributeError):
        leaf.nam = "x"
    assert not hasattr(leaf, "__dict__")
    assert set(Leaf.__slots__) >= {"name", "number"} or Leaf.__slots__ == ()


def test_instances_are_equal_if_their_fields_are():
    assert Leaf("x", 1) == Leaf("x", 1)
    assert Leaf("x", 1) != Leaf("x", 2)
    assert Leaf("x", 1) != ("x", 1)
    assert Node(next=Node(name="a")) == Node(next=Node(name="a"))
    assert Leaf() != Node()
    with pytest.raises(TypeError, match="unhashable"):
        hash(Leaf())


def test_the_repr_shows_class_and_fields():
    assert repr(Leaf("x", 1)) == "Leaf(name='x', number=1)"
    assert repr(Point(1.0, 2.0, 3.0)) == "Point(x=1.0, y=2.0, z=3.0)"


def test_the_repr_of_an_object_that_contains_itself_ends():
    node = Node(name="a")
    node.next = node
    assert "..." in repr(node)


def everything() -> Any:
    return BASICS.decode("basics.Everything", BASICS.encode("basics.Everything", EVERYTHING))


def test_a_copy_is_equal_and_shares_or_not():
    original = everything()
    shallow, deep = copy.copy(original), copy.deepcopy(original)
    assert shallow == deep == original
    assert shallow.vectors is original.vectors and deep.vectors is not original.vectors
    deep.vectors.tables[0].name = "changed"
    assert deep != original and shallow == original


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_instance_is_pickled_with_its_class(protocol):
    original = everything()
    again = pickle.loads(pickle.dumps(original, protocol))
    assert again == original and type(again) is type(original)
    drawing = UNIONS.decode("unions.Drawing", UNIONS.encode("unions.Drawing", DRAWING))
    assert pickle.loads(pickle.dumps(drawing, protocol)) == drawing


def test_an_instance_is_unpickled_where_no_catalog_was_loaded():
    data = pickle.dumps(Node(name="a", children=[Node(name="b")]))
    program = (
        "import pickle, sys; n = pickle.loads(bytes.fromhex(sys.argv[1]));"
        "print(n.name, n.children[0].name, type(n).__name__)"
    )
    command = [sys.executable, "-c", program, data.hex()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == ["a", "b", "Node"], done.stderr


def test_an_instance_is_matched_by_position_and_keyword():
    match Leaf("x", 3):
        case Leaf(name, 3):
            assert name == "x"
        case _:
            pytest.fail("did not match")
    match Point(1.0, 2.0, 3.0):
        case Point(x=1.0, z=z):
            assert z == 3.0
        case _:
            pytest.fail("did not match")


def test_enums_are_int_enums_and_flags():
    color, rights = BASICS["basics.Color"], BASICS["basics.Rights"]
    assert issubclass(color, enum.IntEnum) and issubclass(rights, enum.IntFlag)
    assert [each.name for each in color] == ["Red", "Green", "Blue"]
    assert pickle.loads(pickle.dumps(color.Blue)) is color.Blue
    assert issubclass(UNIONS["unions.Shape"], enum.IntEnum)


def test_a_dict_has_the_fields_that_are_not_none_by_wire_name():
    node = Node(name="a", children=[Node()])
    assert node.to_dict() == {"name": "a", "children": [{}]}
    assert BASICS.to_dict(node) == node.to_dict()
    assert Point(1.0, 2.0, 3.0).to_dict() == {"x": 1.0, "y": 2.0, "z": 3.0}


def test_a_dict_and_back_is_the_same():
    original = everything()
    data = BASICS.encode("basics.Everything", original.to_dict())
    assert BASICS.decode("basics.Everything", data) == original


def test_a_dict_names_enums_and_the_members_of_unions():
    assert BASICS["basics.Scalars"]().to_dict()["color"] == "Red"
    drawing = UNIONS.decode("unions.Drawing", UNIONS.encode("unions.Drawing", DRAWING))
    found = drawing.to_dict()
    assert found["shape_type"] == "Circle" and found["shape"] == {"radius": 1.5}
    assert found["everything_type"] == DRAWING["everything_type"]
    assert list(found).index("shape_type") < list(found).index("shape")


def test_names_that_python_reserves_get_an_underscore():
    table: Any = NAMES["names.class.def"]
    value = table(class_=1, camelCase=2)
    assert value.class_ == 1
    data = NAMES.encode("names.class.def", value)
    again = NAMES.decode("names.class.def", data)
    assert again == value
    assert NAMES.decode("names.class.def", data, form=1) == {"class": 1, "camelCase": 2}


def test_names_of_methods_stay_methods():
    table: Any = NAMES["names.class.def"]
    value = NAMES.decode(
        "names.class.def",
        NAMES.encode(
            "names.class.def", {"to_dict": "d", "self": "s", "__init__": 4, "_private": 5}
        ),
    )
    assert value.to_dict() == {
        "class": 0, "import": "None", "to_dict": "d", "self": "s", "__init__": 4, "_private": 5,
        "camelCase": 0,
    }  # fmt: skip
    assert type(value) is table and table() != value


def test_names_that_mean_something_to_a_class_are_fields_all_the_same():
    value = {"__dict__": 1, "__weakref__": 2, "__del__": 3, "_layout": 4}
    data = NAMES.encode("names.class.special", value)
    read = NAMES.decode("names.class.special", data)
    assert NAMES.decode("names.class.special", data, form=1) == value
    assert (read.__dict___, read.__weakref___, read.__del___, read._layout_) == (1, 2, 3, 4)
    assert NAMES.encode("names.class.special", read) == data


def test_a_changed_name_is_not_that_of_another_field():
    value = {"class": 5, "class_": "other"}
    read = NAMES.decode("names.class.special", NAMES.encode("names.class.special", value))
    assert (read.class__, read.class_) == (5, "other")


class Elsewhere(Leaf):  # type: ignore[misc]
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object()


def test_a_copy_is_of_the_exact_class_whatever_new_returns():
    leaf = Leaf.__new__(Elsewhere)
    leaf.name, leaf.number = "x", 1
    copied = copy.copy(leaf)
    assert type(copied) is Elsewhere and copied == leaf and copied is not leaf


def test_a_field_can_be_assigned_and_no_attribute_can_be_added():
    leaf = Leaf("x", 1)
    leaf.name = "y"
    assert leaf.name == "y"
    with pytest.raises(AttributeError):
        leaf.other = 1


class Witness:
    """Refers to an instance, and can be watched."""

    def __init__(self, node: Any) -> None:
        self.node = node


def set_by_attribute(node: Any, value: Any) -> None:
    node.next = value


def set_by_descriptor(node: Any, value: Any) -> None:
    with suppress(AttributeError):
        Node.next.__set__(node, value)


def set_by_init(node: Any, value: Any) -> None:
    node.__init__(next=value)


@pytest.mark.parametrize("give", [set_by_attribute, set_by_descriptor, set_by_init])
def test_a_cycle_through_an_instance_is_collected_however_it_was_made(give):
    node = BASICS.decode("basics.Node", BASICS.encode("basics.Node", {"name": "a"}))
    witness = Witness(node)
    give(node, witness)
    watched = weakref.ref(witness)
    del node, witness
    gc.collect()
    assert watched() is None


def test_a_derived_class_has_its_own_attributes_in_place_of_fields():
    class Derived(Leaf):  # type: ignore[misc]
        __slots__ = ("more",)

        @property
        def number(self) -> int:
            return self.more

        @number.setter
        def number(self, value: int) -> None:
            self.more = value + 1

    leaf = Derived.__new__(Derived)
    leaf.name, leaf.number = "x", 1
    assert (leaf.name, leaf.number, leaf.more) == ("x", 2, 2)
    del leaf.name
    with pytest.raises(AttributeError):
        del leaf.name


def test_a_derived_class_cannot_store_a_field_where_another_class_has_it():
    class Derived(Leaf):  # type: ignore[misc]
        name = Node.name

    leaf = Derived.__new__(Derived)
    with pytest.raises((TypeError, AttributeError)):
        leaf.name = "x"


def test_a_dataclass_with_the_slots_of_another_class_is_not_filled():
    shared = Catalog.load(SCHEMAS / "shared.bfbs")
    other: Any = shared["shared.Node"]
    catalog = Catalog.load(SCHEMAS / "shared.bfbs", words="memory")

    @catalog.table("shared.Node")
    @dataclass
    class Own:
        a: Any = other.a
        b: Any = other.b

    assert Own.a is other.a
    data = shared.encode("shared.Node", {"a": {}})
    with pytest.raises((TypeError, AttributeError)):
        catalog.decode("shared.Node", data)


@pytest.fixture
def table() -> Any:
    """A class that nothing else uses."""
    return Catalog.load(SCHEMAS / "common.bfbs", words="memory")["shared.Common"]


def test_an_init_or_new_that_is_set_on_a_class_is_called(table):
    original = table.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.name = f"{self.name}!"

    table.__init__ = init
    assert table(name="x").name == table("x").name == "x!"
    with pytest.raises(TypeError):
        table(nam="x")
    del table.__init__
    assert table("x").name == "x"
    table.__new__ = lambda cls, *args: args
    assert table(1, 2) == (1, 2)


def test_instances_that_change_their_class_while_they_are_compared_and_shown():
    right = NAMES["names.class.right"]
    for work in (lambda a, b: a == b, lambda a, b: repr(a), lambda a, b: copy.copy(a)):
        left = Catalog.load(SCHEMAS / "names.bfbs", words="memory")["names.class.left"]
        instances: list[Any] = []

        class Changing:
            def __eq__(self, other: object) -> bool:
                for each in instances:  # noqa: B023
                    each.__class__ = right
                gc.collect()
                return True

            def __repr__(self) -> str:
                self.__eq__(self)
                return "changed"

        instances += [left(Changing(), "b"), left(Changing(), "b")]
        del left
        work(*instances)
        assert type(instances[0]) in (right, type(instances[1]))


def test_the_collector_sees_the_type_of_a_named_member_of_a_union():
    from autobahn_fbs.typed import Union

    assert Union in gc.get_referents(Union("Circle", None))
