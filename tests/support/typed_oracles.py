"""Independent answers: flatc's JSON, both ways, and the Python code that flatc generates.

flatc does not verify its input, so it never gets hostile bytes.
"""

from __future__ import annotations

import importlib
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from support.typed_schemas import FLATC, SCHEMAS


def run(*arguments: object) -> None:
    assert FLATC
    done = subprocess.run([FLATC, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def to_json(
    schema: Path, root: str, buffers: Iterable[bytes], folder: Path, *, defaults: bool = False
) -> list[Any]:
    """flatc's JSON for buffers: the present fields, or all of them."""
    paths = []
    for number, data in enumerate(buffers):
        paths.append(folder / f"buffer{number}.bin")
        paths[-1].write_bytes(data)
    options = ["--strict-json", "--raw-binary", "--root-type", root, "-o", folder]
    options += ["--defaults-json"] if defaults else []
    run("-t", *options, schema, "--", *paths)
    return [parse(path.with_suffix(".json").read_text("utf-8")) for path in paths]


def parse(text: str) -> Any:
    """Parses flatc's JSON, which writes nan and inf without quotes."""
    outside = re.compile(r'("(?:[^"\\]|\\.)*")|(-?)\b(nan|inf)\b')
    return json.loads(
        outside.sub(lambda m: m[1] or ("NaN" if m[3] == "nan" else m[2] + "Infinity"), text)
    )


def from_json(schema: Path, root: str, values: Iterable[Any], folder: Path) -> list[bytes]:
    """The buffers that flatc makes of JSON values."""
    paths = []
    for number, value in enumerate(values):
        paths.append(folder / f"value{number}.json")
        text = value if isinstance(value, str) else json.dumps(value)
        paths[-1].write_text(text, "utf-8")
    includes = ["-I", SCHEMAS] if schema.suffix == ".fbs" else []
    run("-b", *includes, "--root-type", root, "-o", folder, schema, *paths)
    return [written(path).read_bytes() for path in paths]


def written(path: Path) -> Path:
    """The buffer that flatc makes from a JSON file; the schema determines its name."""
    (found,) = set(path.parent.glob(f"{path.stem}.*")) - {path}
    return found


def plain(value: Any) -> Any:
    """A dict of ours in the form of flatc's JSON: bytes are lists."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (bytes, bytearray, list, tuple)):
        return [plain(each) for each in value]
    return value


def same(ours: Any, theirs: Any) -> bool:
    """Whether two JSON values are equal, except for digits of floats that flatc omits."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) or isinstance(theirs, float):
        if math.isnan(ours) or math.isinf(ours):
            return str(float(ours)) == str(float(theirs))
        return math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-6)
    return type(ours) is type(theirs) and ours == theirs


@contextmanager
def generated(schema: Path, folder: Path, *, object_api: bool) -> Iterator[None]:
    """Inside, Python code that flatc generates for a .fbs can be imported."""
    run("--python", *(["--gen-object-api"] if object_api else []), "-I", SCHEMAS,
        "-o", folder, schema)  # fmt: skip
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


def camel(name: str) -> str:
    """A field's name in flatc's object API."""
    first, *others = name.split("_")
    return first + "".join(each[:1].upper() + each[1:] for each in others)
