"""The array's own namespace, and the few operations beyond the Array API standard that bricks need.

Bricks write `xp = namespace(x)` for what the standard has and `extra(x)` for what it lacks: convolution
and its two gradients, windows, padding, counter-based random bits, erfc. One file holds these for each array
library, with equal names and signatures; `docs/decisions.md` lists them.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from . import numpy_extra

Array: TypeAlias = Any
"""A NumPy array, a JAX array, or a JAX tracer: bricks do not care."""

Shape: TypeAlias = tuple[int | None, ...]
"""The axes of an array; None is the batch axis N, or another axis whose length is not known yet."""

Padding: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Rows added (above, below), columns added (left, right)."""

Pair: TypeAlias = tuple[int, int]


def namespace(x: Array) -> Any:
    """The module whose functions take `x`: NumPy for an ndarray, jax.numpy for a JAX array or tracer."""
    return x.__array_namespace__()


def extra(x: Array) -> ModuleType:
    """The operations beyond the standard, for the library of `x`."""
    if isinstance(x, (np.ndarray, np.generic)):
        return numpy_extra
    from . import jax_extra

    return jax_extra
