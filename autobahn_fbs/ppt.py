"""Payload passthru: a feature that Autobahn's message classes lack.

In WAMP's Payload Passthru Mode, the attributes scheme, serializer, cipher and key id describe an
opaque payload. Autobahn has them as ``enc_algo``, ``enc_serializer`` and ``enc_key``, but lacks the
cipher. The wire format has a field for it (``ppt_cipher``), and so do received messages.
"""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message

from ._backend import native


def cipher_of(msg: message.Message) -> str | None:
    """The cipher of the message's payload, such as ``"xsalsa20poly1305"``; None if it is not
    stated."""
    return getattr(msg, "ppt_cipher", None)


def with_cipher(msg: message.Message, cipher: str | None) -> Any:
    """Returns a message with the same content that also states the cipher of its payload.

    :param msg: a PUBLISH, EVENT, CALL, INVOCATION, YIELD, RESULT or ERROR.
    :param cipher: ``"xsalsa20poly1305"``, ``"aes256gcm"``, a custom ``x_*`` name, or None.
    :raises TypeError: the message can't have a payload.
    :raises ValueError: WAMP doesn't define the cipher.
    """
    received = next((native.RECEIVED.get(cls.__name__) for cls in type(msg).__mro__[:2]), None)
    if received is None or not hasattr(received, "ppt_cipher"):
        raise TypeError(f"{type(msg).__name__} messages have no payload to encrypt")
    twin: Any = received.__new__(received)
    twin._from_fbs = None
    for cls in received.__mro__:
        for name in getattr(cls, "__slots__", ()):
            if name not in ("_serialized", "_from_fbs"):
                # Through its property. Autobahn's own reader uses it to decode the slot.
                public = name.removeprefix("_")
                setattr(twin, name, getattr(msg, public if hasattr(received, public) else name))
    twin.ppt_cipher = cipher
    return twin
