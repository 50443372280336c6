"""What goes wrong with catalogs."""

from __future__ import annotations


class CatalogError(ValueError):
    """A catalog can't be used as it is: its source, its schemas or what its services say.

    The text says which file and what in it.
    """
