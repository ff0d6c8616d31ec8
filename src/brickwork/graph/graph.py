"""The graph: nodes checked, ordered and with their shapes inferred; what every engine receives.

A graph is immutable. It holds no numbers: parameters and running statistics are dicts of arrays, keyed
"owner/name", that go in and come out of its functions.
"""

from __future__ import annotations

import heapq
import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import Array, Shape
from ..bricks.base import Brick, Context, ParameterSpec, Saved
from ..errors import GraphError, ShapeError, did_you_mean, known_names
from ..structs import struct
from .node import Attributes, InputSpec, Node, Parameter, Statistic


@struct(frozen=True)
class Pass:
    """What one forward pass leaves: values by reference, saved by node name, the next statistics."""

    values: dict[str, Array]
    saved: dict[str, Saved]
    state: dict[str, Array]


@struct(frozen=True)
class Wire:
    """A node with its keys resolved once, so that a pass spends its time in the bricks."""

    node: Node
    outputs: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    statistics: tuple[tuple[str, str], ...]


class Graph:
    """A directed acyclic graph of bricks.

    Parameters
    ----------
    inputs : name -> shape, or InputSpec. None is the batch axis.
    nodes : Node records, or (name, brick, input names) triples, in any order.
    outputs : names of nodes or inputs; "split:1" is the second output of node "split".

    Raises
    ------
    GraphError for cycles, dangling names and names used twice; ShapeError where bricks do not fit, with the
    node and what feeds it.

    >>> from brickwork.bricks import Add, Multiply
    >>> graph = Graph({"x": (None,), "y": (None,), "z": (None,)},
    ...               [("sum", Add(), ("x", "y")), ("f", Multiply(), ("sum", "z"))], ["f"])
    >>> numbers = {"x": np.array([-2.0]), "y": np.array([5.0]), "z": np.array([-4.0])}
    >>> float(graph.forward({}, {}, numbers).values["f"][0])
    -12.0

    Bottou and Gallinari, "A Framework for the Cooperation of Learning Algorithms", 1991.
    """

    def __init__(
        self,
        inputs: Mapping[str, InputSpec | Shape],
        nodes: Iterable[Node | tuple[str, Brick, Sequence[str]]],
        outputs: Sequence[str],
    ) -> None:
        self.inputs: dict[str, InputSpec] = {
            name: spec if isinstance(spec, InputSpec) else InputSpec(tuple(spec))
            for name, spec in inputs.items()
        }
        self.nodes: tuple[Node, ...] = _ordered(self.inputs, [_as_node(node) for node in nodes])
        self.outputs: tuple[str, ...] = tuple(outputs)
        self.shapes: dict[str, Shape] = {name: spec.shape for name, spec in self.inputs.items()}
        self.parameters: dict[str, Parameter] = {}
        self.statistics: dict[str, Statistic] = {}
        self.wires: tuple[Wire, ...] = tuple(self._wire(node) for node in self.nodes)
        self.by_name: dict[str, Node] = {node.name: node for node in self.nodes}
        for name in self.outputs:
            if name not in self.shapes:
                raise GraphError(
                    f"The output {name!r} names no node. Known names: {known_names(self.shapes)}."
                    f"{did_you_mean(name, self.shapes)}"
                )
        read = {name for node in self.nodes for name in node.inputs} | set(self.outputs)
        self._read: tuple[str, ...] = tuple(name for name in self.inputs if name in read)
        self._last_use = self._find_last_uses()
        self.needs: dict[Any, Any] = {}
        """What back-propagation found out about this graph, by what was asked of it."""

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} nodes, inputs {list(self.inputs)}, outputs {list(self.outputs)})"

    # -- what is built once -------------------------------------------------------------------------

    def _wire(self, node: Node) -> Wire:
        shapes = [self.shapes[name] for name in node.inputs]
        outputs = references(node)
        try:
            made = output_shapes(node.brick, shapes)
            parameters = [_parameter(node, *item) for item in node.brick.parameters(*shapes).items()]
            statistics = [
                Statistic(node.owner, name, spec.shape, spec.start)
                for name, spec in node.brick.state(*shapes).items()
            ]
            for parameter in parameters:
                _require_same(node, self.parameters.setdefault(parameter.key, parameter), parameter)
            for statistic in statistics:
                _require_same(node, self.statistics.setdefault(statistic.key, statistic), statistic)
        except Exception as error:
            error.add_note(place(node))
            raise
        self.shapes.update(zip(outputs, made, strict=True))
        return Wire(
            node,
            outputs,
            tuple((parameter.name, parameter.key) for parameter in parameters),
            tuple((statistic.name, statistic.key) for statistic in statistics),
        )

    def _find_last_uses(self) -> tuple[tuple[str, ...], ...]:
        """For each node, the values that nothing reads after it."""
        last: dict[str, int] = {}
        for node in self.nodes:
            last.update(dict.fromkeys(node.inputs, node.index))
            for output in references(node):
                last.setdefault(output, node.index)
        stay = {*self.inputs, *self.outputs}
        dying: list[list[str]] = [[] for _ in self.nodes]
        for name, index in last.items():
            if name not in stay:
                dying[index].append(name)
        return tuple(tuple(names) for names in dying)

    # -- numbers ------------------------------------------------------------------------------------

    def initialize(self, seed: int = 0, dtype: str = "float32") -> tuple[dict[str, Array], dict[str, Array]]:
        """First parameters and running statistics; the same seed gives the same numbers."""
        params = {}
        for index, (key, parameter) in enumerate(self.parameters.items()):
            generator = np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))
            params[key] = parameter.initializer.draw(parameter.shape, dtype, generator)
        state: dict[str, Array] = {
            key: np.full(statistic.shape, statistic.start, dtype)
            for key, statistic in self.statistics.items()
        }
        return params, state

    def forward(
        self,
        params: Mapping[str, Array],
        state: Mapping[str, Array],
        inputs: Mapping[str, Array],
        *,
        training: bool = False,
        key: Any = 0,
        step: Any = 0,
        row: Any = 0,
        keep: Collection[str] | None = None,
        save: bool = True,
    ) -> Pass:
        """Every brick in order.

        `keep` names the values to hand back beside inputs and outputs (None: all of them); others are dropped
        after their last use. `key`, `step` and `row` place the random numbers; `save=False` keeps nothing
        for the backward pass. Raises GraphError where an array is missing.
        """
        self._require_arrays(params, state, inputs)
        values: dict[str, Array] = {name: inputs[name] for name in self.inputs if name in inputs}
        saved: dict[str, Saved] = {}
        next_state = dict(state)
        plain = Context(training, {}, key, step, -1, row)  # for all that need no context of their own
        for wire in self.wires:
            node = wire.node
            own_state = {name: next_state[full] for name, full in wire.statistics}
            ctx = plain
            if own_state or node.stream >= 0:
                trains = training and not (node.frozen and bool(own_state))
                ctx = Context(trains, own_state, key, step, node.stream, row)
            own = {name: params[full] for name, full in wire.parameters}
            try:
                y, kept = node.brick.forward(own, *[values[name] for name in node.inputs], ctx=ctx)
                if own_state and ctx.training:
                    changed = node.brick.next_state(own_state, kept)
                    next_state.update({full: changed[name] for name, full in wire.statistics})
                if len(wire.outputs) == 1:
                    values[wire.outputs[0]] = y
                else:
                    values.update(zip(wire.outputs, y, strict=True))
            except Exception as error:
                error.add_note(place(node))
                raise
            if save:
                saved[node.name] = kept
            if keep is not None:
                for name in self._last_use[node.index]:
                    if name not in keep:
                        del values[name]
        return Pass(values, saved, next_state)

    def _require_arrays(
        self, params: Mapping[str, Array], state: Mapping[str, Array], inputs: Mapping[str, Array]
    ) -> None:
        for kind, needed, given in (
            ("input", self._read, inputs),
            ("parameter", self.parameters, params),
            ("running statistic", self.statistics, state),
        ):
            missing = next((name for name in needed if name not in given), None)
            if missing is not None:
                raise GraphError(
                    f"A forward pass takes an array for each {kind}; there is none for {missing!r}, only for "
                    f"{known_names(given) or 'nothing'}.{did_you_mean(missing, given)}"
                )


