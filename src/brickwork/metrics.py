"""What is told about a model beside its loss, with Keras's names.

A metric is three functions: `start` gives totals, `update` adds a batch to them, `result` makes a number of
them. They run in the array's own namespace, so an engine may trace them. For use by hand, as in Keras, the
object keeps totals of its own: `update_state`, `result()`, `reset_state`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from .arguments import Anything, Configured, Real, Text, argument, configured
from .arrays import Array, namespace
from .catalogue import Catalogue
from .errors import ParameterTypeError, ShapeError

Totals = tuple[Any, ...]


@configured()
class Metric(Configured):
    """Base of all metrics.

    A subclass writes `start`, `update` and `result`, or, where the metric is a mean over the samples, derives
    from `MeanMetric` and writes `values`.
    """

    direction: ClassVar[str] = "down"
    """Whether better is "up" or "down"; callbacks with mode="auto" ask it."""

    name = "metric"

    def start(self) -> Totals:
        """The totals before the first batch: numbers."""
        raise NotImplementedError(f"{type(self).__name__} states no start()")

    def update(self, totals: Totals, y_true: Array, y_pred: Array, weight: Array | None = None) -> Totals:
        """The totals after a batch; `weight` of shape (N,) counts samples more or less than once."""
        raise NotImplementedError(f"{type(self).__name__} states no update(totals, y_true, y_pred, weight)")

    def result(self, totals: Totals | None = None) -> Any:
        """The number that the totals amount to; those kept by `update_state` unless others are given."""
        raise NotImplementedError(f"{type(self).__name__} states no result(totals)")

    @property
    def kept(self) -> Totals:
        """The totals that `update_state` has gathered."""
        totals: Totals = self.__dict__.get("_totals") or self.start()
        return totals

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch to the totals that the object keeps.

        `sample_weight` is None, one number, or an array of shape (N,) or (N, 1).
        """
        y_pred = _array(y_pred)
        weight = None if sample_weight is None else _weight(sample_weight, y_pred)
        self.__dict__["_totals"] = self.update(self.kept, y_true, y_pred, weight)

    def reset_state(self) -> None:
        """Forget all batches."""
        self.__dict__.pop("_totals", None)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """`update_state`, then `result()`."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


@configured()
class MeanMetric(Metric):
    """A metric that is a mean over the samples: sum(weight * values) / sum(weight), 0 before any sample.

    A subclass writes `values(y_true, y_pred)`, one number per sample.
    """

    def start(self) -> Totals:
        """(sum of weighted values, sum of weights)."""
        return (0.0, 0.0)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """One number per sample: (N,), or (N, …), which is averaged."""
        raise NotImplementedError(f"{type(self).__name__} states no values(y_true, y_pred)")

    def update(self, totals: Totals, y_true: Any, y_pred: Any, weight: Any = None) -> Totals:
        """Both sums after a batch."""
        y_pred = _array(y_pred)
        xp = namespace(y_pred)
        values = _per_sample(self.values(xp.asarray(y_true), y_pred))
        total, count = totals
        if weight is None:
            return total + _sum(values), count + float(values.shape[0])
        weight = xp.asarray(weight, dtype=values.dtype)
        return total + _sum(values * weight), count + _sum(weight)

    def result(self, totals: Totals | None = None) -> Any:
        """The mean."""
        total, count = self.kept if totals is None else totals
        if isinstance(count, (int, float)):
            return float(total) / count if count else 0.0
        xp = namespace(count)
        return xp.where(count == 0, xp.zeros_like(count), total / xp.where(count == 0, 1.0, count))


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
        y_true, y_pred = _aligned(self, y_true, y_pred)
        return _numbers(y_true == y_pred, y_pred)


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
        y_true, y_pred = _aligned(self, y_true, y_pred)
        return _numbers((y_pred > self.threshold) == y_true, y_pred)


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
        y_true, y_pred = _aligned(self, y_true, y_pred)
        xp = namespace(y_pred)
        return _numbers(xp.argmax(y_true, axis=-1) == xp.argmax(y_pred, axis=-1), y_pred)


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
                f"{type(self).__name__} takes whole numbers of shape {_words(places.shape)} for y_pred of "
                f"shape {_words(y_pred.shape)}; it received y_true of shape {_words(y_true.shape)}. For "
                f"one-hot targets use CategoricalAccuracy."
            )
        return _numbers(xp.reshape(y_true, places.shape) == places, y_pred)


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
        difference = _difference(self, y_true, y_pred)
        return difference * difference


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
        return abs(_difference(self, y_true, y_pred))


@configured()
class MeanMetricWrapper(MeanMetric):
    """The mean of a function `fn(y_true, y_pred)` that gives one number, or several, per sample.

    Parameters
    ----------
    fn : callable, written in the namespace of its arguments if it is to run under JAX
    name : str, or None (default) for the function's own

    >>> MeanMetricWrapper(lambda y_true, y_pred: y_pred - y_true, name="bias")([1.0, 1.0], [2.0, 4.0])
    2.0
    """

    fn: Callable[[Any, Any], Any] = argument(Anything())
    name: str = argument(Anything(), default=None)

    def __post_init__(self) -> None:
        if not callable(self.fn):
            raise ParameterTypeError(
                f"MeanMetricWrapper: `fn` must be a function of y_true and y_pred; got fn={self.fn!r} of "
                f"type {type(self.fn).__name__}."
            )
        self.name = Text()("MeanMetricWrapper", "name", self.name or getattr(self.fn, "__name__", "metric"))

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """What the function gives."""
        return self.fn(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """A function cannot be written down: raises ParameterTypeError."""
        raise ParameterTypeError(
            f"Only metrics that are classes can be saved; got the function {self.fn!r}. Make it a subclass "
            f"of brickwork.metrics.MeanMetric."
        )


def _array(x: Any) -> Array:
    return x if hasattr(x, "__array_namespace__") else np.asarray(x)


def _words(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _weight(weight: Any, y_pred: Array) -> Array:
    samples = (y_pred.shape[0],)
    weight = np.asarray(weight, np.float64)
    if weight.ndim and weight.shape not in (samples, (*samples, 1)):
        raise ShapeError(
            f"`sample_weight` must be one number or have the shape {_words(samples)}; it received "
            f"{_words(weight.shape)}. Give one weight per sample."
        )
    return np.broadcast_to(weight.reshape(samples if weight.ndim else ()), samples)


def _aligned(metric: Metric, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Both in one shape; (N,) and (N, 1) stand for each other."""
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if true != pred:
        if (*true, 1) != pred and true != (*pred, 1):
            raise ShapeError(
                f"{type(metric).__name__} takes y_true and y_pred of one shape; it received y_true of shape "
                f"{_words(true)} and y_pred of shape {_words(pred)}. Reshape the targets, or turn them into "
                f"one-hot rows with utils.to_categorical."
            )
        y_true = namespace(y_pred).reshape(y_true, pred)
    return y_true, y_pred


