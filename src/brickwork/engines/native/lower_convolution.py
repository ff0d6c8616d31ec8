"""Convolutions and transposed convolutions of images and sequences, with their bias and rectifier."""

from __future__ import annotations

import math
from typing import Any

from ...arrays import Shape
from ...bricks import Convolution1D, Convolution2D, TransposedConvolution1D, TransposedConvolution2D
from .convolution_geometry import Geometry
from .convolution_steps import (
    MOST_TAPS,
    before_finish,
    convolve,
    finish_of,
    kernel_gradient,
    reserve_kernel,
    spread,
)
from .layout import Layout
from .lower_depthwise import DepthwiseLowering
from .lowering import lowers
from .writer import Part, Writer


class Convolving:
    """What both directions share."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Images of known size, kernels of not too many places."""
        return None not in shapes[0][1:] and math.prod(brick.kernel_size) <= MOST_TAPS

    def geometry(self, brick: Any, x: Shape) -> Geometry:
        """Numbers of the convolution, from the shape of x."""
        raise NotImplementedError

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """W is packed, with its transposes."""
        reserve_kernel(layout, self.geometry(part.brick, shapes[0]), part.key("W"))

    def of(self, writer: Writer, part: Part) -> tuple[Geometry, Any]:
        """The numbers and the kernel."""
        shape = writer.graph.shapes[part.inputs[0]]
        return self.geometry(part.brick, shape), writer.layout.kernels[part.key("W")]


@lowers(Convolution1D, Convolution2D)
class ConvolutionLowering(Convolving):
    """y = x * W, then b and ReLU where they follow, in one instruction after the border.

    Where each group has one channel, it is a depthwise convolution.
    """

    _depthwise = DepthwiseLowering()

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """A kernel that is not depthwise is packed, with its transposes."""
        if not _by_channels(part.brick, shapes[0]):
            super().reserve(layout, part, shapes)

    def geometry(self, brick: Any, x: Shape) -> Geometry:
        """From x to y."""
        return Geometry.of(brick.windows(x), int(x[-1] or 1), brick.filters, brick.groups)

    def forward(self, writer: Writer, part: Part) -> None:
        """All taps."""
        if _by_channels(part.brick, writer.graph.shapes[part.inputs[0]]):
            return self._depthwise.forward(writer, part)
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        convolve(writer, *self.of(writer, part), x, y, *finish_of(writer, part))

    def backward(self, writer: Writer, part: Part) -> None:
        """The kernel's and the bias's gradients group by group, then dx."""
        if _by_channels(part.brick, writer.graph.shapes[part.inputs[0]]):
            return self._depthwise.backward(writer, part)
        geometry, weights = self.of(writer, part)
        dy = before_finish(writer, part, geometry.filters)
        kernel_gradient(writer, geometry, weights, writer.value(part.inputs[0]), dy, part.key("W"))
        found = writer.dx(part.inputs[0])
        if found is not None:
            spread(writer, geometry, weights, dy, found[0], None, found[1])


@lowers(TransposedConvolution1D, TransposedConvolution2D)
class TransposedConvolutionLowering(Convolving):
    """The gradient of a convolution from y to x as forward, and that convolution itself as gradient."""

    def geometry(self, brick: Any, x: Shape) -> Geometry:
        """From y to x."""
        return Geometry.of(brick.windows(x), brick.filters, int(x[-1] or 1))

    def forward(self, writer: Writer, part: Part) -> None:
        """What each pixel of x adds to y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        spread(writer, *self.of(writer, part), x, y, *finish_of(writer, part))

    def backward(self, writer: Writer, part: Part) -> None:
        """The kernel's and the bias's gradients group by group, then dx."""
        geometry, weights = self.of(writer, part)
        dy = before_finish(writer, part, geometry.channels)
        kernel_gradient(writer, geometry, weights, dy, writer.value(part.inputs[0]), part.key("W"))
        found = writer.dx(part.inputs[0])
        if found is not None:
            convolve(writer, geometry, weights, dy, found[0], None, found[1])


def _by_channels(brick: Any, x: Shape) -> bool:
    return bool(brick.groups > 1 and x[-1] == brick.groups)
