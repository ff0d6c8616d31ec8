"""What a layer pays for large outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Real, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Brick, Context, Saved
from .checks import require_axes


@configured(frozen=True, eq=True)
class ActivityPenalty(Brick):
    """What each sample pays for its activations: a part of the loss that asks for small or few ones.

    Forward    y  = l1 * Σ |x| + l2 * Σ x²
    Backward   dx = dy * (l1 * sign(x) + 2 * l2 * x)
    Shapes     x, dx: (N, ...)   y, dy: (N,); the sums run over all axes but the batch axis

    The derivative of |x| at 0 is taken to be 0.

    Parameters
    ----------
    l1 : weight of the sum of magnitudes; at least 0; default 0.
    l2 : weight of the sum of squares; at least 0; default 0.

    >>> import numpy as np
    >>> ActivityPenalty(l1=1.0, l2=0.5)(np.array([[-1.0, 2.0]]))
    array([5.5])

    Olshausen and Field, "Emergence of simple-cell receptive field properties by learning a sparse code for
    natural images", 1996.
    """

    l1: float = argument(Real(0.0), 0.0)
    l2: float = argument(Real(0.0), 0.0)

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 1, "(N, …)", "Give it a batch: the first axis counts the samples.")
        return (x[0],)

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        paid = self.l1 * xp.abs(x) + self.l2 * (x * x)
        return xp.sum(xp.reshape(paid, (x.shape[0], math.prod(x.shape[1:]))), axis=1), (x,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (x,) = saved
        xp = namespace(x)
        slope = self.l1 * xp.sign(x) + (2.0 * self.l2) * x
        return (xp.reshape(dy, (dy.shape[0], *(1,) * (x.ndim - 1))) * slope,), {}

    def distance_to_kink(self, *xs: Array) -> float:
        return float(namespace(xs[0]).min(namespace(xs[0]).abs(xs[0]))) if self.l1 else float("inf")
