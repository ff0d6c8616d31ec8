"""Local response normalization: channels of one place hold each other down."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Real, Whole, argument, configured
from ..arrays import Array, Shape, extra, namespace
from .base import Brick, Context, Saved
from .checks import require_features


@configured(frozen=True, eq=True)
class LocalResponseNormalization(Brick):
    """Each number divided by a power of the squares of its neighbours across channels.

    Forward    s  = k + alpha * Σ x²     y = x * s^(-beta)
    Backward   dx = dy * s^(-beta) - 2 * alpha * beta * x * Σ' dy * x * s^(-beta - 1)
    Shapes     x, s, y, dx, dy: (N, ..., C), equal

    Σ runs over the `size` channels around each, from size // 2 before it to (size - 1) // 2 behind it, as far
    as there are such; Σ' over those channels whose window holds it. The formula is AlexNet's, and so are the
    defaults; GoogLeNet's are the same. PyTorch and Caffe divide alpha by size: give them size times the alpha
    that is given here.

    Parameters
    ----------
    size : channels of a window; default 5.
    alpha : at least 0; default 0.0001.
    beta : at least 0; default 0.75.
    k : above 0; default 2.

    >>> import numpy as np
    >>> LocalResponseNormalization(3, alpha=1.0, beta=1.0, k=1.0)(np.array([[1.0, 2.0, 3.0]])).round(4)
    array([[0.1667, 0.1333, 0.2143]])

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    size: int = argument(Whole(1), default=5)
    alpha: float = argument(Real(0.0), default=1e-4, kw_only=True)
    beta: float = argument(Real(0.0), default=0.75, kw_only=True)
    k: float = argument(Real(0.0, low_open=True), default=2.0, kw_only=True)

    def output_shape(self, x: Shape) -> Shape:
        require_features(self, x)
        return x

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        s = self._around(x * x, self.size // 2) * self.alpha + self.k
        return x * s**-self.beta, (x, s)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        x, s = saved
        straight = dy * s**-self.beta
        held = self._around(straight * x / s, (self.size - 1) // 2)
        return (straight - x * held * (2.0 * self.alpha * self.beta),), {}

    def _around(self, x: Array, before: int) -> Array:
        """The sum of `size` channels, from `before` places before each on."""
        channels = x.shape[-1]
        after = self.size - 1 - before
        wide = extra(x).pad(x, (*((0, 0),) * (x.ndim - 1), (min(before, channels), min(after, channels))))
        # A window that reaches past all channels adds zeros only: these places are left out.
        first = min(before, channels) - before
        total = namespace(x).zeros_like(x)
        for place in range(self.size):
            start = first + place
            if 0 <= start <= wide.shape[-1] - channels:
                total = total + wide[..., start : start + channels]
        return total
