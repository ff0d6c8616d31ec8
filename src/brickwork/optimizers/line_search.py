"""How far to go along a direction: until E has fallen enough and its slope has become flat enough."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..structs import struct

Vector = npt.NDArray[np.float64]

Look = Callable[[Vector], tuple[Vector, float, Vector]]
"""Point -> (the point as it can be held, E there, dE/dpoint)."""

_FARTHER = 4.0
"""By how much a trial that is still going down is lengthened."""


@struct(frozen=True)
class Point:
    """A point at the distance `a` along a direction."""

    a: float
    x: Vector
    energy: float
    gradient: Vector


def strong_wolfe(
    look: Look, start: Point, d: Vector, first: float, armijo: float, curvature: float, most: int
) -> Point | None:
    """A point start + a d that fulfils the strong Wolfe conditions.

    Trials grow until a piece of the line must hold such points; then the piece is narrowed by the cubic
    through its ends (Nocedal and Wright, "Numerical Optimization", 2006, section 3.5). After `most` looks the
    lowest point seen is taken, where it is lower than the start by what armijo asks; else None.
    """
    slope = float(start.gradient @ d)
    best: Point | None = None
    low, high = start, None  # the piece: low is its lower end
    a = first
    for _ in range(most):
        x, energy, gradient = look(start.x + a * d)
        here = Point(a, x, energy, gradient)
        sound = math.isfinite(energy) and bool(np.isfinite(gradient).all())
        falls = sound and energy <= start.energy + armijo * a * slope
        if falls and (best is None or energy < best.energy):
            best = here
        if not falls or energy >= low.energy:
            if np.array_equal(x, low.x):
                break  # the parameters' type knows no point between
            high = here
        else:
            there = float(gradient @ d)
            if abs(there) <= -curvature * slope:
                return here
            if there * ((high.a if high is not None else math.inf) - low.a) >= 0.0:
                high = low
            low = here
        a = a * _FARTHER if high is None else _between(low, high, d)
    return best


def _between(low: Point, high: Point, d: Vector) -> float:
    """A trial inside a piece: where the cubic through both ends is lowest, kept away from them."""
    width = high.a - low.a
    middle = low.a + 0.5 * width
    if not (math.isfinite(high.energy) and np.isfinite(high.gradient).all()):
        return low.a + 0.1 * width
    left, right = float(low.gradient @ d), float(high.gradient @ d)
    bend = left + right - 3.0 * (low.energy - high.energy) / (low.a - high.a)
    inside = bend * bend - left * right
    if inside < 0.0:
        return middle
    root = math.copysign(math.sqrt(inside), width)
    below = right - left + 2.0 * root
    if below == 0.0:
        return middle
    a = high.a - width * (right + root - bend) / below
    edge = 0.1 * abs(width)
    return a if min(low.a, high.a) + edge <= a <= max(low.a, high.a) - edge else middle
