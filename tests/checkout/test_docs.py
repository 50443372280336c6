"""Every code block of the documentation runs, or says why not. Blocks with sessions run against a
real router, which is started as the page on Crossbar.io describes."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import importlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import autobahn_fbs
from autobahn_fbs import payloads
from support.docs_blocks import EVERY, PAGES, ROOT, Block, blocks_of, output_of

WITH_PYTHON = [page for page in PAGES if any(b.language == "python" for b in blocks_of(page))]
PROGRAMS = [block for block in EVERY if block.is_program]
COMPONENTS = [block for block in EVERY if block.is_component]
#: The session with a codec of its own, which the router must also know.
OWN_CODEC = [block for block in COMPONENTS if "-x_" in block.code]
EXAMPLES = ROOT / "docs" / "examples"

needs_router = pytest.mark.skipif(
    find_spec("crossbar") is None, reason='needs Crossbar.io: pip install ".[demo]"'
)


def blocks(page: str, language: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.language == language]


CROSSBAR = "docs/crossbar.rst"
#: The commands that start a router as it is configured first on the page on Crossbar.io.
ROUTER_COMMANDS = [
    block
    for page in ("README.rst", CROSSBAR)
    for block in blocks(page, "sh")
    if block.code.endswith("crossbar start") and not set(block.code.split()) & {"--allow-rawsocket"}
]
DUMP = "python -m autobahn_fbs dump message.bin"
#: Commands that tests of this file run.
RUN_HERE = {
    *(block.code for block in blocks(CROSSBAR, "sh")),
    *(block.code for block in blocks("README.rst", "sh")),
    "python -m autobahn_fbs run crossbar start",
    "python -m autobahn_fbs run server.py --port 8080",
    DUMP,
    "flatc --json --raw-binary --strict-json wamp.fbs -- message.bin",
}


# All blocks


def is_run(block: Block) -> bool:
    """Whether a test here runs the block; text is checked as the output of the block above it."""
    if block.language == "python":
        return True
    if block.language == "text":
        return any(output_of(b) == block.code.splitlines() for b in blocks_of(block.page))
    if block.language == "json":
        return block.page == CROSSBAR
    return block.language == "sh" and block.code in RUN_HERE


@pytest.mark.parametrize("block", EVERY, ids=str)
def test_a_block_is_run_or_says_why_not(block):
    if block.mark == "run by":
        runner = (ROOT / block.reason).read_text("utf-8")
        missing = [line for line in block.code.splitlines() if line.strip() not in runner]
        assert missing == [], f"{block.reason} doesn't have these"
    elif block.mark != "not run":
        assert is_run(block), f"{block}: mark it with `.. run by: FILE` or `.. not run: REASON`"


def test_every_mark_is_before_a_block():
    marks = sum(
        len(re.findall(r"^\.\. (?:run by|not run):", (ROOT / page).read_text("utf-8"), re.M))
        for page in PAGES
    )
    assert marks == sum(block.mark != "" for block in EVERY)


def test_the_picture_of_the_rooms_names_files_that_exist():
    picture = (ROOT / "docs" / "_static" / "rooms.svg").read_text("utf-8")
    words = re.findall(r"[\w*/]+\.(?:py|c|h|fbs)\b", " ".join(re.findall(r">([^<]+)<", picture)))
    files = [file for room in ("autobahn_fbs", "csrc", "schemas", "tools") for file in paths(room)]
    assert len(words) > 15
    assert [word for word in words if not any(fnmatch(file, f"*/{word}") for file in files)] == []


def paths(room: str) -> list[str]:
    return [f"/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / room).rglob("*")]


# Python code that needs no router


@pytest.mark.filterwarnings("ignore:autobahn_fbs.install:RuntimeWarning")
@pytest.mark.parametrize("page", WITH_PYTHON)
def test_the_blocks_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    try:
        for block in blocks(page, "python"):
            if block.is_program or block.is_component or block.mark == "not run":
                continue
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile(block.code, str(block), "exec"), names)
            assert said.getvalue().splitlines() == (output_of(block) or []), str(block)
    finally:
        autobahn_fbs.decelerate()
        autobahn_fbs.uninstall()
        payloads._registered.clear()


@pytest.mark.filterwarnings("ignore:autobahn_fbs.install:RuntimeWarning")
def test_the_examples_in_docstrings_run():
    names = [f"autobahn_fbs.{path.stem}" for path in (ROOT / "autobahn_fbs").glob("[a-z]*.py")]
    tried = 0
    try:
        for name in ["autobahn_fbs", *names]:
            result = doctest.testmod(importlib.import_module(name))
            assert result.failed == 0, name
            tried += result.attempted
    finally:
        autobahn_fbs.uninstall()
    assert tried > 0


def test_the_page_on_payloads_shows_every_codec():
    shown = set(re.findall(r'"flatbuffers-?([a-z]*)"', " ".join(b.code for b in COMPONENTS)))
    assert shown | {"cbor"} == {*payloads.NUMBERS, ""}


# The router of the page on Crossbar.io


def configuration(*transports: dict[str, Any]) -> dict[str, Any]:
    """The page's configuration, with these transports if there are any."""
    config: dict[str, Any] = json.loads(blocks(CROSSBAR, "json")[0].code)
    if transports:
        config["workers"][0]["transports"] = list(transports)
    return config


