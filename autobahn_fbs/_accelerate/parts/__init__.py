"""The parts, one module each. A part's module defines ``PART``. To add a part, name it here
twice."""

from __future__ import annotations

from ..part import Part

#: In the order in which they are switched on.
NAMES = ("texts", "messages", "futures", "masks", "writes", "routing", "pieces")


# Import statements instead of import_module(), so that freezing tools find them.
def load(name: str) -> Part:
    """The part with this name, which must be in :data:`NAMES`."""
    from . import futures, masks, messages, pieces, routing, texts, writes

    modules = (texts, messages, futures, masks, writes, routing, pieces)
    parts: dict[str, Part] = {module.PART.name: module.PART for module in modules}
    return parts[name]
