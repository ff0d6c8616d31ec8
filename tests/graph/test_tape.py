"""Define-by-run: the tape computes, remembers, and tells the same graph."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork.bricks import (
    Add,
    BatchNormalization,
    Bias,
    Dropout,
    Linear,
    ReLU,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
)
from brickwork.errors import GraphError, ShapeError
from brickwork.graph import Attributes, Symbol, Tape, backprop, record
from graph.made_bricks import Split


def test_the_lectures_example():
    with record() as tape:
        x, y, z = tape.input(-2.0, "x"), tape.input(5.0, "y"), tape.input(-4.0, "z")
        f = (x + y) * z
    assert float(f.value) == -12
    gradients = tape.gradients(f)
    assert {name: float(gradients[name]) for name in ("x", "y", "z", "add", "multiply")} == {
        "x": -4,
        "y": -4,
        "z": 3,
        "add": -4,
        "multiply": 1,
    }


def test_the_lectures_softmax():
    with record():
        y = Linear(3)(np.array([[1.0, 2.0]]), parameters={"W": [[1, 2, 3], [4, 5, 6]]})
        p = Softmax()(Bias()(y, parameters={"b": [1, 2, 3]}))
    np.testing.assert_allclose(p.value, [[3.293e-4, 1.798e-2, 0.98169]], rtol=5e-4)


def test_public_name():
    assert brickwork.record is record


@pytest.mark.parametrize("training", [False, True])
def test_the_graph_computes_what_the_tape_did(rng, training):
    labels = np.array([0, 2, 1, 1])
    with record(training=training, seed=9) as tape:
        x = tape.input(rng.standard_normal((4, 6)), "x")
        a = Dropout(0.4)(BatchNormalization()(Linear(6)(x)))
        left, right = Split()(a)
        b = Dropout(0.4)(Add()(left, Tanh()(right), left))
        loss = SoftmaxCrossEntropy()(b, labels)
    collected = tape.collected([loss])
    graph = tape.graph
    assert graph.nodes == collected.graph.nodes and graph.outputs == collected.graph.outputs
    assert graph.outputs == ("softmax_cross_entropy",)
    assert [node.stream for node in graph.nodes if node.brick.random] == [0, 1]
    inputs = {"x": x.value, "input_2": labels}
    passed = graph.forward(collected.parameters, collected.state, inputs, training=training, key=9)
    np.testing.assert_array_equal(passed.values["softmax_cross_entropy"], loss.value)
    np.testing.assert_array_equal(passed.values[collected.name_of(left)], left.value)
    dparams, dvalues = backprop(
        graph, collected.parameters, passed.saved, {"softmax_cross_entropy": np.ones(4)}, keep=["x"]
    )
    found = tape.gradients(loss)
    np.testing.assert_array_equal(found["x"], dvalues["x"])
    for key, gradient in dparams.items():
        np.testing.assert_array_equal(found[key], gradient)
    assert "input_2" not in found, "labels have no gradient"


def test_bricks_on_arrays_are_recorded_too():
    array = np.array([[1.0, -2.0]])
    with record() as tape:
        y = Add()(ReLU()(array), array)
    assert isinstance(y, Symbol) and y.value.tolist() == [[2, -2]]
    assert list(tape.graph.inputs) == ["input_1"], "one array is one input"
    assert tape.gradients(y)["input_1"].tolist() == [[2, 1]]
    assert np.asarray(y).tolist() == [[2, -2]]
    assert "value=" in repr(y)


def test_outside_nothing_is_recorded():
    with record() as tape:
        pass
    assert isinstance(ReLU()(np.array([1.0])), np.ndarray) and tape.calls == []


def test_equal_numbers_are_different_inputs():
    with record() as tape:
        y = Add()(2.0, 2.0)
    assert len(tape.inputs) == 2 and y.value == 4


def test_arrays_and_operators():
    with record() as tape:
        x = tape.input([1, 2], "x")
        y = np.array([10.0, 10.0]) * x + 1.0
    assert x.value.dtype == np.float64 and y.value.tolist() == [11, 21]
    assert tape.gradients(y)["x"].tolist() == [10, 10]


def test_integer_arrays_stay_integers():
    with record() as tape:
        assert tape.input(np.array([1, 2])).value.dtype.kind == "i"


def test_gradients_from_a_seed_and_of_a_part():
    with record() as tape:
        x = tape.input(np.array([[1.0, 2.0]]), "x")
        y = Tanh()(x)
        Linear(3)(y)
    seeded = tape.gradients(y, seed=[[1, 10]])["x"]
    np.testing.assert_allclose(seeded, [[1, 10]] * (1 - np.tanh(x.value) ** 2))
    assert tape.gradients(x)["x"].tolist() == [[1, 1]]
    assert tape.graph.outputs == ("linear",)


def test_frozen_parameters_have_gradients_on_a_tape():
    with record() as tape:
        y = Linear(1)(np.array([[3.0]]), attributes={"W": Attributes(trainable=False)})
    assert tape.gradients(y)["linear/W"] == 3


def test_a_second_gradient_is_the_same_and_a_shared_owner_adds():
    with record() as tape:
        x = tape.input(np.array([[2.0]]), "x")
        y = Linear(1)(x, parameters={"W": [[3.0]]})
        z = Linear(1)(y, owner=y.call.owner)
    first, second = tape.gradients(z), tape.gradients(z)
    assert first["linear/W"] == 2 * 3 * 2 and second["linear/W"] == first["linear/W"]
    assert z.value == 18


def test_layers_are_recorded():
    dense = brickwork.layers.Dense(2, activation="relu", name="dense")
    with record() as tape:
        y = dense(np.ones((1, 3)))
    assert [node.layer for node in tape.graph.nodes] == ["dense"] * 3
    assert "dense/linear/W" in tape.gradients(y)


def test_a_recording_within_a_recording():
    with record() as outer:
        a = outer.input(np.array([1.0]), "a")
        with record() as inner:
            b = Tanh()(np.array([1.0]))
        c = Tanh()(a)
    assert b.call.tape is inner and c.call.tape is outer and len(outer.calls) == 1
    assert len(inner.calls) == 1


def test_an_error_ends_the_recording():
    with pytest.raises(ShapeError), record():
        Add()(np.ones((1, 2)), np.ones((1, 3)))
    assert isinstance(ReLU()(np.array([1.0])), np.ndarray)


def test_gradients_of_something_else():
    with record() as tape:
        Tanh()(np.array([1.0]))
    with record():
        other = Tanh()(np.array([1.0]))
    for wrong in (other, np.array([1.0])):
        with pytest.raises(GraphError, match="gradients takes a value recorded on this tape; it received"):
            tape.gradients(wrong)


def test_a_tape_without_a_with_block():
    tape = Tape()
    assert (tape.input(2.0) * tape.input(3.0)).value == 6
