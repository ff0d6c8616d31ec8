"""The instructions of a convolution: forward, and the gradients of its kernel and of its input.

Lowerings say which value takes which part: a transposed convolution is the gradient of one from y to x.
"""

from __future__ import annotations

import math

from ...bricks import Bias, ReLU
from .convolution_geometry import Geometry, backward_border, backward_table, forward_table
from .layout import Layout
from .lower_dense import through_relu
from .lowering import Functions
from .values import Matrix, Place, Value, Weights
from .winograd import convolve_patches, patch_gradient, with_border
from .writer import Part, Writer

ACCUMULATE, BIAS, RELU = 1, 2, 4
"""What is done with the sums: see native/kernels/tile.hpp."""

MOST_TAPS = 1024
"""Places of a kernel that the instructions can take."""

_REDUCED = 1 << 13
"""Numbers that a thread adds up over the chunks at a time."""


def reserve_kernel(layout: Layout, geometry: Geometry, key: str) -> None:
    """A packed kernel, with the transposes of its taps in the opposite order."""
    taps = math.prod(geometry.kernel)
    if geometry.narrow:  # one transpose of all taps together
        layout.add_kernel(key, taps * geometry.channels, geometry.filters)
        return
    layout.add_kernel(
        key,
        geometry.channels // geometry.groups,
        geometry.filters,
        taps=taps,
        groups=geometry.groups,
        mirrored=True,
    )
    if geometry.by_patches:
        layout.add_winograd(key, geometry.channels, geometry.filters)


def convolve(
    writer: Writer, geometry: Geometry, weights: Weights, x: Value, y: Value, bias: Place | None, finish: int
) -> None:
    """y = x * W, then what `finish` says: the border, then all taps."""
    x.compact = y.compact = True
    if geometry.plain or geometry.short:
        source = x if geometry.plain else _unfolded(writer, x, geometry)
        writer.emit(
            "matmul",
            [source, y, bias],
            [math.prod(geometry.output), finish, weights.matrix.space],
            matrices=[weights.matrix],
            spatial=True,
            multiplies=geometry.multiplies,
        )
        return
    if geometry.by_lines:
        bordered, wide = _lined(writer, x, geometry)
        made = writer.scratch("own part", y.shape) if finish & ACCUMULATE else y
        made.compact = True
        writer.emit(
            "convolve_lines",
            [bordered, made, bias],
            [finish, weights.matrix.space, wide, *geometry.output, geometry.strides[0], *geometry.kernel],
            matrices=[weights.matrix],
            spatial=True,
            multiplies=geometry.multiplies,
        )
        if finish & ACCUMULATE:
            writer.emit("copy", [made, y], [y.size, 1], [1.0])
        return
    if weights.winograd is not None:
        convolve_patches(
            writer,
            (x, geometry.size, geometry.channels),
            (y, geometry.output),
            bias,
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
        [bordered, y, bias],
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


def kernel_gradient(
    writer: Writer, geometry: Geometry, weights: Weights, x: Value, dy: Value, key: str
) -> None:
    """dW of y = x * W, group by group, where it is trained."""
    if not writer.trains(key):
        return
    x.compact = dy.compact = True
    if weights.winograd is not None:
        patch_gradient(writer, x, dy, geometry, weights, key)
        return
    if geometry.by_lines:
        _line_gradient(writer, x, dy, geometry, weights.matrix, key)
        return
    source, seen = (_unfolded(writer, x, geometry), geometry.unfolded) if geometry.short else (x, geometry)
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


def spread(
    writer: Writer,
    geometry: Geometry,
    weights: Weights,
    dy: Value,
    dx: Value,
    bias: Place | None,
    finish: int,
) -> None:
    """dx of y = x * W, then what `finish` says; by itself it is a transposed convolution of dy."""
    dy.compact = dx.compact = True
    turned = weights.transposed
    if turned is None:
        raise AssertionError(f"{weights.key} has no transpose")
    if weights.winograd_turned is not None:
        convolve_patches(
            writer,
            (dy, geometry.output, geometry.filters),
            (dx, geometry.size),
            bias,
            finish,
            (2 - geometry.before[0], 2 - geometry.before[1]),
            weights.winograd_turned,
            geometry.multiplies,
        )
        return
    if geometry.narrow:
        _fold(writer, geometry, turned, dy, dx, bias, finish)
        return
    if geometry.plain:
        writer.emit(
            "matmul",
            [dy, dx, bias],
            [math.prod(geometry.size), finish, turned.space],
            matrices=[turned],
            spatial=True,
            multiplies=geometry.multiplies,
        )
        return
    high, wide, top, left = backward_border(geometry)
    bordered = with_border(writer, dy, geometry.output, geometry.filters, (high, wide), (top, left))
    table, depth, passes = backward_table(geometry, wide, top, left)
    writer.emit(
        "convolve",
        [bordered, dx, bias],
        [
            finish,
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


def _fold(
    writer: Writer, geometry: Geometry, turned: Matrix, dy: Value, dx: Value, bias: Place | None, finish: int
) -> None:
    """dx by way of its unfolded form, a product as wide as the kernel: channels alone would be narrow."""
    places = math.prod(geometry.kernel) * geometry.channels
    made = writer.scratch("unfolded gradient", (*geometry.output, places))
    folded = dx if finish <= ACCUMULATE else writer.scratch("without bias", dx.shape)
    made.compact = folded.compact = True
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
        [made, folded],
        [
            *geometry.size,
            geometry.channels,
            *geometry.output,
            *geometry.strides,
            *geometry.kernel,
            *geometry.before,
            finish & ACCUMULATE,
        ],
        spatial=True,
        multiplies=made.size // 4,
    )
    if bias is not None:
        ints = [math.prod(geometry.size), geometry.channels, finish & RELU]
        writer.emit("add_bias", [folded, dx, bias], ints, spatial=True, multiplies=dx.size)
    elif finish & RELU:
        code = Functions.unary("ReLU")
        writer.emit("unary", [folded, dx], [code, dx.size], spatial=True, multiplies=dx.size)


def _bordered(writer: Writer, x: Value, geometry: Geometry) -> tuple[Value, int, int]:
    """x with its border of zeros, and its height and width; x itself where it needs none."""
    high = geometry.size[0] + geometry.before[0] + geometry.after[0]
    wide = geometry.size[1] + geometry.before[1] + geometry.after[1]
    return (
        with_border(writer, x, geometry.size, geometry.channels, (high, wide), geometry.before),
        high,
        wide,
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


def finish_of(writer: Writer, part: Part) -> tuple[Place | None, int]:
    """The bias that was taken in, and what is done with the sums."""
    bias = part.fused(Bias)
    place = None if bias is None else writer.layout.place(part.key("b", bias))
    return place, (BIAS if bias else 0) | (RELU if part.fused(ReLU) else 0)


def before_finish(writer: Writer, part: Part, features: int) -> Value:
    """The gradient before the bias and the ReLU that were taken in; that of the bias is written."""
    dy = through_relu(writer, part)
    dy.compact = True
    bias = part.fused(Bias)
    if bias is not None:
        sum_columns_in_chunks(writer, dy, part.key("b", bias), features)
    return dy
