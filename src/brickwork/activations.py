"""Activations by name, as Keras's `activations`: functions of symbols or arrays.

`relu(x)` lays the brick ReLU on a symbol, or computes on an array. `get` gives the brick behind a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import bricks
from ._lazy import suggest
from .bricks.base import Brick
from .errors import ParameterError, did_you_mean, known_names


class Activation:
    """A function of a symbol or an array that stands for one brick."""

    def __init__(self, name: str, brick: Brick, formula: str) -> None:
        self.__name__ = name
        self.brick = brick
        self.__doc__ = formula

    def __call__(self, x: Any) -> Any:
        """The activation of x."""
        return self.brick(x)

    def __repr__(self) -> str:
        return f"<activation {self.__name__}>"


linear = Activation("linear", bricks.Identity(), "y = x")
sigmoid = Activation("sigmoid", bricks.Sigmoid(), "y = 1 / (1 + exp(-x))")
tanh = Activation("tanh", bricks.Tanh(), "y = tanh(x)")
relu = Activation("relu", bricks.ReLU(), "y = max(x, 0)")
leaky_relu = Activation("leaky_relu", bricks.LeakyReLU(0.2), "y = x where x > 0, else 0.2 x")
elu = Activation("elu", bricks.ELU(), "y = x where x > 0, else exp(x) - 1")
softmax = Activation("softmax", bricks.Softmax(), "y_i = exp(x_i) / sum_j exp(x_j)")
log_softmax = Activation("log_softmax", bricks.LogSoftmax(), "y_i = x_i - log(sum_j exp(x_j))")
exponential = Activation("exponential", bricks.Exp(), "y = exp(x)")
heaviside = Activation("heaviside", bricks.Heaviside(), "y = 1 where x > 0, else 0; backward as the identity")

KNOWN: dict[str, Activation] = {
    known.__name__: known
    for known in (
        linear,
        sigmoid,
        tanh,
        relu,
        leaky_relu,
        elu,
        softmax,
        log_softmax,
        exponential,
        heaviside,
    )
}


def get(identifier: Any) -> Brick | None:
    """The brick of an activation given by name, function, brick or configuration; None stays None.

    >>> get("relu")
    ReLU()
    """
    if identifier is None or isinstance(identifier, Brick):
        return identifier
    if isinstance(identifier, Activation):
        return identifier.brick
    if isinstance(identifier, Mapping):
        from .bricks.registry import brick_from_config

        return brick_from_config(identifier)
    if isinstance(identifier, str):
        if identifier in KNOWN:
            return KNOWN[identifier].brick
        raise ParameterError(
            f"An activation must be one of {known_names(KNOWN)}, or a brick; got {identifier!r}."
            f"{did_you_mean(identifier, KNOWN)}"
        )
    brick = getattr(identifier, "brick", None)
    if isinstance(brick, Brick):  # a layer that stands for one brick, such as layers.ReLU()
        return brick
    raise ParameterError(
        f"An activation must be a name, a brick, or one of brickwork.activations; got {identifier!r} "
        f"of type {type(identifier).__name__}. "
        f"A function of your own needs a derivative: write it as a brick."
    )


if not TYPE_CHECKING:
    __getattr__ = suggest(__name__)
