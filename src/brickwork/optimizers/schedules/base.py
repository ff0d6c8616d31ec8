"""What every schedule is: a function of the step."""

from __future__ import annotations

from ...arguments import Configured, configured


@configured()
class LearningRateSchedule(Configured):
    """Base of all schedules: a subclass writes `__call__(step)`, which gives the number as a float."""

    def __call__(self, step: int) -> float:
        """The number after `step` updates."""
        raise NotImplementedError(f"{type(self).__name__} states no __call__(step)")
