"""What PyInstaller has to know of this package; it finds this by the entry point pyinstaller40."""

from __future__ import annotations

from pathlib import Path


def hook_folders() -> list[str]:
    """The folders that have hooks."""
    return [str(Path(__file__).parent)]
