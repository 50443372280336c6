"""Whether a node is active: the line in its log for each of its processes, and ``info --pid``."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autobahn_fbs._demo.config import make_site
from autobahn_fbs._demo.router import Router

INSTALLED = re.compile(
    r"\[(\w+) +(\d+)[^\]]*\].* autobahn_fbs: installed: "
    r"version [\d.]+, backend \w+, accelerated: masks$",
    re.MULTILINE,
)


class LoggingRouter(Router):
    """A router that logs in some way."""

    def __init__(self, *options: str) -> None:
        super().__init__(make_site().auth)
        launcher = self.COMMAND[: self.COMMAND.index("run") + 1]
        words = ("--allow-rawsocket", "--accelerate=masks", "--", "crossbar", "start")
        self.COMMAND = (*launcher, *words, *options)


def installed_in(log: Path, processes: int) -> list[tuple[str, int]]:
    """The processes that log it: their titles and ids. Workers' lines come a little later."""
    found: list[tuple[str, int]] = []
    for _ in range(100):
        text = re.sub(r"\x1b\[\d+m", "", log.read_text(errors="replace"))
        found = [(title, int(pid)) for title, pid in INSTALLED.findall(text)]
        if len(found) >= processes:
            break
        time.sleep(0.1)
    return found


@pytest.mark.parametrize(
    ("options", "file", "in_json"),
    [
        (("--logformat", "syslogd", "--loglevel", "debug"), "router.log", True),
        (("--logtofile",), "node.log", False),
    ],
    ids=["syslogd, workers in JSON", "file, workers in text"],
)
def test_each_process_logs_once_what_is_installed(
    options: tuple[str, ...],
    file: str,
    in_json: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker's log reaches the controller as JSON, unless something is printed before it."""
    noise = "" if in_json else "import sys; sys.stderr.write('something printed\\n')\n"
    (tmp_path / "bjdata.py").write_text(f"{noise}raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with LoggingRouter(*options) as router:
        pids = router.processes()
        found = installed_in(router.folder / file, len(pids))
        seen = subprocess.run(
            [sys.executable, "-m", "autobahn_fbs", "info", "--pid", str(pids[0])],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert sorted(found) == [("Controller", pids[0]), ("Router", pids[1])]
    assert seen.returncode == 0, seen.stderr
    assert len(re.findall(r"^  extension +loaded: .*, version ", seen.stdout, re.MULTILINE)) == 2
    assert re.search(rf"^{pids[1]} crossbar-worker", seen.stdout, re.MULTILINE)