def references(node: Node) -> tuple[str, ...]:
    """The names of a node's outputs."""
    if node.brick.outputs == 1:
        return (node.name,)
    return tuple(f"{node.name}:{output}" for output in range(node.brick.outputs))


def place(node: Node) -> str:
    """Where an error happened, to be added as a note."""
    return f"at node {node.name!r}, fed by {known_names(node.inputs) or 'nothing'}"


def output_shapes(brick: Brick, shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """The shape of each output. Raises ShapeError, also for a wrong number of inputs."""
    try:
        made = brick.output_shape(*shapes)
    except TypeError as error:
        takes = [parameter.name for parameter in inspect.signature(brick.output_shape).parameters.values()]
        if "positional argument" not in str(error) or len(takes) == len(shapes):
            raise
        raise ShapeError(
            f"{type(brick).__name__} takes {len(takes)} input{'s' * (len(takes) != 1)} ({', '.join(takes)}); "
            f"it received {len(shapes)}. Mend the list of what feeds it."
        ) from None
    several = made if brick.outputs > 1 else (made,)
    if len(several) != brick.outputs:
        raise ShapeError(
            f"{type(brick).__name__} has {brick.outputs} outputs; its output_shape gave {len(several)} "
            f"shapes. Return one shape for each output."
        )
    return tuple(tuple(shape) for shape in several)


def _parameter(node: Node, name: str, spec: ParameterSpec) -> Parameter:
    """A brick's parameter with what the layer says of it."""
    known = node.attributes.get(name, Attributes())
    initializer = spec.initializer if known.initializer is None else known.initializer
    return Parameter(
        node.owner, name, spec.shape, initializer, known.trainable, known.regularizer, known.constraint
    )


def _require_same(node: Node, first: Parameter | Statistic, here: Parameter | Statistic) -> None:
    """Two uses of one owner must agree on the shape of what they share."""
    if first.shape != here.shape:
        raise ShapeError(
            f"{type(node.brick).__name__} shares {here.key!r} of shape {first.shape}; with this input it "
            f"would need {here.shape}. Give it an input of the first use's shape, or an owner of its own."
        )


def _as_node(node: Node | tuple[str, Brick, Sequence[str]]) -> Node:
    """A node whose inputs are a tuple and whose owner is named."""
    if not isinstance(node, Node):
        name, brick, inputs = node
        node = Node(name, brick, tuple(inputs) if not isinstance(inputs, str) else (inputs,))
    if not isinstance(node.brick, Brick):
        raise GraphError(
            f"Node {node.name!r} needs a brick; it received {node.brick!r}. "
            f"Write an instance, as in Linear(10)."
        )
    return node if node.owner else replace(node, owner=node.name)


def _ordered(inputs: Mapping[str, InputSpec], nodes: list[Node]) -> tuple[Node, ...]:
    """The nodes so ordered that each comes after what feeds it (Kahn, 1962); ties keep the given order."""
    producer: dict[str, int] = {}
    for position, node in enumerate(nodes):
        for name in {node.name, *references(node)}:
            if name in producer or name in inputs:
                raise GraphError(
                    f"Inputs and nodes need names that differ; {name!r} is used twice. Rename one of them."
                )
            producer[name] = position
    readers: list[list[int]] = [[] for _ in nodes]
    waiting = [0] * len(nodes)
    for position, node in enumerate(nodes):
        for name in node.inputs:
            if name in inputs:
                continue
            source = producer.get(name)
            if source is None or name not in references(nodes[source]):
                known = [*inputs, *(reference for other in nodes for reference in references(other))]
                raise GraphError(
                    f"node {node.name!r} reads {name!r}, which no node produces. "
                    f"Known nodes: {known_names(known)}.{did_you_mean(name, known)}"
                )
            readers[source].append(position)
            waiting[position] += 1
    ready = [position for position, count in enumerate(waiting) if count == 0]
    heapq.heapify(ready)
    order: list[Node] = []
    streams = 0
    while ready:
        position = heapq.heappop(ready)
        node = nodes[position]
        stream = -1
        if node.brick.random:
            stream, streams = streams, streams + 1
        order.append(replace(node, index=len(order), stream=stream))
        for reader in readers[position]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if len(order) < len(nodes):
        raise GraphError(_describe_cycle(nodes, waiting, producer))
    return tuple(order)


def _describe_cycle(nodes: list[Node], waiting: list[int], producer: Mapping[str, int]) -> str:
    """Walk backwards from a node that never became ready until one is met again."""
    position = next(place for place, count in enumerate(waiting) if count > 0)
    seen: dict[int, int] = {}
    while position not in seen:
        seen[position] = len(seen)
        position = next(
            producer[name]
            for name in nodes[position].inputs
            if name in producer and waiting[producer[name]] > 0
        )
    circle = [*list(seen)[seen[position] :], position]
    names = [nodes[index].name for index in reversed(circle)]
    return f"A network must not run in a circle; it received {_arrows(names)}. Cut one of these connections."


def _arrows(names: Sequence[str], limit: int = 12) -> str:
    shown = [repr(name) for name in names]
    if len(shown) > limit:
        shown = [*shown[: limit // 2], f"… ({len(shown) - limit} more)", *shown[-(limit // 2) :]]
    return " → ".join(shown)
