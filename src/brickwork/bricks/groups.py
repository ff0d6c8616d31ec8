"""Bricks that cut an axis of features into equal groups, which become one: Maxout, gated linear units."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from .activation import sigmoid
from .base import Brick, Context, Saved, letters
from .checks import known_size, require_axis
from .merge import to_the_first
from .shape import along

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class Grouped(Brick):
    """The groups lie one behind the other along `axis`."""

    axis: int

    def groups(self) -> int:
        """How many groups become one."""
        raise NotImplementedError

    def output_shape(self, x: Shape) -> Shape:
        """The shape of one group."""
        axis = require_axis(self, self.axis, x, repair="Give each sample its own row, as x of shape (N, F).")
        size, count = known_size(self, x, axis), self.groups()
        if size % count:
            raise ShapeError(
                f"{type(self).__name__} takes x whose axis {axis} has a size divisible by {count}; it "
                f"received {letters(x)}, {size}. Give the layer before it {-(-size // count) * count} units."
            )
        return (*x[:axis], size // count, *x[axis + 1 :])

    def cut(self, x: Array) -> list[Array]:
        """The groups."""
        size = x.shape[self.axis] // self.groups()
        return [
            x[along(self.axis, x.ndim, slice(start, start + size))]
            for start in range(0, self.groups() * size, max(size, 1))
        ]


@configured(frozen=True, eq=True)
class Maxout(Grouped):
    """The largest of some linear pieces, each a group of features.

    Forward    y  = max(x1, ..., xk)     x1, ..., xk: the features of x in k = `pieces` groups
    Backward   dxi = dy where xi is the largest, else 0
    Shapes     x, dx: (N, ..., k * F)   y, dy: (N, ..., F)

    Behind Linear and Bias with k * F units it can become any convex function as k grows. Of equal numbers the
    first takes the gradient.

    Parameters
    ----------
    pieces : how many numbers compete for each feature of y, at least 2; default 2.
    axis : the axis of the features, any but the batch axis; default -1.

    >>> import numpy as np
    >>> Maxout(2)(np.array([[1.0, 2.0, 5.0, -1.0]]))
    array([[5., 2.]])

    Goodfellow, Warde-Farley, Mirza, Courville and Bengio, "Maxout Networks", 2013.
    """

    pieces: int = argument(Whole(2), default=2)
    axis: int = argument(Whole(), default=-1)

    def groups(self) -> int:
        return self.pieces

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        y = functools.reduce(namespace(x).maximum, self.cut(x))
        return y, (y, x)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        y, x = saved
        return (namespace(dy).concat(to_the_first(y, self.cut(x), dy), axis=self.axis),), {}

    def distance_to_kink(self, *xs: Array) -> float:
        xp = namespace(xs[0])
        ordered = xp.sort(xp.stack(self.cut(xs[0])), axis=0)
        return float(xp.min(ordered[-1] - ordered[-2]))


@configured(frozen=True, eq=True)
class GLU(Grouped):
    """Gated linear unit: one half of the features, each times the sigmoid of its counterpart in the other.

    Forward    y  = a * s     s = 1 / (1 + exp(-b))     a, b: the two halves of x
    Backward   da = dy * s     db = dy * a * s * (1 - s)     dx: da and db side by side
    Shapes     x, dx: (N, ..., 2 * F)   y, dy: (N, ..., F)

    Parameters
    ----------
    axis : the axis of the features, any but the batch axis; default -1.

    >>> import numpy as np
    >>> GLU()(np.array([[4.0, 0.0]]))
    array([[2.]])

    Dauphin, Fan, Auli and Grangier, "Language Modeling with Gated Convolutional Networks", 2017.
    """

    axis: int = argument(Whole(), default=-1)

    def groups(self) -> int:
        return 2

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        a, b = self.cut(x)
        s = sigmoid(b)
        return a * s, (a, s)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        a, s = saved
        return (namespace(dy).concat([dy * s, dy * (a * (s * (1.0 - s)))], axis=self.axis),), {}
