"""How often a prediction is right."""

from __future__ import annotations

from typing import ClassVar

from ..arguments import Flag, Real, Text, Whole, argument, configured
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
        places = namespace(y_pred).argmax(y_pred, axis=-1)
        return numbers(_named(self, y_true, y_pred, tuple(places.shape)) == places, y_pred)


@configured()
class TopKCategoricalAccuracy(MeanMetric):
    """How often the class that the one-hot target names is among the k largest outputs.

    Outputs that equal the k-th largest count as among them, as in Keras.

    Parameters
    ----------
    k : at least 1, default 5
    name : str, default "top_k_categorical_accuracy"

    >>> TopKCategoricalAccuracy(k=1)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5

    Russakovsky and others, "ImageNet Large Scale Visual Recognition Challenge", 2015.
    """

    direction: ClassVar[str] = "up"
    k: int = argument(Whole(1), default=5)
    name: str = argument(Text(), default="top_k_categorical_accuracy")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """1 where the true class is among the k largest, 0 elsewhere; both (N, …, C)."""
        y_true, y_pred = aligned(self, y_true, y_pred)
        return _among_largest(namespace(y_pred).argmax(y_true, axis=-1), y_pred, self.k)


@configured()
class SparseTopKCategoricalAccuracy(MeanMetric):
    """How often the class that the target, a whole number, names is among the k largest outputs.

    Outputs that equal the k-th largest count as among them, as in Keras.

    Parameters
    ----------
    k : at least 1, default 5
    name : str, default "sparse_top_k_categorical_accuracy"
    from_sorted_ids : y_pred holds class numbers, the likeliest first, instead of outputs; default False

    >>> SparseTopKCategoricalAccuracy(k=1)([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5

    Russakovsky and others, "ImageNet Large Scale Visual Recognition Challenge", 2015.
    """

    direction: ClassVar[str] = "up"
    k: int = argument(Whole(1), default=5)
    name: str = argument(Text(), default="sparse_top_k_categorical_accuracy")
    from_sorted_ids: bool = argument(Flag(), default=False)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """1 where the named class is among the k largest, 0 elsewhere; y_true (N, …), y_pred (N, …, C)."""
        xp = namespace(y_pred)
        places = tuple(y_pred.shape[:-1])
        named = _named(self, y_true, y_pred, places)
        if self.from_sorted_ids:
            hits = xp.any(y_pred[..., : self.k] == xp.expand_dims(named, axis=-1), axis=-1)
            return numbers(hits, y_pred)
        return _among_largest(named, y_pred, self.k)


def _named(metric: MeanMetric, y_true: Array, y_pred: Array, places: tuple[int, ...]) -> Array:
    """The whole numbers of y_true in the shape `places`."""
    if tuple(y_true.shape) not in (places, (*places, 1)):
        raise ShapeError(
            f"{type(metric).__name__} takes whole numbers of shape {places} for y_pred of shape "
            f"{tuple(y_pred.shape)}; it received y_true of shape {tuple(y_true.shape)}. For "
            f"one-hot targets use {type(metric).__name__.removeprefix('Sparse')}."
        )
    return namespace(y_pred).reshape(y_true, places)


def _among_largest(named: Array, y_pred: Array, k: int) -> Array:
    """1 where fewer than k outputs are larger than the named one; an output that is NaN never is."""
    xp = namespace(y_pred)
    index = xp.expand_dims(xp.astype(named, xp.int32), axis=-1)
    own = xp.take_along_axis(y_pred, index, axis=-1)
    larger = xp.sum(xp.astype(y_pred > own, xp.int32), axis=-1)
    return numbers((larger < k) & (own == own)[..., 0], y_pred)
