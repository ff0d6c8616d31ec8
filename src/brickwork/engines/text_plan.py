"""Updates by the optimizer's own text, on the models' NumPy arrays: for engines that have no faster form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..data.source import Batch
from .base import Plan, Totals, add_totals, not_finite, require_gradients
from .diagnosis import diagnose, overflowing_update
from .interrupts import uninterrupted, write
from .searching import require_steps_by_gradients, search_step

# Overflow and NaN are looked for after the pass and explained there; NumPy's warnings would only be noise.
QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore", "under": "ignore"}


class TextPlan(Plan):
    """A plan that computes `gradients` in its own way, and updates by what the optimizer states."""

    def apply(
        self, gradients: Mapping[str, Array], rate: float, statistics: Mapping[str, Array] | None = None
    ) -> None:
        """See Plan. The error names the parameter that would not be finite."""
        trainable = {key: self.parameters[key] for key in self.program.trainable}
        require_gradients(gradients, trainable)
        require_steps_by_gradients(self.program)
        with np.errstate(**QUIET):  # type: ignore[arg-type]
            new, slots = self.program.optimizer.update(
                trainable, gradients, self.slots, self.step_number + 1, rate
            )
            new = self.program.constrained(new)
        spoilt = not_finite(new)
        if spoilt is not None:
            raise overflowing_update(self.step_number, rate, spoilt)
        with uninterrupted():
            write(self.parameters, new)
            write(self.statistics, statistics or {})
            self.slots = slots
            self.step_number += 1

    def step(self, batch: Batch, rate: float, totals: Totals | None = None) -> Totals:
        """See Plan."""
        if self.program.optimizer.whole_data:
            return search_step(self, batch, rate, totals)
        found = self.gradients(batch)
        if not np.isfinite(found.total) or not_finite(found.gradients) is not None:
            raise diagnose(
                self.program, self.parameters, self.statistics, batch, self.seed, self.step_number, rate
            )
        after = add_totals(self.program.start() if totals is None else totals, found.totals)
        return self.advance(found.gradients, rate, found.state, after)
