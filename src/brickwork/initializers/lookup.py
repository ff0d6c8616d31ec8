"""Initializers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalogue import Catalogue
from .base import FromFunction, Initializer
from .constants import Constant, Ones, Zeros
from .distributions import RandomNormal, RandomUniform, TruncatedNormal
from .orthogonal import Orthogonal
from .reshaped import Reshaped
from .scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

_CATALOGUE: Catalogue[Initializer] = Catalogue(
    "initializer",
    Initializer,
    (
        Zeros,
        Ones,
        Constant,
        RandomNormal,
        TruncatedNormal,
        RandomUniform,
        VarianceScaling,
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LecunUniform,
        LecunNormal,
        Orthogonal,
        Reshaped,
    ),
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

    >>> serialize(Constant(2.0))
    {'class_name': 'Constant', 'config': {'value': 2.0}}
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
