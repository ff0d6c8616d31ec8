"""The wiring side: order of layers, weights once each, configuration, structures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_models import classifier, two_outputs

import brickwork as bw
from brickwork import bricks, layers
from brickwork.errors import GraphError
from brickwork.training.network import Network
from brickwork.training.network_config import read_layer, sharing, tell_layer


def test_layers_stand_by_their_longest_way_to_an_output():
    """Keras's order: from the deepest, and among equals as they are met from the outputs."""
    a, b = bw.Input((2,), name="a"), bw.Input((2,), name="b")
    short = layers.Dense(2, name="short")(b)
    long = layers.Dense(2, name="long_2")(layers.Dense(2, name="long_1")(a))
    y = layers.Add(name="sum")([short, long])
    other = layers.Add(name="sum")([long, short])
    met = ["a", "b", "long_1", "short", "long_2", "sum"]
    for inputs in ([a, b], [b, a]):
        assert [layer.name for layer in bw.Model(inputs, y).layers] == met
    met = ["a", "long_1", "b", "long_2", "short", "sum"]
    assert [layer.name for layer in bw.Model([a, b], other).layers] == met


def test_a_shared_layer_stands_at_its_deepest_use():
    x = bw.Input((3,), name="x")
    layer = layers.Dense(3, name="shared")
    y = layer(layers.Dense(3, name="between")(layer(x)))
    assert [one.name for one in bw.Model(x, y).layers] == ["x", "shared", "between"]


def test_a_long_chain_of_layers():
    """No recursion: Python allows a thousand calls within calls."""
    x = y = bw.Input((1,), name="x")
    for _ in range(3000):
        y = bricks.Tanh()(y)
    model = bw.Model(x, y)
    assert len(model.layers) == 3001
    np.testing.assert_allclose(model.predict(np.zeros((2, 1)), verbose=0), 0)


def test_a_network_is_a_layer_on_its_own():
    x = bw.Input((4,))
    network = Network(x, layers.Dense(3)(x), name="net", trainable=False)
    assert network.built and network.trainable_weights == [] and network.count_params() == 15
    assert network(np.zeros((2, 4))).shape == (2, 3)
    assert network.compute_output_shape((None, 4)) == (None, 3)
    assert [len(layer._calls) for layer in network.layers] == [1, 1]
    assert network.build((None, 4)) is None
    assert repr(network) == "<Network name='net'>"


def test_shapes_and_names():
    model = two_outputs()
    assert model.input_shape == (None, 4) and model.output_shape == [(None, 3), (None, 2)]
    assert model.input_names == ["x"] and model.output_names == ["classes", "amounts"]
    assert model.compute_output_shape((7, 4)) == ((7, 3), (7, 2))
    assert model.input is model.inputs[0] and model.output == model.outputs


def test_weights_in_keras_order_and_layout():
    x = bw.Input((5, 5, 2))
    y = layers.BatchNormalization(name="norm")(layers.Conv2D(3, (2, 3), name="conv")(x))
    model = bw.Model(x, layers.Dense(4, name="dense")(layers.Flatten()(y)))
    assert [(one.path, one.shape) for one in model.weights] == [
        ("conv/kernel", (2, 3, 2, 3)),
        ("conv/bias", (3,)),
        ("norm/gamma", (3,)),
        ("norm/beta", (3,)),
        ("norm/moving_mean", (3,)),
        ("norm/moving_variance", (3,)),
        ("dense/kernel", (36, 4)),
        ("dense/bias", (4,)),
    ]
    assert model.variables == model.weights
    assert [one.path for one in model.non_trainable_weights] == ["norm/moving_mean", "norm/moving_variance"]


def test_get_weights_copies_and_parameters_do_not():
    model = classifier()
    model.get_weights()[0][:] = 0
    assert model.get_weights()[0].any()
    model.parameters["hidden/linear/W"][:] = 0
    assert not model.get_weights()[0].any()


def test_summary_text_names_every_layer():
    text = classifier().summary_text()
    for name in ("x", "hidden", "out"):
        assert name in text
    shown = []
    classifier().summary(print_fn=shown.append)
    assert len(shown) == 1


# Configuration.


def test_a_configuration_is_json_and_comes_back():
    model = two_outputs(as_dict=True)
    told = model.get_config()
    again = bw.Model.from_config(json.loads(json.dumps(told)))
    assert again.get_config() == told
    assert again.output_names == ["kinds", "sizes"] and again.input_names == ["x"]
    assert [one.path for one in again.weights] == [one.path for one in model.weights]


def test_trainable_flags_come_back_as_they_were():
    model = classifier()
    model.trainable = False
    model.get_layer("out").trainable = True
    again = bw.Model.from_config(model.get_config())
    assert (
        not again.trainable and not again.get_layer("hidden").trainable and again.get_layer("out").trainable
    )


def test_a_layer_told_twice_is_one_layer_while_sharing():
    layer = layers.Dense(3, name="d")
    with sharing():
        first, second = tell_layer(layer), tell_layer(layer)
        assert second == {"shared": first["number"]}
    with sharing():
        assert read_layer(first) is read_layer(second)
    assert tell_layer(layer) == tell_layer(layer)  # outside, each is told whole
    assert read_layer(tell_layer(layer)) is not read_layer(tell_layer(layer))


@pytest.mark.parametrize("structure", [{}, [], (), [3], {"a": 3}, None, "x"])
def test_structures_that_hold_no_symbols(structure):
    x = bw.Input((3,))
    with pytest.raises(
        (GraphError, ValueError), match=r"are symbols: a symbol, a list or a dict of them|takes inputs and"
    ):
        bw.Model(x, structure)
    with pytest.raises(
        (GraphError, ValueError), match=r"are symbols: a symbol, a list or a dict of them|takes inputs and"
    ):
        bw.Model(structure, x)
