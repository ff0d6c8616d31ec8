"""Images that are read along affine maps: one instruction for each way back and forth."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...bricks import CenterCrop, RandomCrop, RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from ...bricks.sampling import FILL_MODES, Lines
from .lower_noise import random_source
from .lowering import Plain, lowers
from .values import per_sample
from .writer import Part, Writer

_FIXED = 0
_KINDS = {RandomTranslation: 1, RandomRotation: 2, RandomZoom: 3, RandomFlip: 4, RandomCrop: 5}
"""How the map follows from the draws: see native/kernels/sampling.cpp."""

_ALL = 1e30
"""A bound that holds no place back."""


@lowers(RandomTranslation, RandomRotation, RandomZoom, RandomFlip, RandomCrop, CenterCrop)
class SamplingLowering(Plain):
    """y from the pixels around each place, and dx back to them."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y; x itself where nothing is drawn and nothing cut."""
        told = self._told(writer, part)
        if told is None:
            writer.alias(part.output, part.inputs[0])
            return
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        x.compact = y.compact = True
        _, width, channels = per_sample(writer.graph.shapes[part.inputs[0]])
        ints, table = told
        writer.emit(
            "sample_image",
            [x, y, writer.room("row", width * channels + 16)],
            [*ints, 0, *random_source(part)],
            [part.brick.fill_value],
            table=table,
            spatial=True,
            multiplies=40 * y.size,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dx, along the same maps: drawing them costs less than keeping them."""
        dy, told = writer.dy(part.output), self._told(writer, part)
        if dy is None:
            return
        if told is None:
            writer.pass_on(dy, part.inputs[0])
            return
        found = writer.dx(part.inputs[0])
        if found is None:
            return
        dx, accumulate = found
        dy.compact = dx.compact = True
        ints, table = told
        writer.emit(
            "sample_image_backward",
            [dy, dx],
            [*ints, accumulate, *random_source(part)],
            [part.brick.fill_value],
            table=table,
            spatial=True,
            multiplies=80 * dy.size,
        )

    def _told(self, writer: Writer, part: Part) -> tuple[list[int], list[int]] | None:
        """Sizes and modes, and the numbers of the map; None where y is x."""
        brick, shape = part.brick, writer.graph.shapes[part.inputs[0]]
        drawn = writer.training and brick.random
        still = None if drawn and not _too_small(brick, shape) else brick.still(shape)
        if still is None and not drawn:
            return None
        if still is None:
            kind = _KINDS[type(brick)]
            numbers = [end for ends in brick.ends(shape) for end in ends]
            numbers.append(float(getattr(brick, "width", 0) is None))
        else:
            kind, numbers = _FIXED, _numbers(still)
        nearest = brick.interpolation == "nearest"
        sizes = [*per_sample(shape), *brick.size((None, *per_sample(shape)))]
        return [*sizes, kind, FILL_MODES.index(brick.fill_mode), nearest], floats_as_ints(numbers)


def _too_small(brick: Any, shape: Any) -> bool:
    return isinstance(brick, RandomCrop) and not brick.fits(shape)


def _numbers(lines: Lines) -> list[float]:
    """A map that every sample has, with its bounds."""
    columns, rows = lines.columns or (-_ALL, _ALL), lines.rows or (-_ALL, _ALL)
    return [lines.a0, lines.a2, lines.b1, lines.b2, *columns, *rows]


def floats_as_ints(numbers: list[float]) -> list[int]:
    """Numbers as float32, two in each whole number."""
    flat = np.array([*numbers, *[0.0] * (len(numbers) % 2)], np.float32)
    return [int(number) for number in flat.view(np.int64)]
