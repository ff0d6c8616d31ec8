"""Losses with Keras's names. A loss lays bricks, as a layer does; its result is one number per sample.

Where the network ends in softmax (or sigmoid) and the loss takes probabilities, the pair is laid as one
brick on the logits, which is the same function without its numerical trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from . import bricks
from .arguments import (
    Anything,
    Choice,
    Configured,
    Converted,
    Flag,
    Maybe,
    Real,
    Text,
    Whole,
    argument,
    configured,
)
from .arrays import Array, Shape
from .bricks.base import letters
from .catalogue import snake_case
from .config import epsilon
from .errors import ParameterError, ParameterTypeError, ShapeError, did_you_mean, known_names
from .graph.symbol import Symbol, scope
from .graph.tape import Tape

REDUCTION = Choice(("sum_over_batch_size", "mean", "sum"))


def _only_none(value: Any) -> None:
    if value is not None:
        raise ParameterError(
            f"ignore_class must be None; got {value!r}. Give such rows sample_weight 0 instead."
        )


@configured()
class Loss(Configured):
    """Base of all losses. Subclasses write `lay_losses`.

    Parameters (by keyword)
    ----------
    reduction : "sum_over_batch_size" (the mean over the rows, each times its weight), "mean" (another name
        for it) or "sum".
    name : the loss's name in logs.
    """

    reduction: str = argument(REDUCTION, default="sum_over_batch_size", kw_only=True)
    name: Any = argument(Maybe(Text()), default=None, kw_only=True)
    dtype: Any = argument(Anything(), default=None, kw_only=True)

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

        >>> MeanSquaredError()([[0.0, 1.0]], [[0.5, 0.5]])
        0.25
        """
        tape = Tape()
        prediction = tape.input(np.asarray(y_pred, np.float64), "y_pred")
        kind = np.int32 if self.integer_targets else np.float64
        target = tape.input(
            fit_target(np.asarray(y_true, kind), self.target_shape(prediction.shape)), "y_true"
        )
        each = np.asarray(self.lay(target, prediction).value)
        weighted = each if sample_weight is None else each * np.asarray(sample_weight, np.float64)
        return float(np.sum(weighted) if self.reduction == "sum" else np.sum(weighted) / max(len(each), 1))


def fit_target(target: Array, shape: Shape) -> Array:
    """Targets (N,) for an expected (N, 1), and (N, 1) for an expected (N,), as Keras accepts them."""
    if target.ndim + 1 == len(shape) and shape[-1] == 1:
        return target.reshape((*target.shape, 1))
    if target.ndim == len(shape) + 1 and target.shape[-1] == 1:
        return target.reshape(target.shape[:-1])
    return target


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


