"""The sources of catalogs, and those that are refused: hostile archives, folders and YAML."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
import zipfile
from pathlib import Path

import pytest

from autobahn_fbs.typed import archive, sources
from autobahn_fbs.typed.errors import CatalogError
from support.marks import counting_memory
from support.typed_schemas import SCHEMAS, needs_flatc

pytest.importorskip("yaml", reason="NOT TESTED: catalogs, PyYAML is not installed")

BASICS = (SCHEMAS / "basics.bfbs").read_bytes()
ORDERS = (SCHEMAS / "orders.bfbs").read_bytes()
CATALOG = b"name: demo\nschemas:\n  - schema/basics.bfbs\n"


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def read(*what: sources.Source) -> list[sources.SchemaFile]:
    return list(sources.read_all(what))


def refused(what: sources.Source) -> str:
    with pytest.raises(CatalogError) as caught:
        read(what)
    return str(caught.value)


def test_a_path_bytes_and_a_folder_give_the_same_catalog():
    (by_path,) = read(SCHEMAS / "basics.bfbs")
    (by_text,) = read(str(SCHEMAS / "basics.bfbs"))
    (by_bytes,) = read(memoryview(BASICS))
    assert by_path == by_text and by_path.data == by_bytes.data == BASICS
    assert by_path.name.endswith("basics.bfbs") and by_bytes.name == "<bytes>"
    assert by_path in read(SCHEMAS)


def test_a_folder_is_read_by_name_including_its_subfolders(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.bfbs").write_bytes(ORDERS)
    (tmp_path / "sub" / "a.bfbs").write_bytes(BASICS)
    (tmp_path / "notes.txt").write_text("no schema")
    assert [Path(file.name).name for file in read(tmp_path)] == ["b.bfbs", "a.bfbs"]


def test_a_folder_with_a_catalog_is_read_as_the_catalog_says(tmp_path: Path):
    (tmp_path / "catalog.yaml").write_text("name: x\nschemas: [two.bfbs, one.bfbs]\n")
    for name, data in (("one", BASICS), ("two", ORDERS), ("three", ORDERS)):
        (tmp_path / f"{name}.bfbs").write_bytes(data)
    assert [Path(file.name).stem for file in read(tmp_path)] == ["two", "one"]


def test_a_link_does_not_lead_out_of_a_folder_with_a_catalog(tmp_path: Path):
    outside, folder = tmp_path / "secret.bfbs", tmp_path / "catalog"
    outside.write_bytes(BASICS)
    folder.mkdir()
    (folder / "linked.bfbs").symlink_to(outside)
    (folder / "catalog.yaml").write_text("schemas: [linked.bfbs]")
    assert "leads out of the folder" in refused(folder)


def test_an_empty_folder_is_an_error(tmp_path: Path):
    assert "no compiled schema" in refused(tmp_path)


def test_an_archive_is_read_as_its_catalog_lists(tmp_path: Path):
    data = zipped({"catalog.yaml": CATALOG, "schema/basics.bfbs": BASICS, "other.bfbs": ORDERS})
    path = tmp_path / "demo.zip"
    path.write_bytes(data)
    for source in (data, path):
        (file,) = read(source)
        assert file.data == BASICS and file.name.endswith("/schema/basics.bfbs")


def test_a_file_that_is_neither_schema_nor_archive_is_an_error(tmp_path: Path):
    path = tmp_path / "x.bfbs"
    path.write_bytes(b"not a schema at all")
    assert f"{path}: neither a compiled schema" in refused(path)
    assert "<bytes>: neither" in refused(b"")


def test_a_source_of_another_type_is_an_error():
    with pytest.raises(TypeError, match="a path or bytes, not int"):
        read(17)  # type: ignore[arg-type]


def test_a_missing_file_is_an_os_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing.bfbs")


def test_a_missing_source_file_is_an_os_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing.fbs")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe. Nobody writes to it, so whoever opens it waits forever."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("NOT TESTED: named pipes, which this system doesn't have")
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("name", ["x.bfbs", "x.zip", "x.fbs"])
@pytest.mark.parametrize("linked", [False, True], ids=["itself", "a link to it"])
def test_a_pipe_is_refused_without_opening_it(pipe: Path, name: str, linked: bool):
    path = pipe.parent / name
    if linked:
        path.symlink_to(pipe)
    else:
        pipe.rename(path)
    assert refused(path) == f"{path}: not a regular file"


@pytest.mark.parametrize("name", ["x.bfbs", "catalog.yaml"])
def test_a_pipe_in_a_folder_is_refused_without_opening_it(pipe: Path, tmp_path: Path, name: str):
    (tmp_path / "basics.bfbs").write_bytes(BASICS)
    pipe.rename(tmp_path / name)
    assert refused(tmp_path) == f"{tmp_path / name}: not a regular file"


def test_a_pipe_that_a_catalog_lists_is_refused_without_opening_it(pipe: Path, tmp_path: Path):
    (tmp_path / "catalog.yaml").write_text("schemas: [x.bfbs]")
    pipe.rename(tmp_path / "x.bfbs")
    assert refused(tmp_path) == f"{tmp_path / 'x.bfbs'}: not a regular file"


def test_a_folder_with_the_name_of_a_schema_is_refused(tmp_path: Path):
    (tmp_path / "x.bfbs").mkdir()
    assert refused(tmp_path) == f"{tmp_path / 'x.bfbs'}: not a regular file"


def test_a_link_to_a_file_is_read_like_the_file(tmp_path: Path):
    link, folder = tmp_path / "link.bfbs", tmp_path / "folder"
    link.symlink_to(SCHEMAS / "basics.bfbs")
    folder.mkdir()
    (folder / "linked.bfbs").symlink_to(link)
    assert [file.data for file in read(link, folder)] == [BASICS, BASICS]


@pytest.mark.parametrize(
    "path",
    [
        "../outside.bfbs",
        "/etc/x.bfbs",
        "a/../../b.bfbs",
        "a\\b.bfbs",
        "c:x.bfbs",
        "schema/notes.txt",
        '"a\\0.bfbs"',
        '"\\e[31m.bfbs"',
        f"{'a' * 1000}.bfbs",
    ],
)
def test_a_listed_path_stays_inside_and_is_a_compiled_schema(path):
    data = zipped({"catalog.yaml": f"schemas:\n- {path}\n".encode(), "a.bfbs": BASICS})
    text = refused(data)
    assert "is not a" in text and text.isprintable() and len(text) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"name: demo", "no list of paths"),
        (b"schemas: yes", "no list of paths"),
        (b"schemas: [[a.bfbs]]", "no list of paths"),
        (b"- schemas", "no list of paths"),
        (b"", "no list of paths"),
        (b"schemas: [missing.bfbs]", "'missing.bfbs' is listed but not in the archive"),
        (b"schemas: [a.bfbs, a.bfbs]", "listed twice"),
        (b"description: one\ntwo\nschemas: []", "not valid YAML"),
        (b"\xff\xfe\xfa", "YAML"),
        (b"schemas: !!python/object/apply:os.system [ls]", "'ls' is not a compiled schema"),
        (b"[" * 60_000, "nests more than 16 levels deep"),
        (b"- " * 30_000, "nests more than 16 levels deep"),
        (b"? " * 30_000, "nests more than 16 levels deep"),
        (b"{a: " * 15_000, "nests more than 16 levels deep"),
        (b"schemas: [" + b"a.bfbs, " * 5000 + b"]", "1000 are allowed"),
    ],
)
def test_a_catalog_without_usable_content_is_an_error(text, message):
    assert message in refused(zipped({"catalog.yaml": text, "a.bfbs": BASICS}))


def test_a_yaml_alias_is_refused_before_it_expands():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "alias" in refused(zipped({"catalog.yaml": "\n".join(lines).encode()}))


def test_a_large_catalog_is_refused():
    assert "unpacks to more than" in refused(zipped({"catalog.yaml": b"#" * 10_000_000}))


def test_a_zip_bomb_is_refused_whatever_the_directory_claims(monkeypatch):
    monkeypatch.setattr(sources, "MAX_SCHEMA", 1_000_000)
    bomb = zipped({"catalog.yaml": CATALOG, "schema/basics.bfbs": bytes(50_000_000)})
    assert "unpacks to more than the 1000000 bytes" in refused(bomb)
    # The directory states a small size: zipfile stops there, and the checksum is wrong.
    lying = bomb.replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != bomb and "can't be unpacked" in refused(lying)


def test_an_archive_of_too_many_files_is_refused_before_its_directory_is_read():
    head = b"PK\x01\x02" + bytes(24)
    entries = b"".join(
        head + struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"%05d" % number
        for number in range(20_000)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 20_000, 20_000, len(entries), 4, 0)
    data = b"PK\x03\x04" + entries + end
    with counting_memory() as counted:
        assert "10000 are allowed" in refused(data)
    assert counted.peak < 2 * len(data)


def test_all_schemas_of_an_archive_share_one_limit(monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", len(BASICS) * 2)
    names = [f"{n}.bfbs" for n in range(3)]
    catalog = f"schemas: [{', '.join(names)}]".encode()
    assert "unpacks to more than the 0 bytes" in refused(
        zipped({"catalog.yaml": catalog, **dict.fromkeys(names, BASICS)})
    )


def test_two_files_with_one_name_are_refused():
    with pytest.warns(UserWarning, match="Duplicate name"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("catalog.yaml", CATALOG)
            file.writestr("catalog.yaml", b"schemas: []")
    assert "two files with the same name" in refused(buffer.getvalue())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_of_unbounded_memory_is_refused(method):
    assert "neither stored nor deflated" in refused(zipped({"catalog.yaml": CATALOG}, method))


def test_an_encrypted_file_is_refused():
    data = bytearray(zipped({"catalog.yaml": CATALOG}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(data))


def test_an_archive_without_a_catalog_is_refused():
    assert "no catalog.yaml" in refused(zipped({"a.bfbs": BASICS}))


def test_every_cut_of_an_archive_is_refused():
    data = zipped({"catalog.yaml": CATALOG, "schema/basics.bfbs": BASICS})
    for size in range(len(data)):
        refused(data[:size])


def test_every_changed_byte_of_an_archive_is_refused_or_harmless():
    data = zipped({"catalog.yaml": CATALOG, "schema/basics.bfbs": BASICS[:500]})
    read_well = 0
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0xFF
        with contextlib.suppress(CatalogError):
            read_well += bool(read(bytes(broken)))
    assert read_well < len(data) / 2


@needs_flatc
def test_a_schema_source_is_compiled_with_what_it_includes():
    (file,) = read(SCHEMAS / "first.fbs")
    assert file.data == (SCHEMAS / "first.bfbs").read_bytes() or b"shared.Thing" in file.data


@needs_flatc
def test_a_schema_source_with_a_mistake_is_an_error(tmp_path: Path):
    path = tmp_path / "wrong.fbs"
    path.write_text("table T { x: nothing; }")
    assert "flatc refuses it" in refused(path) and "nothing" in refused(path)


def test_a_schema_source_without_flatc_is_an_error(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(sources, "find_flatc", lambda: None)
    path = tmp_path / "a.fbs"
    path.write_text("table T {}")
    assert "there is no flatc" in refused(path)


def test_a_flatc_that_cannot_be_run_is_an_error(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("FLATC", str(tmp_path / "none"))
    path = tmp_path / "a.fbs"
    path.write_text("table T {}")
    assert "flatc can't be run" in refused(path)


def test_autobahns_script_is_not_used_if_its_package_has_no_flatc(monkeypatch, tmp_path: Path):
    for name in ("script", "real"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flatc").write_text(f"# {name}\n")
        (tmp_path / name / "flatc").chmod(0o755)
    (tmp_path / "script" / "flatc").write_text("#!python\nfrom autobahn._flatc import main\n")
    monkeypatch.delenv("FLATC", raising=False)
    monkeypatch.setattr("autobahn.__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setenv("PATH", str(tmp_path / "script"))
    assert sources.find_flatc() is None
    monkeypatch.setenv("PATH", f"{tmp_path / 'script'}:{tmp_path / 'real'}")
    assert sources.find_flatc() == str(tmp_path / "real" / "flatc")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_an_error_of_flatc_is_shown_even_if_it_is_not_text(monkeypatch, tmp_path: Path):
    flatc = tmp_path / "flatc"
    flatc.write_text("#!/bin/sh\nprintf 'bad \\377'\nexit 1\n")
    flatc.chmod(0o755)
    monkeypatch.setenv("FLATC", str(flatc))
    path = tmp_path / "a.fbs"
    path.write_text("table T {}")
    assert refused(path).endswith("flatc refuses it: bad \ufffd")
