"""Losses of the margin, for outputs that are scores: what is right by less than 1 still costs."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import configured
from ..arrays import Array
from ..graph.symbol import Symbol
from .base import Loss


@configured()
class Hinge(Loss):
    """Mean over the features of max(1 − t y, 0), for targets −1 and 1, or 0 and 1, where 0 counts as −1.

    >>> Hinge()([[-1.0, 1.0]], [[0.6, 2.0]])
    0.8

    Cortes and Vapnik, "Support-Vector Networks", 1995.
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """Hinge."""
        return bricks.Hinge()(y_pred, y_true)


@configured()
class SquaredHinge(Loss):
    """Mean over the features of max(1 − t y, 0)², for targets −1 and 1, or 0 and 1, where 0 counts as −1.

    >>> SquaredHinge()([[-1.0, 1.0]], [[0.5, 2.0]])
    1.125
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """SquaredHinge."""
        return bricks.SquaredHinge()(y_pred, y_true)


@configured()
class CategoricalHinge(Loss):
    """max(1 + max (1 − t) y − Σ t y, 0) over the last axis, for targets that are one-hot rows.

    >>> CategoricalHinge()([[0, 1, 0]], [[0.5, 1.0, 0.25]])
    0.5
    """

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """CategoricalHinge."""
        return bricks.CategoricalHinge()(y_pred, y_true)


def hinge(y_true: Any, y_pred: Any) -> Array:
    """Mean of max(1 − t y, 0), one number per sample; also a `loss` for compile."""
    return Hinge().per_sample(y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> Array:
    """Mean of max(1 − t y, 0)², one number per sample; also a `loss` for compile."""
    return SquaredHinge().per_sample(y_true, y_pred)


def categorical_hinge(y_true: Any, y_pred: Any) -> Array:
    """How far the true class fails to be above the others by 1, per sample; also a `loss` for compile."""
    return CategoricalHinge().per_sample(y_true, y_pred)
