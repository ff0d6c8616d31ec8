"""Convolutions whose groups have one input channel each: no matrix product, one multiplication per tap.

A weight is repeated along the width of the image, so that NumPy's inner loop runs over a whole row of
pixels rather than over the channels of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .numpy_windows import blocks, output_size, places, taps

if TYPE_CHECKING:
    from . import Padding, Pair


def convolve(
    x: NDArray[Any], W: NDArray[Any], strides: Pair, padding: Padding, dilation: Pair
) -> NDArray[Any]:
    """y[..., o] = sum over p, q of x(tap p, q)[..., o // m] W[p, q, 0, o], with m outputs a channel."""
    kh, kw, _, outputs = W.shape
    x = _repeated(x, outputs)
    size = output_size(x.shape, (kh, kw), strides, padding, dilation)
    y = np.empty((len(x), *size, outputs), np.result_type(x, W))
    weights = _rows(W, size[1])
    for images, _ in blocks(len(x), 1, 4 * size[0] * size[1] * outputs * y.itemsize):
        seen = taps(
            x[images], window=(kh, kw), strides=strides, padding=padding, dilation=dilation, value=0.0
        )
        total = y[images]
        product = np.empty_like(total)
        np.multiply(seen[0], weights[0], out=total)
        for tap, weight in zip(seen[1:], weights[1:], strict=True):
            np.multiply(tap, weight, out=product)
            total += product
    return y


def convolve_input_gradient(
    dy: NDArray[Any],
    W: NDArray[Any],
    input_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> NDArray[Any]:
    """dx: every dy times its weight goes back to its tap; outputs of one channel are summed."""
    kh, kw, _, outputs = W.shape
    n, height, width, channels = input_shape
    (top, bottom), (left, right) = padding
    dx = np.empty((n, height, width, outputs), np.result_type(dy, W))
    weights = _rows(W, dy.shape[2])
    spots = places((kh, kw), (dy.shape[1], dy.shape[2]), strides, dilation)
    for images, _ in blocks(n, 1, 4 * height * width * outputs * dx.itemsize):
        part = dy[images]
        framed = np.zeros((len(part), height + top + bottom, width + left + right, outputs), dx.dtype)
        product = np.empty(part.shape, dx.dtype)
        for place, weight in zip(spots, weights, strict=True):
            np.multiply(part, weight, out=product)
            framed[place] += product
        dx[images] = framed[:, top : top + height, left : left + width]
    if outputs == channels:
        return dx
    total: NDArray[Any] = dx.reshape(n, height, width, channels, outputs // channels).sum(axis=-1)
    return total


def convolve_kernel_gradient(
    x: NDArray[Any],
    dy: NDArray[Any],
    kernel_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> NDArray[Any]:
    """dW[p, q, 0, o] = sum over n, i, j of x(tap p, q)[n, i, j, o // m] dy[n, i, j, o]."""
    kh, kw, _, outputs = kernel_shape
    x = _repeated(x, outputs)
    _, high, wide, _ = dy.shape
    total = np.zeros((kh * kw, outputs), np.result_type(x, dy))
    for images, _ in blocks(len(x), 1, 4 * high * wide * outputs * total.itemsize):
        part = dy[images]
        seen = taps(
            x[images], window=(kh, kw), strides=strides, padding=padding, dilation=dilation, value=0.0
        )
        product = np.empty(part.shape, total.dtype)
        for row, tap in zip(total, seen, strict=True):
            np.multiply(tap, part, out=product)
            along_rows = product.reshape(len(part) * high, wide * outputs).sum(axis=0)
            row += along_rows.reshape(wide, outputs).sum(axis=0)
    return total.reshape(kernel_shape)


def _repeated(x: NDArray[Any], outputs: int) -> NDArray[Any]:
    """x with each channel repeated for every output that reads it."""
    return x if x.shape[-1] == outputs else np.repeat(x, outputs // x.shape[-1], axis=-1)


def _rows(W: NDArray[Any], wide: int) -> NDArray[Any]:
    """(kh * kw, wide, O): each tap's weights, once for every pixel of a row."""
    return np.repeat(W.reshape(-1, 1, W.shape[-1]), wide, axis=1)
