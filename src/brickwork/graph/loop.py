"""Recurrence: a small graph, the cell, used at every moment of a sequence with the same parameters.

What a cell hands to its own next use is its state. Forward, the moments follow one another; backward,
back-propagation runs through them in the opposite order and adds up what each says of the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ..arguments import Check, Flag, Whole, argument, configured
from ..arrays import Array, Shape, extra, namespace
from ..bricks import Concatenate, Reshape, Slice
from ..bricks.base import Brick, Context, ParameterSpec, Saved, letters
from ..bricks.registry import register_brick
from ..errors import FormatError, GraphError, ShapeError, known_names
from .backpropagation import backprop
from .graph import Graph
from .node import Attributes, InputSpec, Node
from .serialization import LOOP, graph_from_config, graph_to_config

Trees = tuple[Any, ...]


class Cell(Check):
    """A Graph, or what `graph_to_config` told of one."""

    def __call__(self, owner: str, name: str, value: Any) -> Graph:
        """The graph."""
        if isinstance(value, Graph):
            return value
        if isinstance(value, Mapping):
            try:
                return graph_from_config(value)
            except FormatError as error:
                raise self.refuse(owner, name, value, hint=f" {error}") from error
        raise self.refuse_type(owner, name, value)

    def describe(self) -> str:
        """What may be written."""
        return "a Graph, or what graph_to_config tells of one"

    def bad(self) -> list[Any]:
        """Neither."""
        return ["lstm", 3, None, {"format": "other"}]


@register_brick(LOOP)
@configured(frozen=True)
class Loop(Brick):
    """A cell used at every moment t of a sequence: what it gives as its state goes into its next use.

    Forward    y(t), s(t) = cell(x(t), s(t - 1))     t = 1 … T, s(0) given, or 0
    Backward   dx(t), ds(t - 1) = cell backwards (dy(t), ds(t))     t = T … 1
               dp = Σ over t of what each use says of the parameter p
    Shapes     x, dx: (N, T, …)   y, dy: (N, T, …)   s, ds: (N, …)

    The cell's last `states` inputs are the states, those before them what one moment brings; its last
    `states` outputs are the new states in the same order, those before them what the moment gives. The
    loop takes the sequences, then either all of the first states or none, and gives the sequences y, then
    the last states. Parameters are the cell's, "recurrent/W" of the cell being named "recurrent.W" here.

    What does not depend on the state, such as the product of x with its kernel, is computed for all moments
    at once, before the loop. A cell holds neither random bricks nor running statistics; a dropout mask that
    is the same at all moments goes in as a state that the cell hands on unchanged.

    Parameters
    ----------
    cell : a Graph with a batch axis in each of its inputs and outputs.
    states : how many states, at least 0; default 1. With 0 the cell is used at each moment for itself.
    reverse : whether the moments are taken from last to first; each y(t) still stands at its t.

    >>> import numpy as np
    >>> from brickwork.bricks import Add
    >>> cell = Graph({"x": (None,), "s": (None,)}, [("sum", Add(), ("x", "s"))], ["sum", "sum"])
    >>> y, last = Loop(cell)(np.array([[1.0, 2.0, 3.0]]))
    >>> y, last
    (array([[1., 3., 6.]]), array([6.]))

    Werbos, "Backpropagation through time: what it does and how to do it", 1990.
    """

    cell: Graph = argument(Cell())
    states: int = argument(Whole(0), default=1)
    reverse: bool = argument(Flag(), default=False)

    names: ClassVar[dict[str, str]]
    """Name of each parameter -> its key in the cell; of the instance."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_cell(self.cell, self.states)
        object.__setattr__(self, "outputs", len(self.cell.outputs))
        object.__setattr__(self, "mixes_samples", any(n.brick.mixes_samples for n in self.cell.nodes))
        object.__setattr__(self, "names", {key.replace("/", "."): key for key in self.cell.parameters})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loop) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[Any, ...]:
        cell = self.cell
        return (tuple(cell.inputs.items()), cell.nodes, cell.outputs, self.states, self.reverse)

    def get_config(self) -> dict[str, Any]:
        """The cell as its own description, and the rest."""
        return {"cell": graph_to_config(self.cell), "states": self.states, "reverse": self.reverse}

    def attributes(self) -> dict[str, Any]:
        """What the cell's graph says of its parameters, under the loop's names: for the loop's own node."""
        found = {}
        for name, key in self.names.items():
            known = self.cell.parameters[key]
            found[name] = Attributes(known.initializer, known.trainable, known.regularizer, known.constraint)
        return found

    # -- shapes -------------------------------------------------------------------------------------

    @property
    def sequences(self) -> int:
        """How many of the cell's inputs a moment brings."""
        return len(self.cell.inputs) - self.states

    def output_shape(self, *shapes: Shape) -> Any:
        """Shapes of the sequences y, then of the last states. Raises ShapeError."""
        names = list(self.cell.inputs)
        count = self.sequences
        if len(shapes) not in (count, len(names)):
            raise ShapeError(
                f"Loop takes {known_names(names[:count])} as sequences (N, T, …), and then all first states "
                f"{known_names(names[count:]) or '(there are none)'} or none; it received {len(shapes)} "
                f"inputs. Mend the list of what feeds it."
            )
        for index, (name, shape) in enumerate(zip(names, shapes, strict=False)):
            wanted = self.cell.inputs[name].shape[1:]
            moment = (*shape[:1], *shape[2:]) if index < count else tuple(shape)
            fits = len(moment) == len(wanted) + 1 and len(shape) == len(wanted) + 1 + (index < count)
            known = zip(moment[1:], wanted, strict=False)
            if not fits or any(None not in pair and pair[0] != pair[1] for pair in known):
                pattern = ", ".join(["N", *(["T"] * (index < count)), *map(str, wanted)])
                raise ShapeError(
                    f"Loop takes {name!r} of shape ({pattern}); it received {letters(shape)}. "
                    f"Make the cell for these features, or put a Linear before the loop."
                )
        lengths = {shape[1] for shape in shapes[:count]}
        if 0 in lengths or len(lengths - {None}) > 1:
            raise ShapeError(
                f"Loop takes sequences of one length of at least 1; it received "
                f"{', '.join(letters(shape) for shape in shapes[:count])}. Cut or pad them."
            )
        rows, length = shapes[0][0], next(iter(lengths - {None}), None)
        made = [self.cell.shapes[name][1:] for name in self.cell.outputs]
        ys = [(rows, length, *sizes) for sizes in made[: self.sequence_outputs]]
        both = (*ys, *((rows, *sizes) for sizes in made[self.sequence_outputs :]))
        return both if len(both) > 1 else both[0]

    @property
    def sequence_outputs(self) -> int:
        """How many of the cell's outputs each moment gives."""
        return len(self.cell.outputs) - self.states

    def parameters(self, *shapes: Shape) -> dict[str, ParameterSpec]:
        """The cell's parameters."""
        known = self.cell.parameters
        return {
            name: ParameterSpec(known[key].shape, known[key].initializer) for name, key in self.names.items()
        }

    # -- numbers ------------------------------------------------------------------------------------

    def forward(self, params: Mapping[str, Array], *xs: Array, ctx: Context) -> tuple[Any, Saved]:
        """The sequences y, then the last states; what the cell's bricks saved at all moments."""
        cell, own = self.cell, self._own(params)
        sequences = xs[: self.sequences]
        first = sequences[0]
        xp = namespace(first)
        start = xs[self.sequences :] or tuple(
            xp.zeros((first.shape[0], *spec.shape[1:]), dtype=first.dtype)
            for spec in list(cell.inputs.values())[self.sequences :]
        )
        keep = frozenset(cell.outputs)

        def step(states: Trees, moment: Trees) -> tuple[Trees, Trees]:
            inputs = dict(zip(cell.inputs, (*moment, *states), strict=True))
            passed = cell.forward(own, {}, inputs, training=ctx.training, keep=keep)
            made = tuple(passed.values[name] for name in cell.outputs)
            saved = tuple(passed.saved[node.name] for node in cell.nodes)
            return made[self.sequence_outputs :], (made[: self.sequence_outputs], saved)

        moments = tuple(xp.moveaxis(x, 1, 0) for x in sequences)
        last, (ys, saved) = extra(first).scan(
            step, start, moments, length=first.shape[1], reverse=self.reverse
        )
        both = (*(xp.moveaxis(y, 0, 1) for y in ys), *last)
        return (both if len(both) > 1 else both[0]), (xs, saved)

    def backward(
        self, params: Mapping[str, Array], saved: Saved, dy: Any
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        """Back-propagation through time."""
        return self._through(params, saved, dy, tuple(self.cell.parameters))

    def input_gradients(self, params: Mapping[str, Array], saved: Saved, dy: Any) -> tuple[Array | None, ...]:
        """The half of it that goes on to the sequences and the first states."""
        return self._through(params, saved, dy, ())[0]

    def _through(
        self, params: Mapping[str, Array], saved: Saved, dy: Any, wanted: tuple[str, ...]
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        """Back-propagation through time; gradients of the parameters whose keys are wanted."""
        cell, own = self.cell, self._own(params)
        xs, kept = saved
        first = xs[0]
        xp = namespace(first)
        dys = dy if isinstance(dy, tuple) else (dy,)
        names = list(cell.inputs)
        states = names[self.sequences :]
        floats = frozenset(name for name in names if cell.inputs[name].dtype.startswith("float"))

        def step(carry: Trees, moment: Trees) -> tuple[Trees, Trees]:
            dstates, total = carry
            passed, here = moment
            seeds: dict[str, Array] = {}
            for name, seed in zip(cell.outputs, (*here, *dstates), strict=True):
                if seed is not None:
                    seeds[name] = seeds[name] + seed if name in seeds else seed
            saved_here = dict(zip((node.name for node in cell.nodes), passed, strict=True))
            dparams, found = backprop(cell, own, saved_here, seeds, wanted=wanted, keep=floats)
            before = tuple(
                found[name] if name in found else xp.zeros_like(dstate)
                for name, dstate in zip(states, dstates, strict=True)
            )
            added = tuple(so_far + dparams[key] for so_far, key in zip(total, wanted, strict=True))
            return (before, added), tuple(found.get(name) for name in names[: self.sequences])

        last = tuple(
            xp.zeros((first.shape[0], *cell.inputs[name].shape[1:]), dtype=first.dtype) if d is None else d
            for name, d in zip(states, dys[self.sequence_outputs :], strict=True)
        )
        given = tuple(None if d is None else xp.moveaxis(d, 1, 0) for d in dys[: self.sequence_outputs])
        (dstates, total), dmoments = extra(first).scan(
            step,
            (last, tuple(xp.zeros_like(own[key]) for key in wanted)),
            (kept, given),
            length=first.shape[1],
            reverse=not self.reverse,
        )
        dxs = [None if dx is None else xp.moveaxis(dx, 0, 1) for dx in dmoments]
        by_key = dict(zip(wanted, total, strict=True))
        dparams = {name: by_key[key] for name, key in self.names.items() if wanted}
        return (*dxs, *dstates)[: len(xs)], dparams  # no gradient of states that were not given

    def _own(self, params: Mapping[str, Array]) -> dict[str, Array]:
        """The cell's parameters by its own keys."""
        return {key: params[name] for name, key in self.names.items()}

    # -- the same without a loop --------------------------------------------------------------------

    def unroll(self, length: int) -> Graph:
        """The loop over `length` moments as a graph without a loop, the cell's nodes once for each moment.

        Its inputs are the sequences and the first states; the nodes of moment t are named "t/…" and share the
        parameters of the cell, whose keys are the cell's own. For looking, and to prove the loop right.
        """
        length = Whole(1)("Loop.unroll", "length", length)
        cell, count = self.cell, self.sequences
        names = list(cell.inputs)
        inputs = {
            name: InputSpec((spec.shape[0], length, *spec.shape[1:]), spec.dtype) if index < count else spec
            for index, (name, spec) in enumerate(cell.inputs.items())
        }
        nodes: list[Node] = []
        here = {name: name for name in names}
        made: list[list[str]] = [[] for _ in cell.outputs]
        for moment in reversed(range(length)) if self.reverse else range(length):
            for name in names[:count]:
                part, here[name] = f"{moment}/{name}/part", f"{moment}/{name}"
                nodes.append(Node(part, Slice(1, moment, moment + 1), (name,)))
                nodes.append(Node(here[name], Reshape(_sizes(cell.inputs[name])), (part,)))
            for node in cell.nodes:
                renamed = replace(node, name=f"{moment}/{node.name}")
                nodes.append(
                    replace(renamed, inputs=tuple(_moved(name, moment, here) for name in node.inputs))
                )
            outputs = [_moved(name, moment, here) for name in cell.outputs]
            for found, name in zip(made, outputs, strict=True):
                found.append(name)
            here.update(zip(names[count:], outputs[self.sequence_outputs :], strict=True))
        ys = []
        for index, found in enumerate(made[: self.sequence_outputs]):
            spec = InputSpec(cell.shapes[cell.outputs[index]])
            rows = [f"{name}/row{index}" for name in found]
            for name, row in zip(found, rows, strict=True):
                nodes.append(Node(row, Reshape((1, *_sizes(spec))), (name,)))
            if length > 1:
                ordered = tuple(reversed(rows)) if self.reverse else tuple(rows)
                nodes.append(Node(f"y{index}", Concatenate(1), ordered))
            ys.append(f"y{index}" if length > 1 else rows[0])
        return Graph(inputs, nodes, [*ys, *(found[-1] for found in made[self.sequence_outputs :])])


def _moved(reference: str, moment: int, here: Mapping[str, str]) -> str:
    """Where a value of the cell stands in the unrolled graph."""
    return here[reference] if reference in here else f"{moment}/{reference}"


def _sizes(spec: InputSpec) -> tuple[int, ...]:
    """The sizes behind the batch axis; -1 for one that is not known."""
    return tuple(-1 if size is None else size for size in spec.shape[1:])


def _require_cell(cell: Graph, states: int) -> None:
    """GraphError for a graph that cannot be a cell."""
    moments = len(cell.inputs) - states
    if moments < 1 or len(cell.outputs) < max(states, 1):
        raise GraphError(
            f"A cell with {states} states takes at least one input for what a moment brings, then the "
            f"states, and gives at least the new states; it received the inputs {known_names(cell.inputs)} "
            f"and the outputs {known_names(cell.outputs)}. Mend `states`, or the cell."
        )
    for name in (*cell.inputs, *cell.outputs):
        if cell.shapes[name][:1] != (None,):
            raise GraphError(
                f"A cell's inputs and outputs begin with the batch axis, None; {name!r} has the shape "
                f"{cell.shapes[name]}. Write (None, …)."
            )
    names = list(cell.inputs)[moments:]
    for name, output in zip(names, cell.outputs[len(cell.outputs) - states :], strict=True):
        if cell.shapes[name] != cell.shapes[output]:
            raise GraphError(
                f"A cell's new state has the shape of its state; {output!r} has {cell.shapes[output]}, "
                f"{name!r} has {cell.shapes[name]}. Make them equal."
            )
    for node in cell.nodes:
        if node.brick.random or any(wire.node is node and wire.statistics for wire in cell.wires):
            raise GraphError(
                f"A cell holds neither random bricks nor running statistics; it received "
                f"{type(node.brick).__name__} as {node.name!r}. Put it before or behind the loop."
            )
