"""MinMaxScaling and CategoryEncoding: by hand, on all engines, in a training; Identity and its penalty."""

from __future__ import annotations

import json

import numpy as np
import pytest

import brickwork as bw
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import DataError, ParameterError, ParameterTypeError, ShapeError, UnknownClassError
from brickwork.layers import CategoryEncoding, MinMaxScaling

ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]
DATA = np.array([[0.0, 7.0, 4.0], [2.0, 9.0, 4.0], [1.0, 7.0, 4.0]])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.5, 0.0, 0.0]]),
        ({"bounds": (-1, 3)}, [[-1.0, -1.0, -1.0], [3.0, 3.0, -1.0], [1.0, -1.0, -1.0]]),
        ({"axis": None}, np.array([[0, 7, 4], [2, 9, 4], [1, 7, 4]]) / 9),
    ],
)
def test_bounds_by_hand(arguments, expected):
    layer = MinMaxScaling(**arguments)
    layer.adapt(DATA)
    np.testing.assert_allclose(layer(DATA), expected, atol=1e-6)
    back = MinMaxScaling(**arguments, invert=True)
    back.adapt([DATA[:1], DATA[1:]])
    np.testing.assert_allclose(back(layer(DATA)), DATA, atol=1e-5)


def test_later_data_may_lie_outside():
    layer = MinMaxScaling()
    layer.adapt(np.array([[0.0], [2.0]]))
    np.testing.assert_array_equal(layer(np.array([[4.0], [-1.0]])), [[2.0], [-0.5]])


def test_images_channel_by_channel(rng):
    images = rng.integers(0, 256, (20, 4, 5, 3)).astype(np.uint8)
    layer = MinMaxScaling()
    layer.adapt(images)
    y = layer(images)
    np.testing.assert_allclose(y.min(axis=(0, 1, 2)), 0.0, atol=1e-6)
    np.testing.assert_allclose(y.max(axis=(0, 1, 2)), 1.0, atol=1e-6)


def test_what_adapt_refuses():
    layer = MinMaxScaling(name="bounds")
    with pytest.raises(DataError, match="MinMaxScaling 'bounds': adapt takes finite numbers"):
        layer.adapt(np.array([[np.nan]]))
    with pytest.raises(DataError, match="MinMaxScaling 'bounds': adapt needs at least one sample"):
        layer.adapt([])
    layer = MinMaxScaling(name="bounds")
    layer.adapt(DATA)
    with pytest.raises(ShapeError, match="MinMaxScaling 'bounds' has means of shape"):
        layer.adapt(DATA[:, :2])


@pytest.mark.parametrize(
    ("mode", "x", "expected"),
    [
        ("multi_hot", [[0, 2, 2], [1, 1, 1]], [[1, 0, 1, 0], [0, 1, 0, 0]]),
        ("count", [[0, 2, 2], [1, 1, 1]], [[1, 0, 2, 0], [0, 3, 0, 0]]),
        ("one_hot", [[0, 3]], [[[1, 0, 0, 0], [0, 0, 0, 1]]]),
        ("one_hot", [[0], [3]], [[1, 0, 0, 0], [0, 0, 0, 1]]),
        ("count", [0, 3], [[1, 0, 0, 0], [0, 0, 0, 1]]),
        ("one_hot", [0, 3], [[1, 0, 0, 0], [0, 0, 0, 1]]),
        ("count", [[[0, 0], [1, 2]]], [[[2, 0, 0, 0], [0, 1, 1, 0]]]),
        ("count", [[-1, 4, 0]], [[1, 0, 0, 0]]),
    ],
)
def test_categories_by_hand(mode, x, expected):
    assert CategoryEncoding(4, mode)(np.array(x)).tolist() == expected


def test_sparse_rows_are_not_here():
    with pytest.raises(ParameterError, match="`sparse` must be False; got sparse=True"):
        CategoryEncoding(4, sparse=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_words_of_a_text_are_counted_in_a_network(engine, rng):
    """A text belongs to the class of which it has more words; counts and scaled lengths, on every engine."""
    if engine == "jax":
        pytest.importorskip("jax")
    words = rng.integers(0, 20, (300, 9)).astype(np.int32)
    y = ((words < 10).sum(axis=1) > 4).astype(np.int32)
    lengths = rng.uniform(3, 50, (300, 1)).astype(np.float32)
    bw.utils.set_random_seed(1)
    ids, length = bw.Input((9,), dtype="int32", name="ids"), bw.Input((1,), name="length")
    scaled = MinMaxScaling()
    scaled.adapt(lengths)
    told = layers.Concatenate()([CategoryEncoding(20, "count")(ids), layers.Identity()(scaled(length))])
    model = bw.Model([ids, length], layers.Dense(2, "softmax")(told))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], engine=engine)
    model.optimizer.learning_rate = 0.05
    model.fit([words, lengths], y, epochs=15, verbose=0)
    assert model.evaluate([words, lengths], y, verbose=0)[1] > 0.97


@pytest.mark.parametrize("engine", ENGINES)
def test_activity_is_paid_for(engine, rng):
    if engine == "jax":
        pytest.importorskip("jax")
    x = rng.normal(size=(6, 3)).astype(np.float32)
    inputs = bw.Input((3,))
    model = bw.Model(inputs, layers.ActivityRegularization(l1=0.5, l2=0.25)(inputs))
    model.compile("sgd", "mse", engine=engine)
    expected = (0.5 * np.abs(x).sum() + 0.25 * (x * x).sum()) / 6
    assert model.evaluate(x, x, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_the_penalty_comes_back_from_its_configuration():
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    again = layers.ActivityRegularization.from_config(layer.get_config())
    assert (again.l1, again.l2, again.activity_regularizer.l1) == (0.5, 0.25, 0.5)


class Doubled(layers.Layer):
    """A layer of the user's own, which is not registered."""

    def lay(self, x):
        return self.put(bw.bricks.Rescaling(2.0), x)


def test_layers_are_serialized():
    told = layers.serialize(layers.Dense(3, activation="relu", name="d"))
    again = layers.deserialize(json.loads(json.dumps(told)))
    assert (type(again).__name__, again.units, again.name) == ("Dense", 3, "d")
    own = layers.deserialize({"class_name": "Doubled", "config": {}}, {"Doubled": Doubled})
    assert own(np.array([[3.0]])).tolist() == [[6.0]]


def test_what_is_no_layer_is_told():
    with pytest.raises(ParameterTypeError, match="Only a layer can be serialized here; got 3 of type int"):
        layers.serialize(3)
    with pytest.raises(ParameterError, match="must be a dict with 'class_name' and 'config'; got 3"):
        layers.deserialize(3)
    with pytest.raises(UnknownClassError, match="Did you mean 'Dense'"):
        layers.deserialize({"class_name": "Dens"})
