"""Targets and predictions brought to one shape and type."""

from __future__ import annotations

from ..arrays import Array, namespace
from ..errors import ShapeError
from .base import Metric
from .sums import floating


def aligned(metric: Metric, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Both in one shape; (N,) and (N, 1) stand for each other."""
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if true != pred:
        if (*true, 1) != pred and true != (*pred, 1):
            raise ShapeError(
                f"{type(metric).__name__} takes y_true and y_pred of one shape; it received y_true of shape "
                f"{true} and y_pred of shape {pred}. Reshape the targets, or turn them into "
                f"one-hot rows with utils.to_categorical."
            )
        y_true = namespace(y_pred).reshape(y_true, pred)
    return y_true, y_pred


def numbers(agree: Array, y_pred: Array) -> Array:
    """1 for True, 0 for False, in the type of y_pred where it is a float type."""
    return floating(agree, y_pred)


def difference(metric: Metric, y_true: Array, y_pred: Array) -> Array:
    """y_true - y_pred, in the type of y_pred where it is a float type."""
    y_true, y_pred = aligned(metric, y_true, y_pred)
    return floating(y_true, y_pred) - floating(y_pred, y_pred)
