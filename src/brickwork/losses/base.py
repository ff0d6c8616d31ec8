"""What a loss is: bricks on (target, prediction) that give one number per sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..arguments import Check, Choice, Configured, Function, Maybe, Text, argument, configured
from ..arrays import Array, Shape
from ..bricks.base import letters
from ..catalogue import snake_case
from ..config import floatx
from ..errors import DataError, ShapeError
from ..graph.symbol import Symbol, scope
from ..graph.tape import Tape


class Precision(Check):
    """The session's float type, or none named: losses are computed in the precision of their inputs."""

    def __call__(self, owner: str, name: str, value: Any) -> str | None:
        """The name, as it was given."""
        if value is None or (isinstance(value, str) and value == floatx()):
            return value
        raise (self.refuse if isinstance(value, str) else self.refuse_type)(
            owner, name, value, hint=" Leave it out."
        )

    def describe(self) -> str:
        """What may be written."""
        return f"None or the session's, {floatx()!r}"

    def bad(self) -> list[Any]:
        """Other types."""
        return ["float16", 3, ""]


REDUCTION = Choice(("sum_over_batch_size", "mean", "sum"))


@configured()
class Loss(Configured):
    """Base of all losses. Subclasses write `lay_losses`.

    Parameters (by keyword)
    ----------
    reduction : "sum_over_batch_size" (the mean over the rows, each times its weight), "mean" (another name
        for it) or "sum".
    name : the loss's name in logs.
    dtype : None, or the session's float type.
    """

    reduction: str = argument(REDUCTION, default="sum_over_batch_size", kw_only=True)
    name: Any = argument(Maybe(Text()), default=None, kw_only=True)
    dtype: Any = argument(Precision(), default=None, kw_only=True)

    integer_targets: ClassVar[bool] = False
    """True: targets are class indices, checked to lie in 0 … K-1."""

    def target_shape(self, output: Shape) -> Shape:
        """The shape that targets must have for an output of this shape."""
        return output

    def lay(self, y_true: Symbol, y_pred: Symbol) -> Symbol:
        """Lay this loss's bricks; gives one loss per sample, (N,)."""
        name = self.name or snake_case(type(self).__name__)
        with scope(name, type(self).__name__):
            losses = self.lay_losses(y_true, y_pred)
        if not isinstance(losses, Symbol) or len(losses.shape) != 1:
            got = letters(losses.shape) if isinstance(losses, Symbol) else type(losses).__name__
            raise ShapeError(
                f"A loss gives one number per sample, shape (N,); {name} gave {got}. "
                f"Sum or average over the other axes with the bricks Sum or MeanSquaredError."
            )
        return losses

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """The bricks of the loss, to be written by subclasses."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """The reduced loss of arrays.

        >>> from brickwork.losses import MeanSquaredError
        >>> MeanSquaredError()([[0.0, 1.0]], [[0.5, 0.5]])
        0.25
        """
        each = self.per_sample(y_true, y_pred)
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float64)
            if weight.ndim and weight.size != len(each):
                raise ShapeError(
                    f"sample_weight takes one number per row, shape ({len(each)},); it received "
                    f"{weight.shape}."
                )
            each = each * (weight.reshape(-1) if weight.ndim else weight)
        return float(np.sum(each) if self.reduction == "sum" else np.sum(each) / max(len(each), 1))

    def per_sample(self, y_true: Any, y_pred: Any) -> Array:
        """One loss for each row of arrays, (N,), in float64."""
        tape = Tape()
        prediction = tape.input(np.asarray(y_pred, np.float64), "y_pred")
        target = np.asarray(y_true)
        if self.integer_targets:
            _require_labels(target, prediction.shape)
        target = target.astype(np.int32 if self.integer_targets else np.float64)
        target = fit_target(target, self.target_shape(prediction.shape))
        return np.asarray(self.lay(tape.input(target, "y_true"), prediction).value)


@configured()
class FunctionLoss(Loss):
    """A user's function of symbols (y_true, y_pred) that lays bricks and gives one loss per sample."""

    function: Callable[[Symbol, Symbol], Any] = argument(Function("symbols (y_true, y_pred)"))

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """What the function lays."""
        return self.function(y_true, y_pred)


def fit_target(target: Array, shape: Shape) -> Array:
    """Targets (N,) for an expected (N, 1), and (N, 1) for an expected (N,), as Keras accepts them."""
    if target.ndim + 1 == len(shape) and shape[-1] == 1:
        return target.reshape((*target.shape, 1))
    if target.ndim == len(shape) + 1 and target.shape[-1] == 1:
        return target.reshape(target.shape[:-1])
    return target


def _require_labels(labels: Array, output: Shape) -> None:
    classes = output[-1] if len(output) > 1 else None
    if classes is None:
        raise ShapeError(
            f"Class indices go with predictions of shape (N, …, C), one number per class; it received "
            f"{output}."
        )
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels))
    )
    if not whole or (labels < 0).any() or (labels >= classes).any():
        raise DataError(
            f"Labels must be whole numbers in 0 … {classes - 1}, since the predictions have {classes} "
            f"classes; it received {labels.reshape(-1)[:8].tolist()}. Number the classes from 0."
        )
