"""Depthwise convolution: every channel has kernels of its own, and no channel sees another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, extra, namespace
from ..initializers import GlorotUniform
from .base import Context, ParameterSpec, Saved
from .checks import require_places
from .convolution import Sliding
from .windows import CAUSAL_PADDING, LENGTH, PADDING, SIZES, PaddingWord, Sizes, as_image, like


class DepthwiseConvolution(Sliding):
    """Shapes, forward and backward: a convolution with as many groups as channels."""

    depth_multiplier: int

    def output_shape(self, x: Shape) -> Shape:
        """(N, OH, OW, C M), or (N, OT, C M)."""
        channels = require_places(self, x, self.rank)
        return (x[0], *self._output_size(x), channels * self.depth_multiplier)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        """A kernel for each channel and each of its outputs."""
        shape = (*self.kernel_size, require_places(self, x, self.rank), self.depth_multiplier)
        return {"W": ParameterSpec(shape, GlorotUniform())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        windows = self.windows(x.shape)
        y = extra(x).convolve(
            as_image(x), self._by_groups(params["W"]), groups=x.shape[-1], **windows.numbers
        )
        return like(y, x), (x,)

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> tuple[Array]:
        (x,) = saved
        dx = extra(dy).convolve_input_gradient(
            as_image(dy),
            self._by_groups(params["W"]),
            input_shape=as_image(x).shape,
            groups=x.shape[-1],
            **self.windows(x.shape).numbers,
        )
        return (like(dx, x),)

    def parameter_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> dict[str, Array]:
        (x,) = saved
        windows = self.windows(x.shape)
        dW = extra(dy).convolve_kernel_gradient(
            as_image(x),
            as_image(dy),
            kernel_shape=(*windows.window, 1, dy.shape[-1]),
            groups=x.shape[-1],
            **windows.numbers,
        )
        return {"W": namespace(dW).reshape(dW, params["W"].shape)}

    def _by_groups(self, W: Array) -> Array:
        """The kernel as that of a convolution whose groups have one channel each."""
        rows_columns = W.shape[:-2] if self.rank == 2 else (1, *W.shape[:-2])
        return namespace(W).reshape(W, (*rows_columns, 1, W.shape[-2] * W.shape[-1]))


@configured(frozen=True, eq=True)
class DepthwiseConvolution2D(DepthwiseConvolution):
    """Convolution of each channel of images with kernels of its own.

    Forward    y[n,i,j,cM+m] = Σ_pq x[n, i s + p d - lo, j s + q d - lo, c] * W[p,q,c,m]
    Backward   dx[n,h,w,c]   = Σ_pqm dy[n,i,j,cM+m] * W[p,q,c,m]   with h = i s + p d - lo, w = j s + q d - lo
               dW[p,q,c,m]   = Σ_nij x[n, i s + p d - lo, j s + q d - lo, c] * dy[n,i,j,cM+m]
    Shapes     x, dx: (N, H, W, C)   W, dW: (KH, KW, C, M)   y, dy: (N, OH, OW, C M)

    M is the depth multiplier; s, d, lo, OH and OW are those of Convolution2D.

    Parameters
    ----------
    kernel_size : (KH, KW) or one number for both; at least 1.
    strides : s, along rows and columns; at least 1; default (1, 1).
    padding : "valid" (none; default), "same" (OH = ⌈H / s⌉, as Keras does it), or
        ((top, bottom), (left, right)), each at least 0.
    depth_multiplier : M, outputs for each channel; at least 1; default 1.
    dilation_rate : d, along rows and columns; at least 1; default (1, 1).

    >>> import numpy as np
    >>> x = np.array([1.0, 10.0, 2.0, 20.0]).reshape(1, 1, 2, 2)
    >>> W = np.array([1.0, 3.0, 1.0, 4.0]).reshape(1, 2, 2, 1)
    >>> DepthwiseConvolution2D((1, 2))(x, params={"W": W}).ravel().tolist()
    [3.0, 110.0]

    Sifre, "Rigid-Motion Scattering for Image Classification", 2014; Howard and others, "MobileNets", 2017.
    """

    kernel_size: Sizes = argument(SIZES)
    strides: Sizes = argument(SIZES, default=(1, 1), kw_only=True)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)
    depth_multiplier: int = argument(Whole(1), default=1, kw_only=True)
    dilation_rate: Sizes = argument(SIZES, default=(1, 1), kw_only=True)


@configured(frozen=True, eq=True)
class DepthwiseConvolution1D(DepthwiseConvolution):
    """Convolution of each channel of sequences with kernels of its own.

    Forward    y[n,i,cM+m] = Σ_p x[n, i s + p d - lo, c] * W[p,c,m]
    Backward   dx[n,t,c]   = Σ_pm dy[n,i,cM+m] * W[p,c,m]   where t = i s + p d - lo
               dW[p,c,m]   = Σ_ni x[n, i s + p d - lo, c] * dy[n,i,cM+m]
    Shapes     x, dx: (N, T, C)   W, dW: (K, C, M)   y, dy: (N, OT, C M)

    M is the depth multiplier; s, d, lo and OT are those of Convolution1D.

    Parameters
    ----------
    kernel_size : K, at least 1.
    strides : s, at least 1; default 1.
    padding : "valid" (none; default), "same" (OT = ⌈T / s⌉, as Keras does it), "causal" ((K - 1) d steps
        before and none behind), or (before, behind).
    depth_multiplier : M, outputs for each channel; at least 1; default 1.
    dilation_rate : d, at least 1; default 1.

    >>> import numpy as np
    >>> x = np.array([1.0, 10.0, 2.0, 20.0]).reshape(1, 2, 2)
    >>> W = np.array([1.0, 3.0, 1.0, 4.0]).reshape(2, 2, 1)
    >>> DepthwiseConvolution1D(2)(x, params={"W": W}).ravel().tolist()
    [3.0, 110.0]

    Kaiser, Gomez and Chollet, "Depthwise Separable Convolutions for Neural Machine Translation", 2017.
    """

    rank: ClassVar[int] = 1
    kernel_size: Sizes = argument(LENGTH)
    strides: Sizes = argument(LENGTH, default=(1,), kw_only=True)
    padding: PaddingWord = argument(CAUSAL_PADDING, default="valid", kw_only=True)
    depth_multiplier: int = argument(Whole(1), default=1, kw_only=True)
    dilation_rate: Sizes = argument(LENGTH, default=(1,), kw_only=True)
