"""Wiring by calling bricks: symbols, owners, scopes, and the graph that comes out."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import Add, BatchNormalization, Linear, Multiply, ReLU, Tanh
from brickwork.errors import GraphError, ShapeError
from brickwork.graph import Attributes, Symbol, record
from brickwork.graph.symbol import aligned, collect, input_symbol, scope, set_array
from brickwork.initializers import Ones
from graph.made_bricks import Split


def notes(raised) -> str:
    return "\n".join(getattr(raised.value, "__notes__", []))


def test_a_brick_on_a_symbol_gives_a_symbol():
    x = input_symbol((None, 3), name="x")
    y = Linear(2)(x)
    assert isinstance(y, Symbol) and y.shape == (None, 2) and y.dtype == "float32"
    assert repr(y) == "<Symbol 'linear', shape=(N, 2)>"
    first, second = Split()(y)
    assert first.shape == second.shape == (None, 1)


def test_collect_names_and_orders():
    x = input_symbol((None, 2), name="x")
    a = ReLU()(x)
    b = ReLU()(x)
    y = Add()(b, a)
    made = collect([x], [y])
    assert [(node.name, node.inputs) for node in made.graph.nodes] == [
        ("re_lu", ("x",)),
        ("re_lu@2", ("x",)),
        ("add", ("re_lu@2", "re_lu")),
    ]
    assert made.name_of(b) == "re_lu@2" and made.graph.outputs == ("add",)


def test_operators_lay_bricks():
    x, y = input_symbol((None, 2), name="x"), input_symbol((None, 2), name="y")
    made = collect([x, y], [(x + y) * x])
    assert [type(node.brick) for node in made.graph.nodes] == [Add, Multiply]


def test_several_inputs_of_one_name():
    x, y = input_symbol((None, 2), name="x"), input_symbol((None, 3), name="x")
    made = collect([x, y], [x, y])
    assert made.graph.outputs == ("x", "x@2") and made.graph.shapes["x@2"] == (None, 3)


def test_two_outputs_of_one_brick():
    x = input_symbol((None, 4), name="x")
    first, second = Split()(x)
    made = collect([x], [Add()(second, first), first])
    assert made.graph.nodes[1].inputs == ("split:1", "split:0")
    assert made.graph.outputs == ("add", "split:0") and made.name_of(second) == "split:1"


def test_collect_starts_anywhere():
    x = input_symbol((None, 2), name="x")
    a = Tanh()(x)
    b = ReLU()(a)
    part = collect([a], [b])
    assert list(part.graph.inputs) == ["tanh"] and [node.name for node in part.graph.nodes] == ["re_lu"]
    assert [node.name for node in collect([x], [a, b]).graph.nodes] == ["tanh", "re_lu"]


def test_an_input_that_is_missing():
    x, y = input_symbol((None, 2), name="x"), input_symbol((None, 2), name="y")
    with pytest.raises(
        GraphError, match=r"depend on the input 'y', which is not among the inputs 'x'. Add it"
    ):
        collect([x], [x + y])


def test_owners_hold_the_arrays():
    x = input_symbol((None, 3), name="x")
    y = Linear(2)(x, attributes={"W": Attributes(Ones(), trainable=False)})
    z = BatchNormalization()(y)
    made = collect([x], [z])
    assert list(made.parameters) == ["linear/W", "batch_normalization/gamma", "batch_normalization/beta"]
    assert list(made.state) == ["batch_normalization/running_mean", "batch_normalization/running_var"]
    assert made.parameters["linear/W"] is y.call.owner.values["W"]
    assert (made.parameters["linear/W"] == 1).all() and not made.graph.parameters["linear/W"].trainable
    assert made.parameters["linear/W"].ctypes.data % 64 == 0
    z.call.owner.trainable = False
    again = collect([x], [z]).graph
    assert again.nodes[1].frozen and not again.parameters["batch_normalization/gamma"].trainable


def test_sharing_is_by_owner():
    x = input_symbol((None, 3), name="x")
    first = Linear(3)(x)
    second = Linear(3)(first, owner=first.call.owner)
    other = Linear(3)(second)
    made = collect([x], [other])
    assert [node.owner for node in made.graph.nodes] == ["linear", "linear", "linear@3"]
    assert list(made.parameters) == ["linear/W", "linear@3/W"]
    assert made.parameters.keys() == made.graph.parameters.keys()
    narrow = input_symbol((None, 2), name="x")
    with pytest.raises(
        ShapeError, match=r"shares 'W' of shape \(3, 3\); with this input it would need \(2, 3\)"
    ):
        Linear(3)(narrow, owner=first.call.owner)


def test_scopes_name_layers():
    x = input_symbol((None, 2), name="x")
    with scope("outer", "Model"), scope("dense", "Dense"):
        y = Linear(2)(x, name="map")
    (node,) = collect([x], [y]).graph.nodes
    assert (node.name, node.layer, node.kind, node.owner) == (
        "outer/dense/map",
        "outer/dense",
        "Model/Dense",
        "outer/dense/map",
    )


def test_parameters_may_be_given():
    x = input_symbol((None, 2), name="x")
    y = Linear(1)(x, parameters={"W": [[1.0], [2.0]]})
    assert y.call.owner.values["W"].tolist() == [[1], [2]]
    with pytest.raises(
        ShapeError, match=r"Linear: 'W' has shape \(2, 1\); it received \(2,\). Check the order"
    ):
        Linear(1)(x, parameters={"W": [1.0, 2.0]})
    with pytest.raises(GraphError, match=r"Linear has the arrays 'W'; it received 'w'."):
        Linear(1)(x, parameters={"w": [1.0, 2.0]})
    with pytest.raises(GraphError, match=r"Linear has the parameters 'W'; attributes were given for 'b'"):
        Linear(1)(x, attributes={"b": Attributes()})


def test_a_chain_of_20000_calls():
    x = input_symbol((None, 1), name="x")
    y, tanh = x, Tanh()
    for _ in range(20_000):
        y = tanh(y)
    graph = collect([x], [y]).graph
    assert len(graph.nodes) == 20_000 and graph.outputs == ("tanh@20000",)


# -- what is refused --------------------------------------------------------------------------------


def test_a_symbol_holds_no_numbers():
    x = input_symbol((None, 2), name="x")
    with pytest.raises(
        TypeError, match=r"<Symbol 'x', shape=\(N, 2\)> is part of a network and holds no numbers"
    ):
        np.asarray(x)


def test_symbols_and_arrays_do_not_mix():
    x = input_symbol((None, 2), name="x")
    with pytest.raises(GraphError, match=r"Add is laid on symbols; it received ndarray. Start from"):
        Add()(x, np.ones((1, 2)))
    with pytest.raises(GraphError, match="Multiply is laid on symbols; it received list"):
        [2.0] * x
    with pytest.raises(GraphError, match="Add is laid on symbols; it received ndarray"):
        np.ones((1, 2)) + x


def test_recordings_do_not_mix():
    plain = input_symbol((None, 2), name="plain")
    with record() as one:
        a = one.input(np.ones((1, 2)), "a")
        with pytest.raises(
            GraphError, match=r"values of one recording; it received <Symbol 'plain'.*to none"
        ):
            Add()(a, plain)
    with record() as two:
        b = two.input(np.ones((1, 2)), "b")
        with pytest.raises(GraphError, match=r"values of one recording; .* which belongs to another one"):
            Add()(a, b)


def test_shape_errors_name_the_place():
    x, y = input_symbol((None, 2), name="x"), input_symbol((None, 3), name="y")
    with pytest.raises(ShapeError, match="Add takes shapes that broadcast") as raised, scope("merge", "Add"):
        Add()(x, y)
    assert notes(raised) == "at 'merge/add', fed by 'x', 'y'"
    with pytest.raises(ShapeError, match=r"ReLU takes 1 input \(x\); it received 2"):
        ReLU()(x, y)


def test_set_array():
    arrays = {"W": np.zeros((2, 2), np.float32)}
    held = arrays["W"]
    set_array(arrays, "W", np.eye(2), "Linear")
    assert held.tolist() == [[1, 0], [0, 1]] and held.dtype == np.float32
    set_array(arrays, "W", [[1, 2], [3, 4]], "Linear")
    assert held.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_aligned(shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    copy = aligned(array)
    np.testing.assert_array_equal(copy, array)
    assert copy.shape == shape and copy.dtype == array.dtype and copy.ctypes.data % 64 == 0
    assert not np.shares_memory(copy, array) and copy.flags.writeable


def test_arithmetic_lays_bricks():
    with record() as tape:
        x, y = tape.input(np.array([1.0, 4.0]), "x"), tape.input(np.array([3.0, 2.0]), "y")
        z = (2 * x - y) / 4 + (1 - x) / y - 0.5
    np.testing.assert_allclose(z.value, (2 * x.value - y.value) / 4 + (1 - x.value) / y.value - 0.5)
    slopes = tape.gradients(z)
    np.testing.assert_allclose(slopes["x"], 0.5 - 1 / y.value)
    np.testing.assert_allclose(slopes["y"], -0.25 - (1 - x.value) / y.value**2)
