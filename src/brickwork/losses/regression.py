"""Losses of regression: how far an output is from a number."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Real, Whole, argument, configured
from ..arrays import Array
from ..config import epsilon
from ..graph.symbol import Symbol
from .base import Loss


@configured()
class MeanAbsoluteError(Loss):
    """Mean over the features of |y − t|.

    >>> MeanAbsoluteError()([[0.0, 2.0]], [[0.0, 0.0]])
    1.0
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """MeanAbsoluteError."""
        return bricks.MeanAbsoluteError()(y_pred, y_true)


@configured()
class MeanAbsolutePercentageError(Loss):
    """Mean over the features of 100 |y − t| / max(|t|, 1e-7), in per cent.

    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[3.0, 4.0]])
    25.0
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """MeanAbsolutePercentageError."""
        return bricks.MeanAbsolutePercentageError(epsilon())(y_pred, y_true)


@configured()
class MeanSquaredLogarithmicError(Loss):
    """Mean over the features of (log(1 + y) − log(1 + t))²; y and t below 1e-7 count as 1e-7.

    >>> round(MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]]), 5)
    0.24023
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """MeanSquaredLogarithmicError."""
        return bricks.MeanSquaredLogarithmicError(epsilon())(y_pred, y_true)


@configured()
class Huber(Loss):
    """Mean over the features of (y − t)² / 2 up to |y − t| = delta, a straight line beyond.

    Parameters
    ----------
    delta : where the parabola ends; above 0; default 1.

    >>> Huber()([[0.0, 0.0]], [[0.5, 3.0]])
    1.3125

    Huber, "Robust Estimation of a Location Parameter", 1964.
    """

    delta: float = argument(Real(0, low_open=True), default=1.0)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """Huber."""
        return bricks.Huber(self.delta)(y_pred, y_true)


@configured()
class LogCosh(Loss):
    """Mean over the features of log cosh(y − t).

    >>> round(LogCosh()([[0.0, 0.0]], [[1.0, 0.0]]), 5)
    0.21689
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """LogCosh."""
        return bricks.LogCosh()(y_pred, y_true)


@configured()
class Poisson(Loss):
    """Mean over the features of y − t log(y + 1e-7), for counts t and positive outputs y.

    >>> round(Poisson()([[3.0, 0.0]], [[1.0, 2.0]]), 5)
    1.5
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """Poisson."""
        return bricks.Poisson(epsilon())(y_pred, y_true)


@configured()
class CosineSimilarity(Loss):
    """−Σ y t / (|y| |t|) along an axis: −1 where output and target point one way; mean over the other axes.

    Parameters
    ----------
    axis : along which the vectors lie; default −1.

    >>> round(CosineSimilarity()([[1.0, 0.0]], [[3.0, 4.0]]), 6)
    -0.6
    """

    axis: int = argument(Whole(), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """CosineSimilarity."""
        return bricks.CosineSimilarity(self.axis, epsilon())(y_pred, y_true)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Array:
    """Mean of |y − t|, one number per sample; also a `loss` for compile."""
    return MeanAbsoluteError().per_sample(y_true, y_pred)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Array:
    """Mean of 100 |y − t| / |t|, one number per sample; also a `loss` for compile."""
    return MeanAbsolutePercentageError().per_sample(y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Array:
    """Mean of (log(1 + y) − log(1 + t))², one number per sample; also a `loss` for compile."""
    return MeanSquaredLogarithmicError().per_sample(y_true, y_pred)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Array:
    """Mean of Huber's function of y − t, one number per sample; also a `loss` for compile."""
    return Huber(delta).per_sample(y_true, y_pred)


def log_cosh(y_true: Any, y_pred: Any) -> Array:
    """Mean of log cosh(y − t), one number per sample; also a `loss` for compile."""
    return LogCosh().per_sample(y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> Array:
    """Mean of y − t log(y + 1e-7), one number per sample; also a `loss` for compile."""
    return Poisson().per_sample(y_true, y_pred)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """−Σ y t / (|y| |t|), one number per sample; also a `loss` for compile.

    >>> cosine_similarity([[1.0, 0.0]], [[3.0, 4.0]]).round(6).tolist()
    [-0.6]
    """
    return CosineSimilarity(axis).per_sample(y_true, y_pred)
