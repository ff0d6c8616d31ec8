"""The arrays of layers under the names that Keras gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import DataError, ShapeError
from ..graph.symbol import set_array
from ..structs import struct

KERAS_NAMES = {
    "W": "kernel",
    "b": "bias",
    "recurrent.W": "recurrent_kernel",
    "recurrent_bias.b": "bias",
    "E": "embeddings",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
"""Names of parameters and statistics in bricks -> in Keras, where they differ."""


@struct(frozen=True)
class Variable:
    """One array of a layer under its Keras name. `value` is the live array."""

    name: str
    path: str
    value: Array
    trainable: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return tuple(self.value.shape)

    def numpy(self) -> Array:
        """A copy of the numbers."""
        return self.value.copy()

    def assign(self, value: Any) -> None:
        """Write numbers of the same shape."""
        set_array({self.name: self.value}, self.name, value, self.path)


def set_variables(variables: Sequence[Variable], weights: Sequence[Any], owner: str) -> None:
    """Write a list of arrays into a list of variables, all or none."""
    if len(weights) != len(variables):
        raise ShapeError(
            f"{owner} holds {len(variables)} arrays; it received {len(weights)}. "
            f"Pass the list that get_weights() of the same network gives."
        )
    arrays = [_fitting(variable, new, owner) for variable, new in zip(variables, weights, strict=True)]
    for variable, new in zip(variables, arrays, strict=True):
        variable.assign(new)


def _fitting(variable: Variable, weight: Any, owner: str) -> Array:
    """The array, where it can be written into the variable."""
    new = np.asarray(weight)
    if new.shape != variable.shape:
        raise ShapeError(
            f"{owner}: {variable.path!r} has shape {variable.shape}; it received {new.shape}. "
            f"Check the order of the arrays and their layout (inputs before outputs)."
        )
    whole = variable.value.dtype.kind in "iu"  # a count, say
    if new.dtype.kind not in "fiub" or (whole and not np.array_equal(new, np.rint(new))):
        raise DataError(
            f"{owner}: {variable.path!r} holds {'whole' if whole else 'real'} numbers; it received "
            f"{new.dtype} "
            f"such as {new.reshape(-1)[:1].tolist()}. Pass the list that get_weights() of the same "
            f"network gives."
        )
    return new.astype(variable.value.dtype) if whole else new
