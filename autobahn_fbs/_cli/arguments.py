"""The command-line arguments of ``dump``, ``verify`` and ``info``, and their exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO, TextIOWrapper
from typing import Any

from .sources import ENCODINGS, FRAMINGS
from .terminal import COLORS

_FRAMES = """\
How messages are stored in a file (--framing):

  message    the file is one message
  batched    any number of messages, each after its length: 32 bits, big-endian (WAMP's batched
             mode)
  rawsocket  one direction of a RawSocket connection: each frame has a byte for its kind, a length
             of 24 bits (big-endian) and the message; a handshake may come first
  auto       batched or rawsocket if the lengths lead exactly to the end, else message (default)

A file may also contain hexadecimal or base64 text. This is detected; --encoding overrides it.
"""

DUMP_HELP = """\
Shows WAMP messages that were serialized as FlatBuffers: the type, every attribute that is present,
decoded payloads, and the position of each attribute's bytes in the file (@offset +size).
"""

DUMP_NOTES = f"""\
{_FRAMES}
Examples:

  python -m autobahn_fbs dump event.bin
  python -m autobahn_fbs dump --json capture.bin | jq -r 'select(.type == "EVENT") | .attributes.topic'
  xxd -p event.bin | python -m autobahn_fbs dump

--json prints one line for each message, with bytes as {{"$bytes": "hexadecimal"}}.
Exit status: 0 if all messages are valid, 1 if a message is invalid or a file can't be read, 2 if
the command line is invalid.
"""  # noqa: E501

VERIFY_HELP = """\
Checks WAMP messages that were serialized as FlatBuffers, as a receiver would, including their
payloads. Prints each problem as FILE:OFFSET: MESSAGE.field: reason.
"""

VERIFY_NOTES = f"""\
{_FRAMES}
Examples:

  python -m autobahn_fbs verify captures/*.bin
  python -m autobahn_fbs verify -q - < event.bin && echo good

Exit status: 0 if all messages are valid, 1 if a message is invalid or a file can't be read, 2 if
the command line is invalid.
"""

CATALOG_HELP = """\
Loads schemas of typed payloads. "show" prints their contents and problems. "check" prints only the
problems: facts that a schema can't express, refused types, and contradictory interfaces.
SOURCE is a compiled schema (.bfbs), a folder of them, a catalog archive (ZIP), or a schema (.fbs)
if flatc is available.
"""

CATALOG_NOTES = """\
Examples:

  python -m autobahn_fbs catalog show climate.bfbs
  python -m autobahn_fbs catalog check schemas/ && echo good

Exit status: 0 if all is well, 1 if a source can't be loaded or "check" has found a problem, 2 if
the command line is invalid.
"""

INFO_NOTES = """\
Examples:

  python -m autobahn_fbs info --json | jq .packages.autobahn
  python -m autobahn_fbs info --pid $(pgrep -f crossbar-controller)
"""


def add_verbs(verbs: Any) -> None:
    """Adds the four verbs to a parser's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    for name, short, text, notes in (
        ("dump", "show the contents of messages", DUMP_HELP, DUMP_NOTES),
        ("verify", "check messages", VERIFY_HELP, VERIFY_NOTES),
    ):
        verb = verbs.add_parser(
            name, help=short, description=text, epilog=notes, formatter_class=raw
        )
        verb.add_argument(
            "files",
            nargs="*",
            default=["-"],
            metavar="FILE",
            help="a file, or - for standard input (default)",
        )
        each = "message" if name == "dump" else "file"
        verb.add_argument(
            "--json", action="store_true", help=f"print a line of JSON for each {each}"
        )

        if name == "dump":
            verb.add_argument("--full", action="store_true", help="don't cut long values")
        else:
            verb.add_argument(
                "-q",
                "--quiet",
                action="store_true",
                help="print only errors about files that can't be read",
            )
        verb.add_argument("--framing", choices=FRAMINGS, default="auto", help="see below")
        verb.add_argument(
            "--encoding", choices=ENCODINGS, default="auto", help="how the file is encoded"
        )
        verb.add_argument(
            "--dialect",
            choices=("autobahn", "schema"),
            default="autobahn",
            help="how the union's type is encoded (default: autobahn)",
        )
        _add_color(verb)
    verb = verbs.add_parser(
        "catalog",
        help="show or check schemas of typed payloads",
        description=CATALOG_HELP,
        epilog=CATALOG_NOTES,
        formatter_class=raw,
    )
    verb.add_argument(
        "action", choices=("show", "check"), help="print the contents, or only the problems"
    )
    verb.add_argument("sources", nargs="+", metavar="SOURCE", help="see above")
    verb.add_argument(
        "--json",
        action="store_true",
        help="print JSON: one line for each file (show), or one line (check)",
    )
    _add_color(verb)
    verb = verbs.add_parser(
        "info",
        help="show versions, backend and limits",
        description="Shows what is installed and how it runs. Include the output in bug reports.",
        epilog=INFO_NOTES,
        formatter_class=raw,
    )
    verb.add_argument(
        "--json",
        action="store_true",
        help="print a line of JSON (with --pid, one for each process)",
    )
    verb.add_argument(
        "--pid",
        type=int,
        nargs="+",
        metavar="N",
        help="show whether these processes, and those that they have started, have loaded the "
        "extension",
    )
    _add_color(verb)


def _add_color(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--color",
        choices=COLORS,
        default="auto",
        help="when to use colours; auto (default): on a terminal, unless NO_COLOR is set",
    )


def _function_of(verb: str) -> Callable[[argparse.Namespace], int]:
    """The function that runs a verb. Only the verb's own module is imported, so that ``info`` works
    even if the others can't be imported."""
    if verb == "catalog":
        from .catalog import catalog

        return catalog
    if verb == "dump":
        from .dump import dump

        return dump
    if verb == "verify":
        from .verify import verify

        return verify
    from .info import info

    return info


def run_verb(options: argparse.Namespace) -> int:
    """Runs one of the four verbs and returns the exit status. If the output is closed or the user
    interrupts, it ends quietly, with the exit status that a shell uses for the signal."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with redirect_stderr(
            StringIO()
        ):  # hides messages that optional modules print when Autobahn tries them
            verb = _function_of(options.verb)
        status = verb(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The interpreter flushes once more at its end; send that to the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + getattr(signal, "SIGPIPE", 13)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:  # for example, the disk is full
        print(f"autobahn_fbs {options.verb}: {error.strerror or error}", file=sys.stderr)
        return 1
