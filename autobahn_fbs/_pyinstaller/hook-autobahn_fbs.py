"""PyInstaller's hook: the files of the package that aren't modules, and its metadata."""

from PyInstaller.utils.hooks import (  # pyright: ignore[reportMissingImports]
    collect_data_files,
    copy_metadata,
)

datas = [
    *collect_data_files("autobahn_fbs", includes=["schemas/*"]),
    *copy_metadata("autobahn_fbs"),
]
