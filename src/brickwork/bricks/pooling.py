"""One number for each window of an image or of a sequence: its largest, or its mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from ..arguments import Maybe, argument, configured
from ..arrays import Array, Pair, Shape, extra, namespace
from ..errors import ParameterError
from .base import Brick, Context, Saved
from .checks import require_places
from .windows import (
    LENGTH,
    PADDING,
    SIZES,
    STEPS_PADDING,
    PaddingWord,
    Sizes,
    Windows,
    as_image,
    like,
    output_size,
    pairs_of,
    window_count,
    windows_on,
)

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class Pooling(Brick):
    """What all pooling by windows shares: arguments, shapes, and where the windows lie."""

    rank: ClassVar[int] = 2
    pool_size: Sizes
    strides: Sizes | None
    padding: PaddingWord

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.padding, tuple):
            widest = [max(pair) for pair in pairs_of(self.padding)]
            if any(width >= size for width, size in zip(widest, self.pool_size, strict=True)):
                raise ParameterError(
                    f"{type(self).__name__}: `padding` must be smaller than the window, so that no window "
                    f"lies outside of the image; got padding={self.padding} with pool_size={self.pool_size}."
                )

    def output_shape(self, x: Shape) -> Shape:
        """(N, OH, OW, C), or (N, OT, C)."""
        channels = require_places(self, x, self.rank)
        return (x[0], *output_size(self, x, self.padding, self.pool_size, self._strides()), channels)

    def windows(self, shape: Shape) -> Windows:
        """Where the windows lie on images or sequences of this shape."""
        sizes = [size or 1 for size in shape[1:-1]]
        return windows_on(sizes, self.padding, self.pool_size, self._strides())

    def _strides(self) -> Sizes:
        return self.pool_size if self.strides is None else self.strides

    def _taps(self, x: Array, value: float) -> list[Array]:
        """What each place of the window sees, row by row: (N, OH, OW, C) each."""
        windows = self.windows(x.shape)
        taps: list[Array] = extra(x).taps(as_image(x), window=windows.window, value=value, **windows.numbers)
        return taps

    def _add_taps(self, pieces: list[Array], x: Array) -> Array:
        windows = self.windows(x.shape)
        dx = extra(pieces[0]).add_taps(
            pieces, input_shape=as_image(x).shape, window=windows.window, **windows.numbers
        )
        return like(dx, x)


class LargestOfWindows(Pooling):
    """Forward and backward of max-pooling."""

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y, *others = self._taps(x, float("-inf"))
        kind = index_kind(xp, len(others) + 1)
        winner = xp.zeros(y.shape, dtype=kind)
        for index, tap in enumerate(others, start=1):
            # A later winner has the larger index: a maximum of bytes, many times faster than where.
            winner = xp.maximum(winner, xp.astype(tap > y, kind) * xp.asarray(index, dtype=kind))
            y = xp.maximum(y, tap)
        return like(y, x), (x, winner)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        x, winner = saved
        xp = namespace(dy)
        dy = as_image(dy)
        pieces = [dy * xp.astype(winner == index, dy.dtype) for index in range(math.prod(self.pool_size))]
        return (self._add_taps(pieces, x),), {}

    def distance_to_kink(self, *xs: Array) -> float:
        taps = self._taps(xs[0], float("-inf"))
        if len(taps) == 1:
            return float("inf")
        xp = namespace(xs[0])
        ordered = xp.sort(xp.stack(taps), axis=0)
        return float(xp.min(ordered[-1] - ordered[-2]))


class MeanOfWindows(Pooling):
    """Forward and backward of average pooling."""

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        total, *others = self._taps(x, 0.0)
        for tap in others:
            total = total + tap
        return like(total * self._share(x), x), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        piece = as_image(dy) * self._share(x)
        return (self._add_taps([piece] * math.prod(self.pool_size), x),), {}

    def _share(self, x: Array) -> Any:
        """1 / m_ij, of shape (OH, OW, 1) where windows differ."""
        windows = self.windows(x.shape)
        if windows.padding == ((0, 0), (0, 0)):
            return 1.0 / math.prod(self.pool_size)
        rows, columns = map(_places_inside, windows.size, windows.padding, windows.window, windows.strides)
        shares = [[[1.0 / (row * column)] for column in columns] for row in rows]
        return namespace(x).asarray(shares, dtype=x.dtype)


@configured(frozen=True, eq=True)
class MaxPooling2D(LargestOfWindows):
    """The largest number of each window.

    Forward    y[n,i,j,c]  = max over p, q of x[n, i s + p - lo, j s + q - lo, c]
    Backward   dx[n,h,w,c] = Σ dy[n,i,j,c] over the windows that x[n,h,w,c] has won
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, OH, OW, C)

    Of equal numbers the first in the window wins, read row by row. Outside of x there is -∞.

    Parameters
    ----------
    pool_size : the window's rows and columns, or one number for both; at least 1; default (2, 2).
    strides : s, along rows and columns; None (default) means `pool_size`.
    padding : "valid" (none; default), "same" (OH = ⌈H / s⌉, as Keras does it), or
        ((top, bottom), (left, right)), each smaller than the window.

    >>> import numpy as np
    >>> y = MaxPooling2D(2)(np.arange(16.0).reshape(1, 4, 4, 1))
    >>> y[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])

    Yamaguchi, Sakamoto, Akabane and Fujimoto, "A Neural Network for Speaker-Independent Isolated Word
    Recognition", 1990.
    """

    pool_size: Sizes = argument(SIZES, default=(2, 2))
    strides: Sizes | None = argument(Maybe(SIZES), default=None)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)


@configured(frozen=True, eq=True)
class MaxPooling1D(LargestOfWindows):
    """The largest number of each window of a sequence.

    Forward    y[n,i,c]  = max over p of x[n, i s + p - lo, c]
    Backward   dx[n,t,c] = Σ dy[n,i,c] over the windows that x[n,t,c] has won
    Shapes     x, dx: (N, T, C)   y, dy: (N, OT, C)

    Of equal numbers the first in the window wins. Outside of x there is -∞.

    Parameters
    ----------
    pool_size : steps of the window, at least 1; default 2.
    strides : s, at least 1; None (default) means `pool_size`.
    padding : "valid" (none; default), "same" (OT = ⌈T / s⌉, as Keras does it), or (before, behind), each
        smaller than the window.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.array([1.0, 5.0, 3.0, 2.0]).reshape(1, 4, 1)).tolist()
    [[[5.0], [3.0]]]

    Yamaguchi, Sakamoto, Akabane and Fujimoto, "A Neural Network for Speaker-Independent Isolated Word
    Recognition", 1990.
    """

    rank: ClassVar[int] = 1
    pool_size: Sizes = argument(LENGTH, default=(2,))
    strides: Sizes | None = argument(Maybe(LENGTH), default=None)
    padding: PaddingWord = argument(STEPS_PADDING, default="valid", kw_only=True)


@configured(frozen=True, eq=True)
class AveragePooling2D(MeanOfWindows):
    """The mean of each window.

    Forward    y[n,i,j,c]  = 1/m_ij Σ_pq x[n, i s + p - lo, j s + q - lo, c]
    Backward   dx[n,h,w,c] = Σ dy[n,i,j,c] / m_ij over the windows that hold x[n,h,w,c]
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, OH, OW, C)

    m_ij counts the window's places inside of x: padding is not averaged in.

    Parameters
    ----------
    pool_size : the window's rows and columns, or one number for both; at least 1; default (2, 2).
    strides : s, along rows and columns; None (default) means `pool_size`.
    padding : "valid" (none; default), "same" (OH = ⌈H / s⌉, as Keras does it), or
        ((top, bottom), (left, right)), each smaller than the window.

    >>> import numpy as np
    >>> y = AveragePooling2D(2)(np.arange(16.0).reshape(1, 4, 4, 1))
    >>> y[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    pool_size: Sizes = argument(SIZES, default=(2, 2))
    strides: Sizes | None = argument(Maybe(SIZES), default=None)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)


