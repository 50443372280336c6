"""Payload passthru: what Autobahn's message classes lack.

WAMP's Payload Passthru Mode describes an opaque payload with scheme, serializer, cipher and key id.
Autobahn has them as ``enc_algo``, ``enc_serializer`` and ``enc_key``, without the cipher. The wire
has a place for it (schema field ``ppt_cipher``), and so have received messages.
"""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message

from ._backend import native


def cipher_of(msg: message.Message) -> str | None:
    """The cipher of the message's payload, such as ``"xsalsa20poly1305"``; None if not stated."""
    return getattr(msg, "ppt_cipher", None)


def with_cipher(msg: message.Message, cipher: str | None) -> Any:
    """A message with the same content that also states the cipher of its payload.

    :param msg: a PUBLISH, EVENT, CALL, INVOCATION, YIELD, RESULT or ERROR.
    :param cipher: ``"xsalsa20poly1305"``, ``"aes256gcm"``, a custom ``x_*`` name, or None.
    :raises TypeError: for a message that carries no payload.
    :raises ValueError: for a cipher that WAMP does not define.
    """
    received = next((native.RECEIVED.get(cls.__name__) for cls in type(msg).__mro__[:2]), None)
    if received is None or not hasattr(received, "ppt_cipher"):
        raise TypeError(f"{type(msg).__name__} messages have no payload to encrypt")
    twin: Any = received.__new__(received)
    twin._from_fbs = None
    for cls in received.__mro__:
        for name in getattr(cls, "__slots__", ()):
            if name not in ("_serialized", "_from_fbs"):
                # By its property, which Autobahn's own reader decodes the slot with.
                public = name.removeprefix("_")
                setattr(twin, name, getattr(msg, public if hasattr(received, public) else name))
    twin.ppt_cipher = cipher
    return twin
