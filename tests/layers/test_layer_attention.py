"""MultiHeadAttention and Embedding: masks, scores, weights in Keras's layout, training, saving, messages."""

from __future__ import annotations

import json

import numpy as np
import pytest

import brickwork
from brickwork import layers
from brickwork.bricks import LearnedPositions, SinePositions
from brickwork.engines.native_module import load_native
from brickwork.errors import ParameterTypeError, ShapeError
from brickwork.initializers.reshaped import Reshaped

ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]


def equip(ours, theirs, rng):
    weights = [rng.normal(0.0, 0.5, w.shape).astype("float32") for w in ours.get_weights()]
    assert [w.shape for w in weights] == [w.shape for w in theirs.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)


def both(arguments, xs, rng, **options):
    keras = pytest.importorskip("keras")
    made = [library.MultiHeadAttention(**arguments) for library in (layers, keras.layers)]
    for layer in made:
        layer(*xs, **options)
    equip(*made, rng)
    ours, theirs = (layer(*xs, **options) for layer in made)
    many = isinstance(ours, tuple)
    for one, other in zip(ours if many else [ours], theirs if many else [theirs], strict=True):
        np.testing.assert_allclose(one, np.asarray(other), rtol=2e-5, atol=2e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [None, (3, 5, 6), (3, 1, 6)])
@pytest.mark.parametrize("scores", [False, True])
def test_masks_and_scores_as_in_keras(causal, masked, scores, rng):
    xs = [rng.standard_normal((3, length, 4)).astype("float32") for length in (5, 6)]
    options = {"use_causal_mask": causal, "return_attention_scores": scores}
    if masked:
        mask = rng.integers(0, 2, masked)
        mask[..., 0] = 1  # with nothing to look at, Keras's weights depend on rounding
        options["attention_mask"] = mask.astype("bool")
    both({"num_heads": 2, "key_dim": 3}, xs, rng, **options)


@pytest.mark.filterwarnings("ignore")
def test_values_of_another_size_as_in_keras(rng):
    """Keras fails at this where it need not give the scores."""
    xs = [rng.standard_normal((2, 5, 4)).astype("float32") for _ in range(3)]
    both({"num_heads": 2, "key_dim": 3, "value_dim": 5}, xs, rng, return_attention_scores=True)


def test_names_of_weights():
    layer = layers.MultiHeadAttention(2, 3, value_dim=5, name="mha")
    x = layers.Input((4, 6))
    layer(x, x)
    shapes = {variable.path: variable.shape for variable in layer.weights}
    assert shapes == {
        "mha/query/kernel": (6, 2, 3),
        "mha/query/bias": (2, 3),
        "mha/key/kernel": (6, 2, 3),
        "mha/key/bias": (2, 3),
        "mha/value/kernel": (6, 2, 5),
        "mha/value/bias": (2, 5),
        "mha/attention_output/kernel": (2, 5, 6),
        "mha/attention_output/bias": (6,),
    }


def test_kernels_start_with_the_spread_of_keras_layout():
    """fan_in = F * heads and fan_out = F * dim: the limit is sqrt(6 / (F (heads + dim)))."""
    layer = layers.MultiHeadAttention(4, 32)
    x = layers.Input((4, 128))
    layer(x, x)
    kernel = layer.weights[0].numpy()
    limit = np.sqrt(6 / (128 * (4 + 32)))
    assert np.abs(kernel).max() == pytest.approx(limit, rel=1e-3)
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_reshaped_initializers_are_told_and_read():
    one = Reshaped(brickwork.initializers.GlorotUniform(seed=3), (4, 2, 3))
    again = brickwork.initializers.deserialize(json.loads(json.dumps(brickwork.initializers.serialize(one))))
    np.testing.assert_array_equal(one((4, 6)), again((4, 6)))
    np.testing.assert_array_equal(
        one((4, 6)), brickwork.initializers.GlorotUniform(seed=3)((4, 2, 3)).reshape(4, 6)
    )


def network(library, vocabulary=7, length=6):
    """Whole numbers in, as many of them out: a small transformer without its dense layers."""
    x = library.Input((length,), dtype="int32")
    mask = library.Input((length, length), dtype="float32")
    y = library.layers.Embedding(vocabulary, 8)(x)
    z = library.layers.MultiHeadAttention(2, 4, dropout=0.0)(y, y, attention_mask=mask, use_causal_mask=True)
    y = library.layers.Dense(vocabulary)(library.layers.add([y, z]))
    model = library.Model([x, mask], y)
    return model


