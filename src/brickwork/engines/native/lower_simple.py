"""Bricks that are one instruction each: element by element functions, other shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .lowering import Functions, Plain, lowers
from .writer import Part, Writer

_LEAST = -3.0e38


def _selu_numbers() -> list[float]:
    from ...bricks.smooth import SELU_ALPHA, SELU_SCALE

    return [SELU_ALPHA, SELU_SCALE, 1.0]


_AS: dict[str, Callable[[Any], tuple[str, list[float]]]] = {
    "ELU": lambda brick: ("ELU", [brick.alpha, 1.0, 1.0]),
    "SELU": lambda brick: ("ELU", _selu_numbers()),
    "CELU": lambda brick: ("ELU", [brick.alpha, 1.0, 1.0 / brick.alpha]),
    "GELU": lambda brick: ("GELU by tanh" if brick.approximate else "GELU", []),
    "Rectifier": lambda brick: (
        "Rectifier",
        [math.inf if brick.max_value is None else brick.max_value, brick.negative_slope, brick.threshold],
    ),
    "Rescaling": lambda brick: ("Affine", [brick.scale, brick.offset]),
    **dict.fromkeys(
        ("HardSigmoid", "SparseSigmoid", "HardTanh"),
        lambda brick: ("Ramp", [brick.slope, brick.offset, brick.low, brick.high]),
    ),
}
"""Bricks whose native function has another name, or other numbers than their fields."""


@lowers(
    "ReLU",
    "LeakyReLU",
    "ELU",
    "SELU",
    "CELU",
    "Sigmoid",
    "LogSigmoid",
    "HardSigmoid",
    "SparseSigmoid",
    "Tanh",
    "TanhShrink",
    "HardTanh",
    "Softplus",
    "Softsign",
    "Squareplus",
    "SparsePlus",
    "SiLU",
    "HardSiLU",
    "GELU",
    "Mish",
    "HardShrink",
    "SoftShrink",
    "Threshold",
    "Sign",
    "Heaviside",
    "Rectifier",
    "Exp",
    "Log",
    "Reciprocal",
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
    name = type(brick).__name__
    if name in _AS:
        return _AS[name](brick)
    return name, [float(value) for value in brick.get_config().values()]


@lowers("Flatten", "Reshape", "Identity")
class AliasLowering(Plain):
    """The same numbers under another name: no instruction at all."""

    moves = True

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
