"""Batch normalization."""

from __future__ import annotations

from typing import Any

from .. import bricks, initializers
from ..arguments import Check, Converted, Flag, Real, Whole, argument, configured
from ..errors import ParameterError
from ..graph.node import Attributes
from ..graph.symbol import Symbol
from .base import Layer
from .checks import CONSTRAINT, INITIALIZER, REGULARIZER


def level(value: Any) -> Any:
    """An initializer that gives every feature one number, from which a running statistic can start."""
    known = initializers.get(value)
    if isinstance(known, (initializers.Zeros, initializers.Ones, initializers.Constant)):
        return known
    raise ParameterError(
        f"A moving statistic starts from one number: its initializer must be 'zeros', 'ones' or Constant; "
        f"got {value!r}. To start from an array, use set_weights."
    )


LEVEL = Converted(level, "'zeros', 'ones' or a Constant")


class Fixed(Check):
    """An argument of Keras that has one value here."""

    def __init__(self, value: Any, instead: str) -> None:
        self.value = value
        self.instead = instead

    def __call__(self, owner: str, name: str, value: Any) -> Any:
        """The value, or ParameterError."""
        if value == self.value and isinstance(value, type(self.value)):
            return value
        raise self.refuse(owner, name, value, hint=f" {self.instead}")

    def describe(self) -> str:
        """The value."""
        return repr(self.value)

    def bad(self) -> list[Any]:
        """Another value."""
        return [{"rmax": 3.0}] if self.value is None else [not self.value]


@configured()
class BatchNormalization(Layer):
    """Each feature with mean 0 and variance 1 over the batch, then a learned gain and shift.

    y = gamma (x − mean) / sqrt(var + epsilon) + beta, x (N, …, F), gamma, beta, mean, var (F,).

    Training takes mean and var of the batch (var divided by the count), inference the moving ones:
    moving = momentum · moving + (1 − momentum) · batch. With trainable=False, training is as inference.

    Parameters
    ----------
    axis : the features' axis; default -1.
    momentum : in [0, 1]; default 0.99.
    epsilon : above 0; default 0.001.
    center, scale : whether there is a beta, a gamma.
    beta_initializer, gamma_initializer : "zeros", "ones".
    moving_mean_initializer, moving_variance_initializer : "zeros", "ones", or a Constant.
    beta_regularizer, gamma_regularizer : penalties on the parameters.
    beta_constraint, gamma_constraint : applied after each update.
    renorm, renorm_clipping, renorm_momentum, synchronized : of Keras's; only their defaults.

    >>> from brickwork.layers import Input
    >>> layer = BatchNormalization()
    >>> layer(Input((3,))).shape, layer.count_params()
    ((None, 3), 12)

    Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", 2015.
    """

    axis: int = argument(Whole(), default=-1)
    momentum: float = argument(Real(0.0, 1.0), default=0.99)
    epsilon: float = argument(Real(0.0, low_open=True), default=1e-3)
    center: bool = argument(Flag(), default=True)
    scale: bool = argument(Flag(), default=True)
    beta_initializer: Any = argument(INITIALIZER, default="zeros")
    gamma_initializer: Any = argument(INITIALIZER, default="ones")
    moving_mean_initializer: Any = argument(LEVEL, default="zeros")
    moving_variance_initializer: Any = argument(LEVEL, default="ones")
    beta_regularizer: Any = argument(REGULARIZER, default=None)
    gamma_regularizer: Any = argument(REGULARIZER, default=None)
    beta_constraint: Any = argument(CONSTRAINT, default=None)
    gamma_constraint: Any = argument(CONSTRAINT, default=None)
    renorm: bool = argument(Fixed(False, "Batch renormalization is not here."), default=False)
    renorm_clipping: Any = argument(Fixed(None, "Batch renormalization is not here."), default=None)
    renorm_momentum: float = argument(Real(0.0, 1.0), default=0.99)
    synchronized: bool = argument(
        Fixed(False, "Sharded over devices, a batch is always normalized as a whole."), default=False
    )

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """BatchNormalization."""
        brick = bricks.BatchNormalization(
            self.axis,
            momentum=self.momentum,
            epsilon=self.epsilon,
            center=self.center,
            scale=self.scale,
            mean_start=start(self.moving_mean_initializer),
            var_start=start(self.moving_variance_initializer),
        )
        return self.put(brick, x, **gain_and_shift(self))


def gain_and_shift(layer: Any) -> dict[str, Any]:
    """What a normalizing layer says of its gamma and its beta, where it has them."""
    told = {}
    if layer.scale:
        told["gamma"] = Attributes(
            layer.gamma_initializer, True, layer.gamma_regularizer, layer.gamma_constraint
        )
    if layer.center:
        told["beta"] = Attributes(layer.beta_initializer, True, layer.beta_regularizer, layer.beta_constraint)
    return told


def start(initializer: Any) -> float:
    """The one number that `level` lets through."""
    return float(initializer((), "float64"))
