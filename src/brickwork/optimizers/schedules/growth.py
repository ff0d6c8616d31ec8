"""A momentum that grows: small while the gradient still changes fast, large near the goal."""

from __future__ import annotations

from ...arguments import Real, Text, Whole, argument, configured
from .base import LearningRateSchedule


@configured()
class GrowingMomentum(LearningRateSchedule):
    """A momentum that grows from `initial_momentum` towards 1, up to `final_momentum`.

    momentum(step) = min(1 - (1 - initial_momentum) / (1 + floor(step / growth_steps)), final_momentum):
    with the defaults 0.5, 0.75, 0.833, 0.875, ..., a stair each 250 steps, 0.99 after 12,250 of them.

    Parameters
    ----------
    initial_momentum : in [0, 1), default 0.5
    final_momentum : in [0, 1], default 0.99
    growth_steps : whole number of at least 1, default 250
    name : str, default "GrowingMomentum"

    >>> schedule = GrowingMomentum()
    >>> [schedule(step) for step in (0, 249, 250, 750, 12_250, 1_000_000)]
    [0.5, 0.5, 0.75, 0.875, 0.99, 0.99]

    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep
    learning", 2013.
    """

    initial_momentum: float = argument(Real(0.0, 1.0, high_open=True), default=0.5)
    final_momentum: float = argument(Real(0.0, 1.0), default=0.99)
    growth_steps: int = argument(Whole(1), default=250)
    name: str = argument(Text(), default="GrowingMomentum")

    def __call__(self, step: int) -> float:
        """The momentum after `step` updates."""
        stairs = 1 + step // self.growth_steps
        return min(1.0 - (1.0 - self.initial_momentum) / stairs, self.final_momentum)
