"""Linear with its bias and rectifier, and biases that stand alone."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import Bias, Linear, ReLU, StackedBias
from .layout import Layout
from .lowering import Functions, Plain, lowers
from .values import Value
from .writer import Part, Writer

_BIAS, _RELU = 2, 4
"""Finishes of a tile: see native/kernels/tile.hpp."""

_STRAIGHT = 1 << 14
"""Numbers of a kernel from which on its gradient goes straight into the update, if a sample has one row."""

_SUMS = 64
"""Columns of which a thread sums the rows at a time."""


@lowers(Linear)
class LinearLowering:
    """y = x @ W, then b and ReLU where they follow, in one instruction."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Always."""
        return True

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """W is packed, with its transpose."""
        layout.add_kernel(part.key("W"), shapes[0][-1], part.brick.units)

    def forward(self, writer: Writer, part: Part) -> None:
        """One matrix product."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        weights = writer.layout.kernels[part.key("W")]
        bias = part.fused(Bias)
        each = x.size // weights.matrix.rows
        if each > 1:
            x.compact = y.compact = True
        writer.emit(
            "matmul",
            [x, y, None if bias is None else writer.layout.place(part.key("b", bias))],
            [each, (_BIAS if bias else 0) | (_RELU if part.fused(ReLU) else 0), weights.matrix.space],
            matrices=[weights.matrix],
            multiplies=each * weights.matrix.rows * weights.matrix.columns,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dx at once; dW and db when the whole batch is through."""
        x = writer.value(part.inputs[0])
        weights = writer.layout.kernels[part.key("W")]
        matrix, turned = weights.matrix, weights.transposed
        each = x.size // matrix.rows
        dy = through_relu(writer, part)
        if each > 1:
            dy.compact = True
        bias = part.fused(Bias)
        if bias is not None:
            sum_columns(writer, dy, part.key("b", bias), matrix.columns)
        key = part.key("W")
        if writer.trains(key):
            large = each == 1 and matrix.rows * matrix.columns >= _STRAIGHT
            straight = large and writer.uses_of_parameter(key) == 1
            # Part p holds the rows that make block p of the transpose, so that it can be turned at once.
            rows = [(column, valid) for _, column, valid, _ in turned.blocks] if turned else []
            if straight:
                writer.guard(x, dy, float(each))
            turn = writer.turn(key)
            writer.emit_late(
                "matmul_gradient",
                [x, dy],
                [each, turn > 0],
                writer.update_terms(key),
                matrices=[matrix, turned] if writer.wants(part.inputs[0]) else [matrix],
                table=[number for pair in rows for number in pair],
                parts=len(rows),
                straight=straight,
                turn=turn,
                multiplies=each * matrix.rows * matrix.columns,
            )
        found = writer.dx(part.inputs[0])
        if found is not None and turned is not None:
            dx, accumulate = found
            if each > 1:
                dx.compact = True
            writer.emit(
                "matmul",
                [dy, dx, None],
                [each, accumulate, turned.space],
                matrices=[turned],
                multiplies=each * matrix.rows * matrix.columns,
            )


@lowers(Bias, StackedBias)
class BiasLowering(Plain):
    """A bias that no matrix product took in."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y = x + b."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        place = writer.layout.place(part.key("b"))
        writer.emit(
            "add_bias",
            [x, y, place],
            [x.size // place.size, place.size, 0],
            multiplies=x.size,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """db, and dx = dy."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        sum_columns(writer, dy, part.key("b"), writer.layout.place(part.key("b")).size)
        writer.pass_on(dy, part.inputs[0])


def through_relu(writer: Writer, part: Part) -> Value:
    """The gradient before the ReLU that the part has taken in, or that of its output."""
    dy = writer.dy(part.output)
    if dy is None:
        raise AssertionError(f"{part.output} has no gradient")
    if part.fused(ReLU) is None or part.output in writer.rectified:
        return dy
    dz = writer.scratch("dz", dy.shape)
    y = writer.value(part.output)
    writer.emit("unary_backward", [y, dy, dz], [Functions.unary("ReLU"), y.size, 0], multiplies=y.size)
    return dz


def sum_columns(writer: Writer, dy: Value, key: str, columns: int) -> None:
    """The gradient of a bias from that of what it was added to."""
    if not writer.trains(key):
        return
    each = dy.size // columns
    if each > 1:
        dy.compact = True
    straight = writer.uses_of_parameter(key) == 1
    turn = writer.turn(key)
    writer.emit_late(
        "column_sums",
        [dy, writer.layout.place(key)],
        [each, turn > 0, columns, _SUMS],
        writer.update_terms(key),
        parts=math.ceil(columns / _SUMS),
        straight=straight,
        turn=turn,
        multiplies=dy.size // 4,
    )
