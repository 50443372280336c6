"""Our schemas as Google's C++ code: ``cpp_schema.py FOLDER [--by-ordinal]``.

Older versions of flatc, which Linux distributions package together with the matching headers,
don't know attributes on enum values; those are dropped, because they don't affect verification. A
field called ``verifier``, which hides a parameter in the generated code, gets another name. Two
things follow what readers of the schema do:

- ``(required, lenient)`` isn't required: it is always written, and None when it is missing;
- in the ``schema`` dialect the union's members are numbered from 1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"


def for_readers(text: str, *, by_ordinal: bool) -> str:
    """One schema file's text, as its readers take it."""
    text = re.sub(r"(?ms)^enum\b.*?^\}", lambda m: re.sub(r'\s*\(name: "[^"]*"\)', "", m[0]), text)
    text = re.sub(r"\bverifier:", "verifier_:", text)
    text = text.replace("(required, lenient", "(lenient")
    if by_ordinal:
        text = re.sub(r"(?ms)^union\b.*?^\}", lambda m: re.sub(r"\s*=\s*\d+", "", m[0]), text)
    return text


def packaged_flatc() -> str | None:
    """The flatc for the installed C++ headers: the one that FLATC names, or else the first on the
    path outside this Python's own scripts, where Autobahn installs one without headers."""
    scripts = Path(sys.executable).parent
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if Path(folder) != scripts)
    return os.environ.get("FLATC") or shutil.which("flatc", path=path)


def generate(flatc: str, folder: Path, *, by_ordinal: bool = False) -> None:
    """Writes ``wamp_generated.h`` and the schemas that it was generated from into ``folder``.

    :raises subprocess.CalledProcessError: this flatc can't do it; its output gives the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in SCHEMAS.glob("*.fbs"):
        text = for_readers(path.read_text("utf-8"), by_ordinal=by_ordinal)
        (folder / path.name).write_text(text, "utf-8")
    command = [flatc, "--cpp", "--gen-all", "-o", folder, folder / "wamp.fbs"]
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    program = packaged_flatc()
    if not program:
        sys.exit("there is no flatc outside Python's own scripts; FLATC may name one")
    generate(program, Path(sys.argv[1]), by_ordinal="--by-ordinal" in sys.argv[2:])
