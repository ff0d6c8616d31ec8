"""Bricks that are linear in their parameters and act on the last axis: a map, a shift, a gain.

A dense layer is Linear, then Bias; a dense layer on images or sequences acts on every position alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from ..initializers import GlorotUniform, Ones, Zeros
from .base import Brick, Context, ParameterSpec, Saved, letters
from .checks import require_features


@configured(frozen=True, eq=True)
class Linear(Brick):
    """Linear map of the last axis.

    Forward    y  = x @ W
    Backward   dx = dy @ W.T     dW = x.T @ dy
    Shapes     x, dx: (N, ..., F)   W, dW: (F, U)   y, dy: (N, ..., U)

    In dW, all axes but the last are taken together as rows.

    Parameters
    ----------
    units : U, the size of y's last axis; at least 1.

    >>> import numpy as np
    >>> W = np.array([[3.0, 1.0, 7.0], [8.0, 2.0, 4.0]])
    >>> Linear(3)(np.array([[0.0, 3.0]]), params={"W": W})
    array([[24.,  6., 12.]])

    Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986.
    """

    units: int = argument(Whole(1))

    def output_shape(self, x: Shape) -> Shape:
        require_features(self, x)
        return (*x[:-1], self.units)

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"W": ParameterSpec((require_features(self, x), self.units), GlorotUniform())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return _matmul_last(x, params["W"]), (x,)

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> tuple[Array]:
        return (_matmul_last(dy, params["W"].T),)

    def parameter_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Array) -> dict[str, Array]:
        (x,) = saved
        return {"W": as_rows(x).T @ as_rows(dy)}


@configured(frozen=True, eq=True)
class Bias(Brick):
    """A number for each feature of the last axis, added.

    Forward    y  = x + b
    Backward   dx = dy     db = Σ dy over all axes but the last
    Shapes     x, y, dx, dy: (N, ..., F)   b, db: (F,)

    >>> import numpy as np
    >>> Bias()(np.array([[24.0, 6.0, 12.0]]), params={"b": np.array([1.0, 2.0, 3.0])})
    array([[25.,  8., 15.]])

    Widrow and Hoff, "Adaptive switching circuits", 1960.
    """

    def output_shape(self, x: Shape) -> Shape:
        require_features(self, x)
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"b": ParameterSpec((require_features(self, x),), Zeros())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x + params["b"], ()

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        return (dy,), {"b": sum_to_features(dy)}


@configured(frozen=True, eq=True)
class StackedBias(Brick):
    """A number for each feature of the last axis, added; the numbers are kept as several rows.

    Forward    y  = x + (the rows of b one behind the other)
    Backward   dx = dy     db = Σ dy over all axes but the last, in rows again
    Shapes     x, y, dx, dy: (N, ..., F)   b, db: (rows, F / rows)

    Where several values are laid side by side, each has a row of its own: a gated recurrent unit adds one
    bias to what comes in and one to what comes from its state, and keeps both as one array.

    Parameters
    ----------
    rows : how many rows, at least 1; F is a multiple of it; default 2.

    >>> import numpy as np
    >>> StackedBias()(np.zeros((1, 4)), params={"b": np.array([[1.0, 2.0], [3.0, 4.0]])})
    array([[1., 2., 3., 4.]])

    Cho and others, "Learning Phrase Representations using RNN Encoder-Decoder", 2014 (the unit that has two).
    """

    rows: int = argument(Whole(1), default=2)

    def output_shape(self, x: Shape) -> Shape:
        self._width(x)
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"b": ParameterSpec((self.rows, self._width(x)), Zeros())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        b = params["b"]
        return x + namespace(b).reshape(b, (x.shape[-1],)), ()

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        return (dy,), {"b": namespace(dy).reshape(sum_to_features(dy), (self.rows, -1))}

    def _width(self, x: Shape) -> int:
        features = require_features(self, x)
        if features % self.rows:
            raise ShapeError(
                f"StackedBias takes a multiple of {self.rows} features; it received {letters(x)}, "
                f"{features}. Lay values of one width side by side."
            )
        return features // self.rows


@configured(frozen=True, eq=True)
class Scale(Brick):
    """A learned gain for each feature of the last axis; it starts at 1.

    Forward    y  = gamma * x
    Backward   dx = gamma * dy     dgamma = Σ x * dy over all axes but the last
    Shapes     x, y, dx, dy: (N, ..., F)   gamma, dgamma: (F,)

    >>> import numpy as np
    >>> Scale()(np.array([[1.0, 2.0]]), params={"gamma": np.array([3.0, 0.5])})
    array([[3., 1.]])

    Ba, Kiros and Hinton, "Layer Normalization", 2016 (the gain).
    """

    def output_shape(self, x: Shape) -> Shape:
        require_features(self, x)
        return x

    def parameters(self, x: Shape) -> dict[str, ParameterSpec]:
        return {"gamma": ParameterSpec((require_features(self, x),), Ones())}

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return params["gamma"] * x, (x,)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        (x,) = saved
        return (params["gamma"] * dy,), {"gamma": sum_to_features(x * dy)}


def as_rows(x: Array) -> Array:
    """All axes but the last as one: (N, ..., F) -> (rows, F)."""
    if x.ndim == 2:
        return x
    return namespace(x).reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def sum_to_features(x: Array) -> Array:
    """Sum over all axes but the last.

    The samples are added first: long rows add several times faster than short ones, and sums of sums
    round less than one long sum does.
    """
    xp = namespace(x)
    total = xp.sum(x, axis=0)
    return total if total.ndim == 1 else xp.sum(as_rows(total), axis=0)


def _matmul_last(x: Array, W: Array) -> Array:
    """X @ W on rows: one matrix product instead of one for each leading index."""
    if x.ndim == 2:
        return x @ W
    return namespace(x).reshape(as_rows(x) @ W, (*x.shape[:-1], W.shape[1]))
