"""Products of data with data, masks, tables of rows and positions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...bricks import CausalMask, Embedding, LearnedPositions, Mask, MatMul, SinePositions
from .lower_dense import sum_columns
from .lower_features import add_fixed
from .lowering import Plain, lowers
from .matrix_product import MatrixProduct
from .values import Place, Value, per_sample
from .writer import Part, Writer

_COLUMNS = 16
"""Columns of a table whose gradient a thread adds up at a time."""


@lowers(MatMul)
class MatMulLowering(Plain):
    """One instruction for all matrices of a sample."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y = a @ b."""
        a, b = (writer.value(name) for name in part.inputs)
        self._product(writer, part).forward(writer, a, b, writer.value(part.output))

    def backward(self, writer: Writer, part: Part) -> None:
        """da, then db: where a and b are one value, the second gradient is added to the first."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        a, b = (writer.value(name) for name in part.inputs)
        product = self._product(writer, part)
        found = writer.dx(part.inputs[0])
        if found is not None:
            product.to_a(writer, dy, b, *found)
        found = writer.dx(part.inputs[1])
        if found is not None:
            product.to_b(writer, dy, a, *found)

    def _product(self, writer: Writer, part: Part) -> MatrixProduct:
        turns = part.brick.transpose_a, part.brick.transpose_b
        *lead, m, n = per_sample(writer.graph.shapes[part.output])
        k = per_sample(writer.graph.shapes[part.inputs[0]])[-2 if turns[0] else -1]
        return MatrixProduct(math.prod(lead), m, n, k, *turns)


class Masking(Plain):
    """What both masks share: the same instruction forward and backward."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y, with `low` where nothing is let through."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        self._emit(writer, part, x, y, part.brick.low, 0)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx, 0 there."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is not None and found is not None:
            self._emit(writer, part, dy, found[0], 0.0, found[1])

    def _emit(self, writer: Writer, part: Part, x: Value, y: Value, low: float, accumulate: int) -> None:
        mask, ints = self.mask(writer, part)
        writer.emit("mask_scores", [x, y, mask], [*ints, accumulate], [low], multiplies=2 * x.size)

    def mask(self, writer: Writer, part: Part) -> tuple[Value | None, list[int]]:
        """The mask, and what the instruction knows of it."""
        raise NotImplementedError


@lowers(CausalMask)
class CausalMaskLowering(Masking):
    """By the places alone."""

    def mask(self, writer: Writer, part: Part) -> tuple[Value | None, list[int]]:
        """See Masking."""
        *lead, rows, columns = per_sample(writer.graph.shapes[part.output])
        return None, [math.prod(lead), rows, columns, 0, 0, 0, 0, 1]


@lowers(Mask)
class MaskLowering(Masking):
    """By a value."""

    reads_whole = True

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """A mask for each sample, of few enough runs of axes."""
        x, m = shapes
        return m[0] == x[0] and len(runs(per_sample(x), per_sample(m))) <= 3

    def mask(self, writer: Writer, part: Part) -> tuple[Value | None, list[int]]:
        """See Masking."""
        x, m = (per_sample(writer.graph.shapes[name]) for name in part.inputs)
        sizes, steps = zip(*([(1, 0)] * 3 + runs(x, m))[-3:], strict=True)
        mask = writer.value(part.inputs[1])
        return mask, [*sizes, *steps, mask.integer, 0]


def runs(x: tuple[int, ...], m: tuple[int, ...]) -> list[tuple[int, int]]:
    """(size, step in m) of axes of x taken together; the step is 0 where one mask is for all."""
    found: list[tuple[int, int]] = []
    for axis, size in enumerate(x):
        step = math.prod(m[axis + 1 :]) if m[axis] > 1 else 0
        if size == 1:
            continue
        if found and found[-1][1] == step * size:
            found[-1] = (found[-1][0] * size, step)
        else:
            found.append((size, step))
    return found


@lowers(SinePositions)
class SinePositionsLowering(Plain):
    """A fixed shift for each number of a sample."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y = x + P."""
        shape = per_sample(writer.graph.shapes[part.output])
        numbers = part.brick.table(np, *shape, np.float32)
        add_fixed(writer, writer.value(part.inputs[0]), writer.value(part.output), numbers)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx = dy."""
        dy = writer.dy(part.output)
        if dy is not None:
            writer.pass_on(dy, part.inputs[0])


@lowers(LearnedPositions)
class LearnedPositionsLowering(Plain):
    """A bias for each number of a sample."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Where the sequence has all positions, so that every row has a gradient."""
        return bool(shapes[0][1] == brick.length)

    def forward(self, writer: Writer, part: Part) -> None:
        """y = x + P."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        place = writer.layout.place(part.key("P"))
        writer.emit("add_bias", [x, y, place], [1, place.size, 0], multiplies=x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dP, and dx = dy."""
        dy = writer.dy(part.output)
        if dy is not None:
            sum_columns(writer, dy, part.key("P"), dy.size)
            writer.pass_on(dy, part.inputs[0])


@lowers(Embedding)
class EmbeddingLowering(Plain):
    """Rows of a table."""

    reads_whole = True

    def forward(self, writer: Writer, part: Part) -> None:
        """y = E[x]."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        table = writer.layout.place(part.key("E"))
        writer.emit("embed", [x, y, table], self._ints(part, x), multiplies=y.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dE, when the whole batch is through."""
        dy, key = writer.dy(part.output), part.key("E")
        if dy is None or not writer.trains(key):
            return
        x, turn = writer.value(part.inputs[0]), writer.turn(key)
        place: Place = writer.gradient_place(key)
        writer.emit_late(
            "embed_gradient",
            [x, dy, place],
            [*self._ints(part, x), _COLUMNS, turn > 0],
            parts=math.ceil(part.brick.output_dim / _COLUMNS),
            turn=turn,
            multiplies=dy.size,
        )

    def _ints(self, part: Part, x: Value) -> list[int]:
        return [x.size, part.brick.input_dim, part.brick.output_dim, x.integer]
