"""Activations that are layers of their own. Each stands for one brick, which its `brick` gives."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..activations import rectifier
from ..arguments import Either, Many, Maybe, Real, Whole, argument, configured
from ..bricks.base import Brick
from ..graph.node import Attributes
from ..graph.symbol import Symbol
from .base import Layer
from .checks import CONSTRAINT, INITIALIZER, REGULARIZER


class ActivationLayer(Layer):
    """What the activation layers share."""

    supports_masking = True

    @property
    def brick(self) -> Brick:
        """The brick that the layer lays; `activation=layer` takes it too."""
        raise NotImplementedError

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """The brick."""
        return self.put(self.brick, x)


@configured()
class ReLU(ActivationLayer):
    """Rectified linear unit: y = min(x, max_value) where x > threshold, else negative_slope (x − threshold).

    Parameters
    ----------
    max_value : the largest y, at least 0; None (default) for none.
    negative_slope : at least 0; default 0.
    threshold : at least 0; default 0.

    >>> import numpy as np
    >>> ReLU(max_value=6.0)(np.array([[-1.0, 3.0, 8.0]]))
    array([[0., 3., 6.]], dtype=float32)
    """

    max_value: Any = argument(Maybe(Real(0.0)), default=None)
    negative_slope: float = argument(Real(0.0), default=0.0)
    threshold: float = argument(Real(0.0), default=0.0)

    @property
    def brick(self) -> Brick:
        """ReLU, LeakyReLU or Rectifier."""
        return rectifier(self.negative_slope, self.max_value, self.threshold)


@configured()
class LeakyReLU(ActivationLayer):
    """Rectified linear unit with a slope below 0: y = x where x > 0, else negative_slope · x.

    Parameters
    ----------
    negative_slope : at least 0; default 0.3.

    >>> import numpy as np
    >>> LeakyReLU(0.5)(np.array([[-1.0, 2.0]]))
    array([[-0.5,  2. ]], dtype=float32)
    """

    negative_slope: float = argument(Real(0.0), default=0.3)

    @property
    def brick(self) -> Brick:
        """LeakyReLU."""
        return bricks.LeakyReLU(self.negative_slope)


@configured()
class ELU(ActivationLayer):
    """Exponential linear unit: y = x where x > 0, else alpha (exp(x) − 1).

    Parameters
    ----------
    alpha : minus the value for x → −∞; at least 0; default 1.

    >>> import numpy as np
    >>> ELU(2.0)(np.array([[-1e4, 3.0]]))
    array([[-2.,  3.]], dtype=float32)
    """

    alpha: float = argument(Real(0.0), default=1.0)

    @property
    def brick(self) -> Brick:
        """ELU."""
        return bricks.ELU(self.alpha)


@configured()
class Softmax(ActivationLayer):
    """Positive numbers that add up to 1 along an axis: y = exp(x) / Σ exp(x).

    Parameters
    ----------
    axis : any but the batch axis; default -1.

    >>> import numpy as np
    >>> Softmax()(np.array([[10.0, 14.0, 18.0]])).round(3)
    array([[0.   , 0.018, 0.982]], dtype=float32)
    """

    axis: int = argument(Whole(), default=-1)

    @property
    def brick(self) -> Brick:
        """Softmax."""
        return bricks.Softmax(self.axis)


@configured()
class PReLU(Layer):
    """Rectified linear unit with learned slopes: y = x where x > 0, else alpha · x.

    Parameters
    ----------
    alpha_initializer : "zeros"; with it the layer starts as ReLU.
    alpha_regularizer : penalty on alpha. Weight decay draws it to 0, that is to ReLU.
    alpha_constraint : applied after each update.
    shared_axes : axis or axes along which all have the same alpha, counted from 1, such as (1, 2) for one
        alpha for each channel of images; None (default): each number of a sample has its own.

    >>> import numpy as np
    >>> PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]]))
    array([[-1.,  2.]], dtype=float32)

    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.
    """

    supports_masking = True

    alpha_initializer: Any = argument(INITIALIZER, default="Zeros")
    alpha_regularizer: Any = argument(REGULARIZER, default=None)
    alpha_constraint: Any = argument(CONSTRAINT, default=None)
    shared_axes: Any = argument(Maybe(Either((Whole(1), Many(Whole(1))))), default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """PReLU."""
        axes = () if self.shared_axes is None else self.shared_axes
        brick = bricks.PReLU(axes if isinstance(axes, tuple) else (axes,))
        alpha = Attributes(self.alpha_initializer, True, self.alpha_regularizer, self.alpha_constraint)
        return self.put(brick, x, alpha=alpha)


@configured()
class Maxout(ActivationLayer):
    """The largest of some linear pieces, each a group of features: y = max(x1, …, xk), k = `pieces`.

    Behind `Dense(pieces * units)` it is a maxout unit. Keras 3 has no such layer.

    Parameters
    ----------
    pieces : how many numbers compete for each feature of y, at least 2; default 2.
    axis : the axis of the features, any but the batch axis; default -1.

    >>> import numpy as np
    >>> Maxout(2)(np.array([[1.0, 2.0, 5.0, -1.0]]))
    array([[5., 2.]], dtype=float32)

    Goodfellow, Warde-Farley, Mirza, Courville and Bengio, "Maxout Networks", 2013.
    """

    pieces: int = argument(Whole(2), default=2)
    axis: int = argument(Whole(), default=-1)

    @property
    def brick(self) -> Brick:
        """Maxout."""
        return bricks.Maxout(self.pieces, self.axis)
