"""Convolution of each channel by itself, and separable convolution, which mixes the channels afterwards."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import bricks
from ..arguments import Flag, Whole, argument, configured
from ..bricks.windows import LENGTH, SIZES
from ..graph.symbol import Symbol
from .base import Layer
from .checks import (
    ACTIVATION,
    CONSTRAINT,
    DATA_FORMAT,
    INITIALIZER,
    PADDINGS,
    REGULARIZER,
)
from .core import lay_kernel, lay_kernel_layer


@configured()
class ByChannel(Layer):
    """What DepthwiseConv1D and DepthwiseConv2D share: their arguments, in Keras's order."""

    brick: ClassVar[Any] = bricks.DepthwiseConvolution2D
    former_names: ClassVar[dict[str, str]] = {
        **Layer.former_names,
        "init": "depthwise_initializer",
        "kernel_initializer": "depthwise_initializer",
        "kernel_regularizer": "depthwise_regularizer",
        "kernel_constraint": "depthwise_constraint",
    }

    kernel_size: Any = argument(SIZES)
    strides: Any = argument(SIZES, default=(1, 1))
    padding: str = argument(PADDINGS, default="valid")
    depth_multiplier: int = argument(Whole(1), default=1)
    data_format: Any = argument(DATA_FORMAT, default=None)
    dilation_rate: Any = argument(SIZES, default=(1, 1))
    activation: Any = argument(ACTIVATION, default=None)
    use_bias: bool = argument(Flag(), default=True)
    depthwise_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    depthwise_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)
    depthwise_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    bias_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Depthwise convolution → Bias → activation."""
        brick = self.brick(
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            depth_multiplier=self.depth_multiplier,
            dilation_rate=self.dilation_rate,
        )
        return lay_kernel_layer(self, brick, x, "depthwise")


@configured()
class DepthwiseConv2D(ByChannel):
    """Convolution of each channel of images by itself: DepthwiseConvolution2D → Bias → activation.

    x (N, H, W, C), kernel (KH, KW, C, depth_multiplier), bias (C depth_multiplier,),
    y (N, OH, OW, C depth_multiplier).

    Parameters
    ----------
    kernel_size : (KH, KW), or one number for both; at least 1.
    strides : along rows and columns; at least 1; default (1, 1).
    padding : "valid" (default), or "same": OH = ⌈H / stride⌉.
    depth_multiplier : outputs for each channel, at least 1; default 1.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default (1, 1).
    activation : name, brick or None.
    use_bias : whether a bias is added.
    depthwise_initializer, bias_initializer : "glorot_uniform", "zeros".
    depthwise_regularizer, bias_regularizer : penalties on the parameters.
    depthwise_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> DepthwiseConv2D(3, padding="same", depth_multiplier=2)(Input((28, 28, 8))).shape
    (None, 28, 28, 16)

    Howard and others, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    2017.
    """


@configured()
class DepthwiseConv1D(ByChannel):
    """Convolution of each channel of sequences by itself: DepthwiseConvolution1D → Bias → activation.

    x (N, T, C), kernel (K, C, depth_multiplier), bias (C depth_multiplier,), y (N, OT, C depth_multiplier).

    Parameters
    ----------
    kernel_size : K, at least 1.
    strides : at least 1; default 1.
    padding : "valid" (default), or "same": OT = ⌈T / stride⌉.
    depth_multiplier : outputs for each channel, at least 1; default 1.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default 1.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    depthwise_initializer, bias_initializer : "glorot_uniform", "zeros".
    depthwise_regularizer, bias_regularizer : penalties on the parameters.
    depthwise_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> DepthwiseConv1D(3, strides=2)(Input((28, 8))).shape
    (None, 13, 8)

    Kaiser, Gomez and Chollet, "Depthwise Separable Convolutions for Neural Machine Translation", 2017.
    """

    brick: ClassVar[Any] = bricks.DepthwiseConvolution1D

    kernel_size: Any = argument(LENGTH)
    strides: Any = argument(LENGTH, default=1)
    dilation_rate: Any = argument(LENGTH, default=1)


@configured()
class Separable(Layer):
    """What SeparableConv1D and SeparableConv2D share: their arguments, in Keras's order."""

    rank: ClassVar[int] = 2
    variable_names: ClassVar[dict[str, str]] = {
        "depthwise/W": "depthwise_kernel",
        "pointwise/W": "pointwise_kernel",
    }

    filters: int = argument(Whole(1))
    kernel_size: Any = argument(SIZES)
    strides: Any = argument(SIZES, default=(1, 1))
    padding: str = argument(PADDINGS, default="valid")
    data_format: Any = argument(DATA_FORMAT, default=None)
    dilation_rate: Any = argument(SIZES, default=(1, 1))
    depth_multiplier: int = argument(Whole(1), default=1)
    activation: Any = argument(ACTIVATION, default=None)
    use_bias: bool = argument(Flag(), default=True)
    depthwise_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    pointwise_initializer: Any = argument(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = argument(INITIALIZER, default="zeros")
    depthwise_regularizer: Any = argument(REGULARIZER, default=None)
    pointwise_regularizer: Any = argument(REGULARIZER, default=None)
    bias_regularizer: Any = argument(REGULARIZER, default=None)
    depthwise_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    pointwise_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)
    bias_constraint: Any = argument(CONSTRAINT, default=None, kw_only=True)

    def lay(self, x: Symbol) -> Any:  # type: ignore[override]
        """Depthwise convolution → convolution of single places → Bias → activation."""
        images = self.rank == 2
        apart = (bricks.DepthwiseConvolution2D if images else bricks.DepthwiseConvolution1D)(
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            depth_multiplier=self.depth_multiplier,
            dilation_rate=self.dilation_rate,
        )
        mixing = (bricks.Convolution2D if images else bricks.Convolution1D)(self.filters, (1,) * self.rank)
        y = lay_kernel(self, apart, x, "depthwise", role="depthwise")
        return lay_kernel_layer(self, mixing, y, "pointwise", role="pointwise")


