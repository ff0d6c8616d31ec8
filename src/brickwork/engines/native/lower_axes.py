"""Axes in another order, repeated vectors, products along axes."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import Dot, RepeatVector, Transpose
from .lowering import Plain, lowers
from .matrix_product import MatrixProduct
from .values import Value, per_sample
from .writer import Part, Writer

_AXES = 6
"""As many as native/kernels/axes.cpp counts."""

_SWAP = (0, 1, 3, 2)
"""The order that swaps the last two of three axes of a sample."""


@lowers(Transpose)
class TransposeLowering(Plain):
    """The numbers of a sample in another order."""

    moves = True

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Not too many axes, where those of size 1 and those that stay side by side do not count."""
        return len(_axes(brick.axes, per_sample(shapes[0]))) <= _AXES

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        y.integer = x.integer
        shape = per_sample(writer.graph.shapes[part.inputs[0]])
        _permute(writer, x, y, _axes(part.brick.axes, shape))

    def backward(self, writer: Writer, part: Part) -> None:
        """dx, in the old order."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        shape = per_sample(writer.graph.shapes[part.output])
        _permute(writer, dy, found[0], _axes(part.brick.back(), shape), found[1])


def _permute(writer: Writer, x: Value, y: Value, axes: list[tuple[int, int]], accumulate: int = 0) -> None:
    x.compact = y.compact = True
    room = [0] * (_AXES - len(axes))
    sizes, steps = ([axis[part] for axis in axes] + room for part in range(2))
    writer.emit("permute", [x, y], [len(axes), accumulate, *sizes, *steps], multiplies=2 * x.size)


def _axes(order: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """(size, step in x) of the axes of y; axes that stay side by side are one."""
    found: list[tuple[int, int]] = []
    for axis in order[1:]:
        size, step = shape[axis - 1], math.prod(shape[axis:])
        if size == 1:
            continue
        if found and found[-1][1] == size * step:
            found[-1] = (found[-1][0] * size, step)
        else:
            found.append((size, step))
    return found or [(1, 1)]


@lowers(RepeatVector)
class RepeatLowering(Plain):
    """A vector n times over."""

    moves = True

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        y.integer = x.integer
        x.compact = y.compact = True
        writer.emit("spread_axes", [x, y], [1, part.brick.n, x.size, 0], multiplies=y.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx, the sum over the copies."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        to = writer.scratch("sum", dx.shape) if accumulate else dx
        dy.compact = to.compact = True
        writer.emit("sum_axes", [dy, to], [1, part.brick.n, dx.size], multiplies=dy.size)
        if accumulate:
            writer.emit("copy", [to, dx], [dx.size, 1], [1.0], multiplies=dx.size)


@lowers(Dot)
class DotLowering(Plain):
    """x1 is (A, K, B) and x2 (C, K, D): a product of a matrix with A B rows and one with C D columns."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y, from inputs whose axis K comes last, or first where it lies there."""
        a, b = part.notes["factors"] = self._factor(writer, part, 0), self._factor(writer, part, 1)
        self._product(writer, part).forward(writer, a, b, writer.value(part.output))

    def backward(self, writer: Writer, part: Part) -> None:
        """dx1, then dx2: where both inputs are one value, the second gradient is added to the first."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        product, (a, b) = self._product(writer, part), part.notes["factors"]
        for index, (gradient, other) in enumerate(((product.to_a, b), (product.to_b, a))):
            found = writer.dx(part.inputs[index])
            if found is None:
                continue
            before, k, behind = self._sizes(writer, part)[index]
            if min(before, behind) == 1:
                gradient(writer, dy, other, *found)
                continue
            turned = writer.scratch(f"d{index}", (before, behind, k))
            gradient(writer, dy, other, turned, 0)
            _permute(writer, turned, found[0], _axes(_SWAP, turned.shape), found[1])

    def _factor(self, writer: Writer, part: Part, index: int) -> Value:
        """An input; where K lies in the middle of it, with K as the last axis."""
        x, shape = writer.value(part.inputs[index]), self._sizes(writer, part)[index]
        before, k, behind = shape
        if min(before, behind) == 1:
            return x
        turned = writer.scratch(f"x{index}", (before, behind, k))
        _permute(writer, x, turned, _axes(_SWAP, shape))
        return turned

    def _product(self, writer: Writer, part: Part) -> MatrixProduct:
        (a, k, b), (c, _, d) = self._sizes(writer, part)
        return MatrixProduct(1, a * b, c * d, k, turn_a=a == 1 < b, turn_b=d == 1 or c > 1)

    def _sizes(self, writer: Writer, part: Part) -> list[tuple[int, int, int]]:
        """What is before, along and behind the axis of each input."""
        shapes = [per_sample(writer.graph.shapes[name]) for name in part.inputs]
        places = part.brick.places(*(len(shape) + 1 for shape in shapes))
        return [
            (math.prod(shape[: place - 1]), shape[place - 1], math.prod(shape[place:]))
            for shape, place in zip(shapes, places, strict=True)
        ]
