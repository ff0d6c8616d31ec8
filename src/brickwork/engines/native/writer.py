"""Writes the instructions of a graph: forward brick by brick, then backward, the last brick first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from ...bricks import (
    Add,
    BatchNormalization,
    Bias,
    Convolution1D,
    Convolution2D,
    DepthwiseConvolution1D,
    DepthwiseConvolution2D,
    Linear,
    ReLU,
    TransposedConvolution1D,
    TransposedConvolution2D,
)
from ...bricks.base import Brick
from ...graph.graph import Graph, references
from ...graph.node import Node
from ...structs import struct
from .layout import Layout
from .rules import Update
from .terms import Term
from .values import GRADIENT, Operand, Place, Step, Value, per_sample

_TAKES_IN: dict[type[Brick], tuple[type[Brick], ...]] = {
    Linear: (Bias, ReLU),
    Convolution1D: (Bias, ReLU),
    Convolution2D: (Bias, ReLU),
    DepthwiseConvolution1D: (Bias, ReLU),
    DepthwiseConvolution2D: (Bias, ReLU),
    TransposedConvolution1D: (Bias, ReLU),
    TransposedConvolution2D: (Bias, ReLU),
    BatchNormalization: (ReLU,),
    Add: (ReLU,),
}
"""What a brick's instructions do along with it, in this order, where it alone reads what is before."""


_MOMENT_ROWS = 16
"""Samples from which on a loop multiplies each moment for itself."""

_MOMENT_KERNEL = 1 << 16
"""Numbers of a kernel up to which it does: beside that of the state, it stays in the second-level cache."""


