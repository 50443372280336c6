"""The layers ("rooms") of the sources: no file uses a higher one, and there are no cycles.

Computed from the sources themselves: ``#include``, the C functions that a file calls, and Python's
imports.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from support.checkout import ROOT

#: All layers ("rooms"), the lowest floor first. A room is a folder or a file (the beginning of
#: paths); if two match, the longer one counts. Code in a room may use the room itself and all
#: floors below. Rooms on one floor don't use each other.
FLOORS = [
    # C without Python
    ["csrc/core/schema.h", "csrc/core/portable.h"],
    ["csrc/generated/"],
    ["csrc/core/"],
    ["csrc/core/schema/"],
    # the bindings: cffi's calls, and the extension from its tools up to the module
    ["csrc/cffi/", "csrc/cpython/base/"],
    ["csrc/cpython/codecs/", "csrc/cpython/typed/", "csrc/cpython/names."],
    ["csrc/cpython/message.h"],
    ["csrc/cpython/state."],
    ["csrc/cpython/messages/"],
    ["csrc/cpython/serializers/", "csrc/cpython/accelerate/"],
    ["csrc/cpython/"],
    # the package
    [
        "autobahn_fbs/_bootstrap/",
        "autobahn_fbs/_binary.py",
        "autobahn_fbs/_cbor_foreign.py",
        "autobahn_fbs/_codec_numbers.py",
        "autobahn_fbs/_compatible.py",
        "autobahn_fbs/_refusal_hint.py",
        "autobahn_fbs/_startup_log.py",
        "autobahn_fbs/_suggestion.py",
        "autobahn_fbs/_ubjson_guard.py",
        "autobahn_fbs/_unencodable.py",
        "autobahn_fbs/forwarding.py",
        "autobahn_fbs/limits.py",
        "autobahn_fbs/views.py",
    ],
    ["autobahn_fbs/_backend.py"],
    ["autobahn_fbs/payloads.py"],
    ["autobahn_fbs/__init__.py"],
    ["autobahn_fbs/_helpers.py", "autobahn_fbs/typed/reflection.py"],
    ["autobahn_fbs/typed/_helpers.py", "autobahn_fbs/typed/names.py"],
    ["autobahn_fbs/typed/_classes.py"],
    ["autobahn_fbs/_cffi/"],
    ["autobahn_fbs/typed/", "autobahn_fbs/flexbuffers.py", "autobahn_fbs/ppt.py"],
    [
        "autobahn_fbs/_counters.py",
        "autobahn_fbs/_installed.py",
        "autobahn_fbs/_serializer.py",
    ],
    ["autobahn_fbs/_factories.py"],
    ["autobahn_fbs/_install.py"],
    ["autobahn_fbs/accelerate/", "autobahn_fbs/_accelerate/"],
    # what is run
    ["autobahn_fbs/_run.py"],
    ["autobahn_fbs/_cli/", "autobahn_fbs/_bench/", "autobahn_fbs/_demo/"],
    ["autobahn_fbs/_child_processes.py"],
    ["autobahn_fbs/__main__.py", "autobahn_fbs/_pyinstaller/"],
]

#: These find modules on demand: imports inside their functions are not requirements of the file.
DOORS = (
    "autobahn_fbs/__init__.py",
    "autobahn_fbs/_backend.py",
    "autobahn_fbs/_bootstrap/sitecustomize.py",
)

Arrows = dict[str, set[str]]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(name: str) -> tuple[int, str]:
    """The floor and the room of a file."""
    found = [
        (floor, room)
        for floor, rooms in enumerate(FLOORS)
        for room in rooms
        if name.startswith(room)
    ]
    assert found, f"{name} is in no room: add one to FLOORS"
    return max(found, key=lambda each: len(each[1]))


# ---- C


@cache
def c_code(path: Path) -> str:
    """A C file without comments and texts."""
    code = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    return re.sub(r'(?<!include )"(?:[^"\\\n]|\\.)*"', '""', code)


def c_files() -> list[Path]:
    return [path for path in sorted((ROOT / "csrc").rglob("*.[ch]")) if path.parent.name != "tests"]


def includes() -> Arrows:
    """The includes of each file."""
    return {
        name_of(path): {
            name_of((path.parent / other).resolve())
            for other in re.findall(r'#include "([^"]+)"', c_code(path))
        }
        for path in c_files()
    }


def units() -> Arrows:
    """The includes of each unit: a .c file with its own header."""
    arrows: Arrows = {}
    for path, others in includes().items():
        unit = path.rpartition(".")[0]
        found = {other.rpartition(".")[0] for other in others}
        arrows.setdefault(unit, set()).update(found - {unit})
    return arrows


def functions_in(path: Path) -> set[str]:
    """Our functions that a file defines."""
    code, shorter = "", c_code(path)
    while code != shorter:
        code, shorter = shorter, re.sub(r"\{[^{}]*\}", "@", shorter)  # innermost first
    return set(re.findall(r"\b(wfbs_\w+)\([^;@]*\)\s*@", code))


def calls() -> Arrows:
    """Which .c file calls a function that another one defines."""
    sources = [path for path in c_files() if path.suffix == ".c"]
    home = {function: name_of(path) for path in sources for function in functions_in(path)}
    return {
        name_of(path): {
            home[name] for name in set(re.findall(r"\bwfbs_\w+", c_code(path))) & home.keys()
        }
        - {name_of(path)}
        for path in sources
    }


# ---- Python


def is_for_types(node: ast.AST) -> bool:
    """Imports that only type checkers see aren't needed at run time."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST, into_functions: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_for_types(child) or (function and not into_functions):
            continue
        yield child
        yield from statements(child, into_functions)


def imported(path: Path) -> Iterator[str]:
    """The full names that a module imports: modules, or names in them."""
    package = path.relative_to(ROOT).parent.parts
    tree = ast.parse(path.read_text("utf-8"))
    for node in statements(tree, name_of(path) not in DOORS):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports() -> Arrows:
    """Which module of the package imports which."""
    files = {}
    for path in sorted((ROOT / "autobahn_fbs").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    arrows = {}
    for path in files.values():
        found = set()
        for name in imported(path):
            path_of = files.get(name) or files.get(name.rpartition(".")[0])
            if path_of:
                found.add(name_of(path_of))
        arrows[name_of(path)] = found - {name_of(path)}
    return arrows


# ---- the rules

KINDS = pytest.mark.parametrize("arrows", [includes, calls, imports])


@KINDS
def test_no_file_uses_a_layer_above_or_beside_its_own(arrows):
    wrong = []
    for file, others in arrows().items():
        floor, room = room_of(file)
        for other in others:
            other_floor, other_room = room_of(other)
            if other_room != room and other_floor >= floor:
                wrong.append(f"{file} -> {other}")
    assert wrong == []


@pytest.mark.parametrize("arrows", [includes, units, calls, imports])
def test_no_files_depend_on_each_other(arrows):
    try:
        TopologicalSorter(arrows()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_everything_that_is_read_here_exists():
    """Known dependencies are found, so a change of style can't hide any."""
    assert "csrc/core/verify.h" in includes()["csrc/cffi/flat.h"]
    assert "csrc/core/verify.c" in calls()["csrc/cpython/serializers/object.c"]
    assert "csrc/cpython/codecs/cbor_state.c" in calls()["csrc/cpython/codecs/cbor_foreign.c"]
    assert "autobahn_fbs/_helpers.py" in imports()["autobahn_fbs/_cffi/metadata.py"]
    assert "autobahn_fbs/_run.py" in imports()["autobahn_fbs/_child_processes.py"]
