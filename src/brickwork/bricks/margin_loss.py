"""Losses of the margin: what is right by less than 1 still costs."""

from __future__ import annotations

from ..arguments import configured
from ..arrays import Array, Shape, namespace
from .base import Context, Saved
from .checks import require_axes
from .loss import (
    Gradients,
    PairedLoss,
    Parameters,
    as_float,
    if_float,
    mean_per_sample,
    numbers_of,
    per_sample,
)
from .pointwise_loss import PointwiseLoss, at_least, nearest


@configured(frozen=True, eq=True)
class Hinge(PointwiseLoss):
    """Mean of how far t y stays below the margin 1, for targets -1 and 1.

    Forward    l  = 1/m Σ max(1 - s y, 0),   s = -1 where t = 0, else t
    Backward   dy = -s * dl / m where s y < 1, else 0     dt = -y * dl / m where s y < 1, else 0
    Shapes     y, t, s, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    So targets may be 0 and 1 too. Keras takes 0 for -1 only where the whole batch has no other targets than 0
    and 1; for targets -1 and 1, or 0 and 1, that is the same.

    >>> import numpy as np
    >>> Hinge()(np.array([[0.6, 2.0]]), np.array([[0.0, 1.0]]))
    array([0.8])

    Cortes and Vapnik, "Support-Vector Networks", 1995.
    """

    def values(self, y: Array, t: Array) -> Array:
        return short_of_margin(y, sign_of(t))

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        xp = namespace(y)
        s = sign_of(t)
        short, zero = short_of_margin(y, s) > 0.0, xp.zeros_like(y)
        return xp.where(short, -s, zero), xp.where(short, -y, zero)

    def distance_to_kink(self, *xs: Array) -> float:
        return nearest(1.0 - xs[0] * sign_of(xs[1]))


@configured(frozen=True, eq=True)
class SquaredHinge(PointwiseLoss):
    """Mean of the squares of how far t y stays below the margin 1, for targets -1 and 1.

    Forward    l  = 1/m Σ h²,   h = max(1 - s y, 0),   s = -1 where t = 0, else t
    Backward   dy = -2 s h * dl / m     dt = -2 y h * dl / m
    Shapes     y, t, s, h, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    Of targets 0 and 1 the same holds as for Hinge.

    >>> import numpy as np
    >>> SquaredHinge()(np.array([[0.5, 2.0]]), np.array([[0.0, 1.0]]))
    array([1.125])

    Lee and Mangasarian, "SSVM: A Smooth Support Vector Machine for Classification", 2001.
    """

    def values(self, y: Array, t: Array) -> Array:
        short = short_of_margin(y, sign_of(t))
        return short * short

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        s = sign_of(t)
        twice = 2.0 * short_of_margin(y, s)
        return -s * twice, -y * twice

    def distance_to_kink(self, *xs: Array) -> float:
        return nearest(1.0 - xs[0] * sign_of(xs[1]))


@configured(frozen=True, eq=True)
class CategoricalHinge(PairedLoss):
    """How far the true class fails to be above every other one by 1, for targets that are one-hot rows.

    Forward    l  = max(1 + wrong - right, 0), then the mean over the places
               right = Σ t y,   wrong = max (1 - t) y
    Backward   dy = ((1 - t) at the first winner of wrong - t) * dl / m where l > 0, else 0
               dt = (-y at the first winner of wrong - y) * dl / m where l > 0, else 0
    Shapes     y, t, dy, dt: (N, ..., C)   right, wrong: (N, ...)   l, dl: (N,); m is the number of places

    The true class's own (1 - t) y is 0, so that wrong is never below 0, as in Keras.

    >>> import numpy as np
    >>> CategoricalHinge()(np.array([[0.5, 2.0]]), np.array([[0.0, 1.0]]))
    array([0.])

    Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines", 2001.
    """

    def output_shape(self, y: Shape, t: Shape) -> Shape:
        """(N,)."""
        require_axes(self, y, 2, "(N, …, C)", "Put a Linear brick with one unit for each class before it.")
        return super().output_shape(y, t)

    def forward(self, params: Parameters, y: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        short = self._short(y, as_float(t, y))
        return mean_per_sample(at_least(short, 0.0)), (y, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        y, t = saved
        xp, target = namespace(y), as_float(t, y)
        others = (1.0 - target) * y
        places = xp.arange(y.shape[-1], dtype=xp.int32)
        won = xp.astype(xp.argmax(others, axis=-1, keepdims=True) == places, y.dtype)
        pays = xp.astype(xp.expand_dims(self._short(y, target) > 0.0, axis=-1), y.dtype)
        share = pays * per_sample(dl * (y.shape[-1] / numbers_of(y)), y)
        return ((won * (1.0 - target) - target) * share, if_float(t, (-won * y - y) * share)), {}

    def _short(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        return 1.0 + xp.max((1.0 - t) * y, axis=-1) - xp.sum(t * y, axis=-1)

    def distance_to_kink(self, *xs: Array) -> float:
        y, t = xs[0], as_float(xs[1], xs[0])
        xp = namespace(y)
        others = xp.sort((1.0 - t) * y, axis=-1)
        ties = others[..., -1] - others[..., -2] if y.shape[-1] > 1 else xp.ones_like(others)
        return min(nearest(self._short(y, t)), nearest(ties))


def sign_of(t: Array) -> Array:
    """-1 where t is 0, else t."""
    xp = namespace(t)
    return xp.where(t == 0.0, -xp.ones_like(t), t)


def short_of_margin(y: Array, s: Array) -> Array:
    """max(1 - s y, 0)."""
    return at_least(1.0 - y * s, 0.0)
