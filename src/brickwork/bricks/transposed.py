"""Transposed convolution: the gradient of a convolution as a brick, which makes images larger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..arguments import Choice, Many, Maybe, Whole, argument, configured
from ..arrays import Array, Pair, Shape, extra
from ..errors import ParameterError, ShapeError
from ..initializers import GlorotUniform
from .base import Brick, Context, ParameterSpec, Saved, letters
from .checks import require_places
from .windows import LENGTH, SIZES, Sizes, Windows, as_image, as_kernel, like, windows_on

_PADDING = Choice(("valid", "same"))


class TransposedConvolution(Brick):
    """Shapes, forward and backward, in which those of a convolution from y to x have changed places."""

    rank: ClassVar[int] = 2
    filters: int
    kernel_size: Sizes
    strides: Sizes
    padding: str
    output_padding: Sizes | None
    dilation_rate: Sizes

    def __post_init__(self) -> None:
        super().__post_init__()
        check_output_padding(self)

    def output_shape(self, x: Shape) -> Shape:
        """(N, OH, OW, filters), or (N, OT, filters)."""
        require_places(self, x, self.rank)
        sizes = [None if size is None else self._along(axis, size)[0] for axis, size in enumerate(x[1:-1])]
        if any(size is not None and size < 1 for size in sizes):
            raise ShapeError(
                f"{type(self).__name__} makes y of at least one place; it received {letters(x)}, of which "
                f"output_padding={self.output_padding} makes {letters((x[0], *sizes, self.filters))}. "
                f"Take a larger output_padding, or None."
            )
        return (x[0], *sizes, self.filters)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        """The kernel, laid out as that of a convolution from y to x."""
        shape = (*self.kernel_size, self.filters, require_places(self, x, self.rank))
        return {"W": ParameterSpec(shape, GlorotUniform())}

    def windows(self, shape: Shape) -> Windows:
        """Where the windows lie on y, each of which one pixel of x fills."""
        along = [self._along(axis, size or 1) for axis, size in enumerate(shape[1:-1])]
        pairs: Any = tuple(pair for _, pair in along)
        return windows_on(
            [size for size, _ in along],
            pairs if self.rank == 2 else pairs[0],
            self.kernel_size,
            self.strides,
            self.dilation_rate,
        )

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        windows = self.windows(x.shape)
        y = extra(x).convolve_input_gradient(
            as_image(x),
            as_kernel(params["W"]),
            input_shape=(x.shape[0], *windows.size, self.filters),
            groups=1,
            **windows.numbers,
        )
        return like(y, x), (x,)

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> tuple[Array]:
        (x,) = saved
        dx = extra(dy).convolve(
            as_image(dy), as_kernel(params["W"]), groups=1, **self.windows(x.shape).numbers
        )
        return (like(dx, x),)

    def parameter_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> dict[str, Array]:
        (x,) = saved
        dW = extra(dy).convolve_kernel_gradient(
            as_image(dy),
            as_image(x),
            kernel_shape=as_kernel(params["W"]).shape,
            groups=1,
            **self.windows(x.shape).numbers,
        )
        return {"W": dW.reshape(params["W"].shape)}

    def _along(self, axis: int, size: int) -> tuple[int, Pair]:
        """Pixels of y along an axis, and how many windows reach beyond it, before and behind."""
        stride = self.strides[axis]
        reach = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        more = None if self.output_padding is None else self.output_padding[axis]
        if self.padding == "valid":
            made = (size - 1) * stride + reach + (max(stride - reach, 0) if more is None else more)
            before = 0
        else:
            made = size * stride if more is None else (size - 1) * stride + reach % 2 + more
            # What is cut off of the windows' reach; the smaller half before, at least no less than nothing.
            before = max(reach - 1 - -(-(made - (size - 1) * stride + reach - 2) // 2), 0)
        behind = max((size - 1) * stride + reach - made - before, 0)
        return made, (before, behind)


def check_output_padding(owner: Any) -> None:
    """Raise ParameterError unless `output_padding` is smaller than the stride along each axis."""
    more = owner.output_padding
    if more is not None and any(each >= stride for each, stride in zip(more, owner.strides, strict=True)):
        raise ParameterError(
            f"{type(owner).__name__}: `output_padding` must be smaller than `strides`; got "
            f"output_padding={more} and strides={owner.strides}. Take at most "
            f"{tuple(stride - 1 for stride in owner.strides)}."
        )


@configured(frozen=True, eq=True)
class TransposedConvolution2D(TransposedConvolution):
    """The adjoint of a two-dimensional convolution: each pixel of x adds a multiple of W to y.

    Forward    y[n,h,w,o]  = Σ_pqc x[n,i,j,c] * W[p,q,o,c]   where h = i s + p d - lo, w = j s + q d - lo
    Backward   dx[n,i,j,c] = Σ_pqo dy[n, i s + p d - lo, j s + q d - lo, o] * W[p,q,o,c]
               dW[p,q,o,c] = Σ_nij dy[n, i s + p d - lo, j s + q d - lo, o] * x[n,i,j,c]
    Shapes     x, dx: (N, H, W, C)   W, dW: (KH, KW, filters, C)   y, dy: (N, OH, OW, filters)

    s is the stride, d the dilation; each axis has its own. A kernel reaches over ke = (K - 1) d + 1 pixels.
    "valid": OH = (H - 1) s + max(ke, s); "same": OH = H s, and lo is the smaller half of what is cut off.
    With `output_padding` m these are (H - 1) s + ke + m and (H - 1) s + ke % 2 + m.

    Parameters
    ----------
    filters : channels of y; at least 1.
    kernel_size : (KH, KW) or one number for both; at least 1.
    strides : s, along rows and columns; at least 1; default (1, 1).
    padding : "valid" (default) or "same", as Keras does it.
    output_padding : m, along rows and columns, smaller than the stride; None (default): OH as above.
    dilation_rate : d, along rows and columns; at least 1; default (1, 1).

    >>> import numpy as np
    >>> x = np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> W = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    >>> TransposedConvolution2D(1, (1, 3), strides=(1, 2))(x, params={"W": W}).ravel().tolist()
    [1.0, 10.0, 102.0, 20.0, 200.0]

    Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional Networks", 2010; Dumoulin and Visin, "A Guide to
    Convolution Arithmetic for Deep Learning", 2016.
    """

    filters: int = argument(Whole(1))
    kernel_size: Sizes = argument(SIZES)
    strides: Sizes = argument(SIZES, default=(1, 1), kw_only=True)
    padding: str = argument(_PADDING, default="valid", kw_only=True)
    output_padding: Sizes | None = argument(Maybe(Many(Whole(0), 2, repeat=True)), default=None, kw_only=True)
    dilation_rate: Sizes = argument(SIZES, default=(1, 1), kw_only=True)


@configured(frozen=True, eq=True)
class TransposedConvolution1D(TransposedConvolution):
    """The adjoint of a convolution of sequences: each step of x adds a multiple of W to y.

    Forward    y[n,t,o]  = Σ_pc x[n,i,c] * W[p,o,c]   where t = i s + p d - lo
    Backward   dx[n,i,c] = Σ_po dy[n, i s + p d - lo, o] * W[p,o,c]
               dW[p,o,c] = Σ_ni dy[n, i s + p d - lo, o] * x[n,i,c]
    Shapes     x, dx: (N, T, C)   W, dW: (K, filters, C)   y, dy: (N, OT, filters)

    s is the stride, d the dilation. A kernel reaches over ke = (K - 1) d + 1 steps. "valid": OT = (T - 1) s +
    max(ke, s); "same": OT = T s, and lo is the smaller half of what is cut off. With `output_padding` m these
    are (T - 1) s + ke + m and (T - 1) s + ke % 2 + m.

    Parameters
    ----------
    filters : channels of y; at least 1.
    kernel_size : K, at least 1.
    strides : s, at least 1; default 1.
    padding : "valid" (default) or "same", as Keras does it.
    output_padding : m, smaller than the stride; None (default): OT as above.
    dilation_rate : d, at least 1; default 1.

    >>> import numpy as np
    >>> x, W = np.array([1.0, 2.0]).reshape(1, 2, 1), np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    >>> TransposedConvolution1D(1, 3, strides=2)(x, params={"W": W}).ravel().tolist()
    [1.0, 10.0, 102.0, 20.0, 200.0]

    Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional Networks", 2010.
    """

    rank: ClassVar[int] = 1
    filters: int = argument(Whole(1))
    kernel_size: Sizes = argument(LENGTH)
    strides: Sizes = argument(LENGTH, default=(1,), kw_only=True)
    padding: str = argument(_PADDING, default="valid", kw_only=True)
    output_padding: Sizes | None = argument(Maybe(Many(Whole(0), 1, repeat=True)), default=None, kw_only=True)
    dilation_rate: Sizes = argument(LENGTH, default=(1,), kw_only=True)
