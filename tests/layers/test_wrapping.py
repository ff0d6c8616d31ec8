"""Bidirectional and TimeDistributed: beside Keras, trained, saved, frozen, and messages."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import GraphError, ParameterError, ParameterTypeError, ShapeError
from brickwork.graph import check_gradients
from layers.test_layers_against_keras import close, equip

keras_warns = pytest.mark.filterwarnings("ignore")


def both_ways(library, merge_mode="concat", go_backwards=False, **told):
    one, other = (
        library.layers.LSTM(3, go_backwards=way, **told) for way in (go_backwards, not go_backwards)
    )
    return library.layers.Bidirectional(one, merge_mode=merge_mode, backward_layer=other)


@keras_warns
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_bidirectional_beside_keras(merge_mode, return_sequences, go_backwards, rng):
    """With last states, from given states, and a backward layer of its own."""
    keras = pytest.importorskip("keras")
    x = rng.standard_normal((2, 4, 3)).astype("float32")
    states = [rng.standard_normal((2, 3)).astype("float32") for _ in range(4)]
    told = {"return_sequences": return_sequences, "return_state": True}
    ours, theirs = (both_ways(each, merge_mode, go_backwards, **told) for each in (brickwork, keras))
    ours(x)
    theirs(x)
    equip(ours, theirs, rng)
    for more in ({}, {"initial_state": states}):
        got, wanted = ours(x, **more), theirs(x, **more)
        wanted = (*wanted[0], *wanted[1:]) if isinstance(wanted[0], (list, tuple)) else wanted
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            close(one, other, 1e-5)


def video(library):
    start = library.Input((3, 6, 6, 1))
    y = library.layers.TimeDistributed(library.layers.Conv2D(2, 3, activation="relu"))(start)
    y = library.layers.TimeDistributed(library.layers.Flatten())(y)
    y = library.layers.Bidirectional(library.layers.GRU(4))(y)
    return library.Model(start, library.layers.Dense(1)(y))


@keras_warns
def test_training_beside_keras(rng):
    keras = pytest.importorskip("keras")
    x, t = (rng.standard_normal(shape).astype("float32") for shape in ((6, 3, 6, 6, 1), (6, 1)))
    fitting = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    theirs = video(keras)
    first = theirs.get_weights()
    theirs.compile(keras.optimizers.SGD(0.1), "mse")
    theirs.fit(x, t, **fitting)
    for engine in ("reference", *(["native"] if load_native() else [])):
        ours = video(brickwork)
        ours.set_weights(first)
        ours.compile(brickwork.optimizers.SGD(0.1), "mse", engine=engine)
        ours.fit(x, t, **fitting)
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            close(one, other, 5e-6)


def test_gradients_and_files(rng, tmp_path):
    model = video(brickwork)
    assert check_gradients(model.graph).worst < 1e-6
    model.save(tmp_path / "video.safetensors")
    x = rng.standard_normal((2, 3, 6, 6, 1)).astype("float32")
    again = brickwork.models.load_model(tmp_path / "video.safetensors")
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_a_network_at_every_moment(rng):
    """Its own arrays: what it computes alone it computes at each moment, also after training."""
    inner = brickwork.Sequential([brickwork.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)])
    start = brickwork.Input((5, 4))
    model = brickwork.Model(start, layers.TimeDistributed(inner)(start))
    x = rng.standard_normal((3, 5, 4)).astype("float32")
    before = model.predict(x, verbose=0)
    model.compile("sgd", "mse")
    model.fit(x, np.ones((3, 5, 2), "float32"), verbose=0)
    after = model.predict(x, verbose=0)
    assert not np.allclose(before, after)
    for moment in range(5):
        np.testing.assert_allclose(inner(x[:, moment]), after[:, moment], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [both_ways, lambda _: layers.TimeDistributed(layers.Dense(2))])
def test_frozen(make):
    start = brickwork.Input((5, 4))
    layer = make(brickwork)
    model = brickwork.Model(start, layer(start))
    assert all(parameter.trainable for parameter in model.graph.parameters.values())
    layer.trainable = False
    assert not any(parameter.trainable for parameter in model.graph.parameters.values())
    assert layer.trainable_weights == [] and layer.weights


def test_a_penalty_inside_counts():
    start = brickwork.Input((5, 4))
    layer = layers.TimeDistributed(layers.Dense(2, kernel_regularizer="l2"))
    graph = brickwork.Model(start, layer(start)).graph
    assert [parameter.regularizer is not None for parameter in graph.parameters.values()] == [True, False]


def test_messages():
    start = brickwork.Input((5, 4))
    with pytest.raises(ParameterTypeError, match="Bidirectional: `layer` must be a recurrent layer, such as"):
        layers.Bidirectional(layers.Dense(3))
    with pytest.raises(ParameterError, match="`backward_layer` must be of the opposite go_backwards as"):
        layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3))
    with pytest.raises(ParameterError, match="`backward_layer` must be of the same return_state as"):
        other = layers.GRU(3, go_backwards=True, return_state=True)
        layers.Bidirectional(layers.GRU(3), backward_layer=other)
    with pytest.raises(
        ShapeError, match=r"takes sequences of shape \(N, T, …\), at least 3 axes; it received"
    ):
        layers.TimeDistributed(layers.Dense(3))(brickwork.Input((5,)))
    with pytest.raises(GraphError, match="neither random bricks nor running statistics; it received Dropout"):
        layers.TimeDistributed(layers.Dropout(0.5))(start)
    with pytest.raises(ParameterError, match="`layer` must be without activity_regularizer"):
        layers.TimeDistributed(layers.Dense(3, activity_regularizer="l2"))
