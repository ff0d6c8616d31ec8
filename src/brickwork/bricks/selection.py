"""What counts and what does not: where numbers are not 0, and one of two values chosen by that."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from .base import Brick, Context, Saved, letters

Parameters = Mapping[str, Array]


@configured(frozen=True, eq=True)
class NonZero(Brick):
    """Where there is something: 1 for each number that is not 0.

    Forward    y  = 1 where x is not 0, else 0
    Backward   dx = 0
    Shapes     x, y, dx, dy: any, equal

    y of whole numbers is float32.

    >>> import numpy as np
    >>> NonZero()(np.array([[3.0, 0.0, -0.5]]))
    array([[1., 0., 1.]])

    Iverson, "A Programming Language", 1962 (a proposition as a number).
    """

    def output_shape(self, x: Shape) -> Shape:
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        kind = x.dtype if xp.isdtype(x.dtype, "real floating") else xp.float32
        return xp.astype(x != 0, kind), (x,)

    def backward(
        self, params: Parameters, saved: Saved, dy: Array
    ) -> tuple[tuple[Array | None], dict[str, Array]]:
        (x,) = saved
        xp = namespace(dy)
        return (xp.zeros_like(x) if xp.isdtype(x.dtype, "real floating") else None,), {}

    def distance_to_kink(self, *xs: Array) -> float:
        xp = namespace(xs[0])
        floats = xs[0].size and xp.isdtype(xs[0].dtype, "real floating")
        return float(xp.min(xp.abs(xs[0]))) if floats else float("inf")


@configured(frozen=True, eq=True)
class Where(Brick):
    """One of two values, as a mask says.

    Forward    y  = a where m is not 0, else b
    Backward   da = dy where m is not 0, else 0     db = 0 there, else dy     (m is not differentiated)
    Shapes     a, b, y, da, db, dy: (N, ...), equal   m: as they, or 1 on axes that share one choice

    What is not chosen leaves no trace, not even a NaN.

    >>> import numpy as np
    >>> Where()(np.array([[1], [0]]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2)))
    array([[1., 2.],
           [0., 0.]])

    McCarthy, "Recursive Functions of Symbolic Expressions and Their Computation by Machine", 1960 (the
    conditional expression).
    """

    def output_shape(self, m: Shape, a: Shape, b: Shape) -> Shape:
        known = len(a) == len(b) == len(m) and all(
            _equal(one, other) and (size == 1 or _equal(size, one))
            for size, one, other in zip(m, a, b, strict=True)
        )
        if not known:
            raise ShapeError(
                f"Where takes a mask, then two values of one shape that the mask has too, or 1 in some of "
                f"its axes; it received {letters(m)}, {letters(a)} and {letters(b)}. Give the mask as many "
                f"axes by Reshape."
            )
        return tuple(one if one is not None else other for one, other in zip(a, b, strict=True))

    def forward(
        self, params: Parameters, m: Array, a: Array, b: Array, *, ctx: Context
    ) -> tuple[Array, Saved]:
        return namespace(a).where(m != 0, a, b), (m,)

    def backward(
        self, params: Parameters, saved: Saved, dy: Array
    ) -> tuple[tuple[Array | None, Array, Array], dict[str, Array]]:
        (m,) = saved
        xp = namespace(dy)
        nothing = xp.zeros_like(dy)
        dm = xp.zeros_like(m) if xp.isdtype(m.dtype, "real floating") else None
        return (dm, xp.where(m != 0, dy, nothing), xp.where(m != 0, nothing, dy)), {}


def _equal(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other
