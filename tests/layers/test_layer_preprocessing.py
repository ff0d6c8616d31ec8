"""Rescaling, and Normalization with its statistics: given, found by `adapt`, set as weights."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from brickwork import layers
from brickwork.errors import DataError, ParameterError, ShapeError
from brickwork.graph.symbol import collect
from brickwork.layers import Normalization, preprocessing
from brickwork.layers.serialization import layer_from_config, layer_to_config
from layers.test_layer_table import forward

DATA = np.array([[0.0, 7.0, 4.0], [2.0, 9.0, 6.0], [0.0, 7.0, 4.0], [2.0, 9.0, 6.0]])


def test_rescaling_by_hand():
    np.testing.assert_allclose(layers.Rescaling(1 / 127.5, -1.0)([[0.0, 127.5, 255.0]]), [[-1, 0, 1]])
    np.testing.assert_array_equal(layers.Rescaling([1.0, 2.0], offset=(0.5, 0))([[3.0, 3.0]]), [[3.5, 6]])


def test_rescaling_takes_bytes():
    y = layers.Rescaling(1 / 255)(np.array([[0, 51, 255]], np.uint8))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [[0, 0.2, 1]])


def test_rescaling_wants_a_number_for_each_feature():
    with pytest.raises(ShapeError, match=r"Rescaling with 2 numbers in `scale` takes x of shape \(N, …, 2\)"):
        layers.Rescaling([1.0, 2.0])(layers.Input((3,)))


@pytest.mark.parametrize(
    ("arguments", "mean", "variance"),
    [
        ({}, [1, 8, 5], [1, 1, 1]),
        ({"axis": 1}, [1, 8, 5], [1, 1, 1]),
        ({"axis": None}, 14 / 3, 83 / 9),
    ],
)
def test_adapt_by_hand(arguments, mean, variance):
    layer = Normalization(**arguments)
    layer.adapt(DATA)
    found = layer.get_weights()
    np.testing.assert_allclose(found[0], mean, rtol=1e-6)
    np.testing.assert_allclose(found[1], variance, rtol=1e-6)
    assert found[2] == 0
    assert [w.dtype.name for w in found] == ["float32", "float32", "int32"]
    np.testing.assert_allclose(layer(DATA), (DATA - mean) / np.sqrt(variance), rtol=1e-5)


def test_several_axes():
    data = np.random.default_rng(0).normal(5.0, 2.0, (50, 2, 3, 4))
    layer = Normalization(axis=(-1, 1))
    layer.adapt(data)
    np.testing.assert_allclose(layer.get_weights()[0], data.mean(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(layer.get_weights()[1], data.var(axis=(0, 2)), rtol=1e-6)


def test_invert_leads_back():
    forth, back = Normalization(), Normalization(invert=True)
    forth.adapt(DATA)
    back.adapt(DATA)
    np.testing.assert_allclose(back(forth(DATA)), DATA, rtol=1e-6)


def test_a_feature_that_never_changes():
    layer = Normalization()
    layer.adapt(np.full((5, 1), 3.0))
    np.testing.assert_array_equal(layer(np.array([[3.0]])), [[0.0]])


def test_blocks_and_batches_of_any_size_give_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    data = rng.normal(1e4, 1.0, (1000, 3))
    whole = Normalization()
    whole.adapt(data)
    np.testing.assert_allclose(whole.get_weights()[1], data.var(axis=0), rtol=1e-5)
    monkeypatch.setattr(preprocessing, "_BLOCK", 100)
    for given in (
        data,
        [data[:1], data[1:400], data[400:]],
        ((data[i : i + 7], np.zeros(7)) for i in range(0, 1000, 7)),
        data.tolist(),
    ):
        layer = Normalization()
        layer.adapt(given)
        for one, other in zip(layer.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_bytes_are_added_up_in_float64():
    data = np.full((2000, 50), 255, np.uint8)
    data[::2] = 253
    layer = Normalization(axis=None)
    layer.adapt(data)
    assert [float(w) for w in layer.get_weights()[:2]] == [254.0, 1.0]


def test_adapt_after_laying_takes_effect():
    layer, x = Normalization(name="n"), layers.Input((3,), name="x")
    y = layer(x)
    rows = np.array([[1.0, 8.0, 5.0], [2.0, 8.0, 5.0]], "float32")
    np.testing.assert_array_equal(forward([x], y, [rows]), rows)
    made = collect([x], [y])
    layer.adapt(DATA)
    for graph, state in ((made.graph, made.state), (collect([x], [y]).graph, collect([x], [y]).state)):
        values = graph.forward({}, state, {"x": rows}).values
        np.testing.assert_allclose(values["n/standardization"], [[0, 0, 0], [1, 0, 0]])
    assert list(made.graph.statistics) == ["n/standardization/mean", "n/standardization/variance"]


def test_training_leaves_the_statistics():
    layer = Normalization()
    layer.adapt(DATA)
    before = layer.get_weights()
    layer(DATA * 3, training=True)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert layer.trainable_weights == []
    assert [v.name for v in layer.non_trainable_weights] == ["mean", "variance", "count"]


def test_given_numbers_are_no_weights():
    layer = Normalization(mean=[1.0, 8.0, 5.0], variance=[1.0, 4.0, 1.0])
    np.testing.assert_allclose(layer([[2.0, 12.0, 5.0]]), [[1, 2, 0]])
    assert layer.weights == []
    assert layer.count_params() == 0


def test_found_numbers_are_weights_and_given_ones_configuration():
    found = Normalization(name="n")
    found.adapt(DATA)
    config = json.loads(json.dumps(layer_to_config(found)))
    assert (config["config"]["mean"], config["config"]["variance"]) == (None, None)
    again = layer_from_config(config)
    again.build((None, 3))
    again.set_weights(found.get_weights())
    np.testing.assert_array_equal(again(DATA), found(DATA))
    given = Normalization(mean=[1.0], variance=2.0 * np.ones(1))
    given(np.ones((1, 1)))
    config = json.loads(json.dumps(layer_to_config(given)))["config"]
    assert (config["mean"], config["variance"]) == ([1.0], [2.0])


def test_mean_and_variance_as_they_broadcast():
    layer = Normalization(axis=1)
    layer.adapt(np.arange(12.0).reshape(2, 3, 2))
    assert layer.mean.shape == layer.variance.shape == (1, 3, 1)
    np.testing.assert_allclose(np.ravel(layer.mean), [3.5, 5.5, 7.5])


@pytest.mark.parametrize(
    ("layer", "data", "error", "message"),
    [
        (
            Normalization(mean=1.0, variance=1.0, name="n"),
            DATA,
            ParameterError,
            "Normalization 'n' was given its mean and variance, so that adapt has nothing to find; it "
            "received data. Make the layer without `mean` and `variance`.",
        ),
        (
            Normalization(name="n"),
            [],
            DataError,
            "Normalization 'n': adapt needs at least one sample; it received none.",
        ),
        (
            Normalization(name="n"),
            np.ones((0, 3)),
            DataError,
            "Normalization 'n': adapt needs at least one sample; it received none.",
        ),
        (
            Normalization(name="n"),
            np.array([[1.0, np.nan]]),
            DataError,
            "Normalization 'n': adapt takes finite numbers; it received NaN or infinity. Leave "
            "those samples out.",
        ),
        (
            Normalization(name="n"),
            [np.ones((2, 3)), np.ones((2, 4))],
            ShapeError,
            "Normalization 'n' has means of shape (3,); adapt received a batch of shape (2, 4), which would "
            "need (4,). Pass data of the shape it was built for.",
        ),
        (
            Normalization(),
            np.array([["a", "b"]]),
            DataError,
            "adapt takes arrays of numbers (N, …); it received a batch of shape (1, 2) and type <U1. Pass an "
            "array, or an iterable of arrays.",
        ),
        (
            Normalization(),
            {"x": DATA},
            DataError,
            "adapt takes an array (N, …) or an iterable of batches; it received dict. Pass the inputs alone.",
        ),
        (
            Normalization(),
            np.ones(4),
            ShapeError,
            "Standardization takes an axis after the batch axis for x of 1 axis; it received axis=-1 with "
            "(N,). For one mean of all numbers take axis=(), in the layer axis=None.",
        ),
    ],
)
def test_refused_data(layer, data, error, message):
    with pytest.raises(error, match=re.escape(message)):
        layer.adapt(data)


def test_refused_shapes():
    with pytest.raises(
        ShapeError, match=re.escape("takes an axis in [1, 1] or [-1, -1] for x of 2 axes; it")
    ):
        Normalization(axis=0)(layers.Input((3,)))
    with pytest.raises(ShapeError, match=re.escape("needs to know the size of axis 1; it received (N, ?)")):
        Normalization()(layers.Input((None,)))
    layer = Normalization(mean=[1.0, 2.0], variance=[1.0, 1.0], name="n")
    message = (
        "Normalization 'n' with a `mean` of shape (2,) takes x with these sizes at axis=-1; it received (N, "
        "3), there (3,). Give one number for each."
    )
    with pytest.raises(ShapeError, match=re.escape(message)):
        layer(layers.Input((3,)))
