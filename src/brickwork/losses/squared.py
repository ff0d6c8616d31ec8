"""Squared differences: the lectures' half of the sum, and Keras's mean."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import configured
from ..arrays import Array
from ..graph.symbol import Symbol
from .base import Loss


@configured()
class HalfSquaredError(Loss):
    """The lectures' E = ½ Σ (y − t)² per sample.

    >>> HalfSquaredError()([[0.0, 1.0]], [[0.5, 0.5]])
    0.25
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """HalfSquaredError."""
        return bricks.HalfSquaredError()(y_pred, y_true)


@configured()
class MeanSquaredError(Loss):
    """Mean over the features of (y − t)².

    >>> MeanSquaredError()([[0.0, 2.0]], [[0.0, 0.0]])
    2.0
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """MeanSquaredError."""
        return bricks.MeanSquaredError()(y_pred, y_true)


def mean_squared_error(y_true: Any, y_pred: Any) -> Array:
    """Mean over the features of (y − t)², one number per sample; also a `loss` for compile.

    >>> mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
    [2.0]
    """
    return MeanSquaredError().per_sample(y_true, y_pred)
