"""Numbers brought between two bounds, and whole numbers as rows of zeros and ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import bricks
from ..arguments import Check, Choice, Either, Flag, Many, Maybe, Real, Whole, argument, configured
from ..arrays import Array
from ..errors import ParameterError
from ..graph.symbol import Symbol
from .base import Layer
from .preprocessing import Adapted, Finder


class Bounds(Check):
    """Two finite numbers, the first below the second."""

    def __call__(self, owner: str, name: str, value: Any) -> tuple[float, float]:
        """Both."""
        try:
            low, high = Many(Real(), 2)(owner, name, value)
        except ParameterError:
            raise self.refuse(owner, name, value) from None
        if not low < high:
            raise self.refuse(owner, name, value)
        return low, high

    def describe(self) -> str:
        """What they are."""
        return "a tuple of 2 finite numbers, the first below the second"

    def bad(self) -> list[Any]:
        """Equal, turned round, too many."""
        return [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0, 2.0), (0.0, float("inf"))]


@configured()
class MinMaxScaling(Adapted):
    """Features brought between two bounds: y = low + (high − low) (x − min) / (max − min).

    Minimum and maximum are found by `adapt`; before, x stays as it is. Later data may lie outside of the
    bounds. A feature that never changes is put at the lower one. What is kept, and saved, is the
    Standardization that does it: y = (x − mean) / sqrt(variance). Keras 3 has no such layer.

    Parameters
    ----------
    axis : the axis, or axes, along which numbers have bounds of their own, never the batch axis; None for one
        minimum and maximum of all numbers; default -1.
    bounds : (low, high); default (0, 1).
    invert : whether to lead back; default False.

    >>> import numpy as np
    >>> layer = MinMaxScaling()
    >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0], [1.0, 7.0]]))
    >>> layer(np.array([[0.5, 9.0]]))
    array([[0.25, 1.  ]], dtype=float32)

    Han and Kamber, "Data Mining: Concepts and Techniques", 2001 (on normalization by minimum and maximum).
    """

    axis: Any = argument(Maybe(Either((Whole(), Many(Whole())))), default=-1)
    bounds: tuple[float, float] = argument(Bounds(), default=(0.0, 1.0))
    invert: bool = argument(Flag(), default=False)

    def _finder(self, kept: tuple[int, ...]) -> Finder:
        return Extremes(kept, self.bounds)


class Extremes(Finder):
    """Minimum and maximum of all blocks, told as mean and variance of the map between the bounds."""

    def __init__(self, kept: tuple[int, ...], bounds: tuple[float, float]) -> None:
        super().__init__(kept)
        self._bounds = bounds
        self._least: Array = np.inf
        self._most: Array = -np.inf

    def join(self, block: Array, others: tuple[int, ...]) -> None:
        """The smaller minimum, the larger maximum."""
        self._least = np.minimum(self._least, block.min(axis=others))
        self._most = np.maximum(self._most, block.max(axis=others))

    @property
    def _deviation(self) -> Array:
        low, high = self._bounds
        spread = self._most - self._least
        return np.where(spread == 0.0, 1.0, spread) / (high - low)

    @property
    def mean(self) -> Array:
        """The number that becomes 0."""
        return self._least - self._bounds[0] * self._deviation

    @property
    def variance(self) -> Array:
        """The square of what becomes 1 more."""
        return np.square(self._deviation)


@configured()
class CategoryEncoding(Layer):
    """Whole numbers in [0, num_tokens) as rows with a place for each.

    Parameters
    ----------
    num_tokens : how many numbers there are, at least 1.
    output_mode : "multi_hot" (default): 1 for each number that occurs along the last axis; "count": how
        often it does; "one_hot": a row for each number alone.
    sparse : False only: rows are plain arrays.

    Numbers outside count for nothing. "one_hot" adds an axis unless the last one has length 1; x (N,) counts
    as (N, 1). (Keras 3 counts x of more than two axes along the second, whatever its output shape says.)

    >>> CategoryEncoding(4)([[1, 3, 3]])
    array([[0., 1., 0., 1.]], dtype=float32)
    """

    num_tokens: int = argument(Whole(1))
    output_mode: str = argument(Choice(("multi_hot", "one_hot", "count")), default="multi_hot")
    sparse: bool = argument(Flag(), default=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sparse:
            raise ParameterError(
                "CategoryEncoding: `sparse` must be False; got sparse=True. Rows are plain arrays here."
            )

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """CategoryEncoding."""
        return self.put(bricks.CategoryEncoding(self.num_tokens, self.output_mode), x)
