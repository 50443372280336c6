"""Counts what a process does with its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from . import _compatible
from ._backend import native

if TYPE_CHECKING:
    from collections.abc import Mapping


class Counters(TypedDict):
    """The result of :func:`autobahn_fbs.counters`: non-negative ints, counted since the process
    began."""

    #: Messages that were encoded: new ones, and received ones that were changed. The checks of
    #: :func:`autobahn_fbs.install` don't count.
    encoded: int
    #: Messages for which bytes from an earlier serialization were used, for example one EVENT for
    #: many subscribers.
    cache_hits: int
    #: Received messages that were serialized again unchanged, with the bytes that were received.
    pass_ons: int
    #: Received ``args`` and ``kwargs``. They count separately, so a message has up to two.
    #: Encrypted payloads aren't counted, because they are returned as bytes.
    payloads: int
    #: Received ``args`` and ``kwargs`` that were decoded because they were read. Copies of a
    #: message aren't counted.
    payloads_decoded: int
    #: Received ``args`` and ``kwargs`` that haven't been decoded: not yet, or never if their
    #: message no longer exists.
    payloads_never_decoded: int
    #: The number of refused messages, by reason. A reason is present once it has occurred:
    #:
    #: - the verification rule that a message broke, named as the ``wfbs_error_code`` in
    #:   ``csrc/core/errors.h``, in lower case: ``"string_utf8"``, ``"uri"``, ``"budget"``;
    #: - ``"metadata"``: the metadata is invalid;
    #: - ``"batch"``: the lengths in a batch are invalid;
    #: - ``"payload"``: ``args`` or ``kwargs`` can't be decoded. This is detected when they are
    #:   read, and each attempt counts.
    refused: Mapping[str, int]


def counters() -> Counters:
    """Counts what all serializers together did with the messages of this process since the package
    was loaded. If a process has several interpreters, each has its own counters.

    To monitor a program, read the counters from time to time and subtract. The counters are cheap:
    one addition for an operation that is expensive anyway. They are not a consistent snapshot while
    other threads work. On free-threaded CPython, no count is lost. With threads on PyPy, a count
    may occasionally be lost. For what each connection sent and received, use its serializer's
    ``stats()``.
    """
    checks = _compatible.encoded  # read first, because it may grow
    found = native.counters()
    found["encoded"] = max(0, found["encoded"] - checks)  # PyPy may have lost counts
    refused = found.pop("refused")
    never = found["payloads"] - found["payloads_decoded"]
    reasons = {reason.lower(): number for reason, number in refused.items()}
    return cast(Counters, {**found, "payloads_never_decoded": never, "refused": reasons})
