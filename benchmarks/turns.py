"""What benchmarks/router.py and benchmarks/federation.py share: contenders that take turns.

Each contender has routers and a client process of its own, all alive in one run. For each scene the
contenders take turns, for a part of a second each. What counts is the best of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from autobahn_fbs._demo.router import Router

CLIENT = Path(__file__).with_name("router_client.py")

#: Crossbar.io without the drop-in: what the script "crossbar" does.
STOCK = ("-c", "from crossbar import run; run()", "start")


def run_words(*options: str) -> tuple[str, ...]:
    """Crossbar.io with the drop-in, and more options of the launcher."""
    return ("-m", "autobahn_fbs", "run", "--allow-rawsocket", *options, "--", "crossbar", "start")


@dataclass(frozen=True)
class Contender:
    """How routers are started, and the options of their client."""

    name: str
    command: tuple[str, ...]
    client: tuple[str, ...]
    serializer: str = "flatbuffers"
    #: For all processes, besides what is there.
    environ: tuple[tuple[str, str], ...] = ()
    #: The permission that sessions have is kept once it has been looked up.
    cache: bool = False

    @property
    def has_drop_in(self) -> bool:
        """Whether the routers know FlatBuffers."""
        return "autobahn_fbs" in self.command


@dataclass(frozen=True)
class Scene:
    """What is sent over what. Calls are on their way `flights` at a time, events `window`."""

    name: str
    kind: str
    transport: str
    size: str
    subscribers: int = 1
    flights: int = 24
    window: int = 200
    #: Whether the first session joins the last router, and the others the first one.
    turned: bool = False


@dataclass
class Cost:
    """The best of the rounds for one scene and contender.

    `spent` is processor time in microseconds for each event that was received or call that was
    answered, by whom; `rate` is events or calls a second. `memory` is by how many bytes for each
    session those that joined for the scene made the routers grow. It says something only of a
    router's first scene, and only if many join.
    """

    scene: str
    contender: str
    spent: dict[str, float]
    rate: float
    memory: dict[str, float] | None = None


class StartedAs(Router):
    """A mixin for routers: started as `contender` says. See :func:`started_as`."""

    contender: ClassVar[Contender]

    def configure(self) -> dict[str, Any]:
        config = super().configure()
        for worker in config["workers"]:
            for transport in worker.get("transports", ()):
                if not self.contender.has_drop_in:  # it doesn't know flatbuffers
                    transport["serializers"] = ["msgpack", "cbor", "json"]
            for realm in worker.get("realms", ()):
                for role in realm["roles"]:
                    for permission in role["permissions"]:
                        permission["cache"] = self.contender.cache
        return config


def started_as(contender: Contender, kind: type[Any] = Router) -> type[Any]:
    """A class of routers of a kind that are started as this contender says."""
    bases = (StartedAs,) if kind is Router else (StartedAs, kind)
    return type(
        f"{kind.__name__}Started", bases, {"contender": contender, "COMMAND": contender.command}
    )


def with_environ(contender: Contender, routers: Any) -> Any:
    """What entering `routers` gives, with the contender's environment while they start."""
    os.environ.update(contender.environ)
    try:
        return routers.__enter__()
    finally:
        for name, _ in contender.environ:
            del os.environ[name]


class Team(AbstractContextManager["Team"]):
    """A contender's routers and its client, running.

    :param processes: the processes whose time counts, by what they are called in tables.
    :param doors: the routers' ports for WebSocket and RawSocket. The client's first session joins
        at the first door, all others at the last.
    :param realms: the client does the same in each of them at once.
    """

    def __init__(
        self,
        contender: Contender,
        processes: dict[str, list[int]],
        doors: Sequence[tuple[int, int]],
        realms: Sequence[str] = (),
    ) -> None:
        self.name = contender.name
        self._processes = processes
        words = [
            *("--websocket", *(str(websocket) for websocket, _ in doors)),
            *("--rawsocket", *(str(rawsocket) for _, rawsocket in doors)),
            *("--serializer", contender.serializer, *contender.client),
            *(("--realm", *realms) if realms else ()),
        ]
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

    def open(self, scene: Scene) -> dict[str, float]:
        """Has the client connect for a scene; the bytes for a subscriber that this took."""
        before = {name: resident_bytes(pids) for name, pids in self._processes.items()}
        self._ask(open=asdict(scene))
        return {
            name: (resident_bytes(pids) - before[name]) / scene.subscribers
            for name, pids in self._processes.items()
        }

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

    def turn(self, seconds: float) -> tuple[dict[str, float], float]:
        """Microseconds for a message, by what spent them, and messages a second."""
        before = {name: cpu_seconds(pids) for name, pids in self._processes.items()}
        answer = self._ask(run=seconds)
        count = max(answer["count"], 1)
        spent = {
            name: (cpu_seconds(pids) - before[name]) / count * 1e6
            for name, pids in self._processes.items()
        }
        return {**spent, "client": answer["cpu"] / count * 1e6}, count / answer["seconds"]

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


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory that processes have, in bytes."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def measure(teams: list[Team], scene: Scene, rounds: int, seconds: float) -> list[Cost]:
    """Has the teams play a scene in turns."""
    found: dict[str, list[tuple[dict[str, float], float]]] = {team.name: [] for team in teams}
    grown = {}
    for team in teams:
        grown[team.name] = team.open(scene)
        team.turn(seconds / 2)  # to warm up
    for number in range(rounds):
        # The one that goes first is another each time.
        first = number % len(teams)
        for team in teams[first:] + teams[:first]:
            found[team.name].append(team.turn(seconds))
        progress(f"{scene.name}: round {number + 1} of {rounds}")
    for team in teams:
        team.close()
    return [
        Cost(
            scene.name,
            name,
            {who: min(spent[who] for spent, _ in turns) for who in turns[0][0]},
            max(rate for _, rate in turns),
            grown[name] if scene.subscribers > 1 else None,
        )
        for name, turns in found.items()
    ]


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
    """Bars of what each process spends, scene by scene."""
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


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that all such programs have."""
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="three rounds of 0.3 s")
    parser.add_argument("--scene", nargs="+", help="only those with all of these words")
    parser.add_argument("-o", "--output", type=Path, help="write what was measured there, as JSON")
    parser.add_argument("--plot", type=Path, help="draw it there, as SVG")


def chosen(options: argparse.Namespace, scenes: list[Scene]) -> list[Scene]:
    """The scenes that are asked for; ``--quick`` sets the other two options."""
    if options.quick:
        options.seconds, options.rounds = 0.3, 3
    words = options.scene or []
    return [scene for scene in scenes if all(word in scene.name.split() for word in words)]


def play(teams: list[Team], scenes: list[Scene], options: argparse.Namespace) -> list[Cost]:
    """Measures all scenes and prints a table after each."""
    costs = []
    for scene in scenes:
        costs += measure(teams, scene, options.rounds, options.seconds)
        progress("")
        print_costs(costs[-len(teams) :])
    return costs


def keep(costs: list[Cost], crossbar: str, options: argparse.Namespace) -> None:
    """Writes what was measured where the options say."""
    if options.output:
        found = {"crossbar": crossbar, "costs": [asdict(cost) for cost in costs]}
        options.output.write_text(json.dumps(found, indent=1) + "\n")
    if options.plot:
        plot(costs, options.plot)
