"""Writes the seeds and the dictionary of the C fuzz targets: ``make_corpus.py FOLDER``.

Seeds are the vectors, every hand-picked message of the tests in both dialects, and messages from
hypothesis; for the payload codecs, the attributes of those messages; for FlexBuffers, also the
output of other writers. There is one file for each, named after its hash, so that running this
again changes no existing file.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import cbor2  # noqa: E402
import flatbuffers.flexbuffers  # noqa: E402
from autobahn.wamp import message as m  # noqa: E402
from autobahn.wamp.message import Message  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

import support.framework  # noqa: E402, F401
from autobahn_fbs import FlatBuffersObjectSerializer, flexbuffers  # noqa: E402
from support.compare import MESSAGE_CLASSES, attributes_of  # noqa: E402
from support.samples import every_sample  # noqa: E402
from support.strategies import messages_of  # noqa: E402
from support.vectors import VECTORS  # noqa: E402
from support.wirebuild import CODES, schema  # noqa: E402

GENERATED_PER_CLASS = 12
#: Longer seeds slow every run down and add nothing new.
MAX_SEED = 5000
MAX_CBOR_SEED = 200
MAX_FLEX_SEED = 500


def vectors() -> Iterator[bytes]:
    for sample in VECTORS["encoded"]:
        yield bytes.fromhex(sample["bytes_hex"])


def messages() -> list[Message]:
    found = list(every_sample())
    # Large payloads are written in another way than small ones (WFBS_BLOB_MIN).
    found.append(m.Publish(1, "a.b", args=[b"a" * 2100], kwargs={"k": b"b" * 2100}))
    for klass in MESSAGE_CLASSES:

        @seed(0)
        @settings(
            max_examples=GENERATED_PER_CLASS,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(messages_of(klass))
        def collect(msg: Message) -> None:
            found.append(msg)

        collect()
    return found


def envelopes(msgs: list[Message]) -> Iterator[bytes]:
    for dialect in ("autobahn", "schema"):
        serializer = FlatBuffersObjectSerializer(dialect=dialect)
        yield from (serializer.serialize(msg) for msg in msgs)


def payloads(msgs: list[Message]) -> Iterator[bytes]:
    for msg in msgs:
        for value in attributes_of(msg).values():
            with suppress(cbor2.CBOREncodeError):  # roles
                yield cbor2.dumps(value)


def flex_payloads(msgs: list[Message]) -> Iterator[bytes]:
    for msg in msgs:
        for value in attributes_of(msg).values():
            with suppress(TypeError, ValueError):  # roles; ints beyond 64 bits
                yield from (flexbuffers.dumps(value, compact=compact) for compact in (False, True))
    rows: list[Any] = [{"id": i, "name": f"row {i}", "of": {"k": [None, True]}} for i in range(4)]
    for value in (rows, [2**40] * 5, [0.5, 0.1, 1e300], list(range(300)), [[[[]]]], {"": {"": {}}}):
        yield from (flexbuffers.dumps(value, compact=compact) for compact in (False, True))
    yield from google_flex()


def google_flex() -> Iterator[bytes]:
    """Every kind of value, made with the builder of the FlatBuffers package."""
    numbers = (0, 200, -200, 70_000, 2**40, -(2**62))
    for width in (1, 2, 4, 8):
        for add in ("IndirectInt", "IndirectUInt"):
            builder = flatbuffers.flexbuffers.Builder()
            getattr(builder, add)(5, width)
            yield bytes(builder.Finish())
    for number in numbers:
        builder = flatbuffers.flexbuffers.Builder()
        with builder.Vector():
            builder.Int(number)
            builder.IndirectInt(number)
            builder.Float(number / 3)
            builder.IndirectFloat(number / 3)
            builder.Key("key")
            builder.String("string")
            builder.Blob(b"blob")
            builder.Bool(True)
            builder.Null()
        yield bytes(builder.Finish())
        for size in (0, 1, 2, 3, 4, 9):
            for elements in ([number] * size, [number / 3] * size, [True] * size):
                builder = flatbuffers.flexbuffers.Builder()
                builder.TypedVectorFromElements(elements)
                yield bytes(builder.Finish())
                if 2 <= size <= 4 and elements[0] is not True:
                    builder = flatbuffers.flexbuffers.Builder()
                    builder.FixedTypedVectorFromElements(elements)
                    yield bytes(builder.Finish())
    builder = flatbuffers.flexbuffers.Builder()
    with builder.Map():
        builder.Key("keys")
        with builder.TypedVector():
            builder.Key("a")
            builder.Key("a")
        builder.Key("map")
        with builder.Map():
            builder.Key("keys")
            builder.String("keys")
    yield bytes(builder.Finish())


def flex_dictionary() -> Iterator[bytes]:
    """The ends of FlexBuffers: a packed type, and a width if it is the root's."""
    for kind in (*range(27), 36):
        for log in range(4):
            yield bytes([kind << 2 | log])
            yield bytes([kind << 2 | log, 1 << log])
    yield from (struct.pack("<H", n) for n in (0, 1, 2, 255, 2**16 - 1))
    yield from (b"a\0", b"\1a\0", b"\xc3\xa9\0", b"\xed\xa0\x80\0", b"\0\0\xc0\x7f")
    yield from (struct.pack("<Q", n) for n in (8, 2**32, 2**61, 2**63, 2**64 - 8))


