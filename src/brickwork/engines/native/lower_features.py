"""A gain and a shift for each feature, softmax along the last axis, sums over axes, activity penalties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...bricks import (
    GLU,
    ActivityPenalty,
    LogSoftmax,
    Maxout,
    Normalization,
    PReLU,
    Rescaling,
    Scale,
    Softmax,
    Sparsemax,
    Standardization,
    Sum,
)
from ...bricks.base import Brick
from ...bricks.preprocessing import SMALLEST_DEVIATION
from .convolution_steps import reduce
from .lower_simple import UnaryLowering
from .lowering import Plain, lowers
from .values import Place, Value, per_sample, shared_runs
from .writer import Part, Writer

_TABLE, _GAIN, _STATISTICS, _INVERSE = range(4)
"""Where a map's numbers come from: see native/kernels/features.cpp."""


@lowers(Softmax, LogSoftmax, Sparsemax)
class SoftmaxLowering(Plain):
    """Along the last axis."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """No other axis."""
        return brick.axis in (-1, len(shapes[0]) - 1)

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        classes, places = _features(writer, part, x, y)
        name, kind = _softmax(part)
        writer.emit(name, [x, y], [classes, places, *kind], multiplies=20 * x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx from y."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        classes, places = _features(writer, part, dy, dx)
        name, kind = _softmax(part)
        writer.emit(
            f"{name}_backward",
            [writer.value(part.output), dy, dx],
            [classes, places, *kind, accumulate],
            multiplies=(16 if isinstance(part.brick, LogSoftmax) else 4) * dy.size,
        )


def _softmax(part: Part) -> tuple[str, tuple[int, ...]]:
    """The instruction, and whether it takes the logarithm, where it can."""
    if isinstance(part.brick, Sparsemax):
        return "sparsemax", ()
    return "softmax", (int(isinstance(part.brick, LogSoftmax)),)


class FeatureMap(Plain):
    """y = (x - before) * gain + after, with numbers for each feature."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        self._emit(writer, part, writer.value(part.inputs[0]), writer.value(part.output), 0, 0)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx = dy * gain."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is not None and found is not None:
            self._emit(writer, part, dy, found[0], 1, found[1])

    def _emit(self, writer: Writer, part: Part, x: Value, y: Value, gradient: int, accumulate: int) -> None:
        features, places = _features(writer, part, x, y)
        whence, operands, table = self.numbers(writer, part, features)
        writer.emit(
            "feature_map",
            [x, y, *operands],
            [features, places, whence, gradient, accumulate],
            [SMALLEST_DEVIATION],
            table=table,
            multiplies=2 * x.size,
        )

    def numbers(self, writer: Writer, part: Part, features: int) -> tuple[int, list[Place | None], list[int]]:
        """Whence the numbers come, their places, and where they are fixed, themselves."""
        raise NotImplementedError


@lowers(Scale)
class ScaleLowering(FeatureMap):
    """A learned gain."""

    def numbers(self, writer: Writer, part: Part, features: int) -> tuple[int, list[Place | None], list[int]]:
        """See FeatureMap."""
        return _GAIN, [writer.layout.place(part.key("gamma")), None], []

    def backward(self, writer: Writer, part: Part) -> None:
        """dgamma from the sums of the chunks, and dx."""
        dy, key = writer.dy(part.output), part.key("gamma")
        if dy is not None and writer.trains(key):
            x = writer.value(part.inputs[0])
            features, places = _features(writer, part, x, dy)
            sums = writer.chunk_sums(f"sums({key})", features)
            writer.emit(
                "feature_products",
                [x, dy, sums],
                [features, places],
                partial=True,
                spatial=places > 1,
                multiplies=dy.size,
            )
            reduce(writer, sums, key)
        super().backward(writer, part)


@lowers(PReLU)
class PReLULowering(Plain):
    """Slopes that are learned; where they are shared, along axes at the beginning or at the end."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Axes that are not shared lie side by side."""
        return self._shared(brick, shapes[0]) is not None

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        self._emit(writer, part, x, x, y, 0)

    def backward(self, writer: Writer, part: Part) -> None:
        """dalpha from the sums of the chunks, and dx."""
        dy, key = writer.dy(part.output), part.key("alpha")
        if dy is None:
            return
        x = writer.value(part.inputs[0])
        if writer.trains(key):
            outer, each, inner = self._shared(part.brick, writer.graph.shapes[part.inputs[0]])
            x.compact = x.compact or outer * inner > 1
            dy.compact = dy.compact or outer * inner > 1
            sums = writer.chunk_sums(f"sums({key})", each)
            writer.emit(
                "prelu_products",
                [x, dy, sums],
                [outer, each, inner],
                partial=True,
                spatial=outer * inner > 1,
                multiplies=dy.size,
            )
            reduce(writer, sums, key)
        found = writer.dx(part.inputs[0])
        if found is not None:
            self._emit(writer, part, x, dy, *found)

    def _emit(self, writer: Writer, part: Part, x: Value, z: Value, y: Value, accumulate: int) -> None:
        outer, each, inner = self._shared(part.brick, writer.graph.shapes[part.inputs[0]])
        for value in (x, z, y):
            value.compact = value.compact or outer * inner > 1
        alpha = writer.layout.place(part.key("alpha"))
        writer.emit("prelu", [x, z, y, alpha], [outer, each, inner, accumulate], multiplies=2 * x.size)

    def _shared(self, brick: PReLU, shape: Any) -> Any:
        return shared_runs(brick.parameters(shape)["alpha"].shape, per_sample(shape))


_NAMES: dict[type[Brick], str] = {Maxout: "maxout", GLU: "glu"}


