"""Elementary functions, element by element: the letters of which formulas are written."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import configured
from ..arrays import Array, namespace
from .activation import Elementwise
from .base import Context, Saved

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


@configured(frozen=True, eq=True)
class Exp(Elementwise):
    """Exponential function.

    Forward    y  = exp(x)
    Backward   dx = dy * y
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Exp()(np.array([0.0]))
    array([1.])

    Griewank and Walther, "Evaluating Derivatives", 2008.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = namespace(x).exp(x)
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (dy * y,), {}


@configured(frozen=True, eq=True)
class Log(Elementwise):
    """Natural logarithm; minus infinity at 0, NaN below.

    Forward    y  = log(x)
    Backward   dx = dy / x
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Log()(np.array([1.0]))
    array([0.])

    Griewank and Walther, "Evaluating Derivatives", 2008.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).log(x), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        return (dy / x,), {}


@configured(frozen=True, eq=True)
class Reciprocal(Elementwise):
    """One over x; infinity at 0.

    Forward    y  = 1 / x
    Backward   dx = -dy * y²
    Shapes     x, y, dx, dy: any, equal

    >>> import numpy as np
    >>> Reciprocal()(np.array([4.0]))
    array([0.25])

    Griewank and Walther, "Evaluating Derivatives", 2008.
    """

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = 1.0 / x
        return y, (y,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (y,) = saved
        return (-dy * (y * y),), {}
