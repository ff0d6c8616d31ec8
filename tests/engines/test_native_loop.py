"""Recurrence in native plans: the loop is called back, and what stands around it is native."""

from __future__ import annotations

import pytest

from brickwork import layers
from brickwork.bricks import Concatenate, Flatten, Linear, Reshape, Slice
from brickwork.graph import Graph, Loop, Node
from engines.native_checks import agrees, needs_native, program_of

pytestmark = needs_native

T, U = 4, 3


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_agrees_with_the_reference(kind, reverse):
    """Sequence and last state are read by others; the first states are given, one of them twice."""
    layer = getattr(layers, kind)(U)
    count = len(layer.state_names)
    nodes = [
        Node("first", Slice(1, 0, 1), ("mixed",)),
        Node("state", Flatten(), ("first",)),
        Node("h", Linear(U), ("state",)),
        Node("loop", Loop(layer.cell, count, reverse), ("mixed", *["h"] * count)),
        Node("last", Reshape((1, U)), ("loop:1",)),
        Node("y", Concatenate(1), ("loop:0", "last")),
    ]
    agrees(program_of(nodes, (T, layer.gates * U)), hosted=("Loop",))


def test_a_loop_without_states():
    cell = Graph({"x": (None, U)}, [("kernel", Linear(2), "x")], ["kernel"])
    agrees(program_of([Node("y", Loop(cell, states=0), ("mixed",))], (T, U)), hosted=("Loop",))
