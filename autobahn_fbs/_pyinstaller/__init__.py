"""Information for PyInstaller, which finds this through the entry point pyinstaller40."""

from __future__ import annotations

from pathlib import Path


def hook_folders() -> list[str]:
    """The folders that have hooks."""
    return [str(Path(__file__).parent)]
