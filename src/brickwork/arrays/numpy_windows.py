"""Sliding windows over images (N, H, W, C) in NumPy: their taps, and the work cut into blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from . import Padding, Pair

BLOCK_BYTES = 1 << 22
"""What is worked on at a time, so that it is still in the cache when it is used again."""


def pad(x: NDArray[Any], widths: Sequence[Pair], value: float = 0.0) -> NDArray[Any]:
    """x with `widths[axis]` = (before, after) copies of `value` around it, as `numpy.pad`.

    >>> pad(np.ones(2), ((1, 0),)).tolist()
    [0.0, 1.0, 1.0]
    """
    if not any(any(pair) for pair in widths):
        return x
    inner = tuple(slice(low, low + size) for (low, _), size in zip(widths, x.shape, strict=True))
    shape = [low + size + high for (low, high), size in zip(widths, x.shape, strict=True)]
    padded = np.full(shape, value, x.dtype)
    padded[inner] = x
    return padded


def taps(
    x: NDArray[Any], *, window: Pair, strides: Pair, padding: Padding, dilation: Pair, value: float
) -> list[NDArray[Any]]:
    """What each place of a sliding window sees: kh * kw arrays (N, oh, ow, C), the window read row by row.

    x is padded with `value`. Without padding the arrays are views of x.
    """
    size = output_size(x.shape, window, strides, padding, dilation)
    padded = pad(x, ((0, 0), *padding, (0, 0)), value)
    return [padded[place] for place in places(window, size, strides, dilation)]


def add_taps(
    pieces: Sequence[NDArray[Any]],
    *,
    input_shape: Sequence[int],
    window: Pair,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> NDArray[Any]:
    """The adjoint of `taps`: each piece (N, oh, ow, C) is added to where it came from in (N, H, W, C)."""
    n, height, width, channels = input_shape
    (top, bottom), (left, right) = padding
    padded = (height + top + bottom, width + left + right)
    size: Pair = (pieces[0].shape[1], pieces[0].shape[2])
    spots = places(window, size, strides, dilation)
    tiled = window == strides and dilation == (1, 1) and padded == (size[0] * window[0], size[1] * window[1])
    if tiled:
        total = np.empty((n, *padded, channels), pieces[0].dtype)
        for place, piece in zip(spots, pieces, strict=True):
            total[place] = piece
    else:
        total = np.zeros((n, *padded, channels), pieces[0].dtype)
        for place, piece in zip(spots, pieces, strict=True):
            total[place] += piece
    return total[:, top : top + height, left : left + width]


def reach(window: Sequence[int], dilation: Pair) -> Pair:
    """Pixels between the first and the last tap of a window."""
    return (window[0] - 1) * dilation[0], (window[1] - 1) * dilation[1]


def output_size(
    shape: Sequence[int], window: Sequence[int], strides: Pair, padding: Padding, dilation: Pair
) -> Pair:
    """Rows and columns of the output: how many places of the window fit."""
    high, wide = (
        (size + low + high - 1 - span) // stride + 1
        for size, (low, high), span, stride in zip(
            shape[1:3], padding, reach(window, dilation), strides, strict=True
        )
    )
    return high, wide


def places(window: Pair, size: Pair, strides: Pair, dilation: Pair) -> list[tuple[slice, slice, slice]]:
    """Where in the padded image each tap of the window finds its pixels, for an output of `size`."""

    def along(tap: int, axis: int) -> slice:
        start = tap * dilation[axis]
        return slice(start, start + (size[axis] - 1) * strides[axis] + 1, strides[axis])

    return [(slice(None), along(p, 0), along(q, 1)) for p in range(window[0]) for q in range(window[1])]


def blocks(images: int, rows: int, row_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Cut (images, rows) into pieces of about `BLOCK_BYTES`: several whole images, or some rows of one."""
    at_once = BLOCK_BYTES // max(row_bytes, 1)
    if at_once >= rows:
        step = max(at_once // max(rows, 1), 1)
        for start in range(0, images, step):
            yield slice(start, min(start + step, images)), slice(0, rows)
        return
    step = max(at_once, 1)
    for image in range(images):
        for start in range(0, rows, step):
            yield slice(image, image + 1), slice(start, min(start + step, rows))
