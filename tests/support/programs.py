"""Programs in a fresh interpreter, for tests that need a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path


def run_python(
    *words: str | Path, cwd: Path | None = None, timeout: float = 110, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter afresh with these arguments; it finds the modules that are found here.

    The code after ``-c`` may be indented. `variables` are added to the environment.
    """
    command = [sys.executable, *(textwrap.dedent(str(word)) for word in words)]
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, **variables}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout
    )
