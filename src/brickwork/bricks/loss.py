"""Losses: bricks that compare y with a target t and give one number per sample.

The mean over samples, with weights, is a brick of its own (WeightedMean), which is where back-propagation
starts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..arguments import Maybe, Real, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from .activation import log_softmax, sigmoid
from .base import Brick, Context, Saved, letters
from .checks import require_axes

Gradients = tuple[tuple[Array | None, ...], dict[str, Array]]
Parameters = Mapping[str, Array]

CLIP = Maybe(Real(0.0, 0.5, low_open=True, high_open=True))


class PairedLoss(Brick):
    """A loss of y and a target t of y's shape; its value is one number per sample."""

    def output_shape(self, y: Shape, t: Shape) -> Shape:
        """(N,)."""
        require_axes(self, y, 1, "(N, …)", "Give it a batch of outputs.")
        if not _alike(y, t):
            raise ShapeError(
                f"{type(self).__name__} takes y and t of equal shapes; it received y {letters(y)} and "
                f"t {letters(t)}. {_target_repair(y, t)}"
            )
        return (y[0],)


class CategoricalLoss(Brick):
    """A loss over the classes of the last axis; t is a class number or a distribution, as its rank says."""

    def output_shape(self, y: Shape, t: Shape) -> Shape:
        """(N,)."""
        require_axes(self, y, 2, "(N, …, C)", "Put a Linear brick with one unit for each class before it.")
        if not _alike(y, t) and not _alike(y[:-1], t):
            raise ShapeError(
                f"{type(self).__name__} takes t of shape {letters(y[:-1])}, class numbers, or {letters(y)}, "
                f"distributions; it received {letters(t)}. {_target_repair(y, t)}"
            )
        return (y[0],)


