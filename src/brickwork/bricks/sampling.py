"""Images read along affine maps: the one mechanism by which bricks move, turn, zoom, flip and cut them.

Each output pixel (i, j) of a sample is read at column u = a0 j + a1 i + a2 and row v = b0 j + b1 i + b2 of
its image, between the four pixels around; a brick says which six numbers these are. The map is linear in the
image, so its backward half hands each number back to the pixels it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..arrays import Array, Shape, extra, namespace
from .base import Context, Saved
from .checks import require_image
from .seeded import Seeded

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")

Ends = tuple[float, float]


class Lines(NamedTuple):
    """The map of each sample, arrays (N, 1, 1) or plain numbers; places are kept within the bounds."""

    a0: Any = 1.0
    a1: Any = 0.0
    a2: Any = 0.0
    b0: Any = 0.0
    b1: Any = 1.0
    b2: Any = 0.0
    columns: Ends | None = None
    rows: Ends | None = None


class Sampling(Seeded):
    """What all have in common; a subclass says `ends` of its two draws and the `lines` that these give."""

    interpolation: str = "bilinear"
    fill_mode: str = "nearest"
    fill_value: float = 0.0

    def output_shape(self, x: Shape) -> Shape:
        require_image(self, x)
        return (x[0], *self.size(x), x[3])

    def size(self, x: Shape) -> tuple[int | None, int | None]:
        """Height and width of the output."""
        return x[1], x[2]

    def ends(self, x: Shape) -> tuple[Ends, Ends]:
        """Between which numbers the first and the second draw of a sample lie."""
        return (0.0, 1.0), (0.0, 1.0)

    def lines(self, one: Array, two: Array, x: Array) -> Lines:
        """The maps that the draws (N, 1, 1) give."""
        return self.still(x.shape) or Lines()

    def still(self, x: Shape) -> Lines | None:
        """The map where nothing is drawn; None where y is x."""
        return None

    def forward(self, params: Mapping[str, Array], x: Array, *, ctx: Context) -> tuple[Array, Saved]:
        lines = self._drawn(x, ctx) if ctx.training and self.random else self.still(x.shape)
        if lines is None:
            return x, (None, None, None)
        xp = namespace(x)
        n, height, width, channels = x.shape
        rows, columns = (int(size or 0) for size in self.size(x.shape))
        j = xp.reshape(xp.arange(columns, dtype=x.dtype), (1, 1, -1))
        i = xp.reshape(xp.arange(rows, dtype=x.dtype), (1, -1, 1))
        across = self._pair(j * lines.a0 + i * lines.a1 + lines.a2, width, lines.columns)
        down = self._pair(j * lines.b0 + i * lines.b1 + lines.b2, height, lines.rows)
        flat = xp.reshape(x, (n, height * width, channels))
        y: Any = 0.0
        indices, weights = [], []
        for v, high, outside_v in down:
            for u, wide, outside_u in across:
                shape = (n, rows, columns)
                index = xp.reshape(xp.broadcast_to(v * width + u, shape), (n, rows * columns, 1))
                weight = xp.reshape(xp.broadcast_to(high * wide, shape), (n, rows * columns, 1))
                y = y + xp.take_along_axis(flat, index, axis=1) * weight
                if self.fill_mode == "constant" and self.fill_value:
                    all_of_it = (high + outside_v) * (wide + outside_u)
                    filled = xp.reshape(
                        xp.broadcast_to(all_of_it - high * wide, shape), (n, rows * columns, 1)
                    )
                    y = y + filled * self.fill_value
                indices.append(index)
                weights.append(weight)
        return xp.reshape(y, (n, rows, columns, channels)), (x, tuple(indices), tuple(weights))

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Array
    ) -> tuple[tuple[Array], dict[str, Array]]:
        x, indices, weights = saved
        if x is None:
            return (dy,), {}
        xp = namespace(dy)
        n, height, width, channels = x.shape
        flat = xp.reshape(dy, (n, dy.shape[1] * dy.shape[2], channels))
        first = xp.reshape(xp.arange(n) * (height * width), (n, 1))
        dx: Any = 0.0
        for index, weight in zip(indices, weights, strict=True):
            pieces, places = (
                xp.reshape(flat * weight, (-1, channels)),
                xp.reshape(index[:, :, 0] + first, (-1,)),
            )
            dx = dx + extra(dy).scatter_add(pieces, places, n * height * width)
        return (xp.reshape(dx, x.shape),), {}

    def _drawn(self, x: Array, ctx: Context) -> Lines:
        xp = namespace(x)
        uniform = self.own(ctx).uniform(x, 2)
        one, two = (
            xp.reshape(uniform[:, place] * (high - low) + low, (-1, 1, 1))
            for place, (low, high) in enumerate(self.ends(x.shape))
        )
        return self.lines(one, two, x)

    def _pair(self, place: Array, size: int, bounds: Ends | None) -> list[tuple[Array, Any, Any]]:
        """(pixel, how much of it, how much of what is filled in) of the pixels around a place on an axis."""
        xp = namespace(place)
        place = place if bounds is None else xp.clip(place, *bounds)
        if self.interpolation == "nearest":  # halves away from 0
            found = [(xp.trunc(place + xp.where(place < 0, -0.5, 0.5)), xp.ones_like(place))]
        else:
            first = xp.floor(place)
            found = [(first, 1.0 - (place - first)), (first + 1.0, place - first)]
        pairs = []
        for pixel, weight in found:
            i = xp.astype(pixel, xp.int32)
            if self.fill_mode == "constant":
                inside = xp.astype((i >= 0) & (i < size), place.dtype)
                pairs.append((xp.clip(i, 0, size - 1), weight * inside, weight * (1.0 - inside)))
                continue
            if self.fill_mode == "wrap":
                i = i % size
            elif self.fill_mode == "reflect":
                i = i % (2 * size)
                i = xp.minimum(i, 2 * size - 1 - i)
            pairs.append((xp.clip(i, 0, size - 1), weight, 0.0))
        return pairs
