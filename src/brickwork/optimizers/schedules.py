"""Learning rates that change with the step.

A schedule is a function of the number of updates made so far: 0 before the first one. It is evaluated in
Python, in float64; engines receive the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._lazy import suggest
from ..arguments import Configured, Flag, Real, Text, Whole, argument, configured
from ..catalogue import Catalogue


@configured()
class LearningRateSchedule(Configured):
    """Base of all schedules: a subclass writes `__call__(step)`, which gives the rate as a float."""

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        raise NotImplementedError(f"{type(self).__name__} states no __call__(step)")


@configured()
class ExponentialDecay(LearningRateSchedule):
    """Multiply the rate by `decay_rate` every `decay_steps` steps.

    rate(step) = initial_learning_rate * decay_rate ** (step / decay_steps); with `staircase`, the exponent
    is rounded down. (Formula and arguments as in Keras 3.)

    Parameters
    ----------
    initial_learning_rate : number of at least 0
    decay_steps : whole number of at least 1
    decay_rate : number above 0
    staircase : bool, default False
    name : str, default "ExponentialDecay"

    >>> ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)(200)
    0.025
    """

    initial_learning_rate: float = argument(Real(0.0))
    decay_steps: int = argument(Whole(1))
    decay_rate: float = argument(Real(0.0, low_open=True))
    staircase: bool = argument(Flag(), default=False)
    name: str = argument(Text(), default="ExponentialDecay")

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        exponent = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            math.floor(exponent) if self.staircase else exponent
        )


_CATALOGUE: Catalogue[LearningRateSchedule] = Catalogue(
    "learning rate schedule", LearningRateSchedule, (ExponentialDecay,)
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """{"class_name", "config"} of the schedule.

    >>> serialize(ExponentialDecay(0.1, 10, 0.5))["class_name"]
    'ExponentialDecay'
    """
    return _CATALOGUE.serialize(learning_rate_schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[LearningRateSchedule]] | None = None
) -> LearningRateSchedule:
    """The schedule that `serialize` told; `custom_objects` names classes of your own."""
    return _CATALOGUE.deserialize(config, custom_objects)


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
