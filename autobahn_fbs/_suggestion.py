"""Suggests a known name for a misspelled one, at the end of an error's text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Longer words and names are not compared.
_LONGEST = 64
#: Maximum cost of one suggestion: the sum of the products of the lengths that are compared. A peer
#: can cause such errors. In the worst case, this takes about 10 milliseconds.
_COST = 100_000
#: The same for words that only the program's author or user writes.
OWN_COST = 4_000_000


def similar(word: str, known: Iterable[str], most: int = 1, cost: int = _COST) -> list[str]:
    """The known names that are most similar to a word: first those that differ only in case.

    :param most: maximum number of names.
    :param cost: maximum cost; only the first names are compared if there are too many.
    """
    if not 0 < len(word) <= _LONGEST:
        return []
    from difflib import get_close_matches

    names = list(_affordable(known, cost // len(word)))
    found = [name for name in names if name.casefold() == word.casefold()]
    found += [name for name in get_close_matches(word, names, most) if name not in found]
    return found[:most]


def _affordable(known: Iterable[str], characters: int) -> Iterator[str]:
    for name in known:
        characters -= len(name)
        if characters < 0:
            return
        if len(name) <= _LONGEST:
            yield name


def did_you_mean(word: str, known: Iterable[str], cost: int = _COST) -> str:
    """``"; did you mean X?"`` with the most similar known name; "" if there is none."""
    found = similar(word, known, cost=cost)
    return f"; did you mean {found[0]}?" if found else ""
