"""Element by element non-linearities, and the two that normalise along an axis (Softmax, LogSoftmax).

Cases are told apart by sums and products with 0 and 1: NumPy's `where` branches at each element, which takes
ten times as long on numbers whose sign cannot be foreseen.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Real, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Brick, Context, Saved
from .checks import require_axis

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class Elementwise(Brick):
    """A brick whose y has the shape of its one x."""

    def output_shape(self, x: Shape) -> Shape:
        """The shape of x."""
        return x

    def corners(self) -> tuple[float, ...]:
        """Where the function has no derivative."""
        return ()

    def distance_to_kink(self, *xs: Array) -> float:
        """How far the inputs are from the nearest corner."""
        xp = namespace(xs[0])
        return min((float(xp.min(xp.abs(xs[0] - at))) for at in self.corners()), default=float("inf"))


@configured(frozen=True, eq=True)
class Sigmoid(Elementwise):
    """Logistic function, from 0 to 1.

    Forward    y  = 1 / (1 + exp(-x))
    Backward   dx = dy * y * (1 - y)
    Shapes     x, y, dx, dy: any, equal

    exp is taken of -|x| only, so that large |x| do not overflow.

    >>> import numpy as np
    >>> Sigmoid()(np.array([[0.0, 1e4]]))
    array([[0.5, 1. ]])

    Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = sigmoid(x)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (dy * (y * (1.0 - y)),), {}


@configured(frozen=True, eq=True)
class Tanh(Elementwise):
    """Hyperbolic tangent, from -1 to 1.

    Forward    y  = tanh(x)
    Backward   dx = dy * (1 - y²)
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> float(Tanh()(np.array([np.log(2.0)]))[0])
    0.6

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = namespace(x).tanh(x)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (dy * (1.0 - y * y),), {}


@configured(frozen=True, eq=True)
class ReLU(Elementwise):
    """Rectified linear unit.

    Forward    y  = max(x, 0)
    Backward   dx = dy where y > 0, else 0
    Shapes     x, y, dx, dy: any, equal

    The derivative at 0 is taken to be 0.

    >>> import numpy as np
    >>> ReLU()(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])

    Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = namespace(x).maximum(x, 0.0)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (dy * namespace(y).astype(y > 0.0, dy.dtype),), {}

    def corners(self) -> tuple[float, ...]:
        return (0.0,)


