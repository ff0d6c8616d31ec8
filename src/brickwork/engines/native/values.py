"""What instructions work on: values (a row of numbers for each sample), and matrices of packed kernels."""

from __future__ import annotations

import math
from dataclasses import field
from typing import TypeAlias

from ...arrays import Shape
from ...structs import struct

WHOLE, LOCAL, PARAMETER, GRADIENT, TRANSPOSED, STATISTIC = range(6)
"""Spaces of the C++ side: see native/instruction.hpp."""

Block: TypeAlias = tuple[int, int, int, int]
"""(offset, first column, valid columns, width) of some columns of a packed matrix."""

_ALIASED = 128
"""Rows that are a multiple of so many numbers apart would fall into few sets of the cache."""


@struct(eq=False)
class Value:
    """A row of numbers for each sample, in a buffer that the schedule finds a place for.

    `kept`: somebody reads it after the last instruction. `compact`: rows must lie side by side. `chunks`: it
    has a row for each chunk of the batch, sums over the chunk's samples, instead of one for each sample.
    """

    name: str
    shape: tuple[int, ...]
    integer: bool = False
    kept: bool = False
    compact: bool = False
    chunks: bool = False
    once: bool = False
    """Room that one instruction uses for itself, whatever the number of rows."""
    moments: int = 0
    """Of a value in the cell of a loop: how many times it is made. 0: it is in no loop."""
    across: bool = False
    """Whether the moment that comes next reads it."""
    lasting: bool = False
    """Whether all its moments are kept, one behind the other, each with its rows; else all have one place."""
    whole: Value | None = None
    """The value of which this one is a part of each row, from `start` on; it has no place of its own."""
    start: int = 0
    seen: Moment | None = None
    """Of a value in a loop: the moment outside where it lies, so that it needs no place of its own."""
    space: int = WHOLE
    offset: int = -1

    @property
    def holder(self) -> Value:
        """What has a place: the value itself, or the one that it is a part of."""
        return self if self.whole is None else self.whole.holder

    @property
    def first(self) -> int:
        """Where it begins in a row of its holder."""
        return 0 if self.whole is None else self.start + self.whole.first

    @property
    def size(self) -> int:
        """Numbers of a row."""
        return math.prod(self.shape)

    @property
    def stride(self) -> int:
        """Numbers from one row to the next."""
        size = 0 if self.once else self.size
        if self.compact or len(self.shape) != 1 or size < _ALIASED or size % _ALIASED:
            return size
        return size + 16


@struct(frozen=True)
class Moment:
    """One moment of a value that holds a whole sequence for each sample: what a loop is at."""

    value: Value
    step: int
    """Numbers from one moment to the next."""


@struct(frozen=True, eq=False)
class Turns:
    """How often, and in which order, a loop goes through its cell; equal to itself alone."""

    moments: int
    reverse: bool


@struct(frozen=True)
class Place:
    """Numbers in a space that all rows share: a parameter, a statistic."""

    space: int
    offset: int
    size: int = 0

    @property
    def run(self) -> tuple[int, int]:
        """Where it begins, and how many numbers it is."""
        return self.offset, self.size


Operand: TypeAlias = Value | Moment | Place | None
"""What an instruction works on."""


@struct(frozen=True)
class Matrix:
    """A (rows, columns) matrix stored as [block][row][width of the block], and the space it is stored in."""

    space: int
    offset: int
    rows: int
    columns: int
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        """Numbers that it takes, the padding of its blocks included."""
        return sum(self.rows * width for _, _, _, width in self.blocks)

    @property
    def description(self) -> tuple[int, int, int, list[Block]]:
        """What the C++ side takes."""
        return (self.offset, self.rows, self.columns, list(self.blocks))


@struct(frozen=True)
class Weights:
    """A kernel: its packed matrix, and the packed transpose of each tap where a gradient goes through it."""

    key: str
    matrix: Matrix
    transposed: Matrix | None = None
    taps: int = 1
    groups: int = 1
    winograd: Matrix | None = None
    """The kernel transformed for Winograd's F(2x2, 3x3), where it suits, and the transform's transposes."""
    winograd_turned: Matrix | None = None
    mirrored: bool = False
    """Whether the transpose holds the taps in the opposite order, as the gradient of a convolution does."""

    @property
    def tap_rows(self) -> int:
        """Rows of each tap."""
        return self.matrix.rows // self.taps


