"""Losses that are sums of a function of one number of y and one of its target; here those of regression.

A subclass states the function and its slopes for single numbers; the sums over a sample stand here once, and
so do the native ones (native/kernels/paired_loss.cpp).
"""

from __future__ import annotations

import math
from typing import ClassVar

from ..arguments import Real, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Context, Saved
from .checks import require_axes
from .loss import Gradients, PairedLoss, Parameters, as_float, if_float, per_sample, sum_per_sample

EPSILON = Real(0.0, 0.5, low_open=True, high_open=True)


class PointwiseLoss(PairedLoss):
    """The sum of f(y, t) over the numbers of a sample, divided by how many numbers or places it has."""

    per_place: ClassVar[bool] = False
    """True: the last axis holds classes, over which the loss sums; the mean is over the other places."""

    def values(self, y: Array, t: Array) -> Array:
        """f(y, t) for every number."""
        raise NotImplementedError

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        """df/dy and df/dt for every number."""
        raise NotImplementedError

    def output_shape(self, y: Shape, t: Shape) -> Shape:
        """(N,)."""
        if self.per_place:
            repair = "Put a Linear brick with one unit for each class before it."
            require_axes(self, y, 2, "(N, …, C)", repair)
        return super().output_shape(y, t)

    def divisor(self, shape: Shape) -> int:
        """How many numbers of a sample, or places, the mean is taken over."""
        sizes = [size or 1 for size in shape[1:]]
        return math.prod(sizes[:-1] if self.per_place else sizes)

    def forward(self, params: Parameters, y: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        total = sum_per_sample(self.values(y, as_float(t, y)))
        return total * (1.0 / self.divisor(y.shape)), (y, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        y, t = saved
        dy, dt = self.slopes(y, as_float(t, y))
        share = per_sample(dl * (1.0 / self.divisor(y.shape)), y)
        return (dy * share, if_float(t, dt * share)), {}


@configured(frozen=True, eq=True)
class MeanAbsoluteError(PointwiseLoss):
    """Mean of absolute differences, which outliers pull less than squared ones.

    Forward    l  = 1/m Σ |y - t|
    Backward   dy = sign(y - t) * dl / m     dt = -dy
    Shapes     y, t, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    The derivative of |x| at 0 is taken to be 0.

    >>> import numpy as np
    >>> MeanAbsoluteError()(np.array([[3.0, 1.0]]), np.array([[1.0, 2.0]]))
    array([1.5])

    Bloomfield and Steiger, "Least Absolute Deviations", 1983.
    """

    def values(self, y: Array, t: Array) -> Array:
        return namespace(y).abs(y - t)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        slope = namespace(y).sign(y - t)
        return slope, -slope

    def distance_to_kink(self, *xs: Array) -> float:
        return nearest(xs[0] - xs[1])


@configured(frozen=True, eq=True)
class MeanAbsolutePercentageError(PointwiseLoss):
    """Mean of absolute differences in per cent of the target.

    Forward    l  = 100/m Σ |y - t| / d,   d = max(|t|, epsilon)
    Backward   dy = 100 sign(y - t) / d * dl / m
               dt = -(100 sign(y - t) / d + 100 |y - t| sign(t) / d² where |t| > epsilon) * dl / m
    Shapes     y, t, d, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    Parameters
    ----------
    epsilon : the least |t| that is divided by; in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> MeanAbsolutePercentageError()(np.array([[3.0, 1.0]]), np.array([[2.0, 4.0]]))
    array([62.5])

    Makridakis, "Accuracy measures: theoretical and practical concerns", 1993.
    """

    epsilon: float = argument(EPSILON, default=1e-7)

    def values(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        return 100.0 * xp.abs(y - t) / at_least(xp.abs(t), self.epsilon)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        xp = namespace(y)
        size = xp.abs(t)
        d = at_least(size, self.epsilon)
        dy = 100.0 * xp.sign(y - t) / d
        through_d = 100.0 * xp.abs(y - t) * xp.sign(t) / (d * d)
        return dy, -dy - xp.where(size > self.epsilon, through_d, xp.zeros_like(d))

    def distance_to_kink(self, *xs: Array) -> float:
        y, t = xs
        return min(nearest(y - t), nearest(namespace(t).abs(t) - self.epsilon))


@configured(frozen=True, eq=True)
class MeanSquaredLogarithmicError(PointwiseLoss):
    """Mean of squared differences of log(1 + x): ratios count, not distances. For numbers of at least 0.

    Forward    l  = 1/m Σ e²,   e = log(1 + a) - log(1 + b),   a = max(y, epsilon),   b = max(t, epsilon)
    Backward   dy = 2 e / (1 + a) * dl / m where y > epsilon, else 0
               dt = -2 e / (1 + b) * dl / m where t > epsilon, else 0
    Shapes     y, t, a, b, e, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    Parameters
    ----------
    epsilon : smaller numbers count as this one; in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> MeanSquaredLogarithmicError()(np.array([[np.e - 1.0]]), np.array([[0.0]])).round(6)
    array([1.])

    Törnqvist, Vartia and Vartia, "How should relative changes be measured?", 1985.
    """

    epsilon: float = argument(EPSILON, default=1e-7)

    def values(self, y: Array, t: Array) -> Array:
        apart = self._apart(y, t)
        return apart * apart

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        xp = namespace(y)
        twice, zero = 2.0 * self._apart(y, t), xp.zeros_like(y)
        return (
            xp.where(y > self.epsilon, twice / (1.0 + at_least(y, self.epsilon)), zero),
            xp.where(t > self.epsilon, -twice / (1.0 + at_least(t, self.epsilon)), zero),
        )

    def _apart(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        return xp.log1p(at_least(y, self.epsilon)) - xp.log1p(at_least(t, self.epsilon))

    def distance_to_kink(self, *xs: Array) -> float:
        return min(nearest(x - self.epsilon) for x in xs)


@configured(frozen=True, eq=True)
class Huber(PointwiseLoss):
    """Half the squared difference where it is small, a straight line beyond: no outlier pulls without bound.

    Forward    l  = 1/m Σ h,   e = y - t,   h = e² / 2 where |e| ≤ delta, else delta (|e| - delta / 2)
    Backward   dy = min(max(e, -delta), delta) * dl / m     dt = -dy
    Shapes     y, t, e, h, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    Parameters
    ----------
    delta : where the parabola ends; above 0; default 1.

    >>> import numpy as np
    >>> Huber()(np.array([[0.5, 3.0]]), np.array([[0.0, 0.0]]))
    array([1.3125])

    Huber, "Robust Estimation of a Location Parameter", 1964.
    """

    delta: float = argument(Real(0.0, low_open=True), default=1.0)

    def values(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        apart, delta = y - t, self.delta
        size = xp.abs(apart)
        return xp.where(size <= delta, 0.5 * apart * apart, delta * (size - 0.5 * delta))

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        slope = namespace(y).clip(y - t, -self.delta, self.delta)
        return slope, -slope

    def distance_to_kink(self, *xs: Array) -> float:
        return nearest(namespace(xs[0]).abs(xs[0] - xs[1]) - self.delta)


@configured(frozen=True, eq=True)
class LogCosh(PointwiseLoss):
    """Mean of log cosh(y - t): half the square where y - t is small, |y - t| - log 2 where it is large.

    Forward    l  = 1/m Σ |e| + log(1 + exp(-2 |e|)) - log(2),   e = y - t
    Backward   dy = tanh(e) * dl / m     dt = -dy
    Shapes     y, t, e, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    >>> import numpy as np
    >>> LogCosh()(np.array([[1e4]]), np.array([[0.0]])).round(3)
    array([9999.307])

    Green, "Bayesian reconstructions from emission tomography data using a modified EM algorithm", 1990.
    """

    def values(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        size = xp.abs(y - t)
        return size + xp.log1p(xp.exp(-2.0 * size)) - math.log(2.0)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        slope = namespace(y).tanh(y - t)
        return slope, -slope


@configured(frozen=True, eq=True)
class Poisson(PointwiseLoss):
    """What a count t costs where y is expected, by Poisson's law, without the part that y does not change.

    Forward    l  = 1/m Σ y - t log(y + epsilon)
    Backward   dy = (1 - t / (y + epsilon)) * dl / m     dt = -log(y + epsilon) * dl / m
    Shapes     y, t, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    y must be at least 0: end the network with Exp, Softplus or the like. Below -epsilon the loss is NaN.

    Parameters
    ----------
    epsilon : keeps the logarithm finite at y = 0; in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> Poisson()(np.array([[1.0, 2.0]]), np.array([[3.0, 0.0]])).round(6)
    array([1.5])

    Cameron and Trivedi, "Regression Analysis of Count Data", 1998.
    """

    epsilon: float = argument(EPSILON, default=1e-7)

    def values(self, y: Array, t: Array) -> Array:
        return y - t * namespace(y).log(y + self.epsilon)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        return 1.0 - t / (y + self.epsilon), -namespace(y).log(y + self.epsilon)


def at_least(x: Array, least: float) -> Array:
    """max(x, least)."""
    return namespace(x).clip(x, least, None)


def nearest(x: Array) -> float:
    """The least magnitude."""
    xp = namespace(x)
    return float(xp.min(xp.abs(x)))
