"""Symbols: values of a network that is being wired, and how wiring becomes a Graph.

Calling a brick or a layer on symbols makes a `Call` and new symbols; nothing else is stored, so several
networks can share parts of one wiring. `collect` walks back from the outputs and gives the Graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from typing import Any

import numpy as np

from ..arrays import Array, Shape
from ..bricks.base import Brick, letters
from ..catalogue import snake_case
from ..config import floatx
from ..errors import GraphError, ShapeError, known_names
from ..structs import struct
from .graph import Graph, output_shapes
from .node import Attributes, InputSpec, Node
from .room import take_room

_counter = itertools.count()


class Owner:
    """Holder of the parameters and running statistics that one brick, or several that share them, use.

    `values` and `state` are the arrays themselves; engines change them in place, so that every network
    that holds this owner sees the change.
    """

    def __init__(self, brick: Brick, shapes: Sequence[Shape], attributes: Mapping[str, Attributes]) -> None:
        specs = brick.parameters(*shapes)
        unknown = [name for name in attributes if name not in specs]
        if unknown:
            raise GraphError(
                f"{type(brick).__name__} has the parameters {known_names(specs) or 'none'}; "
                f"attributes were given for {known_names(unknown)}."
            )
        self.attributes: dict[str, Attributes] = {name: attributes.get(name, Attributes()) for name in specs}
        self.trainable = True
        self.shapes = {name: spec.shape for name, spec in specs.items()}
        statistics = brick.state(*shapes)
        take_room(
            type(brick).__name__, [*self.shapes.values(), *(spec.shape for spec in statistics.values())]
        )
        dtype = floatx()
        self.values: dict[str, Array] = {
            name: aligned((self.attributes[name].initializer or spec.initializer)(spec.shape, dtype))
            for name, spec in specs.items()
        }
        self.state: dict[str, Array] = {
            name: aligned(np.full(spec.shape, spec.start, dtype)) for name, spec in statistics.items()
        }


@struct(eq=False)
class Scope:
    """One call of a layer while it lays its bricks. `handle` is the layer floor's own record of the call."""

    name: str
    kind: str
    parent: Scope | None = None
    handle: Any = None

    @property
    def path(self) -> str:
        """Names from the outermost layer inwards, such as "base/dense"."""
        return f"{self.parent.path}/{self.name}" if self.parent else self.name

    @property
    def kinds(self) -> str:
        """Classes from the outermost layer inwards, such as "Functional/Dense"."""
        return f"{self.parent.kinds}/{self.kind}" if self.parent else self.kind

    @property
    def outermost(self) -> Scope:
        """The scope that no other one holds."""
        here = self
        while here.parent is not None:
            here = here.parent
        return here


_scope: ContextVar[Scope | None] = ContextVar("brickwork_scope", default=None)


@contextmanager
def scope(name: str, kind: str, handle: Any = None) -> Iterator[Scope]:
    """Bricks laid inside belong to the layer `name`."""
    inner = Scope(name, kind, _scope.get(), handle)
    token = _scope.set(inner)
    try:
        yield inner
    finally:
        _scope.reset(token)


@contextmanager
def no_scope() -> Iterator[None]:
    """Bricks laid inside belong to no layer around: a wiring of its own."""
    token = _scope.set(None)
    try:
        yield
    finally:
        _scope.reset(token)


@struct(eq=False)
class Call:
    """One laying of a brick (or an input, where `brick` is None)."""

    brick: Brick | None
    inputs: tuple[Symbol, ...]
    name: str
    owner: Owner | None = None
    scope: Scope | None = None
    tape: Any = None
    outputs: tuple[Symbol, ...] = ()
    order: int = field(default_factory=lambda: next(_counter))