def blocks(rows: int, columns: int, widths: tuple[int, ...], groups: int = 1) -> tuple[Block, ...]:
    """Columns cut into blocks of the widths that there are, no block across two groups.

    A remainder goes into the narrowest block that holds it; one that is wider than half of the widest block
    and not nearly full, into two.

    >>> blocks(1, 50, (32, 16, 8, 4))
    ((0, 0, 32, 32), (32, 32, 16, 16), (48, 48, 2, 4))
    """
    made: list[Block] = []
    offset = 0
    each = columns // groups
    for group in range(groups):
        column, stop = group * each, (group + 1) * each
        while column < stop:
            left = stop - column
            fitting = [width for width in widths if width >= left]
            width = (
                min(fitting)
                if fitting and left > min(fitting) // 2
                else max([width for width in widths if width <= left], default=widths[-1])
            )
            if width == widths[0] and left < width * 7 // 8 and len(widths) > 1:
                width = widths[1]
            valid = min(left, width)
            made.append((offset, column, valid, width))
            offset += rows * width
            column += valid
    return tuple(made)


@struct()
class Step:
    """One instruction as it is written, before buffers have places.

    `reads` and `writes` say which operands are read and written, by their place. `kind` is "rows" (works on
    some rows), "parts" (divides into parts that need the whole batch) or "host" (calls back to Python).
    """

    name: str
    operands: list[Operand]
    ints: list[int] = field(default_factory=list)
    floats: list[float] = field(default_factory=list)
    matrices: list[Matrix] = field(default_factory=list)
    table: list[int] = field(default_factory=list)
    parts: int = 0
    kind: str = "rows"
    host: int = -1
    covers: tuple[str, ...] = ()
    multiplies: int = 0
    """Multiply-adds for each row."""
    spatial: bool = False
    """Whether it works on images, whose rows are so large that few of them fit into the cache together."""
    partial: bool = False
    """Whether it adds up numbers over the rows of a chunk."""
    turn: int = 0
    """Of those that write one parameter's gradient: how many come before it."""
    turns: Turns | None = None
    """The loop that it is in."""
    moments: int = 1
    """Of one that divides into parts: the rows of how many moments it takes together."""
    before: bool = False
    """Whether it reads its first operand as the moment before left it."""
    spare: bool = False
    """Whether it only copies between a value in a loop and a moment outside, where that may lie itself."""

    @property
    def values(self) -> list[Value]:
        """The values among the operands."""
        found = [operand.value if isinstance(operand, Moment) else operand for operand in self.operands]
        return [operand for operand in found if isinstance(operand, Value)]

    @property
    def holders(self) -> list[Value]:
        """Where these values lie."""
        return [value.holder for value in self.values]

    @property
    def weight_bytes(self) -> int:
        """Bytes of the kernels that each group of rows reads."""
        return 4 * sum(matrix.size for matrix in self.matrices)


def per_sample(shape: Shape) -> tuple[int, ...]:
    """A value's shape without the batch axis."""
    return tuple(1 if size is None else size for size in shape[1:])


def shared_runs(numbers: tuple[int, ...], sample: tuple[int, ...]) -> tuple[int, int, int] | None:
    """How a sample shares numbers whose shape has 1 for shared axes: (outer, each, inner).

    Number j belongs to the places (i, j, k) of the sample, for all i and k. None where axes that are not
    shared lie apart.

    >>> shared_runs((1, 1, 3), (5, 6, 3)), shared_runs((5, 1, 1), (5, 6, 3))
    ((30, 3, 1), (1, 5, 18))
    """
    own = [axis for axis, size in enumerate(numbers) if size != 1]
    if not own:
        return 1, 1, math.prod(sample)
    first, last = own[0], own[-1] + 1
    if numbers[first:last] != sample[first:last]:
        return None
    return math.prod(sample[:first]), math.prod(numbers), math.prod(sample[last:])
