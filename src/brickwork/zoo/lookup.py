"""Networks by name, fitted to a data set."""

from __future__ import annotations

from typing import Any

from ..data import Dataset
from ..data.tasks import REGRESSION
from ..errors import ParameterError, ParameterTypeError, did_you_mean, known_names
from ..layers import Dense, Input, Normalization, Rescaling
from ..training.sequential import Sequential
from .convolutional import convnet, lenet5
from .dense import mlp

_NETWORKS = {"mlp": mlp, "lenet5": lenet5, "convnet": convnet}


def names() -> list[str]:
    """The names that `build` knows.

    >>> names()
    ['mlp', 'lenet5', 'convnet']
    """
    return list(_NETWORKS)


def canonical_name(name: Any) -> str:
    """The name as `names()` has it, from one in other case or with a hyphen; or a ParameterError."""
    word = name.strip().lower().replace("-", "").replace("_", "") if isinstance(name, str) else name
    if word not in names():
        raise ParameterError(
            f"A model is one of {known_names(names())}; got {name!r}.{did_you_mean(word, names())}"
        )
    return str(word)


def build(name: str, dataset: Dataset, **options: Any) -> Sequential:
    """The network of that name for a data set: its input shape, its classes, its scaling.

    Images are divided by the data set's `scale`; other numbers are normalized with mean and variance of the
    training rows, where no preprocessing has done so. Either is a layer of the model, and is saved with it.
    For regression the last layer is linear, followed by a rescaling to mean and deviation of the targets.

    Parameters
    ----------
    name : "mlp", "lenet5" or "convnet".
    dataset : what `brickwork.data.load` gives.
    options : further arguments of the network, such as dropout=0.5.

    Raises
    ------
    ParameterError for other names; ShapeError where the network does not take such inputs.

    >>> from brickwork.data import load
    >>> build("mlp", load("digits"), hidden=(64,)).count_params()
    4810
    """
    network = _NETWORKS[canonical_name(name)]
    if not isinstance(dataset, Dataset):
        raise ParameterTypeError(
            f"build takes a data set, as brickwork.data.load('digits') gives it; got {dataset!r} of type "
            f"{type(dataset).__name__}."
        )
    shape, scale = dataset.x_train.shape[1:], _scaling(dataset)
    if dataset.task == REGRESSION:
        return _regressing(network(shape, 2, scale=scale, **options), dataset)  # type: ignore[operator]
    made: Sequential = network(shape, len(dataset.class_names), scale=scale, **options)  # type: ignore[operator]
    return made


def _regressing(made: Sequential, dataset: Dataset) -> Sequential:
    """The same layers up to the last, then a linear one, which is led to the unit of the targets."""
    mean, deviation = dataset.target_scaling()
    targets = dataset.y_train.shape[1] if dataset.y_train.ndim == 2 else 1
    ending = [Dense(targets, name=made.layers[-1].name), Rescaling(deviation, mean)]
    return Sequential([Input(dataset.x_train.shape[1:]), *made.layers[:-1], *ending], name=made.name)


_ADAPTED = 100_000
"""Rows from which mean and variance are taken, where there are more."""


def _scaling(dataset: Dataset) -> Any:
    """What stands in front: nothing where the table's preprocessing has scaled already."""
    if dataset.scale is not None:
        return dataset.scale
    if dataset.preprocessing is not None:
        return None
    layer = Normalization()
    layer.adapt(dataset.x_train[:_ADAPTED])
    return layer
