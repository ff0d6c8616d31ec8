"""Several values become one, or one becomes a part: sums, products, maxima, joined and cut axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...bricks import Add, Average, Concatenate, Maximum, Minimum, Multiply, ReLU, Slice, Subtract
from ...graph.node import Node
from .lower_dense import through_relu
from .lowering import Plain, lowering_for, lowers
from .values import Value, per_sample
from .writer import Part, Writer

_ADD, _MULTIPLY, _MAXIMUM, _MINIMUM, _SUBTRACT, _AVERAGE = range(6)
_MOST_OPERANDS = 8


class Merging(Plain):
    """Values of one shape, two by two."""

    strided = True
    code = _ADD
    last_code: int | None = None
    """That of the last two, where it is another."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Where nothing is broadcast."""
        return all(shape == shapes[0] for shape in shapes)

    def forward(self, writer: Writer, part: Part) -> None:
        """y = x1, with each of the others in turn; then ReLU."""
        y = writer.value(part.output)
        first, *others = (writer.value(name) for name in part.inputs)
        for index, x in enumerate(others):
            last = index == len(others) - 1
            code = self.last_code if last and self.last_code is not None else self.code
            relu = last and part.fused(ReLU) is not None
            factor = 1.0 / len(part.inputs)
            writer.emit("merge", [first, x, y], [code, y.size, relu, 0], [factor], multiplies=2 * y.size)
            first = y


@lowers(Add)
class AddLowering(Merging):
    """Sums of values of one shape, with the ReLU that follows."""

    def backward(self, writer: Writer, part: Part) -> None:
        """dxi = dy."""
        if writer.dy(part.output) is None or not any(writer.wants(name) for name in part.inputs):
            return
        dy = through_relu(writer, part)
        for name in part.inputs:
            writer.pass_on(dy, name)


class Weighted(Merging):
    """dxi is dy times a number."""

    def factor(self, index: int, count: int) -> float:
        """That of the input of this index."""
        raise NotImplementedError

    def backward(self, writer: Writer, part: Part) -> None:
        """dxi, by copies."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        for index, name in enumerate(part.inputs):
            found = writer.dx(name)
            if found is not None:
                dx, accumulate = found
                factor = self.factor(index, len(part.inputs))
                writer.emit("copy", [dy, dx], [dx.size, accumulate], [factor], multiplies=dx.size)


@lowers(Subtract)
class SubtractLowering(Weighted):
    """The difference of two values of one shape."""

    code = _SUBTRACT

    def factor(self, index: int, count: int) -> float:
        """See Weighted."""
        return -1.0 if index else 1.0


@lowers(Average)
class AverageLowering(Weighted):
    """The mean of values of one shape."""

    last_code = _AVERAGE

    def factor(self, index: int, count: int) -> float:
        """See Weighted."""
        return 1.0 / count


@lowers(Multiply)
class MultiplyLowering(Merging):
    """Products of values of one shape."""

    code = _MULTIPLY

    def backward(self, writer: Writer, part: Part) -> None:
        """dxi = dy times the others."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        values = [writer.value(name) for name in part.inputs]
        for index, name in enumerate(part.inputs):
            found = writer.dx(name)
            if found is None:
                continue
            *before, last = values[:index] + values[index + 1 :]
            product = dy
            for other in before:
                made = writer.scratch("product", dy.shape)
                writer.emit("merge", [product, other, made], [_MULTIPLY, dy.size, 0, 0], multiplies=dy.size)
                product = made
            dx, accumulate = found
            writer.emit(
                "merge", [product, last, dx], [_MULTIPLY, dy.size, 0, accumulate], multiplies=2 * dy.size
            )


@lowers(Maximum)
class MaximumLowering(Merging):
    """The largest of values of one shape."""

    code = _MAXIMUM

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """As many as an instruction has operands for."""
        return len(shapes) <= _MOST_OPERANDS - 3 and super().accepts(brick, shapes)

    def backward(self, writer: Writer, part: Part) -> None:
        """dxi = dy where xi is the first of the largest."""
        dy, y = writer.dy(part.output), writer.value(part.output)
        if dy is None:
            return
        values = [writer.value(name) for name in part.inputs]
        for index, name in enumerate(part.inputs):
            found = writer.dx(name)
            if found is None:
                continue
            dx, accumulate = found
            writer.emit(
                "maximum_backward",
                [dy, y, dx, values[index], *values[:index]],
                [index, dy.size, accumulate],
                multiplies=2 * dy.size,
            )


@lowers(Minimum)
class MinimumLowering(MaximumLowering):
    """The smallest of values of one shape."""

    code = _MINIMUM


