"""Axes in another order, repeated vectors, products along axes."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import Dot, RepeatVector, Transpose
from .lowering import Plain, lowers
from .values import Value, per_sample
from .writer import Part, Writer

_AXES = 6
"""As many as native/kernels/axes.cpp counts."""


@lowers(Transpose)
class TransposeLowering(Plain):
    """The numbers of a sample in another order."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Not too many axes, where those of size 1 and those that stay side by side do not count."""
        return len(self._axes(brick.axes, per_sample(shapes[0]))) <= _AXES

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        y.integer = x.integer
        shape = per_sample(writer.graph.shapes[part.inputs[0]])
        self._emit(writer, x, y, self._axes(part.brick.axes, shape), 0)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx, in the old order."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        shape = per_sample(writer.graph.shapes[part.output])
        self._emit(writer, dy, found[0], self._axes(part.brick.back(), shape), found[1])

    def _emit(self, writer: Writer, x: Value, y: Value, axes: list[tuple[int, int]], accumulate: int) -> None:
        x.compact = y.compact = True
        room = [0] * (_AXES - len(axes))
        sizes, steps = ([axis[part] for axis in axes] + room for part in range(2))
        writer.emit("permute", [x, y], [len(axes), accumulate, *sizes, *steps], multiplies=2 * x.size)

    def _axes(self, order: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, int]]:
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
    """x1 is (A, K, B) and x2 (C, K, D): y[a, b, c, d] = the sum over k of x1[a, k, b] x2[c, k, d]."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        (a, k, b), (c, _, d) = self._sizes(writer, part)
        first, second, y = (writer.value(name) for name in (*part.inputs, part.output))
        if d == 1 and b > 1:  # so that the axis that lies side by side comes last
            steps = [k * d, 1, 0, d, k * b, 1, 0, b, d, 1, b * c * d, c * d]
            self._emit(writer, second, first, y, (c, d, a, b, 1, k), steps, 0)
        else:
            steps = [k * b, 1, 0, b, k * d, 1, 0, d, b * c * d, c * d, d, 1]
            self._emit(writer, first, second, y, (a, b, c, d, 1, k), steps, 0)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx1[a, k, b] = the sum over c, d of dy x2; dx2[c, k, d] = the sum over a, b of dy x1."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        (a, k, b), (c, _, d) = self._sizes(writer, part)
        first, second = (writer.value(name) for name in part.inputs)
        found = writer.dx(part.inputs[0])
        if found is not None:
            steps = [b * c * d, c * d, d, 1, 0, d, k * d, 1, k * b, 1, 0, b]
            self._emit(writer, dy, second, found[0], (a, b, 1, k, c, d), steps, found[1])
        found = writer.dx(part.inputs[1])
        if found is None:
            return
        # the axis of dy that lies side by side is d, or c where d is none
        j, j_steps, y_steps = ((c, d), [d, 1], [k * d, 1]) if d > 1 else ((1, c), [0, 1], [0, k])
        steps = [0, b, k * b, 1, *j_steps, b * c * d, c * d, 0, d, *y_steps]
        self._emit(writer, first, dy, found[0], (1, k, *j, a, b), steps, found[1])

    def _emit(
        self,
        writer: Writer,
        a: Value,
        b: Value,
        y: Value,
        sizes: tuple[int, ...],
        steps: list[int],
        accumulate: int,
    ) -> None:
        for value in (a, b, y):
            value.compact = True
        writer.emit("contract", [a, b, y], [*sizes, *steps, accumulate], multiplies=math.prod(sizes))

    def _sizes(self, writer: Writer, part: Part) -> list[tuple[int, int, int]]:
        """What is before, along and behind the axis of each input."""
        shapes = [per_sample(writer.graph.shapes[name]) for name in part.inputs]
        places = part.brick.places(*(len(shape) + 1 for shape in shapes))
        return [_around(shape, (place,)) for shape, place in zip(shapes, places, strict=True)]


def _around(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, int, int]:
    """Sizes before, along and behind axes, which are counted with the batch axis."""
    first, last = axes[0] - 1, axes[-1]
    return math.prod(shape[:first]), math.prod(shape[first:last]), math.prod(shape[last:])
