"""Borders added and cut off, and upsampling."""

from __future__ import annotations

from itertools import accumulate as running
from typing import Any

import numpy as np

from ...bricks import (
    Cropping1D,
    Cropping2D,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from ...bricks.upsampling import Rows, rows_of, turned
from .lowering import Plain, lowers
from .values import Value, per_sample
from .writer import Part, Writer


@lowers(ZeroPadding1D, ZeroPadding2D, Cropping1D, Cropping2D)
class BorderLowering(Plain):
    """Images copied into others; a sequence is an image of one row."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        self._emit(writer, part, (part.inputs[0], x), (part.output, y), 1)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx: the same border cut off, or added."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        made = writer.scratch("own part of dx", dx.shape) if accumulate else dx
        self._emit(writer, part, (part.output, dy), (part.inputs[0], made), -1)
        if accumulate:
            writer.emit("copy", [made, dx], [dx.size, 1], [1.0])

    def _emit(
        self, writer: Writer, part: Part, source: tuple[str, Value], to: tuple[str, Value], sign: int
    ) -> None:
        (name, x), (other, y) = source, to
        x.compact = y.compact = True
        *size, channels = _image(writer, name)
        before = [sign * low for low, _ in part.brick.border]
        writer.emit(
            "pad",
            [x, y],
            [*size, channels, *_image(writer, other)[:2], *[0] * (2 - len(before)), *before],
            [0.0],
            spatial=True,
            multiplies=y.size // 4,
        )


@lowers(UpSampling1D, UpSampling2D)
class UpSamplingLowering(Plain):
    """Each pixel a weighted sum of few others, forward and backward."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        self._emit(writer, (part.inputs[0], x), (part.output, y), self._rows(writer, part), 0)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx: the same weights, asked from the other side."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        sizes = _image(writer, part.inputs[0])[:2]
        rows = [turned(each, size) for each, size in zip(self._rows(writer, part), sizes, strict=True)]
        self._emit(writer, (part.output, dy), (part.inputs[0], found[0]), rows, found[1])

    def _rows(self, writer: Writer, part: Part) -> list[Rows]:
        brick: Any = part.brick
        sizes = _image(writer, part.inputs[0])[:2]
        return [
            rows_of(size, factor, brick.between) for size, factor in zip(sizes, brick.factors, strict=True)
        ]

    def _emit(
        self,
        writer: Writer,
        source: tuple[str, Value],
        to: tuple[str, Value],
        rows: list[Rows],
        accumulate: int,
    ) -> None:
        (name, x), (other, y) = source, to
        x.compact = y.compact = True
        _, width, channels = _image(writer, name)
        taps = [max(len(row) for row in each) for each in rows]
        writer.emit(
            "resample",
            [x, y],
            [width, channels, *_image(writer, other)[:2], accumulate],
            table=[number for each in rows for number in _table(each)],
            spatial=True,
            multiplies=taps[0] * taps[1] * y.size,
        )


def _image(writer: Writer, name: str) -> tuple[int, ...]:
    """The shape of a sample; of sequences, that of an image of one row."""
    shape = per_sample(writer.graph.shapes[name])
    return shape if len(shape) == 3 else (1, *shape)


def _table(rows: Rows) -> list[int]:
    """What native/kernels/resampling.cpp calls an Axis."""
    starts = running((len(row) for row in rows), initial=0)
    pairs = [pair for row in rows for pair in row]
    bits = np.asarray([weight for _, weight in pairs], np.float32).view(np.int32)
    return [*starts, *(int(n) for (each, _), w in zip(pairs, bits, strict=True) for n in (each, w))]