def typed_payloads() -> Iterator[bytes]:
    """Buffers of the tests' schemas, preceded by the numbers of the schema and of the table."""
    from autobahn_fbs.typed import Catalog
    from support import typed_samples
    from support.typed_schemas import SCHEMAS

    samples = {
        "basics.Everything": typed_samples.EVERYTHING,
        "unions.Drawing": typed_samples.DRAWING,
    }
    for number, path in enumerate(sorted(SCHEMAS.glob("*.bfbs"))):
        schema = Catalog.load(path, attach=False)._origins[0].schema
        names = sorted((*schema.tables, *schema.structs), key=str.encode)
        for name in schema.tables:
            if name not in schema.refused:
                with suppress(Exception):
                    data = schema.codec(name).encode(samples.get(name, {}))
                    yield bytes([number, names.index(name)]) + data


def schemas() -> Iterator[bytes]:
    """The tests' binary schemas."""
    from support.typed_schemas import SCHEMAS

    yield from (path.read_bytes() for path in sorted(SCHEMAS.glob("*.bfbs")))


def dictionary() -> Iterator[bytes]:
    """Words that mutations alone are unlikely to find."""
    yield from (struct.pack("<I", n) for n in (0, 1, 4, 8, 2**16, 2**31 - 1, 2**31, 2**32 - 4))
    yield from (struct.pack("<i", n) for n in (-4, -8, -(2**31)))
    yield from (struct.pack("<Q", n) for n in (2**53, 2**53 + 1, 2**64 - 1))
    yield from (bytes([tag]) for tag in CODES.values())
    tables, _ = schema()
    for slots in sorted({len(fields) for fields in tables.values()}):  # heads of vtables
        yield struct.pack("<HH", 4 + 2 * slots, 4 + 8 * slots)
        yield struct.pack("<HH", 4 + 2 * slots, 8)
    yield from (b"a.b\0", b"a..b\0", b"a.\0", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")
    yield from (b"\xa0", b"\x80", b"\xa1\x61a\xf6", b"x_")


def keep(folder: Path, seeds: Iterable[bytes], limit: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for data in seeds:
        if len(data) <= limit:
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(len(list(folder.iterdir())), "files in", folder)


def write_dictionary(path: Path, words: Iterable[bytes]) -> None:
    quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in words)
    path.write_text("".join(f'"{word}"\n' for word in dict.fromkeys(quoted)))


def write(folder: Path) -> None:
    """Fills ``seeds``, the seeds of the other targets, and the dictionaries in ``folder``."""
    msgs = messages()
    keep(folder / "seeds", (*vectors(), *envelopes(msgs)), MAX_SEED)
    keep(folder / "seeds-cbor", payloads(msgs), MAX_CBOR_SEED)
    keep(folder / "seeds-flex", flex_payloads(msgs), MAX_FLEX_SEED)
    keep(folder / "seeds-typed", typed_payloads(), MAX_SEED)
    keep(folder / "seeds-schema", schemas(), MAX_SEED)
    write_dictionary(folder / "dictionary", dictionary())
    write_dictionary(folder / "dictionary-flex", flex_dictionary())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write(Path(sys.argv[1]))
