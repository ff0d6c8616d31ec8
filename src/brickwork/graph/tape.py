"""Define-by-run: the same graph, built while the bricks compute on real arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..arrays import Array
from ..bricks.base import RECORDER, Brick, Context, Saved
from ..errors import GraphError
from .backpropagation import backprop
from .symbol import Call, Collected, Symbol, collect, input_symbol, lay


class Tape:
    """A wiring with its numbers.

    Inside `with record() as tape:` every brick and layer called on arrays, or on symbols that came from
    arrays, computes at once and is remembered. Afterwards `gradients` propagates back and `graph` is the
    graph of what was computed.
    """

    def __init__(self, *, training: bool = False, seed: int = 0) -> None:
        self.training = training
        self.seed = seed
        self.calls: list[Call] = []
        self.inputs: list[Symbol] = []
        self._saved: dict[int, Saved] = {}
        self._known: dict[int, Symbol] = {}
        self._alive: list[Any] = []  # what _known has the ids of
        self._streams = 0

    def input(self, value: Any, name: str | None = None) -> Symbol:
        """An array from outside as a symbol; the same array gives the same symbol.

        Integer arrays stay integers (labels have no gradient); Python numbers and lists become float64.
        """
        if id(value) in self._known:
            return self._known[id(value)]
        array = np.asarray(value)
        if array.dtype.kind != "f" and not isinstance(value, np.ndarray):
            array = array.astype("float64")
        name = name or f"input_{len(self.inputs) + 1}"
        symbol = input_symbol(array.shape, str(array.dtype), name, self)
        symbol.value = array
        self.inputs.append(symbol)
        if not isinstance(value, (int, float)):  # equal numbers are one object in Python, not one input
            self._known[id(value)] = symbol
            self._alive.append(value)
        return symbol

    def lay(self, brick: Brick, xs: Sequence[Any], **attributes: Any) -> Any:
        """Lay a brick on arrays or symbols; called by `Brick.__call__`."""
        return lay(brick, xs, tape=self, **attributes)

    def compute(self, call: Call) -> None:
        """Run the forward formula of a call that was just laid."""
        if call.brick is None or call.owner is None:
            raise GraphError("A tape computes bricks; it received an input.")
        stream = -1
        if call.brick.random:
            stream, self._streams = self._streams, self._streams + 1
        frozen = bool(call.owner.state) and not call.owner.trainable
        ctx = Context(self.training and not frozen, dict(call.owner.state), self.seed, 0, stream, 0)
        y, saved = call.brick.forward(call.owner.values, *(x.value for x in call.inputs), ctx=ctx)
        for symbol, value in zip(call.outputs, y if call.brick.outputs > 1 else (y,), strict=True):
            symbol.value = value
        self._saved[id(call)] = saved
        self.calls.append(call)

    def update_statistics(self) -> None:
        """Move the running statistics of what was computed, as a training step does."""
        for call in self.calls:
            owner = call.owner
            if call.brick is None or owner is None or not owner.state or not owner.trainable:
                continue
            for name, value in call.brick.next_state(dict(owner.state), self._saved[id(call)]).items():
                np.copyto(owner.state[name], value)

    def collected(self, outputs: Sequence[Symbol]) -> Collected:
        """Graph, owners and names of what leads to `outputs`."""
        return collect(self.inputs, outputs)

    @property
    def graph(self) -> Any:
        """The graph of everything recorded; its outputs are the values that no brick read."""
        read = {id(x) for call in self.calls for x in call.inputs}
        return self.collected([y for call in self.calls for y in call.outputs if id(y) not in read]).graph

    def gradients(self, output: Symbol, seed: Any = None) -> dict[str, Array]:
        """dE/d(everything that leads to `output`): inputs, nodes, and parameters as "owner/name".

        E is `output` itself; where it is not a single number, `seed` is dE/doutput (default: ones, so that E
        is the sum).

        >>> import brickwork
        >>> with brickwork.record() as tape:
        ...     x, y, z = tape.input(-2.0, "x"), tape.input(5.0, "y"), tape.input(-4.0, "z")
        ...     f = (x + y) * z
        >>> float(f.value), [float(tape.gradients(f)[name]) for name in "xyz"]
        (-12.0, [-4.0, -4.0, 3.0])
        """
        if not isinstance(output, Symbol) or output.call.tape is not self:
            raise GraphError(
                f"gradients takes a value recorded on this tape; it received {type(output).__name__}. "
                f"Pass what a brick or layer returned inside the `with` block."
            )
        collected = self.collected([output])
        graph = collected.graph
        saved = {
            collected.name_of(call.outputs[0]).removesuffix(":0"): self._saved[id(call)]
            for call in self.calls
            if id(call.outputs[0]) in collected.names
        }
        value = np.asarray(output.value)
        start = np.ones_like(value) if seed is None else np.asarray(seed, value.dtype)
        params: Mapping[str, Array] = collected.parameters
        dparams, dvalues = backprop(
            graph,
            params,
            saved,
            {collected.name_of(output): start},
            wanted=list(graph.parameters),
            keep=frozenset(graph.shapes),
        )
        return {**dvalues, **dparams}


@contextmanager
def record(*, training: bool = False, seed: int = 0) -> Iterator[Tape]:
    """Record every brick that is called inside the `with` block.

    `training` switches dropout and batch statistics on; `seed` places the random numbers.
    """
    tape = Tape(training=training, seed=seed)
    token = RECORDER.set(tape)
    try:
        yield tape
    finally:
        RECORDER.reset(token)
