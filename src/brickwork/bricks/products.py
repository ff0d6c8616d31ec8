"""Products of two inputs along an axis of each."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Either, Many, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from .base import Brick, Context, Saved
from .checks import require_axes, require_axis
from .merge import require_two, shapes_text

Gradients = tuple[tuple[Array, ...], dict[str, Array]]
Parameters = Mapping[str, Array]


@configured(frozen=True, eq=True)
class Dot(Brick):
    """Products of the vectors of two inputs along one axis of each, sample by sample.

    Forward    y[p, q]  = Σ_k x1[p, k] * x2[q, k]     k runs along `axes`, p and q over the axes that are left
    Backward   dx1[p, k] = Σ_q dy[p, q] * x2[q, k]     dx2[q, k] = Σ_p dy[p, q] * x1[p, k]
    Shapes     x1, dx1: (N, P..., K)   x2, dx2: (N, Q..., K)
               y, dy: (N, P..., Q...), (N, 1) where both are empty

    Parameters
    ----------
    axes : the axis of each input along which to multiply, counted from 1 or from the end; one number for
        both, or two.

    >>> import numpy as np
    >>> Dot(axes=1)(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[11.]])

    Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
    1958 (a product of inputs and weights); between two inputs, Bromley, Guyon, LeCun, Säckinger and Shah,
    "Signature Verification using a Siamese Time Delay Neural Network", 1993.
    """

    axes: int | tuple[int, ...] = argument(Either((Whole(), Many(Whole(), 2))))

    def places(self, *ranks: int) -> tuple[int, ...]:
        """The axis of each input, counted from 0."""
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes,) * len(ranks)
        return tuple(axis % rank for axis, rank in zip(axes, ranks, strict=True))

    def output_shape(self, *xs: Shape) -> Shape:
        require_two(self, xs)
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        for axis, x in zip(axes, xs, strict=True):
            require_axes(self, x, 2, "(N, ..., K)", "Give each sample its own row.")
            require_axis(self, axis, x, repair="Samples are multiplied one by one.")
        first, second = self.places(*(len(x) for x in xs))
        left, right = xs
        if None not in (left[first], right[second]) and left[first] != right[second]:
            raise ShapeError(
                f"Dot takes inputs whose axes {first} and {second} have one size; it received "
                f"{shapes_text(xs)}. Choose other axes, or bring {left[first]} and {right[second]} to one "
                f"size."
            )
        rest = (*_without(left, first), *_without(right, second))
        return (left[0], *(rest or (1,)))

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        a, b = self._rows(xs)
        xp = namespace(a)
        y = xp.matmul(a, xp.matrix_transpose(b))
        return xp.reshape(y, self.output_shape(*(x.shape for x in xs))), xs

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        a, b = self._rows(saved)
        xp = namespace(dy)
        dy = xp.reshape(dy, (a.shape[0], a.shape[1], b.shape[1]))
        found = (xp.matmul(dy, b), xp.matmul(xp.matrix_transpose(dy), a))
        places = self.places(*(x.ndim for x in saved))
        return tuple(
            xp.moveaxis(xp.reshape(dx, (*_cut(x.shape, axis), x.shape[axis])), -1, axis)
            for dx, x, axis in zip(found, saved, places, strict=True)
        ), {}

    def _rows(self, xs: tuple[Array, ...]) -> list[Array]:
        """Each input as (N, P, K)."""
        xp = namespace(xs[0])
        made = []
        for x, axis in zip(xs, self.places(*(x.ndim for x in xs)), strict=True):
            rest = _cut(x.shape, axis)[1:]
            made.append(xp.reshape(xp.moveaxis(x, axis, -1), (x.shape[0], math.prod(rest), x.shape[axis])))
        return made


def _without(shape: Shape, axis: int) -> Shape:
    """The sizes of a sample without one axis."""
    return (*shape[1:axis], *shape[axis + 1 :])


def _cut(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
