"""The command line: ``autobahn-fbs``, or ``python -m autobahn_fbs``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from . import __version__
from ._cli.arguments import add_verbs, run_verb
from ._cli.parser import Parser, program_name
from ._suggestion import did_you_mean

RUN_HELP = """\
Starts PROGRAM with the drop-in installed in it and in the Python processes that it spawns.
PROGRAM is a Python script, "-m MODULE", or a command:

  python -m autobahn_fbs run server.py --port 8080
  python -m autobahn_fbs run -m my.package
  python -m autobahn_fbs run --allow-rawsocket -- crossbar start --cbdir .crossbar
"""

RUN_NOTES = """\
The program replaces this process, so it has its own arguments, standard streams, signals and exit
status. It never runs without the drop-in: if the drop-in can't be installed, the exit status is 70.
PYTHONPATH passes the drop-in on, as a "sitecustomize" module. It also runs your own sitecustomize.
The drop-in can't reach an interpreter with -I, -E or -S, a child process with another PYTHONPATH,
or with another sitecustomize that comes first, or a frozen executable. PROGRAM is refused if its
interpreter has one of these options. If it starts a Python without the drop-in, there is a warning
on standard error.
A Crossbar.io that offers flatbuffers and was started without this ends with "AssertionError:
WAMP-FlatBuffers serialization does not support message batching currently".
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
        help="see it working: a real router, authenticated sessions, message rates",
        description="Starts a Crossbar.io router on loopback, joins sessions over "
        "wamp.2.flatbuffers with four authentication methods, exchanges messages between "
        "FlatBuffers and JSON peers, and measures message rates. Takes about half a minute and "
        "leaves nothing behind. Without Crossbar.io, it shows what works without a router.",
    )
    demo.add_argument(
        "--nodes",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="start this number of routers; with 2 or 3, only show links between them that use "
        "FlatBuffers",
    )
    verbs.add_parser(
        "bench",
        help="compare this package's speed with Autobahn's serializers, in about half a minute",
        description="Serializes and unserializes messages with this package, with Autobahn's own "
        "serializers and, if it is installed, with msgspec, and prints a table of ratios. Before "
        "a message is timed, its round trip is checked. Takes about half a minute.",
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
        help="put FlatBuffers first if a program names no serializer; Autobahn's default "
        "serializers follow",
    )
    run.add_argument(
        "--allow-rawsocket",
        action="store_true",
        help="allow flatbuffers as a serializer of a RawSocket listener, which Crossbar.io's "
        "configuration check otherwise refuses",
    )
    run.add_argument(
        "--accelerate",
        nargs="?",
        const="",
        metavar="PARTS",
        help="reduce the processor time of Autobahn and Crossbar.io, with the same behaviour; "
        "PARTS are names separated by commas (the verb info lists them), default: all",
    )
    return parser, list(verbs.choices)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Splits the words into our own arguments and the program with its arguments."""
    if not words or words[0] != "run":
        return list(words), []
    end = 1
    while end < len(words) and words[end].startswith("-") and words[end] not in ("--", "-m", "-c"):
        end += 1
    program = list(words[end:])
    return list(words[:end]), program[1:] if program[:1] == ["--"] else program


def _fill_closed_streams() -> None:
    """Redirects closed output (``>&-``) to the null device. The interpreter sets a closed stream to
    None, which most code doesn't expect, and which `print` takes for standard output."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as we run


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    _fill_closed_streams()
    ours, program = _split(sys.argv[1:] if words is None else words)
    parser, verbs = _parser()
    if not ours:
        parser.print_help()
        return 0
    if not ours[0].startswith("-") and ours[0] not in verbs:
        meant = did_you_mean(ours[0], verbs)
        parser.error(f"unknown verb {ours[0]!r} (known: {', '.join(verbs)}){meant}")
    options = parser.parse_args(ours)
    if options.verb == "demo":
        from ._demo import main as demo

        return demo(options.nodes)
    if options.verb == "bench":
        from ._bench import main as bench

        return bench()

    if options.verb in ("dump", "verify", "catalog", "info"):
        return run_verb(options)

    from ._run import CannotRun, run

    if not program:
        parser.error("run: PROGRAM is missing")
    try:
        run(program, options.allow_rawsocket, options.accelerate, options.prefer)
    except CannotRun as error:
        print(f"autobahn_fbs run: {error}", file=sys.stderr)
        return error.status


if __name__ == "__main__":
    sys.exit(main())
