"""The short version of the benchmarks: about 20 seconds, progress, a table of ratios."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from typing import TextIO

_ROUNDS = 15
_SECONDS = 0.0015
_JOBS = ("serialize", "unserialize", "unserialize + payload", "unserialize + everything")


def versions() -> dict[str, str]:
    """The versions of the compared packages, if installed."""
    found = {}
    names = ("autobahn", "msgpack", "cbor2", "bjdata", "ujson", "flatbuffers", "msgspec")
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class _Progress:
    """A bar that is redrawn on a terminal; elsewhere, a line for each tenth."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out
        self._total = total
        self._done = 0
        self._tenth = -1
        self._start = time.monotonic()

    def step(self, what: str) -> None:
        """Reports the start of the next step."""
        seconds = time.monotonic() - self._start
        share = self._done / self._total
        left = seconds / share - seconds if self._done else 0.0
        text = f"{share:4.0%}  {left:3.0f} s left  {what}" if self._done else f"  0%  {what}"
        if self._out.isatty():
            self._out.write(f"\r\x1b[K{text}")
        elif int(share * 10) != self._tenth:
            self._tenth = int(share * 10)
            self._out.write(text + "\n")
        self._out.flush()
        self._done += 1

    def end(self) -> None:
        """Reports the end."""
        if self._out.isatty():
            self._out.write("\r\x1b[K")
            self._out.flush()


def _table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, *rows]:
        first = row[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([first, *rest]).rstrip())
    return "\n".join(lines)


def _measure(step: Callable[[str], None]) -> dict[tuple[str, str], dict[str, list[float]]]:
    """By job and size: each contender's time relative to ours, one value per message class."""
    from .contenders import OURS, prepare
    from .jobs import JOBS
    from .messages import SIZES, TYPES, scenario
    from .races import Race, hold, ratios

    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for size in SIZES:
        for name in TYPES:
            step(f"{name.upper()}, {size} payload")
            message = scenario(name, size)
            contenders = prepare(message)
            for job in _JOBS:
                lanes = {}
                for contender in contenders:
                    run = JOBS[job](contender, message)
                    if run is not None:
                        lanes[contender.name] = run
                race = Race(job, lanes)
                hold(race, _ROUNDS, _SECONDS)
                cell = found.setdefault((job, size), {OURS: []})
                cell[OURS].append(min(race.values[OURS]))
                for other, value in ratios(race.values, OURS).items():
                    cell.setdefault(other, []).append(value)
    return found


def main(out: TextIO | None = None) -> int:
    """Measures and prints; returns the exit status."""
    stream = sys.stdout if out is None else out
    noise = StringIO()  # optional modules that Autobahn tries may print warnings
    with redirect_stderr(noise):
        from .contenders import OURS, Wrong, has_floor
    from autobahn_fbs import __version__, backend

    from .messages import SIZES, TYPES, payload_bytes
    from .races import geometric_mean

    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    stream.write(
        f"autobahn_fbs {__version__} ({backend}), {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.machine()}\n{packages}\n\n"
    )
    if not has_floor():
        stream.write("Without msgspec there is no floor to compare with.\n\n")
    progress = _Progress(stream, len(SIZES) * len(TYPES))
    try:
        found = _measure(progress.step)
    except Wrong as error:
        progress.end()
        stream.write(f"\nNot measured, because a message came back different: {error}\n")
        return 1
    except KeyboardInterrupt:
        progress.end()
        stream.write("\ninterrupted\n")
        return 130
    progress.end()

    lengths = {size: len(payload_bytes(size)) for size in SIZES}
    stream.write(
        "\nHow many times as long the others take: below 1 they are faster. Geometric mean over\n"
        f"{', '.join(name.upper() for name in TYPES)};\n"
        "ns: nanoseconds for a message with this package.\n"
    )
    for job in _JOBS:
        others = [name for name in found[job, SIZES[0]] if name != OURS]
        rows = []
        for size in SIZES:
            cell = found[job, size]
            row = [f"{size}, {lengths[size]} bytes", f"{geometric_mean(cell[OURS]) * 1e9:,.0f}"]
            row += [f"{geometric_mean(cell[name]):.2f}" for name in others if name in cell]
            rows.append(row)
        heads = [name.replace("Autobahn ", "") for name in others]
        stream.write(f"\n{_table([job, 'ns', *heads], rows)}\n")
    stream.write(
        "\nflatbuffers, msgpack, cbor, ubjson and json are Autobahn's; msgspec encodes a Struct\n"
        "with the same fields, but doesn't implement WAMP: it only shows the possible speed.\n"
    )
    return 0
