"""benchmarks/shares.py: the part that a sample of py-spy counts for."""

from __future__ import annotations

import sys
from pathlib import Path

from support.checkout import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import shares


def test_a_sample_counts_for_the_innermost_part_that_is_known() -> None:
    broker = "Broker.processPublish (/lib/crossbar/router/broker.py:5)"
    pprint = "pformat (/usr/lib/pprint.py:1)"
    cbor = "CBORSerializer.serialize (/lib/autobahn/wamp/serializer.py:1)"
    assert shares.part_of(broker) == "broker, roles"
    assert shares.part_of(f"{broker};randint (/usr/lib/random.py:1)") == "broker, roles"
    assert shares.part_of(f"{broker};{pprint}") == "arguments of log calls"
    assert shares.part_of(f"{cbor};Event.marshal (/lib/autobahn/wamp/message.py:1)") == (
        shares.SERIALIZER
    )
    assert shares.part_of("main (/usr/lib/runpy.py:1)") == "other"


def test_a_call_of_a_serializer_in_c_counts_for_it_and_waiting_for_nothing(tmp_path: Path) -> None:
    source = tmp_path / "transport.py"
    source.write_text("payload = self._serializer.serialize(msg)\nevents = poller.poll(1)\n")
    assert shares.part_of(f"send ({source}:1)") == shares.SERIALIZER
    assert shares.part_of(f"doPoll ({source}:2)") is None
    samples = tmp_path / "samples"
    samples.write_text(f"send ({source}:1) 3\ndoPoll ({source}:2) 9\n")
    assert shares.count_parts(samples) == {shares.SERIALIZER: 3}
