"""Convolution of images and of sequences with learned kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, extra
from ..errors import ParameterError, ShapeError
from ..initializers import GlorotUniform
from .base import Brick, Context, ParameterSpec, Saved, letters
from .checks import require_places
from .windows import (
    CAUSAL_PADDING,
    LENGTH,
    PADDING,
    SIZES,
    PaddingWord,
    Sizes,
    Windows,
    as_image,
    as_kernel,
    like,
    output_size,
    windows_on,
)


class Sliding(Brick):
    """What all convolutions share: the kernel's size, and where its windows lie."""

    rank: ClassVar[int] = 2
    kernel_size: Sizes
    strides: Sizes
    padding: PaddingWord
    dilation_rate: Sizes

    def windows(self, shape: Shape) -> Windows:
        """Where the windows lie on images or sequences of this shape."""
        sizes = [size or 1 for size in shape[1:-1]]
        return windows_on(sizes, self.padding, self.kernel_size, self.strides, self.dilation_rate)

    def _output_size(self, x: Shape) -> Shape:
        return output_size(self, x, self.padding, self.kernel_size, self.strides, self.dilation_rate)


class Convolution(Sliding):
    """Shapes, forward and backward of convolutions in which outputs see all channels, or a group of them."""

    filters: int
    groups: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ParameterError(
                f"{type(self).__name__}: `filters` must be divisible by `groups`; got "
                f"filters={self.filters} and groups={self.groups}. "
                f"Take {-(-self.filters // self.groups) * self.groups} filters."
            )

    def output_shape(self, x: Shape) -> Shape:
        """(N, OH, OW, filters), or (N, OT, filters)."""
        self._channels(x)
        return (x[0], *self._output_size(x), self.filters)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        """The kernel."""
        shape = (*self.kernel_size, self._channels(x) // self.groups, self.filters)
        return {"W": ParameterSpec(shape, GlorotUniform())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = extra(x).convolve(
            as_image(x), as_kernel(params["W"]), groups=self.groups, **self.windows(x.shape).numbers
        )
        return like(y, x), (x,)

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> tuple[Array]:
        (x,) = saved
        dx = extra(dy).convolve_input_gradient(
            as_image(dy),
            as_kernel(params["W"]),
            input_shape=as_image(x).shape,
            groups=self.groups,
            **self.windows(x.shape).numbers,
        )
        return (like(dx, x),)

    def parameter_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> dict[str, Array]:
        (x,) = saved
        dW = extra(dy).convolve_kernel_gradient(
            as_image(x),
            as_image(dy),
            kernel_shape=as_kernel(params["W"]).shape,
            groups=self.groups,
            **self.windows(x.shape).numbers,
        )
        return {"W": dW.reshape(params["W"].shape)}

    def _channels(self, x: Shape) -> int:
        channels = require_places(self, x, self.rank)
        if channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} with groups={self.groups} takes x with channels divisible by "
                f"{self.groups}; it received {letters(x)}, {channels} channels. Take a number of groups "
                f"that divides {channels}."
            )
        return channels


@configured(frozen=True, eq=True)
class Convolution2D(Convolution):
    """Two-dimensional convolution; as everywhere in this field it is cross-correlation: W is not flipped.

    Forward    y[n,i,j,o]  = Σ_pqc x[n, i s + p d - lo, j s + q d - lo, c] * W[p,q,c,o]
    Backward   dx[n,h,w,c] = Σ_pqo dy[n,i,j,o] * W[p,q,c,o]   where h = i s + p d - lo, w = j s + q d - lo
               dW[p,q,c,o] = Σ_nij x[n, i s + p d - lo, j s + q d - lo, c] * dy[n,i,j,o]
    Shapes     x, dx: (N, H, W, C)   W, dW: (KH, KW, C / groups, filters)   y, dy: (N, OH, OW, filters)

    Outside of x there are zeros. s is the stride, d the dilation, lo the padding before the first row or
    column (each axis has its own), OH = (H + lo + hi - (KH - 1) d - 1) // s + 1. With groups g > 1, output
    channel o sees only the C / g input channels of group o // (filters / g).

    Parameters
    ----------
    filters : channels of y; at least 1, divisible by `groups`.
    kernel_size : (KH, KW) or one number for both; at least 1.
    strides : s, along rows and columns; at least 1; default (1, 1).
    padding : "valid" (none; default), "same" (OH = ⌈H / s⌉, as Keras does it), or
        ((top, bottom), (left, right)), each at least 0.
    dilation_rate : d, along rows and columns; at least 1; default (1, 1).
    groups : at least 1, a divisor of C and of `filters`; default 1.

    >>> import numpy as np
    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> y = Convolution2D(1, 2)(x, params={"W": np.ones((2, 2, 1, 1))})
    >>> float(y[0, 1, 1, 0])
    24.0

    LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel, "Backpropagation Applied to Handwritten Zip
    Code Recognition", 1989.
    """

    filters: int = argument(Whole(1))
    kernel_size: Sizes = argument(SIZES)
    strides: Sizes = argument(SIZES, default=(1, 1), kw_only=True)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)
    dilation_rate: Sizes = argument(SIZES, default=(1, 1), kw_only=True)
    groups: int = argument(Whole(1), default=1, kw_only=True)


@configured(frozen=True, eq=True)
class Convolution1D(Convolution):
    """Convolution of sequences; as everywhere in this field it is cross-correlation: W is not flipped.

    Forward    y[n,i,o]  = Σ_pc x[n, i s + p d - lo, c] * W[p,c,o]
    Backward   dx[n,t,c] = Σ_po dy[n,i,o] * W[p,c,o]   where t = i s + p d - lo
               dW[p,c,o] = Σ_ni x[n, i s + p d - lo, c] * dy[n,i,o]
    Shapes     x, dx: (N, T, C)   W, dW: (K, C / groups, filters)   y, dy: (N, OT, filters)

    Outside of x there are zeros. s is the stride, d the dilation, lo the padding before the first step,
    OT = (T + lo + hi - (K - 1) d - 1) // s + 1. With groups g > 1, output channel o sees only the C / g
    input channels of group o // (filters / g).

    Parameters
    ----------
    filters : channels of y; at least 1, divisible by `groups`.
    kernel_size : K, at least 1.
    strides : s, at least 1; default 1.
    padding : "valid" (none; default), "same" (OT = ⌈T / s⌉, as Keras does it), "causal" ((K - 1) d steps
        before and none behind, so that y[n,i] sees no step after i s), or (before, behind).
    dilation_rate : d, at least 1; default 1.
    groups : at least 1, a divisor of C and of `filters`; default 1.

    >>> import numpy as np
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> Convolution1D(1, 2, padding="causal")(x, params={"W": np.ones((2, 1, 1))}).tolist()
    [[[0.0], [1.0], [3.0], [5.0]]]

    Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme Recognition Using Time-Delay Neural Networks", 1989;
    "causal": van den Oord and others, "WaveNet", 2016.
    """

    rank: ClassVar[int] = 1
    filters: int = argument(Whole(1))
    kernel_size: Sizes = argument(LENGTH)
    strides: Sizes = argument(LENGTH, default=(1,), kw_only=True)
    padding: PaddingWord = argument(CAUSAL_PADDING, default="valid", kw_only=True)
    dilation_rate: Sizes = argument(LENGTH, default=(1,), kw_only=True)
    groups: int = argument(Whole(1), default=1, kw_only=True)
