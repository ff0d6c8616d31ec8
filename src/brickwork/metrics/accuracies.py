"""How often a prediction is right."""

from __future__ import annotations

from typing import ClassVar

from ..arguments import Real, Text, argument, configured
from ..arrays import Array, namespace
from ..errors import ShapeError
from .agreement import aligned, numbers
from .base import MeanMetric


@configured()
class Accuracy(MeanMetric):
    """How often the prediction equals the target: for predictions that are labels.

    For probabilities, give `metrics=["accuracy"]` to `compile`, which picks the right kind of the others.

    Parameters
    ----------
    name : str, default "accuracy"

    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    direction: ClassVar[str] = "up"
    name: str = argument(Text(), default="accuracy")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """1 where y_true = y_pred, 0 elsewhere; both of one shape."""
        y_true, y_pred = aligned(self, y_true, y_pred)
        return numbers(y_true == y_pred, y_pred)


@configured()
class BinaryAccuracy(MeanMetric):
    """How often y_pred > threshold agrees with a target of 0 or 1.

    Parameters
    ----------
    name : str, default "binary_accuracy"
    threshold : in [0, 1], default 0.5

    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1.0], [0.0], [0.6]])
    0.75
    """

    direction: ClassVar[str] = "up"
    name: str = argument(Text(), default="binary_accuracy")
    threshold: float = argument(Real(0.0, 1.0), default=0.5, kw_only=True)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """1 where the halves agree, 0 elsewhere; y_true (N,) or (N, 1), y_pred (N, 1)."""
        y_true, y_pred = aligned(self, y_true, y_pred)
        return numbers((y_pred > self.threshold) == y_true, y_pred)


@configured()
class CategoricalAccuracy(MeanMetric):
    """How often the largest of C outputs stands where the one-hot target has its 1.

    Parameters
    ----------
    name : str, default "categorical_accuracy"

    >>> CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    direction: ClassVar[str] = "up"
    name: str = argument(Text(), default="categorical_accuracy")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """1 where the places agree, 0 elsewhere; both (N, …, C)."""
        y_true, y_pred = aligned(self, y_true, y_pred)
        xp = namespace(y_pred)
        return numbers(xp.argmax(y_true, axis=-1) == xp.argmax(y_pred, axis=-1), y_pred)


@configured()
class SparseCategoricalAccuracy(MeanMetric):
    """How often the largest of C outputs stands at the place that the target, a whole number, names.

    Parameters
    ----------
    name : str, default "sparse_categorical_accuracy"

    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    direction: ClassVar[str] = "up"
    name: str = argument(Text(), default="sparse_categorical_accuracy")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """1 where the place is the named one, 0 elsewhere; y_true (N, …) or (N, …, 1), y_pred (N, …, C)."""
        xp = namespace(y_pred)
        places = xp.argmax(y_pred, axis=-1)
        if tuple(y_true.shape) not in (tuple(places.shape), (*places.shape, 1)):
            raise ShapeError(
                f"{type(self).__name__} takes whole numbers of shape {tuple(places.shape)} for y_pred of "
                f"shape {tuple(y_pred.shape)}; it received y_true of shape {tuple(y_true.shape)}. For "
                f"one-hot targets use CategoricalAccuracy."
            )
        return numbers(xp.reshape(y_true, places.shape) == places, y_pred)
