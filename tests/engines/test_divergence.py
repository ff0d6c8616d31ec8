"""A step that is not finite is not made, and the error says where it began and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickwork.bricks import Linear, Log, Multiply, Softmax, Sum, WeightedMean
from brickwork.data.source import ArraySource
from brickwork.engines import Program, get_engine
from brickwork.errors import DivergenceError
from brickwork.graph import Graph, Node
from brickwork.optimizers import SGD, Adam
from engines.programs import arrays_of, convnet, data, line, mlp, two_outputs
from graph.made_bricks import Split

ways = pytest.mark.parametrize("way", ["step", "epoch"])


def plan_of(engine, program):
    return engine.plan(program, *arrays_of(program), 7)


def train(plan, source, way, rates, batch_size=8, order=None):
    order = np.arange(len(source)) if order is None else order
    if way == "epoch":
        plan.epoch(source, order, rates, plan.step_number, batch_size=batch_size)
        return
    for index, rate in enumerate(rates):
        plan.step(source.gather(order[index * batch_size : (index + 1) * batch_size]), rate)


def spoiled(program, rows, name, row, value=np.nan):
    source = data(program, rows)
    array = source.arrays[name].astype(np.float32)
    array[row] = value
    return ArraySource({**source.arrays, name: array}, source.dtypes, rows)


@ways
@pytest.mark.parametrize("make", [mlp, convnet], ids=["mlp", "convnet"])
def test_nan_in_the_data(engine, way, make):
    program = make(Adam(0.01))
    plan, expected = plan_of(engine, program), plan_of(get_engine("reference"), program)
    source = spoiled(program, 40, "x", 19)
    message = (
        r"^Training needs finite numbers; step 3 met one that is not, before the update. It came in through "
        r"'x', first in row 3 of the batch. Clean the data: numpy.isfinite\(x\) shows where.$"
    )
    with pytest.raises(DivergenceError, match=message):
        train(plan, source, way, [0.01] * 5)
    train(expected, source.slice(0, 16), way, [0.01] * 2)
    assert plan.step_number == 2, "the steps before it count"
    for key, value in expected.state().items():
        np.testing.assert_allclose(plan.state()[key], value, rtol=1e-3, atol=1e-5, err_msg=key)
    assert all(np.isfinite(value).all() for value in plan.state().values())


@ways
def test_infinity_in_the_targets(engine, way):
    program = line()
    with pytest.raises(
        DivergenceError, match=r"step 1 met .* came in through 't', first in row 2 of the batch"
    ):
        train(plan_of(engine, program), spoiled(program, 8, "t", 2, np.inf), way, [0.1])


@ways
def test_nan_in_the_remainder_batch(engine, way):
    program = mlp()
    plan = plan_of(engine, program)
    with pytest.raises(DivergenceError, match=r"step 3 met .* first in row 1 of the batch"):
        train(plan, spoiled(program, 20, "x", 17), way, [0.1] * 3)
    assert plan.step_number == 2


@ways
def test_the_data_of_an_epoch_in_another_order(engine, way):
    program = mlp()
    plan = plan_of(engine, program)
    with pytest.raises(DivergenceError, match=r"step 2 met .* first in row 7 of the batch"):
        train(plan, spoiled(program, 16, "x", 0), way, [0.1] * 2, order=np.arange(16)[::-1])


@ways
def test_too_large_a_learning_rate(engine, way):
    program = line(SGD(1.0))
    message = (
        r"step \d+ met one that is not, before the update. First in node 'loss' \(HalfSquaredError\), whose "
        r"inputs are finite, up to \S+ in size. Likely cause: the learning rate of 1e\+06 is too large, "
        r"parameters have grown to \S+. Lower it tenfold, or clip gradients \(clipnorm=1.0\)."
    )
    plan = plan_of(engine, program)
    with pytest.raises(DivergenceError, match=message):
        train(plan, data(program, 160), way, [1e6] * 20)
    assert np.isfinite(plan.parameters["line/W"]).all() and plan.step_number > 0


def log_program():
    """-t log softmax(W x), step by step: softmax gives an exact 0, and the log of it is -inf."""
    nodes = [Node("dense", Linear(2), ("x",)), Node("p", Softmax(), ("dense",))]
    loss = [
        Node("log", Log(), ("p",)),
        Node("product", Multiply(), ("log", "t")),
        Node("loss", Sum(), ("product",)),
        Node("mean", WeightedMean(-1.0), ("loss",)),
    ]
    inputs = {"x": (None, 2)}
    return Program(
        Graph({**inputs, "t": (None, 2)}, [*nodes, *loss], ["mean"]),
        Graph(inputs, nodes, ["p"]),
        "mean",
        losses=(("loss", "mean"),),
        targets=("t",),
        optimizer=SGD(0.1),
    )


@ways
def test_log_of_zero(engine, way):
    program = log_program()
    plan = engine.plan(program, {"dense/W": np.eye(2, dtype=np.float32)}, {}, 7)
    source = ArraySource(
        {"x": np.array([[300.0, 0.0]]), "t": np.array([[0.0, 1.0]])}, {"x": "float32", "t": "float32"}
    )
    message = (
        r"step 1 met .* First in node 'log' \(Log\), whose inputs are finite, up to 1 in size. Likely cause: "
        r"a zero or a negative number under it. Compute the loss from logits \(from_logits=True\), or clip."
    )
    with pytest.raises(DivergenceError, match=message):
        train(plan, source, way, [0.1], batch_size=1)
    assert plan.parameters["dense/W"].tolist() == [[1, 0], [0, 1]]


def test_a_parameter_that_is_already_nan(engine):
    program = mlp()
    plan = plan_of(engine, program)
    plan.parameters["top/W"][0, 0] = np.nan
    with pytest.raises(
        DivergenceError, match=r"The parameter 'top/W' already holds it. Load weights that are"
    ):
        plan.step(data(program, 8).gather(slice(0, 8)), 0.1)


def test_data_of_a_great_size(engine):
    program = line()
    plan = plan_of(engine, program)
    source = spoiled(program, 8, "x", 1, 1e30)
    with pytest.raises(
        DivergenceError, match=r"in node 'loss' .* Likely cause: inputs of a great size. Scale the"
    ):
        plan.step(source.gather(slice(0, 8)), 0.1)


def test_only_the_gradient_overflows(engine):
    """E is finite, dE/dy is not: the way back is searched."""

    class Steep(Linear):
        def input_gradients(self, params, saved, dy):
            return (super().input_gradients(params, saved, dy)[0] * np.float32(1e38) * np.float32(1e38),)

    nodes = [
        Node("first", Linear(2), ("x",)),
        Node("second", Steep(2), ("first",)),
        Node("y", Sum(), ("second",)),
    ]
    program = Program(
        Graph({"x": (None, 2)}, [*nodes, Node("mean", WeightedMean(), ("y",))], ["mean"]),
        Graph({"x": (None, 2)}, nodes, ["y"]),
        "mean",
        losses=(("loss", "mean"),),
        optimizer=SGD(0.1),
    )
    message = (
        r"The loss is finite; on the way back the gradient of the output of node 'first' \(Linear\) is the "
        r"first that is not. Scale the data, lower the learning rate of 0.25, or clip gradients"
    )
    with pytest.raises(DivergenceError, match=message):
        plan_of(engine, program).step({"x": np.ones((2, 2), np.float32)}, 0.25)


def test_only_a_parameters_gradient_overflows(engine):
    class Steep(Linear):
        def parameter_gradients(self, params, saved, dy):
            return {"W": super().parameter_gradients(params, saved, dy)["W"] * float("inf")}

    nodes = [Node("first", Steep(2), ("x",)), Node("y", Sum(), ("first",))]
    program = Program(
        Graph({"x": (None, 2)}, [*nodes, Node("mean", WeightedMean(), ("y",))], ["mean"]),
        Graph({"x": (None, 2)}, nodes, ["y"]),
        "mean",
        losses=(("loss", "mean"),),
        optimizer=SGD(0.1),
    )
    with pytest.raises(
        DivergenceError, match=r"Every value is finite, the gradient of a parameter is not. Lower"
    ):
        plan_of(engine, program).step({"x": np.ones((2, 2), np.float32)}, 0.25)


def test_the_first_brick_may_have_two_outputs(engine):
    class Burst(Split):
        def forward(self, params, x, *, ctx):
            (first, second), saved = super().forward(params, x, ctx=ctx)
            return (first, second * np.float32(np.nan)), saved

    program = two_outputs()
    nodes = [
        Node("split", Burst(), node.inputs) if node.name == "split" else node for node in program.graph.nodes
    ]
    program = replace(program, graph=Graph(program.graph.inputs, nodes, program.graph.outputs))
    with pytest.raises(DivergenceError, match=r"First in node 'split' \(Burst\)"):
        plan_of(engine, program).step(data(program, 4).gather(slice(0, 4)), 0.1)


@ways
def test_an_update_that_overflows_is_not_made(engine, way):
    """Gradients of about 1e19, finite, at a rate of 1e30: the parameters would be infinite."""
    program = line(SGD(1.0))
    plan = plan_of(engine, program)
    source = data(program, 16)
    large = {**source.arrays, "x": source.arrays["x"].astype(np.float32) * np.float32(1e9)}
    before = plan.state()
    message = (
        r"^Training needs finite numbers; the update of step 1 would make (a parameter|the parameter "
        r"'line/W') "
        r"infinite or NaN, so that it was not made. Likely cause: the learning rate of 1e\+30 is too large. "
        r"Lower it tenfold, or scale the data.$"
    )
    with pytest.raises(DivergenceError, match=message):
        train(plan, ArraySource(large, source.dtypes, 16), way, [1e30, 1e30])
    found = plan.gradients(source.gather(slice(0, 8)))
    with pytest.raises(
        DivergenceError, match=r"the update of step 1 would make the parameter 'line/W' infinite"
    ):
        plan.apply({key: value * 1e20 for key, value in found.gradients.items()}, 1e30)
    for key, value in plan.state().items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)


@ways
@pytest.mark.parametrize(
    "name, value, message",
    [
        (
            "running_var",
            -3.0,
            r"First in node 'norm' \(BatchNormalization\), whose inputs are finite, up to \S+ in size. "
            r"Likely cause: 'norm/running_var' holds -3; a variance is never negative. Load statistics that "
            r"a training has made, or set them to 1.$",
        ),
        ("running_mean", np.nan, r"The statistic 'norm/running_mean' already holds it. Load weights"),
    ],
)
def test_statistics_that_no_training_has_made(engine, way, name, value, message):
    program = mlp(frozen=True)
    plan = plan_of(engine, program)
    plan.load({**plan.state(), f"statistics/norm/{name}": np.full(8, value, np.float32)})
    with pytest.raises(DivergenceError, match=message):
        train(plan, data(program, 16), way, [0.1] * 2)
    assert plan.step_number == 0
