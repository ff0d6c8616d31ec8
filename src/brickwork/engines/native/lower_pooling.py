"""Pooling: one number for each window of an image."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from ...bricks.windows import padding_pairs
from .lowering import Plain, lowers
from .values import per_sample
from .writer import Part, Writer

_SMALL, _MOST = 256, 65536
"""Windows of up to so many taps: the winner is counted in a byte, in two."""


@lowers(MaxPooling2D)
class MaxPoolingLowering(Plain):
    """The largest number of each window; the backward half reads which it was, not x."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Windows whose taps two bytes can count."""
        return bool(math.prod(brick.pool_size) <= _MOST)

    def forward(self, writer: Writer, part: Part) -> None:
        """y, and the winners where a gradient will ask for them."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        x.compact = y.compact = True
        size = 1 if math.prod(part.brick.pool_size) <= _SMALL else 2
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
        size = 1 if math.prod(part.brick.pool_size) <= _SMALL else 2
        writer.emit(
            "max_pool_backward",
            [dy, part.notes["winners"], writer.value(part.output) if rectified else None, dx],
            [*_windows(writer, part), size, accumulate],
            multiplies=2 * dx.size,
            spatial=True,
        )


@lowers(AveragePooling2D, GlobalAveragePooling2D)
class AveragePoolingLowering(Plain):
    """The mean of each window; the whole image is one window of GlobalAveragePooling2D."""

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
    """What native/kernels/pooling.cpp calls Windows."""
    height, width, channels = per_sample(writer.graph.shapes[part.inputs[0]])
    brick = part.brick
    if isinstance(brick, GlobalAveragePooling2D):
        return [height, width, channels, 1, 1, height, width, height, width, 0, 0]
    high, wide, _ = per_sample(writer.graph.shapes[part.output])
    strides = brick.pool_size if brick.strides is None else brick.strides
    top, left = (
        before for before, _ in padding_pairs(brick.padding, (height, width), brick.pool_size, strides)
    )
    return [height, width, channels, high, wide, *brick.pool_size, *strides, top, left]
