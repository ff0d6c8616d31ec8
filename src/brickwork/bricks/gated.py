"""Non-linearities y = x * g(x): a gate g from 0 to 1 that each number opens for itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Flag, argument, configured
from ..arrays import Array, extra, namespace
from .activation import Elementwise, sigmoid
from .base import Context, Saved
from .smooth import softplus

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class Gated(Elementwise):
    """y = x * g(x), whose slope is g(x) + x * g'(x); a subclass gives the gate and its derivative."""

    def gate(self, x: Array) -> tuple[Array, Array]:
        """g(x) and g'(x)."""
        raise NotImplementedError

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x * self.gate(x)[0], (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        g, dg = self.gate(x)
        return (dy * (g + x * dg),), {}


@configured(frozen=True, eq=True)
class SiLU(Gated):
    """Sigmoid-weighted linear unit, also called swish.

    Forward    y  = x * s     s = 1 / (1 + exp(-x))
    Backward   dx = dy * (s + x * s * (1 - s))
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> SiLU()(np.array([0.0, np.log(3.0)])).round(4)
    array([0.   , 0.824])

    Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
    Reinforcement Learning", 2018.
    """

    def gate(self, x: Array) -> tuple[Array, Array]:
        s = sigmoid(x)
        return s, s * (1.0 - s)


@configured(frozen=True, eq=True)
class GELU(Gated):
    """Gaussian error linear unit: x times the probability that a standard normal number is below x.

    Forward    y  = x * Φ(x)     Φ(x) = erfc(-x / √2) / 2
    Backward   dx = dy * (Φ(x) + x * φ(x))     φ(x) = exp(-x² / 2) / √(2π)
    Shapes     x, y, dx, dy: any, equal

    With `approximate`, Φ(x) = (1 + tanh(u)) / 2 and φ(x) its derivative, u = √(2/π) (x + 0.044715 x³).

    Parameters
    ----------
    approximate : whether tanh takes the place of erfc; the two differ by at most 0.0005; default False.

    >>> import numpy as np
    >>> GELU()(np.array([-1.0, 1.0])).round(4)
    array([-0.1587,  0.8413])

    Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """

    approximate: bool = argument(Flag(), default=False)

    def gate(self, x: Array) -> tuple[Array, Array]:
        if self.approximate:
            # (1 + tanh(u)) / 2 = sigmoid(2 u)
            s = sigmoid(_TWICE * (x + _CUBIC * (x * x * x)))
            return s, s * (1.0 - s) * (_TWICE * (1.0 + 3.0 * _CUBIC * (x * x)))
        below = 0.5 * extra(x).erfc(x * -math.sqrt(0.5))
        return below, namespace(x).exp(-0.5 * (x * x)) * (1.0 / math.sqrt(2.0 * math.pi))


_TWICE, _CUBIC = 2.0 * math.sqrt(2.0 / math.pi), 0.044715


@configured(frozen=True, eq=True)
class Mish(Gated):
    """x times the hyperbolic tangent of its softplus.

    Forward    y  = x * t     t = tanh(log(1 + exp(x)))
    Backward   dx = dy * (t + x * (1 - t²) / (1 + exp(-x)))
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Mish()(np.array([-1.0, 1.0])).round(4)
    array([-0.3034,  0.8651])

    Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
    """

    def gate(self, x: Array) -> tuple[Array, Array]:
        t = namespace(x).tanh(softplus(x))
        return t, (1.0 - t * t) * sigmoid(x)


@configured(frozen=True, eq=True)
class HardSiLU(Gated):
    """x times its hard sigmoid, also called hard swish.

    Forward    y  = x * h     h = min(max(x / 6 + 1/2, 0), 1)
    Backward   dx = dy * (x / 3 + 1/2) where 0 < h < 1, else dy * h
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> HardSiLU()(np.array([-3.0, 1.5, 4.0]))
    array([-0.   ,  1.125,  4.   ])

    Howard and others, "Searching for MobileNetV3", 2019.
    """

    def gate(self, x: Array) -> tuple[Array, Array]:
        xp = namespace(x)
        h = xp.clip(x * (1.0 / 6.0) + 0.5, 0.0, 1.0)
        return h, xp.astype((h > 0.0) & (h < 1.0), x.dtype) * (1.0 / 6.0)

    def corners(self) -> tuple[float, ...]:
        return (-3.0, 3.0)