def numbers(rng, rows=5, vocabulary=7, length=6):
    x, y = (rng.integers(0, vocabulary, (rows, length)) for _ in range(2))
    mask = rng.integers(0, 2, (rows, length, length)).astype("float32")
    mask[..., 0] = 1.0
    return [x.astype("int32"), mask], y


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", ENGINES)
def test_one_step_of_training_as_in_keras(engine, rng):
    keras = pytest.importorskip("keras")
    made = [network(library) for library in (brickwork, keras)]
    equip(*made, rng)
    x, y = numbers(rng)
    for library, model in zip((brickwork, keras), made, strict=True):
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        more = {"engine": engine} if library is brickwork else {}
        model.compile(optimizer=library.optimizers.SGD(0.5), loss=loss, **more)
        model.fit(x, y, batch_size=len(y), epochs=1, verbose=0)
    for ours, theirs in zip(made[0].get_weights(), made[1].get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_what_was_said_in_the_call_is_kept(tmp_path, rng):
    """In the file, in a copy made of the configuration, and where the network is a layer of another one."""
    model = network(brickwork)
    x, _ = numbers(rng)
    wanted = model.predict(x, verbose=0)
    assert np.abs(wanted - model.predict([x[0], np.ones_like(x[1])], verbose=0)).max() > 1e-5
    model.save(tmp_path / "it.safetensors")
    np.testing.assert_array_equal(
        brickwork.models.load_model(tmp_path / "it.safetensors").predict(x, verbose=0), wanted
    )
    again = [brickwork.Input((6,), dtype="int32"), brickwork.Input((6, 6))]
    outer = brickwork.Model(again, model(again))
    np.testing.assert_allclose(outer.predict(x, verbose=0), wanted, rtol=1e-6, atol=1e-7)
    later = np.where(np.arange(6) < 3, x[0], 0).astype("int32")
    causal = model.predict([later, x[1]], verbose=0)
    np.testing.assert_allclose(causal[:, :3], wanted[:, :3], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES[1:])
@pytest.mark.parametrize("positions", [SinePositions(), LearnedPositions(6)], ids=["sines", "learned"])
def test_attention_learns_to_turn_sequences_round(engine, positions):
    """Position t asks position T - 1 - t, which only positions can tell."""
    brickwork.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, (1280, 6)).astype("int32")
    inputs = brickwork.Input((6,), dtype="int32")
    h = positions(layers.Embedding(8, 32, embeddings_initializer="random_normal")(inputs))
    h = layers.add([h, layers.MultiHeadAttention(4, 8)(h, h)])
    model = brickwork.Model(inputs, layers.Dense(8)(h))
    loss = brickwork.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(brickwork.optimizers.Adam(0.01), loss, metrics=["accuracy"], engine=engine)
    model.fit(x[:1024], x[:1024, ::-1], epochs=15, batch_size=64, verbose=0)
    assert model.evaluate(x[1024:], x[1024:, ::-1], verbose=0)[1] > 0.97


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_attention_learns_to_sort(engine):
    """Position t must give the t-th smallest of all digits: it weighs all of them, and counts."""
    brickwork.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x = rng.integers(0, 10, (4608, 8)).astype("int32")
    t = np.sort(x, axis=1)
    inputs = brickwork.Input((8,), dtype="int32")
    h = layers.TokenAndPositionEmbedding(10, 8, 32)(inputs)
    h = layers.add([h, layers.MultiHeadAttention(4, 8)(h, h)])
    h = layers.Dense(64, activation="relu")(h)
    model = brickwork.Model(inputs, layers.Dense(10)(h))
    loss = brickwork.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(brickwork.optimizers.Adam(0.01), loss, engine=engine)
    model.fit(x[:4096], t[:4096], epochs=8, batch_size=64, verbose=0)
    right = model.predict(x[4096:], verbose=0).argmax(axis=-1) == t[4096:]
    assert right.mean() > 0.99 and right.all(axis=1).mean() > 0.95


def test_messages():
    layer = layers.MultiHeadAttention(2, 3, name="mha")
    x = layers.Input((4, 6))
    with pytest.raises(ShapeError, match=r"'mha' takes query \(N, T, F\).*received \(N, 6\).*Embedding"):
        layer(layers.Input((6,)), x)
    with pytest.raises(ShapeError, match=r"with a key for each value"):
        layer(x, x, layers.Input((3, 6)))
    with pytest.raises(
        ShapeError, match=r"attention_mask \(N, T, S\), here \(N, 4, 4\); it received \(N, 4, 3\)"
    ):
        layer(x, x, attention_mask=layers.Input((4, 3)))
    with pytest.raises(
        ParameterTypeError, match=r"received 'use_casual_mask'. Did you mean 'use_causal_mask'"
    ):
        layer(x, x, use_casual_mask=True)
    with pytest.raises(
        ParameterTypeError, match=r"`use_causal_mask` must be True or False; got use_causal_mask=2"
    ):
        layer(x, x, use_causal_mask=2)
    with pytest.raises(ParameterTypeError, match=r"'dense' is called with 'x' by name; it received 'mask'"):
        layers.Dense(3, name="dense")(x, mask=x)
