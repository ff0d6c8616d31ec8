"""What thresholds make of probabilities: true and false positives and negatives, and what follows from them.

Every metric here keeps, for each of its thresholds, the weight of the positives and of the negatives that lie
above it; the rest follows from the weights of all positives and all negatives.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..arguments import Either, Many, Maybe, Real, Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..errors import ShapeError
from .agreement import aligned
from .base import Metric, Totals
from .sums import floating, number, ratio, sum_type, weights_like

THRESHOLD = Real(0.0, 1.0)
THRESHOLDS = Maybe(Either((Real(), Many(Real()))))
"""Not only in [0, 1]: outputs may be logits, as in Keras's own example."""

_ANY = -3.0e38
"""A threshold that every number is above."""


@configured()
class ThresholdMetric(Metric):
    """Base of metrics that count what lies above thresholds; a subclass writes `limits` and `value`.

    The totals are (positives above, negatives above, positives, negatives); the first two have one number for
    each threshold. A target other than 0 counts as positive.
    """

    direction: ClassVar[str] = "up"

    def limits(self) -> tuple[float, ...]:
        """The thresholds, in any order."""
        raise NotImplementedError(f"{type(self).__name__} states no limits()")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """What the counts at each threshold amount to."""
        raise NotImplementedError(f"{type(self).__name__} states no value(tp, fp, tn, fn)")

    def start(self) -> Totals:
        """Nothing above, nothing at all."""
        count = len(self.limits())
        return (np.zeros(count), np.zeros(count), 0.0, 0.0)

    def prepared(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Targets and predictions that count, both of one shape."""
        return self._chosen(*aligned(self, y_true, floating(y_pred, y_pred)))

    def _chosen(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        top, which = getattr(self, "top_k", None), getattr(self, "class_id", None)
        if top is None and which is None:
            return y_true, y_pred
        classes = y_pred.shape[-1] if y_pred.ndim > 1 else 0
        if not (top or 1) <= classes or not (which or 0) < classes:
            asked = f"top_k={top}" if which is None else f"class_id={which}"
            raise ShapeError(
                f"{type(self).__name__} with {asked} takes y_pred of shape (N, …, C) with so many classes; "
                f"it received y_pred of shape {tuple(y_pred.shape)}. Leave {asked.partition('=')[0]} out, or "
                f"give one number for each class."
            )
        xp = namespace(y_pred)
        if top is not None:
            rank = xp.argsort(xp.argsort(-y_pred, axis=-1, stable=True), axis=-1, stable=True)
            y_pred = xp.where(rank < top, y_pred, xp.full_like(y_pred, -float("inf")))
        if which is not None:
            y_true, y_pred = y_true[..., which], y_pred[..., which]
        return y_true, y_pred

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """The counts with a batch added."""
        y_pred = y_pred if hasattr(y_pred, "__array_namespace__") else np.asarray(y_pred)
        xp = namespace(y_pred)
        y_true, y_pred = self.prepared(xp.asarray(y_true), y_pred)
        weights = self.weights(y_pred, weight)
        positive, flat, each = (xp.reshape(x, (-1,)) for x in (y_true != 0, y_pred, weights))
        found = counted(positive, flat, each, self.limits())
        return tuple(total + more for total, more in zip(totals, found, strict=True))

    def weights(self, y_pred: Array, weight: Array | None) -> Array:
        """What each number of y_pred weighs."""
        return weights_like(y_pred, weight)

    def result(self, totals: Totals | None = None) -> Any:
        """The value: a number, or an array with one for each of several thresholds."""
        above, wrong, positives, negatives = self.kept if totals is None else totals
        value = self.value(above, wrong, negatives - wrong, positives - above)
        return number(value[0] if getattr(value, "shape", ()) == (1,) else value)


def counted(positive: Array, y_pred: Array, weights: Array, limits: tuple[float, ...]) -> Totals:
    """(positives above each limit, negatives above each limit, positives, negatives) of arrays (M,)."""
    xp = namespace(y_pred)
    kind = sum_type(y_pred)
    order = xp.argsort(-y_pred, stable=True)  # the largest first: what is above a limit stands together
    yes = xp.take(xp.where(positive, weights, xp.zeros_like(weights)), order)
    no = xp.take(xp.where(positive, xp.zeros_like(weights), weights), order)
    falling = -xp.take(y_pred, order)
    bounds = xp.asarray([-limit for limit in limits], dtype=y_pred.dtype)
    count = xp.searchsorted(falling, bounds, side="left")
    found = []
    for part in (yes, no):
        up_to = xp.cumulative_sum(xp.astype(part, kind), include_initial=True)
        found += [xp.take(up_to, count), up_to[-1]]
    return found[0], found[2], found[1], found[3]


@configured()
class _Counts(ThresholdMetric):
    thresholds: Any = argument(THRESHOLDS, default=None)

    def limits(self) -> tuple[float, ...]:
        """The thresholds; 0.5 where there are none."""
        return several(self.thresholds, 0.5)


@configured()
class TruePositives(_Counts):
    """The weight of the positive targets whose prediction is above the threshold.

    Parameters
    ----------
    thresholds : a number, or a tuple of them for as many results; None (default) stands for 0.5.
    name : str, default "true_positives"

    >>> TruePositives()([0, 1, 1, 1], [1, 0, 1, 1])
    2.0
    """

    name: str = argument(Text(), default="true_positives")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """Tp."""
        return tp


@configured()
class FalsePositives(_Counts):
    """The weight of the targets 0 whose prediction is above the threshold.

    Parameters
    ----------
    thresholds : a number, or a tuple of them for as many results; None (default) stands for 0.5.
    name : str, default "false_positives"

    >>> FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1])
    2.0
    """

    direction: ClassVar[str] = "down"
    name: str = argument(Text(), default="false_positives")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """Fp."""
        return fp


@configured()
class TrueNegatives(_Counts):
    """The weight of the targets 0 whose prediction is not above the threshold.

    Parameters
    ----------
    thresholds : a number, or a tuple of them for as many results; None (default) stands for 0.5.
    name : str, default "true_negatives"

    >>> TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0])
    2.0
    """

    name: str = argument(Text(), default="true_negatives")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """Tn."""
        return tn


@configured()
class FalseNegatives(_Counts):
    """The weight of the positive targets whose prediction is not above the threshold.

    Parameters
    ----------
    thresholds : a number, or a tuple of them for as many results; None (default) stands for 0.5.
    name : str, default "false_negatives"

    >>> FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0])
    2.0
    """

    direction: ClassVar[str] = "down"
    name: str = argument(Text(), default="false_negatives")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """Fn."""
        return fn


@configured()
class _Share(ThresholdMetric):
    thresholds: Any = argument(THRESHOLDS, default=None)
    top_k: Any = argument(Maybe(Whole(1)), default=None)
    class_id: Any = argument(Maybe(Whole(0)), default=None)

    def limits(self) -> tuple[float, ...]:
        """The thresholds; without any, 0.5, and with `top_k` no limit."""
        return several(self.thresholds, 0.5 if self.top_k is None else _ANY)


@configured()
class Precision(_Share):
    """How much of what is predicted positive is so: tp / (tp + fp), 0 where nothing is predicted positive.

    Parameters
    ----------
    thresholds : predictions above it are positive: a number, or a tuple of them for as many results; None
        (default) stands for 0.5, or with `top_k` for no limit. Predictions that are logits want 0.
    top_k : only the k largest predictions along the last axis may be positive; None (default) for all.
    class_id : look at this place of the last axis alone; None (default) for all.
    name : str, default "precision"

    >>> round(Precision()([0, 1, 1, 1], [1, 0, 1, 1]), 4)
    0.6667

    Kent, Berry, Luehrs and Perry, "Machine literature searching VIII", 1955.
    """

    name: str = argument(Text(), default="precision")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """Tp / (tp + fp)."""
        return ratio(tp, tp + fp)


@configured()
class Recall(_Share):
    """How much of what is positive is predicted so: tp / (tp + fn), 0 where nothing is positive.

    Parameters
    ----------
    thresholds : predictions above it are positive: a number, or a tuple of them for as many results; None
        (default) stands for 0.5, or with `top_k` for no limit. Predictions that are logits want 0.
    top_k : only the k largest predictions along the last axis may be positive; None (default) for all.
    class_id : look at this place of the last axis alone; None (default) for all.
    name : str, default "recall"

    >>> round(Recall()([0, 1, 1, 1], [1, 0, 1, 1]), 4)
    0.6667

    Kent, Berry, Luehrs and Perry, "Machine literature searching VIII", 1955.
    """

    name: str = argument(Text(), default="recall")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """Tp / (tp + fn)."""
        return ratio(tp, tp + fn)


@configured()
class _Best(ThresholdMetric):
    """The best of one share among the thresholds at which another reaches a wanted value, else 0."""

    def limits(self) -> tuple[float, ...]:
        """`num_thresholds` of them, evenly spread over [0, 1]; the one 0.5 if only one is asked for."""
        count = self.num_thresholds  # type: ignore[attr-defined]
        return (0.5,) if count == 1 else tuple(i / (count - 1) for i in range(count))

    def best(self, kept: Array, wanted: float, among: Array) -> Array:
        """The largest of `among` where `kept` is at least `wanted`."""
        xp = namespace(among)
        return xp.max(xp.where(kept >= wanted, among, xp.zeros_like(among)))


@configured()
class SensitivityAtSpecificity(_Best):
    """The best tp / (tp + fn) among thresholds at which tn / (tn + fp) is at least `specificity`.

    Parameters
    ----------
    specificity : in [0, 1]
    num_thresholds : how many thresholds are tried, evenly spread over [0, 1]; default 200
    class_id : look at this place of the last axis alone; None (default) for all.
    name : str, default "sensitivity_at_specificity"

    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    specificity: float = argument(THRESHOLD)
    num_thresholds: int = argument(Whole(1), default=200)
    class_id: Any = argument(Maybe(Whole(0)), default=None)
    name: str = argument(Text(), default="sensitivity_at_specificity")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """The best sensitivity."""
        return self.best(ratio(tn, tn + fp), self.specificity, ratio(tp, tp + fn))