@configured()
class CategoricalCrossentropy(Loss):
    """−Σ t log p for targets that are distributions (one-hot rows), over the last axis.

    Parameters
    ----------
    from_logits : whether the output is logits; then softmax is part of the loss.
    label_smoothing : s in [0, 1]: targets become t (1 − s) + s / K.
    axis : the class axis; -1 only.

    From probabilities that are not a softmax's, p is first divided by its sum and clipped to
    [1e-7, 1 − 1e-7], as Keras does.

    >>> round(CategoricalCrossentropy()([[0, 1, 0]], [[0.05, 0.9, 0.05]]), 5)
    0.10536
    """

    from_logits: bool = argument(Flag(), default=False)
    label_smoothing: float = argument(Real(0, 1), default=0.0)
    axis: int = argument(Whole(-1, -1), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """(Rescaling of the targets) → SoftmaxCrossEntropy, or CrossEntropy on probabilities."""
        if self.label_smoothing:
            classes = y_pred.shape[-1] or 1
            y_true = bricks.Rescaling(1 - self.label_smoothing, self.label_smoothing / classes)(y_true)
        return lay_cross_entropy(y_true, y_pred, self.from_logits)


@configured()
class SparseCategoricalCrossentropy(Loss):
    """−log p of the true class, for targets that are class indices 0 … K−1.

    Parameters
    ----------
    from_logits : whether the output is logits; then softmax is part of the loss.
    ignore_class : None only.
    axis : the class axis; -1 only.

    >>> round(SparseCategoricalCrossentropy()([1], [[0.05, 0.9, 0.05]]), 5)
    0.10536
    """

    from_logits: bool = argument(Flag(), default=False)
    ignore_class: Any = argument(Converted(_only_none, "None"), default=None)
    axis: int = argument(Whole(-1, -1), default=-1)

    integer_targets: ClassVar[bool] = True

    def target_shape(self, output: Shape) -> Shape:
        """The output's shape without the class axis."""
        return output[:-1]

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """SoftmaxCrossEntropy, or CrossEntropy on probabilities."""
        return lay_cross_entropy(y_true, y_pred, self.from_logits)


def lay_cross_entropy(y_true: Symbol, y_pred: Symbol, from_logits: bool) -> Any:
    """Cross-entropy from logits where there are any, else from probabilities."""
    if from_logits:
        return bricks.SoftmaxCrossEntropy()(y_pred, y_true)
    if _made_by(y_pred, bricks.Softmax):
        return bricks.SoftmaxCrossEntropy()(y_pred.call.inputs[0], y_true)
    total = bricks.Sum(axis=(-1,), keepdims=True)(y_pred)
    p = bricks.Multiply()(y_pred, bricks.Reciprocal()(total))
    return bricks.CrossEntropy(clip=epsilon())(p, y_true)


@configured()
class BinaryCrossentropy(Loss):
    """−t log p − (1 − t) log(1 − p), mean over the last axis.

    Parameters
    ----------
    from_logits : whether the output is logits; then sigmoid is part of the loss.
    label_smoothing : s in [0, 1]: targets become t (1 − s) + s / 2.
    axis : -1 only.

    >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.8], [0.4]]), 5)
    0.36698
    """

    from_logits: bool = argument(Flag(), default=False)
    label_smoothing: float = argument(Real(0, 1), default=0.0)
    axis: int = argument(Whole(-1, -1), default=-1)

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """(Rescaling of the targets) → SigmoidCrossEntropy, or BinaryCrossEntropy on probabilities."""
        if self.label_smoothing:
            y_true = bricks.Rescaling(1 - self.label_smoothing, self.label_smoothing / 2)(y_true)
        if self.from_logits:
            return bricks.SigmoidCrossEntropy()(y_pred, y_true)
        if _made_by(y_pred, bricks.Sigmoid):
            return bricks.SigmoidCrossEntropy()(y_pred.call.inputs[0], y_true)
        return bricks.BinaryCrossEntropy(clip=epsilon())(y_pred, y_true)


def _made_by(symbol: Symbol, kind: type[Any]) -> bool:
    brick = symbol.call.brick
    return isinstance(brick, kind) and getattr(brick, "axis", -1) in (-1, len(symbol.shape) - 1)


@configured()
class FunctionLoss(Loss):
    """A user's function of symbols (y_true, y_pred) that lays bricks and gives one loss per sample."""

    function: Callable[[Symbol, Symbol], Any] = argument(Anything())

    def lay_losses(self, y_true: Symbol, y_pred: Symbol) -> Any:
        """What the function lays."""
        return self.function(y_true, y_pred)


KNOWN: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "half_squared_error": HalfSquaredError,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    **{
        cls.__name__: cls
        for cls in (
            MeanSquaredError,
            HalfSquaredError,
            CategoricalCrossentropy,
            SparseCategoricalCrossentropy,
            BinaryCrossentropy,
        )
    },
}


def get(identifier: Any) -> Loss:
    """A loss given by name, object, class, configuration or function of symbols."""
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, Mapping):
        return get_class(identifier.get("class_name")).from_config(identifier.get("config", {}))
    if isinstance(identifier, str):
        return get_class(identifier)()
    if callable(identifier):
        return FunctionLoss(identifier, name=getattr(identifier, "__name__", None))
    raise ParameterTypeError(
        f"A loss must be a name, a Loss or a function that lays bricks; got {identifier!r} "
        f"of type {type(identifier).__name__}."
    )


def get_class(name: Any) -> type[Loss]:
    """The class of a loss by its name. Raises ParameterError with the known names."""
    if name not in KNOWN:
        raise ParameterError(
            f"A loss must be one of {known_names(KNOWN, 20)}; got {name!r}.{did_you_mean(name, KNOWN)}"
        )
    return KNOWN[name]
