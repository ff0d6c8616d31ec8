"""One function over all moments of a sequence, for NumPy: what `lax.scan` is for JAX.

A tree is an array, None, or a tuple of trees. The arrays that a step gives are written into one array with
the moments as its first axis, so that a later scan, the one back through time say, reads them again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(step: Step, start: Any, xs: Any, *, length: int, reverse: bool = False) -> tuple[Any, Any]:
    """(carry, ys) after `carry, y = step(carry, x)` for each moment x of xs, the last one first if `reverse`.

    xs : tree of arrays (length, …); ys has the same first axis, each y at the place of its x. `length` is
    at least 1.

    >>> carry, ys = scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]), length=3)
    >>> float(carry), ys
    (6.0, array([0., 1., 3.]))
    """
    carry, ys = start, None
    for moment in reversed(range(length)) if reverse else range(length):
        carry, y = step(carry, _at(xs, moment))
        if ys is None:
            ys = _room(y, length)
        _put(ys, y, moment)
    return carry, ys


def _at(tree: Any, moment: int) -> Any:
    if isinstance(tree, tuple):
        return tuple(_at(item, moment) for item in tree)
    return None if tree is None else tree[moment]


def _room(tree: Any, length: int) -> Any:
    """Arrays for as many trees."""
    if isinstance(tree, tuple):
        return tuple(_room(item, length) for item in tree)
    return None if tree is None else np.empty((length, *np.shape(tree)), np.asarray(tree).dtype)


def _put(room: Any, tree: Any, moment: int) -> None:
    if isinstance(tree, tuple):
        for inner, item in zip(room, tree, strict=True):
            _put(inner, item, moment)
    elif tree is not None:
        room[moment] = tree
