"""Kullback and Leibler's divergence, and cross-entropies that play down what is right already."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Either, Flag, Many, Real, Whole, argument, configured
from ..arrays import Array
from ..config import epsilon
from ..errors import ShapeError
from ..graph.symbol import Symbol
from .base import Loss
from .crossentropy import divided_by_sum


@configured()
class KLDivergence(Loss):
    """Σ t log(t / p) over the last axis, in nats, for targets and outputs that are distributions.

    Both are brought into [1e-7, 1] first, as in Keras; neither is divided by its sum.

    >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 5)
    0.14384

    Kullback and Leibler, "On Information and Sufficiency", 1951.
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """KLDivergence."""
        return bricks.KLDivergence(epsilon())(y_pred, y_true)


@configured()
class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy times (1 − q)^gamma, q the probability given to the truth; mean over the features.

    Parameters
    ----------
    apply_class_balancing : whether the yeses weigh alpha and the noes 1 − alpha.
    alpha : in [0, 1]; default 0.25.
    gamma : how much easy answers are played down; at least 0; default 2.
    from_logits : whether the output is logits; then sigmoid is part of the loss.
    label_smoothing : s in [0, 1]: targets become t (1 − s) + s / 2.
    axis : -1 only.

    Probabilities are clipped to [1e-7, 1 − 1e-7] wherever they stand; Keras clips in the logarithms alone.

    >>> round(BinaryFocalCrossentropy()([[1.0, 1.0]], [[0.5, 0.9]]), 5)
    0.08717

    Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.
    """

    apply_class_balancing: bool = argument(Flag(), default=False)
    alpha: float = argument(Real(0, 1), default=0.25)
    gamma: float = argument(Real(0), default=2.0)
    from_logits: bool = argument(Flag(), default=False)
    label_smoothing: float = argument(Real(0, 1), default=0.0)
    axis: int = argument(Whole(-1, -1), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """(Rescaling of the targets) → (Sigmoid) → BinaryFocalCrossEntropy."""
        if self.label_smoothing:
            y_true = bricks.Rescaling(1 - self.label_smoothing, self.label_smoothing / 2)(y_true)
        if self.from_logits:
            y_pred = bricks.Sigmoid()(y_pred)
        alpha = self.alpha if self.apply_class_balancing else None
        return bricks.BinaryFocalCrossEntropy(self.gamma, alpha, epsilon())(y_pred, y_true)


@configured()
class CategoricalFocalCrossentropy(Loss):
    """−Σ alpha t (1 − p)^gamma log p over the last axis, for targets that are distributions (one-hot rows).

    Parameters
    ----------
    alpha : a weight for all classes, or a tuple with one for each; at least 0; default 0.25.
    gamma : how much easy answers are played down; at least 0; default 2.
    from_logits : whether the output is logits; then softmax is part of the loss.
    label_smoothing : s in [0, 1]: targets become t (1 − s) + s / K.
    axis : the class axis; -1 only.

    Probabilities are divided by their sum and clipped to [1e-7, 1 − 1e-7], as in Keras.

    >>> round(CategoricalFocalCrossentropy(alpha=1.0)([[0, 1]], [[0.5, 0.5]]), 5)
    0.17329

    Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.
    """

    alpha: Any = argument(Either((Real(0), Many(Real(0)))), default=0.25)
    gamma: float = argument(Real(0), default=2.0)
    from_logits: bool = argument(Flag(), default=False)
    label_smoothing: float = argument(Real(0, 1), default=0.0)
    axis: int = argument(Whole(-1, -1), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """Rescaling of the targets, by smoothing and alpha → (Softmax) → FocalCrossEntropy."""
        classes, each = y_pred.shape[-1] or 1, self.alpha
        if isinstance(each, tuple) and len(each) != classes:
            raise ShapeError(
                f"CategoricalFocalCrossentropy takes an alpha for each of the {classes} classes; it received "
                f"{len(each)}. Give one number for all, or {classes} of them."
            )
        s = self.label_smoothing
        scale, offset = 1 - s, s / classes
        by_class = isinstance(each, tuple)
        weighted = bricks.Rescaling(
            tuple(a * scale for a in each) if by_class else each * scale,
            tuple(a * offset for a in each) if by_class else each * offset,
        )
        p = bricks.Softmax()(y_pred) if self.from_logits else divided_by_sum(y_pred)
        return bricks.FocalCrossEntropy(self.gamma, epsilon())(p, weighted(y_true))


def kl_divergence(y_true: Any, y_pred: Any) -> Array:
    """Σ t log(t / p) in nats, one number per sample; also a `loss` for compile."""
    return KLDivergence().per_sample(y_true, y_pred)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Binary cross-entropy with easy answers played down, per sample; also a `loss` for compile."""
    loss = BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing)
    return loss.per_sample(y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Cross-entropy over classes with easy answers played down, per sample; also a `loss` for compile."""
    loss = CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing)
    return loss.per_sample(y_true, y_pred)
