"""Every allocation can fail: then MemoryError comes, nothing is broken, and the next try works.

Runs in a fresh interpreter, one allocation after the other failing, by means of CPython's own
test module.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from autobahn.wamp.message import Message

import support.framework  # noqa: F401
from autobahn_fbs import FlatBuffersObjectSerializer
from support.compare import assert_same, attribute_names, plain_copy
from support.marks import extension_only
from support.samples import every_sample

#: The n-th allocation fails, for n up to here; and so many successes in a row mean the end.
MOST, ENOUGH = 600, 12


def fail_each_allocation(work: Callable[[], Any]) -> int:
    """Runs `work` with its first allocation failing, then with its second, and so on; how often
    MemoryError came. Anything else that comes out is a fault."""
    import _testcapi

    failures = successes = 0
    for n in range(1, MOST):
        error: BaseException | None = None
        _testcapi.set_nomemory(n, n + 1)
        try:
            work()
        except BaseException as caught:
            error = caught
        finally:
            _testcapi.remove_mem_hooks()
        if error is None:
            successes += 1
            if successes == ENOUGH:
                break
        else:
            if not isinstance(error, MemoryError):
                raise error
            failures += 1
            successes = 0
    return failures


def check(serializer: FlatBuffersObjectSerializer, sample: Message) -> int:
    """One message through everything; how many allocations failed."""
    msg = plain_copy(sample)
    data = serializer.serialize(msg)

    def serialize() -> None:
        msg.uncache()
        serializer.serialize(msg)

    failures = fail_each_allocation(serialize)
    assert serializer.serialize(plain_copy(sample)) == data
    failures += fail_each_allocation(lambda: serializer.unserialize(data))
    (received,) = serializer.unserialize(data)
    for name in attribute_names(type(sample)):
        failures += fail_each_allocation(lambda name=name: getattr(received, name))
    assert_same(received, sample)
    failures += fail_each_allocation(lambda: serializer.serialize(received))
    failures += fail_each_allocation(lambda: received == msg)
    failures += fail_each_allocation(received.__copy__)
    assert serializer.serialize(received) == data
    assert_same(received, sample)
    return failures


@extension_only
@pytest.mark.parametrize("dialect", ["autobahn", "schema"])
def test_each_allocation_may_fail(dialect):
    pytest.importorskip("_testcapi")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, __file__, dialect],
        capture_output=True,
        text=True,
        timeout=110,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout[-300:]} {done.stderr[-3000:]}"
    assert int(done.stdout.splitlines()[-1]) > 500


if __name__ == "__main__":
    total = 0
    for sample in every_sample():
        # The metadata of these run Python code, and CPython from 3.12 on crashes by itself when
        # memory is short while it makes a function (tried: 3.12.1 and 3.13.0).
        if sys.version_info >= (3, 12) and hasattr(sample, "roles") and sys.argv[1] == "schema":
            continue
        print(type(sample).__name__, flush=True)
        for batched in (False, True):
            total += check(FlatBuffersObjectSerializer(batched, dialect=sys.argv[1]), sample)
    print(total)
