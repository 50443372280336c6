"""Checks that the distributions are complete: ``python tools/check_dist.py dist/*``

Compares the sdist with the files that git tracks, and each wheel with the package's folder, so that
a forgotten or superfluous file stops a release. With ``--release``, the wheels must cover all
promised interpreters and platforms (``PROMISED``), with tags that package indexes accept. Exit
status 1 and a line for each error.
"""

from __future__ import annotations

import argparse
import email
import itertools
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "autobahn_fbs"

# Files that setuptools adds to an sdist.
ADDED_TO_SDIST = re.compile(rf"PKG-INFO|setup\.cfg|{PACKAGE}\.egg-info/.*")

# Files from the compiler in a wheel, by the kind of Python.
NATIVE = re.compile(rf"{PACKAGE}/(?:_cpython\.(?:cpython-|cp)|_cffi/_core\.pypy)[\w-]+\.(?:so|pyd)")

SUPPORTED = re.compile(r"(cp3\d+)-\1t?|pp3\d+-pypy3\d+_pp\d+")

# The promised wheels: patterns of tags, and their descriptions.
INTERPRETERS = {
    "cp311-cp311": "CPython 3.11",
    "cp312-cp312": "CPython 3.12",
    "cp313-cp313": "CPython 3.13",
    "cp314-cp314": "CPython 3.14",
    "cp314-cp314t": "CPython 3.14, free-threaded",
    "cp315-cp315": "CPython 3.15",
    "cp315-cp315t": "CPython 3.15, free-threaded",
    r"pp311-pypy311_pp\d+": "PyPy 3.11",
}
PLATFORMS = {
    "manylinux2014_x86_64": "Linux, glibc, x86_64",
    "manylinux2014_aarch64": "Linux, glibc, aarch64",
    r"musllinux\w*_x86_64": "Linux, musl, x86_64",
    r"musllinux\w*_aarch64": "Linux, musl, aarch64",
    r"macosx_\w+_x86_64": "macOS, x86_64",
    r"macosx_\w+_arm64": "macOS, arm64",
    r"win_amd64": "Windows, x86_64",
}
#: The wheels of a release. There is no PyPy for musl.
PROMISED = [
    (interpreter, platform)
    for interpreter, platform in itertools.product(INTERPRETERS, PLATFORMS)
    if not (interpreter.startswith("pp") and platform.startswith("musl"))
]


def version() -> str:
    """The version in the sources."""
    text = (ROOT / PACKAGE / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.M)
    if found is None:
        raise SystemExit(f"no __version__ in {PACKAGE}/__init__.py")
    return found[1]


def tracked() -> set[str]:
    """The files that git tracks.

    :raises SystemExit: this is not a checkout, so there is nothing to compare with.
    """
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True)
    if listed.returncode:
        raise SystemExit(f"needs a checkout with git: {listed.stderr.strip()}")
    return set(filter(None, listed.stdout.split("\0")))


def differences(have: Iterable[str], want: Iterable[str]) -> Iterator[str]:
    """Missing and superfluous files, a line for each."""
    have, want = set(have), set(want)
    yield from (f"lacks {name}" for name in sorted(want - have))
    yield from (f"has {name}, which doesn't belong" for name in sorted(have - want))


def metadata_faults(text: str) -> Iterator[str]:
    """The errors in the metadata of a distribution."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    headers = email.message_from_string(text)
    for key, want in (
        ("Name", project["name"]),
        ("Version", version()),
        ("Requires-Python", project["requires-python"]),
        ("License-Expression", project["license"]),
        ("License-File", "LICENSE"),
    ):
        if headers[key] != want:
            yield f"says {key}: {headers[key]}, not {want}"


def sdist_faults(path: Path) -> Iterator[str]:
    """The errors in an sdist."""
    folder = f"{PACKAGE}-{version()}"
    if path.name != f"{folder}.tar.gz":
        yield f"is not named {folder}.tar.gz"
        return
    with tarfile.open(path) as archive:
        names = {member.name for member in archive if not member.isdir()}
        stray = {name for name in names if not name.startswith(f"{folder}/")}
        yield from (f"has {name} outside {folder}/" for name in sorted(stray))
        names = {name.removeprefix(f"{folder}/") for name in names - stray}
        info = archive.extractfile(f"{folder}/PKG-INFO") if "PKG-INFO" in names else None
        yield from metadata_faults(info.read().decode() if info else "")
    yield from differences(
        {name for name in names if not ADDED_TO_SDIST.fullmatch(name)},
        tracked(),
    )


def tags(path: Path) -> tuple[str, str]:
    """The "python-abi" and platform tags of a wheel's name; both empty if it has none."""
    parts = path.stem.split("-")
    return ("-".join(parts[-3:-1]), parts[-1]) if len(parts) >= 5 else ("", "")


def wheel_faults(path: Path) -> Iterator[str]:
    """The errors in a wheel."""
    interpreter, platform = tags(path)
    if not SUPPORTED.fullmatch(interpreter):
        yield f"is tagged {interpreter}, which is not for one version of CPython or PyPy"
    if platform == "any":
        yield "is for any platform, so without compiled code"
    folder = f"{PACKAGE}-{version()}.dist-info"
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        if f"{folder}/METADATA" in names:
            yield from metadata_faults(archive.read(f"{folder}/METADATA").decode())
    native = [name for name in names if NATIVE.fullmatch(name)]
    if len(native) != 1:
        yield f"has {len(native)} extension modules instead of one: {sorted(native)}"
    files = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    about = {f"{folder}/{name}" for name in files}
    yield from differences(
        {name for name in names if name not in native and not name.endswith("/top_level.txt")},
        {name for name in tracked() if name.startswith(f"{PACKAGE}/")} | about,
    )


def release_faults(paths: list[Path]) -> Iterator[str]:
    """The wheels that a release still lacks, from the names of its files."""
    if not any(path.name.endswith(".tar.gz") for path in paths):
        yield "no sdist"
    wheels = [tags(path) for path in paths if path.suffix == ".whl"]
    for interpreter, platform in PROMISED:
        if not any(
            re.fullmatch(interpreter, tag)
            and any(re.fullmatch(platform, one) for one in place.split("."))
            for tag, place in wheels
        ):
            yield f"no wheel for {INTERPRETERS[interpreter]} on {PLATFORMS[platform]}"
    for path in paths:
        if "-linux_" in path.name:
            yield f"{path.name} is tagged for this machine alone; auditwheel has to repair it"


def faults(paths: list[Path], release: bool = False) -> list[str]:
    """All errors in these distributions; empty if they can be published.

    :raises OSError: a file can't be read.
    """
    found = []
    for path in paths:
        if path.name.endswith(".tar.gz"):
            check = sdist_faults
        elif path.suffix == ".whl":
            check = wheel_faults
        else:
            found.append(f"{path.name} is neither an sdist nor a wheel")
            continue
        found += [f"{path.name} {fault}" for fault in check(path)]
    return found + (list(release_faults(paths)) if release else [])


def main() -> int:
    parser = argparse.ArgumentParser(description="Says whether distributions are complete.")
    parser.add_argument("files", nargs="+", type=Path, help="sdist and wheels")
    parser.add_argument(
        "--release", action="store_true", help="all wheels that are promised have to be there"
    )
    parser.add_argument("--version", action="version", version=version())
    options = parser.parse_args()
    found = faults(options.files, options.release)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(options.files)} files, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
