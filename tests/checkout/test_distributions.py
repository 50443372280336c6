"""The sdist and the wheel that is built from it: complete, built offline, for old Linuxes too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from support.checkout import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import check_dist

# A build must not need any of these: a compiler is enough.
NOT_NEEDED = ("flatc", "git", "cmake", "make", "ninja", "pkg-config", "curl")


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of the current checkout."""
    if not shutil.which("git") or run("git", "-C", ROOT, "ls-files").stdout == "":
        pytest.skip("NOT TESTED: distributions, which need git or a checkout")
    try:
        if int(metadata.version("setuptools").partition(".")[0]) < 77:
            raise metadata.PackageNotFoundError
    except metadata.PackageNotFoundError:
        pytest.skip("NOT TESTED: distributions, which need setuptools 77")
    folder = tmp_path_factory.mktemp("sdist")
    for name in check_dist.tracked():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    made = run(sys.executable, "setup.py", "-q", "sdist", cwd=folder)
    assert made.returncode == 0, made.stderr
    [path] = (folder / "dist").iterdir()
    return path


def offline() -> list[str]:
    """A prefix that runs a command without network access; empty if that isn't possible."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and run(*command, "true").returncode == 0:
            return command
    return []


def wheel_of(sdist: Path, folder: Path) -> list[object]:
    """The command that builds a wheel with the installed packages."""
    flags = ["--no-index", "--no-build-isolation", "--no-deps", "--no-cache-dir"]
    return [sys.executable, "-m", "pip", "wheel", *flags, "-w", folder, sdist]


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel, built from the sdist with no network and no tools except a compiler."""
    folder = tmp_path_factory.mktemp("wheel")
    traps = folder / "traps"
    traps.mkdir()
    for name in NOT_NEEDED:
        (traps / name).write_text(f"#!/bin/sh\necho {name} >>'{folder}/used'\nexit 1\n")
        (traps / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{traps}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("LD_PRELOAD", None)
    made = run(*offline(), *wheel_of(sdist, folder), env=environment, cwd=folder)
    assert made.returncode == 0, made.stderr
    assert not (folder / "used").exists(), (folder / "used").read_text()
    [path] = folder.glob("*.whl")
    return path


def test_the_sdist_has_all_that_git_tracks_and_nothing_else(sdist):
    assert check_dist.faults([sdist]) == []


def test_the_wheel_is_built_offline_with_only_a_compiler_and_is_complete(wheel):
    assert check_dist.faults([wheel]) == []


def test_a_failed_native_build_never_yields_a_wheel(sdist, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    made = run(*wheel_of(sdist, tmp_path), env={**environment, "CC": "false"}, cwd=tmp_path)
    assert made.returncode != 0
    assert "failed building wheel" in made.stderr.lower()
    assert list(tmp_path.glob("*.whl")) == []


def test_the_wheel_has_no_sources_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert names
    assert [name for name in names if re.search(r"\.[ch]$|tests?/|csrc|tools/", name)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="manylinux is for Linux")
def test_the_wheel_runs_on_linuxes_as_old_as_manylinux2014(wheel):
    """On x86-64 and aarch64; its symbols are those of glibc 2.17 or older."""
    try:
        metadata.version("auditwheel")
    except metadata.PackageNotFoundError:
        pytest.skip("NOT TESTED: manylinux2014, which needs auditwheel")
    shown = run(sys.executable, "-m", "auditwheel", "show", wheel)
    assert shown.returncode == 0, shown.stderr
    tag = re.search(r'following platform tag:\s+"manylinux_2_(\d+)_\w+"', shown.stdout)
    assert tag and int(tag[1]) <= 17, shown.stdout


def rewritten(wheel: Path, folder: Path, drop: str = "", add: str = "") -> Path:
    """The wheel without the file that ends in `drop`, and with the file `add`."""
    path = folder / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if not drop or not name.endswith(drop):
                new.writestr(name, old.read(name))
        if add:
            new.writestr(add, "")
    return path


def test_the_check_finds_what_a_wheel_lacks(wheel, tmp_path):
    [fault] = check_dist.faults([rewritten(wheel, tmp_path, drop="wamp.bfbs")])
    assert fault.endswith("lacks autobahn_fbs/schemas/wamp.bfbs")


def test_the_check_finds_superfluous_files_in_a_wheel(wheel, tmp_path):
    [fault] = check_dist.faults([rewritten(wheel, tmp_path, add="autobahn_fbs/core.c")])
    assert fault.endswith("has autobahn_fbs/core.c, which doesn't belong")


def test_the_check_finds_a_wheel_without_compiled_code(wheel, tmp_path):
    bare = rewritten(wheel, tmp_path, drop=".so")
    pure = bare.rename(tmp_path / f"autobahn_fbs-{check_dist.version()}-py3-none-any.whl")
    found = check_dist.faults([pure])
    assert any("without compiled code" in fault for fault in found)
    assert any("0 extension modules" in fault for fault in found)


@pytest.mark.parametrize(
    ("name", "native"),
    [
        ("autobahn_fbs/_cpython.cpython-311-x86_64-linux-gnu.so", True),
        ("autobahn_fbs/_cpython.cpython-314t-darwin.so", True),
        ("autobahn_fbs/_cpython.cp312-win_amd64.pyd", True),
        ("autobahn_fbs/_cffi/_core.pypy311-pp73-x86_64-linux-gnu.so", True),
        ("autobahn_fbs/_cffi/_core.pypy311-pp80-win_amd64.pyd", True),
        ("autobahn_fbs/_cffi/_core.cpython-311-x86_64-linux-gnu.so", False),
        ("autobahn_fbs/_cpython.pypy311-pp73-x86_64-linux-gnu.so", False),
        ("autobahn_fbs.libs/libgcc_s.so", False),
    ],
)
def test_the_check_knows_the_one_extension_of_each_kind_of_python(name, native):
    assert bool(check_dist.NATIVE.fullmatch(name)) is native


def test_the_check_finds_what_an_sdist_lacks(sdist, tmp_path):
    path = tmp_path / sdist.name
    with tarfile.open(sdist) as old, tarfile.open(path, "w:gz") as new:
        for member in old:
            if not member.name.endswith("csrc/core/verify.c"):
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
    [fault] = check_dist.faults([path])
    assert fault.endswith("lacks csrc/core/verify.c")


def test_a_release_has_a_wheel_for_every_interpreter_and_platform():
    places = {
        "manylinux2014_x86_64": "manylinux2014_x86_64.manylinux_2_17_x86_64",
        "manylinux2014_aarch64": "manylinux2014_aarch64.manylinux_2_17_aarch64",
        r"musllinux\w*_x86_64": "musllinux_1_2_x86_64",
        r"musllinux\w*_aarch64": "musllinux_1_2_aarch64",
        r"macosx_\w+_x86_64": "macosx_10_13_x86_64",
        r"macosx_\w+_arm64": "macosx_11_0_arm64",
        r"win_amd64": "win_amd64",
    }
    files = [
        Path(f"autobahn_fbs-1-{interpreter}-{places[platform]}.whl".replace(r"\d+", "80"))
        for interpreter, platform in check_dist.PROMISED
    ]
    files.append(Path("autobahn_fbs-1.tar.gz"))
    assert list(check_dist.release_faults(files)) == []
    assert len(files) == 8 * 7 - 2 + 1
    for missing in files:
        left = [file for file in files if file != missing]
        assert len(list(check_dist.release_faults(left))) == 1, missing


def test_the_wheels_that_are_built_are_those_that_are_promised():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    built = {tag.removesuffix("-*") for tag in settings["tool"]["cibuildwheel"]["build"]}
    promised = [tag.split("-") for tag in check_dist.INTERPRETERS]
    assert built == {abi if abi.startswith("cp") else python for python, abi in promised}


def test_a_release_has_no_wheel_that_is_for_one_machine():
    found = check_dist.release_faults([Path("autobahn_fbs-1-cp311-cp311-linux_x86_64.whl")])
    assert any("tagged for this machine alone" in fault for fault in found)
