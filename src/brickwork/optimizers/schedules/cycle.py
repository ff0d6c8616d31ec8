"""One cycle: the rate rises and falls once in a training, the momentum falls and rises."""

from __future__ import annotations

import math

from ...arguments import Choice, Flag, Real, Text, Whole, argument, configured
from ...errors import ParameterError
from .base import LearningRateSchedule

_SHARE = Real(0.0, 1.0, low_open=True, high_open=True)
_SHAPE = Choice(("cos", "linear"))


def _between(first: float, last: float, part: float, shape: str) -> float:
    """From the first number to the last one, along half a cosine or a line."""
    return first + (last - first) * ((1.0 - math.cos(math.pi * part)) / 2.0 if shape == "cos" else part)


def _turns(total: int, share: float, three_phase: bool) -> tuple[float, ...]:
    """The steps at which the phases end."""
    up = share * total - 1.0
    return (up, 2.0 * up, total - 1.0) if three_phase else (up, total - 1.0)


def _along(step: int, ends: tuple[float, ...], numbers: tuple[float, ...], shape: str) -> float:
    begin = 0.0
    for end, first, last in zip(ends, numbers, numbers[1:], strict=False):
        if step <= end and begin < end:
            return _between(first, last, (step - begin) / (end - begin), shape)
        begin = max(begin, end)  # a phase shorter than a step ends where it begins
    return numbers[-1]


def _require_room(owner: str, share: float, three_phase: bool) -> None:
    if three_phase and share > 0.5:
        raise ParameterError(
            f"{owner}: `pct_start` must be in (0, 0.5] with three_phase=True, since the rate falls for as "
            f"long as it rises; got pct_start={share}."
        )


@configured()
class OneCycle(LearningRateSchedule):
    """The rate rises to its maximum, then falls far below where it began: one cycle in a whole training.

    It begins at max_learning_rate / div_factor, is at max_learning_rate after pct_start * total_steps steps
    and ends at a final_div_factor-th of where it began, along half cosines or lines. With `three_phase` it
    is back where it began after as many steps again, and falls to the last rate from there. (The numbers are
    those of PyTorch's OneCycleLR; after total_steps the last rate stays.)

    Parameters
    ----------
    max_learning_rate : number of at least 0
    total_steps : whole number of at least 2: epochs * steps per epoch
    pct_start : share of the steps in which it rises, in (0, 1), default 0.3
    anneal_strategy : "cos" (default) or "linear"
    div_factor : number above 0, default 25.0
    final_div_factor : number above 0, default 1e4
    three_phase : bool, default False
    name : str, default "OneCycle"

    >>> schedule = OneCycle(1.0, total_steps=101)
    >>> [round(schedule(step), 4) for step in (0, 10, 29, 30, 65, 100)]
    [0.04, 0.2905, 0.9998, 0.9998, 0.4922, 0.0]

    Smith and Topin, "Super-Convergence", 2018.
    """

    max_learning_rate: float = argument(Real(0.0))
    total_steps: int = argument(Whole(2))
    pct_start: float = argument(_SHARE, default=0.3)
    anneal_strategy: str = argument(_SHAPE, default="cos")
    div_factor: float = argument(Real(0.0, low_open=True), default=25.0)
    final_div_factor: float = argument(Real(0.0, low_open=True), default=1e4)
    three_phase: bool = argument(Flag(), default=False)
    name: str = argument(Text(), default="OneCycle")

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_room("OneCycle", self.pct_start, self.three_phase)

    def __call__(self, step: int) -> float:
        """The learning rate after `step` updates."""
        top = self.max_learning_rate
        low = top / self.div_factor
        last = low / self.final_div_factor
        numbers = (low, top, low, last) if self.three_phase else (low, top, last)
        return _along(
            step, _turns(self.total_steps, self.pct_start, self.three_phase), numbers, self.anneal_strategy
        )


@configured()
class OneCycleMomentum(LearningRateSchedule):
    """The momentum of one cycle: it falls while the rate of `OneCycle` rises, and rises while that falls.

    Parameters
    ----------
    total_steps, pct_start, anneal_strategy, three_phase : as those of the `OneCycle` beside it
    base_momentum : the lowest one, in [0, 1], default 0.85
    max_momentum : the first and last one, in [0, 1], default 0.95
    name : str, default "OneCycleMomentum"

    >>> schedule = OneCycleMomentum(total_steps=101)
    >>> [round(schedule(step), 4) for step in (0, 29, 100)]
    [0.95, 0.85, 0.95]

    Smith and Topin, "Super-Convergence", 2018.
    """

    total_steps: int = argument(Whole(2))
    pct_start: float = argument(_SHARE, default=0.3)
    anneal_strategy: str = argument(_SHAPE, default="cos")
    base_momentum: float = argument(Real(0.0, 1.0), default=0.85)
    max_momentum: float = argument(Real(0.0, 1.0), default=0.95)
    three_phase: bool = argument(Flag(), default=False)
    name: str = argument(Text(), default="OneCycleMomentum")

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_room("OneCycleMomentum", self.pct_start, self.three_phase)

    def __call__(self, step: int) -> float:
        """The momentum after `step` updates."""
        low, high = self.base_momentum, self.max_momentum
        numbers = (high, low, high, high) if self.three_phase else (high, low, high)
        return _along(
            step, _turns(self.total_steps, self.pct_start, self.three_phase), numbers, self.anneal_strategy
        )