@lowers(Concatenate)
class ConcatenateLowering(Plain):
    """Values one behind the other along an axis."""

    moves = True

    def forward(self, writer: Writer, part: Part) -> None:
        """Each input to its place."""
        y = writer.value(part.output)
        xs = [writer.value(name) for name in part.inputs]
        y.integer = all(x.integer for x in xs)
        for x, piece in zip(xs, self._pieces(writer, part), strict=True):
            outer, run, step, start = piece
            _move(writer, x, y, [outer, 1, run, run, 0, step, 0, 0, start, 0])

    def backward(self, writer: Writer, part: Part) -> None:
        """Each input's part of dy."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        for name, piece in zip(part.inputs, self._pieces(writer, part), strict=True):
            found = writer.dx(name)
            if found is not None:
                outer, run, step, start = piece
                dx, accumulate = found
                _move(writer, dy, dx, [outer, 1, run, step, 0, run, 0, start, 0, accumulate])

    def _pieces(self, writer: Writer, part: Part) -> list[tuple[int, int, int, int]]:
        """Of each input: how many runs of numbers, their length, their step in y, the first one's place."""
        shape = per_sample(writer.graph.shapes[part.output])
        axis = part.brick.axis % (len(shape) + 1) - 1
        outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
        pieces, start = [], 0
        for name in part.inputs:
            run = per_sample(writer.graph.shapes[name])[axis] * inner
            pieces.append((outer, run, shape[axis] * inner, start))
            start += run
        return pieces


@lowers(Slice)
class SliceLowering(Plain):
    """A part of an axis. Where nothing but slices reads a row, and all of it, they stay where they are."""

    moves = True

    def forward(self, writer: Writer, part: Part) -> None:
        """The places that are taken."""
        if part.output not in writer.values and (pieces := self._pieces(writer, part.inputs[0])):
            writer.split(part.inputs[0], pieces)
        if writer.is_piece(part.output):
            return
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        y.integer = x.integer
        outer, count, inner, size, step, start = self._places(writer, part)
        _move(
            writer, x, y, [outer, count, inner, size * inner, step * inner, count * inner, inner, start, 0, 0]
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dy at those places, 0 elsewhere."""
        if writer.is_piece(part.output):
            return
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        if not accumulate:
            writer.emit("fill", [dx], [dx.size], [0.0], multiplies=dx.size // 4)
        outer, count, inner, size, step, start = self._places(writer, part)
        steps = [count * inner, inner, size * inner, step * inner, 0, start, accumulate]
        _move(writer, dy, dx, [outer, count, inner, *steps])

    def _pieces(self, writer: Writer, name: str) -> dict[str, int]:
        """Slices of a row and where each begins, if all are read by bricks that take pieces of rows."""
        shape, readers = per_sample(writer.graph.shapes[name]), writer.readers(name)
        slices: list[tuple[Node, Any]]
        slices = [(node, node.brick) for node in readers or () if type(node.brick) is Slice]
        if len(shape) != 1 or readers is None or len(slices) < len(readers):
            return {}
        taken = {node.name: range(shape[0])[cut.start : cut.stop : cut.step] for node, cut in slices}
        if sorted(place for places in taken.values() for place in places) != list(range(shape[0])):
            return {}
        for node, cut in slices:
            behind = writer.readers(node.name)
            if cut.step != 1 or behind is None or not all(_strided(writer, other) for other in behind):
                return {}
        return {piece: places.start for piece, places in taken.items()}

    def _places(self, writer: Writer, part: Part) -> tuple[int, int, int, int, int, int]:
        shape, brick = per_sample(writer.graph.shapes[part.inputs[0]]), part.brick
        axis = brick.axis % (len(shape) + 1) - 1
        outer, inner, size = math.prod(shape[:axis]), math.prod(shape[axis + 1 :]), shape[axis]
        places = range(size)[brick.start : brick.stop : brick.step]
        return outer, len(places), inner, size, brick.step, places.start * inner


def _strided(writer: Writer, node: Node) -> bool:
    how = lowering_for(type(node.brick))
    shapes = [writer.graph.shapes[name] for name in node.inputs]
    return how is not None and getattr(how, "strided", False) and how.accepts(node.brick, shapes)


def _move(writer: Writer, x: Value, y: Value, ints: Sequence[int]) -> None:
    outer, count, inner, x_outer, x_step, y_outer, y_step, *rest = ints
    if x_step == inner == y_step:
        count, inner = 1, count * inner
    # The offsets reach over a whole sample, whose numbers must lie side by side.
    x.compact = x.compact or len(x.shape) != 1
    y.compact = y.compact or len(y.shape) != 1
    writer.emit(
        "move",
        [x, y],
        [outer, count, inner, x_outer, x_step, y_outer, y_step, *rest],
        multiplies=min(x.size, y.size),
    )
