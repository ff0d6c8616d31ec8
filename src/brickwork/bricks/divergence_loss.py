"""Losses that compare distributions or directions: divergence, focal cross-entropies, cosine similarity."""

from __future__ import annotations

from ..arguments import Maybe, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Context, Saved
from .checks import require_axis
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
from .pointwise_loss import EPSILON, PointwiseLoss, nearest


@configured(frozen=True, eq=True)
class KLDivergence(PointwiseLoss):
    """How many nats it costs on average to take the distribution p for the distribution t.

    Forward    l  = Σ u log(u / q), then the mean over the places;   u = t, q = p, brought into [epsilon, 1]
    Backward   dp = -u / q * dl / m where p is in [epsilon, 1], else 0
               dt = (log(u / q) + 1) * dl / m where t is in [epsilon, 1], else 0
    Shapes     p, t, u, q, dp, dt: (N, ..., C)   l, dl: (N,); m is the number of places, 1 for p of (N, C)

    Neither p nor t is divided by its sum.

    Parameters
    ----------
    epsilon : smaller probabilities count as this one; in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> t, p = np.array([[0.5, 0.25, 0.125, 0.125]]), np.full((1, 4), 0.25)
    >>> KLDivergence()(p, t) / np.log(2)
    array([0.25])

    Kullback and Leibler, "On Information and Sufficiency", 1951.
    """

    epsilon: float = argument(EPSILON, default=1e-7)

    per_place = True

    def values(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        u = xp.clip(t, self.epsilon, 1.0)
        return u * xp.log(u / xp.clip(y, self.epsilon, 1.0))

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        xp = namespace(y)
        u, q, zero = xp.clip(t, self.epsilon, 1.0), xp.clip(y, self.epsilon, 1.0), xp.zeros_like(y)
        return xp.where(y == q, -u / q, zero), xp.where(t == u, xp.log(u / q) + 1.0, zero)

    def distance_to_kink(self, *xs: Array) -> float:
        return min(nearest(x - edge) for x in xs for edge in (self.epsilon, 1.0))


@configured(frozen=True, eq=True)
class BinaryFocalCrossEntropy(PointwiseLoss):
    """Cross-entropy of yes-or-no questions in which answers that are right already count little.

    Forward    l  = 1/m Σ w r^gamma b,   b = -t log(q) - (1 - t) log(1 - q),   r = t (1 - q) + (1 - t) q
               w  = alpha t + (1 - alpha) (1 - t), or 1;   q = p, brought into [clip, 1 - clip]
    Backward   dp = w r^gamma (gamma (1 - 2 t) b / r - t / q + (1 - t) / (1 - q)) * dl / m, 0 outside the clip
               dt = r^gamma (w (gamma (1 - 2 q) b / r + log(1 - q) - log(q)) + (2 alpha - 1) b) * dl / m
    Shapes     p, t, q, r, b, w, dp, dt: (N, ...)   l, dl: (N,); the sum runs over the m numbers of a sample

    The last term of dt is there with an alpha only.

    Parameters
    ----------
    gamma : how much easy answers are played down; at least 0, where 0 is plain cross-entropy; default 2.
    alpha : None (default), or in [0, 1]: the weight of the yeses against that of the noes, 1 - alpha.
    clip : in (0, 0.5); default 1e-7, as in Keras, which clips in b alone.

    >>> import numpy as np
    >>> BinaryFocalCrossEntropy()(np.array([[0.5, 0.9]]), np.array([[1.0, 1.0]])).round(4)
    array([0.0872])

    Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.
    """

    gamma: float = argument(Real(0.0), default=2.0)
    alpha: float | None = argument(Maybe(Real(0.0, 1.0)), default=None)
    clip: float = argument(EPSILON, default=1e-7)

    def values(self, y: Array, t: Array) -> Array:
        q = namespace(y).clip(y, self.clip, 1.0 - self.clip)
        return self._weight(t) * self._wrong(q, t) ** self.gamma * self._cost(q, t)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        xp = namespace(y)
        q = xp.clip(y, self.clip, 1.0 - self.clip)
        wrong, cost, weight = self._wrong(q, t), self._cost(q, t), self._weight(t)
        focus, pull = wrong**self.gamma, self.gamma * cost / wrong
        dp = weight * focus * (pull * (1.0 - 2.0 * t) - t / q + (1.0 - t) / (1.0 - q))
        dt = weight * (pull * (1.0 - 2.0 * q) + xp.log(1.0 - q) - xp.log(q))
        if self.alpha is not None:
            dt = dt + (2.0 * self.alpha - 1.0) * cost
        return xp.where(y == q, dp, xp.zeros_like(dp)), focus * dt

    def _wrong(self, q: Array, t: Array) -> Array:
        return t * (1.0 - q) + (1.0 - t) * q

    def _cost(self, q: Array, t: Array) -> Array:
        xp = namespace(q)
        return -t * xp.log(q) - (1.0 - t) * xp.log(1.0 - q)

    def _weight(self, t: Array) -> Array | float:
        return 1.0 if self.alpha is None else self.alpha * t + (1.0 - self.alpha) * (1.0 - t)

    def distance_to_kink(self, *xs: Array) -> float:
        return min(nearest(xs[0] - edge) for edge in (self.clip, 1.0 - self.clip))


@configured(frozen=True, eq=True)
class FocalCrossEntropy(PointwiseLoss):
    """Cross-entropy over classes in which answers that are right already count little.

    Forward    l  = -Σ t (1 - q)^gamma log(q), then the mean over the places;   q = p, in [clip, 1 - clip]
    Backward   dp = t (1 - q)^gamma (gamma log(q) / (1 - q) - 1 / q) * dl / m, 0 outside the clip
               dt = -(1 - q)^gamma log(q) * dl / m
    Shapes     p, t, q, dp, dt: (N, ..., C)   l, dl: (N,); m is the number of places, 1 for p of (N, C)

    A weight for each class is a factor of t. p is not divided by its sum.

    Parameters
    ----------
    gamma : how much easy answers are played down; at least 0, where 0 is plain cross-entropy; default 2.
    clip : in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> FocalCrossEntropy()(np.array([[0.5, 0.5]]), np.array([[0.0, 1.0]])).round(4)
    array([0.1733])

    Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.
    """

    gamma: float = argument(Real(0.0), default=2.0)
    clip: float = argument(EPSILON, default=1e-7)

    per_place = True

    def values(self, y: Array, t: Array) -> Array:
        xp = namespace(y)
        q = xp.clip(y, self.clip, 1.0 - self.clip)
        return -t * (1.0 - q) ** self.gamma * xp.log(q)

    def slopes(self, y: Array, t: Array) -> tuple[Array, Array]:
        xp = namespace(y)
        q = xp.clip(y, self.clip, 1.0 - self.clip)
        focus, log_q = (1.0 - q) ** self.gamma, xp.log(q)
        dp = t * focus * (self.gamma * log_q / (1.0 - q) - 1.0 / q)
        return xp.where(y == q, dp, xp.zeros_like(dp)), -focus * log_q

    def distance_to_kink(self, *xs: Array) -> float:
        return min(nearest(xs[0] - edge) for edge in (self.clip, 1.0 - self.clip))


@configured(frozen=True, eq=True)
class CosineSimilarity(PairedLoss):
    """Minus the cosine of the angle between y and t: -1 where they point one way, 1 where they are opposites.

    Forward    l  = -Σ u v, then the mean over the places;   u = y / |y|,   v = t / |t|
    Backward   dy = (u Σ u v - v) / |y| * dl / m     dt = (v Σ u v - u) / |t| * dl / m
    Shapes     y, t, u, v, dy, dt: (N, ...)   l, dl: (N,); m is how many vectors a sample has

    A vector shorter than epsilon is divided by epsilon instead, with dy = -v / epsilon * dl / m.

    Parameters
    ----------
    axis : along which the vectors lie; default -1.
    epsilon : the least length that is divided by; in (0, 0.5); default 1e-7, as in Keras.

    >>> import numpy as np
    >>> CosineSimilarity()(np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]]))
    array([-0.6])

    Salton, Wong and Yang, "A Vector Space Model for Automatic Indexing", 1975.
    """

    axis: int = argument(Whole(), default=-1)
    epsilon: float = argument(EPSILON, default=1e-7)

    def output_shape(self, y: Shape, t: Shape) -> Shape:
        """(N,)."""
        made = super().output_shape(y, t)
        require_axis(self, self.axis, y, repair="The first axis counts the samples.")
        return made

    def forward(self, params: Parameters, y: Array, t: Array, *, ctx: Context) -> tuple[Array, Saved]:
        u, v = self._unit(y)[0], self._unit(as_float(t, y))[0]
        return -mean_per_sample(namespace(y).sum(u * v, axis=self.axis)), (y, t)

    def backward(self, params: Parameters, saved: Saved, dl: Array) -> Gradients:
        y, t = saved
        (u, per_y, long_y), (v, per_t, long_t) = self._unit(y), self._unit(as_float(t, y))
        cosine = namespace(y).sum(u * v, axis=self.axis, keepdims=True)
        share = per_sample(dl * (y.shape[self.axis] / numbers_of(y)), y)
        dy = (long_y * u * cosine - v) * per_y * share
        return (dy, if_float(t, (long_t * v * cosine - u) * per_t * share)), {}

    def _unit(self, x: Array) -> tuple[Array, Array, Array]:
        """X divided by its length, 1 / length, and whether it is longer than epsilon."""
        xp = namespace(x)
        length = xp.sqrt(xp.sum(x * x, axis=self.axis, keepdims=True))
        is_long = length > self.epsilon
        per_length = 1.0 / xp.where(is_long, length, self.epsilon * xp.ones_like(length))
        return x * per_length, per_length, xp.astype(is_long, x.dtype)

    def distance_to_kink(self, *xs: Array) -> float:
        lengths = (namespace(x).sqrt(namespace(x).sum(x * x, axis=self.axis)) for x in xs)
        return min(nearest(length - self.epsilon) for length in lengths)