class Symbol:
    """A value of a network that is being wired: its shape, its dtype, and what makes it.

    `x + y` and `x * y` lay Add and Multiply; with a number, as in `2 * x - 1`, they lay Rescaling. Under
    `brickwork.record()` a symbol also has its `value`.
    """

    __array_priority__ = 1000  # so that array * symbol lays a brick

    def __init__(self, call: Call, shape: Shape, dtype: str = "float32", value: Array = None) -> None:
        self.call = call
        self.shape = tuple(shape)
        self.dtype = dtype
        self.value = value
        self.mask: Symbol | None = None
        """Which moments count, (N, T), 1 or 0, where a layer said so; layers hand it on, bricks do not."""

    def __repr__(self) -> str:
        value = "" if self.value is None else f", value={self.value!r}"
        return f"<Symbol {self.call.name!r}, shape={letters(self.shape)}{value}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.value is None:
            raise TypeError(
                f"{self!r} is part of a network and holds no numbers. Make a Model of it and call predict, "
                f"or wire it inside `with brickwork.record():`."
            )
        return np.array(self.value, dtype=dtype, copy=copy)

    def __add__(self, other: Any) -> Any:
        from ..bricks import Add, Rescaling

        return Rescaling(1.0, float(other))(self) if _is_number(other) else Add()(self, other)

    def __mul__(self, other: Any) -> Any:
        from ..bricks import Multiply, Rescaling

        return Rescaling(float(other))(self) if _is_number(other) else Multiply()(self, other)

    def __neg__(self) -> Any:
        return self * -1.0

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __truediv__(self, other: Any) -> Any:
        from ..bricks import Multiply, Reciprocal, Rescaling

        return Rescaling(1.0 / other)(self) if _is_number(other) else Multiply()(self, Reciprocal()(other))

    __radd__ = __add__
    __rmul__ = __mul__

    def lay(
        self,
        brick: Brick,
        xs: Sequence[Any],
        *,
        name: str | None = None,
        owner: Owner | None = None,
        attributes: Mapping[str, Attributes] | None = None,
        parameters: Mapping[str, Array] | None = None,
    ) -> Any:
        """Lay a brick on `xs`; see `Brick.__call__`."""
        tape = next((x.call.tape for x in xs if isinstance(x, Symbol) and x.call.tape is not None), None)
        return lay(brick, xs, tape=tape, name=name, owner=owner, attributes=attributes, parameters=parameters)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def lay(
    brick: Brick,
    xs: Sequence[Any],
    *,
    tape: Any = None,
    name: str | None = None,
    owner: Owner | None = None,
    attributes: Mapping[str, Attributes] | None = None,
    parameters: Mapping[str, Array] | None = None,
    trainable: bool = True,
) -> Any:
    """One more use of a brick: checks shapes, makes or reuses the owner, gives the output symbols."""
    if tape is not None:
        xs = [x if isinstance(x, Symbol) else tape.input(x) for x in xs]
    for x in xs:
        if not isinstance(x, Symbol):
            raise GraphError(
                f"{type(brick).__name__} is laid on symbols; it received {type(x).__name__}. "
                f"Start from brickwork.Input(shape), or compute on arrays inside `with brickwork.record():`."
            )
        if x.call.tape is not tape:
            raise GraphError(
                f"{type(brick).__name__} takes values of one recording; it received {x!r}, which belongs to "
                f"{'another one' if x.call.tape else 'none'}. Make it inside the same `with` block."
            )
    shapes = [x.shape for x in xs]
    here = _scope.get()
    role = name or snake_case(type(brick).__name__)
    try:
        made = output_shapes(brick, shapes)
        if owner is None:
            owner = Owner(brick, shapes, attributes or {})
            owner.trainable = trainable or not (owner.values or owner.state)
        else:
            _require_same(brick, owner, shapes)
    except ShapeError as error:
        path = f"{here.path}/{role}" if here else role
        error.add_note(f"at {path!r}, fed by {known_names(x.call.name for x in xs) or 'nothing'}")
        raise
    for key, value in (parameters or {}).items():
        set_array(owner.values, key, value, type(brick).__name__)
    call = Call(brick, tuple(xs), role, owner, here, tape)
    dtype = next((x.dtype for x in xs if x.dtype.startswith("float")), floatx())
    call.outputs = tuple(Symbol(call, shape, dtype) for shape in made)
    if tape is not None:
        tape.compute(call)
    return call.outputs if brick.outputs > 1 else call.outputs[0]


def input_symbol(shape: Shape, dtype: str = "float32", name: str | None = None, tape: Any = None) -> Symbol:
    """A value that comes from outside."""
    call = Call(None, (), name or "input", scope=_scope.get(), tape=tape)
    call.outputs = (Symbol(call, shape, dtype),)
    return call.outputs[0]


def ancestors(outputs: Sequence[Symbol], inputs: Sequence[Symbol] = ()) -> list[Call]:
    """The calls that lead to `outputs`, in order; `inputs` are where the walk stops."""
    borders = {id(symbol) for symbol in inputs}
    found: dict[int, Call] = {}
    waiting = [symbol for symbol in outputs if id(symbol) not in borders]
    while waiting:
        call = waiting.pop().call
        if id(call) not in found:
            found[id(call)] = call
            waiting.extend(symbol for symbol in call.inputs if id(symbol) not in borders)
    return sorted(found.values(), key=lambda call: call.order)


