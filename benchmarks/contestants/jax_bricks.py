"""Depthwise and transposed convolution, recurrence, attention and augmentation in plain JAX."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.ndimage import map_coordinates

from ..networks import PIXELS, Augment, ConvTranspose, DepthwiseConv, Recurrent, SelfAttention, padding_of


def depthwise(layer: DepthwiseConv, own: Any, x: Any) -> Any:
    """Place by place of the kernel: on CPUs many times as fast as a convolution by groups."""
    size, strides = layer.size, layer.strides
    borders = [(0, 0), *(padding_of(pixels, size, strides) for pixels in x.shape[1:3]), (0, 0)]
    padded = jnp.pad(x, borders)
    height, width = (-(-pixels // strides) for pixels in x.shape[1:3])
    y = own["bias"]
    for p in range(size):
        for q in range(size):
            ends = p + (height - 1) * strides + 1, q + (width - 1) * strides + 1
            y = y + padded[:, p : ends[0] : strides, q : ends[1] : strides] * own["kernel"][p, q, 0]
    return y


def transposed(layer: ConvTranspose, own: Any, x: Any) -> Any:
    """One product to all places of the kernel, which is of twice the strides; then sums of what meets."""
    n, height, width, channels = x.shape
    size, s, filters = layer.size, layer.strides, layer.filters
    if size != 2 * s or s % 2:
        raise ValueError(f"kernels must be of twice the strides, which are even; got {size} and {s}")
    kernel = own["kernel"].reshape(-1, channels)
    y = (x.reshape(-1, channels) @ kernel.T).reshape(n, height, width, 2, s, 2, s, filters)
    # Halves of a kernel's rows (and columns) reach into neighbouring blocks of s pixels.
    rows = _meeting(y[:, :, :, 0], y[:, :, :, 1], 1)  # (n, height + 1, width, s, 2, s, filters)
    both = _meeting(rows[:, :, :, :, 0], rows[:, :, :, :, 1], 2)  # (n, height + 1, width + 1, s, s, filters)
    image = both.transpose(0, 1, 3, 2, 4, 5).reshape(n, (height + 1) * s, (width + 1) * s, filters)
    cut = s // 2
    return image[:, cut:-cut, cut:-cut] + own["bias"]


def _meeting(first: Any, second: Any, axis: int) -> Any:
    """The sum, where the second is one place further along the axis."""
    none = [(0, 0)] * first.ndim
    before, after = list(none), list(none)
    before[axis], after[axis] = (1, 0), (0, 1)
    return jnp.pad(first, after) + jnp.pad(second, before)


def recurrence(layer: Recurrent, own: Any, x: Any) -> Any:
    """The products with x for all moments at once, the rest by lax.scan."""
    bias = own["bias"].reshape(-1, own["bias"].shape[-1])
    rows = jnp.swapaxes(x @ own["kernel"] + bias[0], 0, 1)
    start = jnp.zeros((x.shape[0], layer.units), x.dtype)

    def lstm(state: Any, row: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(row + h @ own["recurrent_kernel"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(h: Any, row: Any) -> Any:
        z, r, g = jnp.split(row, 3, axis=-1)
        of_z, of_r, of_g = jnp.split(h @ own["recurrent_kernel"] + bias[1], 3, axis=-1)
        z = jax.nn.sigmoid(z + of_z)
        h = z * h + (1.0 - z) * jnp.tanh(g + jax.nn.sigmoid(r + of_r) * of_g)
        return h, h

    if layer.kind == "lstm":
        (last, _), every = lax.scan(lstm, (start, start), rows)
    else:
        last, every = lax.scan(gru, start, rows)
    return jnp.swapaxes(every, 0, 1) if layer.sequences else last


def attention(layer: SelfAttention, own: Any, x: Any) -> Any:
    """Query, key and value by one product each, then JAX's own attention."""
    n, t, _ = x.shape
    q, k, v = (
        (x @ own[f"{name}_kernel"] + own[f"{name}_bias"]).reshape(n, t, layer.heads, layer.size)
        for name in ("query", "key", "value")
    )
    y = jax.nn.dot_product_attention(q, k, v).reshape(n, t, -1)
    return y @ own["output_kernel"] + own["output_bias"]


def augmented(layer: Augment, x: Any, key: Any) -> Any:
    """Images changed, each by numbers of its own."""
    low, high = PIXELS
    if layer.kind == "flip":
        return jnp.where(jax.random.bernoulli(key, 0.5, (len(x), 1, 1, 1)), x[:, :, ::-1], x)
    drawn = jax.random.uniform(key, (len(x), 2), x.dtype, -layer.factor, layer.factor)
    number = drawn[:, :1, None, None]
    if layer.kind == "brightness":
        return jnp.clip(x + number * (high - low), low, high)
    if layer.kind == "contrast":
        mean = x.mean((1, 2), keepdims=True)
        return jnp.clip((x - mean) * (1.0 + number) + mean, low, high)
    return jax.vmap(lambda image, numbers: _moved(layer.kind, image, numbers))(x, drawn)


def _moved(kind: str, image: Any, drawn: Any) -> Any:
    height, width, channels = image.shape
    middle = (height - 1) / 2, (width - 1) / 2
    i, j = jnp.meshgrid(*(jnp.arange(size, dtype=image.dtype) for size in (height, width)), indexing="ij")
    if kind == "translation":
        v, u = i - drawn[0] * height, j - drawn[1] * width
    elif kind == "zoom":
        v = (i - middle[0]) * (1.0 + drawn[0]) + middle[0]
        u = (j - middle[1]) * (1.0 + drawn[1]) + middle[1]
    else:
        angle = 2.0 * math.pi * drawn[0]
        cosine, sine = jnp.cos(angle), jnp.sin(angle)
        v = sine * (j - middle[1]) + cosine * (i - middle[0]) + middle[0]
        u = cosine * (j - middle[1]) - sine * (i - middle[0]) + middle[1]
    planes = [map_coordinates(image[..., c], [v, u], 1, "reflect") for c in range(channels)]
    return jnp.stack(planes, axis=-1)
