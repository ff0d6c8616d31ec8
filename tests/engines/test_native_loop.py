"""The native lowering of Loop: cells of all kinds, forward and through time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickwork
from brickwork import layers
from brickwork.bricks import (
    Add,
    Bias,
    Concatenate,
    Convolution2D,
    Identity,
    LayerNormalization,
    Linear,
    Maximum,
    MaxPooling2D,
    Multiply,
    ReLU,
    Reshape,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
    Subtract,
    Tanh,
)
from brickwork.graph import Graph, Loop, Node
from brickwork.layers import GRU, LSTM, SimpleRNN
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

F = 3


def graph(nodes, outputs, *, states=("s",), x=(None, F)):
    return Graph({"x": x, **dict.fromkeys(states, (None, F))}, nodes, outputs)


def plain(*more):
    """tanh(x + W s)."""
    nodes = [("r", Linear(F), ("s",)), ("sum", Add(), ("x", "r")), ("h", Tanh(), ("sum",)), *more]
    return graph(nodes, ["h", "h"])


def layered(layer):
    """A layer's cell, as it lies in a network."""
    return layer.cell, len(layer.state_names)


def looped(cell, states=1, *, out=0, reverse=False, moments=5, width=F, given=False):
    """A loop over what Linear made of x; `out` is what is looked at. The first states depend on x too."""
    inputs, nodes = ["mixed"], []
    if given:
        nodes.append(Node("moment", Slice(1, 0, 1), ("mixed",)))
        nodes.append(Node("flat", Reshape((width,)), ("moment",)))
        for index in range(states):
            nodes.append(Node(f"s{index}", Linear(cell.inputs[list(cell.inputs)[1]].shape[1]), ("flat",)))
            inputs.append(f"s{index}")
    loop = Node("loop", Loop(cell, states, reverse), tuple(inputs))
    name = f"loop:{out}" if loop.brick.outputs > 1 else "loop"
    return program_of([*nodes, loop, Node("y", Identity(), (name,))], (moments, width))


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "given"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("out", [0, 1], ids=["sequence", "last"])
@pytest.mark.parametrize("moments", [1, 2, 5])
def test_a_plain_cell_agrees_with_the_reference(moments, out, reverse, given):
    agrees(looped(plain(), out=out, reverse=reverse, moments=moments, given=given))