@struct(frozen=True)
class Collected:
    """A graph with the owners of its parameters and the names its symbols got."""

    graph: Graph
    owners: dict[str, Owner]
    names: dict[int, str]

    def name_of(self, symbol: Symbol) -> str:
        """The reference under which `symbol` stands in the graph."""
        return self.names[id(symbol)]

    @property
    def parameters(self) -> dict[str, Array]:
        """The live arrays, by key."""
        return {
            f"{owner}/{name}": value
            for owner, held in self.owners.items()
            for name, value in held.values.items()
        }

    @property
    def state(self) -> dict[str, Array]:
        """The live running statistics, by key."""
        return {
            f"{owner}/{name}": value
            for owner, held in self.owners.items()
            for name, value in held.state.items()
        }


def collect(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> Collected:
    """The graph between `inputs` and `outputs`. Raises GraphError where an output needs another input."""
    names: dict[int, str] = {}
    taken: dict[str, int] = {}
    specs: dict[str, InputSpec] = {}
    for symbol in inputs:
        names[id(symbol)] = name = unique(symbol.call.name, taken)
        specs[name] = InputSpec(symbol.shape, symbol.dtype)
    nodes: list[Node] = []
    owners: dict[str, Owner] = {}
    owner_names: dict[int, str] = {}
    for call in ancestors(outputs, inputs):
        if call.brick is None:
            raise GraphError(
                f"The outputs depend on the input {call.name!r}, which is not among the inputs "
                f"{known_names(specs)}. Add it to the inputs."
            )
        own_path = f"{call.scope.path}/{call.name}" if call.scope else call.name
        name = unique(own_path, taken)
        owner = call.owner
        if owner is not None and (owner.values or owner.state):
            owner_name = owner_names.setdefault(id(owner), name)
            owners.setdefault(owner_name, owner)
        else:
            owner_name = name
        nodes.append(_node(call, name, owner_name, [names[id(x)] for x in call.inputs]))
        for index, symbol in enumerate(call.outputs):
            names.setdefault(id(symbol), name if call.brick.outputs == 1 else f"{name}:{index}")
    graph = Graph(specs, nodes, [names[id(symbol)] for symbol in outputs])
    return Collected(graph, owners, names)


def _node(call: Call, name: str, owner_name: str, inputs: list[str]) -> Node:
    owner, brick = call.owner, call.brick
    assert owner is not None and brick is not None  # noqa: S101  (a call with a brick has an owner)
    attributes = {
        key: Attributes(
            known.initializer, known.trainable and owner.trainable, known.regularizer, known.constraint
        )
        for key, known in owner.attributes.items()
    }
    layer, kind = (call.scope.path, call.scope.kinds) if call.scope else ("", "")
    return Node(name, brick, tuple(inputs), owner_name, layer, kind, not owner.trainable, attributes)


def unique(name: str, taken: dict[str, int]) -> str:
    """`name`, or `name@2`, `name@3`, … for the next uses; `taken` counts the uses of each."""
    given = name
    while given in taken:
        taken[name] += 1
        given = f"{name}@{taken[name]}"
    taken[given] = 1
    return given


def aligned(array: Array, boundary: int = 64) -> Array:
    """A copy whose first number lies at a multiple of `boundary` bytes, for wide loads."""
    flat = np.empty(array.nbytes + boundary, np.uint8)
    start = -flat.ctypes.data % boundary
    copy = flat[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return copy


def set_array(arrays: Mapping[str, Array], key: str, value: Any, owner: str) -> None:
    """Write `value` into the array `key` in place. Raises ShapeError where it does not fit."""
    from ..errors import did_you_mean

    if key not in arrays:
        raise GraphError(
            f"{owner} has the arrays {known_names(arrays)}; it received {key!r}.{did_you_mean(key, arrays)}"
        )
    new = np.asarray(value)
    if new.shape != arrays[key].shape:
        raise ShapeError(
            f"{owner}: {key!r} has shape {arrays[key].shape}; it received {new.shape}. "
            f"Check the order of the arrays and the layout (inputs before outputs)."
        )
    np.copyto(arrays[key], new, casting="same_kind" if new.dtype.kind == "f" else "unsafe")


def _require_same(brick: Brick, owner: Owner, shapes: Sequence[Shape]) -> None:
    needs = {name: spec.shape for name, spec in brick.parameters(*shapes).items()}
    for name, shape in needs.items():
        if owner.shapes.get(name) != shape:
            raise ShapeError(
                f"{type(brick).__name__} shares {name!r} of shape {owner.shapes.get(name)}; with this input "
                f"it would need {shape}. Give it an input of the first use's shape, or a brick of its own."
            )
