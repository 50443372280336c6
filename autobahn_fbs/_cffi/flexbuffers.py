"""FlexBuffers."""

from __future__ import annotations

from typing import Any


class FlexBuffersError(ValueError):
    offset: int = 0


class Lazy:
    pass


def dumps(obj: Any, /, compact: bool = False) -> bytes:
    raise FlexBuffersError("not yet")


def loads(data: Any, /, lazy: bool = False) -> Any:
    raise FlexBuffersError("not yet")
