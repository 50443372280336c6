#!/usr/bin/env python3
"""Creates reports from result files: targets with verdicts, a table for the README, SVG plots.

    python benchmarks/report.py results.json [--plots FOLDER] [--rst FILE] [--check]

Several files of one kind of Python are merged. Those of CPython and of PyPy are compared side by
side; the targets and plots are then CPython's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autobahn_fbs._bench.contenders import FLOOR, MSGPACK, OURS, UPSTREAM
from results import Results, load
from targets import SIZES, check, larger_than_upstream, text
from typed import DICT, FLATC, INSTANCE, MSGSPEC

#: Contenders in the order and with the colours of the plots, and their names in tables.
CONTENDERS = {
    OURS: ("#0b6e4f", "autobahn_fbs"),
    FLOOR: ("#b8b8b8", "msgspec (floor)"),
    MSGPACK: ("#e07a1f", "Autobahn msgpack"),
    "Autobahn cbor": ("#3d6fb6", "Autobahn cbor"),
    UPSTREAM: ("#b3261e", "Autobahn flatbuffers"),
    "Autobahn json": ("#7a5195", "Autobahn json"),
    "Autobahn ubjson": ("#8c6d31", "Autobahn ubjson"),
}

#: The same for typed payloads.
TYPED = {
    INSTANCE: ("#0b6e4f", "autobahn_fbs.typed, instances"),
    DICT: ("#74b49b", "autobahn_fbs.typed, dicts"),
    MSGSPEC: ("#b8b8b8", "msgspec"),
    FLATC: ("#b3261e", "flatc's Python"),
}

JOBS = {
    "serialize": "serialize",
    "unserialize": "unserialize",
    "unserialize + payload": "unserialize, read args and kwargs",
    "unserialize + everything": "unserialize, read every attribute",
    "fan-out": "serialize again (fan-out)",
    "pass-on": "pass a received message on",
}


def rst_table(head: list[str], rows: list[list[str]]) -> str:
    """A simple table of reStructuredText.

    An empty first cell would continue the row above, and a lone dash would be a list.
    """
    head, *rows = [
        ["\\" if cell == "" else "\\-" if cell == "-" else cell for cell in row]
        for row in [head, *rows]
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    rule = "  ".join("=" * width for width in widths)

    def line(row: list[str]) -> str:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        return "  ".join(cells).rstrip()

    return "\n".join([rule, line(head), rule, *(line(row) for row in rows), rule])


def _number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 20 else f"{value:.{digits}f}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 1e-6:
        return f"{seconds * 1e9:.0f} ns"
    return f"{seconds * 1e6:.1f} µs"


def times_table(results: Results, mode: str = "normal") -> str:
    """Our times, and the others' times relative to ours."""
    others = [name for name in CONTENDERS if name != OURS]
    rows = []
    for job, title in JOBS.items():
        for size in SIZES:
            seconds = results.seconds(job, mode, size, OURS)
            if seconds is None:
                continue
            cells = [_number(results.times(job, mode, size, other, OURS)) for other in others]
            rows.append([title, size, _time(seconds), *cells])
            title = ""
    heads = [CONTENDERS[name][1].removeprefix("Autobahn ") for name in others]
    return rst_table(["", "payload", "autobahn_fbs", *heads], rows)


def beside_table(by_python: dict[str, Results], mode: str = "normal") -> str:
    """The same for each kind of Python, with the serializers that all of them have."""
    others = [MSGPACK, "Autobahn cbor", UPSTREAM]
    rows = []
    for job, title in JOBS.items():
        for size in SIZES:
            cells = []
            for results in by_python.values():
                cells.append(_time(results.seconds(job, mode, size, OURS)))
                for other in others:
                    cells.append(_number(results.times(job, mode, size, other, OURS)))
            if any(cell != "-" for cell in cells):
                rows.append([title, size, *cells])
                title = ""
    labels = [CONTENDERS[name][1].removeprefix("Autobahn ") for name in others]
    return rst_table(["", "payload", *(x for name in by_python for x in (name, *labels))], rows)


def beside(by_python: dict[str, Results]) -> str:
    """The part about several kinds of Python, each with its own Autobahn."""
    first, *others = by_python
    return "\n\n".join(
        [
            f"{first} compared with {' and '.join(others)}: for each Python, the time with this "
            "package, and how many\ntimes as long Autobahn's serializers take.",
            beside_table(by_python),
            *(provenance(by_python[name]) for name in others),
        ]
    )


def lengths_table(results: Results, name: str = "Event") -> str:
    """The size of a message."""
    lanes = [OURS, UPSTREAM, MSGPACK, "Autobahn cbor", "Autobahn json"]
    rows = []
    for size in SIZES:
        cells = [str(results.lengths("normal", size, lane).get(name, "-")) for lane in lanes]
        rows.append([f"{name.upper()}, {size} payload", *cells])
    return rst_table(["", *(CONTENDERS[lane][1].removeprefix("Autobahn ") for lane in lanes)], rows)


def memory_table(results: Results) -> str:
    """The memory of received messages."""
    rows = []
    for name, found in results.memory.get("messages", {}).items():
        keys = ("ours", "buffer", "autobahn", "extra", "object", "autobahn object")
        rows.append([name.upper(), *(f"{found[key]:.0f}" for key in keys)])
    head = ["bytes", "received", "its buffer", "Autobahn's", "more", "object", "Autobahn's object"]
    return rst_table(head, rows) if rows else ""


