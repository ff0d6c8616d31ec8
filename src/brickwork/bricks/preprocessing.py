"""Fixed maps of the data, part of the network so that a saved model takes the data as it comes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from ..arguments import Either, Many, Real, argument, configured
from ..arrays import Array, Shape, namespace
from ..errors import ParameterError, ShapeError
from .base import Brick, Context, Saved, letters
from .checks import require_features

Numbers: TypeAlias = "float | tuple[float, ...]"
"""One number for all features, or one for each."""

SMALLEST_DEVIATION = 1e-7
"""A feature that never changes is divided by this, as Keras does it."""


@configured(frozen=True, eq=True)
class Rescaling(Brick):
    """A fixed gain and shift: 1/255 brings the bytes of an image to [0, 1].

    Forward    y  = x * scale + offset
    Backward   dx = dy * scale
    Shapes     x, y, dx, dy: any, equal; (N, ..., F) where scale or offset are tuples of F numbers

    Parameters
    ----------
    scale : a number, or a tuple with one for each feature of the last axis.
    offset : likewise; default 0.

    >>> import numpy as np
    >>> Rescaling(1 / 127.5, offset=-1.0)(np.array([[0.0, 255.0]]))
    array([[-1.,  1.]])

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998 (on scaled inputs).
    """

    scale: Numbers = argument(Either((Real(), Many(Real()))))
    offset: Numbers = argument(Either((Real(), Many(Real()))), default=0.0)

    def output_shape(self, x: Shape) -> Shape:
        _require_lengths(self, x, scale=self.scale, offset=self.offset)
        return x

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return x * _like(x, self.scale) + _like(x, self.offset), ()

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        return (dy * _like(dy, self.scale),), {}


@configured(frozen=True, eq=True)
class Normalization(Brick):
    """Features of known mean and variance brought to 0 and 1.

    Forward    y  = (x - mean) / d     d = max(sqrt(variance), 1e-7)
    Backward   dx = dy / d
    Shapes     x, y, dx, dy: any, equal; (N, ..., F) where mean and variance are tuples of F numbers

    The numbers are fixed, as the layer's `adapt` finds them; nothing is learned.

    Parameters
    ----------
    mean : a number, or a tuple with one for each feature of the last axis.
    variance : likewise, as many; at least 0.

    >>> import numpy as np
    >>> Normalization(mean=3.0, variance=4.0)(np.array([[1.0], [5.0]]))
    array([[-1.],
           [ 1.]])

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998 (on scaled inputs).
    """

    mean: Numbers = argument(Either((Real(), Many(Real()))))
    variance: Numbers = argument(Either((Real(0.0), Many(Real(0.0)))))

    def __post_init__(self) -> None:
        super().__post_init__()
        if _length(self.mean) != _length(self.variance):
            raise ParameterError(
                f"Normalization: `mean` and `variance` must hold equally many numbers; got "
                f"{_length(self.mean)} and {_length(self.variance)}. Take both from the same data."
            )

    def output_shape(self, x: Shape) -> Shape:
        _require_lengths(self, x, mean=self.mean)
        return x

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return (x - _like(x, self.mean)) / self._deviation(x), ()

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        return (dy / self._deviation(dy),), {}

    def _deviation(self, x: Array) -> Any:
        if isinstance(self.variance, tuple):
            return _like(x, tuple(max(math.sqrt(number), SMALLEST_DEVIATION) for number in self.variance))
        return max(math.sqrt(self.variance), SMALLEST_DEVIATION)


def _like(x: Array, numbers: Numbers) -> Any:
    """A float as it is (it takes x's precision), a tuple as an array of x's precision."""
    return namespace(x).asarray(numbers, dtype=x.dtype) if isinstance(numbers, tuple) else numbers


def _length(numbers: Numbers) -> int:
    return len(numbers) if isinstance(numbers, tuple) else 1


def _require_lengths(brick: Brick, shape: Shape, **fields: Numbers) -> None:
    for name, numbers in fields.items():
        if isinstance(numbers, tuple) and require_features(brick, shape) != len(numbers):
            raise ShapeError(
                f"{type(brick).__name__} with {len(numbers)} numbers in `{name}` takes x of shape "
                f"(N, …, {len(numbers)}); it received {letters(shape)}. Give one number for each feature."
            )
