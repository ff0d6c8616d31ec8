"""Sums of weights, and shares of sums, in the array's own namespace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array, namespace


def sum_type(x: Array) -> Any:
    """The type that sums are taken in: float64 in NumPy, so that long epochs lose nothing; else that of x."""
    xp = namespace(x)
    if isinstance(x, (np.ndarray, np.generic)):
        return xp.float64
    return x.dtype if xp.isdtype(x.dtype, "real floating") else xp.float32


def floating(x: Array, like: Array) -> Array:
    """X in the type of `like` where that is a float type, else in float32."""
    xp = namespace(like)
    return xp.astype(x, like.dtype if xp.isdtype(like.dtype, "real floating") else xp.float32)


def weights_like(x: Array, weight: Array | None) -> Array:
    """The weight (N,) of each sample, for each number of x (N, …)."""
    xp = namespace(x)
    kind = sum_type(x)
    if weight is None:
        return xp.ones(x.shape, dtype=kind)
    weight = xp.reshape(xp.asarray(weight, dtype=kind), (-1, *(1,) * (x.ndim - 1)))
    return xp.broadcast_to(weight, x.shape)


def ratio(part: Any, whole: Any) -> Array:
    """Part / whole, 0 where the whole is 0."""
    xp = namespace(part + whole)
    empty = whole == 0
    return xp.where(empty, xp.zeros_like(part), part / xp.where(empty, xp.ones_like(whole), whole))


def number(value: Any) -> Any:
    """A float where NumPy has a single number; arrays and what is traced stay."""
    return float(value) if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0 else value
