"""Optimizers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalogue import Catalogue, public_classes
from .base import Optimizer

_CATALOGUE: Catalogue[Optimizer] = Catalogue(
    "optimizer", Optimizer, public_classes("brickwork.optimizers", Optimizer), spell=str.lower
)


def get(identifier: Any) -> Optimizer | None:
    """The optimizer that a name, a class, a configuration or the object itself stands for; None for None.

    >>> get("adam")
    Adam()
    """
    return _CATALOGUE.get(identifier)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """{"class_name", "config"} of the optimizer.

    >>> serialize(get("sgd"))["config"]["learning_rate"]
    0.01
    """
    return _CATALOGUE.serialize(optimizer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Optimizer]] | None = None
) -> Optimizer:
    """The optimizer that `serialize` told; `custom_objects` names classes of your own."""
    return _CATALOGUE.deserialize(config, custom_objects)
