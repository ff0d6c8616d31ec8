"""Activations that are layers of their own. Each stands for one brick, which its `brick` gives."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Maybe, Real, Whole, argument, configured
from ..bricks.base import Brick
from ..graph.symbol import Symbol
from .base import Layer


class ActivationLayer(Layer):
    """What the activation layers share."""

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
        """The simplest brick with these settings: engines know ReLU and LeakyReLU best."""
        if self.max_value is not None or self.threshold:
            return bricks.Rectifier(self.max_value, self.negative_slope, self.threshold)
        return bricks.LeakyReLU(self.negative_slope) if self.negative_slope else bricks.ReLU()


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
