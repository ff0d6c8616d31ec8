"""Bricks that move numbers about without computing: other axes, axes in another order, a part of an axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..arguments import Check, Maybe, Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from ..structs import struct
from .base import Brick, Context, Saved, letters, require_rank
from .checks import axes_text, require_axes, require_axis

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]

_BATCH = "Give it a batch: the first axis counts the samples."


class TargetShape(Check):
    """Sizes of at least 1, of which one may be -1."""

    def __call__(self, owner: str, name: str, value: Any) -> tuple[int, ...]:
        items = value if isinstance(value, (tuple, list)) else (value,)
        if any(isinstance(item, bool) or not hasattr(item, "__index__") for item in items):
            raise self.refuse_type(owner, name, value)
        sizes = tuple(item.__index__() for item in items)
        if any(size < 1 and size != -1 for size in sizes) or sizes.count(-1) > 1:
            raise self.refuse(owner, name, value)
        return sizes

    def describe(self) -> str:
        return "a tuple of whole numbers of at least 1, one of which may be -1"

    def bad(self) -> list[Any]:
        return [(0,), (-2, 3), (-1, -1), ("2",), (1.5,), "wide", None, (True,)]


@configured(frozen=True, eq=True)
class Flatten(Brick):
    """All axes but the batch axis as one, in row-major order.

    Forward    y  = x as (N, F)
    Backward   dx = dy in the shape of x
    Shapes     x, dx: (N, ...)   y, dy: (N, F), F the product of the other sizes

    >>> import numpy as np
    >>> Flatten()(np.ones((2, 4, 3))).shape
    (2, 12)

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 1, "(N, …)", _BATCH)
        return (x[0], _product(x[1:]))

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).reshape(x, (x.shape[0], math.prod(x.shape[1:]))), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        return (namespace(dy).reshape(dy, x.shape),), {}


@configured(frozen=True, eq=True)
class Reshape(Brick):
    """The numbers of each sample in other axes, in row-major order.

    Forward    y  = x as (N, *target_shape)
    Backward   dx = dy in the shape of x
    Shapes     x, dx: (N, ...)   y, dy: (N, *target_shape)

    Parameters
    ----------
    target_shape : sizes without the batch axis, at least 1; one may be -1: what is left over.

    >>> import numpy as np
    >>> Reshape((28, 28, -1))(np.ones((2, 784))).shape
    (2, 28, 28, 1)

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    target_shape: tuple[int, ...] = argument(TargetShape())

    def output_shape(self, x: Shape) -> Shape:
        require_axes(self, x, 1, "(N, …)", _BATCH)
        count = _product(x[1:])
        if count is None:
            return (x[0], *(None if size == -1 else size for size in self.target_shape))
        known = math.prod(size for size in self.target_shape if size != -1)
        fits = count % known == 0 if -1 in self.target_shape else count == known
        if not fits:
            number = f"a multiple of {known}" if -1 in self.target_shape else str(known)
            raise ShapeError(
                f"Reshape to {letters((None, *self.target_shape))} takes {number} numbers a sample; it "
                f"received {letters(x)}, {count}. Take a target_shape with the product {count}."
            )
        return (x[0], *self._sizes(count))

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        sizes = self._sizes(math.prod(x.shape[1:]))
        return namespace(x).reshape(x, (x.shape[0], *sizes)), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        return (namespace(dy).reshape(dy, x.shape),), {}

    def _sizes(self, count: int) -> tuple[int, ...]:
        """The target shape with -1 resolved for `count` numbers a sample."""
        known = math.prod(size for size in self.target_shape if size != -1)
        return tuple(count // known if size == -1 else size for size in self.target_shape)


@struct(frozen=True)
class Order(Check):
    """A sample's axes 1 to n, each once, in some order; where `batch`, behind 0, the axis of the samples."""

    batch: bool = False

    def __call__(self, owner: str, name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, (tuple, list)) or any(
            isinstance(item, bool) or not hasattr(item, "__index__") for item in value
        ):
            raise self.refuse_type(owner, name, value)
        axes = tuple(item.__index__() for item in value)
        first = 0 if self.batch else 1
        in_place = axes[:1] == (0,) if self.batch else bool(axes)
        if not in_place or sorted(axes) != list(range(first, first + len(axes))):
            raise self.refuse(owner, name, value)
        return axes

    def describe(self) -> str:
        if self.batch:
            return "a tuple of the axes of x, each once, the samples' axis 0 first, such as (0, 2, 1)"
        return "a tuple of the numbers of a sample's axes, 1 to n, each once, such as (2, 1)"

    def bad(self) -> list[Any]:
        values: list[Any] = [(1, 0), (0, 1, 1), (0, 2), (2,), (), 2, "wide", None, (1.5,), (True,)]
        return values + ([] if self.batch else [(0, 1)])


@configured(frozen=True, eq=True)
class Transpose(Brick):
    """The same numbers with the axes of each sample in another order.

    Forward    y  = x with axis axes[i] of x as axis i
    Backward   dx = dy with its axes brought back
    Shapes     x, dx: (N, ...)   y, dy: (N, ...), the sizes in the order of `axes`

    Parameters
    ----------
    axes : a permutation of the axes of x, which begins with 0: samples stay together.

    >>> import numpy as np
    >>> Transpose((0, 2, 1))(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[1., 3.],
            [2., 4.]]])

    Iverson, "A Programming Language", 1962 (the transposition of arrays).
    """

    axes: tuple[int, ...] = argument(Order(batch=True))

    def output_shape(self, x: Shape) -> Shape:
        if len(x) != len(self.axes):
            raise ShapeError(
                f"Transpose with axes={self.axes} takes x of {axes_text(len(self.axes))}; it received "
                f"{letters(x)}, {axes_text(len(x))}. Name each axis of x once, the batch axis 0 first."
            )
        return tuple(x[axis] for axis in self.axes)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).permute_dims(x, self.axes), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (namespace(dy).permute_dims(dy, self.back()),), {}

    def back(self) -> tuple[int, ...]:
        """The order of axes that undoes this one."""
        return tuple(self.axes.index(axis) for axis in range(len(self.axes)))


