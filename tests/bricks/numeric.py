"""A small numeric gradient check for one brick, independent of graphs.

Along random directions d, the slope that `backward` claims is compared with the central difference of
E = Σ weights * y, in float64.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brickwork.bricks import Brick, Context

STEP = 1e-5


def is_float(x) -> bool:
    return x.dtype.kind == "f"


def slopes(brick: Brick, params: Mapping, xs: tuple, ctx: Context, seed: int = 0, directions: int = 3):
    """(name, claimed slope, numeric slope, tolerance) for every parameter and float input."""
    rng = np.random.default_rng(seed)
    y, saved = brick.forward(params, *xs, ctx=ctx)
    weights = rng.standard_normal(y.shape)
    dxs, dparams = brick.backward(params, saved, weights)
    assert set(dparams) == set(params)
    assert len(dxs) == len(xs)
    gradients = dict(dparams)
    for index, (x, dx) in enumerate(zip(xs, dxs, strict=True)):
        if is_float(x):
            gradients[f"x{index}"] = dx
        else:
            assert dx is None
    for name, gradient in gradients.items():
        here = params[name] if name in params else xs[int(name[1:])]
        assert gradient.shape == here.shape, name
        for _ in range(directions):
            direction = rng.standard_normal(here.shape)
            direction = direction / max(np.sqrt(np.sum(direction**2)), 1e-30)
            claimed = float(np.sum(gradient * direction))
            ends = [
                _terms(brick, params, xs, ctx, weights, name, here + h * direction) for h in (STEP, -STEP)
            ]
            # Term by term: the difference of two large sums would lose the small slope.
            numeric = float(np.sum(ends[0] - ends[1])) / (2 * STEP)
            size = float(np.sum(np.abs(ends[0])))
            yield name, claimed, numeric, 1e-6 * max(abs(claimed), abs(numeric)) + 1e-9 * size


def wrong_slopes(brick: Brick, params: Mapping, xs: tuple, ctx: Context, seed: int = 0) -> list:
    """Those slopes on which the two disagree."""
    return [
        found for found in slopes(brick, params, xs, ctx, seed) if not abs(found[1] - found[2]) <= found[3]
    ]


def _terms(brick, params, xs, ctx, weights, name, moved):
    if name in params:
        params = {**params, name: moved}
    else:
        index = int(name[1:])
        xs = (*xs[:index], moved, *xs[index + 1 :])
    y = (
        brick.forward(params, *xs, ctx=ctx)[0]
        if brick.surrogate is None
        else brick.surrogate_forward(params, *xs)
    )
    return weights * y
