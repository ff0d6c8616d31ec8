"""Convolution2D with its bias and rectifier."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from ...bricks import Bias, Convolution2D, ReLU
from ...bricks.windows import output_size, padding_pairs
from .layout import Layout
from .lower_dense import through_relu
from .lowering import lowers
from .values import Place, Value
from .writer import Part, Writer

_BIAS, _RELU = 2, 4
_MOST_TAPS = 1024
_REDUCED = 1 << 13
"""Numbers that a thread adds up over the chunks at a time."""


@dataclass(frozen=True)
class Geometry:
    """Numbers of one convolution, rows before columns."""

    size: tuple[int, int]
    channels: int
    filters: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    output: tuple[int, int]
    groups: int

    @staticmethod
    def of(brick: Convolution2D, x: tuple[int, ...]) -> Geometry:
        """From the brick and the shape of a sample."""
        size = (x[0], x[1])
        pairs = padding_pairs(brick.padding, size, brick.kernel_size, brick.strides, brick.dilation_rate)
        output = output_size(
            brick, (None, *x), brick.padding, brick.kernel_size, brick.strides, brick.dilation_rate
        )
        return Geometry(
            size,
            x[2],
            brick.filters,
            brick.kernel_size,
            brick.strides,
            brick.dilation_rate,
            (pairs[0][0], pairs[1][0]),
            (pairs[0][1], pairs[1][1]),
            (int(output[0] or 1), int(output[1] or 1)),
            brick.groups,
        )

    @property
    def multiplies(self) -> int:
        """Multiply-adds of a sample, in each direction."""
        return math.prod(self.output) * math.prod(self.kernel) * self.channels // self.groups * self.filters

    @property
    def short(self) -> bool:
        """Whether a row of the kernel meets so few numbers that the image is unfolded first."""
        return (
            self.kernel[1] * self.channels <= _SHORT
            and self.dilation == (1, 1)
            and self.groups == 1
            and not self.plain
        )

    @property
    def narrow(self) -> bool:
        """Whether x has so few channels that its gradient is made unfolded, and folded then."""
        return self.channels < _FEWEST_CHANNELS and self.dilation == (1, 1) and self.groups == 1

    @property
    def unfolded(self) -> Geometry:
        """The product with a matrix that is left to do after unfolding."""
        return replace(
            self,
            size=self.output,
            channels=self.channels * math.prod(self.kernel),
            kernel=(1, 1),
            strides=(1, 1),
            before=(0, 0),
            after=(0, 0),
        )

    @property
    def plain(self) -> bool:
        """A product of each pixel's channels with a matrix."""
        return (
            self.kernel == (1, 1)
            and self.strides == (1, 1)
            and not any((*self.before, *self.after))
            and self.groups == 1
        )


_SHORT = 16
"""Numbers of a tap up to which an image is unfolded instead."""

_FEWEST_CHANNELS = 16
"""Channels and filters from which on Winograd's transforms cost less than they save."""

_FEWEST_FOR_KERNELS = 32
"""The same for the gradient of the kernel."""

_PATCHES = 56
"""Patches that the native side transforms at a time: native/kernels/winograd.cpp."""


