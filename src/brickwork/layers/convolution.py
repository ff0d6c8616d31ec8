"""Convolution of images."""

from __future__ import annotations

from typing import Any

from .. import bricks
from ..arguments import Flag, Whole, argument, configured
from ..bricks.windows import SIZES
from ..errors import ParameterError
from ..graph.symbol import Symbol
from .base import Layer
from .checks import ACTIVATION, CONSTRAINT, DATA_FORMAT, INITIALIZER, PADDINGS, REGULARIZER
from .core import lay_kernel_layer


@configured()
class Conv2D(Layer):
    """Convolution of images with learned kernels: Convolution2D → Bias → activation.

    y = activation(x ⋆ kernel + bias), x (N, H, W, C), kernel (KH, KW, C / groups, filters), bias (filters,),
    y (N, OH, OW, filters); as everywhere in this field ⋆ is cross-correlation.

    Parameters
    ----------
    filters : channels of y; at least 1, divisible by `groups`.
    kernel_size : (KH, KW), or one number for both; at least 1.
    strides : along rows and columns; at least 1; default (1, 1).
    padding : "valid" (default), or "same": OH = ⌈H / stride⌉.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default (1, 1).
    groups : how many groups of channels are convolved apart; a divisor of C; default 1.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    kernel_initializer, bias_initializer : "glorot_uniform", "zeros".
    kernel_regularizer, bias_regularizer : penalties on the parameters.
    kernel_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> Conv2D(8, 3, padding="same", strides=2)(Input((28, 28, 1))).shape
    (None, 14, 14, 8)

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    filters: int = argument(Whole(1))
    kernel_size: Any = argument(SIZES)
    strides: Any = argument(SIZES, default=(1, 1))
    padding: str = argument(PADDINGS, default="valid")
    data_format: Any = argument(DATA_FORMAT, default=None)
    dilation_rate: Any = argument(SIZES, default=(1, 1))
    groups: int = argument(Whole(1), default=1)
    activation: Any = argument(ACTIVATION, default=None)
    use_bias: bool = argument(Flag(), default=True)
    kernel_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    kernel_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)
    kernel_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    bias_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ParameterError(
                f"Conv2D: `filters` must be divisible by `groups`; got filters={self.filters} and "
                f"groups={self.groups}. Take {-(-self.filters // self.groups) * self.groups} filters."
            )

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Convolution2D → Bias → activation."""
        brick = bricks.Convolution2D(
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            groups=self.groups,
        )
        return lay_kernel_layer(self, brick, x)
