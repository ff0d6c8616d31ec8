"""Non-linearities made of straight pieces: ramps between two levels, shrinkage, thresholds, the sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..arguments import Real, argument, configured
from ..arrays import Array, namespace
from .activation import Elementwise
from .base import Context, Saved

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class Ramp(Elementwise):
    """y = slope * x + offset, cut off at `low` and `high`."""

    slope: ClassVar[float]
    offset: ClassVar[float]
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = namespace(x).clip(self.slope * x + self.offset, self.low, self.high)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        between = namespace(y).astype((y > self.low) & (y < self.high), dy.dtype)
        return (dy * (self.slope * between),), {}

    def corners(self) -> tuple[float, ...]:
        return ((self.low - self.offset) / self.slope, (self.high - self.offset) / self.slope)


@configured(frozen=True, eq=True)
class HardSigmoid(Ramp):
    """A sigmoid of three straight pieces.

    Forward    y  = min(max(x / 6 + 1/2, 0), 1)
    Backward   dx = dy / 6 where 0 < y < 1, else 0
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> HardSigmoid()(np.array([-4.0, 1.5, 4.0]))
    array([0.  , 0.75, 1.  ])

    Courbariaux, Bengio and David, "BinaryConnect: Training Deep Neural Networks with Binary Weights during
    Propagations", 2015; with the slope 1/6 as in Howard and others, "Searching for MobileNetV3", 2019.
    """

    slope, offset = 1.0 / 6.0, 0.5


@configured(frozen=True, eq=True)
class SparseSigmoid(Ramp):
    """The sparsemax of two classes: a sigmoid that reaches 0 and 1.

    Forward    y  = min(max((x + 1) / 2, 0), 1)
    Backward   dx = dy / 2 where 0 < y < 1, else 0
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> SparseSigmoid()(np.array([-2.0, 0.5, 2.0]))
    array([0.  , 0.75, 1.  ])

    Martins and Astudillo, "From Softmax to Sparsemax", 2016.
    """

    slope, offset = 0.5, 0.5


@configured(frozen=True, eq=True)
class HardTanh(Ramp):
    """x between -1 and 1, cut off there.

    Forward    y  = min(max(x, -1), 1)
    Backward   dx = dy where -1 < y < 1, else 0
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> HardTanh()(np.array([-2.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])

    Collobert, "Large Scale Machine Learning", 2004.
    """

    slope, offset, low = 1.0, 0.0, -1.0


@configured(frozen=True, eq=True)
class HardShrink(Elementwise):
    """Small numbers become 0, others stay.

    Forward    y  = x where |x| > threshold, else 0
    Backward   dx = dy where |x| > threshold, else 0
    Shapes     x, y, dx, dy: any, equal

    Parameters
    ----------
    threshold : at least 0; default 0.5. There y jumps; the jump has no gradient.

    >>> import numpy as np
    >>> HardShrink()(np.array([-0.75, 0.25, 0.75]))
    array([-0.75,  0.  ,  0.75])

    Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994.
    """

    threshold: float = argument(Real(0.0), default=0.5)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        on = xp.astype(xp.abs(x) > self.threshold, x.dtype)
        return x * on, (on,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (on,) = saved
        return (dy * on,), {}

    def corners(self) -> tuple[float, ...]:
        return (-self.threshold, self.threshold)


@configured(frozen=True, eq=True)
class SoftShrink(Elementwise):
    """All numbers come nearer to 0 by the threshold, those within it become 0.

    Forward    y  = x - min(max(x, -threshold), threshold)
    Backward   dx = dy where y ≠ 0, else 0
    Shapes     x, y, dx, dy: any, equal

    Parameters
    ----------
    threshold : at least 0; default 0.5.

    >>> import numpy as np
    >>> SoftShrink()(np.array([-0.75, 0.25, 0.75]))
    array([-0.25,  0.  ,  0.25])

    Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994.
    """

    threshold: float = argument(Real(0.0), default=0.5)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = x - namespace(x).clip(x, -self.threshold, self.threshold)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (dy * namespace(y).astype(y != 0.0, dy.dtype),), {}

    def corners(self) -> tuple[float, ...]:
        return (-self.threshold, self.threshold)


@configured(frozen=True, eq=True)
class Threshold(Elementwise):
    """What does not exceed a threshold is replaced by a number.

    Forward    y  = x where x > threshold, else default_value
    Backward   dx = dy where x > threshold, else 0
    Shapes     x, y, dx, dy: any, equal

    Parameters
    ----------
    threshold : any number. There y may jump; the jump has no gradient.
    default_value : what stands for x at and below the threshold; any number.

    >>> import numpy as np
    >>> Threshold(1.0, -2.0)(np.array([0.5, 1.0, 1.5]))
    array([-2. , -2. ,  1.5])

    Konda, Memisevic and Krueger, "Zero-Bias Autoencoders and the Benefits of Co-Adapting Features", 2014.
    """

    threshold: float = argument(Real())
    default_value: float = argument(Real())

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = xp.where(x <= self.threshold, self.default_value, x)  # NaN is not below it, and is passed on
        return y, (xp.astype(x > self.threshold, x.dtype),)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (on,) = saved
        return (dy * on,), {}

    def corners(self) -> tuple[float, ...]:
        return (self.threshold,)


@configured(frozen=True, eq=True)
class Sign(Elementwise):
    """-1, 0 or 1; its backward formula is that of Identity, on purpose.

    Forward    y  = 1 where x > 0, -1 where x < 0, else 0
    Backward   dx = dy     (the surrogate; the derivative itself is 0 everywhere)
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Sign()(np.array([-0.5, 0.0, 2.0]))
    array([-1.,  0.,  1.])

    Widrow and Hoff, "Adaptive Switching Circuits", 1960 (the decision); Bengio, Léonard and Courville,
    "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation", 2013 (the
    straight-through gradient).
    """

    surrogate = "Identity"

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).sign(x), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (dy,), {}

    def surrogate_forward(self, params: Parameters, *xs: Array) -> Array:
        return xs[0]
