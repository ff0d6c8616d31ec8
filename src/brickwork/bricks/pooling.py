"""One number for each window of an image: its largest, its mean, or the mean of the whole image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import Flag, Maybe, argument, configured
from ..arrays import Array, Padding, Pair, Shape, extra, namespace
from ..errors import ParameterError
from .base import Brick, Context, Saved
from .checks import require_image
from .windows import PADDING, SIZES, PaddingWord, output_size, padding_pairs, window_count

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class Pooling2D(Brick):
    """What the two kinds of pooling by windows share: arguments, shapes, and where the windows lie."""

    pool_size: Pair
    strides: Pair | None
    padding: PaddingWord

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.padding, tuple):
            widest = [max(pair) for pair in self.padding]
            if any(width >= size for width, size in zip(widest, self.pool_size, strict=True)):
                raise ParameterError(
                    f"{type(self).__name__}: `padding` must be smaller than the window, so that no window "
                    f"lies outside of the image; got padding={self.padding} with pool_size={self.pool_size}."
                )

    def output_shape(self, x: Shape) -> Shape:
        """(N, OH, OW, C)."""
        _, _, channels = require_image(self, x)
        high, wide = output_size(self, x, self.padding, self.pool_size, self._strides())
        return (x[0], high, wide, channels)

    def _strides(self) -> Pair:
        return self.pool_size if self.strides is None else self.strides

    def _pairs(self, x: Array) -> Padding:
        return padding_pairs(self.padding, x.shape[1:3], self.pool_size, self._strides())

    def _taps(self, x: Array, value: float) -> list[Array]:
        """What each place of the window sees, row by row: (N, OH, OW, C) each."""
        taps: list[Array] = extra(x).taps(x, **self._windows(x), value=value)
        return taps

    def _add_taps(self, pieces: list[Array], x: Array) -> Array:
        return extra(pieces[0]).add_taps(pieces, input_shape=x.shape, **self._windows(x))

    def _windows(self, x: Array) -> dict[str, Any]:
        return {
            "window": self.pool_size,
            "strides": self._strides(),
            "padding": self._pairs(x),
            "dilation": (1, 1),
        }


@configured(frozen=True, eq=True)
class MaxPooling2D(Pooling2D):
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

    pool_size: Pair = argument(SIZES, default=(2, 2))
    strides: Pair | None = argument(Maybe(SIZES), default=None)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y, *others = self._taps(x, float("-inf"))
        kind = _index_kind(xp, len(others) + 1)
        winner = xp.zeros(y.shape, dtype=kind)
        for index, tap in enumerate(others, start=1):
            # A later winner has the larger index: a maximum of bytes, many times faster than where.
            winner = xp.maximum(winner, xp.astype(tap > y, kind) * xp.asarray(index, dtype=kind))
            y = xp.maximum(y, tap)
        return y, (x, winner)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        x, winner = saved
        xp = namespace(dy)
        count = self.pool_size[0] * self.pool_size[1]
        pieces = [dy * xp.astype(winner == index, dy.dtype) for index in range(count)]
        return (self._add_taps(pieces, x),), {}

    def distance_to_kink(self, *xs: Array) -> float:
        taps = self._taps(xs[0], float("-inf"))
        if len(taps) == 1:
            return float("inf")
        xp = namespace(xs[0])
        ordered = xp.sort(xp.stack(taps), axis=0)
        return float(xp.min(ordered[-1] - ordered[-2]))


@configured(frozen=True, eq=True)
class AveragePooling2D(Pooling2D):
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

    pool_size: Pair = argument(SIZES, default=(2, 2))
    strides: Pair | None = argument(Maybe(SIZES), default=None)
    padding: PaddingWord = argument(PADDING, default="valid", kw_only=True)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        total, *others = self._taps(x, 0.0)
        for tap in others:
            total = total + tap
        return total * self._share(x), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        piece = dy * self._share(x)
        return (self._add_taps([piece] * (self.pool_size[0] * self.pool_size[1]), x),), {}

    def _share(self, x: Array) -> Any:
        """1 / m_ij, of shape (OH, OW, 1) where windows differ."""
        if self._pairs(x) == ((0, 0), (0, 0)):
            return 1.0 / (self.pool_size[0] * self.pool_size[1])
        rows, columns = (
            _places_inside(*along)
            for along in zip(x.shape[1:3], self._pairs(x), self.pool_size, self._strides(), strict=True)
        )
        shares = [[[1.0 / (row * column)] for column in columns] for row in rows]
        return namespace(x).asarray(shares, dtype=x.dtype)


@configured(frozen=True, eq=True)
class GlobalAveragePooling2D(Brick):
    """The mean of each channel over the whole image.

    Forward    y[n,c]      = 1/(H W) Σ_hw x[n,h,w,c]
    Backward   dx[n,h,w,c] = dy[n,c] / (H W)
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, C), with keepdims (N, 1, 1, C)

    Parameters
    ----------
    keepdims : whether y keeps axes of size 1 for rows and columns; default False.

    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[3., 4.]])

    Lin, Chen and Yan, "Network In Network", 2013.
    """

    keepdims: bool = argument(Flag(), default=False)

    def output_shape(self, x: Shape) -> Shape:
        _, _, channels = require_image(self, x)
        return (x[0], 1, 1, channels) if self.keepdims else (x[0], channels)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).mean(x, axis=(1, 2), keepdims=self.keepdims), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        xp = namespace(dy)
        n, height, width, channels = x.shape
        share = xp.reshape(dy * (1.0 / (height * width)), (n, 1, 1, channels))
        return (xp.broadcast_to(share, x.shape),), {}


def _index_kind(xp: Any, taps: int) -> Any:
    """The smallest integers that count so many taps."""
    return xp.uint8 if taps <= 256 else xp.uint16 if taps <= 65536 else xp.uint32


def _places_inside(size: int, low_high: Pair, taps: int, stride: int) -> list[int]:
    """For each window along an axis, how many of its places lie inside of the image."""
    count = window_count(size, low_high, taps, stride)
    starts = [index * stride - low_high[0] for index in range(count)]
    return [min(start + taps, size) - max(start, 0) for start in starts]
