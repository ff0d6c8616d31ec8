"""A network as JSON and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickwork import constraints, initializers, regularizers
from brickwork.arguments import Real, argument, configured
from brickwork.bricks import (
    BatchNormalization,
    Brick,
    Convolution2D,
    Dropout,
    Linear,
    Reshape,
    SoftmaxCrossEntropy,
    Tanh,
    register_brick,
)
from brickwork.errors import FormatError, GraphError
from brickwork.graph import Attributes, Graph, InputSpec, Node, graph_from_config, graph_to_config
from graph.made_bricks import Split


@register_brick("tests/Sine")
@configured(frozen=True, eq=True)
class Sine(Brick):
    frequency: float = argument(Real(), 1.0)

    def output_shape(self, x):
        return x

    def forward(self, params, x, *, ctx):
        return np.sin(self.frequency * x), (x,)

    def backward(self, params, saved, dy):
        return (dy * self.frequency * np.cos(self.frequency * saved[0]),), {}


def network() -> Graph:
    attributes = {
        "W": Attributes(
            initializers.HeNormal(seed=3), False, regularizers.L1L2(0.1, 0.2), constraints.MaxNorm(3.0)
        )
    }
    nodes = [
        Node("image", Reshape((2, 2, 1)), ("x",), layer="image", kind="Reshape"),
        Node("conv", Convolution2D(4, (2, 2), padding=((1, 0), (0, 1))), ("image",)),
        Node("norm", BatchNormalization(momentum=0.9), ("conv",), frozen=True),
        Node("flat", Reshape((-1,)), ("norm",)),
        Node("sine", Sine(2.0), ("flat",)),
        Node("dense", Linear(16), ("sine",), attributes=attributes),
        Node("twice", Linear(16), ("dense",), owner="dense", attributes=attributes),
        Node("drop", Dropout(0.5), ("twice",)),
        Node("loss", SoftmaxCrossEntropy(), ("drop", "t")),
    ]
    return Graph({"x": (None, 4), "t": InputSpec((None,), "int32")}, nodes, ["loss", "drop"])


def test_round_trip_through_json(rng):
    graph = network()
    told = graph_to_config(graph)
    assert told["version"] == 1
    again = graph_from_config(json.loads(json.dumps(told)))
    assert again.nodes == graph.nodes and again.inputs == graph.inputs and again.outputs == graph.outputs
    assert graph_to_config(again) == told
    assert list(again.parameters) == list(graph.parameters)
    read = again.parameters["dense/W"]
    assert (read.trainable, repr(read.initializer), repr(read.regularizer), repr(read.constraint)) == (
        False,
        "HeNormal(seed=3)",
        "L1L2(l1=0.1, l2=0.2)",
        "MaxNorm(max_value=3.0)",
    )
    assert again.parameters["norm/gamma"].regularizer is None
    params, state = graph.initialize(5, "float64")
    same, same_state = again.initialize(5, "float64")
    for key in params:
        np.testing.assert_array_equal(params[key], same[key])
    inputs = {"x": rng.standard_normal((3, 4)), "t": np.array([1, 2, 3], np.int32)}
    one = graph.forward(params, state, inputs, training=True, key=1).values
    two = again.forward(same, same_state, inputs, training=True, key=1).values
    np.testing.assert_array_equal(one["loss"], two["loss"])


def test_a_user_brick_needs_a_name():
    graph = Graph({"x": (None, 4)}, [("split", Split(), "x")], ["split:0"])
    with pytest.raises(
        GraphError, match=r"bricks with a registered name can be saved; it received Split. Put @"
    ):
        graph_to_config(graph)
    with pytest.raises(
        GraphError, match=r"name holds a dot or a slash, such as 'mylab/Sine'; it received 'Sine'"
    ):
        register_brick("Sine")


def damaged(**changes):
    told = json.loads(json.dumps(graph_to_config(network())))
    for path, value in changes.items():
        here = told
        *before, last = path.split("__")
        for key in before:
            here = here[int(key) if key.isdigit() else key]
        if value is KeyError:
            del here[last]
        else:
            here[last] = value
    return told


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ([1, 2], r"JSON holds \"format\": \"brickwork-graph\"; this one does not. Write it by"),
        ({"class_name": "Sequential"}, "this one does not"),
        (damaged(version=2), r"reads graphs up to version 1; the file is of version 2. Update Brickwork"),
        (damaged(version="1"), r"a whole number from 1 to 1; it says '1'. Is the file damaged"),
        (damaged(version=KeyError), "it says None"),
        (damaged(nodes=KeyError), r"fit together; here 'nodes' is missing. Is the file damaged"),
        (damaged(parameters=KeyError), "'parameters' is missing"),
        (damaged(nodes__0__owner=KeyError), "'owner' is missing"),
        (damaged(inputs=[1]), "has no attribute 'items'"),
        (damaged(nodes=3), "not iterable"),
        (damaged(outputs=["los"]), r"output 'los' names no node.*Did you mean 'loss'"),
        (damaged(nodes__1__inputs=["imag"]), r"node 'conv' reads 'imag', which no node produces"),
        (damaged(nodes__7__brick__config={"rate": 2}), r"Dropout: `rate` must be in \[0, 1\)"),
        (damaged(nodes__7__brick__config={"rates": 0.1}), "it received `rates`"),
        (damaged(nodes__7__brick__class="Dropuot"), r"file says 'Dropuot'. Did you mean 'Dropout'"),
        (damaged(nodes__7__brick__class="mylab/Cosine"), "A user's brick must be imported before it is read"),
        (damaged(nodes__7__type="knot"), r"Nodes of type 'brick' or 'loop' .* file holds 'knot'. Update"),
        (damaged(inputs__x__shape=[None, 5]), r"here .*. Is the file damaged"),
        (damaged(**{"parameters__dense/W__initializer__class_name": "HeNormall"}), "got 'HeNormall'"),
    ],
)
def test_foreign_newer_and_damaged(told, message):
    with pytest.raises(FormatError, match=message):
        graph_from_config(told)


def test_old_graph_files_are_still_read():
    told = {
        "format": "brickwork-graph",
        "version": 1,
        "inputs": {"x": {"shape": [None, 2], "dtype": "float32"}},
        "nodes": [
            {
                "type": "brick",
                "name": "dense/linear",
                "brick": {"class": "Linear", "config": {"units": 3}},
                "inputs": ["x"],
                "owner": "dense/linear",
                "layer": "dense",
                "kind": "Dense",
                "frozen": False,
            }
        ],
        "parameters": {
            "dense/linear/W": {
                "initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
                "trainable": True,
                "regularizer": None,
                "constraint": None,
            }
        },
        "outputs": ["dense/linear"],
    }
    assert graph_from_config(told).shapes["dense/linear"] == (None, 3)


def test_thousands_of_nodes_are_read_in_linear_time():
    nodes = [Node(f"n{i}", Linear(1), (f"n{i - 1}" if i else "x",)) for i in range(3000)]
    graph = Graph({"x": (None, 1)}, nodes, ["n2999"])
    assert graph_from_config(graph_to_config(graph)).nodes == graph.nodes
    assert Tanh() == Tanh()
