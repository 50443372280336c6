#!/usr/bin/env python3
"""What a message costs a real Crossbar.io router and a client: stock, drop-in, accelerated.

    python benchmarks/router.py [--quick] [--scene WORD ...] [--contender NAME ...]
                                [--seconds 1] [--rounds 5] [-o FILE] [--plot FILE]

Each contender has a router of its own and a client process of its own, all alive in one run. For
each scene they take turns, for a part of a second each (autobahn_fbs/_demo/cost.py). Shown is the
processor time that a router's worker and a client spent, in microseconds for an event that was
received or a call that was answered: the best of the rounds, and its ratio to the first contender.

``stock`` is Crossbar.io as it is with Autobahn's msgpack; ``drop-in`` is flatbuffers as
``python -m autobahn_fbs run`` starts it; ``accelerated`` is the same with ``run --accelerate``, and
``autobahn_fbs.accelerate()`` in the client; ``accelerated-msgpack`` is that with Autobahn's
msgpack, and ``stock-twisted`` and ``accelerated-twisted`` have clients on Twisted. Linux only, for
the processor time of the routers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from autobahn_fbs._bench.messages import PAYLOADS
from autobahn_fbs._demo.cost import (
    DROP_IN,
    SMALL_EVENTS,
    STOCK,
    Cost,
    Pair,
    Scene,
    StockRouter,
    accelerated,
    measure,
)
from autobahn_fbs._demo.router import RouterFailed, installed_version

_OPTIMIZED = (("PYTHONOPTIMIZE", "1"),)
_UVLOOP = ("--loop", "uvloop")
_TWISTED = ("--loop", "twisted")
_ACCELERATED = accelerated("accelerated")

CONTENDERS = [
    STOCK,
    DROP_IN,
    _ACCELERATED,
    accelerated("accelerated-msgpack", serializer="msgpack"),
    # What docs/tuning.rst is about.
    replace(STOCK, name="stock-cache", cache=True),
    replace(STOCK, name="stock-optimized", environ=_OPTIMIZED),
    replace(STOCK, name="stock-uvloop", client=_UVLOOP),
    replace(STOCK, name="stock-twisted", client=_TWISTED),
    replace(_ACCELERATED, name="accelerated-cache", cache=True),
    replace(_ACCELERATED, name="accelerated-optimized", environ=_OPTIMIZED),
    accelerated("accelerated-batched", serializer="flatbuffers.batched"),
    replace(_ACCELERATED, name="accelerated-uvloop", client=(*_ACCELERATED.client, *_UVLOOP)),
    replace(_ACCELERATED, name="accelerated-twisted", client=(*_ACCELERATED.client, *_TWISTED)),
]
USUAL = ("stock", "drop-in", "accelerated")

_LARGE_ARGS, _LARGE_KWARGS = PAYLOADS["large"]


def _scene(name: str, transport: str, what: Scene) -> Scene:
    return replace(what, name=name, transport=transport)


_CALLS = replace(SMALL_EVENTS, kind="calls")
_FILES = Scene("", "calls", "", blob=128 * 1024, flights=4)
SCENES = [
    SMALL_EVENTS,
    Scene("events rawsocket large", "events", "rawsocket", _LARGE_ARGS or [], _LARGE_KWARGS or {}),
    _scene("events websocket small", "websocket", SMALL_EVENTS),
    _scene("calls rawsocket small", "rawsocket", _CALLS),
    _scene("calls websocket small", "websocket", _CALLS),
    _scene("calls rawsocket 128kB", "rawsocket", _FILES),
    _scene("calls websocket 128kB", "websocket", _FILES),
    replace(SMALL_EVENTS, name="fan-out rawsocket small", subscribers=100),
]


def progress(text: str) -> None:
    """One line on a terminal, overwritten by the next."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    else:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def print_costs(costs: list[Cost]) -> None:
    """The table of one scene."""
    base = costs[0]
    print(
        f"\n{base.scene}\n{'':22}{'router µs':>11}{'':>7}{'client µs':>11}{'':>7}{'a second':>11}"
    )
    for cost in costs:
        print(
            f"  {cost.contender:20}{cost.router:>11.1f}{cost.router / base.router:>7.2f}"
            f"{cost.client:>11.1f}{cost.client / base.client:>7.2f}{cost.rate:>11,.0f}"
        )
    sys.stdout.flush()


def plot(costs: list[Cost], path: Path) -> None:
    """Bars of what the router and the client spend, scene by scene."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    scenes = list(dict.fromkeys(cost.scene for cost in costs))
    names = list(dict.fromkeys(cost.contender for cost in costs))
    by_key = {(cost.scene, cost.contender): cost for cost in costs}
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 0.6 * len(scenes) + 1.5), sharey=True)
    height = 0.8 / len(names)
    for axis, what in zip(axes, ("router", "client"), strict=True):
        for place, name in enumerate(names):
            values = [
                getattr(by_key[scene, name], what) / getattr(by_key[scene, names[0]], what)
                for scene in scenes
            ]
            rows = [row + (place - (len(names) - 1) / 2) * height for row in range(len(scenes))]
            axis.barh(rows, values, height, label=name)
            for row, scene, value in zip(rows, scenes, values, strict=True):
                text = f"{getattr(by_key[scene, name], what):.0f} µs"
                axis.text(value + 0.01, row, text, va="center", fontsize=7)
        axis.set_title(f"{what}: processor time per message, {names[0]} = 1")
        axis.set_yticks(range(len(scenes)), scenes)
        axis.set_xlim(0, 1.25)
    axes[0].invert_yaxis()
    axes[1].legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="three rounds of 0.3 s")
    parser.add_argument("--scene", nargs="+", help="only those with all of these words")
    names = [each.name for each in CONTENDERS]
    parser.add_argument("--contender", nargs="+", choices=names, default=list(USUAL))
    parser.add_argument("--parts", nargs="+", default=[], help="more contenders: parts, by commas")
    parser.add_argument("-o", "--output", type=Path, help="write what was measured there, as JSON")
    parser.add_argument("--plot", type=Path, help="draw it there, as SVG")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 0.3, 3
    return options


def main() -> int:
    options = _options()
    version = installed_version()
    if version is None:
        print("Crossbar.io is not installed for this Python", file=sys.stderr)
        return 1
    contenders = [each for each in CONTENDERS if each.name in options.contender]
    contenders += [accelerated(parts, parts) for parts in options.parts]
    words = options.scene or []
    scenes = [scene for scene in SCENES if all(word in scene.name.split() for word in words)]
    print(f"Crossbar.io {version}, Python {sys.version.split()[0]}, processor time per message")
    costs = []
    try:
        with ExitStack() as stack:
            pairs = []
            for contender in contenders:
                progress(f"starting {contender.name}")
                os.environ.update(contender.environ)
                router = stack.enter_context(StockRouter(contender))
                for name, _ in contender.environ:
                    del os.environ[name]
                pairs.append(stack.enter_context(Pair(contender, router)))
            for scene in scenes:
                costs += measure(pairs, scene, options.rounds, options.seconds, progress)
                progress("")
                print_costs(costs[-len(pairs) :])
    except RouterFailed as error:
        print(f"{error}\n{error.log}", file=sys.stderr)
        return 1
    if options.output:
        found = {"crossbar": version, "costs": [asdict(cost) for cost in costs]}
        options.output.write_text(json.dumps(found, indent=1) + "\n")
    if options.plot:
        plot(costs, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
