"""Exclusive or: a square whose quarters alternate."""

from __future__ import annotations

from ..data.generated import TEST_ROWS, TRAIN_ROWS, generate
from ._pairs import Pair, pairs


def load_data(
    n_train: int = TRAIN_ROWS, n_test: int = TEST_ROWS, *, noise: float = 0.0, seed: int = 0
) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): float32 points (n_train, 2) and (n_test, 2), uint8 labels.

    `noise` is the normal deviation by which points move after they were labelled, default 0; `seed` draws
    other points.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((500, 2), (250, 2))
    """
    return pairs(generate("xor", n_train, n_test, noise=noise, seed=seed))
