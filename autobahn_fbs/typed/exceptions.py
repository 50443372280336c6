"""Exception classes of error tables: those with ``type: "error"`` and a ``wampuri``.

Such a table is the payload of an ERROR of that URI. Its class is an exception, which a procedure
raises and a caller catches; it is made when the schema is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
