"""Losses: one instruction each, which makes the gradient along with the loss where it can."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...arrays import Shape
from .lowering import Functions, Plain, lowers
from .values import per_sample
from .writer import Part, Writer


@lowers("SoftmaxCrossEntropy", *Functions.PAIRED, *Functions.VECTOR)
class LossLowering(Plain):
    """A loss whose gradient is made in the same sweep where it is known how much of E it is."""

    reads_whole = True

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Sums along several axes only where these stand side by side."""
        axes = _axes(brick, len(shapes[0]))
        return bool(axes) and axes[-1] - axes[0] + 1 == len(axes)

    def forward(self, writer: Writer, part: Part) -> None:
        """l, and dy where the gradient of l is known beforehand."""
        y, t = part.inputs
        term = writer.seed(part.output) if writer.wants(y) and not writer.wants(t) else None
        part.notes["seeded"] = term is not None
        if term is None:
            self._emit(writer, part, None, 1.0, False, gradient=False)
        else:
            weights = None if term.weights is None else writer.value(term.weights)
            self._emit(writer, part, weights, term.share, term.mean, gradient=True)

    def backward(self, writer: Writer, part: Part) -> None:
        """dy, where forward has not made it."""
        dl = writer.dy(part.output)
        if not part.notes["seeded"] and dl is not None and writer.wants(part.inputs[0]):
            self._emit(writer, part, dl, 1.0, False, gradient=True)

    def _emit(
        self, writer: Writer, part: Part, weights: Any, share: float, mean: bool, *, gradient: bool
    ) -> None:
        dy, accumulate = (writer.dx(part.inputs[0]) or (None, 0)) if gradient else (None, 0)
        loss_instruction(
            writer,
            part.brick,
            [writer.graph.shapes[name] for name in part.inputs],
            [*(writer.value(name) for name in (*part.inputs, part.output)), weights, dy],
            share,
            mean=mean,
            accumulate=bool(accumulate),
        )


def loss_instruction(
    writer: Writer,
    brick: Any,
    shapes: Sequence[Shape],
    operands: Sequence[Any],
    share: float = 1.0,
    *,
    mean: bool = False,
    accumulate: bool = False,
) -> None:
    """The instruction of a loss of y and t.

    `shapes` are those of y and t in the graph, `operands` the values y, t, l and, for the gradient, weights
    and dy; `share` and `mean` say how much of E the loss is.
    """
    y, t, *_ = operands
    operands = [*operands, *[None] * (5 - len(operands))]
    name, sizes = type(brick).__name__, per_sample(shapes[0])
    labels = len(shapes[1]) < len(shapes[0])
    if name == "SoftmaxCrossEntropy":
        ints = [mean, sizes[-1], y.size // sizes[-1], labels, accumulate]
        writer.emit(
            "softmax_cross_entropy",
            operands,
            ints,
            [share],
            multiplies=20 * y.size,
        )
    elif name in Functions.VECTOR:
        around = _around(brick, [int(size or 1) for size in sizes])
        writer.emit(
            "vector_loss",
            operands,
            [mean, list(Functions.VECTOR).index(name), *around, t.integer, accumulate],
            [share, *_numbers(brick, Functions.VECTOR[name])],
            multiplies=10 * y.size,
        )
    else:
        classes, divisor = 0, y.size
        if name in ("CrossEntropy", "GeneralizedCrossEntropy"):
            divisor = y.size // sizes[-1]
            classes = sizes[-1] if labels else 0
        elif name == "HalfSquaredError":
            divisor = 1
        elif hasattr(brick, "divisor"):
            divisor = brick.divisor(shapes[0])
        writer.emit(
            "paired_loss",
            operands,
            [mean, y.size, divisor, t.integer, accumulate, list(Functions.PAIRED).index(name), classes],
            [share, *_numbers(brick, Functions.PAIRED[name])],
            multiplies=20 * y.size,
        )


def _axes(brick: Any, rank: int) -> tuple[int, ...]:
    """The axes of a vector, in their order."""
    if type(brick).__name__ == "Tversky":
        return tuple(brick.axes(rank))
    return (getattr(brick, "axis", -1) % rank,)


def _around(brick: Any, sizes: Sequence[int]) -> tuple[int, int, int]:
    """How many vectors lie before each other, how long they are, and how far apart their numbers stand."""
    axes = _axes(brick, len(sizes) + 1)
    first, last = axes[0] - 1, axes[-1]
    return math.prod(sizes[:first]), math.prod(sizes[first:last]), math.prod(sizes[last:])


def _numbers(brick: Any, fields: Sequence[str]) -> list[float]:
    """The loss's own numbers; a clip that is not there is 0, an alpha that is not there -1."""
    absent = {"clip": 0.0, "alpha": -1.0}
    values = {field: getattr(brick, field) for field in fields}
    return [absent[field] if value is None else value for field, value in values.items()]
