"""Convolution2D with its bias and rectifier."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import Bias, Convolution2D, ReLU
from .convolution_geometry import Geometry, backward_border, backward_table, forward_table
from .layout import Layout
from .lower_dense import through_relu
from .lowering import lowers
from .values import Matrix, Value
from .winograd import convolve_patches, patch_gradient, with_border
from .writer import Part, Writer

_BIAS, _RELU = 2, 4
_MOST_TAPS = 1024
_REDUCED = 1 << 13
"""Numbers that a thread adds up over the chunks at a time."""


@lowers(Convolution2D)
class ConvolutionLowering:
    """y = x * W, then b and ReLU where they follow, in one instruction after the border."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Images of known size, kernels of not too many places."""
        return None not in shapes[0][1:] and math.prod(brick.kernel_size) <= _MOST_TAPS

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """W is packed, with the transposes of its taps in the opposite order."""
        brick = part.brick
        taps = math.prod(brick.kernel_size)
        geometry = Geometry.of(brick, shapes[0][1:])
        if geometry.narrow:  # one transpose of all taps together
            layout.add_kernel(part.key("W"), taps * shapes[0][-1], brick.filters)
            return
        layout.add_kernel(
            part.key("W"),
            shapes[0][-1] // brick.groups,
            brick.filters,
            taps=taps,
            groups=brick.groups,
            mirrored=True,
        )
        if geometry.by_patches:
            layout.add_winograd(part.key("W"), shapes[0][-1], brick.filters)

    def forward(self, writer: Writer, part: Part) -> None:
        """The border, then all taps."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        geometry = Geometry.of(part.brick, writer.image_shape(part.inputs[0]))
        part.notes["geometry"] = geometry
        weights = writer.layout.kernels[part.key("W")]
        bias = part.fused(Bias)
        place = None if bias is None else writer.layout.place(part.key("b", bias))
        finish = (_BIAS if bias else 0) | (_RELU if part.fused(ReLU) else 0)
        x.compact = y.compact = True
        if geometry.plain or geometry.short:
            source = x if geometry.plain else _unfolded(writer, x, geometry)
            writer.emit(
                "matmul",
                [source, y, place],
                [math.prod(geometry.output), finish, weights.matrix.space],
                matrices=[weights.matrix],
                spatial=True,
                multiplies=geometry.multiplies,
            )
            return
        if geometry.by_lines:
            bordered, wide = _lined(writer, x, geometry)
            writer.emit(
                "convolve_lines",
                [bordered, y, place],
                [finish, weights.matrix.space, wide, *geometry.output, geometry.strides[0], *geometry.kernel],
                matrices=[weights.matrix],
                spatial=True,
                multiplies=geometry.multiplies,
            )
            return
        if weights.winograd is not None:
            convolve_patches(
                writer,
                (x, geometry.size, geometry.channels),
                (y, geometry.output),
                place,
                finish,
                geometry.before,
                weights.winograd,
                geometry.multiplies,
            )
            return
        bordered, _, wide = _bordered(writer, x, geometry)
        table, depth = forward_table(geometry, wide)
        writer.emit(
            "convolve",
            [bordered, y, place],
            [
                finish,
                weights.matrix.space,
                geometry.strides[0] * wide * geometry.channels,
                geometry.strides[1] * geometry.channels,
                geometry.output[1],
                depth,
                1,
                geometry.groups,
                geometry.channels // geometry.groups,
            ],
            matrices=[weights.matrix],
            table=table,
            spatial=True,
            multiplies=geometry.multiplies,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """The kernel's and the bias's gradients group by group, then dx."""
        geometry: Geometry = part.notes["geometry"]
        x = writer.value(part.inputs[0])
        dy = through_relu(writer, part)
        dy.compact = True
        bias = part.fused(Bias)
        if bias is not None:
            sum_columns_in_chunks(writer, dy, part.key("b", bias), geometry.filters)
        key = part.key("W")
        weights = writer.layout.kernels[key]
        if writer.trains(key) and weights.winograd is not None:
            patch_gradient(writer, x, dy, geometry, weights, key)
        elif writer.trains(key) and geometry.by_lines:
            _line_gradient(writer, x, dy, geometry, weights.matrix, key)
        elif writer.trains(key):
            source, seen = (
                (_unfolded(writer, x, geometry), geometry.unfolded) if geometry.short else (x, geometry)
            )
            bordered, _, wide = _bordered(writer, source, seen)
            matrix = weights.matrix
            sums = writer.chunk_sums(f"sums({key})", matrix.size)
            writer.emit(
                "convolve_gradient",
                [bordered, dy, sums],
                [
                    wide * seen.channels,
                    seen.channels,
                    *seen.output,
                    *seen.strides,
                    *seen.kernel,
                    *seen.dilation,
                    seen.groups,
                    matrix.size,
                ],
                matrices=[matrix],
                spatial=True,
                partial=True,
                multiplies=geometry.multiplies,
            )
            reduce(writer, sums, key)
        found = writer.dx(part.inputs[0])
        if found is not None and weights.transposed is not None:
            dx, accumulate = found
            dx.compact = True
            if weights.winograd_turned is not None:
                convolve_patches(
                    writer,
                    (dy, geometry.output, geometry.filters),
                    (dx, geometry.size),
                    None,
                    accumulate,
                    (2 - geometry.before[0], 2 - geometry.before[1]),
                    weights.winograd_turned,
                    geometry.multiplies,
                )
                return
            self._input_gradient(writer, geometry, weights.transposed, dy, dx, accumulate)

    def _input_gradient(
        self, writer: Writer, geometry: Geometry, turned: Any, dy: Value, dx: Value, accumulate: int
    ) -> None:
        if geometry.narrow:
            _fold(writer, geometry, turned, dy, dx, accumulate)
            return
        if geometry.plain:
            writer.emit(
                "matmul",
                [dy, dx, None],
                [math.prod(geometry.size), accumulate, turned.space],
                matrices=[turned],
                spatial=True,
                multiplies=geometry.multiplies,
            )
            return
        high, wide, top, left = backward_border(geometry)
        bordered = dy
        if (high, wide, top, left) != (*geometry.output, 0, 0):
            bordered = writer.scratch("dy with border", (high, wide, geometry.filters))
            writer.emit(
                "pad",
                [dy, bordered],
                [*geometry.output, geometry.filters, high, wide, top, left],
                [0.0],
                spatial=True,
                multiplies=bordered.size // 4,
            )
        table, depth, passes = backward_table(geometry, wide, top, left)
        writer.emit(
            "convolve",
            [bordered, dx, None],
            [
                accumulate,
                turned.space,
                wide * geometry.filters,
                geometry.filters,
                geometry.size[1],
                depth,
                passes,
                geometry.groups,
                geometry.filters // geometry.groups,
            ],
            matrices=[turned],
            table=table,
            spatial=True,
            multiplies=geometry.multiplies,
        )


def _lined(writer: Writer, x: Value, geometry: Geometry) -> tuple[Value, int]:
    """x with its border, and the width: enough for whole vectors of pixels at each place of the kernel."""
    high = geometry.size[0] + geometry.before[0] + geometry.after[0]
    wide = geometry.size[1] + geometry.before[1] + geometry.after[1]
    wide = max(wide, geometry.line + geometry.kernel[1] - 1)
    return with_border(writer, x, geometry.size, 1, (high, wide), geometry.before), wide


def _line_gradient(writer: Writer, x: Value, dy: Value, geometry: Geometry, matrix: Matrix, key: str) -> None:
    """dW from lines of pixels."""
    bordered, wide = _lined(writer, x, geometry)
    planes = writer.scratch("planes of dy", (geometry.filters, geometry.output[0], geometry.line))
    planes.compact = True
    writer.emit(
        "planes",
        [dy, planes],
        [*geometry.output, geometry.filters, geometry.line],
        spatial=True,
        multiplies=planes.size // 4,
    )
    sums = writer.chunk_sums(f"sums({key})", matrix.size)
    writer.emit(
        "convolve_lines_gradient",
        [bordered, planes, sums],
        [wide, geometry.output[0], geometry.line, geometry.strides[0], *geometry.kernel, matrix.size],
        matrices=[matrix],
        spatial=True,
        partial=True,
        multiplies=geometry.multiplies,
    )
    reduce(writer, sums, key)


def _unfolded(writer: Writer, x: Value, geometry: Geometry) -> Value:
    """For each pixel of the output, what the kernel meets there."""
    bordered, _, wide = _bordered(writer, x, geometry)
    places = math.prod(geometry.kernel) * geometry.channels
    made = writer.scratch("unfolded", (*geometry.output, places))
    made.compact = True
    writer.emit(
        "unfold",
        [bordered, made],
        [
            wide * geometry.channels,
            geometry.channels,
            *geometry.output,
            *geometry.strides,
            *geometry.kernel,
        ],
        spatial=True,
        multiplies=made.size // 4,
    )
    return made


def _fold(writer: Writer, geometry: Geometry, turned: Any, dy: Value, dx: Value, accumulate: int) -> None:
    """dx by way of its unfolded form, a product as wide as the kernel: channels alone would be narrow."""
    places = math.prod(geometry.kernel) * geometry.channels
    made = writer.scratch("unfolded gradient", (*geometry.output, places))
    made.compact = True
    writer.emit(
        "matmul",
        [dy, made, None],
        [math.prod(geometry.output), 0, turned.space],
        matrices=[turned],
        spatial=True,
        multiplies=geometry.multiplies,
    )
    writer.emit(
        "fold",
        [made, dx],
        [
            *geometry.size,
            geometry.channels,
            *geometry.output,
            *geometry.strides,
            *geometry.kernel,
            *geometry.before,
            accumulate,
        ],
        spatial=True,
        multiplies=made.size // 4,
    )


def sum_columns_in_chunks(writer: Writer, dy: Value, key: str, columns: int) -> None:
    """The gradient of a bias of an image: sums of each chunk's samples, then of the chunks."""
    if not writer.trains(key):
        return
    sums = writer.chunk_sums(f"sums({key})", columns)
    writer.emit(
        "column_partial",
        [dy, sums],
        [dy.size // columns, columns],
        spatial=True,
        partial=True,
        multiplies=dy.size // 4,
    )
    reduce(writer, sums, key)


def reduce(writer: Writer, sums: Value, key: str) -> None:
    """A parameter's gradient from the sums of the chunks."""
    place = writer.layout.place(key)
    turn = writer.turn(key)
    # The rows of a chunk are filled in by the schedule, which decides on them.
    writer.emit_late(
        "reduce",
        [sums, place],
        [sums.size, _REDUCED, 0, turn > 0],
        parts=math.ceil(sums.size / _REDUCED),
        turn=turn,
        multiplies=sums.size // 8,
    )


def _bordered(writer: Writer, x: Value, geometry: Geometry) -> tuple[Value, int, int]:
    """x with its border of zeros, and its height and width; x itself where it needs none."""
    high = geometry.size[0] + geometry.before[0] + geometry.after[0]
    wide = geometry.size[1] + geometry.before[1] + geometry.after[1]
    return (
        with_border(writer, x, geometry.size, geometry.channels, (high, wide), geometry.before),
        high,
        wide,
    )
