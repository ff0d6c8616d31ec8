"""How far predictions are from their targets."""

from __future__ import annotations

from typing import Any, ClassVar

from ..arguments import Text, Whole, argument, configured
from ..arrays import Array, namespace
from ..errors import ShapeError
from .agreement import aligned, difference
from .base import MeanMetric, Totals
from .sums import floating, ratio


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


@configured()
class RootMeanSquaredError(MeanMetric):
    """The square root of the mean of (y_true - y_pred)^2 over all samples, in the unit of the targets.

    Parameters
    ----------
    name : str, default "root_mean_squared_error"

    >>> RootMeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
    0.5
    """

    name: str = argument(Text(), default="root_mean_squared_error")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Squared differences; both of one shape."""
        apart = difference(self, y_true, y_pred)
        return apart * apart

    def result(self, totals: Totals | None = None) -> Any:
        """The root of the mean."""
        return super().result(totals) ** 0.5


@configured()
class PearsonCorrelation(MeanMetric):
    """How linearly y_true and y_pred rise and fall together along an axis, in [-1, 1]; mean over the samples.

    Where one of them does not vary, it is 0.

    Parameters
    ----------
    name : str, default "pearson_correlation"
    axis : along which they are compared, default -1

    >>> round(PearsonCorrelation()([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]), 4)
    0.9967

    Pearson, "Notes on regression and inheritance in the case of two parents", 1895.
    """

    direction: ClassVar[str] = "up"
    name: str = argument(Text(), default="pearson_correlation")
    axis: int = argument(Whole(), default=-1, kw_only=True)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """The correlation of each sample."""
        both, one, other, _ = moments(self, y_true, y_pred, self.axis)
        return ratio(both, (one * other) ** 0.5)


@configured()
class ConcordanceCorrelation(MeanMetric):
    """How near y_pred is to y_true in rise, spread and level along an axis, in [-1, 1]; mean over samples.

    2 cov / (var y_true + var y_pred + (mean y_true - mean y_pred)^2), 0 where both do not vary and are equal.

    Parameters
    ----------
    name : str, default "concordance_correlation"
    axis : along which they are compared, default -1

    >>> round(ConcordanceCorrelation()([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]]), 4)
    0.9816

    Lin, "A concordance correlation coefficient to evaluate reproducibility", 1989.
    """

    direction: ClassVar[str] = "up"
    name: str = argument(Text(), default="concordance_correlation")
    axis: int = argument(Whole(), default=-1, kw_only=True)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """The concordance of each sample."""
        both, one, other, apart = moments(self, y_true, y_pred, self.axis)
        return ratio(2.0 * both, one + other + apart * apart)


def moments(metric: MeanMetric, y_true: Array, y_pred: Array, axis: int) -> tuple[Array, Array, Array, Array]:
    """(covariance, variance of y_true, of y_pred, difference of the means) along an axis."""
    y_true, y_pred = aligned(metric, y_true, y_pred)
    if y_pred.ndim < 2 or not -y_pred.ndim < axis < y_pred.ndim or axis == 0:
        raise ShapeError(
            f"{type(metric).__name__} along axis {axis} takes y_pred of shape (N, …) with that axis behind "
            f"the first; it received {tuple(y_pred.shape)}. Choose another axis, or give rows of numbers."
        )
    t, y = floating(y_true, y_pred), floating(y_pred, y_pred)
    xp = namespace(y)
    mean_t, mean_y = (xp.mean(x, axis=axis, keepdims=True) for x in (t, y))
    t, y = t - mean_t, y - mean_y
    both, one, other = (xp.mean(product, axis=axis) for product in (t * y, t * t, y * y))
    return both, one, other, xp.squeeze(mean_t - mean_y, axis=axis)
