"""Reads bytes from files, and splits them into messages."""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

ENCODINGS = ("auto", "binary", "hex", "base64")
FRAMINGS = ("auto", "message", "batched", "rawsocket")

# The patterns don't backtrack, because a file could otherwise make them take quadratic time.
_HEX = re.compile(rb"(?:0x)?[0-9a-fA-F\s]++\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\s-]++=*+\s*+\Z")

# RawSocket: the first byte of a handshake, and the kinds of frames.
_MAGIC = 0x7F
_REGULAR, _PING, _PONG = 0, 1, 2


class CannotRead(Exception):
    """The input is missing, or doesn't have the given encoding."""


@dataclass(frozen=True)
class Frame:
    """One message in its input: `data` begins at `offset`."""

    offset: int
    data: bytes


@dataclass(frozen=True)
class Fault:
    """An error in the frames, with its position."""

    offset: int
    reason: str


def read(name: str, encoding: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``.

    :raises CannotRead: there is no such file, it is larger than the memory, or it doesn't have the
        given encoding.
    """
    try:
        if name == "-":
            if sys.stdin is None:
                raise CannotRead("standard input is closed")
            raw = sys.stdin.buffer.read()
        else:
            with open(name, "rb") as file:
                raw = file.read()
    except OSError as error:
        raise CannotRead(error.strerror or str(error)) from error
    except ValueError as error:  # a name that contains a zero byte
        raise CannotRead(str(error)) from error
    except MemoryError as error:
        raise CannotRead("too large for the memory") from error
    return decode(raw, encoding)


def decode(raw: bytes, encoding: str) -> bytes:
    """Decodes hexadecimal or base64 text. Messages contain zero bytes, so "auto" can't mistake one
    for text.

    :raises CannotRead: the text doesn't have the given `encoding`.
    """
    if encoding == "auto":
        encoding = "hex" if _HEX.match(raw) else "base64" if _BASE64.match(raw) else "binary"
    try:
        if encoding == "hex":
            return bytes.fromhex(raw.decode("ascii").strip().removeprefix("0x"))
        if encoding == "base64":
            packed = b"".join(raw.split()).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
            return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise CannotRead(f"not {encoding}: {error}") from error
    return raw


def frames(data: bytes, framing: str) -> Iterator[Frame | Fault]:
    """The messages in the bytes, in order; an error is the last item."""
    if framing == "auto":
        framing = _guess(data)
    if framing == "message":
        yield Frame(0, data)
    elif framing == "batched":
        yield from _batched(data)
    else:
        yield from _rawsocket(data)


def _guess(data: bytes) -> str:
    if data[:1] == bytes([_MAGIC]) and data[2:4] == b"\0\0":
        return "rawsocket"
    # A batch and regular RawSocket frames have the same bytes.
    for framing in ("batched", "rawsocket"):
        found = list(frames(data, framing))
        if found and all(isinstance(each, Frame) for each in found):
            return framing
    return "message"


def _batched(data: bytes) -> Iterator[Frame | Fault]:
    """The messages of a batch. Each follows its length: 32 bits, big-endian."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        fault = _length_fault(data, at, size)
        if fault:
            yield fault
            return
        yield Frame(at + 4, data[at + 4 : at + 4 + size])
        at += 4 + size


def _rawsocket(data: bytes) -> Iterator[Frame | Fault]:
    """Frames: a byte for the kind, a length of 24 bits (big-endian), and as many bytes. A handshake
    may come first; ping and pong are skipped."""
    at = 4 if data[:1] == bytes([_MAGIC]) else 0
    while at < len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        if kind not in (_REGULAR, _PING, _PONG):
            yield Fault(at, f"RawSocket frame of unknown kind {kind}")
            return
        fault = _length_fault(data, at, size if kind == _REGULAR else size or 1)
        if fault and not (kind != _REGULAR and size == 0 and len(data) - at >= 4):
            yield fault
            return
        if kind == _REGULAR:
            yield Frame(at + 4, data[at + 4 : at + 4 + size])
        at += 4 + size


def _length_fault(data: bytes, at: int, size: int) -> Fault | None:
    rest = len(data) - at - 4
    if rest < 0:
        return Fault(at, "the input ends within a length")
    if not size:
        return Fault(at, "empty message")
    if size > rest:
        return Fault(at, f"message of {size} bytes, of which {rest} are present")
    return None
