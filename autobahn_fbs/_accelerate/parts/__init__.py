"""The parts, one module each. A part's module has ``PART``; to add one, name it here twice."""

from __future__ import annotations

from ..part import Part

#: In the order in which they are switched on.
NAMES = ("texts", "messages", "futures", "masks", "writes", "routing", "pieces")


# Import statements rather than import_module(): what freezes programs follows these.
def load(name: str) -> Part:
    """The part of that name, which must be one of :data:`NAMES`."""
    from . import futures, masks, messages, pieces, routing, texts, writes

    modules = (texts, messages, futures, masks, writes, routing, pieces)
    parts: dict[str, Part] = {module.PART.name: module.PART for module in modules}
    return parts[name]
