"""Rectified linear units whose settings may be chosen, or learned."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Many, Maybe, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..initializers import Zeros
from .activation import Elementwise
from .base import Brick, Context, ParameterSpec, Saved, unbroadcast
from .checks import shared_axes, shared_shape


@configured(frozen=True, eq=True)
class Rectifier(Elementwise):
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

    max_value: float | None = argument(Maybe(Real(0.0)), default=None)
    negative_slope: float = argument(Real(0.0), default=0.0)
    threshold: float = argument(Real(0.0), default=0.0)

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

    def corners(self) -> tuple[float, ...]:
        return (self.threshold,) if self.max_value is None else (self.threshold, self.max_value)


@configured(frozen=True, eq=True)
class PReLU(Brick):
    """Rectified linear unit whose slope below 0 is learned, for each place of a sample or for some together.

    Forward    y  = x where x > 0, else alpha * x
    Backward   dx = dy where x > 0, else alpha * dy
               dalpha = Σ dy * min(x, 0) over the samples and the axes that are shared
    Shapes     x, y, dx, dy: (N, ...)   alpha, dalpha: the axes of a sample, 1 where they are shared

    It starts as ReLU, with alpha = 0.

    Parameters
    ----------
    shared_axes : axes, counted from 1 or from the end, along which all have the same alpha, such as (1, 2)
        for one alpha for each channel of images; default (), none.

    >>> import numpy as np
    >>> PReLU()(np.array([[-2.0, 3.0]]), params={"alpha": np.array([0.25, 0.25])})
    array([[-0.5,  3. ]])

    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.
    """

    shared_axes: tuple[int, ...] = argument(Many(Whole()), default=())

    def output_shape(self, x: Shape) -> Shape:
        shared_axes(self, self.shared_axes, x)
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"alpha": ParameterSpec(shared_shape(self, self.shared_axes, x), Zeros())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        return xp.maximum(x, 0.0) + params["alpha"] * xp.minimum(x, 0.0), (x,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (x,) = saved
        xp, alpha = namespace(x), params["alpha"]
        on = xp.astype(x > 0.0, x.dtype)
        return (dy * (on + alpha * (1.0 - on)),), {"alpha": unbroadcast(dy * xp.minimum(x, 0.0), alpha)}

    def distance_to_kink(self, *xs: Array) -> float:
        xp = namespace(xs[0])
        return float(xp.min(xp.abs(xs[0])))
