"""Tests payloads with every supported version of the codec libraries.

``python tools/codec_versions.py [--backend cffi] [--ends] [LIBRARY...]``

The tested versions of a library are those that autobahn_fbs (for cbor2) or Autobahn (for the
others) allow on this Python: the first and the last of each minor version; with ``--ends``, only
the oldest and the newest that work. All other packages are in one virtual environment. Each version
is in a folder of its own, which comes first on the path. A version that can't be installed on this
Python, or can't read its own output there, is named and skipped. Exit status 1 if tests failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


class Library(NamedTuple):
    """The tests of a library, and the package that restricts its versions."""

    allowed_by: str
    tests: tuple[str, ...]
    switch: str | None = None
    round_trip: str = "pass"  #: fails if the library itself doesn't work


LIBRARIES = {
    "cbor2": Library(
        "autobahn_fbs",
        ("test_cbor.py", "test_cbor_malformed.py", "test_cbor_nesting.py", "test_payloads.py"),
    ),
    "msgpack": Library("autobahn", ("test_payloads.py",)),
    "u-msgpack-python": Library(
        "autobahn",
        ("test_payloads.py",),
        "AUTOBAHN_USE_UMSGPACK",
        # Versions before 2.5.2 need features that Python 3.10 removed.
        "import umsgpack; umsgpack.unpackb(umsgpack.packb({'a': 1}))",
    ),
    "ujson": Library("autobahn", ("test_payloads.py",), "AUTOBAHN_USE_UJSON"),
    "bjdata": Library("autobahn", ("test_payloads.py", "test_ubjson.py")),
}


def quiet(*command: object) -> bool:
    """Runs a command; returns whether it succeeded."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True).returncode == 0


def make_venv(folder: Path) -> Path:
    """A virtual environment with this checkout and everything that its tests need; returns its
    interpreter."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    needs = ["pytest", "pytest-timeout", "hypothesis", "flatbuffers", "packaging", "numpy"]
    source = folder / "source"
    files = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [python, "-m", "pip", "install", "-q", source, "u-msgpack-python", *needs],
        check=True,
        env={**os.environ, "AUTOBAHN_FBS_BUILD_CFFI": "1"},
    )
    return python


def allowed(python: Path, name: str, by: str) -> str:
    """The version restriction, such as ``>=6.1.0``, that `by`, as installed there, has for a
    library. Requirements for extras and for other interpreters are used if there is no other."""
    code = f"""if True:
        from importlib.metadata import requires
        from packaging.requirements import Requirement
        found = [Requirement(each) for each in requires({by!r})]
        found = [each for each in found if each.name == {name!r}]
        here = [each for each in found if not each.marker or each.marker.evaluate({{"extra": ""}})]
        print((here or found)[0].specifier)"""
    done = subprocess.run([python, "-c", code], capture_output=True, check=True, text=True)
    return done.stdout.strip()


def versions(python: Path, name: str, by: str) -> list[str]:
    """The versions to test, the oldest first."""
    listed = subprocess.run(
        [python, "-m", "pip", "index", "versions", name], capture_output=True, check=True, text=True
    ).stdout
    found = re.search(r"^Available versions: (.*)$", listed, re.M)
    code = """if True:
        import sys
        from packaging.specifiers import SpecifierSet
        from packaging.version import Version
        allowed, minors = SpecifierSet(sys.argv[1]), {}
        for version in sorted(map(Version, sys.argv[2].split(", "))):
            if version in allowed:
                minors.setdefault(version.release[:2], []).append(version)
        for each in minors.values():
            print(*dict.fromkeys([str(each[0]), str(each[-1])]))"""
    if found is None:
        raise SystemExit(f"no versions of {name}: {listed}")
    done = subprocess.run(
        [python, "-c", code, allowed(python, name, by), found[1]],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split()


def test(python: Path, folder: Path, name: str, backend: str) -> tuple[str, str]:
    """Runs the tests of a library in a folder: returns a verdict, and pytest's last words."""
    library = LIBRARIES[name]
    files = [path for test in library.tests for path in TESTS.rglob(test)]
    environment = {**os.environ, "PYTHONPATH": str(folder), "AUTOBAHN_FBS_BACKEND": backend}
    if library.switch:
        environment[library.switch] = "1"
    works = [str(python), "-c", library.round_trip]
    if subprocess.run(works, env=environment, capture_output=True).returncode != 0:
        return "doesn't work on this Python", ""
    command = [*map(str, (python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files))]
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True)
    said = done.stdout.strip()
    return ("passed", said.splitlines()[-1]) if done.returncode == 0 else ("FAILED", said[-2000:])


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests payloads with all versions of libraries.")
    parser.add_argument("libraries", nargs="*", metavar="LIBRARY", help=", ".join(LIBRARIES))
    parser.add_argument("--backend", choices=["cpython", "cffi"], default="cpython")
    parser.add_argument("--ends", action="store_true", help="just the oldest and the newest")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        python = make_venv(Path(place) / "venv")
        for name in options.libraries or LIBRARIES:
            rest = versions(python, name, LIBRARIES[name].allowed_by)
            while rest:
                version = rest.pop(0)
                folder = Path(place) / f"{name}-{version}"
                install = ["install", "-q", "--no-deps", "--target", folder, f"{name}=={version}"]
                verdict, said = "can't be installed", ""
                if quiet(python, "-m", "pip", *install):
                    verdict, said = test(python, folder, name, options.backend)
                failed += verdict == "FAILED"
                print(f"{name} {version}: {verdict}. {said}", flush=True)
                if options.ends and verdict in ("passed", "FAILED"):
                    rest = rest[-1:]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