@configured(frozen=True, eq=True)
class HalfSquaredError(PairedLoss):
    """Half the sum of squared differences.

    Forward    l  = ½ Σ (y - t)²
    Backward   dy = (y - t) * dl     dt = -dy
    Shapes     y, t, dy, dt: (N, ...)   l, dl: (N,); the sum runs over all axes but the batch axis

    >>> import numpy as np
    >>> HalfSquaredError()(np.array([[3.0, 1.0]]), np.array([[1.0, 2.0]]))
    array([2.5])

    Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986.
    """

    def forward(self, params: Parameters, y: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        difference = y - as_float(t, y)
        return 0.5 * sum_per_sample(difference * difference), (difference, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        difference, t = saved
        dy = difference * per_sample(dl, difference)
        return (dy, if_float(t, -dy)), {}


@configured(frozen=True, eq=True)
class MeanSquaredError(PairedLoss):
    """Mean of squared differences.

    Forward    l  = 1/m Σ (y - t)²
    Backward   dy = 2/m (y - t) * dl     dt = -dy
    Shapes     y, t, dy, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    >>> import numpy as np
    >>> MeanSquaredError()(np.array([[3.0, 1.0]]), np.array([[1.0, 2.0]]))
    array([2.5])

    Widrow and Hoff, "Adaptive switching circuits", 1960.
    """

    def forward(self, params: Parameters, y: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        difference = y - as_float(t, y)
        return mean_per_sample(difference * difference), (difference, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        difference, t = saved
        dy = difference * per_sample(dl * (2.0 / numbers_of(difference)), difference)
        return (dy, if_float(t, -dy)), {}


@configured(frozen=True, eq=True)
class CrossEntropy(CategoricalLoss):
    """Cross-entropy of a distribution t and probabilities p.

    Forward    l  = -Σ t * log(p), then the mean over the axes between the first and the last
    Backward   dp = -t / p * dl / m     dt = -log(p) * dl / m
    Shapes     p, dp: (N, ..., C)   t: (N, ...) class numbers, or (N, ..., C) with dt   l, dl: (N,)

    m is the number of places of a sample, 1 for p of shape (N, C). A class number t counts as the
    distribution that is 1 there; it has no gradient. Where p is 0 and t is not, l is infinite; with a clip,
    p is brought into [clip, 1 - clip] first, and dp is 0 outside. p is not divided by its sum.

    Parameters
    ----------
    clip : None (default), or in (0, 0.5); Keras clips at 1e-7, and so no loss of a sample exceeds 16.118.

    >>> import numpy as np
    >>> CrossEntropy(clip=1e-7)(np.array([[0.0, 1.0]]), np.array([0])).round(3)
    array([16.118])

    Hinton, "Connectionist learning procedures", 1989.
    """

    clip: float | None = argument(CLIP, default=None)

    def forward(self, params: Parameters, p: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        losses = -_product_log(as_distribution(t, p), _clipped(p, self.clip))
        return mean_per_sample(namespace(p).sum(losses, axis=-1)), (p, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        p, t = saved
        share = per_sample(dl * (p.shape[-1] / numbers_of(p)), p)
        dp = -_quotient(as_distribution(t, p), _clipped(p, self.clip)) * _inside(p, self.clip)
        dt = -_log(_clipped(p, self.clip)) * share if t.ndim == p.ndim else None
        return (dp * share, None if dt is None else if_float(t, dt)), {}

    def distance_to_kink(self, *xs: Array) -> float:
        return _distance_to_clip(xs[0], self.clip)


@configured(frozen=True, eq=True)
class SoftmaxCrossEntropy(CategoricalLoss):
    """Softmax and cross-entropy in one, from logits; stable where the two one after the other are not.

    Forward    l  = -Σ t * log p, then the mean over the axes between the first and the last
               log p = x - log Σ exp(x)
    Backward   dx = (p Σ t - t) * dl / m     dt = -log p * dl / m
    Shapes     x, p, dx: (N, ..., C)   t: (N, ...) class numbers, or (N, ..., C) with dt   l, dl: (N,)

    m is the number of places of a sample, 1 for x of shape (N, C). A class number t counts as the
    distribution that is 1 there; it has no gradient. With Σ t = 1 the gradient is p - t.

    >>> import numpy as np
    >>> SoftmaxCrossEntropy()(np.array([[0.0, 1e4]]), np.array([0]))
    array([10000.])

    Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990.
    """

    def forward(self, params: Parameters, x: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        log_p, target = log_softmax(x), as_distribution(t, x)
        losses = -namespace(x).sum(target * log_p, axis=-1)
        return mean_per_sample(losses), (log_p, target, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        log_p, target, t = saved
        xp = namespace(dl)
        share = per_sample(dl * (log_p.shape[-1] / numbers_of(log_p)), log_p)
        dx = (xp.exp(log_p) * xp.sum(target, axis=-1, keepdims=True) - target) * share
        return (dx, if_float(t, -log_p * share) if t.ndim == log_p.ndim else None), {}


@configured(frozen=True, eq=True)
class BinaryCrossEntropy(PairedLoss):
    """Cross-entropy of yes-or-no questions, on the probabilities p of yes.

    Forward    l  = -1/m Σ t * log(p) + (1 - t) * log(1 - p)
    Backward   dp = -(t / p - (1 - t) / (1 - p)) * dl / m     dt = (log(1 - p) - log(p)) * dl / m
    Shapes     p, t, dp, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    Where p is 0 and t is not, or p is 1 and t is not, l is infinite; with a clip, p is brought into
    [clip, 1 - clip] first, and dp is 0 outside.

    Parameters
    ----------
    clip : None (default), or in (0, 0.5); Keras clips at 1e-7.

    >>> import numpy as np
    >>> BinaryCrossEntropy()(np.array([[0.5]]), np.array([[1.0]])).round(4)
    array([0.6931])

    Hinton, "Connectionist learning procedures", 1989.
    """

    clip: float | None = argument(CLIP, default=None)

    def forward(self, params: Parameters, p: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        yes, target = _clipped(p, self.clip), as_float(t, p)
        losses = -(_product_log(target, yes) + _product_log(1.0 - target, 1.0 - yes))
        return mean_per_sample(losses), (p, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        p, t = saved
        yes, target = _clipped(p, self.clip), as_float(t, p)
        share = per_sample(dl * (1.0 / numbers_of(p)), p)
        slope = _quotient(1.0 - target, 1.0 - yes) - _quotient(target, yes)
        dt = (_log(1.0 - yes) - _log(yes)) * share
        return (slope * _inside(p, self.clip) * share, if_float(t, dt)), {}

    def distance_to_kink(self, *xs: Array) -> float:
        return _distance_to_clip(xs[0], self.clip)


@configured(frozen=True, eq=True)
class SigmoidCrossEntropy(PairedLoss):
    """Sigmoid and binary cross-entropy in one, from logits; stable where the two one after the other are not.

    Forward    l  = 1/m Σ max(x, 0) - x * t + log(1 + exp(-|x|))
    Backward   dx = (p - t) * dl / m     dt = -x * dl / m     p = 1 / (1 + exp(-x))
    Shapes     x, t, p, dx, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    This is -1/m Σ t * log(p) + (1 - t) * log(1 - p), written so that nothing overflows.

    >>> import numpy as np
    >>> SigmoidCrossEntropy()(np.array([[-1e4, 1e4]]), np.array([[1.0, 1.0]]))
    array([5000.])

    Hinton, "Connectionist learning procedures", 1989.
    """

    def forward(self, params: Parameters, x: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        losses = xp.maximum(x, 0.0) - x * as_float(t, x) + xp.log1p(xp.exp(-xp.abs(x)))
        return mean_per_sample(losses), (x, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        x, t = saved
        share = per_sample(dl * (1.0 / numbers_of(x)), x)
        return ((sigmoid(x) - as_float(t, x)) * share, if_float(t, -x * share)), {}


@configured(frozen=True, eq=True)
class WeightedMean(Brick):
    """Losses of a batch times weights, over the number of rows.

    Forward    y  = scale * Σ w * l / N
    Backward   dl = scale * w / N * dy     dw = scale * l / N * dy
    Shapes     l, w, dl, dw: (N,)   y, dy: ()

    N counts the rows, it is not the sum of the weights; Keras divides likewise. Without the second input
    every row has the weight 1.

    Parameters
    ----------
    scale : the weight of this loss among others; default 1.

    >>> import numpy as np
    >>> float(WeightedMean()(np.array([1.0, 2.0]), np.array([1.0, 3.0])))
    3.5

    Bottou, "Stochastic Gradient Learning in Neural Networks", 1991.
    """

    scale: float = argument(Real(), default=1.0)

    mixes_samples = True

    def output_shape(self, losses: Shape, weights: Shape | None = None) -> Shape:
        weights = losses if weights is None else weights
        if len(losses) != 1 or not _alike(losses, weights):
            raise ShapeError(
                f"WeightedMean takes losses and weights of shape (N,); it received {letters(losses)} and "
                f"{letters(weights)}. Put a loss brick before it."
            )
        return ()

    def forward(
        self, params: Parameters, losses: Array, weights: Array | None = None, *, ctx: Context
    ) -> tuple[Array, Saved]:
        total = namespace(losses).sum(losses if weights is None else losses * weights)
        return total * (self.scale / losses.shape[0]), (losses, weights)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        losses, weights = saved
        share = dy * (self.scale / losses.shape[0])
        if weights is None:
            return (namespace(losses).zeros_like(losses) + share,), {}
        return (weights * share, losses * share), {}


def as_float(t: Array, y: Array) -> Array:
    """The target in y's precision."""
    return t if t.dtype == y.dtype else namespace(y).astype(t, y.dtype)


def if_float(t: Array, dt: Array) -> Array | None:
    """The target's gradient, which integers do not have."""
    return dt if namespace(t).isdtype(t.dtype, "real floating") else None


def as_distribution(t: Array, y: Array) -> Array:
    """The target as probabilities of y's classes: 1 at the class where it is a class number."""
    xp = namespace(y)
    if t.ndim == y.ndim:
        return as_float(t, y)
    classes = xp.arange(y.shape[-1], dtype=t.dtype)
    return xp.astype(xp.expand_dims(t, axis=-1) == classes, y.dtype)


def sum_per_sample(x: Array) -> Array:
    """The sum over all axes but the first."""
    return namespace(x).sum(x, axis=tuple(range(1, x.ndim))) if x.ndim > 1 else x


def mean_per_sample(x: Array) -> Array:
    """The mean over all axes but the first."""
    return namespace(x).mean(x, axis=tuple(range(1, x.ndim))) if x.ndim > 1 else x


def numbers_of(x: Array) -> int:
    """How many numbers a sample has."""
    return math.prod(x.shape[1:])


def per_sample(dl: Array, x: Array) -> Array:
    """dl of shape (N,) so shaped that it broadcasts over x."""
    return namespace(dl).reshape(dl, (-1, *(1,) * (x.ndim - 1))) if x.ndim > 1 else dl


def _clipped(p: Array, clip: float | None) -> Array:
    return p if clip is None else namespace(p).clip(p, clip, 1.0 - clip)


def _inside(p: Array, clip: float | None) -> Any:
    """1 where the clip leaves p as it is, else 0."""
    return 1.0 if clip is None else namespace(p).astype((p >= clip) & (p <= 1.0 - clip), p.dtype)


def _log(p: Array) -> Array:
    """log(p), -∞ at 0 and below, without NumPy's warning."""
    xp = namespace(p)
    positive = p > 0.0
    return xp.where(positive, xp.log(xp.where(positive, p, xp.ones_like(p))), float("-inf"))


def _product_log(t: Array, p: Array) -> Array:
    """T * log(p), and 0 where t is 0, however small p is."""
    xp = namespace(p)
    absent = t == 0.0
    return xp.where(absent, xp.zeros_like(p), t * _log(xp.where(absent, xp.ones_like(p), p)))


def _quotient(t: Array, p: Array) -> Array:
    """T / p, 0 where t is 0, and infinite where only p is 0."""
    xp = namespace(p)
    positive = p > 0.0
    safe = xp.where(positive, p, xp.ones_like(p))
    return xp.where(t == 0.0, xp.zeros_like(p), xp.where(positive, t / safe, float("inf")))


def _distance_to_clip(p: Array, clip: float | None) -> float:
    if clip is None:
        return float("inf")
    xp = namespace(p)
    return float(xp.min(xp.minimum(xp.abs(p - clip), xp.abs(p - (1.0 - clip)))))


def _alike(one: Shape, other: Shape) -> bool:
    """Whether two shapes may be equal."""
    return len(one) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(one, other, strict=True)
    )


def _target_repair(y: Shape, t: Shape) -> str:
    if len(t) == len(y) + 1 or (len(t) < len(y) and len(t) == 1):
        return "Bring the output of the network and the targets to one shape; is a Flatten or Sum missing?"
    if len(t) == len(y) and t[-1] == 1:
        return f"Take the last axis off the targets, so that they are {letters(t[:-1])}."
    return "Give the last Linear brick as many units as the targets have classes."
