"""One number for each channel of a whole image or sequence: its largest, or its mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from ..arguments import Flag, argument, configured
from ..arrays import Array, Shape, namespace
from .base import Brick, Context, Saved
from .checks import require_places
from .pooling import index_kind

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]


class GlobalPooling(Brick):
    """What all pooling of whole images or sequences shares."""

    rank: ClassVar[int] = 2
    keepdims: bool

    def output_shape(self, x: Shape) -> Shape:
        """(N, C), with axes of size 1 between where they are kept."""
        channels = require_places(self, x, self.rank)
        return (x[0], *(1,) * (self.rank if self.keepdims else 0), channels)


class LargestOfAll(GlobalPooling):
    """Forward and backward of global max-pooling."""

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        places = _places(x)
        winner = xp.argmax(places, axis=1, keepdims=True)
        y = xp.max(places, axis=1)
        kind = index_kind(xp, places.shape[1])
        return xp.reshape(y, self.output_shape(x.shape)), (x, xp.astype(winner, kind))

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        x, winner = saved
        xp = namespace(dy)
        count = math.prod(x.shape[1:-1])
        numbers = xp.reshape(xp.arange(count, dtype=winner.dtype), (1, count, 1))
        won = xp.astype(numbers == winner, dy.dtype)
        return (xp.reshape(won * xp.reshape(dy, winner.shape), x.shape),), {}

    def distance_to_kink(self, *xs: Array) -> float:
        places = _places(xs[0])
        if places.shape[1] == 1:
            return float("inf")
        xp = namespace(places)
        ordered = xp.sort(places, axis=1)
        return float(xp.min(ordered[:, -1] - ordered[:, -2]))


class MeanOfAll(GlobalPooling):
    """Forward and backward of global average pooling."""

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        axes = tuple(range(1, x.ndim - 1))
        return namespace(x).mean(x, axis=axes, keepdims=self.keepdims), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        xp = namespace(dy)
        share = dy * (1.0 / math.prod(x.shape[1:-1]))
        spread = (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1])
        return (xp.broadcast_to(xp.reshape(share, spread), x.shape),), {}


@configured(frozen=True, eq=True)
class GlobalAveragePooling2D(MeanOfAll):
    """The mean of each channel over the whole image.

    Forward    y[n,c]      = 1/(H W) Σ_hw x[n,h,w,c]
    Backward   dx[n,h,w,c] = dy[n,c] / (H W)
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, C), with keepdims (N, 1, 1, C)

    Parameters
    ----------
    keepdims : whether y keeps axes of size 1 for rows and columns; default False.

    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[3., 4.]])

    Lin, Chen and Yan, "Network In Network", 2013.
    """

    keepdims: bool = argument(Flag(), default=False)


@configured(frozen=True, eq=True)
class GlobalAveragePooling1D(MeanOfAll):
    """The mean of each channel over the whole sequence.

    Forward    y[n,c]    = 1/T Σ_t x[n,t,c]
    Backward   dx[n,t,c] = dy[n,c] / T
    Shapes     x, dx: (N, T, C)   y, dy: (N, C), with keepdims (N, 1, C)

    Parameters
    ----------
    keepdims : whether y keeps an axis of size 1 for the steps; default False.

    >>> import numpy as np
    >>> GlobalAveragePooling1D()(np.arange(8.0).reshape(1, 4, 2))
    array([[3., 4.]])

    Lin, Chen and Yan, "Network In Network", 2013.
    """

    rank: ClassVar[int] = 1
    keepdims: bool = argument(Flag(), default=False)


@configured(frozen=True, eq=True)
class GlobalMaxPooling2D(LargestOfAll):
    """The largest number of each channel of the whole image.

    Forward    y[n,c]      = max over h, w of x[n,h,w,c]
    Backward   dx[n,h,w,c] = dy[n,c] where x[n,h,w,c] has won, 0 elsewhere
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, C), with keepdims (N, 1, 1, C)

    Of equal numbers the first one wins, read row by row.

    Parameters
    ----------
    keepdims : whether y keeps axes of size 1 for rows and columns; default False.

    >>> import numpy as np
    >>> GlobalMaxPooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[6., 7.]])

    Oquab, Bottou, Laptev and Sivic, "Is Object Localization for Free?", 2015.
    """

    keepdims: bool = argument(Flag(), default=False)


@configured(frozen=True, eq=True)
class GlobalMaxPooling1D(LargestOfAll):
    """The largest number of each channel of the whole sequence.

    Forward    y[n,c]    = max over t of x[n,t,c]
    Backward   dx[n,t,c] = dy[n,c] where x[n,t,c] has won, 0 elsewhere
    Shapes     x, dx: (N, T, C)   y, dy: (N, C), with keepdims (N, 1, C)

    Of equal numbers the first one wins.

    Parameters
    ----------
    keepdims : whether y keeps an axis of size 1 for the steps; default False.

    >>> import numpy as np
    >>> GlobalMaxPooling1D()(np.arange(8.0).reshape(1, 4, 2))
    array([[6., 7.]])

    Collobert, Weston, Bottou, Karlen, Kavukcuoglu and Kuksa, "Natural Language Processing (Almost) from
    Scratch", 2011.
    """

    rank: ClassVar[int] = 1
    keepdims: bool = argument(Flag(), default=False)


def _places(x: Array) -> Array:
    """(N, places, C)"""
    return namespace(x).reshape(x, (x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1]))
