"""The reference engine: the graph, brick by brick, in NumPy. It is the definition the others are held to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..data.source import Batch
from ..threads import follow_environment
from .base import Gradients, Program, Totals
from .text_plan import QUIET, TextPlan


class ReferencePlan(TextPlan):
    """A program on NumPy, in float32 or float64, whatever the parameters are in."""

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> None:
        super().__init__(program, parameters, statistics, seed)
        follow_environment()
        trainable = {key: self.parameters[key] for key in program.trainable}
        self.slots = program.optimizer.slots(trainable) if program.optimizer else {}

    def gradients(self, batch: Batch, *, training: bool = True) -> Gradients:
        """See Plan."""
        program = self.program
        with np.errstate(**QUIET):  # type: ignore[arg-type]
            total, gradients, state, values = program.differentiate(
                self.parameters,
                self.statistics,
                batch,
                training=training,
                key=self.seed,
                step=self.step_number,
            )
            totals = program.update(program.start(), total, values, batch)
        losses = {label: float(values[reference]) for label, reference in program.losses}
        return Gradients(float(total), losses, gradients, state, totals)

    def evaluate_batch(self, batch: Batch, totals: Totals) -> Totals:
        """See Plan."""
        program = self.program
        with np.errstate(**QUIET):  # type: ignore[arg-type]
            values = program.graph.forward(
                self.parameters, self.statistics, batch, keep=program.kept, save=False
            ).values
            total = values[program.total] + program.penalty(self.parameters)
            return program.update(totals, total, values, batch)

    def predict_batch(self, batch: Batch, draw: int | None = None) -> tuple[Array, ...]:
        """See Plan."""
        graph = self.program.predictor if draw is None else self.program.sampler
        with np.errstate(**QUIET):  # type: ignore[arg-type]
            values = graph.forward(
                self.parameters,
                self.statistics,
                batch,
                training=draw is not None,
                key=self.seed,
                step=draw or 0,
                keep=frozenset(graph.outputs),
                save=False,
            ).values
        return tuple(np.asarray(values[name]) for name in graph.outputs)


class ReferenceEngine:
    """Plans that run on NumPy."""

    name = "reference"

    def plan(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> ReferencePlan:
        """A plan that works on these arrays."""
        return ReferencePlan(program, parameters, statistics, seed)
