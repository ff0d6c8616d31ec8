"""Losses that count how far two sets overlap, and the cross-entropy that forgives wrong labels."""

from __future__ import annotations

import math
from typing import Any

from ..arguments import Many, Maybe, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Context, Saved
from .checks import require_axis
from .loss import (
    CategoricalLoss,
    Gradients,
    PairedLoss,
    Parameters,
    as_distribution,
    as_float,
    if_float,
    mean_per_sample,
    numbers_of,
    per_sample,
)
from .pointwise_loss import EPSILON, nearest

AXES = Maybe(Many(Whole()))


@configured(frozen=True, eq=True)
class Tversky(PairedLoss):
    """How little of two sets y and t lies in both; alpha weighs what y misses, beta what it has beyond t.

    Forward    l  = 1 - a / d, then the mean over the places
               a  = Σ t y,   d = a + alpha Σ t (1 - y) + beta Σ (1 - t) y + epsilon
    Backward   dy = (a (c t + beta) - d t) / d² * dl / m     dt = (a (c y + alpha) - d y) / d² * dl / m
               c  = 1 - alpha - beta
    Shapes     y, t, dy, dt: (N, ...)   a, d: with 1 along `axis`   l, dl: (N,); m is the number of places

    The sums run along `axis`. With alpha = beta = 1/2 it is one minus Dice's coefficient.

    Parameters
    ----------
    alpha : at least 0; default 0.5.
    beta : at least 0; default 0.5.
    axis : a tuple of axes behind the first, or None (default) for all of them: one place for each sample.
    epsilon : keeps d above 0; in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> Tversky()(np.array([[1.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 0.0]])).round(6)
    array([0.333333])

    Tversky, "Features of Similarity", 1977; Salehi, Erdogmus and Gholipour, "Tversky loss function for image
    segmentation using 3D fully convolutional deep networks", 2017.
    """

    alpha: float = argument(Real(0.0), default=0.5)
    beta: float = argument(Real(0.0), default=0.5)
    axis: tuple[int, ...] | None = argument(AXES, default=None)
    epsilon: float = argument(EPSILON, default=1e-7)

    def output_shape(self, y: Shape, t: Shape) -> Shape:
        """(N,)."""
        made = super().output_shape(y, t)
        for axis in self.axis or ():
            require_axis(self, axis, y, repair="The first axis counts the samples.")
        return made

    def axes(self, rank: int) -> tuple[int, ...]:
        """The axes that the sums run along."""
        return tuple(range(1, rank)) if self.axis is None else tuple(sorted({a % rank for a in self.axis}))

    def forward(self, params: Parameters, y: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        both, apart = self._sums(y, as_float(t, y))
        return 1.0 - mean_per_sample(both / apart), (y, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        y, t = saved
        target = as_float(t, y)
        both, apart = self._sums(y, target)
        summed = math.prod(y.shape[axis] for axis in self.axes(y.ndim))
        share = per_sample(dl * (summed / numbers_of(y)), y) / apart
        part, c = both / apart, 1.0 - self.alpha - self.beta
        dy = (part * (c * target + self.beta) - target) * share
        return (dy, if_float(t, (part * (c * y + self.alpha) - y) * share)), {}

    def _sums(self, y: Array, t: Array) -> tuple[Array, Array]:
        """(a, d)."""

        def summed(x: Array) -> Array:
            return namespace(x).sum(x, axis=self.axes(y.ndim), keepdims=True)

        both = summed(t * y)
        missed, beyond = summed(t * (1.0 - y)), summed((1.0 - t) * y)
        return both, both + self.alpha * missed + self.beta * beyond + self.epsilon


@configured(frozen=True, eq=True)
class GeneralizedCrossEntropy(CategoricalLoss):
    """Between cross-entropy (q near 0) and absolute error (q = 1): what is wholly wrong pulls less.

    Forward    l  = Σ t (1 - u^q) / q, then the mean over the places;   u = p, brought into [epsilon, 1]
    Backward   dp = -t u^(q - 1) * dl / m where p is in [epsilon, 1], else 0     dt = (1 - u^q) / q * dl / m
    Shapes     p, u, dp: (N, ..., C)   t: (N, ...) class numbers, or (N, ..., C) with dt   l, dl: (N,)

    m is the number of places of a sample. A class number t counts as the distribution that is 1 there; it has
    no gradient. p is not divided by its sum.

    Parameters
    ----------
    q : in (0, 1]; default 0.5.
    epsilon : smaller probabilities count as this one, lest slopes be infinite; in (0, 0.5); default 1e-7.

    >>> import numpy as np
    >>> GeneralizedCrossEntropy()(np.array([[0.25, 0.75]]), np.array([0]))
    array([1.])

    Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
    2018.
    """

    q: float = argument(Real(0.0, 1.0, low_open=True), default=0.5)
    epsilon: float = argument(EPSILON, default=1e-7)

    def forward(self, params: Parameters, p: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        lost = as_distribution(t, p) * self._lost(self._within(p))
        return mean_per_sample(namespace(p).sum(lost, axis=-1)), (p, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        p, t = saved
        xp, u = namespace(p), self._within(p)
        share = per_sample(dl * (p.shape[-1] / numbers_of(p)), p)
        slope = xp.where(p == u, -as_distribution(t, p) * u ** (self.q - 1.0), xp.zeros_like(p))
        dt: Any = self._lost(u) * share if t.ndim == p.ndim else None
        return (slope * share, None if dt is None else if_float(t, dt)), {}

    def _within(self, p: Array) -> Array:
        return namespace(p).clip(p, self.epsilon, 1.0)

    def _lost(self, u: Array) -> Array:
        return (1.0 - u**self.q) / self.q

    def distance_to_kink(self, *xs: Array) -> float:
        return min(nearest(xs[0] - edge) for edge in (self.epsilon, 1.0))
