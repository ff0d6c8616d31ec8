"""Losses: one instruction each, which makes the gradient along with the loss where it can."""

from __future__ import annotations

import math
from typing import Any

from ... import bricks
from ...bricks.pointwise_loss import PointwiseLoss
from .lowering import Functions, Plain, lowers
from .values import per_sample
from .writer import Part, Writer


class LossLowering(Plain):
    """A loss whose gradient is made in the same sweep where it is known how much of E it is."""

    def forward(self, writer: Writer, part: Part) -> None:
        """l, and dy where the gradient of l is known beforehand."""
        y, t = part.inputs
        term = writer.seed(part.output) if writer.wants(y) and not writer.wants(t) else None
        part.notes["seeded"] = term is not None
        if term is None:
            self.emit(writer, part, None, 1.0, False, gradient=False)
        else:
            weights = None if term.weights is None else writer.value(term.weights)
            self.emit(writer, part, weights, term.share, term.mean, gradient=True)

    def backward(self, writer: Writer, part: Part) -> None:
        """dy, where forward has not made it."""
        dl = writer.dy(part.output)
        if not part.notes["seeded"] and dl is not None and writer.wants(part.inputs[0]):
            self.emit(writer, part, dl, 1.0, False, gradient=True)

    def emit(
        self, writer: Writer, part: Part, weights: Any, share: float, mean: bool, *, gradient: bool
    ) -> None:
        """The instruction."""
        raise NotImplementedError


@lowers(bricks.SoftmaxCrossEntropy)
class SoftmaxCrossEntropyLowering(LossLowering):
    """From logits."""

    def emit(
        self, writer: Writer, part: Part, weights: Any, share: float, mean: bool, *, gradient: bool
    ) -> None:
        """See LossLowering."""
        x, t, loss = (writer.value(name) for name in (*part.inputs, part.output))
        shape, target = (writer.graph.shapes[name] for name in part.inputs)
        classes = per_sample(shape)[-1]
        dx, accumulate = (writer.dx(part.inputs[0]) or (None, 0)) if gradient else (None, 0)
        labels = len(target) < len(shape)
        writer.emit(
            "softmax_cross_entropy",
            [x, t, loss, weights, dx],
            [mean, classes, x.size // classes, labels, accumulate],
            [share],
            multiplies=20 * x.size,
        )

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Class numbers as whole numbers, or distributions."""
        return True


@lowers(*(getattr(bricks, name) for name in Functions.PAIRED))
class PairedLossLowering(LossLowering):
    """Of an output and a target, number by number."""

    def emit(
        self, writer: Writer, part: Part, weights: Any, share: float, mean: bool, *, gradient: bool
    ) -> None:
        """See LossLowering."""
        y, t, loss = (writer.value(name) for name in (*part.inputs, part.output))
        dy, accumulate = (writer.dx(part.inputs[0]) or (None, 0)) if gradient else (None, 0)
        name = type(part.brick).__name__
        shape, target = (writer.graph.shapes[name] for name in part.inputs)
        classes, divisor = 0, y.size
        if name == "CrossEntropy":
            divisor = y.size // per_sample(shape)[-1]
            classes = per_sample(shape)[-1] if len(target) < len(shape) else 0
        elif name == "HalfSquaredError":
            divisor = 1
        elif isinstance(part.brick, PointwiseLoss):
            divisor = part.brick.divisor(shape)
        writer.emit(
            "paired_loss",
            [y, t, loss, weights, dy],
            [mean, y.size, divisor, t.integer, accumulate, list(Functions.PAIRED).index(name), classes],
            [share, *_numbers(part.brick, name)],
            multiplies=20 * y.size,
        )


def _numbers(brick: Any, name: str) -> list[float]:
    """The loss's own numbers; a clip that is not there is 0, an alpha that is not there -1."""
    absent = {"clip": 0.0, "alpha": -1.0}
    values = {field: getattr(brick, field) for field in Functions.PAIRED[name]}
    return [absent[field] if value is None else value for field, value in values.items()]


@lowers(*(getattr(bricks, name) for name in Functions.VECTOR))
class VectorLossLowering(LossLowering):
    """Of the vectors along one axis of an output and a target."""

    def emit(
        self, writer: Writer, part: Part, weights: Any, share: float, mean: bool, *, gradient: bool
    ) -> None:
        """See LossLowering."""
        y, t, loss = (writer.value(name) for name in (*part.inputs, part.output))
        dy, accumulate = (writer.dx(part.inputs[0]) or (None, 0)) if gradient else (None, 0)
        name, shape = type(part.brick).__name__, writer.graph.shapes[part.inputs[0]]
        sizes = per_sample(shape)
        axis = getattr(part.brick, "axis", -1) % len(shape) - 1
        writer.emit(
            "vector_loss",
            [y, t, loss, weights, dy],
            [
                *(mean, Functions.VECTOR.index(name)),
                *(math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])),
                *(t.integer, accumulate),
            ],
            [share, getattr(part.brick, "epsilon", 0.0)],
            multiplies=10 * y.size,
        )