def transports_of(worker: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = worker["transports"]
    return found


class Node:
    """A node that is started with a command of the documentation, its ports changed to free ones.

    Has `ports`: for each port of the configuration the one that is used instead.
    """

    def __init__(self, folder: Path, config: dict[str, Any], command: str) -> None:
        path = os.pathsep.join([str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")])
        command = command.replace("PYTHONPATH=$PWD ", "")
        from autobahn_fbs._demo.router import _free_ports, _listens

        transports = [each for worker in config["workers"] for each in transports_of(worker)]
        endpoints = [each["endpoint"] for each in transports if "port" in each["endpoint"]]
        free = _free_ports(len(endpoints))
        self.ports = {e["port"]: port for e, port in zip(endpoints, free, strict=True)}
        for endpoint, port in zip(endpoints, free, strict=True):
            endpoint["port"] = port
        (folder / "config.json").write_text(json.dumps(config))
        self._log = folder / "router.log"
        words = [sys.executable, *shlex.split(command)[1:], "--cbdir", str(folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
            )
        deadline = time.monotonic() + 60
        while not all(map(_listens, free)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"{command}:\n{self._log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def adapt(self, code: str) -> str:
        """The code with the ports that are used."""
        for documented, port in self.ports.items():
            code = re.sub(rf"\b{documented}\b", str(port), code)
        return code


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The node of the whole page: WebSocket and RawSocket, and a proxy worker."""
    config = configuration()
    _, rawsocket, inside, proxy = (json.loads(b.code) for b in blocks(CROSSBAR, "json"))
    transports_of(config["workers"][0]).extend([rawsocket, inside])
    config["workers"].append(proxy)
    (command,) = [
        block.code
        for block in blocks(CROSSBAR, "sh")
        if "--allow-rawsocket" in block.code and block.code.endswith("start")
    ]
    running = Node(tmp_path_factory.mktemp("node"), config, command)
    yield running
    running.stop()


def say(node: Node, block: Block, expected: list[str], ends: bool = False) -> list[str]:
    """The output of a program up to the expected output. The program may run forever, unless it has
    to stop on its own."""
    command = [sys.executable, "-W", "ignore", "-u", "-c", node.adapt(block.code)]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        guard = threading.Timer(40, program.kill)
        guard.start()
        try:
            for line in program.stdout or ():
                # Twisted's Component logs the output, after a time.
                said.append(re.sub(r"^\S+T\S+ ", "", line.rstrip("\n")))
                if said[-1] == expected[-1]:
                    if ends:
                        assert program.wait() == 0, f"{block} doesn't end"
                    return said
            pytest.fail("\n".join(said) + (program.stderr.read() if program.stderr else ""))
        finally:
            guard.cancel()
            program.kill()


@needs_router
@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_a_program_prints_what_the_page_says(block, node):
    if "twisted" in block.code and find_spec("twisted") is None:
        pytest.skip("needs Twisted")
    expected = output_of(block)
    assert expected, f"{block}: show what it prints"
    said = say(node, block, expected, ends=True)
    assert [line for line in said if line in expected] == expected


@needs_router
def test_a_program_prints_the_same_through_the_proxy_of_the_page(node):
    block = next(b for b in PROGRAMS if b.page == "docs/sessions.rst")
    through = replace(block, code=block.code.replace("8080", "8090"))
    assert through != block
    expected = output_of(block)
    assert [line for line in say(node, through, expected) if line in expected] == expected


@needs_router
def test_a_codec_of_ones_own_works_in_the_router(tmp_path):
    (codec,) = [b.code for b in blocks("docs/payloads.rst", "python") if "def loads" in b.code]
    (tmp_path / "sitecustomize.py").write_text(codec)
    (command,) = [b.code for b in blocks(CROSSBAR, "sh") if "PYTHONPATH" in b.code]
    (component,) = OWN_CODEC
    program = next(b for b in PROGRAMS if b.page == "docs/sessions.rst")
    own = re.sub(r"^component = .*?^\)$", lambda _: component.code, program.code, flags=re.M | re.S)
    assert own != program.code
    own = own.replace('"url": url', '"url": "ws://localhost:8080/ws"')
    block = replace(program, code=f"{codec}\n{own}")
    running = Node(tmp_path, configuration(), command)
    try:
        assert say(running, block, ["2 + 3 = 5"])
    finally:
        running.stop()


@needs_router
@pytest.mark.parametrize("command", [b.code for b in ROUTER_COMMANDS])
def test_the_router_starts_as_the_pages_say(command, tmp_path):
    running = Node(tmp_path, configuration(), command)
    try:
        block = next(b for b in PROGRAMS if b.page == "docs/sessions.rst")
        assert say(running, block, ["joined with flatbuffers"])
    finally:
        running.stop()


def test_the_node_of_the_first_example_is_the_one_that_the_page_on_crossbar_shows():
    assert json.loads((EXAMPLES / "node.json").read_text("utf-8")) == configuration()


@needs_router
def test_the_first_example_of_the_readme_prints_what_it_says(tmp_path):
    from autobahn_fbs._demo.router import _free_ports

    block = blocks("README.rst", "sh")[0]
    (port,) = _free_ports(1)
    folder = tmp_path / "docs" / "examples"
    folder.mkdir(parents=True)
    for name in ("node.json", "hello.py"):
        code = (EXAMPLES / name).read_text("utf-8").replace("8080", str(port))
        (folder / name).write_text(code)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(":"),
    }
    shell = subprocess.Popen(
        ["sh", "-c", block.code],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert shell.stdout is not None
    try:
        with shell.stdout as out:
            said = [out.readline().rstrip("\n") for _ in output_of(block) or []]
        assert said == output_of(block)
        assert shell.wait(20) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)  # the router, which would run for half a minute


# Autobahn imports passlib, which imports crypt, which is deprecated since Python 3.11.
@needs_router
@pytest.mark.filterwarnings("ignore:'crypt' is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:autobahn_fbs.install:RuntimeWarning")
@pytest.mark.parametrize("block", [b for b in COMPONENTS if b not in OWN_CODEC], ids=str)
def test_a_component_publishes_and_hears_itself(block, node):
    if "KeyRing" in block.code and find_spec("nacl") is None:
        pytest.skip(f"NOT TESTED: {block}, which needs PyNaCl")
    names: dict[str, Any] = {"url": f"ws://127.0.0.1:{node.ports[8080]}/"}
    heard: list[Any] = []

    async def play() -> None:
        done = asyncio.get_running_loop().create_future()

        async def joined(session: Any, details: Any) -> None:
            from autobahn.wamp.types import PublishOptions

            await session.subscribe(lambda *args: heard.append(args), "com.example.docs")
            options = PublishOptions(acknowledge=True, exclude_me=False)
            await session.publish("com.example.docs", 1, "two", options=options)
            while not heard:
                await asyncio.sleep(0.01)
            heard.append(details.serializer)
            assert (session._payload_codec is not None) == ("KeyRing" in block.code)
            await session.leave()
            done.set_result(None)

        component = names["component"]
        component.on("join", joined)
        component.start(loop=asyncio.get_running_loop())
        await asyncio.wait_for(done, 20)

    autobahn_fbs.install()
    try:
        exec(compile(block.code, str(block), "exec"), names)
        asyncio.run(play())
    finally:
        autobahn_fbs.uninstall()
    assert heard[0] == (1, "two")
    assert heard[1].startswith("flatbuffers")


# Other commands


def test_the_page_on_the_command_line_has_every_verb():
    command = [sys.executable, "-m", "autobahn_fbs", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^    (\w+) ", said, re.M)
    page = (ROOT / "docs" / "command_line.rst").read_text("utf-8")
    assert {"run", "demo"} <= set(verbs)
    assert [verb for verb in verbs if not re.search(rf"^{verb}: .*\n---", page, re.M)] == []


def test_the_launcher_starts_the_program_of_the_page(tmp_path):
    command = "python -m autobahn_fbs run server.py --port 8080"
    assert any(command == block.code for block in blocks("docs/sessions.rst", "sh"))
    (tmp_path / "server.py").write_text(
        "import sys\n"
        "from autobahn.wamp.serializer import SERID_TO_SER\n"
        "print(sys.argv[1:], SERID_TO_SER['flatbuffers'].__module__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    words = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "['--port', '8080'] autobahn_fbs._serializer\n", done.stderr


def test_dump_shows_the_message_that_the_page_saves(tmp_path, monkeypatch):
    (dump,) = [b for b in blocks("docs/command_line.rst", "sh") if b.code == DUMP]
    save = blocks(dump.page, "python")[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(save.code, str(save), "exec"), {})
    done = subprocess.run(
        [sys.executable, *shlex.split(DUMP)[1:]],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == output_of(dump), done.stderr


def test_flatc_prints_a_message_as_the_page_says(tmp_path):
    import autobahn
    from autobahn.wamp import message

    (command,) = [block.code for block in blocks("docs/wire/index.rst", "sh")]
    flatc = Path(autobahn.__file__).parent / "_flatc" / "bin" / "flatc"
    for schema in (ROOT / "autobahn_fbs" / "schemas").glob("*.fbs"):
        (tmp_path / schema.name).write_bytes(schema.read_bytes())
    data = autobahn_fbs.FlatBuffersObjectSerializer().serialize(message.Published(7, 8))
    (tmp_path / "message.bin").write_bytes(data)
    subprocess.run([flatc, *shlex.split(command)[1:]], cwd=tmp_path, check=True, timeout=60)
    printed = json.loads((tmp_path / "message.json").read_text())
    assert printed["msg_type"] == "Published"
    assert printed["msg"] == {"request": 7, "publication": 8}
