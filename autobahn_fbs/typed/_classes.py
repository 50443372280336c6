"""Work that csrc/cpython/typed leaves to Python: creating classes, pickling instances, and texts of
errors about unknown names."""

from __future__ import annotations

import keyword
from typing import Any

from ._helpers import make_enum as make_enum
from ._helpers import reflection, remember, twin, unpickle
from .names import UnknownName
from .names import no_field as no_field
from .names import no_member as no_member
from .names import no_value as no_value
from .names import unexpected_keyword as unexpected_keyword
from .names import unknown_path as _unknown_path
from .names import wrong_text as wrong_text

#: Names that fields can't have in Python, besides names like ``__this__``: they are attributes or
#: methods of an instance or a lazy table.
_TAKEN = set(dir(object)) | {"to_dict", "decode", "mro", "_layout"}


def unknown_path(schema: Any, table: str, path: str) -> UnknownName:
    """The error for a path that a table doesn't have."""
    return _unknown_path(reflection(schema), table, path)


def attribute_of(name: str) -> str:
    """A field's name in Python: with an underscore appended if it is a keyword or taken, or if a
    class would mangle it."""
    special = name.startswith("__") and name.endswith("__")  # Python gives such names a meaning
    if keyword.iskeyword(name) or name in _TAKEN or special:
        return f"{name}_"
    return f"{name}__" if name.startswith("__") else name


def attribute_names(wire: tuple[str, ...]) -> tuple[str, ...]:
    """The Python names of a table's fields, without duplicates: a changed name gets more
    underscores if another field has it."""
    names: list[str] = []
    used = set(wire)
    for name in wire:
        ours = attribute_of(name)
        while ours != name and ours in used:
            ours += "_"
        used.add(ours)
        names.append(ours)
    return tuple(names)


def make_class(
    meta: Any, base: Any, schema: Any, name: str, wire: tuple[str, ...], names: tuple[str, ...]
) -> Any:
    """Creates the class of a table or struct; returns that of an equal type in another schema, if
    there is one."""
    known = twin(schema, name)
    if known is not None:
        return known
    different = {ours: theirs for ours, theirs in zip(names, wire, strict=True) if ours != theirs}
    made = meta(
        name.rpartition(".")[2],
        (base,),
        {
            "__slots__": names,
            "__match_args__": names,
            "__module__": "autobahn_fbs.typed",
            "__fbs_name__": name,
            "__fbs_schema__": schema,
            "__fbs_fields__": different,
        },
    )
    remember(name, made)
    return made


def can_fill(cls: type, names: tuple[str, ...], table: str) -> bool:
    """Whether instances of a user's class can be created by filling its slots, without a call.

    :param names: the attributes that it needs for the table or struct.

    :raises TypeError: the class lacks one of the fields.
    """
    known = set(dir(cls))
    for base in cls.__mro__:
        known |= set(getattr(base, "__annotations__", ()))
    for name in names:
        if name not in known:
            raise TypeError(f"{cls.__name__} has no attribute {name!r} of {table}")
    if hasattr(cls, "__fbs_fields__"):  # the class of another schema
        return cls.__match_args__ == names  # type: ignore[attr-defined, no-any-return]
    fields: Any = getattr(cls, "__struct_fields__", None) or getattr(
        cls, "__dataclass_fields__", ()
    )
    return set(fields) == set(names) and not hasattr(cls, "__post_init__")


def reduce_instance(schema: Any, name: str, cls: Any, values: tuple[Any, ...]) -> Any:
    """For ``__reduce__``: refers to the schema's bytes and the name. A class that the user derived
    is found by its own name."""
    if cls is not None:
        return cls, values
    return unpickle, (schema.data, schema.words, name, values)


def reduce_schema(data: bytes, words: str) -> Any:
    from ._helpers import schema

    return schema, (data, words)


def _codec(schema: Any, name: str, limits: tuple[int, int, int, int] | None) -> Any:
    codec = schema.codec(name)
    return codec if limits is None else codec.limited(limits)


def reduce_codec(schema: Any, name: str, limits: tuple[int, int, int, int] | None) -> Any:
    """For ``__reduce__``. Without limits, the copy of a codec is the schema's own one."""
    return _codec, (schema, name, limits)
