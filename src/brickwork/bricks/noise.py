"""Random bricks; their numbers depend on seed, step, node and sample only, so that every engine agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..arguments import Maybe, Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Brick, Context, Saved
from .checks import require_axes


@configured(frozen=True, eq=True)
class Dropout(Brick):
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
    seed : what the bits follow instead of the run's seed, in [0, 2⁶⁴ - 1]; default None, the run's.

    >>> import numpy as np
    >>> from brickwork.bricks import Context
    >>> y = Dropout(0.5)(np.ones((1, 10_000)), ctx=Context(training=True))
    >>> sorted(set(y[0].tolist()))
    [0.0, 2.0]

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014.
    """

    rate: float = argument(Real(0.0, 1.0, high_open=True))
    seed: int | None = argument(Maybe(Whole(0, 2**64 - 1)), default=None, kw_only=True)

    random = True

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 1, "(N, …)", "Give it a batch of samples.")
        return x

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        if not ctx.training or self.rate == 0.0:
            return x, (None,)
        xp = namespace(x)
        threshold = min(round(self.rate * 2**32), 2**32 - 1)
        own = ctx if self.seed is None else replace(ctx, key=self.seed)
        keep = own.bits(x) >= xp.asarray(threshold, dtype=xp.uint32)
        factor = xp.astype(keep, x.dtype) * (1.0 / (1.0 - self.rate))
        return x * factor, (factor,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (factor,) = saved
        return (dy if factor is None else dy * factor,), {}