@configured()
class SeparableConv2D(Separable):
    """Each channel of images by itself, then all at each place: two kernels for one.

    DepthwiseConvolution2D → Convolution2D with a kernel of one place → Bias → activation:
    x (N, H, W, C), depthwise_kernel (KH, KW, C, depth_multiplier), pointwise_kernel
    (1, 1, C depth_multiplier, filters), bias (filters,), y (N, OH, OW, filters).

    Parameters
    ----------
    filters : channels of y; at least 1.
    kernel_size : (KH, KW), or one number for both; at least 1.
    strides : along rows and columns; at least 1; default (1, 1).
    padding : "valid" (default), or "same": OH = ⌈H / stride⌉.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default (1, 1).
    depth_multiplier : outputs of the first convolution for each channel, at least 1; default 1.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    depthwise_initializer, pointwise_initializer, bias_initializer : "glorot_uniform" twice, "zeros".
    depthwise_regularizer, pointwise_regularizer, bias_regularizer : penalties on the parameters.
    depthwise_constraint, pointwise_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> SeparableConv2D(16, 3, padding="same", strides=2)(Input((28, 28, 8))).shape
    (None, 14, 14, 16)

    Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.
    """


@configured()
class SeparableConv1D(Separable):
    """Each channel of sequences by itself, then all at each step: two kernels for one.

    DepthwiseConvolution1D → Convolution1D with a kernel of one step → Bias → activation:
    x (N, T, C), depthwise_kernel (K, C, depth_multiplier), pointwise_kernel (1, C depth_multiplier, filters),
    bias (filters,), y (N, OT, filters).

    Parameters
    ----------
    filters : channels of y; at least 1.
    kernel_size : K, at least 1.
    strides : at least 1; default 1.
    padding : "valid" (default), or "same": OT = ⌈T / stride⌉.
    data_format : None or "channels_last".
    dilation_rate : distance of the kernel's taps; at least 1; default 1.
    depth_multiplier : outputs of the first convolution for each channel, at least 1; default 1.
    activation : name, brick or None.
    use_bias : whether a bias is added.
    depthwise_initializer, pointwise_initializer, bias_initializer : "glorot_uniform" twice, "zeros".
    depthwise_regularizer, pointwise_regularizer, bias_regularizer : penalties on the parameters.
    depthwise_constraint, pointwise_constraint, bias_constraint : applied after each update.

    >>> from brickwork.layers import Input
    >>> SeparableConv1D(16, 3)(Input((28, 8))).shape
    (None, 26, 16)

    Kaiser, Gomez and Chollet, "Depthwise Separable Convolutions for Neural Machine Translation", 2017.
    """

    rank: ClassVar[int] = 1

    kernel_size: Any = argument(LENGTH)
    strides: Any = argument(LENGTH, default=1)
    dilation_rate: Any = argument(LENGTH, default=1)


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
