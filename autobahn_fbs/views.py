"""Attributes of received messages that Autobahn's classes lack, for type checkers and
isinstance."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class HasViews(Protocol):
    """A received message that has an application payload.

    >>> from autobahn.wamp import message
    >>> import autobahn_fbs
    >>> serializer = autobahn_fbs.FlatBuffersObjectSerializer()
    >>> data = serializer.serialize(message.Event(1, 2, args=[3]))
    >>> [received] = serializer.unserialize(data)
    >>> if isinstance(received, HasViews) and received.args_view is not None:
    ...     bytes(received.args_view)
    b'\\x81\\x03'

    These are PUBLISH, EVENT, CALL, INVOCATION, YIELD, RESULT and ERROR. Each view is a read-only
    view of the encoded bytes in the received buffer, which it keeps alive. It is None if the
    message doesn't have the attribute, or if the attribute has been assigned since.
    """

    @property
    def payload_codec(self) -> str | None:
        """The id of the codec of `args_view` and `kwargs_view`, in the form that
        ``payload_serializer`` takes: ``"cbor"``, ``"flexbuffers"``, ``"json"``, ``"msgpack"``,
        ``"ubjson"``, or a custom id, even if it is not registered here. None if both views are
        None.

        :raises autobahn.wamp.exception.ProtocolError: the name of a custom codec can't be read from
            the metadata.
        """

    @property
    def args_view(self) -> memoryview | None:
        """The encoded ``args``."""

    @property
    def kwargs_view(self) -> memoryview | None:
        """The encoded ``kwargs``."""

    @property
    def payload_view(self) -> memoryview | None:
        """The ``payload`` of transparent mode."""