@configured()
class SpecificityAtSensitivity(_Best):
    """The best tn / (tn + fp) among thresholds at which tp / (tp + fn) is at least `sensitivity`.

    Parameters
    ----------
    sensitivity : in [0, 1]
    num_thresholds : how many thresholds are tried, evenly spread over [0, 1]; default 200
    class_id : look at this place of the last axis alone; None (default) for all.
    name : str, default "specificity_at_sensitivity"

    >>> round(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]), 4)
    0.6667
    """

    sensitivity: float = argument(THRESHOLD)
    num_thresholds: int = argument(Whole(1), default=200)
    class_id: Any = argument(Maybe(Whole(0)), default=None)
    name: str = argument(Text(), default="specificity_at_sensitivity")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """The best specificity."""
        return self.best(ratio(tp, tp + fn), self.sensitivity, ratio(tn, tn + fp))


@configured()
class PrecisionAtRecall(_Best):
    """The best precision among thresholds at which the recall is at least `recall`.

    Parameters
    ----------
    recall : in [0, 1]
    num_thresholds : how many thresholds are tried, evenly spread over [0, 1]; default 200
    class_id : look at this place of the last axis alone; None (default) for all.
    name : str, default "precision_at_recall"

    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    recall: float = argument(THRESHOLD)
    num_thresholds: int = argument(Whole(1), default=200)
    class_id: Any = argument(Maybe(Whole(0)), default=None)
    name: str = argument(Text(), default="precision_at_recall")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """The best precision."""
        return self.best(ratio(tp, tp + fn), self.recall, ratio(tp, tp + fp))


@configured()
class RecallAtPrecision(_Best):
    """The best recall among thresholds at which the precision is at least `precision`.

    Parameters
    ----------
    precision : in [0, 1]
    num_thresholds : how many thresholds are tried, evenly spread over [0, 1]; default 200
    class_id : look at this place of the last axis alone; None (default) for all.
    name : str, default "recall_at_precision"

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.5
    """

    precision: float = argument(THRESHOLD)
    num_thresholds: int = argument(Whole(1), default=200)
    class_id: Any = argument(Maybe(Whole(0)), default=None)
    name: str = argument(Text(), default="recall_at_precision")

    def value(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """The best recall."""
        return self.best(ratio(tp, tp + fp), self.precision, ratio(tp, tp + fn))


def several(given: Any, default: float) -> tuple[float, ...]:
    """One number or many, as a tuple."""
    if given is None:
        return (default,)
    return given if isinstance(given, tuple) else (given,)
