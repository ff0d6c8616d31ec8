"""Random bricks; their numbers depend on seed, step, node and sample only, so that every engine agrees.

All of them are at work in training alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Many, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..seeds import SEED
from .base import Context, Saved
from .checks import require_axes, shared_axes, shared_shape
from .seeded import Seeded
from .smooth import SELU_ALPHA, SELU_SCALE

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]

SELU_LEAST = -SELU_SCALE * SELU_ALPHA
"""What a SELU gives for x → -∞."""

_RATE = Real(0.0, 1.0, high_open=True)


class Noise(Seeded):
    """Noise on a batch of anything; dx is dy times a factor that was saved."""

    def output_shape(self, x: Shape) -> Shape:
        """The shape of x."""
        require_axes(self, x, 1, "(N, …)", "Give it a batch of samples.")
        return x

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (factor,) = saved
        return (dy if factor is None else dy * factor,), {}


class Dropping(Noise):
    """Noise that keeps a number or not: keep = 1 where bits >= round(rate * 2³²), else 0."""

    rate: float
    shared_axes: tuple[int, ...]

    def output_shape(self, x: Shape) -> Shape:
        """The shape of x."""
        if self.shared_axes:
            shared_axes(self, self.shared_axes, x)
        return super().output_shape(x)

    def kept(self, x: Array, ctx: Context) -> Array:
        """1 for what is kept, 0 for what is left out; along shared axes of size 1."""
        xp = namespace(x)
        shape = shared_shape(self, self.shared_axes, x.shape) if self.shared_axes else None
        bits = self.own(ctx).bits(x, shape)
        return xp.astype(bits >= xp.asarray(self.threshold, dtype=xp.uint32), x.dtype)

    @property
    def threshold(self) -> int:
        """What the bits are compared with."""
        return min(round(self.rate * 2**32), 2**32 - 1)


@configured(frozen=True, eq=True)
class Dropout(Dropping):
    """Each number is left out with probability `rate` while training; the others grow to make up for it.

    Forward    y  = x * keep / (1 - rate)     keep = 1 where bits >= round(rate * 2³²), else 0
               y  = x                         in inference
    Backward   dx = dy * keep / (1 - rate)    or dy in inference
    Shapes     x, y, dx, dy: (N, ...), equal

    The bits are random 32-bit integers (see `Context.bits`). This is inverted dropout: the mean of y is x,
    and inference needs no scaling.

    Parameters
    ----------
    rate : the part that is left out, in [0, 1).
    shared_axes : axes, counted from 1 or from the end, along which all numbers have the same bit, such as
        (1, 2) to leave out whole channels of images; default (), none.
    seed : what the bits follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> y = Dropout(0.5)(np.ones((1, 10_000)), ctx=Context(training=True))
    >>> sorted(set(y[0].tolist()))
    [0.0, 2.0]

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014.
    """

    rate: float = argument(_RATE)
    shared_axes: tuple[int, ...] = argument(Many(Whole()), default=(), kw_only=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training or self.rate == 0.0:
            return x, (None,)
        factor = self.kept(x, ctx) * (1.0 / (1.0 - self.rate))
        return x * factor, (factor,)


@configured(frozen=True, eq=True)
class NaiveDropout(Dropping):
    """Dropout as it was first published: what is kept stays as it is, and inference is scaled instead.

    Forward    y  = x * keep           keep = 1 where bits >= round(rate * 2³²), else 0
               y  = x * (1 - rate)     in inference
    Backward   dx = dy * keep          or dy * (1 - rate) in inference
    Shapes     x, y, dx, dy: (N, ...), equal

    The mean of y in training is y in inference, as with Dropout, but both are smaller by 1 - rate; with the
    same seed both leave out the same numbers.

    Parameters
    ----------
    rate : the part that is left out, in [0, 1).
    shared_axes : axes, counted from 1 or from the end, along which all numbers have the same bit; default (),
        none.
    seed : what the bits follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> NaiveDropout(0.25)(np.ones((1, 3)))
    array([[0.75, 0.75, 0.75]])

    Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov, "Improving Neural Networks by Preventing
    Co-Adaptation of Feature Detectors", 2012.
    """

    rate: float = argument(_RATE)
    shared_axes: tuple[int, ...] = argument(Many(Whole()), default=(), kw_only=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training:
            return x * (1.0 - self.rate), (None,)
        keep = self.kept(x, ctx)
        return x * keep, (keep,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (keep,) = saved
        return (dy * ((1.0 - self.rate) if keep is None else keep),), {}


@configured(frozen=True, eq=True)
class AlphaDropout(Dropping):
    """Dropout for networks of SELUs: mean 0 and variance 1 stay as they are.

    Forward    y  = a * (x * keep + m * (1 - keep)) + b     m = -1.7580…, what a SELU gives for x → -∞
               a  = 1 / √((1 - rate) * (1 + rate * m²))     b = -a * m * rate
               y  = x                                       in inference
    Backward   dx = dy * a * keep                           or dy in inference
    Shapes     x, y, dx, dy: (N, ...), equal

    Parameters
    ----------
    rate : the part that is replaced by m, in [0, 1).
    shared_axes : axes, counted from 1 or from the end, along which all numbers have the same bit; default (),
        none.
    seed : what the bits follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> y = AlphaDropout(0.5)(np.zeros((1, 10_000)), ctx=Context(training=True))
    >>> sorted(set(y[0].round(4).tolist()))
    [-0.7792, 0.7792]

    Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks", 2017.
    """

    rate: float = argument(_RATE)
    shared_axes: tuple[int, ...] = argument(Many(Whole()), default=(), kw_only=True)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def numbers(self) -> tuple[float, float]:
        """a and b."""
        a = 1.0 / math.sqrt((1.0 - self.rate) * (1.0 + self.rate * SELU_LEAST**2))
        return a, -a * SELU_LEAST * self.rate

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training or self.rate == 0.0:
            return x, (None,)
        a, b = self.numbers()
        keep = self.kept(x, ctx)
        factor = a * keep
        return x * factor + (a * SELU_LEAST * (1.0 - keep) + b), (factor,)


@configured(frozen=True, eq=True)
class GaussianNoise(Noise):
    """Normal noise is added while training.

    Forward    y  = x + stddev * z     z: standard normal numbers, see `Context.normals`
               y  = x                  in inference
    Backward   dx = dy
    Shapes     x, y, dx, dy: (N, ...), equal

    Parameters
    ----------
    stddev : standard deviation of the noise, at least 0.
    seed : what the noise follows instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> y = GaussianNoise(2.0)(np.zeros((1, 10_000)), ctx=Context(training=True))
    >>> float(y.std().round(1))
    2.0

    Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", 1995.
    """

    stddev: float = argument(Real(0.0))
    seed: int | None = argument(SEED, default=None, kw_only=True)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training or self.stddev == 0.0:
            return x, (None,)
        return x + self.stddev * self.own(ctx).normals(x), (None,)


@configured(frozen=True, eq=True)
class GaussianDropout(Noise):
    """Each number is multiplied by normal noise of mean 1 while training.

    Forward    y  = x * (1 + s * z)      s = √(rate / (1 - rate)), z: standard normal, see `Context.normals`
               y  = x                    in inference
    Backward   dx = dy * (1 + s * z)     or dy in inference
    Shapes     x, y, dx, dy: (N, ...), equal

    Mean and variance of y are those under Dropout of the same rate.

    Parameters
    ----------
    rate : as the rate of Dropout, in [0, 1).
    seed : what the noise follows instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> y = GaussianDropout(0.5)(np.ones((1, 10_000)), ctx=Context(training=True))
    >>> float(y.mean().round(1)), float(y.std().round(1))
    (1.0, 1.0)

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014.
    """

    rate: float = argument(_RATE)
    seed: int | None = argument(SEED, default=None, kw_only=True)

    @property
    def deviation(self) -> float:
        """s."""
        return math.sqrt(self.rate / (1.0 - self.rate))

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training or self.rate == 0.0:
            return x, (None,)
        factor = 1.0 + self.deviation * self.own(ctx).normals(x)
        return x * factor, (factor,)
