"""Learning rates that change with the step.

A schedule is a function of the number of updates made so far: 0 before the first one. It is evaluated in
Python, in float64; engines receive the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._lazy import suggest
from ..arguments import Configured, Flag, Maybe, Real, Text, Whole, argument, configured
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


@configured()
class CosineDecay(LearningRateSchedule):
    """Half a cosine from the first rate down to a part of it; before it, if asked, a straight line up.

    rate(step) = r * ((1 - alpha) * (1 + cos(pi * min(s / decay_steps, 1))) / 2 + alpha). Without warm-up,
    s = step and r = initial_learning_rate. With `warmup_target` the rate first goes from
    initial_learning_rate to it in `warmup_steps` steps; then r = warmup_target and s = step - warmup_steps.
    (Formula and arguments as in Keras 3; Loshchilov and Hutter, "SGDR", 2017, without the restarts.)

    Parameters
    ----------
    initial_learning_rate : number of at least 0
    decay_steps : whole number of at least 1
    alpha : the last rate as a part of the first, number of at least 0, default 0
    name : str, default "CosineDecay"
    warmup_target : None (default: no warm-up) or number of at least 0
    warmup_steps : whole number of at least 0, default 0

    >>> CosineDecay(0.1, decay_steps=100)(50)
    0.05
    """

    initial_learning_rate: float = argument(Real(0.0))
    decay_steps: int = argument(Whole(1))
    alpha: float = argument(Real(0.0), default=0.0)
    name: str = argument(Text(), default="CosineDecay")
    warmup_target: float | None = argument(Maybe(Real(0.0)), default=None)
    warmup_steps: int = argument(Whole(0), default=0)

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        first = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return first + (self.warmup_target - first) * step / self.warmup_steps
            first, step = self.warmup_target, step - self.warmup_steps
        part = (1.0 + math.cos(math.pi * min(step / self.decay_steps, 1.0))) / 2.0
        return first * ((1.0 - self.alpha) * part + self.alpha)


_CATALOGUE: Catalogue[LearningRateSchedule] = Catalogue(
    "learning rate schedule", LearningRateSchedule, (CosineDecay, ExponentialDecay)
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
