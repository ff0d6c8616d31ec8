"""How far predictions are from their targets."""

from __future__ import annotations

from ..arguments import Text, argument, configured
from ..arrays import Array
from .agreement import difference
from .base import MeanMetric


@configured()
class MeanSquaredError(MeanMetric):
    """Mean of (y_true - y_pred)^2 over all numbers of a sample, then over the samples.

    Parameters
    ----------
    name : str, default "mean_squared_error"

    >>> MeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
    0.25
    """

    name: str = argument(Text(), default="mean_squared_error")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Squared differences; both of one shape."""
        apart = difference(self, y_true, y_pred)
        return apart * apart


@configured()
class MeanAbsoluteError(MeanMetric):
    """Mean of |y_true - y_pred| over all numbers of a sample, then over the samples.

    Parameters
    ----------
    name : str, default "mean_absolute_error"

    >>> MeanAbsoluteError()([[0, 1], [0, 0]], [[1, 3], [0, 0]])
    0.75
    """

    name: str = argument(Text(), default="mean_absolute_error")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Absolute differences; both of one shape."""
        return abs(difference(self, y_true, y_pred))
