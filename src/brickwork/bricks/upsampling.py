"""Images and sequences made larger by a whole factor: every pixel repeated, or numbers between neighbours.

Along each axis a pixel of y is a weighted sum of a few pixels of x. Pixel i of y lies at (i + ½) / s - ½
among those of x, since both cover the same square; a kernel of the distance to that place gives the weights,
which are divided by their sum, so that at the border only pixels count that are there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar, TypeAlias

from ..arguments import Choice, Whole, argument, configured
from ..arrays import Array, Pair, Shape, namespace
from .base import Brick, Context, Saved
from .checks import require_places
from .windows import SIZES, Sizes, as_image, like

Gradients = tuple[tuple[Array], dict[str, Array]]
Parameters = Mapping[str, Array]

Rows: TypeAlias = tuple[tuple[tuple[int, float], ...], ...]
"""For each pixel of y along an axis: (pixel of x, weight) of those that it is made of."""


def _triangle(distance: float) -> float:
    return max(0.0, 1.0 - distance)


def _cubic(distance: float) -> float:
    """Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981, with a = -½."""
    if distance < 1.0:
        return ((1.5 * distance - 2.5) * distance) * distance + 1.0
    if distance < 2.0:
        return ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return 0.0


def _lanczos(radius: int) -> Callable[[float], float]:
    """sinc(t) sinc(t / radius); Duchon, "Lanczos Filtering in One and Two Dimensions", 1979."""

    def kernel(distance: float) -> float:
        if distance > radius:
            return 0.0
        if distance <= 1e-3:
            return 1.0
        angle = math.pi * distance
        return radius * math.sin(angle) * math.sin(angle / radius) / (angle * angle)

    return kernel


_KERNELS: dict[str, tuple[Callable[[float], float], int]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (_cubic, 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
}
"""The kernel, and the distance from which on it is 0."""


@lru_cache(maxsize=64)
def rows_of(size: int, factor: int, interpolation: str) -> Rows:
    """What each of the `size * factor` pixels along an axis is made of.

    >>> rows_of(2, 2, "bilinear")
    (((0, 1.0),), ((0, 0.75), (1, 0.25)), ((0, 0.25), (1, 0.75)), ((1, 1.0),))
    """
    if interpolation == "nearest":
        return tuple(((index // factor, 1.0),) for index in range(size * factor))
    kernel, radius = _KERNELS[interpolation]
    rows = []
    for index in range(size * factor):
        place = (index + 0.5) / factor - 0.5
        near = range(max(0, math.ceil(place) - radius), min(size, math.floor(place) + radius + 1))
        weights = [(each, kernel(abs(place - each))) for each in near]
        total = sum(weight for _, weight in weights)
        rows.append(tuple((each, weight / total) for each, weight in weights if weight != 0.0))
    return tuple(rows)


def turned(rows: Rows, size: int) -> Rows:
    """For each of the `size` pixels of x along an axis: (pixel of y, weight) of those that it goes into."""
    found: list[list[tuple[int, float]]] = [[] for _ in range(size)]
    for index, row in enumerate(rows):
        for each, weight in row:
            found[each].append((index, weight))
    return tuple(tuple(row) for row in found)


class UpSampling(Brick):
    """What upsampling of images and of sequences shares."""

    rank: ClassVar[int] = 2
    size: Sizes

    def output_shape(self, x: Shape) -> Shape:
        """(N, s H, s W, C), or (N, s T, C)."""
        channels = require_places(self, x, self.rank)
        sizes = zip(x[1:-1], self.factors[2 - self.rank :], strict=True)
        return (x[0], *(None if size is None else size * factor for size, factor in sizes), channels)

    @property
    def factors(self) -> Pair:
        """s along rows and columns; a sequence has one row."""
        raise NotImplementedError

    @property
    def between(self) -> str:
        """How what lies between pixels is found."""
        return "nearest"

    def forward(self, params: Parameters, x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        xp = namespace(x)
        y = as_image(x)
        for axis, factor in zip((1, 2), self.factors, strict=True):
            if self.between == "nearest":
                y = xp.repeat(y, factor, axis=axis)
            else:
                y = _mixed(y, axis, _matrix(rows_of(y.shape[axis], factor, self.between), y, axis))
        return like(y, x), (x,)

    def backward(self, params: Parameters, saved: Saved, dy: Array) -> Gradients:
        (x,) = saved
        xp = namespace(dy)
        dx, (n, height, width, channels) = as_image(dy), as_image(x).shape
        if self.between == "nearest":
            down, across = self.factors
            blocks = xp.reshape(dx, (n, height, down, width, across, channels))
            return (like(xp.sum(blocks, axis=(2, 4)), x),), {}
        for axis, size, factor in zip((1, 2), (height, width), self.factors, strict=True):
            matrix = _matrix(rows_of(size, factor, self.between), as_image(x), axis)
            dx = _mixed(dx, axis, xp.permute_dims(matrix, (1, 0)))
        return (like(dx, x),), {}


@configured(frozen=True, eq=True)
class UpSampling2D(UpSampling):
    """Images made larger by a whole factor.

    Forward    y[n,i,j,c]  = Σ_hw A[i,h] B[j,w] x[n,h,w,c]
    Backward   dx[n,h,w,c] = Σ_ij A[i,h] B[j,w] dy[n,i,j,c]
    Shapes     x, dx: (N, H, W, C)   y, dy: (N, s H, s W, C)

    "nearest": A[i,h] = 1 where h = i // s, so every pixel is repeated. Else A[i,h] is a kernel of the
    distance from h to (i + ½) / s - ½, divided by the sum over h: the triangle max(0, 1 - t), Keys's cubic,
    or the sinc functions of Lanczos with 3 or 5 lobes. A and B have s and sizes of their own axis.

    Parameters
    ----------
    size : s, for rows and columns or one number for both; at least 1; default (2, 2).
    interpolation : "nearest" (default), "bilinear", "bicubic", "lanczos3" or "lanczos5".

    >>> import numpy as np
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> UpSampling2D((1, 2), "bilinear")(x).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]

    Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981; in networks: Odena, Dumoulin
    and Olah, "Deconvolution and Checkerboard Artifacts", 2016.
    """

    size: Sizes = argument(SIZES, default=(2, 2))
    interpolation: str = argument(Choice(("nearest", *_KERNELS)), default="nearest")

    @property
    def factors(self) -> Pair:
        return self.size[0], self.size[1]

    @property
    def between(self) -> str:
        return self.interpolation


@configured(frozen=True, eq=True)
class UpSampling1D(UpSampling):
    """Every step of a sequence repeated.

    Forward    y[n,i,c]  = x[n, i // s, c]
    Backward   dx[n,t,c] = Σ_p dy[n, t s + p, c]
    Shapes     x, dx: (N, T, C)   y, dy: (N, s T, C)

    Parameters
    ----------
    size : s, at least 1; default 2.

    >>> import numpy as np
    >>> UpSampling1D(2)(np.array([1.0, 2.0]).reshape(1, 2, 1)).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]

    Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", 2016.
    """

    rank: ClassVar[int] = 1
    size: int = argument(Whole(1), default=2)  # type: ignore[assignment]

    @property
    def factors(self) -> Pair:
        return 1, self.size


def _matrix(rows: Rows, x: Array, axis: int) -> Array:
    """(pixels of y, pixels of x) along an axis of x, in its float type."""
    size = x.shape[axis]
    dense = [[dict(row).get(each, 0.0) for each in range(size)] for row in rows]
    return namespace(x).asarray(dense, dtype=x.dtype)


def _mixed(x: Array, axis: int, matrix: Array) -> Array:
    """The matrix times x along rows (axis 1) or columns (axis 2)."""
    xp = namespace(x)
    if axis == 2:
        return xp.matmul(matrix, x)
    n, height, width, channels = x.shape
    mixed = xp.matmul(matrix, xp.reshape(x, (n, height, width * channels)))
    return xp.reshape(mixed, (n, matrix.shape[0], width, channels))
