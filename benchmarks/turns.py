"""Shared by benchmarks/router.py and benchmarks/federation.py: scenes by the size of the payload,
options, the run, tables and plots. autobahn_fbs/_demo/cost.py implements how contenders take turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autobahn_fbs._bench.messages import PAYLOADS
from autobahn_fbs._demo.cost import Contender, Cost, Scene, Team, measure
from autobahn_fbs._demo.router import RouterFailed, installed_version

#: Starts a contender's routers and client, which the stack stops.
Start = Callable[[ExitStack], Team]


def scene(name: str, kind: str, transport: str, size: str, **more: Any) -> Scene:
    """A scene with a payload of benchmarks/suite.py's sizes, or of 128 kB of bytes."""
    if size == "128kB":
        return Scene(name, kind, transport, blob=128 * 1024, **more)
    args, kwargs = PAYLOADS[size]
    return Scene(name, kind, transport, args or [], kwargs or {}, **more)


def progress(text: str) -> None:
    """One line on a terminal, overwritten by the next."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    elif text:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def print_costs(costs: list[Cost]) -> None:
    """The table of one scene: microseconds, each with its ratio to the first contender."""
    base = costs[0]
    heads = "".join(f"{who + ' µs':>11}{'':>7}" for who in base.spent)
    print(f"\n{base.scene}\n{'':22}{heads}{'a second':>11}")
    for cost in costs:
        row = "".join(
            f"{cost.spent[who]:>11.1f}{cost.spent[who] / spent:>7.2f}"
            for who, spent in base.spent.items()
        )
        print(f"  {cost.contender:20}{row}{cost.rate:>11,.0f}")
    sys.stdout.flush()


def plot(costs: list[Cost], path: Path) -> None:
    """Bars for the time of each process, scene by scene."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "autobahn_fbs"
    from matplotlib import pyplot

    scenes = list(dict.fromkeys(cost.scene for cost in costs))
    names = list(dict.fromkeys(cost.contender for cost in costs))
    by_key = {(cost.scene, cost.contender): cost.spent for cost in costs}
    whos = list(costs[0].spent)
    size = (5.5 * len(whos), 0.6 * len(scenes) + 1.5)
    figure, axes = pyplot.subplots(1, len(whos), figsize=size, sharey=True, squeeze=False)
    height = 0.8 / len(names)
    for axis, who in zip(axes[0], whos, strict=True):
        for place, name in enumerate(names):
            values = [by_key[scene, name][who] / by_key[scene, names[0]][who] for scene in scenes]
            rows = [row + (place - (len(names) - 1) / 2) * height for row in range(len(scenes))]
            axis.barh(rows, values, height, label=name)
            for row, scene, value in zip(rows, scenes, values, strict=True):
                text = f"{by_key[scene, name][who]:.0f} µs"
                axis.text(value + 0.01, row, text, va="center", fontsize=7)
        axis.set_title(f"{who}: processor time per message, {names[0]} = 1")
        axis.set_yticks(range(len(scenes)), scenes)
        axis.set_xlim(0, 1.25)
    axes[0][0].invert_yaxis()
    axes[0][-1].legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def make_parser(
    doc: str | None, contenders: list[Contender], scenes: list[Scene]
) -> argparse.ArgumentParser:
    """The options that all such programs have; `doc` is the program's docstring."""
    names = dict.fromkeys(each.name for each in scenes)
    parser = argparse.ArgumentParser(
        description=(doc or "").splitlines()[0],
        epilog="\n  ".join(["scenes:", *names]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="three rounds of 0.3 s")
    parser.add_argument(
        "--scene", nargs="+", metavar="WORD", help="only scenes with all of these words"
    )
    parser.add_argument("--contender", nargs="+", choices=[each.name for each in contenders])
    parser.add_argument("-o", "--output", type=Path, help="write what was measured there, as JSON")
    parser.add_argument("--plot", type=Path, help="draw it there, as SVG")
    return parser


def chosen(words: Sequence[str] | None, scenes: list[Scene]) -> list[Scene]:
    """The scenes whose names have all of these words.

    :raises SystemExit: there is none; the text lists all scenes.
    """
    found = [each for each in scenes if set(words or ()) <= set(each.name.split())]
    if not found:
        names = "\n  ".join(["scenes:", *(each.name for each in scenes)])
        raise SystemExit(f"no scene has all of these words: {' '.join(words or ())}\n{names}")
    return found


def compare(
    options: argparse.Namespace, scenes: list[Scene], starts: Sequence[tuple[str, Start]]
) -> int:
    """Starts the contenders (by name), measures the requested scenes, prints a table after each,
    and writes the results where the options say. Returns the exit status."""
    scenes = chosen(options.scene, scenes)
    version = installed_version()
    if version is None:
        print("Crossbar.io is not installed for this Python", file=sys.stderr)
        return 1
    if options.quick:
        options.seconds, options.rounds = 0.3, 3
    costs: list[Cost] = []
    print(f"Crossbar.io {version}, Python {sys.version.split()[0]}, processor time per message")
    try:
        with ExitStack() as stack:
            teams = []
            for name, start in starts:
                progress(f"starting {name}")
                teams.append(start(stack))
            for each in scenes:
                costs += measure(teams, each, options.rounds, options.seconds, progress)
                progress("")
                print_costs(costs[-len(teams) :])
    except RouterFailed as error:
        print(f"{error}\n{error.log}", file=sys.stderr)
        return 1
    if options.output:
        found = {"crossbar": version, "costs": [asdict(cost) for cost in costs]}
        options.output.write_text(json.dumps(found, indent=1) + "\n")
    if options.plot:
        plot(costs, options.plot)
    return 0
