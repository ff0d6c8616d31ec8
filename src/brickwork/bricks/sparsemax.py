"""Sparsemax: the nearest distribution to a vector, in which what is far from the best gets exactly 0."""

from __future__ import annotations

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, namespace
from .activation import Gradients, Parameters
from .base import Brick, Context, Saved
from .checks import require_axis


@configured(frozen=True, eq=True)
class Sparsemax(Brick):
    """The nearest distribution along an axis: softmax's relative whose small numbers are exactly 0.

    Forward    y  = max(x - tau, 0),   tau = (Σ x - 1) / k over the k largest x, such that Σ y = 1
    Backward   dx = dy - Σ dy / k where y > 0, else 0; the sum runs over the k places where y > 0
    Shapes     x, y, dx, dy: (N, ..., F)   tau, k: (N, ..., 1); the sums run along `axis`

    k is the largest number for which the k-th largest x is still above (Σ x - 1) / k. The maximum is taken
    off x first, which changes nothing but rounding. (Keras 3.15 adds up the sums of the 1, 2 … k largest x
    instead, so that its numbers add up to 1 only where k = 1.)

    Parameters
    ----------
    axis : any but the batch axis; default -1.

    >>> import numpy as np
    >>> Sparsemax()(np.array([[1.0, 0.5, -1.0]]))
    array([[0.75, 0.25, 0.  ]])

    Martins and Astudillo, "From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label
    Classification", 2016.
    """

    axis: int = argument(Whole(), default=-1)

    def output_shape(self, x: Shape) -> Shape:
        require_axis(self, self.axis, x, repair="Give each sample its own row, as x of shape (N, F).")
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = xp.maximum(self._above(x), xp.zeros_like(x))
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        xp = namespace(y)
        inside = xp.astype(y > 0.0, dy.dtype)
        mean = xp.sum(dy * inside, axis=self.axis, keepdims=True) / self._sum(inside)
        return (inside * (dy - mean),), {}

    def _above(self, x: Array) -> Array:
        """X - tau."""
        xp = namespace(x)
        z = x - xp.max(x, axis=self.axis, keepdims=True)
        ordered = -xp.sort(-z, axis=self.axis)
        place = xp.cumulative_sum(xp.ones_like(x), axis=self.axis)
        sums = xp.cumulative_sum(ordered, axis=self.axis)
        inside = xp.astype(place * ordered > sums - 1.0, x.dtype)
        return z - (self._sum(ordered * inside) - 1.0) / self._sum(inside)

    def _sum(self, x: Array) -> Array:
        return namespace(x).sum(x, axis=self.axis, keepdims=True)

    def distance_to_kink(self, *xs: Array) -> float:
        return float(abs(self._above(xs[0])).min())
