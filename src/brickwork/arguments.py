"""One table of arguments for every public constructor.

A class decorated with `configured` is a dataclass whose fields carry a check (`argument_checks`). The table
drives the conversion of what the user wrote, the error messages, `get_config`, and the tests that draw wrong
values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform

from .argument_checks import (
    Absent,
    Anything,
    Check,
    Choice,
    Converted,
    Either,
    Flag,
    Function,
    Many,
    Maybe,
    Real,
    Text,
    Whole,
)
from .structs import struct

__all__ = [
    "Absent",
    "Anything",
    "Check",
    "Choice",
    "Configured",
    "Converted",
    "Either",
    "Flag",
    "Function",
    "Many",
    "Maybe",
    "Real",
    "Text",
    "Whole",
    "argument",
    "configured",
]

T = TypeVar("T")


def argument(
    check: Check,
    default: Any = dataclasses.MISSING,
    *,
    default_factory: Any = dataclasses.MISSING,
    kw_only: Any = dataclasses.MISSING,
    init: bool = True,
) -> Any:
    """A dataclass field with its check. `default` is not checked again when it is None."""
    if default_factory is not dataclasses.MISSING:
        return dataclasses.field(
            default_factory=default_factory, kw_only=kw_only, init=init, metadata={"check": check}
        )
    return dataclasses.field(default=default, kw_only=kw_only, init=init, metadata={"check": check})


@dataclass_transform(field_specifiers=(argument, dataclasses.field))
def configured(*, frozen: bool = False, eq: bool = False) -> Callable[[type[T]], type[T]]:
    """Make a class a dataclass (see `structs`) that is shown as its configuration."""
    return struct(frozen=frozen, eq=eq, repr=False)


class Configured:
    """Base of the classes made by `configured`: checks its fields, tells its configuration."""

    former_names: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            check = field.metadata.get("check")
            if check is None:
                continue
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            object.__setattr__(self, field.name, check(type(self).__name__, field.name, value))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if field.init
        }

    @classmethod
    def from_config(cls: type[T], config: Mapping[str, Any]) -> T:
        """An object with the arguments that `get_config` told."""
        return cls(**config)

    def __repr__(self) -> str:
        """The class with those arguments that differ from their defaults."""
        parts = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.init and not _is_default(field, value):
                parts.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        default = field.default
        return value is default or (type(value) is type(default) and bool(value == default))
    return False
