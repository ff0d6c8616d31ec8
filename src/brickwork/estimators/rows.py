"""The rows of a training set: which are trained on, how often, with what weight, in which first order.

For an estimator a training set is a set. Rows of weight 0 are not in it, whole-number weights count copies,
and the order in which the rows were given plays no role: the rows are put in an order that follows from their
contents, from which shuffling starts. So a row of weight 2 and the same row twice give the same network, bit
for bit, whatever the batch size, with dropout, batch normalization and early stopping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import DataError, ShapeError

_MOST_COPIES = 10
"""Where integer weights are larger than this in the mean, epochs would only become long."""

_BLOCK = 1 << 20
"""Numbers of which the keys are found at a time."""


@dataclass(frozen=True)
class Rows:
    """Rows of the data by place, copies included, and for each row of the data a factor of its loss.

    `factors` have the mean 1 over `places`; None stands for all ones.
    """

    places: Array
    factors: Array | None = None


class SparseRows:
    """A scipy.sparse matrix whose rows come out dense, for sources that gather rows."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix.tocsr()
        self.shape: tuple[int, int] = self.matrix.shape
        self.dtype = self.matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Array | slice) -> Array:
        return self.matrix[rows].toarray()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.matrix.toarray(), dtype)


def check_weights(sample_weight: Any, count: int) -> Array | None:
    """One finite weight of at least 0 per row, integers as they are; a number stands for equal weights."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight)
    if weights.ndim == 0 and weights.dtype.kind in "fiub":
        weights = np.full(count, weights)
    if weights.shape != (count,):
        raise ShapeError(
            f"sample_weight must hold one number for each of the {count} rows, shape ({count},); it received "
            f"shape {weights.shape}. Were X and sample_weight cut apart?"
        )
    if weights.dtype.kind not in "iub":
        weights = np.asarray(weights, np.float64)
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"sample_weight must hold finite numbers of at least 0; it holds {weights[row]} in row {row}. "
            f"Use 0 to leave rows out."
        )
    if not weights.any():
        raise DataError(
            f"sample_weight must hold at least one number that is not zero; all of its {count} weights are "
            f"zero. Leave it out, or weigh at least one row."
        )
    return weights


def training_rows(
    x: Any, y: Array, weights: Array | None, class_factors: Array | None = None, *, keep_order: bool = False
) -> Rows:
    """The rows to train on.

    Parameters
    ----------
    x, y : the data, (N, F) and (N,) or (N, K).
    weights : (N,) or None. Integers (of at most 10 in the mean) count copies; others are factors of the loss.
    class_factors : (N,) or None; factors of the loss of another origin.
    keep_order : leave the rows in the order they were given in.
    """
    count = len(x)
    copies, factors = None, class_factors
    if weights is not None:
        if weights.dtype.kind in "iub" and float(np.mean(weights[weights > 0])) <= _MOST_COPIES:
            copies = weights.astype(np.int64)
        else:
            factors = weights if factors is None else weights * factors
    places = np.arange(count) if weights is None else np.flatnonzero(weights)
    if factors is not None:
        places = places[factors[places] > 0]
        if len(places) == 0:
            raise DataError(
                "class_weight and sample_weight must leave at least one row a weight that is not zero; their "
                "products are all zero. Weigh one of the classes that are in the data."
            )
    if not keep_order:
        # equal rows of different weights by their weights, whose scale must play no role
        keys = row_keys(x, y)[places]
        places = places[np.argsort(keys) if factors is None else np.lexsort((factors[places], keys))]
    if copies is not None:
        places = np.repeat(places, copies[places])
    if factors is None:
        return Rows(places)
    mean = np.mean(factors[places], dtype=np.float64)
    return Rows(places, np.asarray(factors / mean, np.float64))


def row_keys(x: Any, y: Array) -> Array:
    """A 64-bit number for each row which depends on nothing but the row's contents.

    Each 32-bit half of a number is multiplied by an odd number of its column's own; the sum wraps around.
    """
    keys = np.zeros(len(x), np.uint64)
    for index, column in enumerate((x, y.reshape(len(x), -1))):
        width = 2 * column.shape[1]
        generator = np.random.Generator(np.random.Philox(key=index))
        multipliers = generator.integers(0, 1 << 63, size=width, dtype=np.uint64) * np.uint64(2) + np.uint64(
            1
        )
        for part in _blocks(len(x), column.shape[1]):
            # + 0.0 turns -0.0 into 0.0, which sparse data do not tell apart
            block = np.ascontiguousarray(np.asarray(column[part], np.float64) + 0.0)
            halves = block.view(np.uint32).astype(np.uint64)
            keys[part] += (halves * multipliers).sum(axis=1, dtype=np.uint64)
    return keys


def _blocks(count: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, width))
    for start in range(0, count, step):
        yield slice(start, start + step)


def split_rows(
    rows: Rows, labels: Array | None, fraction: float, seed: int, least: int = 1
) -> tuple[Array, Array]:
    """(places to train on, places to validate on): a random share, the same from each class.

    Parameters
    ----------
    labels : (N,) class of each row of the data; None where there are none.
    fraction : share of the rows for validation; each class keeps at least one row to train on.
    least : how few rows are enough to validate on.
    """
    places = np.random.Generator(np.random.Philox(key=seed)).permutation(rows.places)
    groups = (
        [places] if labels is None else [places[labels[places] == one] for one in np.unique(labels[places])]
    )
    sizes = np.array([len(group) for group in groups])
    wanted = max(least, round(fraction * len(places)))
    shares = sizes * (wanted / len(places))
    taken = np.minimum(shares.astype(np.int64), sizes - 1)
    for group in np.argsort(taken - shares, kind="stable"):
        taken[group] += int(taken.sum() < wanted and taken[group] < sizes[group] - 1)
    if taken.sum() < least:
        raise DataError(
            f"early_stopping with validation_fraction={fraction} needs at least {least} of the rows beside "
            f"one of each class; it received n_samples = {len(places)}. Pass more rows, or "
            f"early_stopping=False."
        )
    validation = np.concatenate([group[:share] for group, share in zip(groups, taken, strict=True)])
    training = np.concatenate([group[share:] for group, share in zip(groups, taken, strict=True)])
    return training, validation
