"""Layers that normalize every sample by its own statistics; training and inference do not differ."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import bricks
from ..arguments import Either, Flag, Many, Real, Whole, argument, configured
from ..graph.symbol import Symbol
from .base import Layer
from .checks import CONSTRAINT, INITIALIZER, REGULARIZER
from .normalization import Fixed, gain_and_shift

AXES = Either((Whole(), Many(Whole())))


def axes_of(axis: Any) -> tuple[int, ...]:
    """One axis or several, as a tuple."""
    return axis if isinstance(axis, tuple) else (axis,)


@configured()
class LayerNormalization(Layer):
    """Each sample with mean 0 and variance 1 along `axis`, then a learned gain and shift.

    y = gamma (x − mean) / sqrt(var + epsilon) + beta, mean and var along `axis`, gamma and beta of its sizes.

    Parameters
    ----------
    axis : one axis or several, not the batch axis; default -1.
    epsilon : above 0; default 0.001.
    center, scale : whether there is a beta, a gamma.
    beta_initializer, gamma_initializer : "zeros", "ones".
    beta_regularizer, gamma_regularizer : penalties on the parameters.
    beta_constraint, gamma_constraint : applied after each update.
    rms_scaling : of Keras's; only its default.

    >>> import numpy as np
    >>> LayerNormalization()(np.array([[1.0, 3.0], [10.0, 30.0]])).round(2)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)

    Ba, Kiros and Hinton, "Layer Normalization", 2016.
    """

    supports_masking = True

    axis: Any = argument(AXES, default=-1)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-3)
    center: bool = argument(Flag(), default=True)
    scale: bool = argument(Flag(), default=True)
    beta_initializer: Any = argument(INITIALIZER, default="zeros")
    gamma_initializer: Any = argument(INITIALIZER, default="ones")
    beta_regularizer: Any = argument(REGULARIZER, default=None)
    gamma_regularizer: Any = argument(REGULARIZER, default=None)
    beta_constraint: Any = argument(CONSTRAINT, default=None)
    gamma_constraint: Any = argument(CONSTRAINT, default=None)
    rms_scaling: bool = argument(Fixed(False, "Take RMSNormalization."), default=False, kw_only=True)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """LayerNormalization."""
        brick = bricks.LayerNormalization(
            axes_of(self.axis), epsilon=self.epsilon, center=self.center, scale=self.scale
        )
        return self.put(brick, x, **gain_and_shift(self))


@configured()
class GroupNormalization(Layer):
    """Each sample's channels, in groups, with mean 0 and variance 1; then a learned gain and shift.

    y = gamma (x − mean) / sqrt(var + epsilon) + beta, x (N, …, C), gamma and beta (C,); mean and var run over
    all places and the C / groups channels of a group.

    Parameters
    ----------
    groups : a divisor of C, or -1 for C groups (instance normalization); default 32.
    axis : the channels' axis; default -1.
    epsilon : above 0; default 0.001.
    center, scale : whether there is a beta, a gamma.
    beta_initializer, gamma_initializer : "zeros", "ones".
    beta_regularizer, gamma_regularizer : penalties on the parameters.
    beta_constraint, gamma_constraint : applied after each update.

    >>> import numpy as np
    >>> GroupNormalization(2)(np.array([[1.0, 3.0, 10.0, 30.0]])).round(2)
    array([[-1.,  1., -1.,  1.]], dtype=float32)

    Wu and He, "Group Normalization", 2018.
    """

    supports_masking = True

    groups: int = argument(Either((Whole(1), Whole(-1, -1))), default=32)
    axis: int = argument(Whole(), default=-1)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-3)
    center: bool = argument(Flag(), default=True)
    scale: bool = argument(Flag(), default=True)
    beta_initializer: Any = argument(INITIALIZER, default="zeros")
    gamma_initializer: Any = argument(INITIALIZER, default="ones")
    beta_regularizer: Any = argument(REGULARIZER, default=None)
    gamma_regularizer: Any = argument(REGULARIZER, default=None)
    beta_constraint: Any = argument(CONSTRAINT, default=None)
    gamma_constraint: Any = argument(CONSTRAINT, default=None)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """GroupNormalization."""
        brick = bricks.GroupNormalization(
            self.groups, self.axis, epsilon=self.epsilon, center=self.center, scale=self.scale
        )
        return self.put(brick, x, **gain_and_shift(self))


@configured()
class RMSNormalization(Layer):
    """Each sample with mean square 1 along `axis`, then a learned gain.

    y = scale x / sqrt(mean(x²) + epsilon), scale of the sizes of `axis`.

    Parameters
    ----------
    axis : one axis or several, not the batch axis; default -1.
    epsilon : above 0; default 1e-6.

    >>> import numpy as np
    >>> RMSNormalization()(np.array([[7.0, 1.0]])).round(3)
    array([[1.4, 0.2]], dtype=float32)

    Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
    """

    supports_masking = True

    variable_names: ClassVar[dict[str, str]] = {"rms_normalization/gamma": "scale"}

    axis: Any = argument(AXES, default=-1)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-6)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """RMSNormalization."""
        return self.put(bricks.RMSNormalization(axes_of(self.axis), epsilon=self.epsilon), x)


@configured()
class UnitNormalization(Layer):
    """Each sample with the 2-norm 1 along `axis`: y = x / max(‖x‖, 1e-12).

    Parameters
    ----------
    axis : one axis or several, not the batch axis; default -1.

    >>> import numpy as np
    >>> UnitNormalization()(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]], dtype=float32)

    Salton, Wong and Yang, "A Vector Space Model for Automatic Indexing", 1975.
    """

    supports_masking = True

    axis: Any = argument(AXES, default=-1)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """UnitNormalization."""
        return self.put(bricks.UnitNormalization(axes_of(self.axis)), x)


@configured()
class LocalResponseNormalization(Layer):
    """Each number divided by a power of the squares of its neighbours across channels, as AlexNet does.

    y = x (k + alpha Σ x²)^(−beta), Σ over `size` channels around, x (N, …, C). Keras has no such layer;
    PyTorch and Caffe divide alpha by size, so give them size times this alpha.

    Parameters
    ----------
    size : channels of a window, at least 1; default 5.
    alpha : at least 0; default 0.0001.
    beta : at least 0; default 0.75.
    k : above 0; default 2.

    >>> import numpy as np
    >>> LocalResponseNormalization(3, alpha=1.0, beta=1.0, k=1.0)(np.array([[1.0, 2.0, 3.0]])).round(4)
    array([[0.1667, 0.1333, 0.2143]], dtype=float32)

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
    """

    size: int = argument(Whole(1), default=5)
    alpha: float = argument(Real(0.0), default=1e-4)
    beta: float = argument(Real(0.0), default=0.75)
    k: float = argument(Real(0.0, low_open=True), default=2.0)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """LocalResponseNormalization."""
        brick = bricks.LocalResponseNormalization(self.size, alpha=self.alpha, beta=self.beta, k=self.k)
        return self.put(brick, x)
