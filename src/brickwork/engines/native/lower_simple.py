"""Bricks that are one instruction each: element by element functions, other shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ... import bricks
from ...bricks.base import Brick
from ...bricks.smooth import SELU_ALPHA, SELU_SCALE
from .lowering import Functions, Plain, lowers
from .writer import Part, Writer

_LEAST = -3.0e38


_AS: dict[type[Brick], Callable[[Any], tuple[str, list[float]]]] = {
    bricks.ELU: lambda brick: ("ELU", [brick.alpha, 1.0, 1.0]),
    bricks.SELU: lambda brick: ("ELU", [SELU_ALPHA, SELU_SCALE, 1.0]),
    bricks.CELU: lambda brick: ("ELU", [brick.alpha, 1.0, 1.0 / brick.alpha]),
    bricks.GELU: lambda brick: ("GELU by tanh" if brick.approximate else "GELU", []),
    bricks.Rectifier: lambda brick: (
        "Rectifier",
        [math.inf if brick.max_value is None else brick.max_value, brick.negative_slope, brick.threshold],
    ),
    bricks.Rescaling: lambda brick: ("Affine", [brick.scale, brick.offset]),
    **dict.fromkeys(
        (bricks.HardSigmoid, bricks.SparseSigmoid, bricks.HardTanh),
        lambda brick: ("Ramp", [brick.slope, brick.offset, brick.low, brick.high]),
    ),
}
"""Bricks whose native function has another name, or other numbers than their fields."""


@lowers(
    bricks.ReLU,
    bricks.LeakyReLU,
    bricks.ELU,
    bricks.SELU,
    bricks.CELU,
    bricks.Sigmoid,
    bricks.LogSigmoid,
    bricks.HardSigmoid,
    bricks.SparseSigmoid,
    bricks.Tanh,
    bricks.TanhShrink,
    bricks.HardTanh,
    bricks.Softplus,
    bricks.Softsign,
    bricks.Squareplus,
    bricks.SparsePlus,
    bricks.SiLU,
    bricks.HardSiLU,
    bricks.GELU,
    bricks.Mish,
    bricks.HardShrink,
    bricks.SoftShrink,
    bricks.Threshold,
    bricks.Sign,
    bricks.Heaviside,
    bricks.Rectifier,
    bricks.Exp,
    bricks.Log,
    bricks.Reciprocal,
)
class UnaryLowering(Plain):
    """y = f(x)."""

    strided = True

    def forward(self, writer: Writer, part: Part) -> None:
        """One instruction."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        name, numbers = _function(part.brick)
        writer.emit("unary", [x, y], [Functions.unary(name), x.size], numbers, multiplies=8 * x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx = f'(x) dy, from y or x."""
        dy = writer.dy(part.output)
        if dy is not None and part.output in writer.rectified:
            writer.pass_on(dy, part.inputs[0])
            return
        found = writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        name, numbers = _function(part.brick)
        places = {"x": part.inputs[0], "y": part.output}
        read = Functions.UNARY[name]
        saved = None if read is None else writer.value(places[read])
        ints = [Functions.unary(name), dy.size, accumulate]
        writer.emit("unary_backward", [saved, dy, dx], ints, numbers, multiplies=2 * dy.size)


def _function(brick: Any) -> tuple[str, list[float]]:
    """The native function and its numbers."""
    if type(brick) in _AS:
        return _AS[type(brick)](brick)
    return type(brick).__name__, [float(value) for value in brick.get_config().values()]


@lowers(bricks.Flatten, bricks.Reshape, bricks.Identity)
class AliasLowering(Plain):
    """The same numbers under another name: no instruction at all."""

    def forward(self, writer: Writer, part: Part) -> None:
        """An alias."""
        source = writer.value(part.inputs[0])
        if len(source.shape) != 1 or len(writer.graph.shapes[part.output]) != 2:
            source.compact = True
        writer.alias(part.output, part.inputs[0])

    def backward(self, writer: Writer, part: Part) -> None:
        """dx = dy."""
        dy = writer.dy(part.output)
        if dy is not None:
            if len(writer.graph.shapes[part.inputs[0]]) != 2:
                dy.compact = True
            writer.pass_on(dy, part.inputs[0])
