"""Layers that make one value of several, called on a list: `Add()([a, b])`; as a function, `add([a, b])`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import bricks
from ..arguments import Either, Flag, Many, Whole, argument, configured
from ..bricks.base import Brick, letters
from ..errors import ShapeError
from ..graph.symbol import Symbol
from .base import Layer
from .masks import united


class Merging(Layer):
    """What the merging layers share."""

    takes_list = True
    supports_masking = True
    passes_mask = False

    def _brick(self) -> Brick:
        raise NotImplementedError

    def lay(self, *xs: Symbol) -> Any:
        """The inputs, brought to one number of axes, into the brick."""
        self._require_list(xs)
        y = self.put(self._brick(), *self._aligned(xs))
        y.mask = self._mask(xs)
        return y

    def _mask(self, xs: Sequence[Symbol]) -> Symbol | None:
        return united(self, xs)

    def _require_list(self, xs: Sequence[Symbol]) -> None:
        name = f"{type(self).__name__} {self.name!r}"
        if len(xs) < 2:
            raise ShapeError(
                f"{name} is called on a list of at least 2 inputs; it received {len(xs)}. "
                f"Write {type(self).__name__}()([a, b])."
            )
        if len({x.shape[0] for x in xs if x.shape and x.shape[0] is not None}) > 1:
            raise ShapeError(
                f"{name} takes inputs with equally many samples; it received "
                f"{', '.join(letters(x.shape) for x in xs)}. Give all of them the same batch size."
            )

    def _aligned(self, xs: Sequence[Symbol]) -> list[Symbol]:
        """Inputs with fewer axes get axes of 1 after the batch axis, so that samples meet samples."""
        most = max(len(x.shape) for x in xs)
        return [
            x if len(x.shape) == most else self._widened(x, most - len(x.shape), index)
            for index, x in enumerate(xs)
        ]

    def _widened(self, x: Symbol, more: int, index: int) -> Any:
        sizes = [-1 if size is None else size for size in x.shape[1:]]
        if sizes.count(-1) > 1:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} adds axes to an input with at most one unknown size; "
                f"it received {letters(x.shape)}. Put a Reshape before it."
            )
        return self.put(bricks.Reshape((*(1,) * more, *sizes)), x, role=f"reshape_{index}")


@configured()
class Add(Merging):
    """Sum of two or more inputs, element by element; sizes of 1 broadcast.

    >>> import numpy as np
    >>> Add()([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])])
    array([[4., 6.]], dtype=float32)
    """

    def _brick(self) -> Brick:
        return bricks.Add()


@configured()
class Multiply(Merging):
    """Product of two or more inputs, element by element; sizes of 1 broadcast.

    >>> import numpy as np
    >>> Multiply()([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])])
    array([[3., 8.]], dtype=float32)
    """

    def _brick(self) -> Brick:
        return bricks.Multiply()


@configured()
class Maximum(Merging):
    """The largest of two or more inputs, element by element; sizes of 1 broadcast.

    >>> import numpy as np
    >>> Maximum()([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])])
    array([[3., 4.]], dtype=float32)
    """

    def _brick(self) -> Brick:
        return bricks.Maximum()


@configured()
class Subtract(Merging):
    """Difference of two inputs, element by element; sizes of 1 broadcast.

    >>> import numpy as np
    >>> Subtract()([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])])
    array([[-2.,  2.]], dtype=float32)
    """

    def _brick(self) -> Brick:
        return bricks.Subtract()


@configured()
class Average(Merging):
    """Mean of two or more inputs, element by element; sizes of 1 broadcast.

    >>> import numpy as np
    >>> Average()([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])])
    array([[2., 3.]], dtype=float32)
    """

    def _brick(self) -> Brick:
        return bricks.Average()


@configured()
class Minimum(Merging):
    """The smallest of two or more inputs, element by element; sizes of 1 broadcast.

    >>> import numpy as np
    >>> Minimum()([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])])
    array([[1., 2.]], dtype=float32)
    """

    def _brick(self) -> Brick:
        return bricks.Minimum()


@configured()
class Dot(Merging):
    """Products of the vectors of two inputs along one axis of each, sample by sample: see `bricks.Dot`.

    Parameters
    ----------
    axes : the axis of each input along which to multiply, counted from 1 or from the end; one number for
        both, or two.
    normalize : whether vectors are brought to length 1 first, so that y is the cosine of the angle between
        them; default False.

    >>> import numpy as np
    >>> Dot(axes=1)([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])])
    array([[11.]], dtype=float32)
    """

    axes: Any = argument(Either((Whole(), Many(Whole(), 2))))
    normalize: bool = argument(Flag(), default=False)

    def _brick(self) -> bricks.Dot:
        return bricks.Dot(self.axes)

    def lay(self, *xs: Symbol) -> Any:
        """UnitNormalization of each if asked for, then Dot."""
        self._require_list(xs)
        brick = self._brick()
        brick.output_shape(*(x.shape for x in xs))
        if self.normalize:
            places = brick.places(*(len(x.shape) for x in xs))
            xs = tuple(
                self.put(bricks.UnitNormalization((place,)), x, role=f"unit_{index}")
                for index, (x, place) in enumerate(zip(xs, places, strict=True))
            )
        return self.put(brick, *xs)


@configured()
class Concatenate(Merging):
    """Two or more inputs one behind the other along an axis; their other sizes are equal.

    Parameters
    ----------
    axis : any but the batch axis; default -1.

    >>> import numpy as np
    >>> Concatenate()([np.array([[1.0, 2.0]]), np.array([[3.0]])])
    array([[1., 2., 3.]], dtype=float32)
    """

    axis: int = argument(Whole(), default=-1)

    def _brick(self) -> Brick:
        return bricks.Concatenate(self.axis)

    def _aligned(self, xs: Sequence[Symbol]) -> list[Symbol]:
        """As they are: an input with another number of axes is a mistake here."""
        return list(xs)

    def _mask(self, xs: Sequence[Symbol]) -> Symbol | None:
        """Where sequences are joined end to end, so are their masks, with 1 for those that have none."""
        joined = self.axis in (1, 1 - len(xs[0].shape)) and len(xs[0].shape) > 2
        if not joined or all(x.mask is None for x in xs):
            return super()._mask(xs)
        masks = [self._ones(x, index) if x.mask is None else x.mask for index, x in enumerate(xs)]
        made: Symbol = self.put(bricks.Concatenate(1), *masks, role="mask")
        return made

    def _ones(self, x: Symbol, index: int) -> Any:
        """1 for each moment."""
        moments = -1 if x.shape[1] is None else x.shape[1]
        size = math.prod(int(each or 1) for each in x.shape[2:])
        flat = self.put(bricks.Reshape((moments, size)), x, role=f"flat_{index}")
        first = self.put(bricks.Slice(-1, 0, 1), flat, role=f"first_{index}")
        one = self.put(bricks.Rescaling(0.0, 1.0), first, role=f"ones_{index}")
        return self.put(bricks.Reshape((moments,)), one, role=f"all_{index}")


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`: the sum of a list of inputs.

    >>> import numpy as np
    >>> float(add([np.ones((1, 1)), np.ones((1, 1))])[0, 0])
    2.0
    """
    return Add(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`: the product of a list of inputs.

    >>> import numpy as np
    >>> float(multiply([np.full((1, 1), 2.0), np.full((1, 1), 3.0)])[0, 0])
    6.0
    """
    return Multiply(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`: the largest of a list of inputs.

    >>> import numpy as np
    >>> float(maximum([np.full((1, 1), 2.0), np.full((1, 1), 3.0)])[0, 0])
    3.0
    """
    return Maximum(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`: the difference of a list of two inputs.

    >>> import numpy as np
    >>> float(subtract([np.full((1, 1), 2.0), np.full((1, 1), 3.0)])[0, 0])
    -1.0
    """
    return Subtract(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`: the mean of a list of inputs.

    >>> import numpy as np
    >>> float(average([np.full((1, 1), 2.0), np.full((1, 1), 3.0)])[0, 0])
    2.5
    """
    return Average(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`: the smallest of a list of inputs.

    >>> import numpy as np
    >>> float(minimum([np.full((1, 1), 2.0), np.full((1, 1), 3.0)])[0, 0])
    2.0
    """
    return Minimum(**kwargs)(inputs)


def dot(inputs: Any, axes: int | tuple[int, int] = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`: products of the vectors of two inputs along one axis of each.

    >>> import numpy as np
    >>> float(dot([np.full((1, 3), 2.0), np.full((1, 3), 3.0)])[0, 0])
    18.0
    """
    return Dot(axes, **kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`: a list of inputs one behind the other.

    >>> import numpy as np
    >>> concatenate([np.ones((1, 2)), np.ones((1, 3))]).shape
    (1, 5)
    """
    return Concatenate(axis, **kwargs)(inputs)
