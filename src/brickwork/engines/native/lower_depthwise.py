"""Depthwise convolutions: every channel by itself, with the bias and rectifier that follow."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import DepthwiseConvolution1D, DepthwiseConvolution2D
from .convolution_geometry import Geometry, residues
from .convolution_steps import MOST_TAPS, before_finish, finish_of, reduce
from .lowering import Plain, lowers
from .values import Place, Value
from .writer import Part, Writer


@lowers(DepthwiseConvolution1D, DepthwiseConvolution2D)
class DepthwiseLowering(Plain):
    """Channel by channel; W lies as it is, its last two axes as one.

    Where a channel has several outputs, x is laid out with each channel repeated, and dx summed over copies.
    """

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Images of known size, kernels of not too many places."""
        return None not in shapes[0][1:] and math.prod(brick.kernel_size) <= MOST_TAPS

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        geometry, copies = _geometry(writer, part)
        x, y = _repeated(writer, part, geometry, copies), writer.value(part.output)
        bias, finish = finish_of(writer, part)
        weights = writer.layout.place(part.key("W"))
        passes = [[_forward_pass(geometry, axis)] for axis in (0, 1)]
        _emit(writer, geometry, (x, geometry.size), (y, geometry.output[1]), weights, bias, finish, passes)

    def backward(self, writer: Writer, part: Part) -> None:
        """dW and db from the sums of the chunks, then dx."""
        geometry, copies = _geometry(writer, part)
        dy, key = before_finish(writer, part, geometry.channels), part.key("W")
        if writer.trains(key):
            self._kernel_gradient(writer, part, geometry, copies, dy)
        found = writer.dx(part.inputs[0])
        if found is None:
            return
        dx, accumulate = found
        dx.compact = True
        apart = dx if copies == 1 else writer.scratch("dx of each copy", (*geometry.size, geometry.channels))
        passes = [_backward_passes(geometry, axis) for axis in (0, 1)]
        finish = accumulate if copies == 1 else 0
        source, made = (dy, geometry.output), (apart, geometry.size[1])
        _emit(writer, geometry, source, made, writer.layout.place(key), None, finish, passes)
        if copies > 1:
            own = writer.scratch("own part of dx", dx.shape) if accumulate else dx
            writer.emit("sum_axes", [apart, own], [dx.size, copies, 1], spatial=True, multiplies=apart.size)
            if accumulate:
                writer.emit("copy", [own, dx], [dx.size, 1], [1.0])

    def _kernel_gradient(
        self, writer: Writer, part: Part, geometry: Geometry, copies: int, dy: Value
    ) -> None:
        key = part.key("W")
        sums = writer.chunk_sums(f"sums({key})", math.prod(geometry.kernel) * geometry.channels)
        writer.emit(
            "depthwise_gradient",
            [_repeated(writer, part, geometry, copies), dy, sums],
            [*geometry.size, geometry.channels, geometry.output[1], geometry.kernel[1], sums.size],
            table=[*_forward_pass(geometry, 0), *_forward_pass(geometry, 1)],
            spatial=True,
            partial=True,
            multiplies=geometry.multiplies,
        )
        reduce(writer, sums, key)


def _geometry(writer: Writer, part: Part) -> tuple[Geometry, int]:
    """The numbers, with as many channels as y has, and how many of them read one of x."""
    x, y = (writer.graph.shapes[name] for name in (part.inputs[0], part.node.name))
    channels = int(y[-1] or 1)
    geometry = Geometry.of(part.brick.windows(x), channels, channels, channels)
    return geometry, channels // int(x[-1] or 1)


def _repeated(writer: Writer, part: Part, geometry: Geometry, copies: int) -> Value:
    """x with each channel as often as it is read."""
    x = writer.value(part.inputs[0])
    x.compact = True
    if copies == 1:
        return x
    made = writer.scratch("repeated", (*geometry.size, geometry.channels))
    made.compact = True
    writer.emit("spread_axes", [x, made], [x.size, copies, 1, 0], spatial=True, multiplies=made.size)
    return made


def _emit(
    writer: Writer,
    geometry: Geometry,
    source: tuple[Value, tuple[int, int]],
    made: tuple[Value, int],
    weights: Place,
    bias: Place | None,
    finish: int,
    passes: list[list[list[int]]],
) -> None:
    (x, size), (y, wide) = source, made
    x.compact = y.compact = True
    writer.emit(
        "depthwise",
        [x, y, weights, bias],
        [*size, geometry.channels, wide, geometry.kernel[1], finish, len(passes[0]), len(passes[1])],
        table=[number for axis in passes for one in axis for number in one],
        spatial=True,
        multiplies=geometry.multiplies,
    )


def _forward_pass(geometry: Geometry, axis: int) -> list[int]:
    """All pixels of y along an axis: see native/kernels/depthwise.cpp."""
    places = range(geometry.kernel[axis])
    pairs = [(p, p * geometry.dilation[axis] - geometry.before[axis]) for p in places]
    numbers = [0, 1, geometry.output[axis], geometry.strides[axis], len(pairs)]
    return [*numbers, *(number for pair in pairs for number in pair)]


def _backward_passes(geometry: Geometry, axis: int) -> list[list[int]]:
    """The pixels of x along an axis, by their residue modulo the stride."""
    return [
        [first, geometry.strides[axis], count, 1, len(pairs), *(number for pair in pairs for number in pair)]
        for first, count, pairs in residues(geometry, axis)
    ]
