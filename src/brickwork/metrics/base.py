"""What a metric is.

A metric is three functions: `start` gives totals, `update` adds a batch to them, `result` makes a number (or
an array of numbers) of them. Totals of parts of the data add up to those of the whole. The functions run in
the array's own namespace, so an engine may trace them. For use by hand, as in Keras, the object keeps totals
of its own: `update_state`, `result()`, `reset_state`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..arguments import Anything, Configured, Text, argument, configured
from ..arrays import Array, namespace
from ..errors import ParameterTypeError, ShapeError

Totals = tuple[Any, ...]

_NUMBERS = (int, float, np.generic, np.ndarray)


@configured()
class Metric(Configured):
    """Base of all metrics.

    A subclass writes `start`, `update` and `result`, or, where the metric is a mean over the samples, derives
    from `MeanMetric` and writes `values`.
    """

    direction: ClassVar[str] = "down"
    """Whether better is "up" or "down"; callbacks with mode="auto" ask it."""

    name = "metric"

    def build(self, y_true: Sequence[Any], y_pred: Sequence[Any]) -> None:
        """What `start` must know of the shapes, before anything else; sizes that are open are None."""

    def fix(self, what: str, size: int) -> None:
        """Remember a size that `build` has found. Raises ShapeError where another one is known."""
        known = self.__dict__.setdefault("_sizes", {}).setdefault(what, size)
        if known != size:
            raise ShapeError(
                f"{type(self).__name__} {getattr(self, 'name', '')!r} counts {known} {what}; it received "
                f"{size}. Make another {type(self).__name__} for the other output."
            )

    def fixed(self, what: str) -> int | None:
        """A size that `build` has found."""
        found: int | None = self.__dict__.get("_sizes", {}).get(what)
        return found

    def start(self) -> Totals:
        """The totals before the first batch: numbers, or arrays of them."""
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
        y_true, y_pred = _array(y_true), _array(y_pred)
        weight = None if sample_weight is None else _weight(sample_weight, y_pred)
        self.build(y_true.shape, y_pred.shape)
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
        total, count = map(float, self.kept) if totals is None else totals
        traced = [number for number in (total, count) if not isinstance(number, _NUMBERS)]
        if not traced:
            return float(total) / float(count) if count else 0.0
        xp = namespace(traced[0])
        empty = xp.asarray(count == 0)
        return xp.where(empty, 0.0, total / xp.where(empty, 1.0, count))


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


def _weight(weight: Any, y_pred: Array) -> Array:
    samples = (y_pred.shape[0],)
    weight = np.asarray(weight, np.float64)
    if weight.ndim and weight.shape not in (samples, (*samples, 1)):
        raise ShapeError(
            f"`sample_weight` must be one number or have the shape {samples}; it received "
            f"{weight.shape}. Give one weight per sample."
        )
    return np.broadcast_to(weight.reshape(samples if weight.ndim else ()), samples)


def _per_sample(values: Array) -> Array:
    return namespace(values).mean(values, axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values


def _sum(values: Array) -> Any:
    """In NumPy a Python number summed in float64, so that long epochs lose nothing; else a traced scalar."""
    if isinstance(values, (np.ndarray, np.generic)):
        return float(np.sum(values, dtype=np.float64))
    return namespace(values).sum(values)