LAYERS = {
    "SimpleRNN": SimpleRNN(4),
    "SimpleRNN relu": SimpleRNN(4, activation="relu"),
    "LSTM": LSTM(4),
    "LSTM linear": LSTM(4, activation=None, recurrent_activation="hard_sigmoid"),
    "GRU": GRU(4),
    "GRU without bias": GRU(4, use_bias=False),
    "GRU reset before": GRU(4, reset_after=False),
}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("out", [0, 1], ids=["sequence", "last"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_layers_cells_agree_with_the_reference(name, out, reverse):
    layer = LAYERS[name]
    agrees(looped(*layered(layer), out=out, reverse=reverse, width=4 * layer.gates, given=True))


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", LAYERS)
def test_many_samples_take_the_kernel_into_the_loop(name, reverse):
    """The product with x is then made moment by moment, its bias too."""
    layer = LAYERS[name]
    cell, states = layered(layer)
    nodes = [
        Node("z", Linear(cell.inputs["x"].shape[1]), ("mixed",)),
        Node("zb", Bias(), ("z",)),
        Node("loop", Loop(cell, states, reverse), ("zb",)),
    ]
    program = program_of([*nodes, Node("y", Identity(), ("loop:0",))], (5, 7))
    agrees(program, rows=37, batch_size=20)
    phases = plan_for("native", program)._pass("train", 20).schedule.forward
    inside = [step for phase in phases if phase.turns for step in phase.steps if step.name == "matmul"]
    assert any("loop/x" in step.covers for step in inside)


CELLS = {
    # a running sum: the gradient of the state is that of the output, in the same place
    "sum": (graph([("sum", Add(), ("x", "s"))], ["sum", "sum"]), 1),
    # two states that change places: no one may be written before it was read
    "swapped": (
        graph([("sum", Add(), ("x", "a")), ("n", Tanh(), ("sum",))], ["n", "b", "n"], states=("a", "b")),
        2,
    ),
    "swapped the other way": (
        graph([("sum", Add(), ("x", "b")), ("n", Tanh(), ("sum",))], ["n", "n", "a"], states=("a", "b")),
        2,
    ),
    # a state handed on as it is, a mask
    "mask": (
        graph(
            [("m", Multiply(), ("s", "mask")), ("sum", Add(), ("x", "m")), ("h", Tanh(), ("sum",))],
            ["h", "h", "mask"],
            states=("s", "mask"),
        ),
        2,
    ),
    # two uses of one kernel, a bias and a gain of their own
    "shared": (
        graph(
            [
                Node("a", Linear(F), ("s",), owner="w"),
                Node("ab", Bias(), ("a",)),
                Node("r", ReLU(), ("ab",)),
                Node("b", Linear(F), ("r",), owner="w"),
                Node("g", Scale(), ("b",)),
                Node("h", Add(), ("x", "g")),
            ],
            ["h", "h"],
        ),
        1,
    ),
    # the moment's x is what a kernel multiplies, beside the state
    "concatenated": (
        graph(
            [("both", Concatenate(), ("x", "s")), ("r", Linear(F), ("both",)), ("h", Tanh(), ("r",))],
            ["h", "h"],
        ),
        1,
    ),
    # an output that is x itself, and a state that hears nothing of x
    "apart": (graph([("r", Linear(F), ("s",)), ("h", Tanh(), ("r",))], ["x", "h"]), 1),
    "normalized": (
        graph(
            [("n", LayerNormalization(), ("s",)), ("sum", Add(), ("x", "n")), ("p", Softmax(), ("sum",))],
            ["p", "sum"],
        ),
        1,
    ),
    # one of the pieces of a row that nothing after it reads
    "cut": (
        graph(
            [
                ("wide", Linear(3 * F), ("s",)),
                *[(f"p{i}", Slice(-1, i * F, (i + 1) * F), ("wide",)) for i in range(3)],
                ("t", Tanh(), ("p2",)),
                ("unread", Tanh(), ("p1",)),
                ("sum", Add(), ("x", "p0")),
                ("h", Multiply(), ("sum", "t")),
            ],
            ["h", "h"],
        ),
        1,
    ),
    "reshaped": (
        graph([("sum", Add(), ("x", "s")), ("r", Reshape((F,)), ("sum",))], ["r", "r"]),
        1,
    ),
}


@pytest.mark.parametrize("out", [0, 1], ids=["sequence", "last"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", CELLS)
def test_odd_cells_agree_with_the_reference(name, reverse, out):
    cell, states = CELLS[name]
    agrees(looped(cell, states, reverse=reverse, out=out, given=True))


def images(*nodes):
    """A cell without a state, on an image at every moment."""
    return Graph({"x": (None, 5, 5, 2)}, nodes, [nodes[-1].name])


@pytest.mark.parametrize("bias", [False, True])
def test_images_at_every_moment(bias):
    nodes = [Node("c", Convolution2D(3, (3, 3)), ("x",))]
    nodes += [Node("b", Bias(), ("c",))] if bias else []
    nodes += [Node("r", ReLU(), (nodes[-1].name,)), Node("p", MaxPooling2D((2, 2)), ("r",))]
    loop = Node("loop", Loop(images(*nodes), 0), ("mixed",))
    agrees(program_of([loop, Node("y", Identity(), ("loop",))], (3, 5, 5, 2)), tolerance=5e-5)


def test_parts_that_only_look_at_the_last_moment_and_the_sequence_at_once():
    loop = Node("loop", Loop(plain()), ("mixed",))
    last = Node("wide", Reshape((1, F)), ("loop:1",))
    agrees(program_of([loop, last, Node("y", Concatenate(1), ("loop:0", "wide"))], (4, F)))


def test_one_value_may_be_every_first_state():
    cell, states = layered(LSTM(F))
    nodes = [
        Node("first", Slice(1, 0, 1), ("mixed",)),
        Node("flat", Reshape((4 * F,)), ("first",)),
        Node("h", Linear(F), ("flat",)),
        Node("loop", Loop(cell, states), ("mixed", "h", "h")),
    ]
    agrees(program_of([*nodes, Node("y", Identity(), ("loop:0",))], (4, 4 * F)))


def test_two_loops_share_their_parameters():
    first = Node("a", Loop(plain()), ("mixed",), owner="rnn")
    second = Node("b", Loop(plain(), reverse=True), ("a:0",), owner="rnn")
    agrees(program_of([first, second, Node("y", Identity(), ("b:0",))], (4, F)))


class Unknown(Tanh):
    """A brick that has no lowering."""


def test_a_cell_with_a_brick_that_has_no_instructions_is_called_back():
    cell = graph([("sum", Add(), ("x", "s")), ("h", Unknown(), ("sum",))], ["h"])
    loop = Node("loop", Loop(cell), ("mixed",))
    agrees(program_of([loop, Node("y", Identity(), ("loop",))], (4, F)), hosted=["Loop"])


@pytest.mark.parametrize("name", LAYERS)
def test_every_number_of_threads_gives_the_same_bits(name):
    layer = LAYERS[name]
    cell, states = layered(layer)
    same_on_all_threads(looped(cell, states, width=4 * layer.gates, moments=7))


@settings(max_examples=25, deadline=None)
@given(
    units=st.integers(1, 20),
    moments=st.integers(1, 6),
    rows=st.integers(1, 9),
    name=st.sampled_from(["SimpleRNN", "LSTM", "GRU"]),
    reverse=st.booleans(),
)
def test_sizes_that_are_drawn(units, moments, rows, name, reverse):
    layer = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}[name](units)
    program = looped(*layered(layer), width=units * layer.gates, moments=moments, reverse=reverse)
    agrees(program, rows=rows, batch_size=max(1, rows // 2))


@st.composite
def cells(draw):
    """Any graph of a few bricks as a cell: what is output, and which of it is a state, is drawn too."""
    states = draw(st.integers(0, 2))
    known = ["x", *[f"s{index}" for index in range(states)]]
    inputs = {name: (None, F) for name in known}
    one = [
        Tanh,
        ReLU,
        Scale,
        Bias,
        LayerNormalization,
        Softmax,
        Identity,
        lambda: Linear(F),
        lambda: Reshape((F,)),
    ]
    nodes = []
    for index in range(draw(st.integers(1, 6))):
        name = f"n{index}"
        kind = draw(st.sampled_from(["one", "two", "gate", "cut"]))
        a, b = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        if kind == "one":
            nodes.append(Node(name, draw(st.sampled_from(one))(), (a,)))
        elif kind == "two":
            nodes.append(Node(name, draw(st.sampled_from([Add, Maximum, Subtract]))(), (a, b)))
        elif kind == "gate":  # a product of two drawn values could grow without end
            nodes.append(Node(f"{name}/gate", Sigmoid(), (b,)))
            nodes.append(Node(name, Multiply(), (a, f"{name}/gate")))
        else:  # a wide row cut into pieces, of which one may be left over
            nodes.append(Node(f"{name}/wide", Linear(2 * F), (a,)))
            for half in range(2):
                nodes.append(Node(f"{name}/{half}", Slice(-1, half * F, half * F + F), (f"{name}/wide",)))
            nodes.append(Node(f"{name}/t", Tanh(), (f"{name}/1",)))
            nodes.append(Node(name, Add(), (f"{name}/0", draw(st.sampled_from([f"{name}/t", a])))))
        known.append(name)
    outputs = [draw(st.sampled_from(known)) for _ in range(states + draw(st.integers(0 if states else 1, 2)))]
    return Graph(inputs, nodes, outputs), states


@settings(max_examples=60, deadline=None)
@given(
    cell=cells(),
    out=st.integers(0, 3),
    reverse=st.booleans(),
    many=st.booleans(),
    first=st.booleans(),
)
def test_cells_that_are_drawn(cell, out, reverse, many, first):
    graph, states = cell
    program = looped(
        graph, states, out=out % len(graph.outputs), reverse=reverse, moments=4, given=first and states > 0
    )
    rows, batch_size = (20, 17) if many else (6, 4)
    agrees(program, rows=rows, batch_size=batch_size, tolerance=1e-4, scale=0.3, rate=1e-4)


def test_the_plan_shows_the_bricks_of_the_cell_once():
    program = looped(*layered(LSTM(4)), width=16, moments=7)
    text = plan_for("native", program).table(6, training=True)
    assert "7 moments, one after another" in text
    assert "7 moments, from last to first" in text
    assert text.count("Sigmoid") == 6  # three gates, forward and backward
    assert "Computed in Python" not in text


@pytest.mark.parametrize("output", ["sequence", "state", "both"])
def test_what_a_loop_gives_is_what_the_network_gives(output, rng):
    """Nothing in the graph reads it then."""
    start = brickwork.Input((4, 2))
    sequence, state = layers.GRU(3, return_sequences=True, return_state=True)(start)
    model = brickwork.Model(start, {"sequence": sequence, "state": state, "both": [sequence, state]}[output])
    x = rng.standard_normal((5, 4, 2)).astype("float32")
    found = []
    for engine in ("reference", "native"):
        model.compile("sgd", "mse", engine=engine)
        found.append(model.predict(x, verbose=0))
    both = zip(*found, strict=True) if output == "both" else [found]
    for wanted, got in both:
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
