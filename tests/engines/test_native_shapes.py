"""A Flatten or Reshape makes no new buffer on the native engine: shapes must be read from the graph."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    BatchNormalization,
    Bias,
    CrossEntropy,
    Flatten,
    Linear,
    LogSoftmax,
    ReLU,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Sum,
    WeightedMean,
)
from brickwork.engines import MetricUse, Program, get_engine
from brickwork.graph import Graph, InputSpec, Node
from brickwork.metrics import CategoricalAccuracy, SparseCategoricalAccuracy
from engines.native_checks import agrees, needs_native, program_of
from engines.programs import classifier

pytestmark = needs_native

BRICKS = [
    Bias(),
    BatchNormalization(),
    Scale(),
    Softmax(),
    LogSoftmax(),
    Linear(3),
    Sum(axis=1),
    Slice(1, 1),
    ReLU(),
]


@pytest.mark.parametrize("brick", BRICKS, ids=lambda brick: type(brick).__name__)
@pytest.mark.parametrize("shapes", [((3, 4, 5), (60,)), ((128,), (8, 16)), ((6, 4), (2, 3, 4))], ids=str)
def test_other_shapes_of_the_same_numbers(brick, shapes):
    before, after = shapes
    nodes = [Node("flat", Flatten() if len(after) == 1 else Reshape(after), ("mixed",))]
    agrees(program_of([*nodes, Node("y", brick, ("flat",))], before), rows=6, batch_size=6, tolerance=1e-4)


def together(program, batch):
    plans = [
        get_engine(name).plan(program, *program.graph.initialize(1, "float32"), 0)
        for name in ("reference", "native")
    ]
    wanted, got = (plan.gradients(batch) for plan in plans)
    assert got.total == pytest.approx(wanted.total, rel=1e-5)
    for key, value in wanted.gradients.items():
        np.testing.assert_allclose(got.gradients[key], value, rtol=1e-4, atol=1e-6)
    wanted, got = (plan.program.results(plan.step(batch, 0.1)) for plan in plans)
    assert got == pytest.approx(wanted, rel=1e-5)


def test_losses_and_metrics_of_flattened_scores(rng):
    """(3, 1) in the buffer, three classes in the graph."""
    nodes = [Node("a", Linear(1), ("x",)), Node("scores", Flatten(), ("a",))]
    x = rng.standard_normal((4, 3, 5)).astype(np.float32)
    batch = {"x": x, "t": np.array([0, 1, 2, 1], np.int32), "w": np.ones(4, np.float32)}
    together(classifier(nodes, {"x": (None, 3, 5)}, None), batch)


@pytest.mark.parametrize("labels", [False, True])
def test_cross_entropy_of_flattened_probabilities(rng, labels):
    nodes = [Node("a", Linear(1), ("x",)), Node("f", Flatten(), ("a",)), Node("p", Softmax(), ("f",))]
    nodes += [Node("r", Reshape((3, 1)), ("p",)), Node("y", Flatten(), ("r",))]
    target = InputSpec((None,), "int32") if labels else InputSpec((None, 3), "float32")
    loss = [Node("loss", CrossEntropy(), ("y", "t")), Node("mean", WeightedMean(), ("loss",))]
    kind = SparseCategoricalAccuracy if labels else CategoricalAccuracy
    inputs = {"x": (None, 3, 5)}
    program = Program(
        Graph({**inputs, "t": target}, [*nodes, *loss], ["mean", "y"]),
        Graph(inputs, nodes, ["y"]),
        "mean",
        losses=(("loss", "mean"),),
        metrics=(MetricUse("accuracy", kind(), "t", "y"),),
        targets=("t",),
        optimizer=classifier(nodes, inputs, None, "y").optimizer,
    )
    numbers = np.array([0, 1, 2, 1], np.int32)
    batch = {"x": rng.standard_normal((4, 3, 5)).astype(np.float32)}
    batch["t"] = numbers if labels else np.eye(3, dtype=np.float32)[numbers]
    together(program, batch)
