"""The rectified linear unit with a threshold, a ceiling and a slope below, all of which may be set."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Maybe, Real, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Brick, Context, Saved


@configured(frozen=True, eq=True)
class Rectifier(Brick):
    """Rectified linear unit with every setting; ReLU and LeakyReLU are the two common ones.

    Forward    y  = min(x, max_value) where x > threshold, else negative_slope * (x - threshold)
    Backward   dx = dy where threshold < x < max_value, negative_slope * dy where x ≤ threshold, else 0
    Shapes     x, y, dx, dy: any, equal

    With max_value=6 this is ReLU6. A threshold above 0 makes y jump there; the jump has no gradient.

    Parameters
    ----------
    max_value : the largest y, at least 0; None (default) for none.
    negative_slope : at least 0; default 0.
    threshold : at least 0; default 0.

    >>> import numpy as np
    >>> Rectifier(max_value=6.0, negative_slope=0.5)(np.array([[-2.0, 3.0, 8.0]]))
    array([[-1.,  3.,  6.]])

    Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010 (the ceiling of 6).
    """

    max_value: float | None = argument(Maybe(Real(0.0)), None)
    negative_slope: float = argument(Real(0.0), 0.0)
    threshold: float = argument(Real(0.0), 0.0)

    def output_shape(self, x: Shape) -> Shape:
        return x

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        above = x if self.max_value is None else xp.minimum(x, self.max_value)
        below = self.negative_slope * (x - self.threshold) if self.negative_slope else xp.zeros_like(x)
        return xp.where(x > self.threshold, above, below), (x,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (x,) = saved
        xp = namespace(x)
        above = dy if self.max_value is None else dy * xp.astype(x < self.max_value, dy.dtype)
        return (xp.where(x > self.threshold, above, self.negative_slope * dy),), {}

    def distance_to_kink(self, *xs: Array) -> float:
        xp = namespace(xs[0])
        corners = [self.threshold] if self.max_value is None else [self.threshold, self.max_value]
        return min(float(xp.min(xp.abs(xs[0] - corner))) for corner in corners)