def _suits_winograd(brick: Any, channels: int) -> bool:
    return (
        tuple(brick.kernel_size) == (3, 3)
        and tuple(brick.strides) == (1, 1)
        and tuple(brick.dilation_rate) == (1, 1)
        and brick.groups == 1
        and min(channels, brick.filters) >= _FEWEST_CHANNELS
    )


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
        if _is_narrow(brick, shapes[0][-1]):  # one transpose of all taps together
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
        if _suits_winograd(brick, shapes[0][-1]):
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
        if weights.winograd is not None:
            _winograd(
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
        table, depth = _forward_table(geometry, wide)
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
        large = min(geometry.channels, geometry.filters) >= _FEWEST_FOR_KERNELS
        if writer.trains(key) and weights.winograd is not None and large:
            _winograd_gradient(writer, x, dy, geometry, weights, key)
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
                _winograd(
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
        high, wide, top, left = _backward_border(geometry)
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
        table, depth, passes = _backward_table(geometry, wide, top, left)
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


def _is_narrow(brick: Any, channels: int) -> bool:
    return channels < _FEWEST_CHANNELS and tuple(brick.dilation_rate) == (1, 1) and brick.groups == 1


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


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def _winograd(
    writer: Writer,
    source: tuple[Value, tuple[int, int], int],
    made: tuple[Value, tuple[int, int]],
    bias: Place | None,
    finish: int,
    before: tuple[int, int],
    matrix: Any,
    multiplies: int,
) -> None:
    """A 3x3 convolution of stride 1: the border that 2x2 patches need, then all patches."""
    x, size, channels = source
    y, output = made
    down, across = _even(output)
    bordered = _with_border(writer, x, size, channels, (2 * down + 2, 2 * across + 2), before)
    writer.emit(
        "winograd",
        [
            bordered,
            y,
            bias,
            writer.room("patches", 16 * _PATCHES * channels),
            writer.room("products", 16 * _PATCHES * matrix.columns),
        ],
        [finish, down, across, channels, 2 * across + 2, *output],
        matrices=[matrix],
        spatial=True,
        multiplies=multiplies,
    )


def _winograd_gradient(
    writer: Writer, x: Value, dy: Value, geometry: Geometry, weights: Any, key: str
) -> None:
    """The kernel's gradient through its transform, summed over each chunk, then over the chunks."""
    down, across = _even(geometry.output)
    grid = weights.winograd
    bordered = _with_border(
        writer, x, geometry.size, geometry.channels, (2 * down + 2, 2 * across + 2), geometry.before
    )
    even = _with_border(writer, dy, geometry.output, geometry.filters, (2 * down, 2 * across), (0, 0))
    sums = writer.chunk_sums(f"sums({key})", grid.size)
    writer.emit(
        "winograd_gradient",
        [
            bordered,
            even,
            sums,
            writer.room("patches", 16 * _PATCHES * geometry.channels),
            writer.room("gradients", 16 * _PATCHES * geometry.filters),
        ],
        [down, across, geometry.channels, 2 * across + 2, 2 * across, grid.size],
        matrices=[grid],
        spatial=True,
        partial=True,
        multiplies=geometry.multiplies,
    )
    turn = writer.turn(key)
    table = [
        number
        for block in range(len(grid.blocks))
        for first in range(0, geometry.channels, 16)
        for number in (block, first, min(16, geometry.channels - first))
    ]
    writer.emit_late(
        "winograd_reduce",
        [sums],
        [geometry.channels, 0, turn > 0],
        matrices=[weights.matrix, grid],
        table=table,
        parts=len(table) // 3,
        turn=turn,
        multiplies=sums.size // 8,
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
        [sums, Place(place.space, place.offset, place.size)],
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
        _with_border(writer, x, geometry.size, geometry.channels, (high, wide), geometry.before),
        high,
        wide,
    )


def _with_border(
    writer: Writer,
    x: Value,
    size: tuple[int, int],
    channels: int,
    wanted: tuple[int, int],
    before: tuple[int, int],
) -> Value:
    """x in the midst of zeros; x itself where there is no border. Negative `before` cuts off."""
    if wanted == size and before == (0, 0):
        return x
    made = writer.scratch("x with border", (*wanted, channels))
    made.compact = True
    writer.emit(
        "pad",
        [x, made],
        [*size, channels, *wanted, *before],
        [0.0],
        spatial=True,
        multiplies=made.size // 4,
    )
    return made


def _forward_table(geometry: Geometry, wide: int) -> tuple[list[int], int]:
    """One pass over y; taps are kernel rows where their places lie side by side."""
    (rows, columns), (down, right) = geometry.kernel, geometry.dilation
    own = geometry.channels // geometry.groups
    together = right == 1 and geometry.groups == 1
    taps = []
    for p in range(rows):
        for q in range(1 if together else columns):
            taps += [(p * down * wide + q * right) * geometry.channels, (p * columns + q) * own]
    one = [0, 1, geometry.output[0], 0, 1, geometry.output[1], 0, len(taps) // 2]
    return one + taps, (columns if together else 1) * own


def _residues(
    size: int, kernel: int, stride: int, dilation: int, before: int
) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Of each residue of x's rows modulo the stride: (residue, rows, [(place in the kernel, offset in dy)]).

    Row h = stride * a + residue of dx gets dy[a + offset] through place p, offset = (residue + before - p *
    dilation) / stride where that is whole.
    """
    found = []
    for residue in range(min(stride, size)):
        taps = [
            (p, (residue + before - p * dilation) // stride)
            for p in range(kernel)
            if (residue + before - p * dilation) % stride == 0
        ]
        found.append((residue, len(range(residue, size, stride)), taps))
    return found


def _axis(geometry: Geometry, axis: int) -> list[tuple[int, int, list[tuple[int, int]]]]:
    return _residues(
        geometry.size[axis],
        geometry.kernel[axis],
        geometry.strides[axis],
        geometry.dilation[axis],
        geometry.before[axis],
    )


def _backward_border(geometry: Geometry) -> tuple[int, int, int, int]:
    """Height and width of dy with its border, rows above, columns to the left (negative: cut off)."""
    sizes, starts = [], []
    for axis in (0, 1):
        offsets = [(offset, count) for _, count, taps in _axis(geometry, axis) for _, offset in taps]
        low = min((offset for offset, _ in offsets), default=0)
        high = max((offset + count for offset, count in offsets), default=1)
        starts.append(-low)
        sizes.append(high - low)
    return sizes[0], sizes[1], starts[0], starts[1]


def _backward_table(geometry: Geometry, wide: int, top: int, left: int) -> tuple[list[int], int, int]:
    """A pass for each residue of rows and columns; the matrix holds the taps in the opposite order."""
    rows, columns = _axis(geometry, 0), _axis(geometry, 1)
    own = geometry.filters // geometry.groups
    last = math.prod(geometry.kernel) - 1
    together = geometry.strides[1] == 1 and geometry.dilation[1] == 1 and geometry.groups == 1
    passes: list[int] = []
    taps: list[int] = []
    for row, high, row_taps in rows:
        for column, broad, column_taps in columns:
            first = len(taps) // 2
            # With stride 1 the last place reads the leftmost pixel, and the others follow side by side.
            used = column_taps[-1:] if together else column_taps
            for p, down in row_taps:
                for q, right in used:
                    taps.append(((down + top) * wide + right + left) * geometry.filters)
                    taps.append((last - (p * geometry.kernel[1] + q)) * own)
            passes += [row, geometry.strides[0], high, column, geometry.strides[1], broad]
            passes += [first, len(taps) // 2 - first]
    return passes + taps, (geometry.kernel[1] if together else 1) * own, len(rows) * len(columns)
