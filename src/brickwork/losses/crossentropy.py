"""Cross-entropies of probabilities or logits.

Where the network ends in softmax (or sigmoid) and the loss takes probabilities, the pair is laid as one
brick on the logits, which is the same function without its numerical trouble.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .. import bricks
from ..arguments import Absent, Flag, Real, Whole, argument, configured
from ..arrays import Array, Shape
from ..config import epsilon
from ..graph.symbol import Symbol
from .base import Loss


@configured()
class CategoricalCrossentropy(Loss):
    """−Σ t log p for targets that are distributions (one-hot rows), over the last axis.

    Parameters
    ----------
    from_logits : whether the output is logits; then softmax is part of the loss.
    label_smoothing : s in [0, 1]: targets become t (1 − s) + s / K.
    axis : the class axis; -1 only.

    From probabilities that are not a softmax's, p is first divided by its sum and clipped to
    [1e-7, 1 − 1e-7], as Keras does.

    >>> round(CategoricalCrossentropy()([[0, 1, 0]], [[0.05, 0.9, 0.05]]), 5)
    0.10536
    """

    from_logits: bool = argument(Flag(), default=False)
    label_smoothing: float = argument(Real(0, 1), default=0.0)
    axis: int = argument(Whole(-1, -1), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """(Rescaling of the targets) → SoftmaxCrossEntropy, or CrossEntropy on probabilities."""
        if self.label_smoothing:
            classes = y_pred.shape[-1] or 1
            y_true = bricks.Rescaling(1 - self.label_smoothing, self.label_smoothing / classes)(y_true)
        return lay_cross_entropy(y_true, y_pred, self.from_logits)


@configured()
class SparseCategoricalCrossentropy(Loss):
    """−log p of the true class, for targets that are class indices 0 … K−1.

    Parameters
    ----------
    from_logits : whether the output is logits; then softmax is part of the loss.
    ignore_class : None only.
    axis : the class axis; -1 only.

    >>> round(SparseCategoricalCrossentropy()([1], [[0.05, 0.9, 0.05]]), 5)
    0.10536
    """

    from_logits: bool = argument(Flag(), default=False)
    ignore_class: Any = argument(Absent("Give such rows sample_weight 0 instead."), default=None)
    axis: int = argument(Whole(-1, -1), default=-1)

    integer_targets: ClassVar[bool] = True

    def target_shape(self, output: Shape) -> Shape:
        """The output's shape without the class axis."""
        return output[:-1]

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """SoftmaxCrossEntropy, or CrossEntropy on probabilities."""
        return lay_cross_entropy(y_true, y_pred, self.from_logits)


@configured()
class BinaryCrossentropy(Loss):
    """−t log p − (1 − t) log(1 − p), mean over the last axis.

    Parameters
    ----------
    from_logits : whether the output is logits; then sigmoid is part of the loss.
    label_smoothing : s in [0, 1]: targets become t (1 − s) + s / 2.
    axis : -1 only.

    >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.8], [0.4]]), 5)
    0.36698
    """

    from_logits: bool = argument(Flag(), default=False)
    label_smoothing: float = argument(Real(0, 1), default=0.0)
    axis: int = argument(Whole(-1, -1), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """(Rescaling of the targets) → SigmoidCrossEntropy, or BinaryCrossEntropy on probabilities."""
        if self.label_smoothing:
            y_true = bricks.Rescaling(1 - self.label_smoothing, self.label_smoothing / 2)(y_true)
        if self.from_logits:
            return bricks.SigmoidCrossEntropy()(y_pred, y_true)
        if _made_by(y_pred, bricks.Sigmoid):
            return bricks.SigmoidCrossEntropy()(y_pred.call.inputs[0], y_true)
        return bricks.BinaryCrossEntropy(clip=epsilon())(y_pred, y_true)


def lay_cross_entropy(y_true: Symbol, y_pred: Symbol, from_logits: bool) -> Any:
    """Cross-entropy from logits where there are any, else from probabilities."""
    if from_logits:
        return bricks.SoftmaxCrossEntropy()(y_pred, y_true)
    if _made_by(y_pred, bricks.Softmax):
        return bricks.SoftmaxCrossEntropy()(y_pred.call.inputs[0], y_true)
    return bricks.CrossEntropy(clip=epsilon())(divided_by_sum(y_pred), y_true)


def divided_by_sum(y_pred: Symbol) -> Any:
    """Probabilities that add up to 1 along the last axis; those of a softmax do already."""
    if _made_by(y_pred, bricks.Softmax):
        return y_pred
    total = bricks.Sum(axis=(-1,), keepdims=True)(y_pred)
    return bricks.Multiply()(y_pred, bricks.Reciprocal()(total))


def _made_by(symbol: Symbol, kind: type[Any]) -> bool:
    brick = symbol.call.brick
    return isinstance(brick, kind) and getattr(brick, "axis", -1) in (-1, len(symbol.shape) - 1)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """−Σ t log p, one number per sample; also a `loss` for compile."""
    return CategoricalCrossentropy(from_logits, label_smoothing).per_sample(y_true, y_pred)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False) -> Array:
    """−log p of the true class, one number per sample; also a `loss` for compile."""
    return SparseCategoricalCrossentropy(from_logits).per_sample(y_true, y_pred)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """−t log p − (1 − t) log(1 − p), one number per sample; also a `loss` for compile."""
    return BinaryCrossentropy(from_logits, label_smoothing).per_sample(y_true, y_pred)
