"""Data classes without generated code.

`dataclasses.dataclass` writes the source of each class's `__init__`, `__eq__`, `__hash__`, `__repr__` and
`__setattr__` and compiles it, which takes a third of a millisecond and more. A network's first training step
meets 150 such classes and would wait longer for their methods than for its own arithmetic; `struct` has these
methods here once. What it makes is a dataclass in all else: `fields`, `replace`, `inspect.signature`.
"""

from __future__ import annotations

import dataclasses
import inspect
import reprlib
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

from .errors import ParameterTypeError, did_you_mean, known_names

T = TypeVar("T")

_Fields = tuple[dataclasses.Field[Any], ...]


@dataclass_transform(field_specifiers=(dataclasses.field,))
def struct(*, frozen: bool = False, eq: bool = True, repr: bool = True) -> Callable[[type[T]], type[T]]:
    """Make a class a dataclass; its `__init__` names the nearest argument when it meets an unknown one.

    `frozen`, `eq` and `repr` are those of `dataclasses.dataclass`. Methods that the class states itself stay.

    >>> @struct(frozen=True)
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> Point(2.0), Point(2.0) == Point(x=2.0), hash(Point(2.0)) == hash(Point(2.0))
    (Point(x=2.0, y=0.0), True, True)
    """

    def decorate(cls: type[T]) -> type[T]:
        own = dict(vars(cls))
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        fields = dataclasses.fields(made)
        methods: dict[str, Any] = {"__init__": _init(made, fields, frozen)}
        if repr:
            methods["__repr__"] = _repr
        if eq:
            methods |= _comparison([field.name for field in fields if field.compare], frozen)
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        for name, method in methods.items():
            if own.get(name) is None:
                setattr(made, name, method)
        made.__signature__ = _Signature(made.__init__, fields)
        return cls

    return decorate


def _init(cls: type, fields: _Fields, frozen: bool) -> Callable[..., None]:
    names = frozenset(field.name for field in fields if field.init)
    positional = [field.name for field in fields if field.init and not field.kw_only]
    needed = {field.name for field in fields if _is_needed(field)}
    # A field that the constructor does not take and that has a default is left to the class.
    first = {f.name: f.default for f in fields if f.init or f.default is dataclasses.MISSING}
    factories = {f.name: f.default_factory for f in fields if f.default_factory is not dataclasses.MISSING}
    finishes = hasattr(cls, "__post_init__")

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(positional, args, strict=False)) | kwargs
        if len(given) < len(args) + len(kwargs) or not needed <= given.keys() <= names:
            raise _misfit(type(self), fields, args, kwargs)
        values = first | given
        for name, make in factories.items():
            if name not in given:
                values[name] = make()
        if frozen:
            vars(self).update(values)
        else:
            for name, value in values.items():
                setattr(self, name, value)
        if finishes:
            self.__post_init__()

    return __init__


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return field.init and missing


def _misfit(cls: type, fields: _Fields, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ParameterTypeError:
    """The error for arguments that are unknown, too many, given twice or missing."""
    owner = cls.__name__
    names = [field.name for field in fields if field.init]
    for name in kwargs:
        if name not in names:
            return _unknown(cls, name, names)
    positional = [field.name for field in fields if field.init and not field.kw_only]
    if len(args) > len(positional):
        return ParameterTypeError(
            f"{owner} takes at most {len(positional)} positional arguments ({', '.join(positional)}); "
            f"it received {len(args)}. Name the others."
        )
    twice = [name for name in positional[: len(args)] if name in kwargs]
    if twice:
        return ParameterTypeError(
            f"{owner} takes `{twice[0]}` once; it received it by position and by name. Drop one of them."
        )
    given = {*positional[: len(args)], *kwargs}
    missing = [field.name for field in fields if _is_needed(field) and field.name not in given]
    return ParameterTypeError(
        f"{owner} needs {', '.join(f'`{name}`' for name in missing)}; it received nothing for it. "
        f"Write {owner}({', '.join(f'{name}=…' for name in missing)})."
    )


def _unknown(cls: type, name: str, names: list[str]) -> ParameterTypeError:
    old: Mapping[str, str] = getattr(cls, "former_names", {})
    if old.get(name) in names:
        hint = f" `{name}` is a name of an earlier Keras; today it is `{old[name]}`."
    else:
        hint = did_you_mean(name, names)
    return ParameterTypeError(
        f"{cls.__name__} takes the arguments {known_names(names, 24)}; it received `{name}`.{hint}"
    )


def _comparison(names: list[str], frozen: bool) -> dict[str, Any]:
    """Equality by the values of these fields; what is equal and cannot change has the same hash."""
    values = attrgetter("__class__", *names)

    def __eq__(self: Any, other: Any) -> Any:
        if type(self) is not type(other):
            return NotImplemented
        return values(self) == values(other)

    def __hash__(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__ if frozen else None}


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    values = [f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr]
    return f"{type(self).__qualname__}({', '.join(values)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


class _Made:
    """Stands in a signature for a default that is made anew for each object."""

    def __repr__(self) -> str:
        return "<factory>"


class _Signature:
    """`__signature__` of a struct, made when it is asked for."""

    def __init__(self, init: Callable[..., None], fields: _Fields) -> None:
        self._init = init
        self._fields = fields

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None or owner.__init__ is not self._init:  # type: ignore[misc]
            raise AttributeError("__signature__")  # an object's, or that of an `__init__` written by hand
        taken = [field for field in self._fields if field.init]
        return inspect.Signature([_parameter(f) for f in sorted(taken, key=lambda f: bool(f.kw_only))])


def _parameter(field: dataclasses.Field[Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY if field.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    default: Any = inspect.Parameter.empty if _is_needed(field) else field.default
    if default is dataclasses.MISSING:
        default = _Made()
    return inspect.Parameter(field.name, kind, default=default, annotation=field.type)