def _numbers(agree: Array, y_pred: Array) -> Array:
    """1 for True, 0 for False, in the type of y_pred where it is a float type."""
    xp = namespace(agree)
    return xp.astype(agree, y_pred.dtype if _is_float(y_pred) else xp.float32)


def _difference(metric: Metric, y_true: Array, y_pred: Array) -> Array:
    y_true, y_pred = _aligned(metric, y_true, y_pred)
    xp = namespace(y_pred)
    kind = y_pred.dtype if _is_float(y_pred) else xp.float32
    return xp.astype(y_true, kind) - xp.astype(y_pred, kind)


def _is_float(x: Array) -> bool:
    return bool(np.dtype(x.dtype).kind == "f")


def _per_sample(values: Array) -> Array:
    return namespace(values).mean(values, axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values


def _sum(values: Array) -> Any:
    """In NumPy a Python number summed in float64, so that long epochs lose nothing; else a traced scalar."""
    if isinstance(values, (np.ndarray, np.generic)):
        return float(np.sum(values, dtype=np.float64))
    return namespace(values).sum(values)


_CATALOGUE: Catalogue[Metric] = Catalogue(
    "metric",
    Metric,
    (
        Accuracy,
        BinaryAccuracy,
        CategoricalAccuracy,
        SparseCategoricalAccuracy,
        MeanSquaredError,
        MeanAbsoluteError,
    ),
    {"acc": Accuracy, "mse": MeanSquaredError, "mae": MeanAbsoluteError},
)


def get(identifier: Any) -> Metric | None:
    """The metric that a name, class, configuration, function or the object itself stands for; None for None.

    >>> get("mse")
    MeanSquaredError()
    """
    known = identifier is None or isinstance(identifier, (Metric, type, str, Mapping))
    if not known and callable(identifier):
        return MeanMetricWrapper(identifier)
    return _CATALOGUE.get(identifier)


def resolve(
    identifier: Any, target_shape: Sequence[int | None], output_shape: Sequence[int | None]
) -> Metric:
    """The metric that `compile` means; one named by a string reports under that string, as in Keras.

    "accuracy" (or "acc") is binary where the output's last axis has length 1, sparse where the targets have
    fewer axes than the output or a last axis of length 1, else categorical.

    >>> resolve("accuracy", (None,), (None, 10))
    SparseCategoricalAccuracy(name='accuracy')
    """
    metric: Metric | None
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        metric = _accuracy(target_shape, output_shape)
    else:
        metric = get(identifier)
    if metric is None:
        raise ParameterTypeError("A metric must be a name, a Metric or a function; got None. Leave it out.")
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def _accuracy(target_shape: Sequence[int | None], output_shape: Sequence[int | None]) -> Metric:
    if output_shape[-1] == 1:
        return BinaryAccuracy()
    if len(target_shape) < len(output_shape) or target_shape[-1] == 1:
        return SparseCategoricalAccuracy()
    return CategoricalAccuracy()


def serialize(metric: Metric) -> dict[str, Any]:
    """{"class_name", "config"} of the metric.

    >>> serialize(BinaryAccuracy())["config"]
    {'name': 'binary_accuracy', 'threshold': 0.5}
    """
    return _CATALOGUE.serialize(metric)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, type[Metric]] | None = None
) -> Metric:
    """The metric that `serialize` told; `custom_objects` names classes of your own."""
    return _CATALOGUE.deserialize(config, custom_objects)
