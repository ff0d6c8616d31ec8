"""Networks by name, fitted to a data set."""

from __future__ import annotations

from typing import Any

from ..data import Dataset
from ..errors import ParameterError, ParameterTypeError, did_you_mean, known_names
from ..layers import Normalization
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

    Images are divided by the data set's `scale`; the columns of a table are normalized with mean and
    variance of the training rows. Either is a layer of the model, and so is saved with it.

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
    made: Sequential = network(  # type: ignore[operator]
        dataset.x_train.shape[1:], len(dataset.class_names), scale=_scaling(dataset), **options
    )
    return made


def _scaling(dataset: Dataset) -> Any:
    if dataset.scale is not None:
        return dataset.scale
    layer = Normalization()
    layer.adapt(dataset.x_train)
    return layer
