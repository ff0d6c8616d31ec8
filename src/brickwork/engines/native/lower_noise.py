"""Noise: the bits are drawn as the reference draws them, and in the backward half once more.

Drawing them costs less than keeping them.
"""

from __future__ import annotations

import math
from typing import Any

from ...bricks import AlphaDropout, Dropout, GaussianDropout, GaussianNoise, NaiveDropout
from ...bricks.checks import shared_shape
from ...bricks.noise import SELU_LEAST, Dropping
from .lowering import Functions, Plain, lowers
from .values import Value, per_sample, shared_runs
from .writer import Part, Writer


def random_source(part: Part) -> list[int]:
    """The node's stream of random words, and its seed where it has one: see native/kernels/philox.hpp."""
    seed = part.brick.seed
    return [part.node.stream, seed is not None, (seed or 0) & 0xFFFFFFFF, (seed or 0) >> 32]


class NoiseLowering(Plain):
    """In training `draw` writes an instruction; in inference nothing is done."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        if self._works(writer, part):
            x, y = writer.value(part.inputs[0]), writer.value(part.output)
            self.draw(writer, part, x, y, 0, gradient=False)
        else:
            writer.alias(part.output, part.inputs[0])

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        if not self._works(writer, part):
            writer.pass_on(dy, part.inputs[0])
            return
        found = writer.dx(part.inputs[0])
        if found is not None:
            self.draw(writer, part, dy, *found, gradient=True)

    def _works(self, writer: Writer, part: Part) -> bool:
        return writer.training and self.size(part.brick) > 0.0

    def size(self, brick: Any) -> float:
        """What is 0 where there is no noise."""
        return float(brick.rate)

    def draw(
        self, writer: Writer, part: Part, x: Value, y: Value, accumulate: int, *, gradient: bool
    ) -> None:
        """The instruction."""
        raise NotImplementedError


@lowers(Dropout, AlphaDropout)
class DroppingLowering(NoiseLowering):
    """Numbers left out at random."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Axes that are not shared lie side by side."""
        return self._runs(brick, shapes[0]) is not None

    def draw(
        self, writer: Writer, part: Part, x: Value, y: Value, accumulate: int, *, gradient: bool
    ) -> None:
        """See NoiseLowering."""
        brick = part.brick
        runs = self._runs(brick, writer.graph.shapes[part.inputs[0]])
        for value in (x, y):
            value.compact = value.compact or runs[0] * runs[2] > 1
        kept, shift, dropped = self.numbers(brick)
        writer.emit(
            "dropout",
            [x, y],
            [*runs, accumulate, brick.threshold, *random_source(part)],
            [kept, 0.0, 0.0] if gradient else [kept, shift, dropped],
            multiplies=8 * x.size,
        )

    def numbers(self, brick: Any) -> tuple[float, float, float]:
        """What a kept number is multiplied by, what is added to it, and what takes the place of others."""
        if isinstance(brick, AlphaDropout):
            a, b = brick.numbers()
            return a, b, a * SELU_LEAST + b
        return 1.0 / (1.0 - brick.rate), 0.0, 0.0

    def _runs(self, brick: Dropping, shape: Any) -> Any:
        sample = per_sample(shape)
        if not brick.shared_axes:
            return 1, math.prod(sample), 1
        return shared_runs(shared_shape(brick, brick.shared_axes, shape), sample)


@lowers(NaiveDropout)
class NaiveDropoutLowering(DroppingLowering):
    """What is kept stays as it is; inference is scaled."""

    def numbers(self, brick: Any) -> tuple[float, float, float]:
        """See DroppingLowering."""
        return 1.0, 0.0, 0.0

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        if writer.training or part.brick.rate == 0.0:
            super().forward(writer, part)
            return
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        ints, numbers = [Functions.unary("Affine"), x.size], [1.0 - part.brick.rate, 0.0]
        writer.emit("unary", [x, y], ints, numbers, multiplies=x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        if writer.training or part.brick.rate == 0.0:
            super().backward(writer, part)
            return
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        ints, numbers = [Functions.unary("Affine"), dy.size, accumulate], [1.0 - part.brick.rate, 0.0]
        writer.emit("unary_backward", [None, dy, dx], ints, numbers, multiplies=dy.size)


class GaussianLowering(NoiseLowering):
    """Normal noise."""

    def draw(
        self, writer: Writer, part: Part, x: Value, y: Value, accumulate: int, *, gradient: bool
    ) -> None:
        """See NoiseLowering."""
        multiplies = isinstance(part.brick, GaussianDropout)
        writer.emit(
            "gaussian",
            [x, y],
            [x.size, accumulate, multiplies, *random_source(part)],
            [self.size(part.brick)],
            multiplies=24 * x.size,
        )


@lowers(GaussianDropout)
class GaussianDropoutLowering(GaussianLowering):
    """Multiplied."""

    def size(self, brick: Any) -> float:
        """See NoiseLowering."""
        return float(brick.deviation)


@lowers(GaussianNoise)
class GaussianNoiseLowering(GaussianLowering):
    """Added: dx is dy."""

    def size(self, brick: Any) -> float:
        """See NoiseLowering."""
        return float(brick.stddev)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        dy = writer.dy(part.output)
        if dy is not None:
            writer.pass_on(dy, part.inputs[0])
