"""Payloads that pass through a real router: every codec, and end-to-end encryption."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from autobahn.wamp.exception import ApplicationError

from autobahn_fbs import payloads
from autobahn_fbs._demo.sessions import Peer
from support.router import FLATBUFFERS, OTHERS, Place, Way, both, ids
from support.scenes import ARGS, KWARGS, exchange, keyrings

CODECS = payloads.known_ids()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("transport", "batched"), [("websocket", ""), ("websocket", ".batched"), ("rawsocket", "")]
)
def test_every_composition_works_in_a_session(
    place: Place, transport: str, batched: str, codec: str
) -> None:
    async def scene(one: Peer, two: Peer) -> None:
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        assert await exchange(two, one) == [(ARGS, KWARGS)] * 3
        assert one.details.serializer == f"flatbuffers{batched}"

    both(place, (transport, f"flatbuffers-{codec}{batched}"), (transport, "flatbuffers"), scene)


@pytest.mark.skipif(find_spec("nacl") is None, reason="cryptobox needs PyNaCl")
@pytest.mark.parametrize(
    ("way", "other"),
    [(way, way) for way in FLATBUFFERS]
    + [(FLATBUFFERS[0], OTHERS[1]), (OTHERS[1], FLATBUFFERS[0]), (FLATBUFFERS[2], OTHERS[2])],
    ids=ids,
)
def test_autobahns_keyring_encrypts_from_end_to_end(place: Place, way: Way, other: Way) -> None:
    async def scene(one: Peer, two: Peer) -> None:
        seen: list[Any] = []
        two.listener = lambda peer, direction, msg: seen.append(msg)
        first, second = keyrings()
        one.set_payload_codec(first)
        two.set_payload_codec(second)
        assert await exchange(one, two) == [(ARGS, KWARGS)] * 3
        sealed = [msg for msg in seen if getattr(msg, "payload", None)]
        assert sealed and all(msg.enc_algo == "cryptobox" for msg in sealed)
        assert all(b"alice" not in bytes(msg.payload) for msg in sealed)

    both(place, way, other, scene)


def test_an_error_carries_its_payload_through_every_codec(place: Place) -> None:
    async def scene(one: Peer, two: Peer) -> None:
        def fail() -> None:
            raise ApplicationError("com.example.bad", *ARGS, **KWARGS)

        await two.register(fail, "com.example.payload.fail")
        with pytest.raises(ApplicationError) as caught:
            await one.call("com.example.payload.fail")
        assert (list(caught.value.args), caught.value.kwargs) == (ARGS, KWARGS)

    for codec in CODECS:
        both(place, ("websocket", f"flatbuffers-{codec}"), ("websocket", "flatbuffers"), scene)
