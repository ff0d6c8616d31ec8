"""A border of zeros around images and sequences, or their border cut off: each is the other's gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

from ..arguments import Check, Whole, argument, configured
from ..arrays import Array, Pair, Shape, extra
from ..errors import ParameterError, ParameterTypeError, ShapeError
from ..structs import struct
from .base import Brick, Context, Saved, letters
from .checks import require_places
from .windows import pairs_of

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]

Border: TypeAlias = "Pair | tuple[Pair, Pair]"
"""(before, behind) of sequences, ((top, bottom), (left, right)) of images."""


@struct(frozen=True)
class BorderWidths(Check):
    """Widths before and behind along each of `axes` axes; fewer numbers stand for several equal ones."""

    axes: int

    def __call__(self, owner: str, name: str, value: Any) -> Border:
        """(before, behind), or a pair of such pairs."""
        whole = hasattr(value, "__index__") and not isinstance(value, bool)
        if not whole and (isinstance(value, (str, bytes)) or not hasattr(value, "__iter__")):
            raise self.refuse_type(owner, name, value)
        try:
            first, second = (value, value) if whole else value
            if self.axes == 1:
                return _width(first), _width(second)
            return _pair(first), _pair(second)
        except ParameterTypeError:
            raise self.refuse_type(owner, name, value) from None
        except (ParameterError, ValueError):
            raise self.refuse(owner, name, value) from None

    def describe(self) -> str:
        """The allowed values."""
        if self.axes == 1:
            return "a whole number of at least 0, or a pair (before, behind) of them"
        return (
            "a whole number of at least 0, a pair (rows, columns), or a pair of pairs "
            "((top, bottom), (left, right))"
        )

    def bad(self) -> list[Any]:
        """Values that are refused."""
        return ["wide", -1, 1.5, True, (1, 2, 3), (1, -2), ((1,), 2), None]


def _width(value: Any) -> int:
    return Whole(0)("", "", value)


def _pair(value: Any) -> Pair:
    if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)):
        before, behind = value
        return _width(before), _width(behind)
    return _width(value), _width(value)


class Bordering(Brick):
    """What padding and cropping share."""

    rank: ClassVar[int] = 2

    @property
    def border(self) -> tuple[Pair, ...]:
        """(before, behind) of each axis: what is added, or where negative cut off."""
        raise NotImplementedError

    def output_shape(self, x: Shape) -> Shape:
        """x with other sizes along the axes that have a border."""
        channels = require_places(self, x, self.rank)
        sizes = []
        axes = ("steps",) if self.rank == 1 else ("rows", "columns")
        for size, pair, axis in zip(x[1:-1], self.border, axes, strict=True):
            if size is not None and size + sum(pair) < 1:
                raise ShapeError(
                    f"{type(self).__name__} that cuts off {-sum(pair)} {axis} takes x with at least "
                    f"{1 - sum(pair)}; it received {letters(x)}, {size}. Cut off less."
                )
            sizes.append(None if size is None else size + sum(pair))
        return (x[0], *sizes, channels)

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        return _bordered(x, self.border), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        return (_bordered(dy, tuple((-before, -behind) for before, behind in self.border)),), {}


class Padded(Bordering):
    """A border of zeros."""

    padding: Border

    @property
    def border(self) -> tuple[Pair, ...]:
        """What is added."""
        return pairs_of(self.padding)


class Cropped(Bordering):
    """A border cut off."""

    cropping: Border

    @property
    def border(self) -> tuple[Pair, ...]:
        """What is cut off, as negative numbers."""
        return tuple((-before, -behind) for before, behind in pairs_of(self.cropping))


@configured(frozen=True, eq=True)
class ZeroPadding2D(Padded):
    """Zeros around each image.

    Forward    y[n,i,j,c]  = x[n, i - top, j - left, c], 0 outside of x
    Backward   dx[n,h,w,c] = dy[n, h + top, w + left, c]
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, H + top + bottom, W + left + right, C)

    Parameters
    ----------
    padding : ((top, bottom), (left, right)), or (rows, columns) on both sides alike, or one number for all;
        at least 0; default 1.

    >>> import numpy as np
    >>> ZeroPadding2D(((1, 0), (0, 2)))(np.ones((1, 1, 1, 1)))[0, :, :, 0]
    array([[0., 0., 0.],
           [1., 0., 0.]])

    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    padding: Border = argument(BorderWidths(2), default=((1, 1), (1, 1)))


@configured(frozen=True, eq=True)
class ZeroPadding1D(Padded):
    """Zeros before and behind each sequence.

    Forward    y[n,i,c]  = x[n, i - before, c], 0 outside of x
    Backward   dx[n,t,c] = dy[n, t + before, c]
    Shapes     x, dx: (N, T, C)   y, dy: (N, T + before + behind, C)

    Parameters
    ----------
    padding : (before, behind), or one number for both; at least 0; default 1.

    >>> import numpy as np
    >>> ZeroPadding1D((1, 2))(np.ones((1, 2, 1))).ravel().tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]

    Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme Recognition Using Time-Delay Neural Networks", 1989.
    """

    rank: ClassVar[int] = 1
    padding: Border = argument(BorderWidths(1), default=(1, 1))


@configured(frozen=True, eq=True)
class Cropping2D(Cropped):
    """Each image without its border.

    Forward    y[n,i,j,c]  = x[n, i + top, j + left, c]
    Backward   dx[n,h,w,c] = dy[n, h - top, w - left, c], 0 outside of y
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, H - top - bottom, W - left - right, C)

    Parameters
    ----------
    cropping : ((top, bottom), (left, right)), or (rows, columns) on both sides alike, or one number for all;
        at least 0; default 0.

    >>> import numpy as np
    >>> Cropping2D(((1, 0), (0, 2)))(np.arange(9.0).reshape(1, 3, 3, 1)).ravel().tolist()
    [3.0, 6.0]

    Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015.
    """

    cropping: Border = argument(BorderWidths(2), default=((0, 0), (0, 0)))


@configured(frozen=True, eq=True)
class Cropping1D(Cropped):
    """Each sequence without its ends.

    Forward    y[n,i,c]  = x[n, i + before, c]
    Backward   dx[n,t,c] = dy[n, t - before, c], 0 outside of y
    Shapes     x, dx: (N, T, C)   y, dy: (N, T - before - behind, C)

    Parameters
    ----------
    cropping : (before, behind), or one number for both; at least 0; default 1.

    >>> import numpy as np
    >>> Cropping1D((1, 0))(np.arange(3.0).reshape(1, 3, 1)).ravel().tolist()
    [1.0, 2.0]

    Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015.
    """

    rank: ClassVar[int] = 1
    cropping: Border = argument(BorderWidths(1), default=(1, 1))


def _bordered(x: Array, border: tuple[Pair, ...]) -> Array:
    """x with zeros around it, or where widths are negative without what they cut off."""
    inner = x[
        (
            slice(None),
            *(
                slice(max(-before, 0), size - max(-behind, 0))
                for size, (before, behind) in zip(x.shape[1:-1], border, strict=True)
            ),
        )
    ]
    widths = [(max(before, 0), max(behind, 0)) for before, behind in border]
    return extra(x).pad(inner, ((0, 0), *widths, (0, 0)))
