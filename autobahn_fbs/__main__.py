"""The command line: ``autobahn-fbs``, or ``python -m autobahn_fbs``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from . import __version__
from ._cli.arguments import add_verbs, run_verb
from ._cli.parser import Parser, did_you_mean, program_name

RUN_HELP = """\
Starts PROGRAM with the drop-in installed in it and in the Python processes that it spawns.
PROGRAM is a Python script, "-m MODULE", or a command:

  python -m autobahn_fbs run server.py --port 8080
  python -m autobahn_fbs run -m my.package
  python -m autobahn_fbs run --allow-rawsocket -- crossbar start --cbdir .crossbar
"""

RUN_NOTES = """\
The program takes over this process: its arguments, standard streams, signals and exit status are
its own. It never runs without the drop-in: if that can't be installed, the exit status is 70.
The drop-in travels in PYTHONPATH, as a "sitecustomize" that runs yours as well. Out of reach is
what ignores that: an interpreter with -I, -E or -S, a child that is given another PYTHONPATH or one
where another sitecustomize comes first, a frozen executable. PROGRAM is refused if it is like that;
when PROGRAM starts such a Python, a warning on standard error says so.
"""


def _parser() -> tuple[Parser, list[str]]:
    """The parser, and the names of the verbs."""
    raw = argparse.RawDescriptionHelpFormatter
    name = program_name()
    parser = Parser(
        prog=name,
        description="WAMP messages as FlatBuffers, in C: a drop-in for Autobahn|Python.",
    )
    parser.add_argument("--version", action="version", version=f"autobahn_fbs {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    demo = verbs.add_parser(
        "demo",
        help="see it work: a real router, authenticated sessions, message rates",
        description="Starts a Crossbar.io router on loopback, joins sessions over "
        "wamp.2.flatbuffers in every way of authenticating, exchanges messages between "
        "FlatBuffers and JSON peers, and measures message rates. Takes ten to twenty seconds and "
        "leaves nothing behind. Without Crossbar.io it shows what works without a router.",
    )
    demo.add_argument(
        "--nodes",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="start this many routers; with 2 or 3 it shows links between them that speak "
        "FlatBuffers, and nothing else",
    )
    verbs.add_parser(
        "bench",
        help="measure it: compared with Autobahn's serializers, in about 20 seconds",
        description="Serializes and unserializes messages with this package, with Autobahn's own "
        "serializers and, where it is installed, with msgspec, in turn, and prints a table of "
        "ratios. Every message is checked to come back as it was before it is timed. Takes about "
        "20 seconds of processor time.",
    )
    add_verbs(verbs)
    run = verbs.add_parser(
        "run",
        help="start a Python program with the drop-in installed",
        usage=f"{name} run [-h] [--prefer] [--allow-rawsocket] "
        "[--accelerate[=PARTS]] [--] PROGRAM [ARG ...]",
        description=RUN_HELP,
        epilog=RUN_NOTES,
        formatter_class=raw,
    )
    run.add_argument(
        "--prefer",
        action="store_true",
        help="have FlatBuffers come first where a program names no serializer, with what Autobahn "
        "offers otherwise behind it",
    )
    run.add_argument(
        "--allow-rawsocket",
        action="store_true",
        help="let Crossbar.io's configuration name flatbuffers as a serializer of a RawSocket "
        "listener, which its check otherwise refuses",
    )
    run.add_argument(
        "--accelerate",
        nargs="?",
        const="",
        metavar="PARTS",
        help="have Autobahn and Crossbar.io do the same in less processor time; PARTS are names "
        "with commas between them, all if there are none (the verb info lists them)",
    )
    return parser, list(verbs.choices)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words for us, and the program to run with its own, whatever those look like."""
    if not words or words[0] != "run":
        return list(words), []
    end = 1
    while end < len(words) and words[end].startswith("-") and words[end] not in ("--", "-m", "-c"):
        end += 1
    program = list(words[end:])
    return list(words[:end]), program[1:] if program[:1] == ["--"] else program


def _fill_closed_streams() -> None:
    """Output that was closed (``>&-``) is not wanted. The interpreter has None in its place, which
    nobody expects, and which `print` takes for standard output."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as we run


def main(words: Sequence[str] | None = None) -> int:
    """Does what the command line says; returns the exit status."""
    _fill_closed_streams()
    ours, program = _split(sys.argv[1:] if words is None else words)
    parser, verbs = _parser()
    if not ours:
        parser.print_help()
        return 0
    if not ours[0].startswith("-") and ours[0] not in verbs:
        meant = did_you_mean(ours[0], verbs)
        parser.error(f"unknown verb {ours[0]!r} (there are: {', '.join(verbs)}){meant}")
    options = parser.parse_args(ours)
    if options.verb == "demo":
        from ._demo import main as demo

        return demo(options.nodes)
    if options.verb == "bench":
        from ._bench import main as bench

        return bench()

    if options.verb in ("dump", "verify", "info"):
        return run_verb(options)

    from ._run import CannotRun, run

    if not program:
        parser.error("run: name the program to run")
    try:
        run(program, options.allow_rawsocket, options.accelerate, options.prefer)
    except CannotRun as error:
        print(f"autobahn_fbs run: {error}", file=sys.stderr)
        return error.status


if __name__ == "__main__":
    sys.exit(main())
