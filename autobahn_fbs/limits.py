"""What a received message may cost: the limits of verification."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Limits that a serializer holds received messages to; see ``SECURITY.rst``.

    The defaults refuse nothing that an honest peer sends. Lower ones are for the edge of a network:
    ``FlatBuffersSerializer(limits=Limits(max_size=2**20))``. A message beyond a limit is a
    ``ProtocolError``.
    """

    #: Bytes of one message, 8 to 2**31-1.
    max_size: int = 2**31 - 1
    #: Apparent size that any message may have, in bytes, 0 to 2**31-1. A string or table counts
    #: each time that it is referred to.
    apparent_size: int = 64 * 1024
    #: Apparent size that a message may have for each of its own bytes, where that is more, 1 to
    #: 65,536; honest messages need no more than 2.
    apparent_factor: int = 8
    #: Tables that may be visited, shared ones each time, 2 to 2**31-1; the default is that of
    #: Google's verifier.
    max_tables: int = 1_000_000

    def checked(self) -> Limits:
        """These limits, if they are valid.

        :raises TypeError: if one is not an int.
        :raises ValueError: if one is out of its range; the text says which.
        """
        for name, value, low, high in (
            ("max_size", self.max_size, 8, 2**31 - 1),
            ("apparent_size", self.apparent_size, 0, 2**31 - 1),
            ("apparent_factor", self.apparent_factor, 1, 2**16),
            ("max_tables", self.max_tables, 2, 2**31 - 1),
        ):
            if type(value) is not int:
                raise TypeError(f"limit {name} must be an int, not {type(value).__name__}")
            if not low <= value <= high:
                raise ValueError(f"limit {name} must be {low} to {high}, not {value}")
        return self
