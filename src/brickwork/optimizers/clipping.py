"""Gradients within a bound: each entry, the norm of each parameter's gradient, or that of all together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arrays import Array, namespace


def clipped(optimizer: Any, grads: Mapping[str, Array]) -> Mapping[str, Array]:
    """The gradients within the bound that the optimizer names: at most one of its three."""
    if optimizer.clipvalue is not None:
        bound = optimizer.clipvalue
        return {key: namespace(g).clip(g, -bound, bound) for key, g in grads.items()}
    if optimizer.clipnorm is not None:
        return {key: g * _shrink(_squares(g), optimizer.clipnorm) for key, g in grads.items()}
    if optimizer.global_clipnorm is not None and grads:
        # Sorted, because jit hands dicts over sorted: the same sum on every engine.
        total = sum(_squares(grads[key]) for key in sorted(grads))
        scale = _shrink(total, optimizer.global_clipnorm)
        return {key: g * scale for key, g in grads.items()}
    return grads


def _squares(g: Array) -> Array:
    return namespace(g).sum(g * g)


def _shrink(squares: Array, bound: float) -> Array:
    xp = namespace(squares)
    norm = xp.sqrt(squares)
    # norm - norm is NaN where the norm is infinite, so that a diverging run is noticed, as in Keras.
    return bound / xp.maximum(norm, xp.asarray(bound, dtype=norm.dtype)) + (norm - norm)
