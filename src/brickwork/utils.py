"""Small helpers with Keras's names: one-hot rows, unit vectors, the random seed, threads, automatic names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._lazy import suggest
from .arguments import Real, Whole
from .config import floatx
from .errors import DataError, ParameterError, ParameterTypeError
from .seeds import set_random_seed as set_random_seed
from .threads import get_threads as get_threads
from .threads import set_threads as set_threads
from .training.data_checks import balanced_class_weights as balanced_class_weights

__all__ = [
    "balanced_class_weights",
    "clear_session",
    "get_threads",
    "normalize",
    "set_random_seed",
    "set_threads",
    "to_categorical",
]


def clear_session(free_memory: bool = True) -> None:
    """Start the automatic names of layers and models again: the next Dense is "dense".

    Parameters
    ----------
    free_memory : Keras's; models that nothing refers to are freed by Python itself.

    >>> from brickwork.layers import Dense
    >>> clear_session()
    >>> Dense(1).name, Dense(1).name
    ('dense', 'dense_1')
    """
    from .layers.naming import reset_names

    reset_names()


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> npt.NDArray[Any]:
    """Labels as one-hot rows.

    Parameters
    ----------
    x : whole numbers in [0, num_classes - 1], of shape (N,), (N, 1), or any other
    num_classes : C, a whole number of at least 1; None (default) for the largest label + 1

    Returns an array of shape (…, C) in `config.floatx()`; a last axis of length 1 of x is dropped, as in
    Keras. Raises DataError for labels outside the range and for labels that are not whole.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = _whole_labels(np.asarray(x))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        if not labels.size:
            raise DataError(
                "to_categorical needs at least one label to find the number of classes; it received none. "
                "Name num_classes."
            )
        num_classes = int(labels.max()) + 1
    classes = Whole(1)("to_categorical", "num_classes", num_classes)
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"Labels must be whole numbers in [0, {classes - 1}] for {classes} classes; it received "
            f"{labels[at]} at {at[0] if len(at) == 1 else at}. Raise num_classes or mend the labels."
        )
    rows = np.zeros((labels.size, classes), floatx())
    rows[np.arange(labels.size), labels.reshape(-1)] = 1
    return rows.reshape(*labels.shape, classes)


def _whole_labels(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if labels.dtype.kind not in "iufb":
        raise ParameterTypeError(
            f"Labels must be whole numbers; it received an array of type {labels.dtype}. Number the classes "
            f"from 0, for instance with numpy.unique(x, return_inverse=True)."
        )
    if labels.dtype.kind == "f":
        wrong = ~(np.isfinite(labels) & (labels == np.floor(labels)))
        if wrong.any():
            raise DataError(
                f"Labels must be whole numbers; it received {labels[wrong][0]}. Number the classes from 0."
            )
    return labels.astype(np.int64)


def normalize(x: npt.ArrayLike, axis: int = -1, order: float = 2) -> npt.NDArray[Any]:
    """x divided by its norm of that order along an axis; rows of norm 0 stay as they are.

    Parameters
    ----------
    x : numbers of at least one axis.
    axis : whole number, one of x's axes; default -1.
    order : a number other than 0, or infinity; default 2.

    Raises
    ------
    ParameterError, ParameterTypeError for another axis or order.

    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    values = np.asarray(x)
    if values.dtype.kind not in "fiub" or values.ndim == 0:
        raise DataError(
            f"normalize takes numbers of at least one axis; it received shape {values.shape}, type "
            f"{values.dtype}. Give it rows of numbers."
        )
    values = values if values.dtype.kind == "f" else values.astype(floatx())
    axis = Whole(-values.ndim, values.ndim - 1)("normalize", "axis", axis)
    if order not in (math.inf, -math.inf):
        order = Real()("normalize", "order", order)
    if order == 0:
        raise ParameterError(
            "normalize: `order` must be a number other than 0, or infinity; got order=0. Take 1 or 2."
        )
    norm = np.linalg.norm(values, order, axis, keepdims=True)
    return np.asarray(values / np.where(norm == 0, 1, norm), values.dtype)


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
