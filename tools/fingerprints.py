#!/usr/bin/env python3
"""Adds the installed functions to those that acceleration knows.

    python tools/fingerprints.py [--check]

Run it in an environment with versions for which the tests passed; the entries for other versions
are kept. ``--check`` writes nothing: it lists the unknown functions, for which acceleration would
be off, and exits with status 1 if there are any.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autobahn_fbs._accelerate import part_names  # noqa: E402
from autobahn_fbs._accelerate.known import KNOWN  # noqa: E402
from autobahn_fbs._accelerate.parts import load  # noqa: E402
from autobahn_fbs._accelerate.source import Unknown, is_installed, source_of  # noqa: E402

TABLE = ROOT / "autobahn_fbs" / "_accelerate" / "known.py"
HEAD = '''"""The functions that acceleration knows: their fingerprints, by version.

Written by tools/fingerprints.py.
"""

from __future__ import annotations

KNOWN: dict[str, dict[str, str]] = {
'''


def unknown_here() -> dict[str, str]:
    """The fingerprints of the installed targets that the table lacks; "" for a missing target, or
    one that can't be edited."""
    found = {}
    for name in part_names():
        for group in load(name).groups:
            if group.is_absent():
                continue
            try:
                group.check_edits()
            except Unknown as error:
                found[str(error)] = ""
                continue
            for target in group.targets():
                module, _, function = target.partition(":")
                if not is_installed(module):
                    continue
                try:
                    fingerprint = source_of(module).fingerprint(function)
                except Unknown:
                    fingerprint = ""
                if fingerprint not in KNOWN.get(target, {}):
                    found[target] = fingerprint
    return found


def write(found: dict[str, str]) -> None:
    """Writes the table with these added."""
    table = {target: dict(known) for target, known in KNOWN.items()}
    for target, fingerprint in found.items():
        package = target.partition(".")[0]
        version = f"{package} {metadata.version(package)}"
        table.setdefault(target, {})[fingerprint] = version
    lines = [HEAD]
    for target, known in sorted(table.items()):
        lines.append(f'    "{target}": {{\n')
        lines += [f'        "{print_}": "{version}",\n' for print_, version in known.items()]
        lines.append("    },\n")
    TABLE.write_text("".join(lines) + "}\n")


def main() -> int:
    found = unknown_here()
    for target, fingerprint in found.items():
        print(f"{target}: {fingerprint or 'not there'}")
    if "--check" in sys.argv:
        return 1 if found else 0
    write({target: fingerprint for target, fingerprint in found.items() if fingerprint})
    return 0


if __name__ == "__main__":
    sys.exit(main())
