"""Whole numbers as rows of zeros and ones, or of counts."""

from __future__ import annotations

import math

from ..arguments import Choice, Whole, argument, configured
from ..arrays import Array, Shape, extra, namespace
from ..config import floatx
from .activation import Gradients, Parameters
from .base import Brick, Context, Saved
from .checks import require_axes


@configured(frozen=True, eq=True)
class CategoryEncoding(Brick):
    """A place for each of V whole numbers: which of them occur, or how often.

    Forward    y  = [x = v] for each v     one_hot: of each number alone
               y  = max [x = v]            multi_hot: of the T numbers of the last axis
               y  = Σ [x = v]              count: likewise
    Backward   dx = 0     (x counts: a step aside has no meaning)
    Shapes     x: (N, ..., T), whole numbers in [0, V)   y: (N, ..., V), one_hot (N, ..., T, V)

    An x of (N,) counts as (N, 1), and so does one_hot for T = 1: y is (N, ..., V). Numbers that are not in
    [0, V) count for nothing. x may be whole numbers in a float type.

    Parameters
    ----------
    num_tokens : V, how many numbers there are; at least 1.
    output_mode : "multi_hot" (default), "one_hot" or "count".

    >>> import numpy as np
    >>> CategoryEncoding(4, "count")(np.array([[1, 3, 3]])).tolist()
    [[0.0, 1.0, 0.0, 2.0]]

    Kendall and Stuart, "The Advanced Theory of Statistics", volume 2, 1961 (on indicator variables).
    """

    num_tokens: int = argument(Whole(1))
    output_mode: str = argument(Choice(("multi_hot", "one_hot", "count")), default="multi_hot")

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 1, "(N, …)", "Give it a batch: the first axis counts the samples.")
        return (*(x if self._each(x) else x[:-1] if len(x) > 1 else x), self.num_tokens)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        kind = x.dtype if xp.isdtype(x.dtype, "real floating") else getattr(xp, floatx())
        size, V = math.prod(x.shape), self.num_tokens
        together = 1 if self._each(x.shape) or x.ndim == 1 else x.shape[-1]
        whole = xp.reshape(xp.astype(x, xp.int32), (size,))
        known = (whole >= 0) & (whole < V)
        row = xp.arange(size, dtype=xp.int32) // together
        place = xp.where(known, row * V + whole, xp.zeros_like(whole))
        ones = xp.reshape(xp.astype(known, kind), (size, 1))
        y = extra(x).scatter_add(ones, place, size // together * V)
        if self.output_mode == "multi_hot":
            y = xp.minimum(y, xp.ones_like(y))
        return xp.reshape(y, (*self.output_shape(x.shape),)), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        xp = namespace(dy)
        return (xp.zeros_like(x) if xp.isdtype(x.dtype, "real floating") else None,), {}

    def _each(self, x: Shape) -> bool:
        """Whether each number has a row of its own."""
        return self.output_mode == "one_hot" and len(x) > 1 and x[-1] != 1

    def distance_to_kink(self, *xs: Array) -> float:
        (x,) = xs
        xp = namespace(x)
        if not x.size or not xp.isdtype(x.dtype, "real floating"):
            return float("inf")
        return float(xp.min(xp.abs(x - xp.round(x))))
