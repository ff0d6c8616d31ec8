"""What bricks need beyond the Array API standard, for NumPy.

Images are (N, H, W, C), kernels (kh, kw, C / groups, O). A convolution is a matrix product: every window is
laid out as one row of a matrix of columns ("im2col"), a few images at a time so that this matrix stays in
the cache. BLAS brings its own threads, which is why there are none here.

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
processing", 2006.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from . import numpy_depthwise as depthwise
from .numpy_scan import scan
from .numpy_windows import add_taps, blocks, output_size, pad, places, reach, taps
from .philox import bits, philox

if TYPE_CHECKING:
    from . import Padding, Pair

__all__ = [
    "add_taps",
    "bits",
    "convolve",
    "convolve_input_gradient",
    "convolve_kernel_gradient",
    "erfc",
    "pad",
    "philox",
    "scan",
    "scatter_add",
    "taps",
]

_SHORT_RUN = 16
"""Where fewer numbers than this lie side by side in a window, columns are copied row of pixels by row."""

_FEW_CHANNELS = 4
"""With fewer, scattering columns of gradients moves less than gathering columns of dy."""


def convolve(
    x: NDArray[Any], W: NDArray[Any], *, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> NDArray[Any]:
    """Cross-correlation: each output is the weighted sum of what one window sees.

    y[n, i, j, o] = sum over p, q, c of x[n, i s + p d - top, j s + q d - left, c] W[p, q, c, o].

    Shapes: x (N, H, W, C), W (kh, kw, C / groups, O), y (N, oh, ow, O) with oh = (H + top + bottom -
    ((kh - 1) d + 1)) // s + 1. Output channel o sees the input channels of group o // (O / groups).

    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> W = np.ones((2, 2, 1, 1))
    >>> y = convolve(x, W, strides=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1)
    >>> float(y[0, 0, 0, 0])
    8.0
    """
    if _is_depthwise(W, groups):
        return depthwise.convolve(x, W, strides, padding, dilation)
    if groups > 1:
        one = partial(convolve, strides=strides, padding=padding, dilation=dilation, groups=1)
        return _by_group(one, x, W, groups)
    if _is_pointwise(W.shape, strides, padding):
        flat: NDArray[Any] = np.matmul(x.reshape(-1, x.shape[-1]), W[0, 0])
        return flat.reshape(*x.shape[:-1], W.shape[-1])
    window = W.shape[:2]
    y = np.empty(
        (len(x), *output_size(x.shape, window, strides, padding, dilation), W.shape[-1]),
        np.result_type(x, W),
    )
    matrix = W.reshape(-1, W.shape[-1])
    for images, rows, columns in _columns(x, window, strides, padding, dilation):
        np.matmul(columns, matrix, out=y[images, rows].reshape(-1, W.shape[-1]))
    return y


def convolve_input_gradient(
    dy: NDArray[Any],
    W: NDArray[Any],
    *,
    input_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> NDArray[Any]:
    """Gradient of `convolve` with respect to x: dy[n, i, j, o] W[p, q, c, o] goes back to where x came from.

    Shapes: dy (N, oh, ow, O), W (kh, kw, C / groups, O) -> dx of `input_shape` (N, H, W, C).
    """
    if _is_depthwise(W, groups):
        return depthwise.convolve_input_gradient(dy, W, input_shape, strides, padding, dilation)
    if groups > 1:
        one = partial(
            convolve_input_gradient,
            input_shape=(*input_shape[:-1], input_shape[-1] // groups),
            strides=strides,
            padding=padding,
            dilation=dilation,
            groups=1,
        )
        return _by_group(one, dy, W, groups)
    if strides == (1, 1) and W.shape[2] >= _FEW_CHANNELS:
        # A convolution again, of dy with the mirrored kernel; x may be cropped where a pad is larger than it.
        mirrored = np.ascontiguousarray(W[::-1, ::-1].swapaxes(2, 3))
        top, left = padding[0][0], padding[1][0]
        down, across = reach(W.shape[:2], dilation)
        mirrored_padding = (
            (down - top, input_shape[1] - dy.shape[1] + top),
            (across - left, input_shape[2] - dy.shape[2] + left),
        )
        return convolve(dy, mirrored, strides=(1, 1), padding=mirrored_padding, dilation=dilation, groups=1)
    return _scatter_columns(dy, W, input_shape, strides, padding, dilation)


def convolve_kernel_gradient(
    x: NDArray[Any],
    dy: NDArray[Any],
    *,
    kernel_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> NDArray[Any]:
    """Gradient of `convolve` with respect to W: what each weight saw, times what came back.

    dW[p, q, c, o] = sum over n, i, j of x[n, i s + p d - top, j s + q d - left, c] dy[n, i, j, o].

    Shapes: x (N, H, W, C), dy (N, oh, ow, O) -> dW of `kernel_shape` (kh, kw, C / groups, O).
    """
    kh, kw, _, outputs = kernel_shape
    if groups > 1 and kernel_shape[2] == 1:
        return depthwise.convolve_kernel_gradient(x, dy, kernel_shape, strides, padding, dilation)
    if groups > 1:
        one = partial(
            convolve_kernel_gradient,
            kernel_shape=(*kernel_shape[:-1], outputs // groups),
            strides=strides,
            padding=padding,
            dilation=dilation,
            groups=1,
        )
        return _by_group(one, x, dy, groups)
    if _is_pointwise(kernel_shape, strides, padding):
        flat: NDArray[Any] = np.matmul(x.reshape(-1, x.shape[-1]).T, dy.reshape(-1, outputs))
        return flat.reshape(*kernel_shape)
    total = np.zeros((kh * kw * x.shape[-1], outputs), np.result_type(x, dy))
    for images, rows, columns in _columns(x, (kh, kw), strides, padding, dilation):
        total += np.matmul(columns.T, dy[images, rows].reshape(-1, outputs))
    return total.reshape(kernel_shape)


_ERFC = np.frompyfunc(math.erfc, 1, 1)


def erfc(x: NDArray[Any]) -> NDArray[Any]:
    """1 - erf(x), the complementary error function, to the last digits of its own size for large x too.

    >>> float(erfc(np.array([0.0]))[0])
    1.0
    """
    return np.asarray(_ERFC(x), x.dtype)


def scatter_add(rows: NDArray[Any], places: NDArray[Any], count: int) -> NDArray[Any]:
    """(count, U): row v is the sum of those rows (M, U) whose place (M,) is v.

    >>> scatter_add(np.array([[1.0], [2.0], [4.0]]), np.array([2, 0, 2]), 3).ravel()
    array([2., 0., 5.])
    """
    width = rows.shape[1]
    total = np.zeros(count * width, rows.dtype)
    # On a flat index NumPy adds four times as fast as row by row.
    np.add.at(total, (places[:, None] * width + np.arange(width)).ravel(), rows.ravel())
    return total.reshape(count, width)


def _by_group(
    one: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]], a: NDArray[Any], b: NDArray[Any], groups: int
) -> NDArray[Any]:
    """`one` of each group of channels of a and b, side by side."""
    pairs = zip(np.split(a, groups, axis=-1), np.split(b, groups, axis=-1), strict=True)
    return np.concatenate([one(part, other) for part, other in pairs], axis=-1)


def _is_pointwise(kernel_shape: Sequence[int], strides: Pair, padding: Padding) -> bool:
    return tuple(kernel_shape[:2]) == (1, 1) and strides == (1, 1) and padding == ((0, 0), (0, 0))


def _is_depthwise(W: NDArray[Any], groups: int) -> bool:
    return groups > 1 and W.shape[2] == 1


def _cropped(x: NDArray[Any], padding: Padding) -> tuple[NDArray[Any], Padding]:
    """x without what negative padding cuts off, and the padding that is left."""
    (top, bottom), (left, right) = padding
    inner = x[
        :,
        max(-top, 0) : x.shape[1] - max(-bottom, 0),
        max(-left, 0) : x.shape[2] - max(-right, 0),
    ]
    return inner, ((max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)))


def _columns(
    x: NDArray[Any], window: Sequence[int], strides: Pair, padding: Padding, dilation: Pair
) -> Iterator[tuple[slice, slice, NDArray[Any]]]:
    """(images, output rows, columns): one row per output pixel, kh * kw * C numbers in the order of a kernel.

    The columns are overwritten by the next ones.
    """
    kh, kw = window
    channels = x.shape[-1]
    oh, ow = output_size(x.shape, window, strides, padding, dilation)
    x, padding = _cropped(x, padding)
    length = kh * kw * channels
    tap_by_tap = channels * (kw if dilation[1] == 1 else 1) < _SHORT_RUN
    store: NDArray[Any] = np.empty(0, x.dtype)
    framed: NDArray[Any] = x
    at = -1
    for images, rows in blocks(len(x), oh, ow * length * x.dtype.itemsize):
        if images.start != at:
            framed = pad(x[images], ((0, 0), *padding, (0, 0)))
            at = images.start
        n, r = images.stop - images.start, rows.stop - rows.start
        if store.size < n * r * ow * length:
            store = np.empty(n * r * ow * length, x.dtype)
        flat = store[: n * r * ow * length]
        sn, sh, sw, sc = framed.strides
        view = as_strided(
            framed[:, rows.start * strides[0] :],
            (n, r, ow, kh, kw, channels),
            (sn, sh * strides[0], sw * strides[1], sh * dilation[0], sw * dilation[1], sc),
            writeable=False,
        )
        if tap_by_tap:
            np.copyto(flat.reshape(kh, kw, channels, n, r, ow), view.transpose(3, 4, 5, 0, 1, 2))
            yield images, rows, flat.reshape(length, -1).T
        else:
            np.copyto(flat.reshape(view.shape), view)
            yield images, rows, flat.reshape(-1, length)


def _scatter_columns(
    dy: NDArray[Any],
    W: NDArray[Any],
    input_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> NDArray[Any]:
    """dx by the adjoint of `_columns`: columns of gradients, each tap added into the padded image."""
    (top, bottom), (left, right) = padding
    kh, kw, channels, outputs = W.shape
    oh, ow = dy.shape[1:3]
    _, height, width, _ = input_shape
    dtype = np.result_type(dy, W)
    dx = np.empty(tuple(input_shape), dtype)
    matrix = W.reshape(-1, outputs)
    spots = places((kh, kw), (oh, ow), strides, dilation)
    tap_by_tap = channels < _SHORT_RUN
    for images, _ in blocks(len(dy), 1, oh * ow * len(matrix) * dtype.itemsize):
        n = images.stop - images.start
        part = dy[images].reshape(-1, outputs)
        framed = np.zeros((n, height + top + bottom, width + left + right, channels), dtype)
        if tap_by_tap:
            # Channels first, so that the inner loop of the additions runs along a row of pixels.
            framed = framed.reshape(channels, *framed.shape[:-1])
            columns = np.matmul(matrix, part.T).reshape(kh * kw, channels, n, oh, ow)
            for place, piece in zip(spots, columns, strict=True):
                framed[:, *place] += piece
            framed = framed.transpose(1, 2, 3, 0)
        else:
            columns = np.matmul(part, matrix.T).reshape(n, oh, ow, kh * kw, channels)
            for tap, place in enumerate(spots):
                framed[place] += columns[:, :, :, tap]
        dx[images] = framed[:, top : top + height, left : left + width]
    return dx
