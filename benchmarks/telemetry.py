#!/usr/bin/env python3
"""Autobahn's serialization benchmark, adapted: a fleet's telemetry, published and delivered.

    python benchmarks/telemetry.py [--vehicles N] [--mode normal ...] [--size small ...]
    python benchmarks/telemetry.py --accelerate        # beside it, with autobahn_fbs.accelerate()
    python benchmarks/telemetry.py --autobahn PATH     # with the data of a checkout of Autobahn

Autobahn's own benchmark (``examples/benchmarks/serialization`` in its repository) iterates over the
events of many vehicles, makes a PUBLISH or an EVENT from each at random, and serializes it. The
result is messages per second, including the construction of the message. This one does the same,
with three differences: the vehicles are generated; all serializers process the same random sequence
in turn, under the same conditions; and the time is processor time.

Event sizes: ``empty``; ``small``, a position and two sensors; ``medium`` and ``large``, with status
records besides; ``xl`` and ``xxl``, ``small`` with 16 kB and 128 kB of camera frame. Modes:
``normal`` (the event is the only arg) and ``transparent`` (the event is encoded beforehand).
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import autobahn_fbs
from autobahn_fbs._bench.contenders import MSGPACK, OURS, UPSTREAM, serializers
from autobahn_fbs._bench.races import no_collections

MODES = ("normal", "transparent")
SIZES = ("empty", "small", "medium", "large", "xl", "xxl")
_FRAME = {"xl": 16 * 1024, "xxl": 128 * 1024}
_RECORDS = {"medium": 4, "large": 12}

#: The target, as a multiple of a contender's speed at normal/small.
TARGETS = {MSGPACK: 1.6, UPSTREAM: 8.0}
#: With messages created in C, and ids from the part "futures".
ACCELERATED = f"{OURS}, accelerated"
ACCELERATED_TARGET = 3.5

#: The number of passes of each before acceleration is switched on or off.
TURNS = 3

#: Topic and event, in the order of the loop. The mode determines the form of an event: a value or
#: bytes.
Events = list[tuple[str, Any]]


def _tile(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """The map tile that contains a place (Web Mercator)."""
    count = 2**zoom
    y = math.asinh(math.tan(math.radians(latitude)))
    return int((longitude + 180) / 360 * count), int((1 - y / math.pi) / 2 * count)


def _record(number: int, random_: random.Random) -> dict[str, Any]:
    return {
        "id": f"unit-{number:03}",
        "kind": random_.choice(["brake", "tyre", "lamp", "door"]),
        "state": {"ok": random_.random() < 0.9, "checked": "2026-03-01T06:30:00.000Z"},
        "celsius": round(random_.uniform(-10, 90), 1),
        "history": [random_.randrange(1000) for _ in range(6)],
        "note": None,
    }


def _event(vehicle: str, number: int, size: str, random_: random.Random) -> dict[str, Any]:
    longitude, latitude = random_.uniform(10.9, 11.2), random_.uniform(49.3, 49.6)
    x, y = _tile(longitude, latitude, 18)
    event: dict[str, Any] = {
        "ts": "2026-03-01T08:00:00.000Z",
        "vehicle_id": vehicle,
        "timestamp": f"2026-03-01T07:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "gps_location": {
            "lng": longitude,
            "lat": latitude,
            "speed": round(random_.uniform(0, 130), 1),
            "xtile": x,
            "ytile": y,
            "zoom": 18,
        },
        "rain_sensor": {"rain": random_.random(), "wiper": random_.choice(["0", "1", "2"])},
        "pothole_sensor": {"depth": random_.random(), "type": f"type-{random_.choice('abcdef')}"},
    }
    if size in _RECORDS:
        event["units"] = [_record(unit, random_) for unit in range(_RECORDS[size])]
    if size in _FRAME:
        event["frame"] = random_.randbytes(_FRAME[size])
    return event


def generate(mode: str, size: str, vehicles: int, each: int = 20) -> Events:
    """Events of a generated fleet, always the same."""
    import cbor2

    random_ = random.Random(4711)
    events: Events = []
    for number in range(vehicles):
        vehicle = f"vehicle{number}"
        for index in range(each):
            event = _event(vehicle, index, size, random_)
            place = event["gps_location"]
            topic = f"com.example.vehicle.{vehicle}.xtile.{place['xtile']}.ytile.{place['ytile']}"
            if size == "empty":
                events.append((topic, None if mode == "normal" else b""))
            elif mode == "normal":
                events.append((topic, event))
            else:
                events.append((topic, cbor2.dumps(event)))
    return events


def from_autobahn(checkout: Path, mode: str, size: str, most: int) -> Events:
    """The first events from the loader in a checkout of Autobahn.

    :raises ImportError: there is no such loader.
    """
    folder = str(checkout / "examples" / "benchmarks" / "serialization")
    sys.path.insert(0, folder)
    try:
        loader = importlib.import_module("loader")
    finally:
        sys.path.remove(folder)
    # Its own list of files names one that its repository does not have.
    files = {
        str(file): (loader.VehicleEvent.from_row, f"fleet{number}")
        for number, file in enumerate(sorted(Path(folder, "data").glob("*.csv")), 1)
    }
    _, vehicles = loader.load_dataset(files, payload_mode=mode, payload_size=size)
    return [event for events in vehicles.values() for event in events][:most]


def make_loop(events: Events, mode: str, coins: list[bool]) -> Callable[[Any], int]:
    """The timed loop: creates and serializes each message; returns the total number of bytes."""
    from autobahn import util
    from autobahn.wamp import message

    new_id: Any = util.id
    classes: Any = message
    publish, deliver = classes.Publish, classes.Event

    def normal(serialize: Any) -> int:
        total = 0
        for (topic, event), coin in zip(events, coins, strict=True):
            if coin:
                msg = publish(new_id(), topic, args=[event])
            else:
                msg = deliver(new_id(), new_id(), args=[event])
            data, _ = serialize(msg)
            total += len(data)
        return total

    def transparent(serialize: Any) -> int:
        total = 0
        for (topic, event), coin in zip(events, coins, strict=True):
            if coin:
                msg = publish(new_id(), topic, payload=event)
            else:
                msg = deliver(new_id(), new_id(), payload=event)
            data, _ = serialize(msg)
            total += len(data)
        return total

    return normal if mode == "normal" else transparent


def check(name: str, serializer: Any, events: Events, mode: str) -> None:
    """Checks that the first event survives a round trip.

    :raises ValueError: it does not.
    """
    from autobahn.wamp import message

    classes: Any = message
    topic, event = events[0]
    content = {"args": [event]} if mode == "normal" else {"payload": event}
    sent = classes.Publish(1, topic, **content)
    data, binary = serializer.serialize(sent)
    (back,) = serializer.unserialize(data, binary)
    got = back.args[0] if mode == "normal" else back.payload
    if got != event and event != b"":  # Autobahn treats an empty payload as none
        raise ValueError(f"{name}: {event!r} came back as {got!r}")


def measure(
    events: Events, mode: str, seconds: float, accelerate: bool = False
) -> dict[str, dict[str, float]]:
    """By serializer: messages per second (median of the passes), ratio to ours, bytes per message.

    :param accelerate: adds passes with acceleration, for ours and msgpack.
    """
    random_ = random.Random(42)
    loop = make_loop(events, mode, [random_.random() < 0.5 for _ in events])
    makers = serializers()
    found: dict[str, list[float]] = {name: [] for name in makers}
    bytes_: dict[str, float] = {}
    serialize: dict[str, Any] = {}
    for name, make in makers.items():
        serializer = make()
        check(name, serializer, events, mode)
        serialize[name] = serializer.serialize
        bytes_[name] = loop(serializer.serialize) / len(events)
    again = {f"{name}, accelerated": name for name in (OURS, MSGPACK) if accelerate}
    for name, plain in again.items():
        found[name], bytes_[name] = [], bytes_[plain]

    def race(names: dict[str, str]) -> None:
        for name, plain in names.items():
            start = time.process_time()
            loop(serialize[plain])
            found[name].append(time.process_time() - start)

    with no_collections():
        end = time.monotonic() + seconds
        while len(found[OURS]) < 3 or time.monotonic() < end:
            for _ in range(TURNS):
                race({name: name for name in serialize})
            if again:
                with autobahn_fbs.accelerate():
                    for _ in range(TURNS):
                        race(again)
    return {
        name: {
            "rate": len(events) / median(times),
            "ratio": median(t / o for t, o in zip(times, found[OURS], strict=True)),
            "bytes": bytes_[name],
        }
        for name, times in found.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--autobahn", type=Path, metavar="PATH", help="a checkout of Autobahn")
    parser.add_argument("--vehicles", type=int, default=50, help="20 events each")
    parser.add_argument("--mode", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--size", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--seconds", type=float, default=5.0, help="for each mode and size")
    parser.add_argument("--accelerate", action="store_true", help="also with acceleration")
    parser.add_argument("-o", "--output", type=Path, help="write what was measured there, as JSON")
    options = parser.parse_args()
    all_found: dict[str, Any] = {}
    for mode in options.mode:
        for size in options.size:
            # Fewer large ones, so that a pass doesn't take minutes.
            vehicles = max(2, options.vehicles // 10) if size in _FRAME else options.vehicles
            if options.autobahn:
                events = from_autobahn(options.autobahn, mode, size, vehicles * 20)
            else:
                events = generate(mode, size, vehicles)
            found = measure(events, mode, options.seconds, options.accelerate)
            all_found[f"{mode}/{size}"] = found
            print(f"{mode}/{size}, {len(events)} messages")
            for name, each in found.items():
                print(
                    f"  {name:36}{each['rate']:>12,.0f} msg/s {each['bytes']:>9,.0f} bytes"
                    f"   takes {each['ratio']:6.2f} times as long as {OURS}"
                )
            sys.stdout.flush()
    decisive = all_found.get("normal/small", {})
    ratios = [
        (OURS, limit, name, decisive[name]["ratio"])
        for name, limit in TARGETS.items()
        if name in decisive
    ]
    if ACCELERATED in decisive:
        ratio = decisive[MSGPACK]["ratio"] / decisive[ACCELERATED]["ratio"]
        ratios.append((ACCELERATED, ACCELERATED_TARGET, MSGPACK, ratio))
    for ours, limit, name, ratio in ratios:
        verdict = "met" if ratio >= limit else "MISSED"
        print(f"target, normal/small: {ours}: {limit} times {name}: {ratio:.2f}, {verdict}")
    if options.output:
        options.output.write_text(json.dumps(all_found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
