"""The numbers of a convolution: sizes, borders, and which taps meet which pixels."""

from __future__ import annotations

import math
from dataclasses import replace

from ...bricks.windows import Windows
from ...structs import struct

_SHORT = 16
"""Numbers of a tap up to which an image is unfolded instead."""

_LINE = 16
"""Pixels that the kernels for lines take at a time, on any instruction set."""

_FEW_FILTERS = 8
"""Filters up to which the pixels of a line fill vectors better."""

_FEWEST_CHANNELS = 16
"""Channels and filters from which on Winograd's transforms cost less than they save."""


@struct(frozen=True)
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
    def of(windows: Windows, channels: int, filters: int, groups: int = 1) -> Geometry:
        """From the windows, and how many channels there are on both sides."""
        return Geometry(
            windows.size,
            channels,
            filters,
            windows.window,
            windows.strides,
            windows.dilation,
            (windows.padding[0][0], windows.padding[1][0]),
            (windows.padding[0][1], windows.padding[1][1]),
            windows.output,
            groups,
        )

    @property
    def multiplies(self) -> int:
        """Multiply-adds of a sample, in each direction."""
        return math.prod(self.output) * math.prod(self.kernel) * self.channels // self.groups * self.filters

    @property
    def by_lines(self) -> bool:
        """Whether channels and filters are so few that vectors hold the pixels of a line instead."""
        return (
            self.channels == 1
            and self.filters <= _FEW_FILTERS
            and self.strides[1] == 1
            and self.dilation == (1, 1)
            and 4 * self.output[1] >= 3 * self.line
            and not self.plain
        )

    @property
    def line(self) -> int:
        """The columns of y, filled up to whole vectors."""
        return -(-self.output[1] // _LINE) * _LINE

    @property
    def short(self) -> bool:
        """Whether a row of the kernel meets so few numbers that the image is unfolded first."""
        return (
            self.kernel[1] * self.channels <= _SHORT
            and self.dilation == (1, 1)
            and self.groups == 1
            and not self.plain
            and not self.by_lines
        )

    @property
    def narrow(self) -> bool:
        """Whether x has so few channels that its gradient is made unfolded, and folded then."""
        return self.channels < _FEWEST_CHANNELS and self.dilation == (1, 1) and self.groups == 1

    @property
    def by_patches(self) -> bool:
        """Whether Winograd's F(2x2, 3x3) serves it."""
        return (
            self.kernel == (3, 3)
            and self.strides == (1, 1)
            and self.dilation == (1, 1)
            and self.groups == 1
            and min(self.channels, self.filters) >= _FEWEST_CHANNELS
        )

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


def forward_table(geometry: Geometry, wide: int) -> tuple[list[int], int]:
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


def residues(geometry: Geometry, axis: int) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Along one axis, which places of the kernel reach the pixels of x: see `_residues`."""
    return _residues(
        geometry.size[axis],
        geometry.kernel[axis],
        geometry.strides[axis],
        geometry.dilation[axis],
        geometry.before[axis],
    )


def backward_border(geometry: Geometry) -> tuple[int, int, int, int]:
    """Height and width of dy with its border, rows above, columns to the left (negative: cut off)."""
    sizes, starts = [], []
    for axis in (0, 1):
        offsets = [(offset, count) for _, count, taps in residues(geometry, axis) for _, offset in taps]
        low = min((offset for offset, _ in offsets), default=0)
        high = max((offset + count for offset, count in offsets), default=1)
        starts.append(-low)
        sizes.append(high - low)
    return sizes[0], sizes[1], starts[0], starts[1]


def backward_table(geometry: Geometry, wide: int, top: int, left: int) -> tuple[list[int], int, int]:
    """A pass for each residue of rows and columns; the matrix holds the taps in the opposite order."""
    rows, columns = residues(geometry, 0), residues(geometry, 1)
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
