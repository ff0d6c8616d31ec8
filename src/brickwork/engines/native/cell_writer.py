"""Writing the instructions of a loop's cell: every value is made once for each moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.graph import Graph
from ...graph.loop import Loop
from ...graph.node import InputSpec, Node
from .values import Operand, Step, Turns, Value
from .writer import Part, Writer


class CellWriter(Writer):
    """A writer for the cell of a Loop, which a part of the graph outside is.

    What the cell's lowerings write for one moment becomes the body of a loop. The gradients of parameters are
    taken of all moments together, with the moments' rows one behind the other.
    """

    def __init__(self, outer: Writer, part: Part, moments: int) -> None:
        loop: Loop = part.brick
        graph, names, self.sources = _with_taken(outer, part)
        super().__init__(
            graph,
            outer.layout,
            differentiates=outer.differentiates,
            training=outer.training,
            trainable=tuple(outer.trainable),
            names=names,
            read=graph.outputs,
            wanted=_wanted(outer, list(graph.inputs), self.sources, loop.states, set(names.values())),
        )
        self.order: Turns | None = None
        """The loop that is written at the moment."""
        self._outer, self._loop, self._moments = outer, part.node, moments
        self.late = outer.late
        self._written = outer._written

    def cover(self, part: Part) -> None:
        """What is written from now on is for these nodes of the cell, or for the loop."""
        if part.node is self._loop:
            super().cover(part)
            return
        names = {f"{self._loop.name}/{node.name}": node for node in part.nodes}
        self._covers = tuple(names)
        self._outer.inside.update({name: (self._loop, node) for name, node in names.items()})

    def _made(self, name: str, shape: tuple[int, ...], **more: Any) -> Value:
        return super()._made(f"{self._loop.name}/{name}", shape, moments=self._moments, **more)

    def emit(
        self,
        name: str,
        operands: Sequence[Operand],
        ints: Sequence[int] = (),
        floats: Sequence[float] = (),
        **more: Any,
    ) -> Step:
        """Write an instruction of the loop's body."""
        step = super().emit(name, operands, ints, floats, **more)
        step.turns = self.order
        step.multiplies *= self._moments
        return step

    def emit_late(
        self,
        name: str,
        operands: Sequence[Operand],
        ints: Sequence[int] = (),
        floats: Sequence[float] = (),
        *,
        straight: bool = False,
        **more: Any,
    ) -> Step:
        """Write an instruction on all moments of the batch; sums over chunks hold all moments already."""
        step = super().emit_late(name, operands, ints, floats, **more)
        if any(value.moments and not (value.chunks or value.once) for value in step.values):
            step.moments = self._moments
            step.multiplies *= self._moments
        return step

    def guard(self, x: Value, dy: Value, factor: float) -> None:
        """No gradient of a loop goes straight into the update."""

    def uses_of_parameter(self, key: str) -> int:
        """How many nodes share this parameter, those outside included."""
        return self._outer.uses_of_parameter(key)

    def update_terms(self, key: str) -> list[float]:
        """See Writer."""
        return self._outer.update_terms(key)

    def carry(self, source: Operand, to: Operand, when: int, accumulate: int, **more: bool) -> None:
        """y (+)= x at some moments: see `carry` in native/kernels/data.cpp; `before`, `spare`: see Step."""
        size = min(each.size for each in (source, to) if isinstance(each, Value))
        if more.get("before") and isinstance(source, Value):
            source.across = True
        work = size // 2
        self.emit("carry", [source, to], [size, accumulate, when], (), multiplies=work, **more)

    def body(self, carried: Sequence[Step], written: Sequence[Step]) -> None:
        """Hand the loop's body on to the writer outside: what is carried in, what is computed."""
        self._outer.steps += [*carried, *written]


def _with_taken(outer: Writer, part: Part) -> tuple[Graph, dict[str, str], list[str]]:
    """The cell with what the loop takes in; the keys outside of its parameters; what it reads outside."""
    loop: Loop = part.brick
    names = {loop.names[name]: key for name, key in outer.graph.wires[part.node.index].parameters}
    if not part.taken:
        return loop.cell, names, list(part.inputs)
    inputs: dict[str, InputSpec] = {}
    nodes, sources = list(loop.cell.nodes), list(part.inputs)
    for index, (x, spec) in enumerate(loop.cell.inputs.items()):
        before = part.taken.get(part.inputs[index]) if index < loop.sequences else None
        if before is None:
            inputs[x] = spec
            continue
        (sources[index],) = before.inputs
        previous = f"{x}/before"
        inputs[previous] = InputSpec((None, outer.graph.shapes[before.inputs[0]][-1]))
        for node in before.nodes:
            name = x if node is before.nodes[-1] else f"{x}/{node.name}"
            nodes.append(Node(name, node.brick, (previous,), owner=f"{x}/{node.owner}"))
            wire = outer.graph.wires[node.index]
            names.update(
                {f"{x}/{node.owner}/{own}": outer.names.get(key, key) for own, key in wire.parameters}
            )
            previous = name
    return Graph(inputs, nodes, loop.cell.outputs), names, sources


def _wanted(
    outer: Writer, inputs: Sequence[str], sources: Sequence[str], states: int, keys: set[str]
) -> list[str]:
    """Inputs of the cell with a gradient: the states where anything has one that is before them."""
    moving = [name for name, given in zip(inputs, sources, strict=False) if outer.wants(given)]
    if moving or any(outer.trains(key) for key in keys):
        moving += inputs[len(inputs) - states :]
    return moving
