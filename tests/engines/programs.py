"""Programs wired by hand, and data for them: no layer and no model takes part."""

from __future__ import annotations

import numpy as np

from brickwork.bricks import (
    Add,
    BatchNormalization,
    Bias,
    Convolution2D,
    Dropout,
    Flatten,
    HalfSquaredError,
    Linear,
    MaxPooling2D,
    ReLU,
    Rescaling,
    SoftmaxCrossEntropy,
    Tanh,
    WeightedMean,
)
from brickwork.data.source import ArraySource
from brickwork.engines import MetricUse, Program
from brickwork.graph import Attributes, Graph, InputSpec, Node
from brickwork.metrics import MeanSquaredError, SparseCategoricalAccuracy
from brickwork.optimizers import SGD
from graph.made_bricks import Split

CLASSES = 3


def classifier(nodes, inputs, optimizer, scores="scores", **options) -> Program:
    """Cross-entropy, weighted mean and accuracy put on top of the node `scores`."""
    both = {**inputs, "t": InputSpec((None,), "int32"), "w": (None,)}
    loss = [
        Node("loss", SoftmaxCrossEntropy(), (scores, "t")),
        Node("mean", WeightedMean(), ("loss", "w")),
    ]
    return Program(
        Graph(both, [*nodes, *loss], ["mean", scores]),
        Graph(inputs, nodes, [scores]),
        "mean",
        losses=(("loss", "mean"),),
        metrics=(
            MetricUse("accuracy", SparseCategoricalAccuracy(), "t", scores),
            MetricUse("weighted_accuracy", SparseCategoricalAccuracy(), "t", scores, "w"),
        ),
        targets=("t",),
        weights=("w",),
        optimizer=optimizer or SGD(0.1),
    )


def mlp(optimizer=None, *, rate=0.3, attributes=None, frozen=False) -> Program:
    """Dense, batch normalization, dropout, and a dense brick that is used twice."""
    attributes = {"W": attributes} if attributes else {}
    nodes = [
        Node("dense", Linear(8), ("x",), attributes=attributes),
        Node("norm", BatchNormalization(momentum=0.8), ("dense",), frozen=frozen),
        Node("relu", ReLU(), ("norm",)),
        Node("drop", Dropout(rate), ("relu",)),
        Node("square", Linear(8), ("drop",), attributes=attributes),
        Node("tanh", Tanh(), ("square",)),
        Node("again", Linear(8), ("tanh",), owner="square", attributes=attributes),
        Node("skip", Add(), ("drop", "again")),
        Node("top", Linear(CLASSES), ("skip",)),
        Node("scores", Bias(), ("top",)),
    ]
    return classifier(nodes, {"x": (None, 5)}, optimizer)


def convnet(optimizer=None) -> Program:
    """Convolution, batch normalization and pooling on images of 6 x 6 pixels that come in as bytes."""
    nodes = [
        Node("scaled", Rescaling(1 / 255), ("x",)),
        Node("conv", Convolution2D(4, (3, 3), padding="same"), ("scaled",)),
        Node("norm", BatchNormalization(), ("conv",)),
        Node("relu", ReLU(), ("norm",)),
        Node("pool", MaxPooling2D((2, 2)), ("relu",)),
        Node("flat", Flatten(), ("pool",)),
        Node("scores", Linear(CLASSES), ("flat",)),
    ]
    return classifier(nodes, {"x": (None, 6, 6, 1)}, optimizer)


def two_outputs(optimizer=None) -> Program:
    """A network with two inputs and two outputs, whose losses are weighted 1 and 0.5."""
    inputs = {"x": (None, 5), "z": (None, 2)}
    nodes = [
        Node("dense", Linear(4), ("x",)),
        Node("split", Split(), ("dense",)),
        Node("first", Add(), ("split:0", "z")),
        Node("second", Tanh(), ("split:1",)),
    ]
    losses = [
        Node("first_loss", HalfSquaredError(), ("first", "t1")),
        Node("first_mean", WeightedMean(), ("first_loss",)),
        Node("second_loss", HalfSquaredError(), ("second", "t2")),
        Node("second_mean", WeightedMean(), ("second_loss",)),
        Node("half", Rescaling(0.5), ("second_mean",)),
        Node("total", Add(), ("first_mean", "half")),
    ]
    targets = {"t1": (None, 2), "t2": (None, 2)}
    return Program(
        Graph({**inputs, **targets}, [*nodes, *losses], ["total"]),
        Graph(inputs, nodes, ["first", "second"]),
        "total",
        losses=(("first_loss", "first_mean"), ("second_loss", "second_mean")),
        metrics=(MetricUse("second_mean_squared_error", MeanSquaredError(), "t2", "second"),),
        targets=("t1", "t2"),
        optimizer=optimizer or SGD(0.1),
    )


def line(optimizer=None, attributes=None) -> Program:
    """y = W x with half the squared error: small enough for a sheet of paper."""
    nodes = [Node("line", Linear(1), ("x",), attributes={"W": attributes or Attributes()})]
    loss = [Node("loss", HalfSquaredError(), ("line", "t")), Node("mean", WeightedMean(), ("loss", "w"))]
    return Program(
        Graph({"x": (None, 2), "t": (None, 1), "w": (None,)}, [*nodes, *loss], ["mean"]),
        Graph({"x": (None, 2)}, nodes, ["line"]),
        "mean",
        losses=(("loss", "mean"),),
        targets=("t",),
        weights=("w",),
        optimizer=optimizer or SGD(0.1),
    )


def data(program: Program, rows: int, seed: int = 0) -> ArraySource:
    """Random rows for every input of the graph."""
    rng = np.random.default_rng(seed)
    arrays, dtypes = {}, {}
    for name, spec in program.graph.inputs.items():
        shape = (rows, *spec.shape[1:])
        if len(shape) == 4:
            arrays[name] = rng.integers(0, 256, shape).astype(np.uint8)
        elif spec.dtype == "int32":
            arrays[name] = rng.integers(0, CLASSES, shape)
        elif name == "w":
            arrays[name] = None
        else:
            arrays[name] = rng.standard_normal(shape)
        dtypes[name] = spec.dtype
    return ArraySource(arrays, dtypes, rows)


def arrays_of(program: Program, seed: int = 1, dtype: str = "float32"):
    """(parameters, statistics)"""
    return program.graph.initialize(seed, dtype)
