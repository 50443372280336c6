"""Compiles the schemas of this folder: ``compile.py``, with the flatc that Autobahn brings.

``bare.bfbs`` is ``basics.fbs`` compiled without ``--bfbs-builtins``, which drops FlatBuffers' own
attributes. All others have them, and their comments.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import autobahn

HERE = Path(__file__).resolve().parent
FLATC = Path(autobahn.__file__).parent / "_flatc" / "bin" / "flatc"


def compile_all(target: Path) -> list[Path]:
    """Writes each schema's .bfbs into ``target``; returns the paths."""
    command = [FLATC, "--schema", "--binary", "-I", HERE, "-o", target]
    for source in sorted(HERE.glob("*.fbs")):
        options = ["--bfbs-builtins", "--bfbs-comments", "--bfbs-filenames", HERE]
        subprocess.run([*command, *options, source], check=True)
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.fbs"
        bare.write_bytes((HERE / "basics.fbs").read_bytes())
        subprocess.run([*command, "--bfbs-filenames", folder, bare], check=True)
    return sorted(target.glob("*.bfbs"))


if __name__ == "__main__":
    for path in compile_all(HERE):
        print(f"{path.name}: {path.stat().st_size} bytes")
