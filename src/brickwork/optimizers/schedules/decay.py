"""Rates that fall: by a factor, along a line or a power, by the inverse of time, in steps."""

from __future__ import annotations

import math
from typing import Any

from ...arguments import Flag, Many, Maybe, Real, Text, Whole, argument, configured
from ...errors import ParameterError
from .base import LearningRateSchedule


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
class InverseTimeDecay(LearningRateSchedule):
    """Divide the rate by one more `decay_rate` every `decay_steps` steps.

    rate(step) = initial_learning_rate / (1 + decay_rate * step / decay_steps); with `staircase`,
    step / decay_steps is rounded down. (Formula and arguments as in Keras 3; Robbins and Monro, 1951, ask
    for such rates: their sum is infinite, that of their squares is not.)

    Parameters
    ----------
    initial_learning_rate : number of at least 0
    decay_steps : number above 0
    decay_rate : number of at least 0
    staircase : bool, default False
    name : str, default "InverseTimeDecay"

    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(30)
    0.025
    """

    initial_learning_rate: float = argument(Real(0.0))
    decay_steps: float = argument(Real(0.0, low_open=True))
    decay_rate: float = argument(Real(0.0))
    staircase: bool = argument(Flag(), default=False)
    name: str = argument(Text(), default="InverseTimeDecay")

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        time = step / self.decay_steps
        return self.initial_learning_rate / (
            1.0 + self.decay_rate * (math.floor(time) if self.staircase else time)
        )


@configured()
class PolynomialDecay(LearningRateSchedule):
    """A power of the steps that are left, from the first number to the last one; then constant.

    rate(step) = (initial - end) * (1 - min(step, decay_steps) / decay_steps) ** power + end. With `cycle`,
    decay_steps is replaced by its first multiple that is not below step, so that the rate rises again and
    falls ever slower. (Formula and arguments as in Keras 3.)

    Parameters
    ----------
    initial_learning_rate : number of at least 0
    decay_steps : whole number of at least 1
    end_learning_rate : number of at least 0, default 0.0001
    power : number of at least 0, default 1.0
    cycle : bool, default False
    name : str, default "PolynomialDecay"

    >>> PolynomialDecay(0.1, decay_steps=100, end_learning_rate=0.0, power=2.0)(50)
    0.025
    """

    initial_learning_rate: float = argument(Real(0.0))
    decay_steps: int = argument(Whole(1))
    end_learning_rate: float = argument(Real(0.0), default=0.0001)
    power: float = argument(Real(0.0), default=1.0)
    cycle: bool = argument(Flag(), default=False)
    name: str = argument(Text(), default="PolynomialDecay")

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        steps = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = 1.0 - min(step, steps) / steps
        first, last = self.initial_learning_rate, self.end_learning_rate
        return (first - last) * math.pow(left, self.power) + last


@configured()
class LinearDecay(LearningRateSchedule):
    """A straight line from the first number to the last one, reached after `decay_steps`; then constant.

    rate(step) = (1 - a) * initial_learning_rate + a * end_learning_rate, a = min(step / decay_steps, 1).

    Parameters
    ----------
    initial_learning_rate : number of at least 0
    decay_steps : whole number of at least 1, the textbook's tau
    end_learning_rate : number of at least 0; default None: a hundredth of the first one
    name : str, default "LinearDecay"

    >>> [LinearDecay(0.1, decay_steps=10)(step) for step in (0, 10, 1000)]
    [0.1, 0.001, 0.001]

    Goodfellow, Bengio and Courville, "Deep Learning", 2016, equation 8.14, and its advice for the last rate.
    """

    initial_learning_rate: float = argument(Real(0.0))
    decay_steps: int = argument(Whole(1))
    end_learning_rate: float | None = argument(Maybe(Real(0.0)), default=None)
    name: str = argument(Text(), default="LinearDecay")

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        first, last = self.initial_learning_rate, self.end_learning_rate
        part = min(step / self.decay_steps, 1.0)
        return (1.0 - part) * first + part * (first / 100 if last is None else last)


@configured()
class PiecewiseConstantDecay(LearningRateSchedule):
    """Constant between boundaries.

    rate(step) = values[i], i being the number of boundaries below step: values[0] up to and with
    boundaries[0]. (Arguments as in Keras 3.)

    Parameters
    ----------
    boundaries : increasing numbers of at least 0, at least one
    values : numbers of at least 0, one more than boundaries
    name : str, default "PiecewiseConstant"

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    >>> [schedule(step) for step in (0, 10, 11, 21)]
    [0.1, 0.1, 0.01, 0.001]
    """

    boundaries: Any = argument(Many(Real(0.0)))
    values: Any = argument(Many(Real(0.0)))
    name: str = argument(Text(), default="PiecewiseConstant")

    def __post_init__(self) -> None:
        super().__post_init__()
        edges = self.boundaries
        if not edges or any(left >= right for left, right in zip(edges, edges[1:], strict=False)):
            raise ParameterError(
                f"PiecewiseConstantDecay: `boundaries` must be increasing numbers, at least one; got "
                f"boundaries={edges!r}. Without any, pass the number as learning_rate."
            )
        if len(self.values) != len(edges) + 1:
            raise ParameterError(
                f"PiecewiseConstantDecay: `values` must be one more than the {len(edges)} boundaries; got "
                f"values={self.values!r}, {len(self.values)} of them. The last one holds "
                f"behind the last boundary."
            )

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        value: float = self.values[sum(step > edge for edge in self.boundaries)]
        return value
