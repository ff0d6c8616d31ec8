"""Initializers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalogue import Catalogue, public_classes
from .base import FromFunction, Initializer
from .constants import Ones, Zeros
from .distributions import RandomNormal, RandomUniform
from .reshaped import Reshaped

_CATALOGUE: Catalogue[Initializer] = Catalogue(
    "initializer",
    Initializer,
    [*public_classes("brickwork.initializers", Initializer), Reshaped],
    {"normal": RandomNormal, "uniform": RandomUniform, "one": Ones, "zero": Zeros},
)


def get(identifier: Any) -> Initializer | None:
    """The initializer that a name, class, configuration, function or the object itself stands for.

    None gives None. Raises ParameterError for an unknown name, naming the known ones.

    >>> get("he_normal")
    HeNormal()
    """
    known = identifier is None or isinstance(identifier, (Initializer, type, str, Mapping))
    if not known and callable(identifier):
        return FromFunction(identifier)
    return _CATALOGUE.get(identifier)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """{"class_name", "config"} of the initializer.

    >>> serialize(get("constant"))
    {'class_name': 'Constant', 'config': {'value': 0.0}}
    """
    return _CATALOGUE.serialize(initializer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Initializer]] | None = None
) -> Initializer:
    """The initializer that `serialize` told; `custom_objects` names classes of your own.

    >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}})
    Constant(value=2.0)
    """
    return _CATALOGUE.deserialize(config, custom_objects)
