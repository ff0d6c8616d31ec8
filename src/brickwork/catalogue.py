"""Objects by name: what `get("adam")`, `serialize` and `deserialize` of a Keras sub-module do.

Initializers, optimizers, schedules, metrics, regularizers and constraints each have one catalogue.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from .errors import ParameterError, ParameterTypeError, did_you_mean, known_names

T = TypeVar("T")


def snake_case(name: str) -> str:
    """The lower-case form of a class name, as Keras writes it.

    >>> snake_case("GlorotUniform"), snake_case("L1L2"), snake_case("SGD")
    ('glorot_uniform', 'l1l2', 'sgd')
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def public_classes(package: str, base: type[T]) -> list[type[T]]:
    """The classes of one kind among a package's public names; what stands beside `base` is none of them.

    >>> from brickwork.optimizers import Optimizer
    >>> public_classes("brickwork.optimizers", Optimizer)[0]
    <class 'brickwork.optimizers.accumulating.Adadelta'>
    """
    room = importlib.import_module(package)
    # By their names, since the package's functions may not be there yet: `lookup` makes them from this.
    public = [getattr(room, name) for name in room.__all__ if name[0].isupper()]
    kinds = [thing for thing in public if isinstance(thing, type) and issubclass(thing, base)]
    return [kind for kind in kinds if kind.__module__ != base.__module__]


class Catalogue(Generic[T]):
    """The classes of one kind under their names, with other spellings in `aliases`.

    `spell` makes of a class name the one that is shown; every name is also found in any case.
    """

    def __init__(
        self,
        kind: str,
        base: type[T],
        classes: Iterable[type[T]],
        aliases: Mapping[str, type[T]] | None = None,
        spell: Callable[[str], str] = snake_case,
    ) -> None:
        self.kind = kind
        self.base = base
        self.names: dict[str, type[T]] = {spell(cls.__name__): cls for cls in classes}
        self._all = {
            **self.names,
            **{cls.__name__: cls for cls in self.names.values()},
            **(aliases or {}),
        }

    def get(self, identifier: Any) -> T | None:
        """The object that a name, a class, a configuration or the object itself stands for; None for None."""
        if identifier is None or isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, str):
            return self.find(identifier)()
        if isinstance(identifier, type) and issubclass(identifier, self.base):
            return identifier()
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        raise ParameterTypeError(
            f"{self._expected()}; got {identifier!r} of type {type(identifier).__name__}."
        )

    def find(self, name: Any, custom_objects: Mapping[str, type[T]] | None = None) -> type[T]:
        """The class of that name."""
        known = {**self._all, **(custom_objects or {})}
        found = known.get(name) or known.get(str(name).lower())
        if found is None:
            hint = did_you_mean(str(name).lower(), known)
            raise ParameterError(f"{self._expected()}; got {name!r}.{hint}")
        return found

    def serialize(self, thing: Any) -> dict[str, Any]:
        """{"class_name", "config"} of the object, for JSON."""
        if not isinstance(thing, self.base):
            raise ParameterTypeError(
                f"Only {self._article()} can be serialized here; got {thing!r} of type "
                f"{type(thing).__name__}. Pass an instance of {self.base.__name__}."
            )
        return {"class_name": type(thing).__name__, "config": thing.get_config()}  # type: ignore[attr-defined]

    def deserialize(
        self, config: Mapping[str, Any], custom_objects: Mapping[str, type[T]] | None = None
    ) -> T:
        """The object that `serialize` told; classes of the user's own are named in `custom_objects`."""
        if not isinstance(config, Mapping) or "class_name" not in config:
            raise ParameterError(
                f"The configuration of {self._article()} must be a dict with 'class_name' and 'config'; "
                f"got {config!r}. Write what serialize() gave."
            )
        cls = self.find(config["class_name"], custom_objects)
        made: T = cls.from_config(config.get("config") or {})  # type: ignore[attr-defined]
        return made

    def _article(self) -> str:
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}"

    def _expected(self) -> str:
        name = self._article()
        return (
            f"{name[0].upper()}{name[1:]} must be one of {known_names(self.names, 24)}, "
            f"or {'an' if self.base.__name__[0] in 'AEIO' else 'a'} {self.base.__name__}, or its class"
        )
