"""Normalization of each sample by its own statistics, and of each number by its neighbour channels."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import (
    GroupNormalization,
    LayerNormalization,
    LocalResponseNormalization,
    RMSNormalization,
    UnitNormalization,
)
from .convolution_steps import reduce
from .lowering import Plain, lowers
from .values import Place, Value, per_sample
from .writer import Part, Writer

_KINDS = {
    LayerNormalization: 0,
    GroupNormalization: 0,
    RMSNormalization: 1,
    UnitNormalization: 2,
}
"""What is done to a group: see native/kernels/sample_normalization.cpp."""


@lowers(LayerNormalization, GroupNormalization, RMSNormalization, UnitNormalization)
class SampleNormalizationLowering(Plain):
    """Along the last axes, or by groups of channels of the last axis."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Numbers of a group that lie side by side at each place."""
        rank = len(shapes[0])
        if isinstance(brick, GroupNormalization):
            return bool(brick.axis % rank == rank - 1)
        axes = brick.axes(shapes[0])
        return bool(axes == tuple(range(axes[0], rank)))

    def forward(self, writer: Writer, part: Part) -> None:
        """y, with the statistics that the backward half reads."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        sizes = _sizes(writer, part, x, y)
        _, sets, places, groups, _ = sizes
        part.notes["statistics"] = held = writer.scratch("statistics", (2 * sets * groups,))
        held.compact = True
        writer.emit(
            "sample_norm",
            [x, y, held, _place(writer, part, "gamma"), _place(writer, part, "beta"), _room(writer, sizes)],
            sizes,
            [getattr(part.brick, "epsilon", 0.0)],
            spatial=sets * places > 1,
            multiplies=6 * x.size,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dgamma and dbeta from the sums of the chunks, and dx."""
        dy = writer.dy(part.output)
        if dy is None:
            return
        x = writer.value(part.inputs[0])
        sizes = _sizes(writer, part, x, dy)
        _, sets, places, groups, width = sizes
        sums: dict[str, Value | None] = {}
        for name in ("gamma", "beta"):
            trained = _place(writer, part, name) is not None and writer.trains(part.key(name))
            sums[name] = writer.chunk_sums(f"sums({name})", groups * width) if trained else None
        dx, accumulate = writer.dx(part.inputs[0]) or (None, 0)
        if dx is not None:
            dx.compact = dx.compact or dy.compact
        if dx is None and not any(sums.values()):
            return
        gamma = _place(writer, part, "gamma")
        room = _room(writer, sizes)
        writer.emit(
            "sample_norm_backward",
            [x, dy, part.notes["statistics"], gamma, dx, sums["gamma"], sums["beta"], room],
            [*sizes, accumulate],
            [getattr(part.brick, "epsilon", 0.0)],
            spatial=sets * places > 1,
            partial=any(sums.values()),
            multiplies=8 * x.size,
        )
        for name, found in sums.items():
            if found is not None:
                reduce(writer, found, part.key(name))


def _sizes(writer: Writer, part: Part, *values: Value) -> list[int]:
    """Kind, sets, places, groups, width."""
    shape = per_sample(writer.graph.shapes[part.inputs[0]])
    for value in values:
        value.compact = value.compact or len(shape) > 1
    kind = _KINDS[type(part.brick)]
    if isinstance(part.brick, GroupNormalization):
        groups = part.brick.count((None, *shape))
        return [kind, 1, math.prod(shape[:-1]), groups, shape[-1] // groups]
    first = part.brick.axes((None, *shape))[0] - 1
    return [kind, math.prod(shape[:first]), 1, 1, math.prod(shape[first:])]


def _room(writer: Writer, sizes: list[int]) -> Value | None:
    """Room for numbers of each channel, where sums are taken channel by channel."""
    _, _, places, groups, width = sizes
    return writer.room("channels", 4 * (groups * width + 32)) if places > 1 else None


def _place(writer: Writer, part: Part, name: str) -> Place | None:
    """Where the gain or the shift lies, if there is one."""
    names = {own for own, _ in writer.graph.wires[part.node.index].parameters}
    return writer.layout.place(part.key(name)) if name in names else None


@lowers(LocalResponseNormalization)
class LocalResponseLowering(Plain):
    """Across the last axis."""

    def forward(self, writer: Writer, part: Part) -> None:
        """y."""
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        ints, floats, room = self._told(writer, part, 1, x, y)
        writer.emit("local_response", [x, y, room], ints, floats, spatial=ints[1] > 1, multiplies=12 * x.size)

    def backward(self, writer: Writer, part: Part) -> None:
        """dx; the powers are computed again, which costs less than keeping them."""
        dy, found = writer.dy(part.output), writer.dx(part.inputs[0])
        if dy is None or found is None:
            return
        x, (dx, accumulate) = writer.value(part.inputs[0]), found
        ints, floats, room = self._told(writer, part, 3, x, dy, dx)
        writer.emit(
            "local_response_backward",
            [x, dy, dx, room],
            [*ints, accumulate],
            floats,
            spatial=ints[1] > 1,
            multiplies=20 * x.size,
        )

    def _told(
        self, writer: Writer, part: Part, rows: int, *values: Value
    ) -> tuple[list[int], list[float], Value]:
        *outer, channels = per_sample(writer.graph.shapes[part.inputs[0]])
        for value in values:
            value.compact = value.compact or bool(outer)
        brick = part.brick
        # A window past all channels sees no more than one of twice their number.
        size = min(brick.size, 2 * channels + (brick.size % 2))
        room = writer.room("channels", rows * (channels + 2 * size + 48))
        return [channels, math.prod(outer), size], [brick.alpha, brick.beta, brick.k], room
