"""The router's process: starts it, waits until it listens, shows errors, stops it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from .config import node_config

HOST = "127.0.0.1"

# Ports are free when they are looked up, but may be taken when the router opens them: try again.
_ATTEMPTS = 3
_LOG_TAIL = 30


class RouterFailed(Exception):
    """The router did not start; str() gives the reason, `log` is the end of its output."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.log = log


def installed_version() -> str | None:
    """Crossbar.io's version; None where it isn't installed for this interpreter."""
    if find_spec("crossbar") is None:
        return None
    try:
        return metadata.version("crossbar")
    except metadata.PackageNotFoundError:
        return None


def _free_ports(count: int) -> list[int]:
    """Different ports on loopback that are currently free."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


class Router:
    """Crossbar.io with the drop-in in all of its processes, in a folder of its own.

    A context manager: the router listens inside, and is stopped and its folder deleted at the end.

    :param auth: Crossbar.io's ``auth`` item: the accepted logins.
    :param patience: maximum time in seconds until it listens.
    :param largest: its maximum message size, in bytes; None is Crossbar.io's default.
    :raises RouterFailed: from ``with``: the router ended, or didn't listen in time.
    """

    #: The ports that it listens on after it has started; a subclass with more of them adds them.
    ports: list[int]

    #: The command after the interpreter; the folder's name is appended.
    COMMAND: tuple[str, ...] = (
        "-m",
        "autobahn_fbs",
        "run",
        "--allow-rawsocket",
        "--",
        "crossbar",
        "start",
    )

    def __init__(
        self, auth: dict[str, Any], patience: float = 60.0, largest: int | None = None
    ) -> None:
        self._auth = auth
        self._largest = largest
        self._patience = patience
        self._folder = tempfile.TemporaryDirectory(prefix="autobahn-fbs-demo-")
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(self._folder.name)
        self.websocket = 0
        self.rawsocket = 0

    def __enter__(self) -> Router:
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._start()
                    return self
                except RouterFailed as error:
                    self._stop()
                    if "Address already in use" not in error.log or attempt == _ATTEMPTS:
                        raise
            raise AssertionError("unreachable")
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()

    def log_tail(self) -> str:
        """The last lines of the router's output."""
        try:
            text = (self.folder / "router.log").read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-_LOG_TAIL:])

    def processes(self) -> list[int]:
        """The process ids of the router: first its controller's, then its workers' (Linux)."""
        if self._process is None:
            return []
        pids = [self._process.pid]
        for task in Path("/proc").glob(f"{pids[0]}/task/*/children"):
            pids.extend(int(pid) for pid in task.read_text().split())
        return pids

    def configure(self) -> dict[str, Any]:
        """Chooses the ports and returns the node's configuration. Called before every attempt to
        start.

        A subclass may have another node.
        """
        self.ports = _free_ports(2)
        self.websocket, self.rawsocket = self.ports
        return node_config(self._auth, self.websocket, self.rawsocket, self._largest)

    def _start(self) -> None:
        config = self.configure()
        (self.folder / "config.json").write_text(json.dumps(config, indent=2))
        command = [sys.executable, *self.COMMAND, "--cbdir", str(self.folder)]
        with open(self.folder / "router.log", "wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the demo, which then stops the router
            )
        deadline = time.monotonic() + self._patience
        while not all(_listens(port) for port in self.ports):
            status = self._process.poll()
            if status is not None:
                raise RouterFailed(f"the router ended with status {status}", self.log_tail())
            if time.monotonic() > deadline:
                reason = f"the router didn't listen within {self._patience:.0f} seconds"
                raise RouterFailed(reason, self.log_tail())
            time.sleep(0.05)

    def _stop(self) -> None:
        """Stops the router and everything that it started, first with a polite signal."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        if sys.platform != "win32":
            # A worker that still runs after its controller has ended is in the same process group.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()

    def _leave(self) -> None:
        try:
            self._stop()
        finally:
            self._folder.cleanup()
