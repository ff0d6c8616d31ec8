"""What attention is made of beside Linear, Softmax and Dropout.

Products of matrices that are both data, masks, and the place of each position told by sines.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from ..arguments import Flag, Real, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from .base import Brick, Context, Saved, letters, require_rank
from .checks import known_size, require_axes

Parameters = Mapping[str, Array]
LOW = -1e9
"""What stands for minus infinity in masks: e^LOW is 0, and no infinity goes into the softmax."""


@configured(frozen=True, eq=True)
class MatMul(Brick):
    """Product of two matrices for each sample, and for each of the axes between.

    Forward    y  = a @ b
    Backward   da = dy @ b.T     db = a.T @ dy
    Shapes     a, da: (N, ..., T, F)   b, db: (N, ..., F, U)   y, dy: (N, ..., T, U)

    Where `transpose_a`, a is (N, ..., F, T) and a.T takes its place; likewise b with `transpose_b`.

    Parameters
    ----------
    transpose_a : whether the last two axes of a are swapped first; default False.
    transpose_b : whether those of b are; default False.

    >>> import numpy as np
    >>> a, b = np.array([[[1.0, 2.0]]]), np.array([[[3.0, 4.0], [5.0, 6.0]]])
    >>> MatMul(transpose_b=True)(a, b)
    array([[[11., 17.]]])

    Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser and Polosukhin, "Attention Is All You Need",
    2017.
    """

    transpose_a: bool = argument(Flag(), default=False)
    transpose_b: bool = argument(Flag(), default=False)

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        for x in (a, b):
            require_axes(self, x, 3, "(N, …, T, F)", "Give each sample a matrix, by Reshape((T, F)).")
        rows, inner = (a[-1], a[-2]) if self.transpose_a else (a[-2], a[-1])
        other, columns = (b[-1], b[-2]) if self.transpose_b else (b[-2], b[-1])
        leading = len(a) == len(b) and all(map(_may_be_equal, a[:-2], b[:-2]))
        if not leading or not _may_be_equal(inner, other):
            left = "(N, …, F, T)" if self.transpose_a else "(N, …, T, F)"
            right = "(N, …, U, F)" if self.transpose_b else "(N, …, F, U)"
            raise ShapeError(
                f"MatMul takes a of shape {left} and b of shape {right} with equal F and equal axes before; "
                f"it received {letters(a)} and {letters(b)}. Set transpose_a or transpose_b, or bring the "
                f"axes into order by Transpose."
            )
        lead = tuple(m if m is not None else n for m, n in zip(a[:-2], b[:-2], strict=True))
        return (*lead, rows, columns)

    def forward(self, params: Parameters, a: Array, b: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return _turned(a, self.transpose_a) @ _turned(b, self.transpose_b), (a, b)

    def backward(
        self, params: Parameters, saved: Saved, dy: Array
    ) -> tuple[tuple[Array, Array], dict[str, Array]]:
        a, b = saved
        da = dy @ _turned(b, not self.transpose_b)
        db = _turned(a, not self.transpose_a) @ dy
        return (_turned(da, self.transpose_a), _turned(db, self.transpose_b)), {}


def _turned(x: Array, turn: bool) -> Array:
    """X with its last two axes swapped where `turn`."""
    return namespace(x).matrix_transpose(x) if turn else x


def _may_be_equal(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


@configured(frozen=True, eq=True)
class CausalMask(Brick):
    """Scores of later positions are taken away, so that a position sees itself and what was before it.

    Forward    y  = x where s <= t, else low
    Backward   dx = dy where s <= t, else 0
    Shapes     x, y, dx, dy: (N, ..., T, S), row t the asking position, column s the one that is asked

    Parameters
    ----------
    low : what stands for minus infinity; default -1e9, which a softmax makes 0.

    >>> import numpy as np
    >>> CausalMask(low=-9.0)(np.ones((1, 2, 2)))
    array([[[ 1., -9.],
            [ 1.,  1.]]])

    Vaswani and others, "Attention Is All You Need", 2017.
    """

    low: float = argument(Real(), default=LOW)

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 3, "(N, …, T, S)", "Lay it on the scores of a MatMul.")
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        keep = _causal(x)
        return x * keep + self.low * (1.0 - keep), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> tuple[tuple[Array], dict[str, Array]]:
        return (dy * _causal(dy),), {}


def _causal(x: Array) -> Array:
    """(T, S): 1 where s <= t, else 0."""
    xp = namespace(x)
    *_, rows, columns = x.shape
    return xp.astype(xp.arange(columns)[None, :] <= xp.arange(rows)[:, None], x.dtype)


@configured(frozen=True, eq=True)
class Mask(Brick):
    """Scores are taken away where a mask says 0.

    Forward    y  = x where m is not 0, else low
    Backward   dx = dy where m is not 0, else 0     (m is not differentiated)
    Shapes     x, y, dx, dy: (N, ...)   m: as x, or 1 on axes along which one mask is for all

    Parameters
    ----------
    low : what stands for minus infinity; default -1e9, which a softmax makes 0.

    >>> import numpy as np
    >>> Mask(low=-9.0)(np.ones((1, 3)), np.array([[1, 0, 1]]))
    array([[ 1., -9.,  1.]])

    Vaswani and others, "Attention Is All You Need", 2017.
    """

    low: float = argument(Real(), default=LOW)

    def output_shape(self, x: Shape, m: Shape) -> Shape:
        fits = len(x) == len(m) and all(
            _may_be_equal(size, other) or other == 1 for size, other in zip(x, m, strict=True)
        )
        if not fits:
            raise ShapeError(
                f"Mask takes a mask of the shape of x, or with 1 in some of its axes; it received "
                f"{letters(x)} and {letters(m)}. Give the mask as many axes as x has by Reshape."
            )
        return x

    def forward(self, params: Parameters, x: Array, m: Array, *, ctx: Context) -> tuple[Array, Saved]:
        keep = namespace(x).astype(m != 0, x.dtype)
        return x * keep + self.low * (1.0 - keep), (m,)

    def backward(
        self, params: Parameters, saved: Saved, dy: Array
    ) -> tuple[tuple[Array, Array | None], dict[str, Array]]:
        (m,) = saved
        xp = namespace(dy)
        dm = xp.zeros_like(m) if xp.isdtype(m.dtype, "real floating") else None
        return (dy * xp.astype(m != 0, dy.dtype), dm), {}


@configured(frozen=True, eq=True)
class SinePositions(Brick):
    """The place of each position, told by sines and cosines of many wavelengths, added.

    Forward    y  = x + P,   P[t, 2i] = sin(t / w),   P[t, 2i+1] = cos(t / w),   w = max_wavelength^(2i/F)
    Backward   dx = dy
    Shapes     x, y, dx, dy: (N, T, F)   P: (T, F), fixed

    Parameters
    ----------
    max_wavelength : of the slowest sine, in positions / 2π; above 0; default 10000.

    >>> import numpy as np
    >>> SinePositions()(np.zeros((1, 2, 2))).round(4)
    array([[[0.    , 1.    ],
            [0.8415, 0.5403]]])

    Vaswani and others, "Attention Is All You Need", 2017.
    """

    max_wavelength: float = argument(Real(0.0, low_open=True), default=10000.0)

    def output_shape(self, x: Shape) -> Shape:
        require_rank(self, x, "(N, T, F)", "Put an Embedding or Reshape((T, F)) before it.")
        known_size(self, x, 2)
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x + self.table(namespace(x), x.shape[1], x.shape[2], x.dtype), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> tuple[tuple[Array], dict[str, Array]]:
        return (dy,), {}

    def table(self, xp: Any, positions: int, features: int, dtype: Any) -> Array:
        """P, as an array of the namespace."""
        rows = _sines(self.max_wavelength, positions, features)
        return xp.reshape(xp.asarray(rows, dtype=dtype), (positions, features))


@functools.lru_cache(maxsize=8)
def _sines(longest: float, positions: int, features: int) -> tuple[tuple[float, ...], ...]:
    """P by Python's floats: the same numbers on every engine."""
    waves = [longest ** ((i - i % 2) / features) for i in range(features)]
    return tuple(
        tuple((math.cos if i % 2 else math.sin)(t / wave) for i, wave in enumerate(waves))
        for t in range(positions)
    )