def provenance(results: Results) -> str:
    """The origin of the numbers, in a sentence."""
    machine = results.machine
    versions = ", ".join(
        f"{key.removeprefix('version_')} {value}"
        for key, value in sorted(machine.items())
        if key.startswith("version_")
    )
    return (
        f"{machine.get('cpu_model_name', 'CPU unknown')} ({machine.get('cpu_count', '?')} CPUs), "
        f"{machine.get('python_implementation', 'Python')} {machine.get('python_version', '')}; "
        f"{versions}."
    )


def rst(by_python: dict[str, Results]) -> str:
    """The documentation's part about speed, sizes and memory: of the first kind of Python, then
    compared with the others."""
    results = next(iter(by_python.values()))
    parts = [
        "The column autobahn_fbs shows the time of one message with this package. The other "
        "columns show how\nmany times as long the others take (below 1, they are faster). All "
        "numbers are geometric means over\nPUBLISH, EVENT, CALL, INVOCATION, YIELD, RESULT and "
        "ERROR. msgpack, cbor, flatbuffers, json and ubjson\nare Autobahn's. msgspec, the floor, "
        "encodes a Struct with the same fields and doesn't implement WAMP.",
        times_table(results),
        "With an opaque payload (transparent mode):",
        times_table(results, "transparent"),
        "Bytes of one message:",
        lengths_table(results),
    ]
    memory = memory_table(results)
    if memory:
        parts += ["Memory of a received message with a small payload:", memory]
    parts.append(provenance(results))
    if len(by_python) > 1:
        parts.append(beside(by_python))
    return "\n\n".join(parts) + "\n"


def plots(results: Results, folder: Path) -> list[Path]:
    """A plot for each measured job: a bar for each contender and payload size, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    # The same results give the same file: it contains no date and no random names.
    matplotlib.rcParams.update({"svg.hashsalt": "autobahn_fbs", "font.size": 9})
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for job, title in JOBS.items():
        if not results.select(job, "normal", SIZES[0]):
            continue
        figure, axes = pyplot.subplots(figsize=(7.2, 3.6), layout="constrained")
        width = 0.8 / len(CONTENDERS)
        for index, (name, (colour, label)) in enumerate(CONTENDERS.items()):
            heights = [results.seconds(job, "normal", size, name) for size in SIZES]
            if None in heights:
                continue
            micros = [(height or 0.0) * 1e6 for height in heights]
            places = [place + (index - len(CONTENDERS) / 2) * width for place in range(len(SIZES))]
            axes.bar(places, micros, width, color=colour, label=label)
        axes.set_yscale("log")
        axes.set_ylabel("µs a message (log)")
        axes.set_xticks(range(len(SIZES)), [f"{size} payload" for size in SIZES])
        axes.set_title(title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, ncols=2, fontsize=8)
        file = folder / f"{job.replace(' + ', '-').replace(' ', '-')}.svg"
        figure.savefig(file, metadata={"Date": None})
        pyplot.close(figure)
        made.append(file)
    if results.select("typed: encode", "typed", "570 bytes"):
        made.append(typed_plot(results, folder))
    return made


def typed_plot(results: Results, folder: Path) -> Path:
    """A plot of typed payloads: a bar for each contender, writing and reading."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 3.6), layout="constrained")
    jobs = ("typed: encode", "typed: decode")
    width = 0.8 / len(TYPED)
    for index, (lane, (colour, label)) in enumerate(TYPED.items()):
        found = [results.seconds(job, "typed", "570 bytes", lane) for job in jobs]
        micros = [(seconds or 0.0) * 1e6 for seconds in found]
        places = [place + (index - len(TYPED) / 2) * width for place in range(len(jobs))]
        axes.bar(places, micros, width, color=colour, label=label)
    axes.set_yscale("log")
    axes.set_ylabel("µs a message (log)")
    axes.set_xticks(range(len(jobs)), ["encode", "verify and decode"])
    axes.set_title("typed payload of 12 fields, 570 bytes")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=2, fontsize=8)
    file = folder / "typed.svg"
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return file


def merged(files: list[Path]) -> Results:
    """Merges several result files."""
    results = load(files[0])
    for file in files[1:]:
        other = load(file)
        for key, cell in other.cells.items():
            for lane, runs in cell.runs.items():
                for run in runs:
                    results.add(" / ".join((*key, lane)), run, cell.facts.get(lane))
        results.memory = results.memory or other.memory
    return results


def by_python(files: list[Path]) -> dict[str, Results]:
    """Result files, merged for each kind of Python, CPython's first."""
    kinds: dict[str, list[Path]] = {}
    for file in files:
        name = load(file).machine.get("python_implementation", "python")
        kinds.setdefault({"cpython": "CPython", "pypy": "PyPy"}.get(name, name), []).append(file)
    return {name: merged(kinds[name]) for name in sorted(kinds)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="RESULTS")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write SVG plots there")
    parser.add_argument("--rst", type=Path, metavar="FILE", help="write the README's tables there")
    parser.add_argument("--check", action="store_true", help="exit status 1 if a target is missed")
    options = parser.parse_args()
    found = by_python(options.files)
    results = next(iter(found.values()))
    targets = check(results)
    print(provenance(results))
    print()
    print(text(targets))
    larger = larger_than_upstream(results)
    if larger:
        print("larger than Autobahn's flatbuffers:", ", ".join(larger))
    if len(found) > 1:
        print(beside(found))
    if options.rst:
        options.rst.write_text(rst(found), encoding="utf-8")
    if options.plots:
        for file in plots(results, options.plots):
            print(file)
    return int(options.check and any(target.met is False for target in targets))


if __name__ == "__main__":
    sys.exit(main())
