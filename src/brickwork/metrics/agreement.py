"""Targets and predictions brought to one shape and type."""

from __future__ import annotations

from ..arrays import Array, namespace
from ..errors import ShapeError
from .base import Metric


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
    xp = namespace(agree)
    return xp.astype(agree, y_pred.dtype if _is_float(y_pred) else xp.float32)


def difference(metric: Metric, y_true: Array, y_pred: Array) -> Array:
    """y_true - y_pred, in the type of y_pred where it is a float type."""
    y_true, y_pred = aligned(metric, y_true, y_pred)
    xp = namespace(y_pred)
    kind = y_pred.dtype if _is_float(y_pred) else xp.float32
    return xp.astype(y_true, kind) - xp.astype(y_pred, kind)


def _is_float(x: Array) -> bool:
    return bool(namespace(x).isdtype(x.dtype, "real floating"))