@configured(frozen=True, eq=True)
class LeakyReLU(Elementwise):
    """Rectified linear unit that lets a part of negative x through.

    Forward    y  = x where x > 0, else negative_slope * x
    Backward   dx = dy where x > 0, else negative_slope * dy
    Shapes     x, y, dx, dy: any, equal

    Parameters
    ----------
    negative_slope : at least 0; default 0.3, as in Keras.

    >>> import numpy as np
    >>> LeakyReLU(0.5)(np.array([[-1.0, 2.0]]))
    array([[-0.5,  2. ]])

    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """

    negative_slope: float = argument(Real(0.0), default=0.3)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        on = namespace(x).astype(x > 0.0, x.dtype)
        slope = on + self.negative_slope * (1.0 - on)
        return x * slope, (slope,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (slope,) = saved
        return (dy * slope,), {}

    def corners(self) -> tuple[float, ...]:
        return (0.0,)


@configured(frozen=True, eq=True)
class ELU(Elementwise):
    """Exponential linear unit.

    Forward    y  = x where x > 0, else alpha * (exp(x) - 1)
    Backward   dx = dy where x > 0, else dy * (y + alpha)
    Shapes     x, y, dx, dy: any, equal

    Parameters
    ----------
    alpha : minus the value for x → -∞; at least 0; default 1, where the derivative has no jump at 0.

    >>> import numpy as np
    >>> ELU(2.0)(np.array([[-1e4, 3.0]]))
    array([[-2.,  3.]])

    Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units (ELUs)", 2015.
    """

    alpha: float = argument(Real(0.0), default=1.0)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = xp.maximum(x, 0.0) + self.alpha * xp.expm1(xp.minimum(x, 0.0))
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        xp = namespace(y)
        on = xp.astype(y > 0.0, y.dtype)
        return (dy * (on + (1.0 - on) * (xp.minimum(y, 0.0) + self.alpha)),), {}

    def corners(self) -> tuple[float, ...]:
        return () if self.alpha == 1.0 else (0.0,)


@configured(frozen=True, eq=True)
class Identity(Elementwise):
    """Nothing is done; a place to hang a name on.

    Forward    y  = x
    Backward   dx = dy
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Identity()(np.array([3.0]))
    array([3.])

    Hertz, Krogh and Palmer, "Introduction to the Theory of Neural Computation", 1991 (linear units).
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x, ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (dy,), {}


@configured(frozen=True, eq=True)
class Softmax(Brick):
    """Positive numbers that add up to 1 along an axis.

    Forward    y  = exp(x) / Σ exp(x)
    Backward   dx = y * (dy - Σ dy * y)
    Shapes     x, y, dx, dy: (N, ..., F); the sums run along `axis`

    The maximum is taken off x first, which changes nothing but lets no exp overflow.

    Parameters
    ----------
    axis : any but the batch axis; default -1.

    >>> import numpy as np
    >>> Softmax()(np.array([[10.0, 14.0, 18.0]])).round(5)
    array([[3.3000e-04, 1.7980e-02, 9.8169e-01]])

    Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990.
    """

    axis: int = argument(Whole(), default=-1)

    def output_shape(self, x: Shape) -> Shape:
        require_axis(self, self.axis, x, repair="Give each sample its own row, as x of shape (N, F).")
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        e = xp.exp(x - xp.max(x, axis=self.axis, keepdims=True))
        y = e / xp.sum(e, axis=self.axis, keepdims=True)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (y * (dy - namespace(y).sum(dy * y, axis=self.axis, keepdims=True)),), {}


@configured(frozen=True, eq=True)
class LogSoftmax(Brick):
    """Logarithm of the softmax, computed without taking a logarithm of 0.

    Forward    y  = x - log Σ exp(x)
    Backward   dx = dy - exp(y) * Σ dy
    Shapes     x, y, dx, dy: (N, ..., F); the sums run along `axis`

    Parameters
    ----------
    axis : any but the batch axis; default -1.

    >>> import numpy as np
    >>> LogSoftmax()(np.array([[0.0, 1e4]]))
    array([[-10000.,      0.]])

    Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990.
    """

    axis: int = argument(Whole(), default=-1)

    def output_shape(self, x: Shape) -> Shape:
        require_axis(self, self.axis, x, repair="Give each sample its own row, as x of shape (N, F).")
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = log_softmax(x, self.axis)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        xp = namespace(y)
        return (dy - xp.exp(y) * xp.sum(dy, axis=self.axis, keepdims=True),), {}


@configured(frozen=True, eq=True)
class Heaviside(Elementwise):
    """The perceptron's step; its backward formula is that of Identity, on purpose.

    Forward    y  = 1 where x > 0, else low
    Backward   dx = dy     (the surrogate; the derivative itself is 0 everywhere)
    Shapes     x, y, dx, dy: any, equal

    With HalfSquaredError behind it, Rosenblatt's rule comes out: dW = x.T @ (o - t), and a step down the
    gradient with learning rate η adds Δw = η (t - o) x.

    Parameters
    ----------
    low : 0 or -1, what stands for "off"; default 0.

    >>> import numpy as np
    >>> Heaviside(low=-1)(np.array([[-0.5, 0.5]]))
    array([[-1.,  1.]])

    Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization in the
    Brain", 1958.
    """

    low: int = argument(Whole(-1, 0), default=0)

    surrogate = "Identity"

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        on = namespace(x).astype(x > 0.0, x.dtype)
        return (on if self.low == 0 else 2.0 * on - 1.0), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (dy,), {}

    def surrogate_forward(self, params: Parameters, *xs: Array) -> Array:
        return xs[0]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    xp = namespace(x)
    # 1 / (1 + exp(-x)) where x >= 0, exp(x) / (1 + exp(x)) below.
    return xp.exp(xp.minimum(x, 0.0)) / (1.0 + xp.exp(-xp.abs(x)))


def log_softmax(x: Array, axis: int = -1) -> Array:
    """X - log Σ exp(x) without overflow."""
    xp = namespace(x)
    z = x - xp.max(x, axis=axis, keepdims=True)
    return z - xp.log(xp.sum(xp.exp(z), axis=axis, keepdims=True))
