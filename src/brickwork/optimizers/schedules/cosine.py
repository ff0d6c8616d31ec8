"""Rates along half a cosine, once or again and again."""

from __future__ import annotations

import math

from ...arguments import Maybe, Real, Text, Whole, argument, configured
from .base import LearningRateSchedule


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


@configured()
class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine down, then up at once and down again, in periods that grow.

    Period i = 0, 1, ... lasts first_decay_steps * t_mul^i steps; at the share s of it that is done,
    rate = initial_learning_rate * ((1 - alpha) * m_mul^i * (1 + cos(pi * s)) / 2 + alpha).
    (Formula and arguments as in Keras 3; Loshchilov and Hutter, "SGDR", 2017.)

    Parameters
    ----------
    initial_learning_rate : number of at least 0
    first_decay_steps : whole number of at least 1
    t_mul : number of at least 1, default 2.0
    m_mul : number of at least 0, default 1.0
    alpha : the lowest rate as a part of the first, number of at least 0, default 0.0
    name : str, default "SGDRDecay"

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> [round(schedule(step), 4) for step in (0, 5, 9, 10, 20, 29, 30)]
    [0.1, 0.05, 0.0024, 0.1, 0.05, 0.0006, 0.1]
    """

    initial_learning_rate: float = argument(Real(0.0))
    first_decay_steps: int = argument(Whole(1))
    t_mul: float = argument(Real(1.0), default=2.0)
    m_mul: float = argument(Real(0.0), default=1.0)
    alpha: float = argument(Real(0.0), default=0.0)
    name: str = argument(Text(), default="SGDRDecay")

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        if self.t_mul == 1.0:
            period, done = divmod(step, self.first_decay_steps)
            share = done / self.first_decay_steps
        else:
            period, begin, length = 0, 0.0, float(self.first_decay_steps)
            while step >= begin + length:  # a logarithm would put steps near a restart on the wrong side
                period, begin, length = period + 1, begin + length, length * self.t_mul
            share = (step - begin) / length
        part = self.m_mul**period * (1.0 + math.cos(math.pi * share)) / 2.0
        return self.initial_learning_rate * ((1.0 - self.alpha) * part + self.alpha)
