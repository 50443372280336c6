#!/usr/bin/env python3
"""What a message costs a real Crossbar.io router and a client: stock, drop-in, accelerated.

    python benchmarks/router.py [--quick] [--scene WORD ...] [--contender NAME ...]
                                [--seconds 1] [--rounds 5] [-o FILE] [--plot FILE]

Each contender has a router of its own and a client process of its own, all alive in one run. For
each scene they take turns, for a part of a second each. Shown is the processor time that a router's
worker and a client spent, in microseconds for an event that was received or a call that was
answered: the best of the rounds, and its ratio to the first contender.

``stock`` is Crossbar.io as it is with Autobahn's msgpack; ``drop-in`` is flatbuffers as
``python -m autobahn_fbs run`` starts it; ``accelerated`` is the same with ``run --accelerate``, and
``autobahn_fbs.accelerate()`` in the client; ``accelerated-msgpack`` is that with Autobahn's
msgpack. Linux only, for the processor time of the routers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autobahn_fbs._demo.config import make_site
from autobahn_fbs._demo.router import Router, RouterFailed, installed_version

CLIENT = Path(__file__).with_name("router_client.py")

_RUN = ("-m", "autobahn_fbs", "run", "--allow-rawsocket")
# What the script "crossbar" does.
_STOCK = "from crossbar import run; run()"
_OPTIMIZED = (("PYTHONOPTIMIZE", "1"),)
_CROSSBAR = ("--", "crossbar", "start")


@dataclass(frozen=True)
class Contender:
    """How a router is started, and the options of its client."""

    name: str
    command: tuple[str, ...]
    client: tuple[str, ...]
    serializer: str = "flatbuffers"
    #: For both processes, besides what is there.
    environ: tuple[tuple[str, str], ...] = ()
    #: The permission that sessions have is kept once it has been looked up.
    cache: bool = False


def accelerated(name: str, parts: str = "", serializer: str = "flatbuffers") -> Contender:
    """A contender with parts of acceleration; all for ""."""
    switch = f"--accelerate={parts}" if parts else "--accelerate"
    client = ("--drop-in", "--accelerate", parts or "all")
    return Contender(name, (*_RUN, switch, *_CROSSBAR), client, serializer)


CONTENDERS = [
    Contender("stock", ("-c", _STOCK, "start"), (), "msgpack"),
    Contender("drop-in", (*_RUN, *_CROSSBAR), ("--drop-in",)),
    accelerated("accelerated"),
    accelerated("accelerated-msgpack", serializer="msgpack"),
    # What docs/tuning.rst is about.
    Contender("stock-cache", ("-c", _STOCK, "start"), (), "msgpack", cache=True),
    Contender("stock-optimized", ("-c", _STOCK, "start"), (), "msgpack", _OPTIMIZED),
    Contender("stock-uvloop", ("-c", _STOCK, "start"), ("--loop", "uvloop"), "msgpack"),
    replace(accelerated("accelerated-cache"), cache=True),
    replace(accelerated("accelerated-optimized"), environ=_OPTIMIZED),
    accelerated("accelerated-batched", serializer="flatbuffers.batched"),
    replace(
        accelerated("accelerated-uvloop"),
        client=("--drop-in", "--accelerate", "all", "--loop", "uvloop"),
    ),
]
USUAL = ("stock", "drop-in", "accelerated")


@dataclass(frozen=True)
class Scene:
    """What is sent over what."""

    name: str
    kind: str
    transport: str
    size: str
    subscribers: int = 1
    flights: int = 24


SCENES = [
    Scene("events rawsocket small", "events", "rawsocket", "small"),
    Scene("events rawsocket large", "events", "rawsocket", "large"),
    Scene("events websocket small", "events", "websocket", "small"),
    Scene("calls rawsocket small", "calls", "rawsocket", "small"),
    Scene("calls websocket small", "calls", "websocket", "small"),
    Scene("calls rawsocket 128kB", "calls", "rawsocket", "128kB", flights=4),
    Scene("calls websocket 128kB", "calls", "websocket", "128kB", flights=4),
    Scene("fan-out rawsocket small", "events", "rawsocket", "small", subscribers=100),
]


@dataclass
class Cost:
    """The best of the rounds: microseconds of processor time, and events or calls a second."""

    scene: str
    contender: str
    router: float
    client: float
    rate: float


class StockRouter(Router):
    """A router with other words to start it; without the drop-in, it doesn't know flatbuffers."""

    def __init__(self, contender: Contender) -> None:
        super().__init__(make_site().auth)
        self.COMMAND = contender.command
        self._has_drop_in = "autobahn_fbs" in contender.command
        self._cache = contender.cache

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        if not self._has_drop_in:
            for transport in config["workers"][0]["transports"]:
                transport["serializers"] = ["msgpack", "cbor", "json"]
        for role in config["workers"][0]["realms"][0]["roles"]:
            for permission in role["permissions"]:
                permission["cache"] = self._cache
        return config


class Pair:
    """A contender's router and client, running."""

    def __init__(self, contender: Contender, router: Router) -> None:
        self.name = contender.name
        self._workers = router.processes()[1:]
        ports = ["--websocket", str(router.websocket), "--rawsocket", str(router.rawsocket)]
        words = [*ports, "--serializer", contender.serializer, *contender.client]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, str(CLIENT), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **dict(contender.environ)},
            text=True,
        )
        #: The client's process.
        self.client = self._process.pid

    def open(self, scene: Scene) -> None:
        """Has the client connect for a scene."""
        self._ask(open=asdict(scene))

    def close(self) -> None:
        """Has it leave."""
        self._ask(close=True)

    def _ask(self, **order: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(
                f"the client of {self.name} has ended: {self._errors.read()[-2000:]}"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self, seconds: float) -> tuple[float, float, float]:
        """Router and client microseconds for a message, and messages a second."""
        before = cpu_seconds(self._workers)
        answer = self._ask(run=seconds)
        router = cpu_seconds(self._workers) - before
        count = max(answer["count"], 1)
        return router / count * 1e6, answer["cpu"] / count * 1e6, count / answer["seconds"]

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used so far."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:  # the thread has ended
                continue
    return total / 1e9


def measure(pairs: list[Pair], scene: Scene, rounds: int, seconds: float) -> list[Cost]:
    """Has the pairs play a scene in turns."""
    found: dict[str, list[tuple[float, float, float]]] = {pair.name: [] for pair in pairs}
    for pair in pairs:
        pair.open(scene)
        pair.turn(seconds / 2)  # to warm up
    for number in range(rounds):
        # The one that goes first is another each time.
        first = number % len(pairs)
        for pair in pairs[first:] + pairs[:first]:
            found[pair.name].append(pair.turn(seconds))
        progress(f"{scene.name}: round {number + 1} of {rounds}")
    for pair in pairs:
        pair.close()
    return [
        Cost(scene.name, name, min(r), min(c), max(rate))
        for name, turns in found.items()
        for r, c, rate in [tuple(zip(*turns, strict=True))]
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
                costs += measure(pairs, scene, options.rounds, options.seconds)
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
