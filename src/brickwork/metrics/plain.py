"""Mean and sum of numbers that are given by hand, as in training loops of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Text, argument, configured
from ..arrays import Array, namespace
from .base import MeanMetric, Totals


class ByHand:
    """Metrics of values, not of targets and predictions; in `compile` the values are the predictions."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, a number or an array whose first axis counts samples, each with a weight if given."""
        values = np.asarray(values, np.float64)
        values = values.reshape(1) if values.ndim == 0 else values
        super().update_state(values, values, sample_weight)  # type: ignore[misc]

    def __call__(self, values: Any, sample_weight: Any = None) -> Any:
        """`update_state`, then `result()`."""
        self.update_state(values, sample_weight)
        return self.result()  # type: ignore[attr-defined]


@configured()
class Mean(ByHand, MeanMetric):  # type: ignore[misc]
    """The mean of all values: sum(weight * value) / sum(weight), 0 before any.

    Parameters
    ----------
    name : str, default "mean"

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0, 5.0, 7.0])
    >>> mean.update_state(9.0)
    >>> mean.result()
    5.0
    """

    name: str = argument(Text(), default="mean")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """What was given."""
        return y_pred


@configured()
class Sum(ByHand, MeanMetric):  # type: ignore[misc]
    """The sum of all values, each times its weight.

    Parameters
    ----------
    name : str, default "sum"

    >>> Sum()([1.0, 3.0, 5.0, 7.0])
    16.0
    """

    name: str = argument(Text(), default="sum")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """The sum over each sample."""
        return namespace(y_pred).sum(y_pred, axis=tuple(range(1, y_pred.ndim))) if y_pred.ndim > 1 else y_pred

    def result(self, totals: Totals | None = None) -> Any:
        """The weighted sum."""
        total = (self.kept if totals is None else totals)[0]
        return float(total) if isinstance(total, (float, np.generic, np.ndarray)) else total
