"""Activations by name, as Keras's `activations`: functions of symbols or arrays.

`relu(x)` lays the brick ReLU on a symbol, or computes on an array; `relu(x, max_value=6.0)` takes Keras's
settings. `get` gives the brick behind a name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import bricks
from ._lazy import suggest
from .bricks.base import Brick
from .errors import ParameterError, did_you_mean, known_names


class Activation:
    """A function of a symbol or an array that stands for one brick; its arguments are the brick's."""

    def __init__(self, name: str, brick: Brick, make: Callable[..., Brick] | None = None) -> None:
        self.__name__ = name
        self.brick = brick
        self.__doc__ = f"{brick!r}. {type(brick).__doc__ or ''}"
        self._make = make or functools.partial(_changed, brick)

    def __call__(self, x: Any, *settings: Any, **named: Any) -> Any:
        """The activation of x."""
        return (self._make(*settings, **named) if settings or named else self.brick)(x)

    def __repr__(self) -> str:
        return f"<activation {self.__name__}>"


def _changed(brick: Brick, *settings: Any, **named: Any) -> Brick:
    """The brick with other settings: those by position come in the order of its fields."""
    config = brick.get_config()
    if len(settings) > len(config):
        return type(brick)(*settings)  # which says how many it takes
    return type(brick)(**{**config, **dict(zip(config, settings, strict=False)), **named})


def rectifier(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Brick:
    """The simplest brick with these settings: engines know ReLU and LeakyReLU best.

    >>> rectifier(), rectifier(0.1), rectifier(max_value=6.0)
    (ReLU(), LeakyReLU(negative_slope=0.1), Rectifier(max_value=6.0))
    """
    if max_value is not None or threshold:
        return bricks.Rectifier(max_value, negative_slope, threshold)
    return bricks.LeakyReLU(negative_slope) if negative_slope else bricks.ReLU()


linear = Activation("linear", bricks.Identity())
sigmoid = Activation("sigmoid", bricks.Sigmoid())
log_sigmoid = Activation("log_sigmoid", bricks.LogSigmoid())
hard_sigmoid = Activation("hard_sigmoid", bricks.HardSigmoid())
sparse_sigmoid = Activation("sparse_sigmoid", bricks.SparseSigmoid())
tanh = Activation("tanh", bricks.Tanh())
hard_tanh = Activation("hard_tanh", bricks.HardTanh())
tanh_shrink = Activation("tanh_shrink", bricks.TanhShrink())
softsign = Activation("softsign", bricks.Softsign())
relu = Activation("relu", bricks.ReLU(), rectifier)
relu6 = Activation("relu6", bricks.Rectifier(6.0))
leaky_relu = Activation("leaky_relu", bricks.LeakyReLU(0.2))
elu = Activation("elu", bricks.ELU())
selu = Activation("selu", bricks.SELU())
celu = Activation("celu", bricks.CELU())
softplus = Activation("softplus", bricks.Softplus())
sparse_plus = Activation("sparse_plus", bricks.SparsePlus())
squareplus = Activation("squareplus", bricks.Squareplus())
silu = swish = Activation("silu", bricks.SiLU())
hard_silu = hard_swish = Activation("hard_silu", bricks.HardSiLU())
gelu = Activation("gelu", bricks.GELU())
mish = Activation("mish", bricks.Mish())
glu = Activation("glu", bricks.GLU())
maxout = Activation("maxout", bricks.Maxout())
hard_shrink = Activation("hard_shrink", bricks.HardShrink())
soft_shrink = Activation("soft_shrink", bricks.SoftShrink())
softmax = Activation("softmax", bricks.Softmax())
sparsemax = Activation("sparsemax", bricks.Sparsemax())
log_softmax = Activation("log_softmax", bricks.LogSoftmax())
exponential = Activation("exponential", bricks.Exp())
sign = Activation("sign", bricks.Sign())
heaviside = Activation("heaviside", bricks.Heaviside())

KNOWN: dict[str, Activation] = {
    name: thing for name, thing in list(globals().items()) if isinstance(thing, Activation)
}
"""Every activation that needs no settings, by name."""


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """The brick Threshold: x where x > threshold, else default_value.

    It has no name for `activation=`, since it has no defaults: write `activation=bricks.Threshold(1.0, 0.0)`.

    >>> import numpy as np
    >>> threshold(np.array([0.5, 2.0]), 1.0, 0.0).tolist()
    [0.0, 2.0]
    """
    return bricks.Threshold(threshold, default_value)(x)


def serialize(activation: Any) -> Any:
    """The name of an activation, or {"class", "config"} of its brick where it has settings of its own.

    >>> serialize(relu), serialize(bricks.LeakyReLU(0.5))
    ('relu', {'class': 'LeakyReLU', 'config': {'negative_slope': 0.5}})
    """
    from .bricks.registry import brick_to_config

    brick = get(activation)
    if brick is None:
        raise ParameterError(
            "An activation must be a name, a brick, or one of brickwork.activations; got None. "
            "Write 'linear' for none."
        )
    names = [name for name, known in KNOWN.items() if known.brick == brick]
    return names[0] if names else brick_to_config(brick)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Brick | None:
    """The brick that `serialize` told; `custom_objects` gives activations of your own by name.

    >>> deserialize("relu")
    ReLU()
    """
    own = (custom_objects or {}).get(config) if isinstance(config, str) else None
    return get(config if own is None else own)


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
