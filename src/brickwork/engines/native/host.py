"""A brick without native instructions: its own NumPy text, called back from the plan on the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Array
from ...bricks.base import Context
from ...graph.graph import references
from ...graph.node import Node
from .layout import Layout
from .values import STATISTIC, Place, Value
from .writer import Part, Writer


class HostLowering:
    """What every brick falls back to.

    The buffers of the plan are handed to the brick as arrays, without a copy; it must not write into them.
    """

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
        call.dys = [writer.dy(name) for name in references(part.node)]
        made = []
        for name in part.inputs:
            found = None if writer.value(name).integer else writer.dx(name)
            made.append(found)
            call.dxs.append(found)
        values = [value for value in call.dys if value is not None]
        values += [found[0] for found in made if found is not None]
        for value in values:
            value.compact = True
        for name, key in call.parameters.items():
            if writer.trains(key):
                call.dparameters[name] = (writer.gradient_place(key), writer.turn(key) > 0)
        writer.emit("host", [*call.inputs, *values], kind="host", host=len(writer.hosts))
        writer.hosts.append(call.backward)


class _Call:
    """Both halves of one node, with what the forward half leaves for the backward half."""

    def __init__(self, writer: Writer, part: Part) -> None:
        self.node: Node = part.node
        self.plan: Any = None  # set by the plan that owns the buffers
        wire = writer.graph.wires[part.node.index]
        self.inputs = [writer.value(name) for name in part.inputs]
        self.outputs = [writer.value(name) for name in references(part.node)]
        self.parameters = dict(wire.parameters)
        self.shapes = {name: writer.graph.parameters[key].shape for name, key in wire.parameters}
        self.statistics = dict(wire.statistics)
        self.statistic_shapes = {name: writer.graph.statistics[key].shape for name, key in wire.statistics}
        self.next: dict[str, Place] = {}
        for name, key in wire.statistics:
            held = writer.layout.add_statistic(key, _size(self.statistic_shapes[name]))
            self.next[name] = writer.layout.add_statistic(f"next {key}", held.size)
            if writer.training and not part.node.frozen:
                writer.commits.append((self.next[name], held))
        self.places = {name: writer.layout.place(key) for name, key in self.parameters.items()}
        self.kernels = {
            name: writer.layout.kernels[key].matrix
            for name, key in self.parameters.items()
            if key in writer.layout.kernels
        }
        self.held = {name: writer.layout.statistics[key] for name, key in self.statistics.items()}
        self.dys: list[Value | None] = []
        self.dxs: list[tuple[Value, int] | None] = []
        self.dparameters: dict[str, tuple[Place, bool]] = {}
        self._saved: Any = None

    def forward(self, rows: int, training: bool, step: int) -> None:
        """y, and the next statistics."""
        node, plan = self.node, self.plan
        state = {name: plan.numbers(place, self.statistic_shapes[name]) for name, place in self.held.items()}
        trains = training and not (node.frozen and bool(state))
        ctx = Context(trains, state, plan.seed, step, node.stream, 0)
        with np.errstate(all="ignore"):  # what is not finite is found and told after the pass
            y, self._saved = node.brick.forward(
                self._params(), *[self._array(x, rows) for x in self.inputs], ctx=ctx
            )
            if state and trains:
                for name, array in node.brick.next_state(state, self._saved).items():
                    plan.numbers(self.next[name], self.statistic_shapes[name])[...] = array
        made = (y,) if len(self.outputs) == 1 else y
        for value, array in zip(self.outputs, made, strict=True):
            self._array(value, rows)[...] = array

    def backward(self, rows: int, training: bool, step: int) -> None:
        """dx and the gradients of the parameters."""
        dys = [None if value is None else np.array(self._array(value, rows)) for value in self.dys]
        dy = dys[0] if len(dys) == 1 else tuple(dys)
        with np.errstate(all="ignore"):
            dxs, dparameters = self.node.brick.backward(self._params(), self._saved, dy)
        for found, dx in zip(self.dxs, dxs, strict=True):
            if found is None or dx is None:
                continue
            value, accumulate = found
            array = self._array(value, rows)
            array[...] = array + dx if accumulate else dx
        for name, (place, accumulate) in self.dparameters.items():
            self.plan.put_gradient(self.parameters[name], dparameters[name], accumulate)
            del place

    def _params(self) -> dict[str, Array]:
        return {name: self.plan.parameter(key, self.shapes[name]) for name, key in self.parameters.items()}

    def _array(self, value: Value, rows: int) -> Array:
        return self.plan.rows(value, rows)


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


__all__ = ["STATISTIC", "HostLowering"]