@lowers(Maxout, GLU)
class GroupsLowering(Plain):
    """Groups of features that become one."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        writer.emit(_NAMES[type(part.brick)], [x, y], self._sizes(writer, part, x, y), multiplies=2 * x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        read = [x, y] if isinstance(part.brick, Maxout) else [x]
        sizes = self._sizes(writer, part, *read, dy, dx)
        name = f"{_NAMES[type(part.brick)]}_backward"
        writer.emit(name, [*read, dy, dx], [*sizes, accumulate], multiplies=2 * x.size)

    def _sizes(self, writer: Writer, part: Part, *values: Value) -> list[int]:
        shape, brick = per_sample(writer.graph.shapes[part.inputs[0]]), part.brick
        axis, groups = brick.axis % (len(shape) + 1) - 1, brick.groups()
        outer = math.prod(shape[:axis])
        for value in values:
            value.compact = value.compact or outer > 1
        return [outer, groups, shape[axis] // groups * math.prod(shape[axis + 1 :])]


@lowers(Normalization)
class NormalizationLowering(FeatureMap):
    """Fixed means and deviations."""

    def numbers(self, writer: Writer, part: Part, features: int) -> tuple[int, list[Place | None], list[int]]:
        """See FeatureMap."""
        deviation = np.maximum(np.sqrt(np.asarray(part.brick.variance, np.float64)), SMALLEST_DEVIATION)
        return _TABLE, [], _table(features, part.brick.mean, 1.0 / deviation, 0.0)


@lowers(Rescaling)
class RescalingLowering(FeatureMap):
    """Fixed gains and shifts; one for all features is a function of each number alone."""

    _alone = UnaryLowering()

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        if _varies(part):
            super().forward(writer, part)
        else:
            self._alone.forward(writer, part)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        if _varies(part):
            super().backward(writer, part)
        else:
            self._alone.backward(writer, part)

    def numbers(self, writer: Writer, part: Part, features: int) -> tuple[int, list[Place | None], list[int]]:
        """See FeatureMap."""
        return _TABLE, [], _table(features, 0.0, part.brick.scale, part.brick.offset)


def _varies(part: Part) -> bool:
    return isinstance(part.brick.scale, tuple) or isinstance(part.brick.offset, tuple)


@lowers(Standardization)
class StandardizationLowering(FeatureMap):
    """Means and deviations that are statistics of the network."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Numbers for the last axis."""
        return bool(brick.kept(shapes[0]) == (len(shapes[0]) - 1,))

    def numbers(self, writer: Writer, part: Part, features: int) -> tuple[int, list[Place | None], list[int]]:
        """See FeatureMap."""
        places: list[Place | None] = [
            writer.layout.statistics[part.key(name)] for name in ("mean", "variance")
        ]
        return (_INVERSE if part.brick.invert else _STATISTICS), places, []


@lowers(Sum)
class SumLowering(Plain):
    """Sums over axes of a sample that lie side by side."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Not over the samples, and no axis between two that are summed over."""
        axes = _summed(brick, len(shapes[0]))
        return 0 not in axes and bool(axes) and axes[-1] - axes[0] == len(axes) - 1

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        x.compact = y.compact = True
        writer.emit("sum_axes", [x, y], self._sizes(writer, part), multiplies=x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx = dy, spread."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        dy.compact = dx.compact = True
        writer.emit("spread_axes", [dy, dx], [*self._sizes(writer, part), accumulate], multiplies=dx.size)

    def _sizes(self, writer: Writer, part: Part) -> list[int]:
        shape = per_sample(writer.graph.shapes[part.inputs[0]])
        axes = _summed(part.brick, len(shape) + 1)
        first, last = axes[0] - 1, axes[-1]
        return [math.prod(shape[:first]), math.prod(shape[first:last]), math.prod(shape[last:])]


def _summed(brick: Sum, rank: int) -> tuple[int, ...]:
    if brick.axis is None:
        return tuple(range(1, rank))
    named = brick.axis if isinstance(brick.axis, tuple) else (brick.axis,)
    return tuple(sorted(axis % rank for axis in named))


@lowers(ActivityPenalty)
class ActivityPenaltyLowering(Plain):
    """What each sample pays."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y, a number for each sample."""
        x, brick = writer.value(part.inputs[0]), part.brick
        writer.emit(
            "activity_penalty",
            [x, writer.value(part.output)],
            [x.size],
            [brick.l1, brick.l2],
            multiplies=2 * x.size,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dx."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        dx, accumulate = found
        x, brick = writer.value(part.inputs[0]), part.brick
        writer.emit(
            "activity_penalty_backward",
            [x, dy, dx],
            [x.size, accumulate],
            [brick.l1, brick.l2],
            multiplies=2 * x.size,
        )


def _features(writer: Writer, part: Part, *values: Value) -> tuple[int, int]:
    """Features of the last axis, and how many times a sample has them."""
    shape = per_sample(writer.graph.shapes[part.inputs[0]])
    places = math.prod(shape[:-1])
    for value in values:
        value.compact = value.compact or places > 1
    return shape[-1], places


def add_fixed(writer: Writer, x: Value, y: Value, numbers: Any) -> None:
    """y = x + numbers, one for each number of a sample."""
    writer.emit(
        "feature_map",
        [x, y],
        [x.size, 1, _TABLE, 0, 0],
        [SMALLEST_DEVIATION],
        table=_table(x.size, 0.0, 1.0, np.ravel(numbers)),
        multiplies=x.size,
    )


def _table(features: int, *numbers: Any) -> list[int]:
    """Numbers for each feature as float32, two in each whole number."""
    rows = [np.broadcast_to(np.asarray(each, np.float32), (features,)) for each in numbers]
    flat = np.concatenate([*rows, np.zeros(features % 2, np.float32)])
    return [int(number) for number in flat.view(np.int64)]
