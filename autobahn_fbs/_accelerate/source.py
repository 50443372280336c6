"""A module's source and the definitions in it, from which fingerprints are computed.

A fingerprint is a hash of a definition's source lines. It is the same on every Python, while
bytecode isn't. Source refers to the file on disk. To check that the function in memory was compiled
from it, it is compiled again (:func:`compiled`).
"""

from __future__ import annotations

import ast
import hashlib
import sys
from copy import copy
from importlib.machinery import PathFinder
from pathlib import Path
from types import CodeType

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unknown(Exception):
    """A function isn't the one that a part was written for; the text explains the difference."""


class Source:
    """The source of one module, with its top-level definitions by qualified name."""

    def __init__(self, module: str, text: str, path: str) -> None:
        self.module = module
        self.path = path
        self.lines = text.split("\n")  # splitlines() would count form feeds, too
        self._tree = ast.parse(text, path)
        self._paths: dict[str, list[tuple[ast.AST, ...]]] = {}
        self._collect(self._tree, (), "")

    def _collect(self, node: ast.AST, above: tuple[ast.AST, ...], prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Definition):
                path = (*above, child)
                self._paths.setdefault(prefix + child.name, []).append(path)
                if isinstance(child, ast.ClassDef):
                    self._collect(child, path, f"{prefix}{child.name}.")
            elif isinstance(child, (ast.If, ast.Try)):  # such as "if platform is ...: def f()"
                self._collect(child, above, prefix)

    def names(self) -> list[str]:
        """The qualified names of all classes, functions and methods."""
        return list(self._paths)

    def text(self, name: str) -> str:
        """The lines of a definition, including its decorators; of all, if there are several.

        :raises Unknown: there is no definition with that name.
        """
        try:
            paths = self._paths[name]
        except KeyError:
            raise Unknown(f"{self.module} has no {name}") from None
        found: list[str] = []
        for path in paths:
            first, last = extent(path[-1])
            found.extend(line.rstrip() for line in self.lines[first - 1 : last])
        return "\n".join(found)

    def fingerprint(self, name: str) -> str:
        """Sixteen hexadecimal digits: a hash of the lines of a definition.

        :raises Unknown: there is no definition with that name.
        """
        return hashlib.sha256(self.text(name).encode()).hexdigest()[:16]

    def path_of(self, name: str) -> tuple[ast.AST, ...]:
        """The classes around a function, and the function: the last one, if there are several.

        :raises Unknown: there is no definition with that name, or it is not a function.
        """
        self.text(name)
        *_, path = self._paths[name]
        if not isinstance(path[-1], Function):
            raise Unknown(f"{self.module}.{name} is not a function")
        return path

    def imports(self) -> list[ast.stmt]:
        """The module's import statements. The compiler generates different code for imported
        names."""
        found: list[ast.stmt] = []
        waiting: list[ast.AST] = [self._tree]
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.append(node)
            elif not isinstance(node, Definition):
                waiting += ast.iter_child_nodes(node)
        return found


def extent(node: ast.AST) -> tuple[int, int]:
    """The first and the last line of a definition, including its decorators."""
    assert isinstance(node, Definition) and node.end_lineno is not None
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno


def compiled(
    source: Source, name: str, filename: str, function: Function | None = None
) -> CodeType:
    """The code object of a function of `source`, compiled inside its classes.

    :param filename: the file name in the code object.
    :param function: another function to compile in its place.
    :raises Unknown: there is no such function.
    """
    *classes, original = source.path_of(name)
    node: ast.stmt = function or original  # type: ignore[assignment]
    for cls in reversed(classes):
        assert isinstance(cls, ast.ClassDef)
        shell = copy(cls)
        shell.bases, shell.keywords, shell.decorator_list, shell.body = [], [], [], [node]
        node = shell
    module = ast.Module(body=[*source.imports(), node], type_ignores=[])
    code = compile(module, filename, "exec", dont_inherit=True)
    for part in name.split("."):
        code = next(
            each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == part
        )
    return code


_sources: dict[str, Source] = {}


def source_of(module: str) -> Source:
    """The source of an installed module. Imports neither the module nor its packages.

    :raises Unknown: there is no such module, or no source for it.
    """
    if module not in _sources:
        path = _file_of(module)
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            _sources[module] = Source(module, text, path)
        except (OSError, SyntaxError, UnicodeError) as error:
            raise Unknown(f"the source of {module} can't be read: {error}") from error
    return _sources[module]


def forget_sources() -> None:
    """Frees the cache of :func:`source_of`."""
    _sources.clear()


def is_installed(module: str) -> bool:
    """Whether the distribution of a module is installed."""
    package = module.partition(".")[0]
    loaded = sys.modules.get(package)
    spec = PathFinder.find_spec(package) if loaded is None else loaded.__spec__
    # Without Twisted, Autobahn's plugin for it makes a folder "twisted", which has no origin.
    return spec.origin is not None if spec is not None else loaded is not None


def _file_of(module: str) -> str:
    if module in sys.modules:
        spec = sys.modules[module].__spec__
    else:
        path = None
        package = ""
        spec = None
        for part in module.split("."):
            package = f"{package}.{part}" if package else part
            spec = PathFinder.find_spec(package, path)
            if spec is None:
                break
            path = spec.submodule_search_locations
    if spec is None or spec.origin is None or not spec.has_location:
        raise Unknown(f"there is no module {module}")
    # A frozen program may have the sources beside the modules that it loads.
    file = Path(spec.origin).with_suffix(".py")
    if not file.is_file():
        frozen = ": the program is frozen" if getattr(sys, "frozen", False) else ""
        raise Unknown(f"{module} has no source file{frozen}")
    return str(file)
