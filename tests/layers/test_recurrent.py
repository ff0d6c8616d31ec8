"""Recurrent layers: beside Keras with random arguments, trained on every engine, saved, and messages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickwork
from brickwork import layers
from brickwork.config import scoped_floatx
from brickwork.engines.native_module import load_native
from brickwork.errors import ParameterError, ShapeError
from brickwork.graph import Loop, check_gradients
from layers.test_layers_against_keras import close, equip

KINDS = ("SimpleRNN", "LSTM", "GRU")
every_kind = pytest.mark.parametrize("kind", KINDS)
keras_warns = pytest.mark.filterwarnings("ignore")


def sequences(rng, rows=4, moments=5, features=3):
    return rng.standard_normal((rows, moments, features)).astype("float32")


ACTIVATIONS = st.sampled_from(["tanh", "sigmoid", "relu", "linear", None])


@st.composite
def arguments(draw):
    kind = draw(st.sampled_from(KINDS))
    flags = ("use_bias", "return_sequences", "return_state", "go_backwards", "unroll")
    told = {name: draw(st.booleans()) for name in flags}
    told.update(units=draw(st.integers(1, 4)), activation=draw(ACTIVATIONS))
    if kind != "SimpleRNN":
        told["recurrent_activation"] = draw(ACTIVATIONS)
    if kind == "LSTM":
        told["unit_forget_bias"] = draw(st.booleans())
    if kind == "GRU":
        told["reset_after"] = draw(st.booleans())
    return kind, told


@keras_warns
@settings(max_examples=12)
@given(drawn=arguments(), given_states=st.booleans(), moments=st.integers(1, 4))
def test_beside_keras(drawn, given_states, moments):
    """Outputs and last states, from given states and from none."""
    keras = pytest.importorskip("keras")
    kind, told = drawn
    rng = np.random.default_rng(0)
    x = 0.5 * sequences(rng, 2, moments)
    ours, theirs = getattr(layers, kind)(**told), getattr(keras.layers, kind)(**told)
    count = 2 if kind == "LSTM" else 1
    states = [rng.standard_normal((2, told["units"])).astype("float32") for _ in range(count)]
    more = {"initial_state": states} if given_states else {}
    ours(x, **more)
    theirs(x, **more)
    equip(ours, theirs, rng)
    got, wanted = ours(x, **more), theirs(x, **more)
    if not told["return_state"]:
        got, wanted = (got,), (wanted,)
    assert len(got) == len(wanted) == 1 + count * told["return_state"]
    for one, other in zip(got, wanted, strict=True):
        close(one, other, 1e-5)


def network(kind, library, **told):
    start = library.Input((6, 3))
    y = getattr(library.layers, kind)(4, return_sequences=True, **told)(start)
    y = getattr(library.layers, kind)(3, go_backwards=True)(y)
    return library.Model(start, library.layers.Dense(2)(y))


@keras_warns
@every_kind
def test_three_steps_of_training_beside_keras(kind, rng):
    keras = pytest.importorskip("keras")
    x, t = sequences(rng, 8, 6), rng.standard_normal((8, 2)).astype("float32")
    fitting = {"batch_size": 5, "epochs": 3, "shuffle": False, "verbose": 0}
    theirs = network(kind, keras)
    first = theirs.get_weights()
    theirs.compile(keras.optimizers.SGD(0.2, momentum=0.9), "mse")
    theirs.fit(x, t, **fitting)
    wanted = [*theirs.get_weights(), theirs.predict(x, verbose=0)]
    for engine in ("reference", *(["native"] if load_native() else [])):
        ours = network(kind, brickwork)
        ours.set_weights(first)
        ours.compile(brickwork.optimizers.SGD(0.2, momentum=0.9), "mse", engine=engine)
        ours.fit(x, t, **fitting)
        for one, other in zip([*ours.get_weights(), ours.predict(x, verbose=0)], wanted, strict=True):
            close(one, other, 5e-6)


@every_kind
def test_gradients_are_the_slopes(kind):
    """The whole layer, masks included, in float64."""
    with scoped_floatx("float64"):
        start = brickwork.Input((4, 3))
        layer = getattr(layers, kind)(2, dropout=0.3, recurrent_dropout=0.3, return_sequences=True)
        assert check_gradients(brickwork.Model(start, layer(start)).graph).worst < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_every_gate_is_a_brick(kind):
    layer = getattr(layers, kind)(3)
    names = {node.name for node in layer.cell.nodes}
    assert {"SimpleRNN": {"recurrent", "sum", "new"}}.get(kind, {"candidate", "new"}) <= names
    assert (
        len([name for name in names if name.endswith("_gate")]) == {"SimpleRNN": 0, "LSTM": 3, "GRU": 2}[kind]
    )
    y = layer(brickwork.Input((5, 2)))
    assert isinstance(y.call.brick, Loop)
    assert y.call.brick.cell.nodes == layer.cell.nodes


def test_a_kernel_is_multiplied_once_for_all_moments():
    x = brickwork.Input((5, 2))
    graph = brickwork.Model(x, layers.LSTM(3)(x)).graph
    assert [type(node.brick).__name__ for node in graph.nodes] == ["Linear", "Bias", "Loop"]


def test_the_forget_gate_begins_open():
    layer = layers.LSTM(2, bias_initializer="ones")
    layer.build((None, 3, 1))
    np.testing.assert_array_equal(layer.bias.numpy(), np.ones(8))
    for told, start in ((True, 1.0), (False, 0.0)):
        layer = layers.LSTM(2, unit_forget_bias=told)
        layer.build((None, 3, 1))
        np.testing.assert_array_equal(layer.bias.numpy(), [0, 0, start, start, 0, 0, 0, 0])


@every_kind
def test_the_recurrent_kernel_begins_orthogonal(kind):
    layer = getattr(layers, kind)(4)
    layer.build((None, 3, 2))
    R = layer.recurrent_kernel.numpy()
    np.testing.assert_allclose(R @ R.T, np.eye(4), atol=1e-6)


def test_a_mask_is_the_same_at_all_moments():
    """With an identity kernel and no recurrence, what comes out is x times the mask."""
    layer = layers.SimpleRNN(50, activation=None, dropout=0.5, return_sequences=True, use_bias=False)
    x = np.ones((3, 4, 50), "float32")
    layer(x)
    layer.set_weights([np.eye(50), np.zeros((50, 50))])
    y = layer(x, training=True)
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1]).all() and not (y[0] == y[1]).all()
    np.testing.assert_array_equal(layer(x), x)


def test_a_recurrent_mask():
    """With R = 1 and x = 1, 0, 0, … the state is the mask's powers."""
    layer = layers.SimpleRNN(
        50, activation=None, recurrent_dropout=0.5, return_sequences=True, use_bias=False
    )
    x = np.zeros((2, 4, 50), "float32")
    x[:, 0] = 1.0
    layer(x)
    layer.set_weights([np.eye(50), np.eye(50)])
    y = layer(x, training=True)
    assert set(np.unique(y[:, 1])) == {0.0, 2.0}
    np.testing.assert_array_equal(y[:, 3], y[:, 1] ** 3)
    np.testing.assert_array_equal(layer(x), np.ones_like(x))


