"""The area under a curve that thresholds draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import Choice, Flag, Many, Maybe, Real, Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..config import epsilon
from ..errors import ParameterError, ShapeError
from .base import Totals
from .sums import ratio, sum_type, weights_like
from .thresholds import ThresholdMetric, counted


@configured()
class AUC(ThresholdMetric):
    """The area under a curve of two shares, drawn by many thresholds; 0.5 is guessing under "ROC".

    "ROC" draws tp / (tp + fn) over fp / (fp + tn), "PR" draws precision over recall, and "PRGAIN" precision
    gain over recall gain. More thresholds come nearer to the true area.

    Parameters
    ----------
    num_thresholds : at least 2, default 200: 0, 1 (each a little beyond) and others evenly between them
    curve : "ROC" (default), "PR" or "PRGAIN"
    summation_method : "interpolation" (default), of which "PR" has its own between neighbours (Davis and
        Goadrich 2006); "minoring" and "majoring" are bounds from below and above
    name : str, default "auc"
    thresholds : tuple of thresholds in [0, 1] instead of `num_thresholds`; the two outermost are added
    multi_label : the mean of an area for each place of the last axis, default False, which takes all numbers
        as one set of predictions
    num_labels : length of the last axis; None (default) takes what comes; only with `multi_label`
    label_weights : weights of the places of the last axis, in the mean or in the set; None (default): equal
    from_logits : whether predictions are logits, which go through a sigmoid first; default False

    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.75

    Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", 1982; Davis and Goadrich, "The relationship between Precision-Recall and ROC curves", 2006; Flach
    and Kull, "Precision-Recall-Gain Curves: PR Analysis Done Right", 2015.
    """

    num_thresholds: int = argument(Whole(2), default=200)
    curve: str = argument(Choice(("ROC", "PR", "PRGAIN")), default="ROC")
    summation_method: str = argument(
        Choice(("interpolation", "minoring", "majoring")), default="interpolation"
    )
    name: str = argument(Text(), default="auc")
    thresholds: Any = argument(Maybe(Many(Real(0.0, 1.0))), default=None)
    multi_label: bool = argument(Flag(), default=False)
    num_labels: Any = argument(Maybe(Whole(1)), default=None)
    label_weights: Any = argument(Maybe(Many(Real(0.0))), default=None)
    from_logits: bool = argument(Flag(), default=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_labels is not None and not self.multi_label:
            raise ParameterError(
                f"AUC: `num_labels` must be None unless multi_label=True; got num_labels={self.num_labels}. "
                f"Leave it out."
            )

    def limits(self) -> tuple[float, ...]:
        """From a little below 0 to a little above 1."""
        inner = self.thresholds
        if inner is None:
            inner = [i / (self.num_thresholds - 1) for i in range(1, self.num_thresholds - 1)]
        return (-epsilon(), *sorted(inner), 1.0 + epsilon())

    def build(self, y_true: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """How many labels there are."""
        if not self.multi_label:
            return
        if len(y_pred) != 2 or self.num_labels not in (None, y_pred[1]):
            wanted = "(N, L)" if self.num_labels is None else f"(N, {self.num_labels})"
            raise ShapeError(
                f"AUC with multi_label takes y_pred of shape {wanted}; it received {tuple(y_pred)}. Leave "
                f"multi_label out to take all numbers as one set."
            )
        self.fix("labels", y_pred[1])

    def start(self) -> Totals:
        """Nothing above, nothing at all, of each label."""
        labels = self.fixed("labels") or self.num_labels
        if not self.multi_label or labels is None:
            return super().start()
        count = len(self.limits())
        return (np.zeros((count, labels)), np.zeros((count, labels)), np.zeros(labels), np.zeros(labels))

    def prepared(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Logits become probabilities."""
        y_true, y_pred = super().prepared(y_true, y_pred)
        if self.from_logits:
            y_pred = 0.5 + 0.5 * namespace(y_pred).tanh(0.5 * y_pred)
        return y_true, y_pred

    def weights(self, y_pred: Array, weight: Array | None) -> Array:
        """What each number weighs; in one set, its label's weight is a factor."""
        each = weights_like(y_pred, weight)
        if self.label_weights is None or self.multi_label:
            return each
        if y_pred.ndim < 2 or y_pred.shape[-1] != len(self.label_weights):
            raise ShapeError(
                f"AUC with {len(self.label_weights)} label_weights takes y_pred of shape "
                f"(N, …, {len(self.label_weights)}); it received {tuple(y_pred.shape)}. Give a weight for "
                f"each place of the last axis."
            )
        return each * namespace(y_pred).asarray(self.label_weights, dtype=each.dtype)

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """The counts with a batch added, label by label."""
        if not self.multi_label:
            return super().update(totals, y_true, y_pred, weight)
        y_pred = y_pred if hasattr(y_pred, "__array_namespace__") else np.asarray(y_pred)
        xp = namespace(y_pred)
        y_true, y_pred = self.prepared(xp.asarray(y_true), y_pred)
        weights = self.weights(y_pred, weight)
        found = [
            counted(y_true[:, label] != 0, y_pred[:, label], weights[:, label], self.limits())
            for label in range(y_pred.shape[1])
        ]
        stacked = [xp.stack(parts, axis=-1) for parts in zip(*found, strict=True)]
        return tuple(total + more for total, more in zip(totals, stacked, strict=True))

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """The area, of each label first where there are several."""
        xp = namespace(tp)
        if self.curve == "PR" and self.summation_method == "interpolation":
            pieces = _between_precisions(tp, fp, fn)
        else:
            x, y = self._shares(tp, fp, tn, fn)
            heights = {
                "interpolation": lambda: 0.5 * (y[:-1] + y[1:]),
                "minoring": lambda: xp.minimum(y[:-1], y[1:]),
                "majoring": lambda: xp.maximum(y[:-1], y[1:]),
            }[self.summation_method]()
            pieces = (x[:-1] - x[1:]) * heights
        areas = xp.sum(pieces, axis=0)
        if not self.multi_label:
            return areas
        weights = xp.ones_like(areas)
        if self.label_weights is not None:
            weights = xp.asarray(self.label_weights, dtype=sum_type(areas))
        return ratio(xp.sum(areas * weights), xp.sum(weights))

    def _shares(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """What the curve draws: (x, y) at each threshold."""
        if self.curve == "ROC":
            return ratio(fp, fp + tn), ratio(tp, tp + fn)
        if self.curve == "PR":
            return ratio(tp, tp + fn), ratio(tp, tp + fp)
        xp = namespace(tp)
        odds = ratio(tp + fn, tn + fp)
        recall_gain = xp.where(tp == 0, xp.zeros_like(tp), 1.0 - odds * ratio(fn, tp))
        precision_gain = xp.where(tp == 0, xp.ones_like(tp), 1.0 - odds * ratio(fp, tp))
        return xp.where(recall_gain > 0, recall_gain, xp.zeros_like(tp)), precision_gain


def _between_precisions(tp: Array, fp: Array, fn: Array) -> Array:
    """The area between neighbouring thresholds where tp and tp + fp move along a straight line.

    With P = tp + fp, s = Δtp / ΔP and c = tp - s P, precision is s + c / P on the way, and the integral of it
    over d(tp) / (tp + fn) is s (Δtp + c log(P' / P)) / (tp + fn).
    """
    xp = namespace(tp)
    found = tp + fp
    more = tp[:-1] - tp[1:]
    slope = ratio(more, found[:-1] - found[1:])
    rest = tp[1:] - slope * found[1:]
    both = (found[:-1] > 0) & (found[1:] > 0)
    one = xp.ones_like(more)
    growth = xp.log(xp.where(both, found[:-1], one) / xp.where(both, found[1:], one))
    return ratio(slope * (more + rest * growth), tp[1:] + fn[1:])
