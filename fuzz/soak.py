"""Memory over many messages: ``soak.py [MESSAGES]`` (100,000 by default).

Every message of the tests, in both dialects, alone and in batches, passes through a serializer: it
is read completely or in part, forwarded unchanged or changed, copied, pickled, or refused if it was
damaged. After every twentieth of the messages, the process's resident memory is printed. Status 1
if it grows by more than 2 MB after the first fifth.
"""

from __future__ import annotations

import copy
import gc
import os
import pickle
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from autobahn.wamp.exception import ProtocolError  # noqa: E402
from autobahn.wamp.message import Message  # noqa: E402

import support.framework  # noqa: E402, F401
from autobahn_fbs import FlatBuffersObjectSerializer, FlatBuffersSerializer  # noqa: E402
from support.compare import attribute_names, plain_copy  # noqa: E402
from support.samples import every_sample  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
CHECKPOINTS = 20
ALLOWED = 2_000_000


def resident() -> int:
    """Resident memory of this process in bytes."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * PAGE


def read(msg: Message) -> None:
    for name in attribute_names(type(msg)):
        getattr(msg, name)


def change(msg: Message) -> None:
    for name in ("args", "kwargs", "topic", "reason"):
        with suppress(AttributeError, AssertionError):
            setattr(msg, name, getattr(msg, name))


USES: list[Callable[[Message], object]] = [
    lambda msg: None, read, read, change, copy.copy, copy.deepcopy, plain_copy, str,
    lambda msg: pickle.loads(pickle.dumps(msg)),
]  # fmt: skip


def run(messages: int) -> bool:
    """Processes this many messages; returns whether memory stayed constant."""
    dice = random.Random(1)
    wire = []
    for dialect in ("autobahn", "schema"):
        for codec in ("cbor", "flexbuffers"):
            for batched in (False, True):
                serializer = FlatBuffersSerializer(
                    batched=batched, dialect=dialect, payload_serializer=codec
                )
                plain = FlatBuffersObjectSerializer(
                    batched=batched, dialect=dialect, payload_serializer=codec
                )
                wire += [
                    (serializer, plain.serialize(plain_copy(msg)) * (3 if batched else 1))
                    for msg in every_sample()
                ]
    done, refused, sizes, begin = 0, 0, [], time.monotonic()
    for checkpoint in range(CHECKPOINTS + 1):
        while done < messages * checkpoint // CHECKPOINTS:
            serializer, data = dice.choice(wire)
            if dice.random() < 0.1:
                place = dice.randrange(len(data))
                data = data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :]
            try:
                received = serializer.unserialize(data, True)
                done += len(received)
                for msg in received:
                    dice.choice(USES)(msg)
                    serializer.serialize(msg)
            except (ProtocolError, TypeError, ValueError, AssertionError):
                refused += 1  # too damaged to be read, or to be sent as a plain message
                done += 1
        sizes.append(resident())
        print(f"{done:10} messages  {sizes[-1] / 1e6:8.2f} MB", flush=True)
    settled = sizes[CHECKPOINTS // 5]
    growth = max(sizes[CHECKPOINTS // 5 :]) - settled
    seconds = time.monotonic() - begin
    print(f"{refused} refused, {growth / 1e6:.2f} MB more after the first fifth, {seconds:.0f} s")
    return growth <= ALLOWED


if __name__ == "__main__":
    sys.exit(not run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
