"""Errors about catalogs."""

from __future__ import annotations


class CatalogError(ValueError):
    """A catalog can't be used: there is a problem with its source, its schemas or its services.

    The text names the file and the problem.
    """