@configured(frozen=True, eq=True)
class AveragePooling1D(MeanOfWindows):
    """The mean of each window of a sequence.

    Forward    y[n,i,c]  = 1/m_i Σ_p x[n, i s + p - lo, c]
    Backward   dx[n,t,c] = Σ dy[n,i,c] / m_i over the windows that hold x[n,t,c]
    Shapes     x, dx: (N, T, C)   y, dy: (N, OT, C)

    m_i counts the window's places inside of x: padding is not averaged in.

    Parameters
    ----------
    pool_size : steps of the window, at least 1; default 2.
    strides : s, at least 1; None (default) means `pool_size`.
    padding : "valid" (none; default), "same" (OT = ⌈T / s⌉, as Keras does it), or (before, behind), each
        smaller than the window.

    >>> import numpy as np
    >>> AveragePooling1D(2)(np.array([1.0, 5.0, 3.0, 2.0]).reshape(1, 4, 1)).tolist()
    [[[3.0], [2.5]]]

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    rank: ClassVar[int] = 1
    pool_size: Sizes = argument(LENGTH, default=(2,))
    strides: Sizes | None = argument(Maybe(LENGTH), default=None)
    padding: PaddingWord = argument(STEPS_PADDING, default="valid", kw_only=True)


def index_kind(xp: Any, taps: int) -> Any:
    """The smallest integers that count so many taps."""
    return xp.uint8 if taps <= 256 else xp.uint16 if taps <= 65536 else xp.uint32


def _places_inside(size: int, low_high: Pair, taps: int, stride: int) -> list[int]:
    """For each window along an axis, how many of its places lie inside of the image."""
    count = window_count(size, low_high, taps, stride)
    starts = [index * stride - low_high[0] for index in range(count)]
    return [min(start + taps, size) - max(start, 0) for start in starts]
