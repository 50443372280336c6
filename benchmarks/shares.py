#!/usr/bin/env python3
"""Where both nodes of a link spend the time of a forwarded event, with CBOR and with FlatBuffers.

    python benchmarks/shares.py [--scene events small] [--seconds 30]

The contenders are ``cbor`` and ``flatbuffers`` of federation.py, without acceleration. They take
turns while py-spy samples the workers of all nodes. A sample counts for the innermost function that
belongs to one of the parts below, so what a library does for one of them counts for it. The parts
are scaled to the processor time of an event, without the samples that wait for the sockets.
Linux only.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from linecache import getline
from pathlib import Path

from autobahn_fbs._demo.cost import Team
from federation import CONTENDERS, SCENES, start_linked
from flame import record

SERIALIZER = "bytes to messages and back"
#: The parts, and their functions and files. The first one that matches counts.
PARTS = {
    SERIALIZER: r"/autobahn/wamp/serializer\.py|/autobahn_fbs/",
    "arguments of log calls": r"^(hl\w*|_qn) |/pprint\.py|/click/",
    "message objects": r"/autobahn/wamp/message\.py",
    "Deferreds": r"/twisted/internet/defer\.py|/txaio/|/asyncio/coroutines\.py|/inspect\.py",
    "broker, roles": r"/crossbar/router/|/pytrie\.py",
    "frames": r"/autobahn/(websocket|twisted|wamp/websocket\.py)|/twisted/protocols/basic\.py",
    "publishing again": r"/crossbar/worker/rlink\.py|/autobahn/wamp/protocol\.py",
    "reactor, sockets": r"/twisted/",
}
_FRAME = re.compile(r"\((\S+):(\d+)\)$")


def _source(frame: str) -> str:
    """The line of a program that a frame is at; "" if it can't be read."""
    found = _FRAME.search(frame)
    return getline(found[1], int(found[2])) if found else ""


def part_of(stack: str) -> str | None:
    """The part that a sample counts for, "other", or None if the reactor waits. Frames are
    separated by semicolons, the innermost last."""
    frames = stack.split(";")
    if ".poll(" in _source(frames[-1]):
        return None
    # A serializer may be in C and have no frame, or use functions of other parts.
    if any(re.search(PARTS[SERIALIZER], frame) for frame in frames):
        return SERIALIZER
    if "serialize(" in _source(frames[-1]):
        return SERIALIZER
    for frame in reversed(frames):
        for part, pattern in PARTS.items():
            if re.search(pattern, frame):
                return part
    return "other"


def count_parts(path: Path) -> Counter[str]:
    """The samples of each part in py-spy's raw output."""
    counts: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        part = part_of(stack)
        if part is not None:
            counts[part] += int(number)
    return counts


def measure(teams: list[Team], seconds: float, folder: Path) -> dict[str, Counter[str]]:
    """Nanoseconds of an event by part, for each contender."""
    spies = {}
    for team in teams:
        for node in ("node1", "node2"):
            path = folder / f"{team.name}-{node}"
            (pid,) = team.processes[node]
            spies[team.name, node] = record(pid, seconds, path, "raw", "--full-filenames")
    spent: dict[str, list[dict[str, float]]] = {team.name: [] for team in teams}
    while any(spy.poll() is None for spy in spies.values()):
        for team in teams:
            spent[team.name].append(team.turn(0.5)[0])
    found = {team.name: Counter[str]() for team in teams}
    for (name, node), spy in spies.items():
        if spy.returncode:
            raise SystemExit(spy.stdout.read() if spy.stdout else 1)
        counts = count_parts(folder / f"{name}-{node}")
        micros = min(each[node] for each in spent[name])
        for part, samples in counts.items():
            found[name][part] += round(1000 * micros * samples / counts.total())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", nargs="+", default=["events", "small"])
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    (scene,) = [each for each in SCENES if each.name == " ".join(options.scene)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contenders = [each for each in CONTENDERS if each.name in ("cbor", "flatbuffers")]
        teams = [start_linked(each, stack) for each in contenders]
        for team in teams:
            team.open(scene)
            team.turn(0.5)
        found = measure(teams, options.seconds, Path(folder))
        for team in teams:
            team.close()
    cbor, flatbuffers = found["cbor"], found["flatbuffers"]
    print(f"{scene.name + ', both nodes':28}{'cbor µs':>12}{'flatbuffers µs':>16}")
    for part in [*PARTS, "other"]:
        print(f"{part:28}{cbor[part] / 1000:>12.1f}{flatbuffers[part] / 1000:>16.1f}")
    totals = cbor.total() / 1000, flatbuffers.total() / 1000
    print(f"{'all':28}{totals[0]:>12.1f}{totals[1]:>16.1f}{totals[1] / totals[0]:>7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
