"""Batch normalization, with the ReLU that follows it."""

from __future__ import annotations

import math
from typing import Any

from ...bricks import BatchNormalization, ReLU
from ...graph.node import Node
from .layout import Layout
from .lowering import lowers
from .values import Place, Value, per_sample
from .writer import Part, Writer

_TOGETHER = 32
"""Features that a thread finishes at a time."""

_BY_SCHEDULE = 0
"""Stands for the rows of a chunk, which the schedule fills in."""

_ROOM = 7
"""Numbers that a batch makes of a feature: see native/kernels/normalization.cpp."""


@lowers(BatchNormalization)
class BatchNormalizationLowering:
    """Samples of one place: all at once. Images: sums of the chunks, the features' numbers, every place."""

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Features along the last axis."""
        return brick.axis in (-1, len(shapes[0]) - 1)

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """Room for what a batch makes of the features."""
        layout.add_statistic(_room(part.node), _ROOM * _pitch(shapes[0][-1]))

    def forward(self, writer: Writer, part: Part) -> None:
        """y, and the next statistics."""
        made = _Made(writer, part)
        part.notes["made"] = made
        x, y = writer.value(part.inputs[0]), writer.value(part.output)
        made.compact(x, y)
        brick = part.brick
        numbers = [brick.epsilon, brick.momentum, 1.0 - brick.momentum]
        if made.trains and not made.follows:
            writer.commits += list(zip(made.next, made.running, strict=True))
        if made.trains and made.each == 1:
            writer.emit(
                "batch_norm",
                [x, made.room, y, *made.places],
                [made.features, 1, _TOGETHER, made.relu],
                numbers,
                kind="parts",
                parts=made.parts,
                multiplies=8 * x.size,
            )
            return
        sums = None
        if made.trains:
            sums = writer.chunk_sums("moments", 3 * made.pitch + 1)
            writer.emit(
                "batch_moments",
                [x, sums],
                [made.features, made.each],
                spatial=True,
                partial=True,
                multiplies=2 * x.size,
            )
        writer.emit(
            "batch_statistics",
            [sums, made.room, None, *made.places],
            [made.features, made.each, _TOGETHER, _BY_SCHEDULE],
            numbers,
            kind="parts",
            parts=made.parts,
        )
        if sums is None and not made.follows:
            # Of what was there before: at the beginning, where it parts no run of rows.
            writer.steps.insert(0, writer.steps.pop())
        writer.emit(
            "batch_normalise",
            [x, y, made.room],
            [made.features, made.each, made.relu],
            spatial=made.each > 1,
            multiplies=2 * x.size,
        )

    def backward(self, writer: Writer, part: Part) -> None:
        """dgamma and dbeta, then dx."""
        dy, made = writer.dy(part.output), part.notes["made"]
        if dy is None:
            return
        x = writer.value(part.inputs[0])
        relu = made.relu and part.output not in writer.rectified
        gradients, turns = [], []
        for key in (made.gamma, made.beta):
            trained = key is not None and writer.trains(key)
            gradients.append(writer.gradient_place(key) if trained else None)
            turns.append(trained and writer.turn(key) > 0)
        dx, accumulate = writer.dx(part.inputs[0]) or (None, 0)
        made.compact(dy, *[dx] if dx else [])
        if made.trains and made.each == 1:
            writer.emit(
                "batch_norm_backward",
                [x, made.room, *gradients, dy, dx],
                [made.features, 1, _TOGETHER, relu, accumulate, *turns],
                kind="parts",
                parts=made.parts,
                multiplies=8 * dy.size,
            )
            return
        if any(gradients) or made.trains:
            sums = writer.chunk_sums("products", 2 * made.pitch)
            writer.emit(
                "batch_products",
                [x, dy, made.room, sums],
                [made.features, made.each, relu],
                spatial=True,
                partial=True,
                multiplies=2 * dy.size,
            )
            writer.emit(
                "batch_finish",
                [sums, made.room, *gradients],
                [made.features, made.each, _TOGETHER, _BY_SCHEDULE, made.trains, *turns],
                kind="parts",
                parts=made.parts,
            )
        if dx is not None:
            writer.emit(
                "batch_gradient",
                [x, dy, made.room, dx],
                [made.features, made.each, relu, accumulate],
                spatial=made.each > 1,
                multiplies=2 * dy.size,
            )


class _Made:
    """What both halves know of a node."""

    def __init__(self, writer: Writer, part: Part) -> None:
        shape = per_sample(writer.graph.shapes[part.inputs[0]])
        self.features = shape[-1]
        self.each = math.prod(shape) // self.features
        self.pitch = _pitch(self.features)
        self.parts = math.ceil(self.features / _TOGETHER)
        self.relu = part.fused(ReLU) is not None
        self.trains = writer.training and not part.node.frozen
        layout = writer.layout
        self.room = layout.statistics[_room(part.node)]
        brick = part.brick
        self.gamma = part.key("gamma") if brick.scale else None
        self.beta = part.key("beta") if brick.center else None
        keys = [part.key("running_mean"), part.key("running_var")]
        self.running = [layout.statistics[key] for key in keys]
        self.next = [layout.statistics[f"next {key}"] for key in keys]
        self.follows = any(held == self.running[0] for _, held in writer.commits)
        """Whether an earlier node of the same owner has made the next statistics: this one starts there."""
        self.places: list[Place | None] = [
            *(self.next if self.follows else self.running),
            *self.next,
            *[None if key is None else layout.place(key) for key in (self.gamma, self.beta)],
        ]

    def compact(self, *values: Value) -> None:
        """Several places of a sample lie side by side."""
        for value in values:
            value.compact = value.compact or self.each > 1


def _room(node: Node) -> str:
    return f"batch of {node.name}"


def _pitch(features: int) -> int:
    return -(-features // 16) * 16
