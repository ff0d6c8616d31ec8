"""Blobs: normal clouds around centres on a circle."""

from __future__ import annotations

from ..data.generated import TEST_ROWS, TRAIN_ROWS, generate
from ._pairs import Pair, pairs


def load_data(
    n_train: int = TRAIN_ROWS, n_test: int = TEST_ROWS, *, classes: int = 3, noise: float = 0.3, seed: int = 0
) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): float32 points (n_train, 2) and (n_test, 2), uint8 labels.

    `classes` clouds, default 3, of the normal deviation `noise`, default 0.3; `seed` draws other points.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((500, 2), (250, 2))
    """
    return pairs(generate("blobs", n_train, n_test, classes=classes, noise=noise, seed=seed))
