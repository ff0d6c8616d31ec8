"""Smooth non-linearities of one number, and those that bend where a sigmoid's linear counterpart does."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Real, argument, configured
from ..arrays import Array, namespace
from .activation import Elementwise
from .base import Context, Saved

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
"""With these a standard normal x gives y of mean 0 and variance 1 (Klambauer and others, 2017)."""

_LARGE = 1e15
"""What is beyond counts as infinite; its square still is a float32."""


@configured(frozen=True, eq=True)
class Softplus(Elementwise):
    """A smooth max(x, 0).

    Forward    y  = log(1 + exp(x))
    Backward   dx = dy * (1 - exp(-y))
    Shapes     x, y, dx, dy: any, equal

    exp is taken of -|x| only, so that large |x| neither overflow nor vanish.

    >>> import numpy as np
    >>> Softplus()(np.array([-1e4, 0.0, 1e4])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+04])

    Dugas, Bengio, Bélisle, Nadeau and Garcia, "Incorporating Second-Order Functional Knowledge for Better
    Option Pricing", 2001.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = softplus(x)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (-dy * namespace(y).expm1(-y),), {}


@configured(frozen=True, eq=True)
class LogSigmoid(Elementwise):
    """Logarithm of the sigmoid, computed without taking a logarithm of 0.

    Forward    y  = -log(1 + exp(-x))
    Backward   dx = dy * (1 - exp(y))
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> LogSigmoid()(np.array([-1e4, 0.0])).round(4)
    array([-1.000e+04, -6.931e-01])

    Mikolov, Sutskever, Chen, Corrado and Dean, "Distributed Representations of Words and Phrases and their
    Compositionality", 2013.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = -softplus(-x)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (-dy * namespace(y).expm1(y),), {}


@configured(frozen=True, eq=True)
class Softsign(Elementwise):
    """A sigmoid from -1 to 1 that nears its ends slowly.

    Forward    y  = x / (1 + |x|)
    Backward   dx = dy / (1 + |x|)²
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Softsign()(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])

    Bergstra, Desjardins, Lamblin and Bengio, "Quadratic Polynomials Learn Better Image Features", 2009.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        bounded = xp.clip(x, -1e30, 1e30)  # so that infinity gives 1
        return bounded / (1.0 + xp.abs(bounded)), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        slope = 1.0 / (1.0 + namespace(x).abs(x))
        return (dy * (slope * slope),), {}


@configured(frozen=True, eq=True)
class Squareplus(Elementwise):
    """A smooth max(x, 0) without exponentials.

    Forward    y  = (x + √(x² + b)) / 2
    Backward   dx = dy * y² / (y² + b/4)
    Shapes     x, y, dx, dy: any, equal

    It is computed as max(x, 0) + (b/2) / (|x| + √(x² + b)), which keeps its digits where x is negative.

    Parameters
    ----------
    b : how round the bend is, above 0; default 4, with which y(0) = 1.

    >>> import numpy as np
    >>> Squareplus()(np.array([-1.5, 0.0, 1.5]))
    array([0.5, 1. , 2. ])

    Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021.
    """

    b: float = argument(Real(0.0, low_open=True), default=4.0)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = xp.maximum(x, 0.0) + (0.5 * self.b) / (xp.abs(x) + xp.sqrt(x * x + self.b))
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        bounded = namespace(y).minimum(y, _LARGE)
        square = bounded * bounded
        return (dy * (square / (square + 0.25 * self.b)),), {}


@configured(frozen=True, eq=True)
class SparsePlus(Elementwise):
    """A smooth max(x, 0) that is x from 1 on and 0 below -1.

    Forward    y  = u² + max(x - 1, 0)     u = min(max((x + 1) / 2, 0), 1)
    Backward   dx = dy * u
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> SparsePlus()(np.array([-2.0, 0.0, 3.0]))
    array([0.  , 0.25, 3.  ])

    Blondel, Martins and Niculae, "Learning with Fenchel-Young Losses", 2020.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        u = xp.clip(0.5 * x + 0.5, 0.0, 1.0)
        return u * u + xp.maximum(x - 1.0, 0.0), (u,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (u,) = saved
        return (dy * u,), {}


@configured(frozen=True, eq=True)
class SELU(Elementwise):
    """The exponential linear unit that keeps mean 0 and variance 1 from layer to layer.

    Forward    y  = s * x where x > 0, else s * a * (exp(x) - 1)     s = 1.0507…, a = 1.6733…
    Backward   dx = s * dy where x > 0, else dy * (y + s * a)
    Shapes     x, y, dx, dy: any, equal

    It does so behind weights of mean 0 and variance 1/F: initialize them with "lecun_normal".

    >>> import numpy as np
    >>> SELU()(np.array([-1e4, 1.0])).round(4)
    array([-1.7581,  1.0507])

    Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks", 2017.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = SELU_SCALE * (xp.maximum(x, 0.0) + SELU_ALPHA * xp.expm1(xp.minimum(x, 0.0)))
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        xp = namespace(y)
        on = xp.astype(y > 0.0, y.dtype)
        below = xp.minimum(y, 0.0) + SELU_SCALE * SELU_ALPHA
        return (dy * (SELU_SCALE * on + (1.0 - on) * below),), {}

    def corners(self) -> tuple[float, ...]:
        return (0.0,)


@configured(frozen=True, eq=True)
class CELU(Elementwise):
    """Exponential linear unit whose derivative has no jump, whatever alpha is.

    Forward    y  = x where x > 0, else alpha * (exp(x / alpha) - 1)
    Backward   dx = dy where x > 0, else dy * (y / alpha + 1)
    Shapes     x, y, dx, dy: any, equal

    Parameters
    ----------
    alpha : minus the value for x → -∞; above 0; default 1, which is ELU.

    >>> import numpy as np
    >>> CELU(2.0)(np.array([-1e4, 3.0]))
    array([-2.,  3.])

    Barron, "Continuously Differentiable Exponential Linear Units", 2017.
    """

    alpha: float = argument(Real(0.0, low_open=True), default=1.0)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = xp.maximum(x, 0.0) + self.alpha * xp.expm1(xp.minimum(x, 0.0) * (1.0 / self.alpha))
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        # where x > 0, min(y, 0) is 0 and the slope 1
        return (dy * (namespace(y).minimum(y, 0.0) * (1.0 / self.alpha) + 1.0),), {}


@configured(frozen=True, eq=True)
class TanhShrink(Elementwise):
    """What the hyperbolic tangent leaves of x.

    Forward    y  = x - tanh(x)
    Backward   dx = dy * tanh(x)²
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> float(TanhShrink()(np.array([np.log(2.0)])).round(4)[0])
    0.0931

    Collobert, Kavukcuoglu and Farabet, "Torch7: A Matlab-like Environment for Machine Learning", 2011.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        tanh = namespace(x).tanh(x)
        return x - tanh, (tanh,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (tanh,) = saved
        return (dy * (tanh * tanh),), {}


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    xp = namespace(x)
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))
