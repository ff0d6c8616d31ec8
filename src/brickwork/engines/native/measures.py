"""Running sums between Python, which names them, and the native side, which adds to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Array
from ..base import Program, Totals, doubles

if TYPE_CHECKING:
    from .passes import Pass


class Measures:
    """The running sums of a pass: an array for the native side, and those of metrics that are called back.

    The array holds two numbers for E, for each output's loss and for each native metric, in this order.
    """

    def __init__(self, made: Pass, program: Program, before: Totals | None = None) -> None:
        self._made, self._program = made, program
        before = program.start() if before is None else before
        labels = [
            "loss",
            *(f"\n{label}" for label, _ in program.losses),
            *(use.label for use, _ in made.measured),
        ]
        self._labels = labels
        self.numbers: Array = np.zeros(2 * len(labels), np.float64)
        for index, label in enumerate(labels):
            name = label.strip("\n")
            if name in before:
                self.numbers[2 * index : 2 * index + 2] = [float(number) for number in before[name]]
        self._texts: Totals = {use.label: doubles(before[use.label]) for use in made.text_metrics}
        self._pending: list[tuple[int, str, tuple[Any, ...]]] = []
        made.count_into(self)

    def begin(self, first_step: int) -> None:
        """Steps begin; what is counted from now on belongs to them."""
        self._pending = []
        self._made.count_into(self)

    def counted(self, step: int, label: str, sums: tuple[Any, ...]) -> None:
        """A metric that was called back has counted a batch."""
        self._pending.append((step, label, sums))

    def finish(self, before_step: int) -> None:
        """Add what was counted in steps that are done; a step that was abandoned has not counted."""
        for step, label, sums in self._pending:
            if step < before_step:
                self._texts[label] = tuple(a + b for a, b in zip(self._texts[label], sums, strict=True))
        self._pending = []

    def totals(self, energy: float | None = None, rows: int = 0, *, extra: float = 0.0) -> Totals:
        """The running sums by label, in float64. `energy` takes the place of E's own sum of `rows` rows."""
        self.finish(1 << 62)
        made: Totals = {}
        for index, label in enumerate(self._labels):
            name = label.strip("\n")
            if label != name and len(self._program.losses) < 2:
                continue
            total, count = (np.float64(number) for number in self.numbers[2 * index : 2 * index + 2])
            if name == "loss":
                total = np.float64(energy * rows) if energy is not None else total + np.float64(extra)
            made[name] = (total, count)
        made.update({label: doubles(sums) for label, sums in self._texts.items()})
        return {label: made[label] for label in self._program.start()}
