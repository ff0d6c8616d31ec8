"""What every `load_data` gives back: the two pairs, with Keras's shapes and types."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.named import Dataset, load

Pair = tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]


def load_pairs(name: str) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test); grey images without an axis for the channel."""
    return pairs(load(name))


def pairs(data: Dataset) -> tuple[Pair, Pair]:
    """The same of a data set."""

    def pair(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Pair:
        return (x[..., 0] if x.ndim == 4 and x.shape[-1] == 1 else x), y.astype(np.uint8)

    return pair(data.x_train, data.y_train), pair(data.x_test, data.y_test)
