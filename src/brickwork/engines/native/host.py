"""A brick without native instructions: its own NumPy text, called back from the plan on the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Array
from ...bricks.base import Context
from ...graph.graph import references
from ...graph.node import Node
from .layout import Layout
from .values import Value
from .writer import Part, Writer


class HostLowering:
    """What every brick falls back to.

    The buffers of the plan are handed to the brick as arrays, without a copy; it must not write into them.
    """

    reads_whole = True

    def accepts(self, brick: Any, shapes: list[Any]) -> bool:
        """Always."""
        return True

    def reserve(self, layout: Layout, part: Part, shapes: list[Any]) -> None:
        """Parameters as they are."""

    def forward(self, writer: Writer, part: Part) -> None:
        """A call of the brick's `forward`."""
        call = _Call(writer, part)
        part.notes["call"] = call
        for value in (*call.inputs, *call.outputs):
            value.compact = True
        writer.noticed.append(f"{type(part.brick).__name__} ({part.node.name})")
        writer.emit("host", [*call.inputs, *call.outputs], kind="host", host=len(writer.hosts))
        writer.hosts.append(call.forward)

    def backward(self, writer: Writer, part: Part) -> None:
        """A call of the brick's `backward`."""
        call: _Call = part.notes["call"]
        call.dys = [writer.dy(name) for name in call.made]
        made = []
        for name in part.inputs:
            found = None if writer.value(name).integer else writer.dx(name)
            made.append(found)
            call.dxs.append(found)
        values = [value for value in call.dys if value is not None]
        values += [found[0] for found in made if found is not None]
        for value in values:
            value.compact = True
        for name, (key, _) in call.parameters.items():
            if writer.trains(key):
                call.dparameters[name] = writer.turn(key) > 0
        writer.emit("host", [*call.inputs, *values], kind="host", host=len(writer.hosts))
        writer.hosts.append(call.backward)


class _Call:
    """Both halves of one node, with what the forward half leaves for the backward half."""

    def __init__(self, writer: Writer, part: Part) -> None:
        self.node: Node = part.node
        self.plan: Any = None  # set by the pass that owns the buffers
        wire = writer.graph.wires[part.node.index]
        graph = writer.graph
        self.made = references(part.node)
        self.inputs = [writer.value(name) for name in part.inputs]
        self.outputs = [writer.value(name) for name in self.made]
        self.parameters = {name: (key, graph.parameters[key].shape) for name, key in wire.parameters}
        self.shapes = {name: graph.statistics[key].shape for name, key in wire.statistics}
        self.held = {name: writer.statistic(key) for name, key in wire.statistics}
        self.next = {
            name: writer.next_statistic(key, frozen=part.node.frozen) for name, key in wire.statistics
        }
        self.dys: list[Value | None] = []
        self.dxs: list[tuple[Value, int] | None] = []
        self.dparameters: dict[str, bool] = {}
        """Whether to add to what is there."""
        self._saved: Any = None

    def forward(self, rows: int, training: bool, step: int) -> None:
        """y, and the next statistics."""
        node, plan = self.node, self.plan
        # Copies: the next ones may be written where these are read.
        state = {name: np.array(plan.numbers(place, self.shapes[name])) for name, place in self.held.items()}
        trains = training and not (node.frozen and bool(state))
        ctx = Context(trains, state, plan.seed, step, node.stream, 0)
        xs = [plan.rows(value, rows, name) for name, value in zip(node.inputs, self.inputs, strict=True)]
        with np.errstate(all="ignore"):  # what is not finite is found and told after the pass
            y, self._saved = node.brick.forward(self._params(), *xs, ctx=ctx)
            next_state = node.brick.next_state(state, self._saved) if state and trains else {}
        for name, array in next_state.items():
            plan.numbers(self.next[name], self.shapes[name])[...] = array
        ys = (y,) if len(self.made) == 1 else y
        for name, value, array in zip(self.made, self.outputs, ys, strict=True):
            plan.rows(value, rows, name)[...] = array

    def backward(self, rows: int, training: bool, step: int) -> None:
        """dx and the gradients of the parameters."""
        plan = self.plan
        dys = [
            None if value is None else np.array(plan.rows(value, rows, name))
            for name, value in zip(self.made, self.dys, strict=True)
        ]
        with np.errstate(all="ignore"):
            dxs, dparameters = self.node.brick.backward(
                self._params(), self._saved, dys[0] if len(dys) == 1 else tuple(dys)
            )
        for name, found, dx in zip(self.node.inputs, self.dxs, dxs, strict=True):
            if found is None or dx is None:
                continue
            value, accumulate = found
            array = plan.rows(value, rows, name)
            array[...] = array + dx if accumulate else dx
        for name, accumulate in self.dparameters.items():
            plan.put_gradient(self.parameters[name][0], dparameters[name], accumulate)

    def _params(self) -> dict[str, Array]:
        return {name: self.plan.parameter(*held) for name, held in self.parameters.items()}
