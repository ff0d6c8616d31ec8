"""Batch normalization on the native engine: the reference's numbers, far from 0 too, on all threads."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import BatchNormalization, Convolution2D, Flatten, MaxPooling2D, ReLU, Tanh
from brickwork.engines import Program
from brickwork.graph import Attributes, Graph, Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

SHAPES = [
    (7,),
    (1,),
    (16,),
    (17,),
    (50,),
    (128,),
    (5, 6, 16),
    (3, 3, 1),
    (9, 9, 17),
    (4, 5, 6),
    (7, 40),
    (1, 1, 24),
]


def normalized(shape, relu=False, brick=None, **more):
    nodes = [Node("norm", brick or BatchNormalization(momentum=0.8), ("mixed",), **more)]
    nodes += [Node("relu", ReLU(), ("norm",))] if relu else []
    return program_of([*nodes, Node("y", Tanh(), (nodes[-1].name,))], shape)


def moved(parameters, statistics):
    for key, value in statistics.items():
        value[...] = np.linspace(0.5, 1.5, value.size) if "var" in key else np.linspace(-1, 1, value.size)


@pytest.mark.parametrize("relu", [False, True], ids=["alone", "with ReLU"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_agrees_with_the_reference(shape, relu):
    agrees(normalized(shape, relu), rows=7, batch_size=5, tolerance=5e-5, change=moved)


@pytest.mark.parametrize("shape", [(50,), (9, 9, 17)], ids=str)
def test_batches_of_many_chunks(shape):
    agrees(normalized(shape, True), rows=131, batch_size=70, tolerance=5e-5, change=moved)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("shape", [(17,), (4, 5, 6)], ids=str)
def test_without_gain_or_shift(shape, center, scale):
    brick = BatchNormalization(center=center, scale=scale, epsilon=1e-5)
    agrees(normalized(shape, True, brick), rows=7, batch_size=7, tolerance=5e-5, change=moved)


@pytest.mark.parametrize(
    "attributes", [{}, {"gamma": Attributes(trainable=False), "beta": Attributes(trainable=False)}]
)
@pytest.mark.parametrize("shape", [(17,), (4, 5, 6)], ids=str)
def test_frozen(shape, attributes):
    """The statistics stay, whether or not gain and shift are trained."""
    agrees(normalized(shape, True, frozen=True, attributes=attributes), rows=7, batch_size=5, change=moved)


@pytest.mark.parametrize("shape", [(17,), (4, 5, 6)], ids=str)
def test_parameters_that_are_not_trained(shape):
    attributes = {"beta": Attributes(trainable=False)}
    agrees(normalized(shape, attributes=attributes), rows=7, batch_size=7, tolerance=5e-5)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("shape", [(6,), (4, 5, 6)], ids=str)
def test_one_brick_at_two_places(shape, frozen):
    """Its gradients add up; the second place starts from the statistics that the first has made."""
    nodes = [
        Node("norm", BatchNormalization(momentum=0.5), ("mixed",)),
        Node("bent", Tanh(), ("norm",)),
        Node("again", BatchNormalization(momentum=0.5), ("bent",), owner="norm", frozen=frozen),
        Node("y", Tanh(), ("again",)),
    ]
    agrees(program_of(nodes, shape), rows=7, batch_size=7, tolerance=5e-5)


@pytest.mark.parametrize("shape", [(8, 6), (3, 4, 5)], ids=str)
def test_another_axis_is_called_back(shape):
    agrees(
        normalized(shape, brick=BatchNormalization(axis=1)),
        rows=7,
        tolerance=5e-5,
        hosted=["BatchNormalization"],
    )


def test_behind_flatten():
    nodes = [Node("flat", Flatten(), ("mixed",)), Node("y", BatchNormalization(), ("flat",))]
    agrees(program_of(nodes, (3, 4, 5)), rows=7, batch_size=7, tolerance=5e-5)


@pytest.mark.parametrize("shape", [(33,), (8, 9, 5)], ids=str)
@pytest.mark.parametrize("mean", [0.0, 100.0, -1000.0])
def test_mean_far_from_zero(shape, mean):
    """Deviations of a thousandth of the mean: what float32 leaves of x is all that may be lost."""
    rows = 200
    graph = Graph({"x": (None, *shape)}, [Node("y", BatchNormalization(momentum=0.0), ("x",))], ["y"])
    rng = np.random.default_rng(0)
    x = (mean + 0.1 * rng.standard_normal((rows, *shape))).astype(np.float32)
    exact = x.astype(np.float64)
    axes = tuple(range(len(shape)))
    plan = plan_for("native", _trained(graph, shape))
    found = plan.gradients({"x": x, "t": np.zeros_like(x), "w": np.ones(rows, np.float32)})
    np.testing.assert_allclose(found.state["y/running_mean"], exact.mean(axes), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.state["y/running_var"], exact.var(axes), rtol=3e-6)
    z = (exact - exact.mean(axes)) / np.sqrt(exact.var(axes) + 1e-3)
    y = plan.parameters["y/gamma"] * z + plan.parameters["y/beta"]
    # HalfSquaredError: dy = y / rows
    gamma, beta = (y * z).sum(axes) / rows, y.sum(axes) / rows
    np.testing.assert_allclose(found.gradients["y/gamma"], gamma, rtol=2e-5, atol=2e-5 * abs(gamma).max())
    np.testing.assert_allclose(found.gradients["y/beta"], beta, rtol=2e-5, atol=2e-5 * abs(beta).max())


def _trained(graph, shape) -> Program:
    program = program_of([Node("y", BatchNormalization(momentum=0.0), ("mixed",))], shape)
    inputs = dict(program.graph.inputs)
    nodes = [*graph.nodes, *program.graph.nodes[2:]]
    return Program(
        Graph(inputs, nodes, ["mean"]),
        graph,
        "mean",
        losses=program.losses,
        targets=("t",),
        weights=("w",),
        optimizer=program.optimizer,
    )


def test_a_constant_feature():
    program = normalized((5, 6, 3))

    def level(parameters, statistics):
        parameters["mixed/W"][:, 1] = 0.0

    agrees(program, rows=7, batch_size=7, tolerance=5e-5, change=level)


def test_relu_and_pooling_behind_it():
    nodes = [
        Node("c", Convolution2D(17, (3, 3)), ("mixed",)),
        Node("n", BatchNormalization(), ("c",)),
        Node("r", ReLU(), ("n",)),
        Node("y", MaxPooling2D(), ("r",)),
    ]
    program = program_of(nodes, (9, 8, 3))
    agrees(program, rows=7, batch_size=7, tolerance=1e-4)
    assert plan_for("native", program)._pass("train", 4).writer.rectified == {"r"}


@pytest.mark.parametrize("shape", [(70,), (12, 11, 5)], ids=str)
def test_the_same_on_any_number_of_threads(shape):
    nodes = [Node("n", BatchNormalization(), ("mixed",)), Node("r", ReLU(), ("n",))]
    if len(shape) == 3:
        nodes += [Node("c", Convolution2D(17, (3, 3)), ("r",)), Node("m", BatchNormalization(), ("c",))]
    else:
        nodes += [Node("m", Tanh(), ("r",))]
    same_on_all_threads(program_of([*nodes, Node("y", Flatten(), ("m",))], shape), rows=300, batch_size=128)
