"""Pooling: one number for each window of an image or of a sequence."""

from __future__ import annotations

import math
from typing import Any

from ...arrays import Shape
from ...bricks import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from ...bricks.global_pooling import GlobalPooling
from .lowering import Plain, lowers
from .values import per_sample
from .writer import Part, Writer

_SMALL, _MOST = 256, 65536
"""Windows of up to so many taps: the winner is counted in a byte, in two."""


@lowers(MaxPooling1D, MaxPooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D)
class MaxPoolingLowering(Plain):
    """The largest number of each window; the backward half reads which it was, not x."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Windows whose taps two bytes can count."""
        return _places(brick, shapes[0]) <= _MOST

    def forward(self, writer: Writer, part: Part) -> None:
        """y, and the winners where a gradient will ask for them."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        x.compact = y.compact = True
        size = _bytes(writer, part)
        winners = None
        if writer.wants(part.inputs[0]):
            winners = writer.scratch("winners", (-(-y.size * size // 4),))
        part.notes["winners"] = winners
        writer.emit(
            "max_pool",
            [x, y, winners],
            [*_windows(writer, part), size],
            multiplies=2 * x.size,
            spatial=True,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dx where x has won; behind a ReLU that nobody else reads, its gradient as well."""
        dy = writer.dy(part.output)
        rectified = writer.rectify(part.inputs[0]) if writer.wants(part.inputs[0]) else False
        found = writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        dy.compact = dx.compact = True
        size = _bytes(writer, part)
        writer.emit(
            "max_pool_backward",
            [dy, part.notes["winners"], writer.value(part.output) if rectified else None, dx],
            [*_windows(writer, part), size, accumulate],
            multiplies=2 * dx.size,
            spatial=True,
        )


@lowers(AveragePooling1D, AveragePooling2D, GlobalAveragePooling1D, GlobalAveragePooling2D)
class AveragePoolingLowering(Plain):
    """The mean of each window; the whole image is one window of global pooling."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        x.compact = y.compact = True
        writer.emit("average_pool", [x, y], _windows(writer, part), multiplies=x.size, spatial=True)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        dy.compact = dx.compact = True
        writer.emit(
            "average_pool_backward",
            [dy, dx],
            [*_windows(writer, part), 0, accumulate],
            multiplies=dx.size,
            spatial=True,
        )


def _windows(writer: Writer, part: Part) -> list[int]:
    """What native/kernels/pooling.cpp calls Windows; a sequence is an image of one row."""
    shape = per_sample(writer.graph.shapes[part.inputs[0]])
    brick = part.brick
    if isinstance(brick, GlobalPooling):
        height, width = (math.prod(shape[:-2]), shape[-2])
        return [height, width, shape[-1], 1, 1, height, width, height, width, 0, 0]
    found = brick.windows((None, *shape))
    before = [low for low, _ in found.padding]
    return [*found.size, shape[-1], *found.output, *found.window, *found.strides, *before]


def _places(brick: Any, shape: Shape) -> int:
    """Places of a window."""
    sizes = shape[1:-1] if isinstance(brick, GlobalPooling) else brick.pool_size
    return math.prod(size or 1 for size in sizes)


def _bytes(writer: Writer, part: Part) -> int:
    """Bytes in which the winner of a window is counted."""
    return 1 if _places(part.brick, writer.graph.shapes[part.inputs[0]]) <= _SMALL else 2
