"""Which rows train, which validate, which test: drawn with a seed, in equal shares of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arguments import Real, Whole
from ..errors import DataError, ParameterError

Array = npt.NDArray[Any]

TEST_SPLIT = 0.2
"""The share of the rows that tests, unless another is asked for."""

_SHARE = Real(0.0, 1.0, high_open=True)
_SEED = Whole(0)
_COUNT = Whole(1)


def shuffled(rows: Array, seed: int) -> Array:
    """The row numbers in a random order."""
    return np.random.default_rng(_SEED("open_data", "seed", seed)).permutation(rows)


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, each in a random order; a part that was not asked for is empty."""

    train: Array
    validation: Array
    test: Array


def split_rows(
    count: int,
    *,
    validation: float = 0.0,
    test: float = TEST_SPLIT,
    seed: int = 0,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
) -> Split:
    """Draw which rows train, which validate and which test.

    Parameters
    ----------
    count : how many rows there are.
    validation, test : shares of the rows in [0, 1), defaults 0 and 0.2; together less than 1.
    seed : a whole number of at least 0, default 0; the same seed draws the same rows.
    labels : class numbers (N,), or None. With them every class is split in these shares, and is in every
        part.
    class_names : names of the classes, for messages.

    Raises
    ------
    ParameterError for shares outside these ranges; DataError where a part would be left without a row, or
    where a class has fewer rows than there are parts.

    >>> split = split_rows(10, test=0.3, seed=1)
    >>> len(split.train), len(split.validation), len(split.test)
    (7, 0, 3)
    """
    count = _COUNT("split_rows", "count", count)
    shares = {
        "validation": _SHARE("split_rows", "validation", validation),
        "test": _SHARE("split_rows", "test", test),
    }
    if sum(shares.values()) >= 1.0:
        raise ParameterError(
            f"split_rows: `validation` and `test` must leave rows for training; got validation={validation} "
            f"and test={test}, together {sum(shares.values()):g}. Make them less than 1 together."
        )
    shares = {name: share for name, share in shares.items() if share}
    random = np.random.default_rng(_SEED("split_rows", "seed", seed))
    groups = [np.arange(count)]
    if labels is not None:
        groups = _classes(np.asarray(labels), count, len(shares) + 1, class_names)
    sizes = _sizes([len(group) for group in groups], shares, count)
    parts: dict[str, list[Array]] = {"train": [], "validation": [], "test": []}
    for group, held_out in zip(groups, sizes, strict=True):
        mixed, taken = random.permutation(group), 0
        for name, size in held_out.items():
            parts[name].append(mixed[taken : taken + size])
            taken += size
        parts["train"].append(mixed[taken:])
    # the groups lie one behind the other: mixed again, so that any run of rows holds every class
    none = groups[0][:0]
    return Split(**{name: random.permutation(np.concatenate(some or [none])) for name, some in parts.items()})


def _classes(labels: Array, count: int, parts: int, names: Sequence[str] | None) -> list[Array]:
    """The rows of each class; refused where a class cannot be in every part."""
    if labels.shape != (count,):
        raise DataError(
            f"A stratified split needs one label for each of {count} rows; received labels of shape "
            f"{labels.shape}. Pass class numbers (N,)."
        )
    found, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < parts:
        rare = int(np.argmin(sizes))
        name = names[int(found[rare])] if names is not None else found[rare].item()
        raise DataError(
            f"A split into {parts} parts needs at least {parts} rows of every class; class {name!r} has "
            f"{sizes[rare]}. Add rows of it, drop or merge the class, or split off no test part (test_split "
            "0)."
        )
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(sizes)[:-1])


def _sizes(groups: list[int], shares: Mapping[str, float], count: int) -> list[dict[str, int]]:
    """Rows of each group in each held-out part: shares rounded so that the parts' sums come out right."""
    wanted = {name: round(count * share) for name, share in shares.items()}
    for name, size in wanted.items():
        if size == 0 or sum(wanted.values()) >= count:
            left = count - sum(wanted.values())
            raise DataError(
                f"A {name} share of {shares[name]:g} of {count} rows leaves {size} for {name} and {left} for "
                f"training; every part needs at least one. Take another share, or more rows."
            )
    free = np.array(groups) - 1  # a row of each group trains
    least = 1 if len(groups) > 1 else 0
    sizes: list[dict[str, int]] = [{} for _ in groups]
    for later, (name, share) in zip(reversed(range(len(shares))), shares.items(), strict=True):
        exact = np.array(groups) * share
        most = free - later
        taken = np.clip(np.floor(exact).astype(int), least, most)
        # the largest remainders are rounded up first
        candidates = [
            group for group in np.argsort(taken - exact, kind="stable") if taken[group] < most[group]
        ]
        taken[candidates[: max(0, wanted[name] - int(taken.sum()))]] += 1
        free -= taken
        for parts, size in zip(sizes, taken, strict=True):
            parts[name] = int(size)
    return sizes
