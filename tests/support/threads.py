"""Functions that run in several threads at the same time."""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator

import pytest

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
SECONDS = 1.0 if FREE_THREADED else 0.2
THREADS = 8 if FREE_THREADED else 4


@pytest.fixture(autouse=True)
def eager_switches() -> Iterator[None]:
    """Lets a thread with the GIL run for a hundredth of the usual time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 100)
    yield
    sys.setswitchinterval(before)


def together(*works: Callable[[], object], seconds: float = SECONDS, once: bool = False) -> None:
    """Calls each repeatedly, or once, in its own thread; raises an exception of theirs."""
    start, stop = threading.Barrier(len(works)), threading.Event()
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
            while not stop.is_set() and not once:
                work()
        except BaseException as error:
            errors.append(error)
            stop.set()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    if not once:
        stop.wait(seconds)
        stop.set()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
