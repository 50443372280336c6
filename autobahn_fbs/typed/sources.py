"""The sources of a catalog's schemas: compiled files, folders, ZIP archives, schema sources.

All of them may be hostile. Their number and size are limited before they are read, names in an
archive can't refer to files outside it, and the core checks the schemas afterwards.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from . import archive
from .errors import CatalogError

#: One or more sources, as :meth:`Catalog.load` takes them.
Source = str | os.PathLike[str] | bytes | bytearray | memoryview

#: Maximum size of one compiled schema. The largest in use have about 100,000 bytes.
MAX_SCHEMA = 16 * 1024 * 1024
#: Maximum number of compiled schemas in one folder.
MAX_FILES = 1000
#: Maximum time for flatc to compile one file, in seconds.
FLATC_TIMEOUT = 30


class SchemaFile(NamedTuple):
    """One compiled schema."""

    #: Its name in error texts: a path, or the place in an archive.
    name: str
    data: bytes


def read_all(sources: Iterable[Source]) -> Iterator[SchemaFile]:
    """The compiled schemas of all sources, in their order; those of a folder are sorted by name.

    :raises CatalogError: a source doesn't have the format that it seems to have.
    :raises OSError: a file can't be read.
    """
    for source in sources:
        if isinstance(source, (bytes, bytearray, memoryview)):
            yield from _from_bytes("<bytes>", bytes(source))
        elif isinstance(source, (str, os.PathLike)):
            yield from _from_path(Path(source))
        else:
            raise TypeError(f"a source is a path or bytes, not {type(source).__name__}")


def _from_path(path: Path) -> Iterator[SchemaFile]:
    if path.is_dir():
        yield from _from_folder(path)
    elif path.suffix == ".fbs":
        yield SchemaFile(str(path), compile_schema(path))
    else:
        yield from _from_bytes(str(path), read_limited(path, archive.MAX_ARCHIVE))


def _from_bytes(name: str, data: bytes) -> Iterator[SchemaFile]:
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        for member, content in archive.schemas_of(name, data, MAX_SCHEMA):
            yield SchemaFile(f"{name}/{member}", content)
    elif len(data) > MAX_SCHEMA:
        raise CatalogError(f"{name}: a schema of {len(data)} bytes; {MAX_SCHEMA} are allowed")
    elif data[4:8] != b"BFBS":
        raise CatalogError(f"{name}: neither a compiled schema (.bfbs) nor a ZIP archive")
    else:
        yield SchemaFile(name, data)


def _from_folder(folder: Path) -> Iterator[SchemaFile]:
    """The schemas that the folder's catalog.yaml lists, or else every .bfbs in the folder and below
    it."""
    listing = folder / archive.CATALOG
    if listing.exists():
        text = read_limited(listing, archive.MAX_CATALOG)
        paths = [folder / name for name in archive.listed(str(listing), text)]
        for path in paths:
            if not path.resolve().is_relative_to(folder.resolve()):
                raise CatalogError(f"{listing}: {path.name} leads out of the folder")
    else:
        paths = sorted(folder.rglob("*.bfbs"))
    if not paths:
        raise CatalogError(f"{folder}: no compiled schema (.bfbs) in this folder")
    if len(paths) > MAX_FILES:
        raise CatalogError(f"{folder}: {len(paths)} compiled schemas; {MAX_FILES} are allowed")
    for path in paths:
        yield from _from_bytes(str(path), read_limited(path, MAX_SCHEMA))


def read_limited(path: Path, limit: int) -> bytes:
    """A file's content.

    :raises CatalogError: it has more than ``limit`` bytes, or is a pipe, a device or similar.
    """
    _check_regular(path)
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise CatalogError(f"{path}: more than the {limit} bytes that are allowed")
    return data


def _check_regular(path: Path) -> None:
    """Refuses what is neither a file nor a link to one, before it is opened. Opening a named pipe
    that nobody writes to would block forever.

    :raises CatalogError: it is a pipe, a device, a folder or similar.
    :raises OSError: it doesn't exist, or is not accessible.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise CatalogError(f"{path}: not a regular file")


def find_flatc() -> str | None:
    """The schema compiler: the one that FLATC in the environment names, or the one in Autobahn's
    wheels, or the first on the path."""
    if named := os.environ.get("FLATC"):
        return named
    import autobahn

    bundled = Path(autobahn.__file__).parent / "_flatc" / "bin" / "flatc"
    if os.access(bundled, os.X_OK):
        return str(bundled)
    for folder in os.get_exec_path():
        found = shutil.which("flatc", path=folder)
        if found and not _starts_bundled(found):
            return found
    return None


def _starts_bundled(path: str) -> bool:
    """Whether this is the script of Autobahn's package that starts the flatc in it."""
    try:
        with open(path, "rb") as file:
            return b"autobahn._flatc" in file.read(1000)
    except OSError:  # a program that can be run but not read
        return False


def compile_schema(path: Path) -> bytes:
    """The result of compiling a .fbs file with flatc, with FlatBuffers' own attributes and the
    comments.

    :raises CatalogError: there is no flatc, or it refuses the file; the text has flatc's output.
    """
    _check_regular(path)
    flatc = find_flatc()
    if flatc is None:
        raise CatalogError(
            f"{path}: there is no flatc to compile it with (none in Autobahn's package, on the "
            "path or named by FLATC); compile it with --schema --binary --bfbs-builtins"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [flatc, "--schema", "--binary", "--bfbs-builtins", "--bfbs-comments"]
        command += ["-I", str(path.parent), "-o", folder, str(path.absolute())]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=FLATC_TIMEOUT,
                encoding="utf-8",
                errors="replace",
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CatalogError(f"{path}: flatc can't be run: {error}") from error
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())
            raise CatalogError(f"{path}: flatc refuses it: {said[:500]}")
        return read_limited(Path(folder) / f"{path.stem}.bfbs", MAX_SCHEMA)
