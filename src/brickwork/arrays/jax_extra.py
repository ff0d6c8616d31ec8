"""What bricks need beyond the Array API standard, for JAX.

Every convolution is stated in the layouts (N, H, W, C) and (kh, kw, C, O), the gradients too: XLA's
compiler for CPUs has a fast path for these alone, and the layouts that automatic differentiation would
choose are up to 40 times slower inside a scan. For the same reason groups are computed one by one, and
depthwise convolutions by taps, where XLA's own grouped convolutions take 3 to 700 times as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from .philox import KEY_STEPS, MULTIPLIERS, ROUNDS, WORD, WORDS

if TYPE_CHECKING:
    from . import Array, Padding, Pair

_LAYOUT = ("NHWC", "HWIO", "NHWC")


def convolve(x: Array, W: Array, *, strides: Pair, padding: Padding, dilation: Pair, groups: int) -> Array:
    """Cross-correlation; see `numpy_extra.convolve` for formula and shapes."""
    if groups > 1 and W.shape[2] == 1:
        seen = _depthwise_taps(x, W.shape, strides, padding, dilation)
        return _sum([tap * weight for tap, weight in zip(seen, W.reshape(-1, W.shape[-1]), strict=True)])
    if groups > 1:
        one = partial(convolve, strides=strides, padding=padding, dilation=dilation, groups=1)
        return _by_group(one, x, W, groups)
    return lax.conv_general_dilated(
        x,
        W,
        window_strides=strides,
        padding=padding,
        rhs_dilation=dilation,
        dimension_numbers=_LAYOUT,
    )


def convolve_input_gradient(
    dy: Array,
    W: Array,
    *,
    input_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Array:
    """Gradient of `convolve` with respect to x: dy, spread by the strides, against the mirrored kernel."""
    kh, kw, per_group, outputs = W.shape
    if groups > 1 and per_group == 1:
        dx = add_taps(
            [dy * weight for weight in W.reshape(-1, outputs)],
            input_shape=(*input_shape[:-1], outputs),
            window=(kh, kw),
            strides=strides,
            padding=padding,
            dilation=dilation,
        )
        return dx.reshape(*input_shape, outputs // groups).sum(axis=-1)
    if groups > 1:
        one = partial(
            convolve_input_gradient,
            input_shape=(*input_shape[:-1], per_group),
            strides=strides,
            padding=padding,
            dilation=dilation,
            groups=1,
        )
        return _by_group(one, dy, W, groups)
    widths = [
        ((taps - 1) * d - low, size - 1 - (o - 1) * s + low)
        for taps, d, (low, _), size, o, s in zip(
            (kh, kw), dilation, padding, input_shape[1:3], dy.shape[1:3], strides, strict=True
        )
    ]
    return lax.conv_general_dilated(
        dy,
        jnp.flip(W, (0, 1)).swapaxes(2, 3),
        window_strides=(1, 1),
        padding=widths,
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=_LAYOUT,
    )


def convolve_kernel_gradient(
    x: Array,
    dy: Array,
    *,
    kernel_shape: Sequence[int],
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Array:
    """Gradient of `convolve` with respect to W: x against dy as the kernel, channels and samples swapped."""
    if groups > 1 and kernel_shape[2] == 1:
        seen = _depthwise_taps(x, kernel_shape, strides, padding, dilation)
        return jnp.stack([(tap * dy).sum(axis=(0, 1, 2)) for tap in seen]).reshape(kernel_shape)
    if groups > 1:
        one = partial(
            convolve_kernel_gradient,
            kernel_shape=(*kernel_shape[:-1], kernel_shape[-1] // groups),
            strides=strides,
            padding=padding,
            dilation=dilation,
            groups=1,
        )
        return _by_group(one, x, dy, groups)
    widths = [
        (low, (taps - 1) * d + (o - 1) * s + 1 - size - low)
        for taps, d, (low, _), size, o, s in zip(
            kernel_shape[:2], dilation, padding, x.shape[1:3], dy.shape[1:3], strides, strict=True
        )
    ]
    dW = lax.conv_general_dilated(
        x.transpose(3, 1, 2, 0),
        dy.transpose(1, 2, 0, 3),
        window_strides=dilation,
        padding=widths,
        rhs_dilation=strides,
        dimension_numbers=_LAYOUT,
    )
    return dW.transpose(1, 2, 0, 3)


def pad(x: Array, widths: Sequence[Pair], value: float = 0.0) -> Array:
    """x with `widths[axis]` = (before, after) copies of `value` around it, as `numpy.pad`."""
    return lax.pad(x, jnp.asarray(value, x.dtype), [(low, high, 0) for low, high in widths])


def taps(
    x: Array, *, window: Pair, strides: Pair, padding: Padding, dilation: Pair, value: float
) -> list[Array]:
    """What each place of a sliding window sees: kh * kw arrays (N, oh, ow, C), the window read row by row."""
    n, height, width, channels = x.shape
    (top, bottom), (left, right) = padding
    padded = pad(x, ((0, 0), *padding, (0, 0)), value)
    reach = (window[0] - 1) * dilation[0], (window[1] - 1) * dilation[1]
    rows = (height + top + bottom - 1 - reach[0]) // strides[0] * strides[0] + 1
    columns = (width + left + right - 1 - reach[1]) // strides[1] * strides[1] + 1
    return [
        lax.slice(padded, (0, p, q, 0), (n, p + rows, q + columns, channels), (1, *strides, 1))
        for p in range(0, reach[0] + 1, dilation[0])
        for q in range(0, reach[1] + 1, dilation[1])
    ]


def add_taps(
    pieces: Sequence[Array],
    *,
    input_shape: Sequence[int],
    window: Pair,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> Array:
    """The adjoint of `taps`: each piece (N, oh, ow, C) is added to where it came from in (N, H, W, C)."""
    zero = jnp.zeros((), pieces[0].dtype)

    def widths(tap: int, axis: int) -> tuple[int, int, int]:
        # Negative widths crop: what lay in the padding of x is dropped.
        start = tap * dilation[axis] - padding[axis][0]
        stop = start + (pieces[0].shape[axis + 1] - 1) * strides[axis] + 1
        return start, input_shape[axis + 1] - stop, strides[axis] - 1

    places = [(p, q) for p in range(window[0]) for q in range(window[1])]
    return _sum(
        [
            lax.pad(piece, zero, [(0, 0, 0), widths(p, 0), widths(q, 1), (0, 0, 0)])
            for (p, q), piece in zip(places, pieces, strict=True)
        ]
    )


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]], start: Any, xs: Any, *, length: int, reverse: bool = False
) -> tuple[Any, Any]:
    """(carry, ys) after `carry, y = step(carry, x)` for each moment; see `numpy_scan.scan`."""
    found: tuple[Any, Any] = lax.scan(step, start, xs, length=length, reverse=reverse)
    return found


def scatter_add(rows: Array, places: Array, count: int) -> Array:
    """(count, U): row v is the sum of those rows (M, U) whose place (M,) is v."""
    return jnp.zeros((count, rows.shape[1]), rows.dtype).at[places].add(rows)


def philox(counter: Array, key: Array) -> Array:
    """Four random words (..., 4) for each counter (..., 4) under the key (..., 2); see `philox.philox`."""
    counter, key = jnp.asarray(counter, jnp.uint32), jnp.asarray(key, jnp.uint32)
    words = _mix([counter[..., i] for i in range(WORDS)], key[..., 0], key[..., 1])
    return jnp.stack(jnp.broadcast_arrays(*words), axis=-1)


def erfc(x: Array) -> Array:
    """1 - erf(x); see `numpy_extra.erfc`."""
    return lax.erfc(x)


def bits(key: Any, *, step: Any, stream: int, row: Any, rows: int, shape: Sequence[int]) -> Array:
    """Random uint32 of shape (rows, *shape), the same as `philox.bits` gives.

    `key` is a seed of 64 bits as a Python integer, or its two words (low, high); it, `step` and `row` may
    be traced.
    """
    low, high = _key_words(key)
    size = math.prod(shape)
    blocks = -(-size // WORDS)
    block = jnp.arange(blocks, dtype=jnp.uint32)[None, :]
    sample = _word(row) + jnp.arange(rows, dtype=jnp.uint32)[:, None]
    words = _mix([block, sample, _word(stream), _word(step)], low, high)
    drawn = jnp.stack(jnp.broadcast_arrays(*words), axis=-1)
    return drawn.reshape(rows, blocks * WORDS)[:, :size].reshape(rows, *shape)


def _by_group(one: Callable[[Array, Array], Array], a: Array, b: Array, groups: int) -> Array:
    """`one` of each group of channels of a and b, side by side."""
    pairs = zip(jnp.split(a, groups, axis=-1), jnp.split(b, groups, axis=-1), strict=True)
    return jnp.concatenate([one(part, other) for part, other in pairs], axis=-1)


def _depthwise_taps(
    x: Array, kernel_shape: Sequence[int], strides: Pair, padding: Padding, dilation: Pair
) -> list[Array]:
    """The taps of x with each channel repeated for every output that reads it."""
    kh, kw, _, outputs = kernel_shape
    x = jnp.repeat(x, outputs // x.shape[-1], axis=-1)
    return taps(x, window=(kh, kw), strides=strides, padding=padding, dilation=dilation, value=0.0)


def _sum(terms: Sequence[Array]) -> Array:
    total, *others = terms
    for other in others:
        total = total + other
    return total


def _word(number: Any) -> Array:
    """The low 32 bits of a number."""
    if isinstance(number, (int, np.integer)):
        return jnp.asarray(np.uint32(int(number) & WORD))
    return jnp.asarray(number).astype(jnp.uint32)


def _key_words(key: Any) -> tuple[Array, Array]:
    if isinstance(key, (int, np.integer)):
        return _word(key), _word(int(key) >> 32)
    if np.ndim(key) == 1:
        return _word(key[0]), _word(key[1])
    wide = key.dtype.itemsize > 4
    return _word(key), _word(key >> 32) if wide else _word(0)


def _mix(words: list[Array], low: Array, high: Array) -> list[Array]:
    """The ten rounds of Philox on four words that broadcast."""
    a, b, c, d = words
    for _ in range(ROUNDS):
        over, under = _high_product(a, MULTIPLIERS[0]), _high_product(c, MULTIPLIERS[1])
        a, b, c, d = (
            under ^ b ^ low,
            c * np.uint32(MULTIPLIERS[1]),
            over ^ d ^ high,
            a * np.uint32(MULTIPLIERS[0]),
        )
        low, high = low + np.uint32(KEY_STEPS[0]), high + np.uint32(KEY_STEPS[1])
    return [a, b, c, d]


def _high_product(word: Array, multiplier: int) -> Array:
    """The high half of the 64-bit product, by halves of 16 bits: by default JAX has no 64-bit integers."""
    half, mask = np.uint32(16), np.uint32(0xFFFF)
    m_low, m_high = np.uint32(multiplier & 0xFFFF), np.uint32(multiplier >> 16)
    w_low, w_high = word & mask, word >> half
    middle = w_high * m_low + (w_low * m_low >> half)
    carry = (middle & mask) + w_low * m_high
    return w_high * m_high + (middle >> half) + (carry >> half)
