#!/usr/bin/env python3
"""A flame graph of a router's worker or of a client while messages pass through it, as SVG.

    python benchmarks/flame.py [--contender stock] [--scene events rawsocket small]
                               [--of router] [--seconds 5] [--native] [-o flame.svg]

Contenders and scenes are those of router.py. py-spy takes the samples from outside, which slows the
process down very little. ``--top`` draws nothing and prints a table of the functions in which the
time was spent, without and with the functions that they call.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from autobahn_fbs._demo.cost import accelerated, team_of
from router import CONTENDERS, SCENES, start_router
from turns import progress


def record(
    pid: int, seconds: float, path: Path, form: str, *switches: str
) -> subprocess.Popen[str]:
    """Runs py-spy on a process."""
    words = ["py-spy", "record", "--pid", str(pid), "--output", str(path), "--format", form]
    words += ["--duration", f"{seconds:.0f}", "--rate", "400"]
    words += switches
    beside = Path(sys.prefix) / "bin" / "py-spy"
    words[0] = str(beside) if beside.exists() else words[0]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def print_top(path: Path, count: int) -> None:
    """py-spy's raw output as a table."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        # Lines of one function belong together.
        frames = [frame.rpartition(":")[0] or frame for frame in stack.split(";")]
        own[frames[-1]] += int(number)
        for frame in set(frames):
            total[frame] += int(number)
    every = sum(own.values())
    print(f"{'own':>7}{'total':>8}")
    for frame, samples in own.most_common(count):
        print(f"{samples / every:>7.1%}{total[frame] / every:>8.1%}  {frame}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [each.name for each in CONTENDERS]
    parser.add_argument("--contender", default="stock", help=f"{', '.join(names)}, or parts")
    parser.add_argument("--scene", nargs="+", default=["events", "rawsocket", "small"])
    parser.add_argument("--of", choices=["router", "client"], default="router")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--native", action="store_true", help="with functions in C")
    parser.add_argument("--top", type=int, metavar="N", help="print the first N, draw nothing")
    parser.add_argument("-o", "--output", type=Path, default=Path("flame.svg"))
    options = parser.parse_args()
    found = [each for each in CONTENDERS if each.name == options.contender]
    contender = found[0] if found else accelerated(options.contender, options.contender)
    [scene, *_] = [
        scene for scene in SCENES if all(word in scene.name.split() for word in options.scene)
    ]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        router = start_router(contender, stack)
        team = stack.enter_context(team_of(contender, router))
        team.open(scene)
        team.turn(0.5)
        raw = Path(folder) / "samples"
        pid = team.client if options.of == "client" else router.processes()[1]
        path, form = (raw, "raw") if options.top else (options.output, "flamegraph")
        spy = record(pid, options.seconds, path, form, *(["--native"] if options.native else []))
        while spy.poll() is None:
            team.turn(0.5)
            progress(f"{contender.name}, {scene.name}, {options.of}")
        team.close()
        if spy.returncode:
            print(spy.stdout.read() if spy.stdout else "", file=sys.stderr)
            return 1
        progress("")
        if options.top:
            print_top(raw, options.top)
        else:
            title = f"{contender.name}, {scene.name}: {options.of}"
            text = options.output.read_text()
            options.output.write_text(re.sub(r'(id="title"[^>]*>)[^<]*', rf"\1{title}", text))
            print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
