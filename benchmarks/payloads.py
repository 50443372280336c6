#!/usr/bin/env python3
"""The cost of the payload codec, by size of the payload: an EVENT in every composition.

    python benchmarks/payloads.py [--rounds N]

The envelope is the same in all rows. Each composition's round trip is checked before it is timed.
Rounds are interleaved, and the best one counts. Ratios are relative to CBOR, the default.
"""

from __future__ import annotations

import argparse
from typing import Any

import txaio

from autobahn_fbs import FlatBuffersSerializer, payloads
from autobahn_fbs._bench.contenders import Wrong
from autobahn_fbs._bench.jobs import Run, over_batches
from autobahn_fbs._bench.messages import SIZES, scenario
from autobahn_fbs._bench.races import Race, hold

SECONDS = 0.001  # seconds per round
BATCH = 16


def runs(codec: str, size: str) -> tuple[int, Run, Run]:
    """The size of the message, and the runs for writing and reading it (including the payload).

    :raises Wrong: the composition changes the message in a round trip.
    """
    wanted = scenario("Event", size)
    serializer: Any = FlatBuffersSerializer(payload_serializer=codec)
    data, _ = serializer.serialize(wanted.make())
    (received,) = serializer.unserialize(data)
    if any(getattr(received, n) != getattr(wanted.make(), n) for n in wanted.attributes):
        raise Wrong(f"{codec}, {size}: the message came back different")

    def read(buffer: bytes) -> None:
        (msg,) = serializer.unserialize(buffer)
        _ = msg.args, msg.kwargs

    def forget(msg: Any) -> None:
        msg.uncache()

    def nothing(item: Any) -> None:
        pass

    messages = [wanted.make() for _ in range(BATCH)]
    out = over_batches(messages, serializer.serialize, forget)
    return len(data), out, over_batches([data] * BATCH, read, nothing)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    txaio.use_asyncio()
    codecs = ["cbor", *(name for name in payloads.known_ids() if name != "cbor")]
    print(f"{'payload':8} {'codec':12} {'bytes':>6} {'out, ns':>9} {'':7} {'in, ns':>9}")
    for size in SIZES[1:]:
        prepared = {codec: runs(codec, size) for codec in codecs}
        times: dict[str, dict[str, float]] = {}
        for job in ("out", "in"):
            lanes = {
                codec: out if job == "out" else back for codec, (_, out, back) in prepared.items()
            }
            race = Race(job, lanes)
            hold(race, rounds, SECONDS)
            times[job] = {codec: min(values) * 1e9 for codec, values in race.values.items()}
        for codec in codecs:
            written, read = times["out"][codec], times["in"][codec]
            print(
                f"{size:8} {codec:12} {prepared[codec][0]:6} "
                f"{written:9,.0f} {written / times['out']['cbor']:6.1f}x "
                f"{read:9,.0f} {read / times['in']['cbor']:6.1f}x"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