@every_kind
def test_engines_agree_with_masks(kind, rng):
    x, t = sequences(rng, 6), rng.standard_normal((6, 1)).astype("float32")
    found = []
    for engine in ("reference", "jax", "native"):
        if engine == "native" and not load_native():
            continue
        brickwork.utils.set_random_seed(1)
        model = brickwork.Sequential(
            [
                brickwork.Input((5, 3)),
                getattr(layers, kind)(4, dropout=0.3, recurrent_dropout=0.3),
                layers.Dense(1),
            ]
        )
        model.compile("adam", "mse", engine=engine)
        model.fit(x, t, epochs=3, batch_size=4, verbose=0)
        found.append([*model.get_weights(), model.predict(x, verbose=0)])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


@every_kind
def test_saved_and_read(kind, rng, tmp_path):
    x = sequences(rng)
    start = brickwork.Input((5, 3))
    made = getattr(layers, kind)(4, return_state=True, recurrent_dropout=0.1)(start)
    model = brickwork.Model(start, list(made))
    model.save(tmp_path / "rnn.safetensors")
    again = brickwork.models.load_model(tmp_path / "rnn.safetensors")
    for one, other in zip(model.predict(x, verbose=0), again.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(one, other)


@every_kind
def test_sequences_of_any_length(kind, rng):
    model = brickwork.Sequential(
        [brickwork.Input((None, 3)), getattr(layers, kind)(2, recurrent_dropout=0.2)]
    )
    model.compile("sgd", "mse", engine="reference")
    for moments in (1, 7):
        x = sequences(rng, 4, moments)
        model.fit(x, np.zeros((4, 2), "float32"), verbose=0)
        assert model.predict(x, verbose=0).shape == (4, 2)


def test_an_encoder_hands_its_state_to_a_decoder(rng):
    start, second = brickwork.Input((5, 3)), brickwork.Input((4, 2))
    _, h, c = layers.LSTM(6, return_state=True)(start)
    y = layers.LSTM(6, return_sequences=True)(second, initial_state=[h, c])
    model = brickwork.Model([start, second], layers.Dense(1)(y))
    model.compile("sgd", "mse")
    xs = [sequences(rng), sequences(rng, 4, 4, 2)]
    model.fit(xs, np.zeros((4, 4, 1), "float32"), verbose=0)
    assert check_gradients(model.graph).worst < 1e-6


def test_a_layer_called_twice_shares_its_weights():
    layer = layers.GRU(2)
    one, two = brickwork.Input((5, 3)), brickwork.Input((7, 3))
    model = brickwork.Model([one, two], layers.Add()([layer(one), layer(two)]))
    assert len(model.graph.parameters) == len(layer.weights) == 3


def test_regularizers_and_frozen_layers():
    start = brickwork.Input((5, 3))
    told = {f"{name}_regularizer": "l2" for name in ("kernel", "recurrent", "bias")}
    layer = layers.GRU(2, **told, recurrent_constraint="max_norm", bias_constraint="non_neg")
    model = brickwork.Model(start, layer(start))
    parameters = model.graph.parameters.values()
    assert all(parameter.regularizer is not None for parameter in parameters)
    assert sum(parameter.constraint is not None for parameter in parameters) == 2
    layer.trainable = False
    assert not any(parameter.trainable for parameter in model.graph.parameters.values())


def test_it_learns_to_write():
    """The next letter of a sentence, which the last letter alone does not tell: the state must."""
    brickwork.utils.set_random_seed(0)
    text = "the rain in spain stays mainly in the plain. " * 12
    letters = sorted(set(text))
    hot = np.eye(len(letters), dtype="float32")[[letters.index(letter) for letter in text]]
    moments = 12
    x = np.stack([hot[start : start + moments] for start in range(len(text) - moments)])
    t = np.stack([hot[start + 1 : start + moments + 1] for start in range(len(text) - moments)])
    model = brickwork.Sequential(
        [
            brickwork.Input((moments, len(letters))),
            layers.GRU(32, return_sequences=True),
            layers.Dense(len(letters), activation="softmax"),
        ]
    )
    model.compile(brickwork.optimizers.Adam(0.02), "categorical_crossentropy", engine="reference")
    model.fit(x, t, epochs=8, batch_size=32, verbose=0)
    written = "the rain in "
    for _ in range(33):
        last = np.stack([np.eye(len(letters), dtype="float32")[letters.index(a)] for a in written[-moments:]])
        written += letters[int(model.predict(last[None], verbose=0)[0, -1].argmax())]
    assert written == text[:45]


@every_kind
def test_messages(kind):
    layer = getattr(layers, kind)(2)
    with pytest.raises(ShapeError, match=rf"{kind} .* takes sequences of shape \(N, T, F\), F known; it rec"):
        layer(brickwork.Input((3,)))
    with pytest.raises(ShapeError, match=r"initial states of shape \(N, 2\); it received \(N, 3\)"):
        layer(brickwork.Input((5, 3)), initial_state=brickwork.Input((3,)))
    with pytest.raises(ParameterError, match="stateful. must be False.*return_state=True gives them"):
        getattr(layers, kind)(2, stateful=True)
    with pytest.raises(TypeError, match="earlier Keras; today it is `recurrent_dropout`"):
        getattr(layers, kind)(2, dropout_U=0.1)
