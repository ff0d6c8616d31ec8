"""A Loop: the cell's instructions once for each moment; a group of samples goes through all moments."""

from __future__ import annotations

from typing import Any

from ...graph.graph import references
from ...graph.loop import Loop
from .cell_writer import CellWriter
from .layout import Layout
from .lowering import TABLE, lowering_for, lowers
from .values import Moment, Turns, Value, per_sample
from .writer import Part, Writer

_FIRST, _OTHERS, _LAST, _ALL = range(4)
"""Moments at which numbers are carried on: see native/kernels/data.cpp."""


@lowers(Loop)
class LoopLowering:
    """Forward through the moments, backward through them in the opposite order.

    What the backward half reads of a moment lies together for all samples, one moment behind the other: the
    gradients of the parameters are then one product over all rows of all moments.
    """

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """A cell all of whose bricks have instructions, and work on each sample for itself."""
        shapes_inside = brick.cell.shapes
        if brick.mixes_samples or any(
            shape[:1] != (None,) or None in shape[1:] for shape in shapes_inside.values()
        ):
            return False
        found = [(lowering_for(type(node.brick)), node) for node in brick.cell.nodes]
        return all(
            how is not None and how.accepts(node.brick, [shapes_inside[name] for name in node.inputs])
            for how, node in found
        )

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """What the cell's bricks ask for."""
        loop = part.brick
        names = {key: part.key(name) for name, key in loop.names.items()}
        for node in loop.cell.nodes:
            known = [loop.cell.shapes[name] for name in node.inputs]
            TABLE[type(node.brick)].reserve(layout, Part((node,), names), known)

    def forward(self, writer: Writer, part: Part) -> None:
        """The sequences y and the last states."""
        loop = part.brick
        moments = per_sample(writer.graph.shapes[part.inputs[0]])[0]
        cell = part.notes["cell"] = CellWriter(writer, part, moments)
        names, outputs = list(cell.graph.inputs), cell.graph.outputs
        outer = [writer.value(name) for name in cell.sources]
        cell.order = Turns(moments, loop.reverse)
        for name, x in zip(names, outer, strict=False):
            cell.value(name).integer = x.integer
        cell.go_forward(lambda inside: TABLE[type(inside.brick)])
        cell.cover(part)
        for index, (reference, name) in enumerate(zip(references(part.node), outputs, strict=True)):
            if writer.reads(reference):
                made, y = cell.value(name), writer.value(reference)
                if index >= loop.sequence_outputs:
                    cell.carry(made, y, _LAST, 0)
                else:
                    cell.carry(made, _moment(y, made), _ALL, 0, spare=True)
        written, cell.steps = cell.steps, []
        for name, x in zip(names[: loop.sequences], outer, strict=False):
            cell.carry(_moment(x, cell.value(name)), cell.value(name), _ALL, 0, spare=True)
        firsts: list[Value | None] = [*outer[loop.sequences :]] or [None] * loop.states
        news = outputs[loop.sequence_outputs :]
        for state, first, new in zip(names[loop.sequences :], firsts, news, strict=True):
            value = cell.value(state)
            cell.carry(first, value, _FIRST, 0)
            cell.carry(cell.value(new), value, _OTHERS, 0, before=True)
        cell.body(cell.steps, written)

    def backward(self, writer: Writer, part: Part) -> None:
        """Back-propagation through time."""
        loop, cell = part.brick, part.notes["cell"]
        names = list(cell.graph.inputs)
        states = names[loop.sequences :]
        cell.order = Turns(cell.order.moments, not loop.reverse)
        given = list(
            zip(cell.graph.outputs, [writer.dy(name) for name in references(part.node)], strict=True)
        )
        ys, lasts = given[: loop.sequence_outputs], given[loop.sequence_outputs :]
        begun = [cell.dx(name) for name, _ in lasts]
        shown = [(dy, cell.dx(name)) for name, dy in ys if dy is not None]
        cell.steps = []
        cell.go_backward()
        cell.cover(part)
        for name, outside in zip(names, cell.sources, strict=False):
            inside = cell.dy(name)
            found = None if inside is None else writer.dx(outside)
            if found is not None:
                dx, accumulate = found
                if name in states:
                    cell.carry(inside, dx, _LAST, accumulate)
                else:
                    cell.carry(inside, _moment(dx, inside), _ALL, accumulate, spare=not accumulate)
        written, cell.steps = cell.steps, []
        for state, found, (_, dlast) in zip(states, begun, lasts, strict=True):
            if found is not None:
                cell.carry(dlast, found[0], _FIRST, found[1])
                cell.carry(cell.dy(state), found[0], _OTHERS, found[1], before=True)
        for dy, found in shown:
            if found is not None:
                cell.carry(_moment(dy, found[0]), found[0], _ALL, found[1])
        cell.body(cell.steps, written)


def _moment(sequence: Value, inside: Value) -> Moment:
    """One moment of a sequence outside, of the size of what is inside."""
    return Moment(sequence, inside.size)
