"""Metrics by name, and the kind of accuracy that the shapes call for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..catalogue import Catalogue, public_classes
from ..errors import ParameterTypeError
from . import functions
from .accuracies import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from .base import MeanMetricWrapper, Metric
from .differences import MeanAbsoluteError, MeanSquaredError
from .of_losses import (
    BinaryCrossentropy,
    KLDivergence,
    LogCoshError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
)

_SHORT: dict[str, type[Metric]] = {
    "acc": Accuracy,
    "bce": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "kld": KLDivergence,
    "log_cosh": LogCoshError,
}
_CATALOGUE: Catalogue[Metric] = Catalogue(
    "metric", Metric, public_classes("brickwork.metrics", Metric), _SHORT
)


def get(identifier: Any) -> Metric | None:
    """The metric that a name, class, configuration, function or the object itself stands for; None for None.

    >>> get("mse")
    MeanSquaredError()
    """
    known = identifier is None or isinstance(identifier, (Metric, type, str, Mapping))
    if not known and callable(identifier):
        name = getattr(identifier, "__name__", "")
        ours = getattr(functions, name, None) is identifier and (name in _CATALOGUE.names or name in _SHORT)
        return _CATALOGUE.get(name) if ours else MeanMetricWrapper(identifier)
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
