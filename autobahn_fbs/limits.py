"""The maximum cost of a received message: the limits of verification."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits that a serializer enforces for received messages; see ``SECURITY.rst``.

    The defaults refuse nothing that an honest peer sends. Use lower limits at the edge of a
    network: ``FlatBuffersSerializer(limits=Limits(max_size=2**20))``. A message that exceeds a
    limit raises ``ProtocolError``.
    """

    #: Maximum size of one message in bytes, 8 to 2**31-1.
    max_size: int = 2**31 - 1
    #: Apparent size that any message may have, in bytes, 0 to 2**31-1. Each reference to a string
    #: or table counts.
    apparent_size: int = 64 * 1024
    #: Apparent size per byte of the message, 1 to 65,536. The larger of the two limits applies.
    #: Honest messages need no more than 2.
    apparent_factor: int = 8
    #: Maximum number of tables that may be visited, 2 to 2**31-1. Each reference counts. The
    #: default is that of Google's verifier.
    max_tables: int = 1_000_000

    def checked(self) -> Limits:
        """Returns these limits if they are valid.

        :raises TypeError: a limit is not an int.
        :raises ValueError: a limit is out of its range; the text names it.
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
