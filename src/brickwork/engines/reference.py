"""The reference engine: the graph, brick by brick, in NumPy. It is the definition the others are held to."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.source import Batch
from ..errors import ShapeError
from ..graph.backpropagation import backprop
from .base import Gradients, Plan, Program, Totals
from .diagnosis import diagnose

# Overflow and NaN are looked for after the pass and explained there; NumPy's warnings would only be noise.
_QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore", "under": "ignore"}


class ReferencePlan(Plan):
    """A program on NumPy, in float32 or float64, whatever the parameters are in."""

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> None:
        super().__init__(program, parameters, statistics, seed)
        trainable = {key: self.parameters[key] for key in program.trainable}
        self.slots: dict[str, dict[str, Array]] = (
            program.optimizer.slots(trainable) if program.optimizer else {}
        )

    def gradients(self, batch: Batch, *, training: bool = True) -> Gradients:
        """See Plan."""
        program = self.program
        with np.errstate(**_QUIET):  # type: ignore[arg-type]
            passed = program.graph.forward(
                self.parameters,
                self.statistics,
                batch,
                training=training,
                key=self.seed,
                step=self.step_number,
                keep=program.kept,
            )
            energy = passed.values[program.total]
            dparams, _ = backprop(
                program.graph, self.parameters, passed.saved, {program.total: np.ones_like(energy)}
            )
            total = energy + program.penalty(self.parameters)
            grads = program.with_penalties(dparams, self.parameters)
        losses = {label: float(passed.values[reference]) for label, reference in program.losses}
        totals = program.update(program.start(), total, passed.values, batch)
        return Gradients(float(total), losses, grads, passed.state, totals)

    def apply(
        self, gradients: Mapping[str, Array], rate: float, statistics: Mapping[str, Array] | None = None
    ) -> None:
        """See Plan."""
        trainable = {key: self.parameters[key] for key in self.program.trainable}
        _require_gradients(gradients, trainable)
        with np.errstate(**_QUIET):  # type: ignore[arg-type]
            new, slots = self.program.optimizer.update(
                trainable, gradients, self.slots, self.step_number + 1, rate
            )
            new = self.program.constrained(new)
        with uninterrupted():
            for key, value in new.items():
                np.copyto(self.parameters[key], value)
            for key, value in (statistics or {}).items():
                np.copyto(self.statistics[key], value)
            self.slots = slots
            self.step_number += 1

    def step(self, batch: Batch, rate: float, totals: Totals | None = None) -> Totals:
        """See Plan."""
        found = self.gradients(batch)
        if not (np.isfinite(found.total) and all(np.isfinite(g).all() for g in found.gradients.values())):
            raise diagnose(
                self.program, self.parameters, self.statistics, batch, self.seed, self.step_number, rate
            )
        self.apply(found.gradients, rate, found.state)
        return add_totals(self.program.start() if totals is None else totals, found.totals)

    def evaluate_batch(self, batch: Batch, totals: Totals) -> Totals:
        """See Plan."""
        program = self.program
        with np.errstate(**_QUIET):  # type: ignore[arg-type]
            values = program.graph.forward(
                self.parameters, self.statistics, batch, keep=program.kept, save=False
            ).values
            total = values[program.total] + program.penalty(self.parameters)
        return program.update(totals, total, values, batch)

    def predict_batch(self, batch: Batch) -> tuple[Array, ...]:
        """See Plan."""
        graph = self.program.predictor
        with np.errstate(**_QUIET):  # type: ignore[arg-type]
            values = graph.forward(
                self.parameters, self.statistics, batch, keep=frozenset(graph.outputs), save=False
            ).values
        return tuple(np.asarray(values[name]) for name in graph.outputs)

    def state(self) -> dict[str, Array]:
        """See Plan. Keys: "parameters/…", "statistics/…", "slots/<slot>/…", "step"."""
        held = {f"parameters/{key}": value.copy() for key, value in self.parameters.items()}
        held.update({f"statistics/{key}": value.copy() for key, value in self.statistics.items()})
        for slot, arrays in self.slots.items():
            held.update({f"slots/{slot}/{key}": np.array(value) for key, value in arrays.items()})
        held["step"] = np.array(self.step_number, np.int64)
        return held

    def load(self, state: Mapping[str, Array]) -> None:
        """See Plan."""
        with uninterrupted():
            for key, value in self.parameters.items():
                np.copyto(value, state[f"parameters/{key}"])
            for key, value in self.statistics.items():
                np.copyto(value, state[f"statistics/{key}"])
            self.slots = {
                slot: {key: np.array(state[f"slots/{slot}/{key}"]) for key in arrays}
                for slot, arrays in self.slots.items()
            }
            self.step_number = int(state["step"])


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


def add_totals(left: Totals, right: Totals) -> Totals:
    """Running sums of two parts of the data together."""
    return {label: tuple(a + b for a, b in zip(left[label], right[label], strict=True)) for label in left}


def _require_gradients(gradients: Mapping[str, Array], trainable: Mapping[str, Array]) -> None:
    for key, value in trainable.items():
        if key not in gradients or gradients[key].shape != value.shape:
            got = "none" if key not in gradients else f"shape {gradients[key].shape}"
            raise ShapeError(
                f"apply takes a gradient of shape {value.shape} for {key!r}; it received {got}. "
                f"Pass what gradients() of the same network gave."
            )


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C while a step is written, so that no step is half-written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[Any] = []
    before = signal.getsignal(signal.SIGINT)
    if before is None:  # set from outside Python: it cannot be put back
        yield
        return
    signal.signal(signal.SIGINT, lambda *what: came.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(*came[0])
