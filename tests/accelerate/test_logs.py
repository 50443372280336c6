"""Every log line of a router and of a client is the same with acceleration and without."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("crossbar") is None:
    pytest.skip("needs crossbar", allow_module_level=True)

from autobahn_fbs._demo.config import make_site
from autobahn_fbs._demo.router import Router

CLIENT = Path(__file__).with_name("scene_client.py")

#: Text that differs from run to run, and its replacement.
VARYING = [
    (r"\x1b\[\d+m", ""),
    (r"/tmp/[\w.-]+", "FOLDER"),
    (r"[A-Z0-9]{4}(-[A-Z0-9]{4}){2,}", "NAME"),
    (r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b0x[0-9a-fA-F]+", "ADDRESS"),
    (r"\b\d{6,}\.\d+", "TIME"),
    (r"(?i)\b[0-9a-f]{6,}\b(\.\.)?", "HEX"),
    (r"Sec-WebSocket-(Key|Accept)\W+[\w+/=]+", "KEY"),
    (r"[\w+/]{20,}={1,2}", "BASE64"),
    (r" *\d+([.:T-]\d+)*", " N"),  # a process id is padded
]

#: Lines that depend on where TCP cut the stream, on the time, or on the launcher.
LEFT_OUT = re.compile(
    "dataReceived|data received|received .* bytes|sent .* bytes|RX octets|TX octets|octets|"
    "accelerat|Auto ping|NumPy|numpy|--accelerate|memory|cpu|load|Uptime|heartbeat"
)


class LoggingRouter(Router):
    """A router that logs at a level, in a format."""

    def __init__(self, level: str, form: str, accelerated: bool) -> None:
        super().__init__(make_site().auth)
        switch = ["--accelerate"] if accelerated else []
        launcher = ["-m", "autobahn_fbs", "run", "--allow-rawsocket", *switch, "--"]
        words = ["crossbar", "start", "--loglevel", level, "--logformat", form, "--color", "false"]
        self.COMMAND = (*launcher, *words)


def lines_of(text: str) -> Counter[str]:
    """The lines without variable parts, and how often each occurs."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        if LEFT_OUT.search(line):
            continue
        for pattern, instead in VARYING:
            line = re.sub(pattern, instead, line)
        found[line] += 1
    return found


def quiet(path: Path) -> str:
    """The content of a log when it no longer grows: workers send theirs through the controller."""
    size = -1
    while path.stat().st_size != size:
        size = path.stat().st_size
        time.sleep(1)
    return path.read_text(errors="replace")


@pytest.fixture(autouse=True)
def nothing_printed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crossbar.io depends on the first words of a worker. With NumPy 2, bjdata prints some."""
    (tmp_path / "bjdata.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def play(level: str, form: str, accelerated: bool) -> tuple[Counter[str], Counter[str]]:
    """The log lines of the router and of the client."""
    with LoggingRouter(level, form, accelerated) as router:
        before = quiet(router.folder / "router.log")
        words = [sys.executable, str(CLIENT), level, str(router.websocket), str(router.rawsocket)]
        words += ["accelerated"] if accelerated else []
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        log = quiet(router.folder / "router.log")
    return lines_of(log[len(before) :]), lines_of(done.stdout)


@pytest.mark.parametrize(
    ("level", "form"), [("info", "standard"), ("debug", "syslogd"), ("trace", "standard")]
)
def test_a_scene_of_all_message_types_is_logged_alike(level: str, form: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        stock, accelerated = pool.map(partial(play, level, form), [False, True])
    (router, client), (router_accelerated, client_accelerated) = stock, accelerated
    assert client_accelerated == client
    assert router_accelerated == router
    if level != "info":
        assert sum(router.values()) > 300
        assert sum(client.values()) > 100
