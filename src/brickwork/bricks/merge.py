"""Bricks with several inputs: two or more become one."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from ..arguments import Whole, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ShapeError
from .base import Brick, Context, Saved, letters, unbroadcast
from .checks import require_axis
from .shape import along

Gradients = tuple[tuple[Array, ...], dict[str, Array]]
Parameters = Mapping[str, Array]


class Merge(Brick):
    """Two or more inputs that broadcast to one shape."""

    def output_shape(self, *xs: Shape) -> Shape:
        """The shape to which all inputs broadcast."""
        require_several(self, xs)
        return functools.reduce(lambda left, right: _broadcast(self, left, right), xs)


@configured(frozen=True, eq=True)
class Add(Merge):
    """Sum of two or more inputs.

    Forward    y  = x1 + x2 + ...
    Backward   dxi = dy, summed over the axes along which xi was broadcast
    Shapes     xi, dxi: any that broadcast to one another   y, dy: the broadcast shape

    >>> Add()([-2.0], [5.0])
    array([3.])

    He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2015.
    """

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        y, *others = xs
        for x in others:
            y = y + x
        return y, xs

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return tuple(unbroadcast(dy, x) for x in saved), {}


@configured(frozen=True, eq=True)
class Subtract(Merge):
    """Difference of two inputs.

    Forward    y   = x1 - x2
    Backward   dx1 = dy     dx2 = -dy, each summed over the axes along which it was broadcast
    Shapes     xi, dxi: any that broadcast to one another   y, dy: the broadcast shape

    >>> Subtract()([5.0], [2.0])
    array([3.])

    Bromley, Guyon, LeCun, Säckinger and Shah, "Signature Verification using a Siamese Time Delay Neural
    Network", 1993 (comparison of two outputs).
    """

    def output_shape(self, *xs: Shape) -> Shape:
        require_two(self, xs)
        return super().output_shape(*xs)

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        return xs[0] - xs[1], xs

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        first, second = saved
        return (unbroadcast(dy, first), unbroadcast(-dy, second)), {}


@configured(frozen=True, eq=True)
class Average(Merge):
    """Mean of two or more inputs, element by element.

    Forward    y   = (x1 + ... + xk) / k
    Backward   dxi = dy / k, summed over the axes along which xi was broadcast
    Shapes     xi, dxi: any that broadcast to one another   y, dy: the broadcast shape

    >>> Average()([1.0], [2.0], [6.0])
    array([3.])

    Hansen and Salamon, "Neural Network Ensembles", 1990.
    """

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        y, *others = xs
        for x in others:
            y = y + x
        return y * (1.0 / len(xs)), xs

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        each = dy * (1.0 / len(saved))
        return tuple(unbroadcast(each, x) for x in saved), {}


@configured(frozen=True, eq=True)
class Multiply(Merge):
    """Product of two or more inputs, element by element.

    Forward    y   = x1 * x2 * ...
    Backward   dxi = dy * the product of the others, summed over the axes along which xi was broadcast
    Shapes     xi, dxi: any that broadcast to one another   y, dy: the broadcast shape

    >>> Multiply()([3.0], [-4.0])
    array([-12.])

    Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997 (multiplicative gates).
    """

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        return _product(xs), xs

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        found = []
        for index, x in enumerate(saved):
            others = _product((dy, *saved[:index], *saved[index + 1 :]))
            found.append(unbroadcast(others, x))
        return tuple(found), {}


@configured(frozen=True, eq=True)
class Maximum(Merge):
    """The largest of two or more inputs, element by element.

    Forward    y   = max(x1, x2, ...)
    Backward   dxi = dy where xi is the largest, else 0, summed over the axes along which xi was broadcast
    Shapes     xi, dxi: any that broadcast to one another   y, dy: the broadcast shape

    Of equal inputs the first takes the gradient.

    >>> Maximum()([3.0, 1.0], [2.0, 5.0])
    array([3., 5.])

    Goodfellow, Warde-Farley, Mirza, Courville and Bengio, "Maxout Networks", 2013.
    """

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        y = functools.reduce(namespace(xs[0]).maximum, xs)
        return y, (y, xs)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        y, xs = saved
        return tuple(unbroadcast(dx, x) for dx, x in zip(to_the_first(y, xs, dy), xs, strict=True)), {}

    def distance_to_kink(self, *xs: Array) -> float:
        xp = namespace(xs[0])
        ordered = xp.sort(xp.stack(xp.broadcast_arrays(*xs)), axis=0)
        return float(xp.min(ordered[-1] - ordered[-2]))


@configured(frozen=True, eq=True)
class Minimum(Merge):
    """The smallest of two or more inputs, element by element.

    Forward    y   = min(x1, x2, ...)
    Backward   dxi = dy where xi is the smallest, else 0, summed over the axes along which xi was broadcast
    Shapes     xi, dxi: any that broadcast to one another   y, dy: the broadcast shape

    Of equal inputs the first takes the gradient.

    >>> Minimum()([3.0, 1.0], [2.0, 5.0])
    array([2., 1.])

    Zadeh, "Fuzzy Sets", 1965 (the intersection).
    """

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        y = functools.reduce(namespace(xs[0]).minimum, xs)
        return y, (y, xs)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        y, xs = saved
        return tuple(unbroadcast(dx, x) for dx, x in zip(to_the_first(y, xs, dy), xs, strict=True)), {}

    def distance_to_kink(self, *xs: Array) -> float:
        xp = namespace(xs[0])
        ordered = xp.sort(xp.stack(xp.broadcast_arrays(*xs)), axis=0)
        return float(xp.min(ordered[1] - ordered[0]))


@configured(frozen=True, eq=True)
class Concatenate(Brick):
    """Two or more inputs one behind the other along an axis.

    Forward    y   = x1, x2, ... side by side along `axis`
    Backward   dxi = the part of dy where xi went
    Shapes     xi, dxi: (N, ..., Fi), equal but for `axis`   y, dy: (N, ..., F1 + F2 + ...)

    Parameters
    ----------
    axis : any but the batch axis; default -1.

    >>> Concatenate()([[1.0, 2.0]], [[3.0]])
    array([[1., 2., 3.]])

    Szegedy and others, "Going Deeper with Convolutions", 2014.
    """

    axis: int = argument(Whole(), default=-1)

    def output_shape(self, *xs: Shape) -> Shape:
        require_several(self, xs)
        first = xs[0]
        axis = require_axis(
            self, self.axis, first, repair="Samples stay one below the other; join the data instead."
        )
        for shape in xs[1:]:
            others = zip(_without(first, axis), _without(shape, axis), strict=False)
            if len(shape) != len(first) or any(a != b and None not in (a, b) for a, b in others):
                raise ShapeError(
                    f"Concatenate takes shapes that are equal but for axis {axis}; it received "
                    f"{shapes_text(xs)}. Choose another axis, or bring the other axes to equal sizes."
                )
        sizes = [shape[axis] for shape in xs]
        known = [size for size in sizes if size is not None]
        total = sum(known) if len(known) == len(sizes) else None
        merged = [next((s for s in column if s is not None), None) for column in zip(*xs, strict=True)]
        return (*merged[:axis], total, *merged[axis + 1 :])

    def forward(self, params: Parameters, *xs: Array, ctx: Context) -> tuple[Array, Saved]:
        return namespace(xs[0]).concat(xs, axis=self.axis), xs

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        found = []
        start = 0
        for x in saved:
            stop = start + x.shape[self.axis]
            found.append(dy[along(self.axis, dy.ndim, slice(start, stop))])
            start = stop
        return tuple(found), {}


def to_the_first(y: Array, xs: Sequence[Array], dy: Array) -> list[Array]:
    """For each x, dy where it is the first that equals y, else 0."""
    found = []
    free = None
    for x in xs:
        won = x == y if free is None else (x == y) & free
        free = ~won if free is None else free & ~won
        found.append(dy * namespace(dy).astype(won, dy.dtype))
    return found


def require_several(brick: Brick, shapes: Sequence[Shape]) -> None:
    """Raise ShapeError for fewer than two inputs."""
    if len(shapes) < 2:
        raise ShapeError(
            f"{type(brick).__name__} takes at least 2 inputs; it received {len(shapes)}. "
            f"Name all the nodes that feed it."
        )


def require_two(brick: Brick, shapes: Sequence[Shape]) -> None:
    """Raise ShapeError for any other number of inputs."""
    if len(shapes) != 2:
        raise ShapeError(
            f"{type(brick).__name__} takes 2 inputs; it received {len(shapes)}. "
            f"Name the two nodes that feed it."
        )


def shapes_text(shapes: Sequence[Shape]) -> str:
    """Shapes one after the other, for messages."""
    return " and ".join(letters(shape) for shape in shapes)


def _product(xs: Sequence[Array]) -> Array:
    y, *others = xs
    for x in others:
        y = y * x
    return y


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])


def _broadcast(brick: Brick, left: Shape, right: Shape) -> Shape:
    """The broadcast of two shapes, in which None stands for a size that is not known."""
    short, long = (left, right) if len(left) < len(right) else (right, left)
    lead = len(long) - len(short)
    if lead and short and short[0] is None:
        raise ShapeError(
            f"{type(brick).__name__} takes shapes that broadcast; in {shapes_text((left, right))} the batch "
            f"axis of one meets another axis. Put a Reshape before {letters(short)} that gives it "
            f"{len(long)} axes."
        )
    sizes = []
    for a, b in zip(long[lead:], short, strict=True):
        if a is not None and b is not None and a != b and 1 not in (a, b):
            raise ShapeError(
                f"{type(brick).__name__} takes shapes that broadcast: equal sizes, or 1; it received "
                f"{shapes_text((left, right))}. Bring {a} and {b} to one size, for instance by a "
                f"Linear brick."
            )
        sizes.append(b if a == 1 else a if b in (1, None) else b if a is None else a)
    return (*long[:lead], *sizes)
