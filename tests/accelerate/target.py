"""A module for the tests of acceleration to change."""

from __future__ import annotations

from collections.abc import Callable

CALLS: list[str] = []


def function(value: int) -> str:
    """Has a line to change."""
    CALLS.append("function")
    return f"old {value}"


def closing(value: int) -> Callable[[], int]:
    def inner() -> int:
        return value + 1

    return inner


class Class:
    def method(self) -> str:
        def inner() -> str:
            return self.name()

        return inner() + super().__repr__()[:0]

    def name(self) -> str:
        return "old"

    @classmethod
    def of_class(cls) -> str:
        return "old " + cls.__name__

    @property
    def attribute(self) -> str:
        return "old attribute"

    def failing(self) -> None:
        message = "old"
        raise ValueError(message)
