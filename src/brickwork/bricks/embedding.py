"""Bricks with a table of learned rows: one for each whole number, or one for each position."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, extra, namespace
from ..errors import ShapeError
from ..initializers import RandomUniform
from .base import Brick, Context, ParameterSpec, Saved, letters, require_rank
from .checks import known_size, require_axes

Parameters = Mapping[str, Array]


@configured(frozen=True, eq=True)
class Embedding(Brick):
    """A learned row for each whole number, such as a letter's or a word's.

    Forward    y  = E[x]
    Backward   dE[v] = Σ dy over the places where x = v     (x counts: no dx)
    Shapes     x: (N, ...), whole numbers in [0, V)   E, dE: (V, U)   y, dy: (N, ..., U)

    x may be whole numbers in a float type; a fraction is cut off.

    Parameters
    ----------
    input_dim : V, how many numbers there are; at least 1.
    output_dim : U, the length of a row; at least 1.

    >>> import numpy as np
    >>> E = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> Embedding(3, 2)(np.array([[2, 0]]), params={"E": E})
    array([[[4., 5.],
            [0., 1.]]])

    Bengio, Ducharme, Vincent and Jauvin, "A Neural Probabilistic Language Model", 2003.
    """

    input_dim: int = argument(Whole(1))
    output_dim: int = argument(Whole(1))

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 1, "(N, …)", "Give it a batch: the first axis counts the samples.")
        return (*x, self.output_dim)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"E": ParameterSpec((self.input_dim, self.output_dim), RandomUniform())}

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        return xp.take(params["E"], _whole(x), axis=0), (x,)

    def backward(
        self, params: Parameters, saved: Saved, dy: Array
    ) -> tuple[tuple[Array | None], dict[str, Array]]:
        (x,) = saved
        xp = namespace(dy)
        rows = xp.reshape(dy, (math.prod(x.shape), self.output_dim))
        dE = extra(dy).scatter_add(rows, xp.reshape(_whole(x), (-1,)), self.input_dim)
        return (xp.zeros_like(x) if xp.isdtype(x.dtype, "real floating") else None,), {"E": dE}

    def distance_to_kink(self, *xs: Array) -> float:
        (x,) = xs
        xp = namespace(x)
        if not x.size or not xp.isdtype(x.dtype, "real floating"):
            return float("inf")
        return float(xp.min(xp.abs(x - xp.round(x))))


@configured(frozen=True, eq=True)
class LearnedPositions(Brick):
    """A learned row for each position of a sequence, added.

    Forward    y  = x + P[:T]
    Backward   dx = dy     dP[:T] = Σ dy over the samples, 0 behind
    Shapes     x, y, dx, dy: (N, T, F)   P, dP: (L, F), T at most L

    Parameters
    ----------
    length : L, the most positions that a sequence may have; at least 1.

    >>> import numpy as np
    >>> LearnedPositions(2)(np.zeros((1, 2, 1)), params={"P": np.array([[3.0], [4.0]])})
    array([[[3.],
            [4.]]])

    Gehring, Auli, Grangier, Yarats and Dauphin, "Convolutional Sequence to Sequence Learning", 2017.
    """

    length: int = argument(Whole(1))

    def output_shape(self, x: Shape) -> Shape:
        require_rank(self, x, "(N, T, F)", "Put an Embedding or Reshape((T, F)) before it.")
        if x[1] is not None and x[1] > self.length:
            raise ShapeError(
                f"LearnedPositions takes x of at most {self.length} positions, (N, T, F); it received "
                f"{letters(x)}. Give it length={x[1]}, or shorter sequences."
            )
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        self.output_shape(x)
        return {"P": ParameterSpec((self.length, known_size(self, x, 2)), RandomUniform())}

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x + params["P"][: x.shape[1]], ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> tuple[tuple[Array], dict[str, Array]]:
        xp = namespace(dy)
        dP = xp.sum(dy, axis=0)
        behind = xp.zeros((self.length - dy.shape[1], dy.shape[2]), dtype=dy.dtype)
        return (dy,), {"P": xp.concat([dP, behind], axis=0)}


def _whole(x: Array) -> Array:
    """The numbers as indices."""
    xp = namespace(x)
    return xp.astype(x, xp.int32)
