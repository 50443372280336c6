"""Catalog archives: a ZIP with a catalog.yaml that lists compiled schemas, as in Crossbar.io.

An archive may come from an untrusted source. Its sizes are checked while it is unpacked,
independently of its directory. Nothing is written to disk, and names can't refer to files outside
the archive. Of YAML, only text, lists and maps are read, without aliases, which could make a small
text expand without limit.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from .errors import CatalogError

#: The file that lists an archive's schemas.
CATALOG = "catalog.yaml"
#: Maximum size of an archive, of its catalog.yaml, and of all schemas in it unpacked.
MAX_ARCHIVE = 64 * 1024 * 1024
MAX_CATALOG = 64 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
#: Maximum number of files in an archive, and of schemas in its catalog.yaml.
MAX_MEMBERS = 10_000
MAX_SCHEMAS = 1000
#: Maximum length of a path in catalog.yaml, in characters.
MAX_PATH = 1000
#: Maximum nesting of lists and maps in catalog.yaml.
MAX_DEPTH = 16
#: Compression with bounded memory; others are refused.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

#: The beginning of a file's entry in an archive's directory.
_DIRECTORY_ENTRY = b"PK\x01\x02"

#: The exceptions of zipfile for broken archives.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)


def schemas_of(name: str, data: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    """The name and content of each schema that the archive's catalog.yaml lists, in that order.

    :param name: the archive's name in error texts.
    :param limit: maximum size of one schema in bytes.
    :raises CatalogError: the archive is broken, too large, or lists a missing file.
    """
    # zipfile reads the whole directory at once, and takes ten times its size.
    if data.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
        raise CatalogError(f"{name}: too many files; {MAX_MEMBERS} are allowed")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _UNREADABLE as error:
        raise CatalogError(f"{name}: not a readable ZIP archive: {_text(error)}") from error
    with archive:
        members = archive.infolist()
        by_name = {member.filename: member for member in members}
        if len(by_name) < len(members):
            raise CatalogError(f"{name}: two files with the same name")
        if CATALOG not in by_name:
            raise CatalogError(f"{name}: no {CATALOG}, so this is not a catalog")
        text = _unpack(name, archive, by_name[CATALOG], MAX_CATALOG)
        left = MAX_UNPACKED
        for path in listed(f"{name}/{CATALOG}", text):
            if path not in by_name:
                missing = f"{path[:200]!r} is listed but not in the archive"
                raise CatalogError(f"{name}/{CATALOG}: {missing}")
            content = _unpack(name, archive, by_name[path], min(limit, left))
            left -= len(content)
            yield path, content


def _text(error: Exception) -> str:
    """zipfile's reason, which may quote names of the archive as long as they are."""
    return str(error)[:300]


def _unpack(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """One file's content; never produces more than ``limit`` bytes, whatever the archive claims."""
    where = f"{name}/{member.filename}"
    if member.flag_bits & 1:
        raise CatalogError(f"{where}: encrypted")
    if member.compress_type not in METHODS:
        raise CatalogError(f"{where}: neither stored nor deflated")
    try:
        with archive.open(member) as file:
            content = file.read(limit + 1)
    except _UNREADABLE as error:
        raise CatalogError(f"{where}: can't be unpacked: {_text(error)}") from error
    if len(content) > limit:
        raise CatalogError(f"{where}: unpacks to more than the {limit} bytes that are allowed")
    return content


def listed(name: str, text: bytes) -> list[str]:
    """The paths under ``schemas`` in a catalog.yaml.

    :raises CatalogError: the text isn't such a catalog, or a path isn't a plain relative path to a
        .bfbs.
    """
    catalog = _parse(name, text)
    schemas = catalog.get("schemas") if isinstance(catalog, dict) else None
    if not isinstance(schemas, list) or not all(isinstance(path, str) for path in schemas):
        raise CatalogError(f"{name}: no list of paths under 'schemas'")
    if len(schemas) > MAX_SCHEMAS:
        raise CatalogError(f"{name}: {len(schemas)} schemas; {MAX_SCHEMAS} are allowed")
    for path in schemas:
        parts = PurePosixPath(path).parts
        leaves = path.startswith("/") or ".." in parts or "\\" in path or ":" in path
        if leaves or not path.isprintable() or len(path) > MAX_PATH:
            raise CatalogError(f"{name}: {path[:200]!r} is not a path inside the catalog")
        if not path.endswith(".bfbs"):
            raise CatalogError(f"{name}: {path[:200]!r} is not a compiled schema (.bfbs)")
    if len(set(schemas)) < len(schemas):
        raise CatalogError(f"{name}: a schema is listed twice")
    return schemas


def _parse(name: str, text: bytes) -> Any:
    """The text, lists and maps in YAML; creates no other types."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise CatalogError(
            f"{name}: reading it needs PyYAML (pip install autobahn_fbs[catalogs])"
        ) from error

    try:
        depth = 0
        for token in yaml.scan(text, yaml.BaseLoader):
            if isinstance(token, yaml.AliasToken):
                raise CatalogError(f"{name}: a YAML alias is not allowed")
            kind = type(token).__name__
            depth += kind.endswith(("SequenceStartToken", "MappingStartToken"))
            depth -= kind.endswith(("SequenceEndToken", "MappingEndToken", "BlockEndToken"))
            if depth > MAX_DEPTH:  # the scanner takes quadratic time for deep nesting
                raise CatalogError(f"{name}: YAML nests more than {MAX_DEPTH} levels deep")
        return yaml.load(text, yaml.BaseLoader)
    except CatalogError:
        raise
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise CatalogError(f"{name}: not valid YAML: {said[:300]}") from error
    except (RecursionError, ValueError, TypeError) as error:
        raise CatalogError(f"{name}: YAML can't be read: {type(error).__name__}") from error
