"""Schedules by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...catalogue import Catalogue, public_classes
from .base import LearningRateSchedule

_CATALOGUE: Catalogue[LearningRateSchedule] = Catalogue(
    "learning rate schedule",
    LearningRateSchedule,
    public_classes("brickwork.optimizers.schedules", LearningRateSchedule),
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """{"class_name", "config"} of the schedule.

    >>> from brickwork.optimizers.schedules import ExponentialDecay
    >>> serialize(ExponentialDecay(0.1, 10, 0.5))["class_name"]
    'ExponentialDecay'
    """
    return _CATALOGUE.serialize(learning_rate_schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[LearningRateSchedule]] | None = None
) -> LearningRateSchedule:
    """The schedule that `serialize` told; `custom_objects` names classes of your own."""
    return _CATALOGUE.deserialize(config, custom_objects)
