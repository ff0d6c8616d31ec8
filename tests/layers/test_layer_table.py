"""What every layer does, in every configuration of the table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickwork import layers
from brickwork.graph.symbol import collect
from brickwork.layers import Layer
from brickwork.layers.serialization import layer_from_config, layer_to_config
from layers.examples import EXAMPLES

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)


def exported() -> list[type[Layer]]:
    found = [getattr(layers, name) for name in layers.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, Layer) and cls is not Layer]


def forward(xs, y, arrays, **surroundings):
    """The value of `y` in the graph between symbols."""
    made = collect(xs, [y])
    inputs = dict(zip(made.graph.inputs, arrays, strict=True))
    return made.graph.forward(made.parameters, made.state, inputs, **surroundings).values[made.name_of(y)]


def test_every_layer_is_in_the_table():
    assert {cls.__name__ for cls in exported()} - {"InputLayer"} == {example.kind for example in EXAMPLES}


@every_example
def test_the_shape_that_was_worked_by_hand(example):
    y = example.call(example.make(), example.symbols())
    assert y.shape == example.output
    shapes = example.inputs[0] if len(example.inputs) == 1 else list(example.inputs)
    assert example.make().compute_output_shape(shapes) == example.output


@every_example
def test_graph_and_arrays_agree(example, rng):
    layer, xs = example.make(), example.symbols()
    arrays = example.draw(rng)
    y = example.call(layer, xs)
    told = forward(xs, y, arrays)
    computed = example.call(layer, arrays)
    np.testing.assert_array_equal(told, computed)
    assert computed.dtype == np.float32
    assert computed.shape == tuple(3 if size is None else size for size in example.output)


@every_example
def test_configuration_round_trip(example, rng):
    layer = example.make(name="it", trainable=False)
    config = json.loads(json.dumps(layer_to_config(layer)))
    again = layer_from_config(config)
    assert type(again) is type(layer)
    assert layer_to_config(again) == layer_to_config(layer)
    assert (again.name, again.trainable) == ("it", False)
    arrays = example.draw(rng)
    before = example.call(layer, arrays)
    example.call(again, arrays)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(example.call(again, arrays), before)


@every_example
def test_names_are_counted(example):
    from brickwork.layers.base import reset_names

    reset_names()
    first, second = example.make(), example.make()
    assert second.name == f"{first.name}_1"
    assert example.make(name="mine").name == "mine"


@every_example
def test_keywords_common_to_all(example):
    layer = example.make(name="a", trainable=False, dtype="float32", input_shape=(4, None))
    assert (layer.name, layer.trainable, layer.dtype, layer.input_shape) == ("a", False, "float32", (4, None))
    assert repr(layer) == f"<{example.kind} name='a'>"


@every_example
def test_set_weights_wants_what_get_weights_gives(example):
    layer = example.make()
    example.call(layer, example.symbols())
    layer.set_weights([array + 1 for array in layer.get_weights()])
    assert layer.count_params() == sum(array.size for array in layer.get_weights())
    with pytest.raises(ValueError, match=r"holds \d arrays; it received \d"):
        layer.set_weights([*layer.get_weights(), np.zeros(1)])


KERAS_NAMES = {
    "Dense": "dense",
    "Conv2D": "conv2d",
    "MaxPooling2D": "max_pooling2d",
    "GlobalAveragePooling2D": "global_average_pooling2d",
    "BatchNormalization": "batch_normalization",
    "ReLU": "re_lu",
    "LeakyReLU": "leaky_re_lu",
    "ELU": "elu",
    "InputLayer": "input_layer",
}


@pytest.mark.parametrize(("kind", "name"), KERAS_NAMES.items())
def test_automatic_name(kind, name):
    from brickwork.layers.base import automatic_name, reset_names

    reset_names()
    assert [automatic_name(kind) for _ in range(3)] == [name, f"{name}_1", f"{name}_2"]
