"""Steps of optimizers that look at E more than once, as L-BFGS along its line: by any plan's gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.source import Batch
from ..errors import ParameterError
from .base import Plan, Program, Totals, add_totals, not_finite
from .diagnosis import diagnose, overflowing_update
from .interrupts import uninterrupted, write


def search_step(plan: Plan, batch: Batch, rate: float, totals: Totals | None = None) -> Totals:
    """One step of such an optimizer, as `Plan.step`; losses and statistics are those before it."""
    program, optimizer = plan.program, plan.program.optimizer
    if program.constraints:
        raise ParameterError(
            f"{type(optimizer).__name__} searches along lines, which constraints would bend; "
            f"{next(iter(program.constraints))!r} has one. Leave it out, or take another optimizer."
        )
    found = plan.gradients(batch)
    if not np.isfinite(found.total) or not_finite(found.gradients) is not None:
        raise diagnose(program, plan.parameters, plan.statistics, batch, plan.seed, plan.step_number, rate)
    before = {key: plan.parameters[key].copy() for key in program.trainable}

    def evaluate(parameters: Mapping[str, Array]) -> tuple[float, Mapping[str, Array]]:
        write(plan.parameters, parameters)
        looked = plan.gradients(batch)
        return looked.total, looked.gradients

    start: Any = found.total, {key: found.gradients[key] for key in before}
    try:
        new, slots = optimizer.search(before, evaluate, plan.slots, rate, start)
    finally:
        write(plan.parameters, before)
    spoilt = not_finite(new)
    if spoilt is not None:
        raise overflowing_update(plan.step_number, rate, spoilt)
    after = add_totals(program.start() if totals is None else totals, found.totals)
    with uninterrupted():
        write(plan.parameters, new)
        write(plan.statistics, found.state)
        plan.slots = slots
        plan.step_number += 1
        plan.totals = after
    return after


def require_steps_by_gradients(program: Program) -> None:
    """ParameterError where gradients alone make no step."""
    if program.optimizer.whole_data:
        name = type(program.optimizer).__name__
        raise ParameterError(
            f"An update with given gradients is a step of optimizers that look at E once; {name} looks at it "
            f"again along a line. Call fit or train_on_batch, without callbacks that change gradients."
        )
