"""What received messages have beyond Autobahn's attributes, for type checkers and isinstance."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class HasViews(Protocol):
    """A received message of a kind that carries an application payload.

    >>> from autobahn.wamp import message
    >>> import autobahn_fbs
    >>> serializer = autobahn_fbs.FlatBuffersObjectSerializer()
    >>> data = serializer.serialize(message.Event(1, 2, args=[3]))
    >>> [received] = serializer.unserialize(data)
    >>> if isinstance(received, HasViews) and received.args_view is not None:
    ...     bytes(received.args_view)
    b'\\x81\\x03'

    Those kinds are PUBLISH, EVENT, CALL, INVOCATION, YIELD, RESULT and ERROR. Each view is
    read-only, and of the encoded bytes where they lie in the received buffer, which it keeps. It
    is None if the message has none, or if the attribute has since been assigned.
    """

    @property
    def payload_codec(self) -> str | None:
        """The id of the codec that `args_view` and `kwargs_view` are in, as ``payload_serializer``
        takes it: ``"cbor"``, ``"flexbuffers"``, ``"json"``, ``"msgpack"``, ``"ubjson"``, or a
        custom one, whether it is registered here or not. None if both views are None.

        :raises autobahn.wamp.exception.ProtocolError: the name of a custom codec can't be read
            from the metadata.
        """

    @property
    def args_view(self) -> memoryview | None:
        """The encoded ``args``."""

    @property
    def kwargs_view(self) -> memoryview | None:
        """The encoded ``kwargs``."""

    @property
    def payload_view(self) -> memoryview | None:
        """The ``payload`` of payload transparency mode."""
