"""What a process did with its messages, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from ._backend import native

if TYPE_CHECKING:
    from collections.abc import Mapping


class Counters(TypedDict):
    """What :func:`autobahn_fbs.counters` returns: ints of 0 and more, since the process began."""

    #: Messages that were encoded: new ones, and received ones that somebody changed.
    encoded: int
    #: Messages that gave bytes that they had been serialized to before, as one EVENT for many
    #: subscribers does.
    cache_hits: int
    #: Received messages that nobody changed and that gave the bytes they came in, when they were
    #: serialized again.
    pass_ons: int
    #: ``args`` and ``kwargs`` that were received, each for itself: up to two a message. Encrypted
    #: payloads are not counted; they are handed out as bytes.
    payloads: int
    #: Those of them that were decoded, because somebody read them. Copies of a message are not
    #: counted.
    payloads_decoded: int
    #: Those that were not: so far, or ever, if their message is gone.
    payloads_never_decoded: int
    #: How many messages were refused, by reason. A reason is there once it happened:
    #:
    #: - the rule of verification that a message broke, as ``wfbs_error_code`` in
    #:   ``csrc/core/verify.h`` names it, in lower case: ``"string_utf8"``, ``"uri"``, ``"budget"``;
    #: - ``"metadata"``: the entries beyond the schema's fields are wrong;
    #: - ``"batch"``: the lengths in a batch are;
    #: - ``"payload"``: ``args`` or ``kwargs`` can't be decoded. That is found when somebody reads
    #:   them, and each attempt counts.
    refused: Mapping[str, int]


def counters() -> Counters:
    """What was done with the messages of this process (of this interpreter, where it has several)
    by all serializers together, since the package was loaded.

    To watch a program, take them from time to time and subtract. They cost an addition where
    something happens anyway, and are not a snapshot of one moment while other threads work. With
    free-threaded CPython no addition is lost; with PyPy's threads one may be, now and then.
    What each connection sent and received is in its serializer's ``stats()``.
    """
    found = native.counters()
    refused = found.pop("refused")
    never = found["payloads"] - found["payloads_decoded"]
    reasons = {reason.lower(): number for reason, number in refused.items()}
    return cast(Counters, {**found, "payloads_never_decoded": never, "refused": reasons})