@struct()
class Part:
    """Nodes that are lowered together: one brick with those that it takes in."""

    nodes: tuple[Node, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    """Where a key is another one outside: that of the cell of a loop."""
    taken: dict[str, Part] = field(default_factory=dict)
    """Of a loop: what makes a sequence that nothing else reads, by the sequence's name; see `_sunk`."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What the forward half leaves for the backward half."""

    @property
    def node(self) -> Node:
        """The first node, whose brick does the main work."""
        return self.nodes[0]

    @property
    def brick(self) -> Any:
        """The main brick."""
        return self.nodes[0].brick

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the part reads."""
        return self.nodes[0].inputs

    @property
    def output(self) -> str:
        """What the part makes; for a brick with several outputs, its name."""
        return self.nodes[-1].name

    def fused(self, kind: type[Brick]) -> Node | None:
        """The node of this kind that was taken in, if any."""
        return next((node for node in self.nodes[1:] if type(node.brick) is kind), None)

    def key(self, name: str, node: Node | None = None) -> str:
        """The key of a parameter or statistic."""
        key = f"{(node or self.node).owner}/{name}"
        return self.names.get(key, key)


class Writer:
    """Instructions of one pass over a graph, and the values that they work on."""

    def __init__(
        self,
        graph: Graph,
        layout: Layout,
        *,
        differentiates: bool,
        training: bool = False,
        trainable: Sequence[str] = (),
        updates: Sequence[Update] = (),
        terms: Sequence[Term] = (),
        keep: Sequence[str] = (),
        skip: frozenset[str] = frozenset(),
        rows: int = 1,
        names: Mapping[str, str] | None = None,
        read: Iterable[str] = (),
        wanted: Iterable[str] = (),
    ) -> None:
        self.graph = graph
        self.layout = layout
        self.differentiates = differentiates
        self.training = training
        """Whether dropout drops and batch normalization looks at the batch."""
        self.trainable = frozenset(trainable)
        self._update_terms = {update.key: update.terms for update in updates}
        self.terms = list(terms)
        self.keep = frozenset(keep)
        self.rows = rows
        self.names = names or {}
        """Where a parameter's key is another one outside."""
        self.inside: dict[str, tuple[Node, Node]] = {}
        """What instructions of a loop cover: the loop, and the node of its cell."""
        self.steps: list[Step] = []
        self.late: list[Step] = []
        self.direct: list[Step] = []
        self.hosts: list[Callable[[int, bool, int], None]] = []
        self.commits: list[tuple[Place, Place]] = []
        self.guards: list[tuple[Value, Value, float]] = []
        self.values: dict[str, Value] = {}
        self.gradients: dict[str, Value] = {}
        self.noticed: list[str] = []
        self._peaks: dict[int, Value] = {}
        self._written: dict[str, int] = {}
        self._with_gradient: set[str] = set()
        self._covers: tuple[str, ...] = ()
        self._seeded: set[str] = set()
        self._lowered: list[tuple[Part, Any]] = []
        self._pieces: dict[str, list[str]] = {}
        self._piece_of: dict[str, str] = {}
        self.rectified: set[str] = set()
        """Outputs of a ReLU whose gradient is 0 already where they are: see `rectify`."""
        nodes = [node for node in graph.nodes if node.name not in skip]
        self._uses: dict[str, int] = {}
        for node in nodes:
            for name in node.inputs:
                self._uses[name] = self._uses.get(name, 0) + 1
        for term in self.terms:
            self._uses[term.values] = self._uses.get(term.values, 0) + 1
        for name in read:
            self._uses[name] = self._uses.get(name, 0) + 1
        self.parts = self._grouped(nodes)
        self._wanted = self._find_wanted(nodes, wanted)

    # -- what is asked by lowerings -----------------------------------------------------------------

    def value(self, name: str) -> Value:
        """The value of a graph input or node, made where it is not there yet."""
        if name not in self.values:
            integer = name in self.graph.inputs and not self.graph.inputs[name].dtype.startswith("float")
            shape = per_sample(self.graph.shapes[name])
            self.values[name] = self._made(name, shape, integer=integer, kept=name in self.keep)
        return self.values[name]

    def _made(self, name: str, shape: tuple[int, ...], **more: Any) -> Value:
        return Value(name, shape, **more)

    def alias(self, name: str, source: str) -> None:
        """`name` is `source` in another shape: the same numbers in the same place."""
        value = self.value(source)
        value.kept = value.kept or name in self.keep
        self.values[name] = value

    def scratch(self, what: str, shape: tuple[int, ...]) -> Value:
        """A value that is no value of the graph."""
        return self._made(f"{'+'.join(self._covers)}.{what}", shape)

    def image_shape(self, name: str) -> tuple[int, ...]:
        """The shape of a sample as the graph sees it; a buffer may carry another name's shape."""
        return per_sample(self.graph.shapes[name])

    def chunk_sums(self, what: str, size: int) -> Value:
        """Room for sums over each chunk of the batch."""
        return Value(f"{'+'.join(self._covers)}.{what}", (size,), compact=True, chunks=True)

    def room(self, what: str, size: int) -> Value:
        """Room for an instruction's own numbers."""
        return Value(f"{'+'.join(self._covers)}.{what}", (size,), once=True)

    def reads(self, name: str) -> bool:
        """Whether anything reads this value, or it is an output."""
        return self._uses.get(name, 0) > 0 or name in self.keep

    def readers(self, name: str) -> list[Node] | None:
        """The nodes that read this value; None where it is read otherwise too."""
        if name not in self._uses or name in self.keep:
            return None
        found = [node for node in self.graph.nodes for given in node.inputs if given == name]
        return found if len(found) == self._uses[name] else None

    def wants(self, name: str) -> bool:
        """Whether E's gradient with respect to this value is needed."""
        return self.differentiates and name in self._wanted

    def trains(self, key: str) -> bool:
        """Whether this parameter is trained here."""
        return self.differentiates and key in self.trainable

    def split(self, name: str, pieces: Mapping[str, int]) -> None:
        """These values are pieces of each row of `name`: numbers and gradients lie in it from there on."""
        self._pieces[name] = list(pieces)
        for piece, start in pieces.items():
            shape = per_sample(self.graph.shapes[piece])
            self.values[piece] = self._made(piece, shape, whole=self.value(name), start=start)
            self._piece_of[piece] = name

    def is_piece(self, name: str) -> bool:
        """Whether this value has its place in another: see `split`."""
        return name in self._piece_of

    def dy(self, name: str) -> Value | None:
        """The gradient that arrived at a value; None where E does not depend on it."""
        if name not in self._with_gradient:
            return None
        for piece in self._pieces.get(name, ()):
            if piece not in self._with_gradient and (found := self.dx(piece)) is not None:
                self.emit("fill", [found[0]], [found[0].size], [0.0])
        return self.gradients[name]

    def dx(self, name: str) -> tuple[Value, int] | None:
        """Where to write a part of a value's gradient, and whether to add to it. None: it is not wanted."""
        if not self.wants(name):
            return None
        accumulate = name in self._with_gradient
        if not accumulate:
            self._with_gradient.add(name)
            where: dict[str, Any] = {}
            if name in self._piece_of:
                whole = self._piece_of[name]
                self._with_gradient.add(whole)
                if whole not in self.gradients:
                    self.gradients[whole] = self._made(f"d({whole})", self.value(whole).shape)
                where = {"whole": self.gradients[whole], "start": self.value(name).start}
            self.gradients[name] = self._made(f"d({name})", self.value(name).shape, **where)
        return self.gradients[name], int(accumulate)

    def pass_on(self, dy: Value, name: str) -> None:
        """dy is a part of the gradient of `name`, unchanged: the same buffer where it is all of it."""
        if not self.wants(name):
            return
        if self._uses[name] == 1 and name not in self._with_gradient and name not in self._piece_of:
            self.gradients[name] = dy
            self._with_gradient.add(name)
            return
        dx, accumulate = self.dx(name) or (dy, 0)
        self.emit("copy", [dy, dx], [dx.size, accumulate], [1.0])

    def rectify(self, name: str) -> bool:
        """Whether a ReLU made this value for one reader, which then must hand back 0 where it is not above 0.

        The ReLU itself has nothing left to do, and its output need not be kept for it.
        """
        node = self.graph.by_name.get(name)
        alone = node is not None and type(node.brick) is ReLU and self._uses[name] == 1
        if alone:
            self.rectified.add(name)
        return alone

    def seed(self, name: str) -> Term | None:
        """The only term that reads this value, so that its gradient is known beforehand."""
        terms = [term for term in self.terms if term.values == name]
        if len(terms) != 1 or self._uses[name] != 1:
            return None
        self._seeded.add(name)
        return terms[0]

    def emit(
        self,
        name: str,
        operands: Sequence[Operand],
        ints: Sequence[int] = (),
        floats: Sequence[float] = (),
        **more: Any,
    ) -> Step:
        """Write an instruction after those that were written before."""
        step = Step(name, list(operands), [int(x) for x in ints], list(floats), covers=self._covers, **more)
        self.steps.append(step)
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
        """Write an instruction on the whole batch for which no other waits: a parameter's gradient.

        `straight`: it may hand its gradients to the update, instead of writing them down.
        """
        step = Step(
            name,
            list(operands),
            [int(x) for x in ints],
            list(floats),
            covers=self._covers,
            kind="parts",
            **more,
        )
        (self.direct if straight else self.late).append(step)
        return step

    def guard(self, x: Value, dy: Value, factor: float) -> None:
        """Measure both, so that a gradient that goes straight into the update is known to be finite."""
        peaks = []
        for value in (x, dy):
            if id(value) not in self._peaks:
                self._peaks[id(value)] = peak = self.scratch(f"peak({value.name})", (1,))
                self.emit("peaks", [value, peak], [value.size], multiplies=value.size // 4)
            peaks.append(self._peaks[id(value)])
        self.guards.append((peaks[0], peaks[1], factor))

    def gradient_place(self, key: str) -> Place:
        """Where a parameter's gradient lies."""
        place = self.layout.place(key)
        return Place(GRADIENT, place.offset, place.size)

    def statistic(self, key: str) -> Place:
        """Where a running statistic is read: what a node before this one has made of it, if they share it."""
        held = self.layout.statistics[key]
        return next((made for made, to in self.commits if to == held), held)

    def next_statistic(self, key: str, *, frozen: bool) -> Place:
        """Where to write what the batch makes of a running statistic; it takes effect with the step."""
        held, made = self.layout.statistics[key], self.layout.statistics[f"next {key}"]
        if self.training and not frozen and (made, held) not in self.commits:
            self.commits.append((made, held))
        return made

    def update_terms(self, key: str) -> list[float]:
        """What the update of a parameter puts on its gradient, where that goes straight into it."""
        return list(self._update_terms.get(key, (0.0, 0.0, 0.0)))

    def turn(self, key: str) -> int:
        """How many gradients of this parameter are written before this one; parameters may be shared."""
        count = self._written.get(key, 0)
        self._written[key] = count + 1
        return count

    def turns(self, key: str) -> int:
        """How many gradients of this parameter are written."""
        return self._written.get(key, 0)

    def uses_of_parameter(self, key: str) -> int:
        """How many nodes share this parameter."""
        return sum(key in (full for _, full in wire.parameters) for wire in self.graph.wires)

    # -- the walk -----------------------------------------------------------------------------------

    def write(
        self, lowering: Callable[[Part], Any], sources: Sequence[str], measure: Callable[[], None]
    ) -> None:
        """All instructions.

        `lowering` gives what lowers a part, `sources` names the inputs in their order, and `measure` writes
        what is counted of the forward pass.
        """
        for index, name in enumerate(sources):
            self._covers = (name,)
            value = self.value(name)
            self.emit("gather", [value], [index, value.integer], multiplies=value.size // 2)
        self.go_forward(lowering)
        self._covers = ("metrics",)
        measure()
        if not self.differentiates:
            return
        for term in self.terms:
            if term.values not in self._seeded and self.wants(term.values):
                self._covers = (term.values,)
                dx, accumulate = self.dx(term.values) or (None, 0)
                weights = None if term.weights is None else self.value(term.weights)
                self.emit("seed", [weights, dx], [term.mean, accumulate], [term.share])
        self.go_backward()

    def go_forward(self, lowering: Callable[[Part], Any]) -> None:
        """The forward half of every part."""
        for part in self.parts:
            self.cover(part)
            how = lowering(part)
            how.forward(self, part)
            self._lowered.append((part, how))

    def go_backward(self) -> None:
        """The backward half of every part that a gradient arrives at, the last part first."""
        for part, how in reversed(self._lowered):
            self.cover(part)
            outputs = [name for name in references(part.nodes[-1]) if self.dy(name) is not None]
            if outputs or part.notes.get("seeded"):
                how.backward(self, part)

    def cover(self, part: Part) -> None:
        """What is written from now on is for this part."""
        self._covers = tuple(node.name for node in part.nodes)

    def _grouped(self, nodes: list[Node]) -> list[Part]:
        readers: dict[str, list[Node]] = {}
        for node in nodes:
            for name in node.inputs:
                readers.setdefault(name, []).append(node)
        taken: set[str] = set()
        parts = []
        for node in nodes:
            if node.name in taken:
                continue
            group = [node]
            for kind in _TAKES_IN.get(type(node.brick), ()):
                following = self._only_reader(group[-1].name, readers)
                if following is not None and type(following.brick) is kind:
                    group.append(following)
            taken.update(each.name for each in group)
            parts.append(Part(tuple(group), self.names))
        return self._sunk(parts)

    def _sunk(self, parts: list[Part]) -> list[Part]:
        """A loop takes in the products that it alone reads: a moment's stays in the cache until it is used.

        Of few samples the products of all moments together are faster, as they are of a large kernel.
        """
        made = {part.output: part for part in parts if type(part.brick) is Linear}
        taken: set[str] = set()
        for part in parts if self.rows >= _MOMENT_ROWS else ():
            for name in part.inputs[: getattr(part.brick, "sequences", 0)]:
                before, readers = made.get(name), self.readers(name)
                shapes = [self.graph.shapes[known] for known in (*(before.inputs if before else ()), name)]
                numbers = math.prod(shape[-1] or 0 for shape in shapes)
                alone = readers is not None and len(readers) == 1 and name not in self.graph.outputs
                if before is not None and alone and numbers <= _MOMENT_KERNEL:
                    part.taken[name] = before
                    taken.add(name)
        return [part for part in parts if part.output not in taken]

    def _only_reader(self, name: str, readers: Mapping[str, list[Node]]) -> Node | None:
        found = readers.get(name, [])
        alone = len(found) == 1 and self._uses[name] == 1 and name not in self.keep
        return found[0] if alone and name not in self.graph.outputs else None

    def _find_wanted(self, nodes: list[Node], sources: Iterable[str]) -> set[str]:
        """Values that depend on something that is trained, or on one of these."""
        wanted = set(sources)
        wires = {wire.node.name: wire for wire in self.graph.wires}
        for node in nodes:
            keys = (self.names.get(full, full) for _, full in wires[node.name].parameters)
            own = any(key in self.trainable for key in keys)
            if own or any(name in wanted for name in node.inputs):
                wanted.update(references(node))
        return wanted
