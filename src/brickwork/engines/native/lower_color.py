"""Colours changed at random, and rectangles erased; in inference nothing is done."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import RandomBrightness, RandomContrast, RandomErasing, RandomHue, RandomSaturation
from .lower_noise import random_source
from .lower_sampling import floats_as_ints
from .lowering import Plain, lowers
from .values import Value, per_sample
from .writer import Part, Writer

_KINDS = {RandomBrightness: 0, RandomContrast: 1, RandomSaturation: 2, RandomHue: 3}
"""What is done: see native/kernels/color.cpp."""


class ChangingLowering(Plain):
    """In training an instruction each way, in inference none."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        if not writer.training:
            writer.alias(part.output, part.inputs[0])
            return
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        x.compact = y.compact = True
        self.draw(writer, part, x, y)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx; what was drawn is drawn once more, which costs less than keeping it."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        if not writer.training:
            writer.pass_on(dy, part.inputs[0])
            return
        found = writer.dx(part.inputs[0])
        if found is not None:
            dy.compact = found[0].compact = True
            self.draw_back(writer, part, dy, *found)

    def draw(self, writer: Writer, part: Part, x: Value, y: Value) -> None:
        """The instruction."""
        raise NotImplementedError

    def draw_back(self, writer: Writer, part: Part, dy: Value, dx: Value, accumulate: int) -> None:
        """The instruction."""
        raise NotImplementedError


@lowers(RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
class ColorLowering(ChangingLowering):
    """Colours."""

    def draw(self, writer: Writer, part: Part, x: Value, y: Value) -> None:
        """See ChangingLowering."""
        ints, floats = self._told(writer, part, 0)
        writer.emit("color_image", [x, y], ints, floats, spatial=True, multiplies=16 * x.size)

    def draw_back(self, writer: Writer, part: Part, dy: Value, dx: Value, accumulate: int) -> None:
        """See ChangingLowering."""
        ints, floats = self._told(writer, part, accumulate)
        x = writer.value(part.inputs[0])
        writer.emit("color_image_backward", [x, dy, dx], ints, floats, spatial=True, multiplies=16 * x.size)

    def _told(self, writer: Writer, part: Part, accumulate: int) -> tuple[list[int], list[float]]:
        brick = part.brick
        *places, channels = per_sample(writer.graph.shapes[part.inputs[0]])
        ints = [_KINDS[type(brick)], math.prod(places), channels, accumulate, *random_source(part)]
        return ints, [*brick.factor, *brick.value_range]


@lowers(RandomErasing)
class ErasingLowering(ChangingLowering):
    """Rectangles."""

    def draw(self, writer: Writer, part: Part, x: Value, y: Value) -> None:
        """See ChangingLowering."""
        self._emit(writer, part, x, y, 0, gradient=False)

    def draw_back(self, writer: Writer, part: Part, dy: Value, dx: Value, accumulate: int) -> None:
        """See ChangingLowering."""
        self._emit(writer, part, dy, dx, accumulate, gradient=True)

    def _emit(
        self, writer: Writer, part: Part, x: Value, y: Value, accumulate: int, *, gradient: bool
    ) -> None:
        brick: Any = part.brick
        shape = per_sample(writer.graph.shapes[part.inputs[0]])
        noise = brick.fill_value is None
        given = brick.fill_value
        numbers = given if isinstance(given, tuple) else (given or 0.0,) * shape[2]
        writer.emit(
            "erase_image",
            [x, y],
            [*shape, accumulate, *random_source(part), gradient, noise],
            [*brick.factor, *brick.scale, *brick.value_range],
            table=floats_as_ints(list(numbers)),
            spatial=True,
            multiplies=(24 if noise else 2) * x.size,
        )