@configured(frozen=True, eq=True)
class RepeatVector(Brick):
    """The vector of each sample, n times over.

    Forward    y[i] = x, for i = 1, ..., n
    Backward   dx = Σ_i dy[i]
    Shapes     x, dx: (N, F)   y, dy: (N, n, F)

    Parameters
    ----------
    n : how often, at least 1.

    >>> import numpy as np
    >>> RepeatVector(2)(np.array([[1.0, 3.0]])).tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]

    Sutskever, Vinyals and Le, "Sequence to Sequence Learning with Neural Networks", 2014 (what a decoder
    reads at each step).
    """

    n: int = argument(Whole(1))

    def output_shape(self, x: Shape) -> Shape:
        require_rank(self, x, "(N, F)", "Put Flatten() before it.")
        return (x[0], self.n, x[1])

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).repeat(namespace(x).expand_dims(x, axis=1), self.n, axis=1), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (namespace(dy).sum(dy, axis=1),), {}


@configured(frozen=True, eq=True)
class Slice(Brick):
    """A part of one axis, chosen as Python's slices choose.

    Forward    y  = x[..., start:stop:step, ...] along `axis`
    Backward   dx = dy at those places, 0 elsewhere
    Shapes     x, dx: (N, ..., F, ...)   y, dy: (N, ..., G, ...), G the number of places

    Parameters
    ----------
    axis : any but the batch axis.
    start : the first place; negative counts from the end; default None, the beginning.
    stop : the place before which to end; negative counts from the end; default None, the end.
    step : at least 1; default 1.

    >>> import numpy as np
    >>> Slice(axis=1, start=1, stop=5, step=2)(np.arange(6.0).reshape(1, 6))
    array([[1., 3.]])

    Griewank and Walther, "Evaluating Derivatives", 2008.
    """

    axis: int = argument(Whole())
    start: int | None = argument(Maybe(Whole()), default=None)
    stop: int | None = argument(Maybe(Whole()), default=None)
    step: int = argument(Whole(1), default=1)

    def output_shape(self, x: Shape) -> Shape:
        axis = require_axis(self, self.axis, x, repair="Samples stay together: slice the data instead.")
        size = x[axis]
        if size is None:
            return x
        count = len(self._places(size))
        if count == 0:
            raise ShapeError(
                f"Slice takes at least one place of axis {axis}; start={self.start}, stop={self.stop} of "
                f"{letters(x)} leaves none. Choose places within [0, {size})."
            )
        return (*x[:axis], count, *x[axis + 1 :])

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x[along(self.axis, x.ndim, slice(self.start, self.stop, self.step))], (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        xp = namespace(dy)
        axis = self.axis % x.ndim
        places = self._places(x.shape[axis])
        spread = _spread(xp, dy, axis, self.step)
        before = _zeros(xp, dy, axis, places.start)
        after = _zeros(xp, dy, axis, x.shape[axis] - places.start - spread.shape[axis])
        return (xp.concat([before, spread, after], axis=axis),), {}

    def _places(self, size: int) -> range:
        return range(*slice(self.start, self.stop, self.step).indices(size))


@configured(frozen=True, eq=True)
class Flip(Brick):
    """The places of one axis in reverse order: a sequence read from its end.

    Forward    y  = x[..., ::-1, ...] along `axis`
    Backward   dx = dy in reverse order
    Shapes     x, y, dx, dy: (N, ...), equal

    Parameters
    ----------
    axis : any but the batch axis.

    >>> import numpy as np
    >>> Flip(axis=1)(np.array([[1.0, 2.0, 3.0]]))
    array([[3., 2., 1.]])

    Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997 (time in both directions).
    """

    axis: int = argument(Whole())

    def output_shape(self, x: Shape) -> Shape:
        require_axis(self, self.axis, x, repair="Samples stay in order: shuffle the data instead.")
        return x

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return namespace(x).flip(x, axis=self.axis), ()

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (namespace(dy).flip(dy, axis=self.axis),), {}


def along(axis: int, rank: int, places: slice) -> tuple[slice, ...]:
    """The index that takes `places` of one axis and all of the others."""
    return tuple(places if each == axis % rank else slice(None) for each in range(rank))


def _spread(xp: Any, dy: Array, axis: int, step: int) -> Array:
    """`step - 1` zeros between neighbours along an axis."""
    if step == 1:
        return dy
    wide = xp.expand_dims(dy, axis=axis + 1)
    gaps = xp.zeros((*dy.shape[: axis + 1], step - 1, *dy.shape[axis + 1 :]), dtype=dy.dtype)
    count = dy.shape[axis] * step
    flat = xp.reshape(
        xp.concat([wide, gaps], axis=axis + 1), (*dy.shape[:axis], count, *dy.shape[axis + 1 :])
    )
    return flat[along(axis, dy.ndim, slice(0, count - step + 1))]


def _zeros(xp: Any, like: Array, axis: int, count: int) -> Array:
    return xp.zeros((*like.shape[:axis], count, *like.shape[axis + 1 :]), dtype=like.dtype)


def _product(sizes: Shape) -> int | None:
    """The product of sizes; None where one is not known."""
    known = [size for size in sizes if size is not None]
    return math.prod(known) if len(known) == len(sizes) else None
