"""Convolution of images and sequences, and its adjoint, the transposed convolution."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import bricks
from ..arguments import Flag, Many, Maybe, Whole, argument, configured
from ..bricks.transposed import check_output_padding
from ..bricks.windows import LENGTH, SIZES
from ..errors import ParameterError
from ..graph.symbol import Symbol
from .base import Layer
from .checks import (
    ACTIVATION,
    CONSTRAINT,
    DATA_FORMAT,
    INITIALIZER,
    PADDINGS,
    REGULARIZER,
    STEPS_PADDINGS,
)
from .core import lay_kernel_layer


@configured()
class PlainConvolution(Layer):
    """What Conv1D and Conv2D share: their arguments, in Keras's order."""

    brick: ClassVar[Any] = bricks.Convolution2D

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
                f"{type(self).__name__}: `filters` must be divisible by `groups`; got "
                f"filters={self.filters} and groups={self.groups}. "
                f"Take {-(-self.filters // self.groups) * self.groups} filters."
            )

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Convolution → Bias → activation."""
        brick = self.brick(
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            groups=self.groups,
        )
        return lay_kernel_layer(self, brick, x)


@configured()
class Conv2D(PlainConvolution):
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


@configured()
class Conv1D(PlainConvolution):
    """Convolution of sequences with learned kernels: Convolution1D → Bias → activation.

    y = activation(x ⋆ kernel + bias), x (N, T, C), kernel (K, C / groups, filters), bias (filters,),
    y (N, OT, filters); as everywhere in this field ⋆ is cross-correlation.

    Parameters
    ----------
    filters : channels of y; at least 1, divisible by `groups`.
    kernel_size : K, at least 1.
    strides : at least 1; default 1.
    padding : "valid" (default); "same": OT = ⌈T / stride⌉; "causal": no step of y sees a later one of x.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default 1.
    groups : how many groups of channels are convolved apart; a divisor of C; default 1.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    kernel_initializer, bias_initializer : "glorot_uniform", "zeros".
    kernel_regularizer, bias_regularizer : penalties on the parameters.
    kernel_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> Conv1D(8, 3, padding="causal", dilation_rate=2)(Input((28, 1))).shape
    (None, 28, 8)

    Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme Recognition Using Time-Delay Neural Networks", 1989.
    """

    brick: ClassVar[Any] = bricks.Convolution1D

    kernel_size: Any = argument(LENGTH)
    strides: Any = argument(LENGTH, default=1)
    padding: str = argument(STEPS_PADDINGS, default="valid")
    dilation_rate: Any = argument(LENGTH, default=1)


@configured()
class Spreading(Layer):
    """What Conv1DTranspose and Conv2DTranspose share: their arguments, in Keras's order."""

    brick: ClassVar[Any] = bricks.TransposedConvolution2D

    filters: int = argument(Whole(1))
    kernel_size: Any = argument(SIZES)
    strides: Any = argument(SIZES, default=(1, 1))
    padding: str = argument(PADDINGS, default="valid")
    output_padding: Any = argument(Maybe(Many(Whole(0), 2, repeat=True)), default=None)
    data_format: Any = argument(DATA_FORMAT, default=None)
    dilation_rate: Any = argument(SIZES, default=(1, 1))
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
        check_output_padding(self)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Transposed convolution → Bias → activation."""
        brick = self.brick(
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
        )
        return lay_kernel_layer(self, brick, x)


@configured()
class Conv2DTranspose(Spreading):
    """The adjoint of a convolution, for larger images: TransposedConvolution2D → Bias → activation.

    Each pixel of x (N, H, W, C) adds its multiple of kernel (KH, KW, filters, C) to y (N, OH, OW, filters);
    then bias (filters,) and activation.

    Parameters
    ----------
    filters : channels of y; at least 1.
    kernel_size : (KH, KW), or one number for both; at least 1.
    strides : along rows and columns; at least 1; default (1, 1).
    padding : "valid" (default), OH = (H - 1) stride + max(reach of the kernel, stride), or "same":
        OH = H stride.
    output_padding : rows and columns that are added to the smallest size, each less than the stride; None
        (default): the size above.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default (1, 1); beside strides too, other than
        in Keras.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    kernel_initializer, bias_initializer : "glorot_uniform", "zeros".
    kernel_regularizer, bias_regularizer : penalties on the parameters.
    kernel_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> Conv2DTranspose(8, 3, padding="same", strides=2)(Input((14, 14, 1))).shape
    (None, 28, 28, 8)

    Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional Networks", 2010.
    """


@configured()
class Conv1DTranspose(Spreading):
    """The adjoint of a convolution, for longer sequences: TransposedConvolution1D → Bias → activation.

    Each step of x (N, T, C) adds its multiple of kernel (K, filters, C) to y (N, OT, filters); then bias
    (filters,) and activation.

    Parameters
    ----------
    filters : channels of y; at least 1.
    kernel_size : K, at least 1.
    strides : at least 1; default 1.
    padding : "valid" (default), OT = (T - 1) stride + max(reach of the kernel, stride), or "same":
        OT = T stride.
    output_padding : steps that are added to the smallest length, less than the stride; None (default): the
        length above.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default 1; beside strides too, other than in
        Keras.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    kernel_initializer, bias_initializer : "glorot_uniform", "zeros".
    kernel_regularizer, bias_regularizer : penalties on the parameters.
    kernel_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> Conv1DTranspose(8, 3, padding="same", strides=2)(Input((14, 1))).shape
    (None, 28, 8)

    Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional Networks", 2010.
    """

    brick: ClassVar[Any] = bricks.TransposedConvolution1D

    kernel_size: Any = argument(LENGTH)
    strides: Any = argument(LENGTH, default=1)
    output_padding: Any = argument(Maybe(Many(Whole(0), 1, repeat=True)), default=None)
    dilation_rate: Any = argument(LENGTH, default=1)


Convolution1D, Convolution2D = Conv1D, Conv2D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
