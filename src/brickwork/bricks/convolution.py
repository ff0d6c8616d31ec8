"""Convolution of images with learned kernels."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import Whole, argument, configured
from ..arrays import Array, Padding, Pair, Shape, extra
from ..errors import ParameterError, ShapeError
from ..initializers import GlorotUniform
from .base import Brick, Context, ParameterSpec, Saved, letters
from .checks import require_image
from .windows import PADDING, SIZES, PaddingWord, output_size, padding_pairs


@configured(frozen=True, eq=True)
class Convolution2D(Brick):
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
    kernel_size: Pair = argument(SIZES)
    strides: Pair = argument(SIZES, default=(1, 1), kw_only=True)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)
    dilation_rate: Pair = argument(SIZES, default=(1, 1), kw_only=True)
    groups: int = argument(Whole(1), default=1, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ParameterError(
                f"Convolution2D: `filters` must be divisible by `groups`; got filters={self.filters} and "
                f"groups={self.groups}. Take {-(-self.filters // self.groups) * self.groups} filters."
            )

    def output_shape(self, x: Shape) -> Shape:
        self._channels(x)
        high, wide = output_size(self, x, self.padding, self.kernel_size, self.strides, self.dilation_rate)
        return (x[0], high, wide, self.filters)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        shape = (*self.kernel_size, self._channels(x) // self.groups, self.filters)
        return {"W": ParameterSpec(shape, GlorotUniform())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = extra(x).convolve(
            x,
            params["W"],
            strides=self.strides,
            padding=self._pairs(x),
            dilation=self.dilation_rate,
            groups=self.groups,
        )
        return y, (x,)

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> tuple[Array]:
        (x,) = saved
        dx = extra(dy).convolve_input_gradient(
            dy,
            params["W"],
            input_shape=x.shape,
            strides=self.strides,
            padding=self._pairs(x),
            dilation=self.dilation_rate,
            groups=self.groups,
        )
        return (dx,)

    def parameter_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> dict[str, Array]:
        (x,) = saved
        dW = extra(dy).convolve_kernel_gradient(
            x,
            dy,
            kernel_shape=params["W"].shape,
            strides=self.strides,
            padding=self._pairs(x),
            dilation=self.dilation_rate,
            groups=self.groups,
        )
        return {"W": dW}

    def _pairs(self, x: Array) -> Padding:
        return padding_pairs(self.padding, x.shape[1:3], self.kernel_size, self.strides, self.dilation_rate)

    def _channels(self, x: Shape) -> int:
        _, _, channels = require_image(self, x)
        if channels % self.groups:
            raise ShapeError(
                f"Convolution2D with groups={self.groups} takes x with channels divisible by {self.groups}; "
                f"it received {letters(x)}, {channels} channels. Take a number of groups that divides "
                f"{channels}."
            )
        return channels
