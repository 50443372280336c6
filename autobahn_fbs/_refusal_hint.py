"""Recognizes bytes that were refused as a message, for the end of a ProtocolError's text.

Called only when a message has been refused. The text contains no part of the bytes.
"""

from __future__ import annotations

import re

#: Bits of a serializer's settings, as in csrc/core/valid_settings.h.
BATCHED, SCHEMA = 1, 2

#: The first bytes of WAMP messages of other serializers, and of other data that may arrive by
#: mistake.
_KINDS = [
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (rb"\s*\[\s*\d{1,3}\s*[],]", "JSON: does the peer use wamp.2.json?"),
        (rb"[\x91-\x98](?:[\x01-\x7f]|\xcc)", "MessagePack: does the peer use wamp.2.msgpack?"),
        (rb"(?:\xd9\xd9\xf7)?[\x81-\x88][\x01-\x18]", "CBOR: does the peer use wamp.2.cbor?"),
        (rb"\[(?:#[iUIul].{1,8})?[iU].", "UBJSON: does the peer use wamp.2.ubjson?"),
        (
            rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) ",
            "an HTTP request: does the peer take this RawSocket port for WebSocket or the web?",
        ),
        (
            rb"\x16\x03[\x00-\x04]..\x01",
            "TLS: does the peer use TLS (wss:// or rss://) where this side doesn't?",
        ),
    )
]


def hint(start: bytes, settings: int, readable: int) -> str:
    """An addition to the error's text, such as
    ``; it looks like JSON: does the peer use wamp.2.json?``; "" if nothing is recognized.

    :param start: the first bytes of the refused data.
    :param settings: the settings of the serializer that refused it: a sum of the bits above.
    :param readable: the settings under which it is valid: bit n is set for settings n.
    """
    for change in (BATCHED, SCHEMA, BATCHED | SCHEMA):
        other = settings ^ change
        if readable >> other & 1:
            valid = []
            if change & BATCHED:
                batched = bool(other & BATCHED)
                id = "flatbuffers.batched" if batched else "flatbuffers"
                valid.append(f"batched={batched} ({id})")
            if change & SCHEMA:
                valid.append(f'dialect="{"schema" if other & SCHEMA else "autobahn"}"')
            return f"; it is valid with {' and '.join(valid)}: configure both sides alike"
    for begins in (start, start[4:]):  # after the length in a batch
        for pattern, text in _KINDS:
            if pattern.match(begins):
                return f"; it looks like {text}"
    return ""
