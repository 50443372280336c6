"""Changing functions of a module, and putting them back."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autobahn_fbs._accelerate.changes import Change, Edit, Late, Replace, check_running
from autobahn_fbs._accelerate.part import Group, State
from autobahn_fbs._accelerate.source import (
    Unknown,
    _file_of,
    forget_sources,
    is_installed,
    source_of,
)

NAME = "accelerate_target"


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / f"{NAME}.py").write_text(Path(__file__).with_name("target.py").read_text())
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield importlib.import_module(NAME)
    del sys.modules[NAME]
    forget_sources()


def group(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> Group:
    """A group of changes whose targets are known."""
    from autobahn_fbs._accelerate import part

    known = {
        change.target: {source_of(change.module).fingerprint(change.name): "now"}
        for change in changes
    }
    monkeypatch.setattr(part, "KNOWN", known)
    return Group("a group", changes)


def edit(name: str, old: str = '"old', new: str = '"new', **names: Any) -> Edit:
    return Edit(f"{NAME}:{name}", old, new, names)


@pytest.mark.parametrize(
    ("name", "call", "before", "after"),
    [
        ("function", lambda target: target.function(1), "old 1", "new 1"),
        ("Class.name", lambda target: target.Class().method(), "old", "new"),
        ("Class.of_class", lambda target: target.Class.of_class(), "old Class", "new Class"),
        ("Class.attribute", lambda target: target.Class().attribute, "old attribute", "new attr"),
    ],
)
def test_an_edit_is_made_and_undone_and_made_again(target, monkeypatch, name, call, before, after):
    new = '"new attr' if "attribute" in name else None
    change = edit(name, '"old attribute' if new else '"old', new or '"new')
    if name == "function":
        change = edit(name, 'f"old', 'f"new')
    it = group(monkeypatch, change)
    for _ in range(2):
        assert call(target) == before
        it.apply()
        assert (it.state, it.reason) == (State.ON, None)
        assert call(target) == after
        it.undo()
        assert call(target) == before


def test_code_with_a_reference_to_the_function_gets_the_change(target, monkeypatch):
    held, bound = target.function, target.Class().name
    it = group(monkeypatch, edit("function", 'f"old', 'f"new'), edit("Class.name"))
    it.apply()
    assert (held(1), bound()) == ("new 1", "new")
    it.undo()
    assert (held(1), bound()) == ("old 1", "old")


def test_closures_and_super_keep_working(target, monkeypatch):
    it = group(
        monkeypatch, edit("closing", "+ 1", "+ 2"), edit("Class.method", "inner() +", "'x' +")
    )
    it.apply()
    assert target.closing(1)() == 3
    assert target.Class().method() == "x"
    it.undo()


def test_lines_of_tracebacks_are_those_of_the_file(target, monkeypatch):
    change = edit("Class.failing", '        message = "old"\n        raise ValueError(message)', "")
    change = Edit(change.target, 'message = "old"', 'message = "new"')
    it = group(monkeypatch, change)
    it.apply()
    with pytest.raises(ValueError, match="new") as caught:
        target.Class().failing()
    assert "raise ValueError(message)" in traceback.format_exception(caught.value)[-2]
    it.undo()


def test_an_edit_with_fewer_lines_keeps_the_lines_after_it(target, monkeypatch):
    old = '"""Has a line to change."""\n    CALLS.append("function")\n    return'
    it = group(monkeypatch, edit("function", old, "return"))
    it.apply()
    assert target.function(1) == "old 1"
    assert target.CALLS == []
    it.undo()


def test_several_groups_edit_one_function(target, monkeypatch):
    one = edit("function", 'f"old', 'f"new')
    other = edit("function", "{value}", "{value + 1}")
    group(monkeypatch, one)
    first, second = Group("first", (one,)), Group("second", (other,))
    first.apply()
    second.apply()
    assert target.function(1) == "new 2"
    first.undo()
    assert target.function(1) == "old 2"
    second.undo()
    assert target.function(1) == "old 1"


def test_names_exist_as_long_as_the_edit_does(target, monkeypatch):
    late = Late("accelerate_other", "thing")
    it = group(monkeypatch, edit("function", 'f"old', '_x + f"old', _x="x", _late=late))
    it.apply()
    assert target.function(1) == "xold 1"
    assert target._late is late
    it.undo()
    assert not hasattr(target, "_x")


def test_a_replacement_is_made_and_undone(target, monkeypatch):
    original = target.Class.__dict__["name"]
    it = group(monkeypatch, Replace(f"{NAME}:Class.name", lambda old: lambda self: old(self) + "!"))
    it.apply()
    assert target.Class().name() == "old!"
    it.undo()
    assert target.Class.__dict__["name"] is original


def test_a_function_with_an_unknown_fingerprint_is_left_alone(target, monkeypatch):
    it = group(monkeypatch, edit("function", 'f"old', 'f"new'), edit("Class.name"))
    from autobahn_fbs._accelerate import part

    monkeypatch.setitem(part.KNOWN, f"{NAME}:Class.name", {"0123456789abcdef": "another"})
    it.apply()
    assert it.state is State.REFUSED
    assert it.reason == f"{NAME}:Class.name is not a known version"
    assert target.function(1) == "old 1"


def test_a_function_that_someone_else_changed_is_left_alone(target, monkeypatch):
    it = group(monkeypatch, edit("function", 'f"old', 'f"new'), edit("Class.name"))
    monkeypatch.setattr(target.Class, "name", lambda self: "theirs")
    it.apply()
    assert it.reason == f"{NAME}:Class.name was changed by someone else"
    assert (target.function(1), target.Class().name()) == ("old 1", "theirs")


def test_a_failed_edit_leaves_the_whole_group_undone(target, monkeypatch):
    it = group(monkeypatch, edit("function", 'f"old', 'f"new'), edit("Class.name", "not there"))
    it.apply()
    assert it.state is State.REFUSED
    assert target.function(1) == "old 1"


def test_a_module_without_source_is_unknown(target, tmp_path, monkeypatch):
    (tmp_path / f"{NAME}.py").unlink()
    forget_sources()
    with pytest.raises(Unknown, match=f"^{NAME} has no source file$"):
        check_running(edit("function"))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(Unknown, match=f"^{NAME} has no source file: the program is frozen$"):
        check_running(edit("function"))


def test_a_folder_without_a_package_is_not_an_installed_one(tmp_path, monkeypatch):
    """Autobahn's plugin for Twisted lies in a folder ``twisted``, even without Twisted."""
    (tmp_path / "wfbs_only_plugins" / "plugins").mkdir(parents=True)
    (tmp_path / "wfbs_only_plugins" / "plugins" / "plugin.py").touch()
    (tmp_path / "wfbs_package").mkdir()
    (tmp_path / "wfbs_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):
        assert not is_installed("wfbs_only_plugins.defer")
        assert is_installed("wfbs_package.defer")
        importlib.import_module("wfbs_only_plugins")
        importlib.import_module("wfbs_package")
    assert not is_installed("wfbs_missing")


def test_a_frozen_module_may_have_its_source_beside_it(target, monkeypatch):
    spec: Any = target.__spec__
    monkeypatch.setattr(spec, "origin", spec.origin.replace(".py", ".pyc"))
    forget_sources()
    check_running(edit("function"))


def test_a_built_in_module_has_no_source_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "built-in.py").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unknown):
        _file_of("sys")
