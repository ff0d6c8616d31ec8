"""3x3 convolutions of stride 1 by Winograd's F(2x2, 3x3): the instructions that go patch by patch."""

from __future__ import annotations

from typing import Any

from .convolution_geometry import Geometry
from .values import Place, Value
from .writer import Writer

_PATCHES = 56
"""Patches that the native side transforms at a time: native/kernels/winograd.cpp."""

_LINE = 16
"""Floats between one place of the transform's grid and the next, beyond those of the patches."""


def _room(writer: Writer, name: str, channels: int) -> Value:
    return writer.room(name, 16 * (_PATCHES * channels + _LINE))


def convolve_patches(
    writer: Writer,
    source: tuple[Value, tuple[int, int], int],
    made: tuple[Value, tuple[int, int]],
    bias: Place | None,
    finish: int,
    before: tuple[int, int],
    matrix: Any,
    multiplies: int,
) -> None:
    """A 3x3 convolution of stride 1."""
    x, size, channels = source
    y, output = made
    down, across = _even(output)
    writer.emit(
        "winograd",
        [
            x,
            y,
            bias,
            _room(writer, "patches", channels),
            _room(writer, "products", matrix.columns),
        ],
        [finish, down, across, *size, channels, *before, *output],
        matrices=[matrix],
        spatial=True,
        multiplies=multiplies,
    )


def patch_gradient(writer: Writer, x: Value, dy: Value, geometry: Geometry, weights: Any, key: str) -> None:
    """The kernel's gradient through its transform, summed over each chunk, then over the chunks."""
    down, across = _even(geometry.output)
    grid = weights.winograd
    even = with_border(writer, dy, geometry.output, geometry.filters, (2 * down, 2 * across), (0, 0))
    sums = writer.chunk_sums(f"sums({key})", grid.size)
    writer.emit(
        "winograd_gradient",
        [
            x,
            even,
            sums,
            _room(writer, "patches", geometry.channels),
            _room(writer, "gradients", geometry.filters),
        ],
        [down, across, *geometry.size, geometry.channels, *geometry.before, 2 * across, grid.size],
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


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def with_border(
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
