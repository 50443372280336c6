"""The classes of tables and structs, made at run time, and their instances."""

from __future__ import annotations

from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...typed._classes import attribute_names, reduce_instance
from ...typed._helpers import remember, twin
from ...typed.names import unexpected_keyword

if TYPE_CHECKING:
    from .codec import TypedSchema
    from .plan import Field, Object


class TypedTable:
    """The base class of the classes of tables and structs."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    __fbs_name__: ClassVar[str]
    __fbs_schema__: ClassVar[TypedSchema]
    __fbs_fields__: ClassVar[dict[str, str]]
    _layout: ClassVar[Layout]

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        names = cls.__match_args__
        if not names and type(self) is TypedTable:
            raise TypeError("cannot create 'TypedTable' instances")
        if len(args) > len(names):
            raise TypeError(
                f"{cls.__name__}() takes at most {len(names)} arguments ({len(args)} given)"
            )
        for name, value in zip(names, args, strict=False):
            setattr(self, name, value)
        for name, default in cls._layout.defaults[len(args) :]:
            setattr(self, name, kwargs.pop(name, default))
        for name in kwargs:
            if name in names:
                raise TypeError(f"{cls.__name__}() got multiple values for argument {name!r}")
            raise TypeError(f"{cls.__name__}() {unexpected_keyword(name, names)}")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in type(self).__match_args__)

    __hash__ = None  # type: ignore[assignment]

    @recursive_repr()
    def __repr__(self) -> str:
        values = (f"{name}={getattr(self, name)!r}" for name in type(self).__match_args__)
        return f"{type(self).__name__}({', '.join(values)})"

    def __copy__(self) -> Self:
        cls = type(self)
        twin = object.__new__(cls)
        for name in cls.__match_args__:
            setattr(twin, name, getattr(self, name))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from copy import deepcopy

        cls = type(self)
        twin = object.__new__(cls)
        memo[id(self)] = twin
        for name in cls.__match_args__:
            setattr(twin, name, deepcopy(getattr(self, name), memo))
        return twin

    def __replace__(self, /, **changes: Any) -> Self:
        twin = self.__copy__()
        cls = type(self)
        for name, value in changes.items():
            if name not in cls.__match_args__:
                text = unexpected_keyword(name, cls.__match_args__)
                raise TypeError(f"{cls.__name__}() {text}")
            setattr(twin, name, value)
        return twin

    def __reduce__(self) -> Any:
        cls = type(self)
        values = tuple(getattr(self, name) for name in cls.__match_args__)
        own = None if "__fbs_name__" in vars(cls) else cls
        return reduce_instance(cls.__fbs_schema__, cls.__fbs_name__, own, values)

    def to_dict(self) -> dict[str, Any]:
        """All fields that are not None by their names in the schema, including nested ones; enums
        are names, and a union has two entries."""
        from .decode import dict_of

        return dict_of(self)


class Layout:
    """A table or struct of a schema in Python: its class, and its fields with their names."""

    def __init__(self, schema: TypedSchema, of: Object, bound: type | None = None) -> None:
        self.schema = schema
        self.object = of
        self.fields: list[Field] = of.values
        self.names = attribute_names(tuple(field.name for field in self.fields))
        self.defaults = [
            (name, schema.absent(field))
            for name, field in zip(self.names, self.fields, strict=True)
        ]
        self.by_attribute = dict(zip(self.names, self.fields, strict=True))
        self.is_ours = bound is None
        self.type: type = self._make() if bound is None else bound

    def _make(self) -> type:
        """The class; that of an equal type in another schema, if there is one."""
        known: type | None = twin(self.schema, self.object.name)
        if known is not None and issubclass(known, TypedTable):
            return known
        fields = {
            name: field.name
            for name, field in zip(self.names, self.fields, strict=True)
            if name != field.name
        }
        local = self.object.name.rpartition(".")[2]
        made = type(
            local,
            (TypedTable,),
            {
                "__slots__": self.names,
                "__match_args__": self.names,
                "__module__": "autobahn_fbs.typed",
                "__fbs_name__": self.object.name,
                "__fbs_schema__": self.schema,
                "__fbs_fields__": fields,
                "_layout": self,
            },
        )
        remember(self.object.name, made)
        return made

    def new(self, values: list[Any]) -> Any:
        """An instance with these values, in the order of the fields."""
        if not self.is_ours:
            return self.type(**dict(zip(self.names, values, strict=True)))
        cls: Any = self.type
        instance = cls.__new__(cls)
        for name, value in zip(self.names, values, strict=True):
            setattr(instance, name, value)
        return instance
