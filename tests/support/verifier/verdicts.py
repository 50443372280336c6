"""Asks a program for its verdicts, and compares ours with Google's."""

from __future__ import annotations

import struct
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path


def ask(program: Path, cases: Iterable[tuple[int, bytes]]) -> bytes:
    """The program's output for numbered buffers."""
    stdin = b"".join(struct.pack("<BI", number, len(data)) + data for number, data in cases)
    done = subprocess.run([program], input=stdin, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tally(verdicts: Iterable[tuple[object, bytes, bool, str]], stricter: set[str]) -> Counter[str]:
    """How often each of our codes occurred; fails if the verdicts disagree.

    A verdict is a kind of buffer, the buffer, whether Google's verifier accepts it, and our code.
    """
    found: Counter[str] = Counter()
    for kind, data, google, ours in verdicts:
        if ours == "OK":
            assert google, f"taken, but not by Google: {kind} {data.hex()}"
        elif google:
            assert ours in stricter, f"refused for {ours} by us alone: {kind} {data.hex()}"
        found[ours if google else "refused by both"] += 1
    return found
