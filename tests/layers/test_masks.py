"""Masks: beside Keras, trained on every engine, saved, handed on, and messages."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickwork
from brickwork import layers
from brickwork.bricks import Where
from brickwork.engines.native_module import load_native
from brickwork.errors import ShapeError
from brickwork.graph import check_gradients
from layers.test_layers_against_keras import close, equip

ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]
keras_warns = pytest.mark.filterwarnings("ignore")
KINDS = ("SimpleRNN", "LSTM", "GRU")


def texts(rng, rows=7, length=6, words=8):
    """Numbers of words, 0 behind the end of each text; one text has none, one is whole."""
    x = rng.integers(1, words, (rows, length))
    ends = rng.integers(0, length + 1, rows)
    ends[0], ends[1] = 0, length
    return np.where(np.arange(length) < ends[:, None], x, 0).astype("int32")


def gaps(rng, shape):
    """A mask with zeros anywhere; the first row has no moment that counts."""
    mask = rng.integers(0, 2, shape).astype(bool)
    mask[0] = False
    return mask


@keras_warns
@settings(max_examples=6)
@given(
    kind=st.sampled_from(KINDS),
    told=st.fixed_dictionaries(
        {
            name: st.booleans()
            for name in ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask")
        }
    ),
    given_states=st.booleans(),
    both_ways=st.sampled_from([None, "concat", "sum", "ave", "alone"]),
)
def test_recurrent_layers_beside_keras(kind, told, given_states, both_ways):
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((3, 5, 2)).astype("float32"), gaps(rng, (3, 5))
    told["zero_output_for_mask"] &= told["return_sequences"]  # for which alone Keras says what it means
    told["go_backwards"] &= both_ways is None
    made = []
    for library in (layers, keras.layers):
        layer = getattr(library, kind)(3, **told)
        if both_ways is not None:
            mode = None if both_ways == "alone" else both_ways
            layer = library.Bidirectional(layer, merge_mode=mode)
        made.append(layer)
    count = (2 if kind == "LSTM" else 1) * (1 if both_ways is None else 2)
    states = [rng.standard_normal((3, 3)).astype("float32") for _ in range(count)]
    more = {"initial_state": states} if given_states else {}
    ours, theirs = made
    ours(x, mask=mask, **more)
    theirs(x, mask=mask, **more)
    equip(ours, theirs, rng)
    got, wanted = ours(x, mask=mask, **more), theirs(x, mask=mask, **more)
    if isinstance(wanted, (tuple, list)) and isinstance(wanted[0], (tuple, list)):
        wanted = (*wanted[0], *wanted[1:])
    several = isinstance(got, tuple)
    assert several == isinstance(wanted, (tuple, list))
    for one, other in zip(got if several else [got], wanted if several else [wanted], strict=True):
        close(one, other, 1e-5)


def test_a_moment_that_does_not_count_leaves_no_trace(rng):
    """Padding anywhere, even of NaN, changes nothing; outputs there are those of the moment before."""
    layer = layers.GRU(3, return_sequences=True)
    x = rng.standard_normal((1, 3, 2)).astype("float32")
    wanted = layer(x)
    padded = np.full((1, 6, 2), np.nan, "float32")
    places = [1, 2, 4]
    padded[:, places] = x
    mask = np.isin(np.arange(6), places)[None]
    y = layer(padded, mask=mask)
    np.testing.assert_array_equal(y[:, places], wanted)
    np.testing.assert_array_equal(
        y[:, [0, 3, 5]], np.stack([np.zeros((1, 3)), wanted[:, 1], wanted[:, 2]], 1)
    )


@keras_warns
@pytest.mark.parametrize("keepdims", [False, True])
def test_mean_beside_keras(keepdims, rng):
    keras = pytest.importorskip("keras")
    x, mask = rng.standard_normal((4, 5, 3)).astype("float32"), gaps(rng, (4, 5))
    mask[0, 2] = True  # Keras divides by 0
    ours = layers.GlobalAveragePooling1D(keepdims=keepdims)(x, mask=mask)
    close(ours, keras.layers.GlobalAveragePooling1D(keepdims=keepdims)(x, mask=mask), 1e-6)


@keras_warns
@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_beside_keras(crossed, causal, rng):
    """Query and value with masks; a key with a mask of its own."""
    keras = pytest.importorskip("keras")
    query, value = (rng.standard_normal((3, length, 4)).astype("float32") for length in (5, 6))
    masks = [gaps(rng, (3, length)) for length in (5, 6, 6)]
    for mask in masks[1:]:
        mask[:, 0] = True  # with nothing to look at, Keras's weights depend on rounding
    masks[0][1] = True
    made = [library.MultiHeadAttention(2, 3) for library in (layers, keras.layers)]
    more = {"query_mask": masks[0], "value_mask": masks[1], "use_causal_mask": causal}
    xs = [query, value]
    if crossed:
        xs.append(rng.standard_normal((3, 6, 4)).astype("float32"))
        more["key_mask"] = masks[2]
    for layer in made:
        layer(*xs, **more)
    equip(*made, rng)
    ours, theirs = (np.asarray(layer(*xs, **more)) for layer in made)
    counts = masks[0]
    close(ours[counts], theirs[counts], 1e-5)


def reader(library, kind, words=8, length=6):
    """Words of texts of several lengths, through layers of every kind that a mask meets."""
    x = library.Input((length,), dtype="int32")
    y = library.layers.Embedding(words, 4, mask_zero=True)(x)
    y = library.layers.Dense(4, activation="tanh")(library.layers.Dropout(0.0)(y))
    if kind == "attention":
        y = library.layers.add([y, library.layers.MultiHeadAttention(2, 3)(y, y)])
        y = library.layers.GlobalAveragePooling1D()(library.layers.LayerNormalization()(y))
    elif kind == "both ways":
        y = library.layers.Bidirectional(library.layers.LSTM(3, return_sequences=True), merge_mode="sum")(y)
        y = library.layers.Bidirectional(library.layers.GRU(3))(y)
    else:
        y = getattr(library.layers, kind)(3, return_sequences=True)(y)
        y = library.layers.concatenate([y, library.layers.TimeDistributed(library.layers.Dense(2))(y)])
        y = getattr(library.layers, kind)(3, go_backwards=True)(y)
    return library.Model(x, library.layers.Dense(1)(y))


@keras_warns
@pytest.mark.parametrize("kind", [*KINDS, "both ways", "attention"])
def test_training_beside_keras(kind, rng):
    keras = pytest.importorskip("keras")
    x, t = texts(rng), rng.standard_normal((7, 1)).astype("float32")
    if kind == "attention":
        x[:, 0] = 1  # a mean of nothing is not a number in Keras
    theirs = reader(keras, kind)
    weights = theirs.get_weights()
    theirs.compile(keras.optimizers.SGD(0.2), "mse")
    theirs.fit(x, t, batch_size=7, epochs=2, shuffle=False, verbose=0)
    for engine in ENGINES:
        ours = reader(brickwork, kind)
        ours.set_weights(weights)
        ours.compile(brickwork.optimizers.SGD(0.2), "mse", engine=engine)
        ours.fit(x, t, batch_size=7, epochs=2, shuffle=False, verbose=0)
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            close(one, other, 1e-5)


@keras_warns
def test_masking_beside_keras(rng):
    keras = pytest.importorskip("keras")
    x = rng.standard_normal((6, 5, 2)).astype("float32")
    x[gaps(rng, (6, 5))] = -1.5
    x[2, 3] = (-1.5, 1.0)  # counts
    made = [
        library.Sequential(
            [
                library.Input((5, 2)),
                library.layers.Masking(-1.5),
                library.layers.GRU(3),
                library.layers.Dense(1),
            ]
        )
        for library in (brickwork, keras)
    ]
    ours, theirs = made
    ours.set_weights(theirs.get_weights())
    t = rng.standard_normal((6, 1)).astype("float32")
    ours.compile(brickwork.optimizers.SGD(0.2), "mse")
    theirs.compile(keras.optimizers.SGD(0.2), "mse")
    for model in made:
        model.fit(x, t, epochs=2, batch_size=6, shuffle=False, verbose=0)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(one, other, 1e-5)
    masking, other = layers.Masking(-1.5), keras.layers.Masking(-1.5)
    np.testing.assert_array_equal(masking(x), np.asarray(other(x)))
    np.testing.assert_array_equal(masking.compute_mask(x), np.asarray(other.compute_mask(x)))


@pytest.mark.parametrize("kind", [*KINDS, "both ways", "attention"])
def test_gradients_and_files(kind, rng, tmp_path):
    model = reader(brickwork, kind)
    assert check_gradients(model.graph).worst < 1e-5
    x = texts(rng)
    wanted = model.predict(x, verbose=0)
    model.save(tmp_path / "reader.safetensors")
    again = brickwork.models.load_model(tmp_path / "reader.safetensors")
    np.testing.assert_array_equal(again.predict(x, verbose=0), wanted)


def test_nothing_but_a_mask_makes_the_difference(rng):
    """The end of a text is found: the same text with more behind its end is read alike."""
    model = reader(brickwork, "LSTM", length=None)
    x = texts(rng)
    longer = np.concatenate([x, np.zeros((7, 3), "int32")], axis=1)
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(longer, verbose=0))


def test_masks_travel():
    x = brickwork.Input((5,), dtype="int32")
    y = layers.Embedding(7, 3, mask_zero=True)(x)
    mask = y.mask
    assert mask.shape == (None, 5)
    dense = layers.Dense(4)(y)
    for same in (layers.ReLU()(dense), layers.Dropout(0.5)(y), layers.LayerNormalization()(y)):
        assert same.mask is mask
    assert layers.add([dense, layers.Dense(4)(y)]).mask is mask
    assert layers.add([y, layers.PositionEmbedding(5)(y)]).mask is mask
    assert layers.TokenAndPositionEmbedding(7, 5, 3, mask_zero=True)(x).mask is not None
    assert layers.add([y, layers.Embedding(7, 3)(x)]).mask is None
    assert layers.LSTM(3, return_sequences=True)(y).mask is mask
    assert layers.LSTM(3)(y).mask is None
    assert [one.mask for one in layers.LSTM(3, return_state=True)(y)] == [None] * 3
    assert layers.MultiHeadAttention(1, 2)(y, layers.Embedding(7, 3)(x)).mask is mask
    assert layers.MultiHeadAttention(1, 2)(layers.Embedding(7, 3)(x), y).mask is None
    assert layers.Bidirectional(layers.GRU(2, return_sequences=True))(y).mask is mask
    assert layers.TimeDistributed(layers.Dense(2))(y).mask is mask
    assert layers.Embedding(7, 3)(x).mask is None


def test_masks_are_merged(rng):
    ids = rng.integers(0, 3, (2, 4, 5)).astype("int32")
    start = [brickwork.Input((5,), dtype="int32") for _ in range(2)]
    one, two = (layers.Embedding(3, 2, mask_zero=True)(x) for x in start)
    plain = layers.Embedding(3, 2)(start[0])
    made = [
        layers.add([one, two]),
        layers.Concatenate(1)([one, plain, two]),
        layers.Concatenate()([one, two]),
    ]
    masks = brickwork.Model(start, [y.mask for y in made])
    either, behind, beside = masks.predict(list(ids), verbose=0)
    np.testing.assert_array_equal(either, (ids != 0).any(axis=0))
    np.testing.assert_array_equal(beside, either)
    wanted = np.concatenate([ids[0] != 0, np.ones((4, 5)), ids[1] != 0], axis=1)
    np.testing.assert_array_equal(behind, wanted)


def test_a_network_inside_another_one_sees_masks_from_outside(rng):
    inner_start = brickwork.Input((6, 4))
    inner = brickwork.Model(inner_start, layers.LSTM(3)(layers.Dense(4)(inner_start)))
    assert not any(isinstance(node.brick, Where) for node in inner.graph.nodes[-1].brick.cell.nodes)
    start = brickwork.Input((6,), dtype="int32")
    y = inner(layers.Embedding(8, 4, mask_zero=True)(start))
    outer = brickwork.Model(start, y)
    loop = outer.graph.nodes[-1].brick
    assert any(isinstance(node.brick, Where) for node in loop.cell.nodes)
    x = texts(rng)
    whole = outer.predict(x, verbose=0)
    np.testing.assert_array_equal(whole[0], np.zeros(3))  # nothing counts, the first state stays
    assert np.abs(whole[1]).max() > 0


def test_a_mask_of_its_own_input(rng, tmp_path):
    """Given by name, of any type; kept with the network."""
    x, mask = brickwork.Input((5, 2)), brickwork.Input((5,), dtype="bool")
    h = layers.GRU(3, return_sequences=True)(x, mask=mask)
    model = brickwork.Model([x, mask], layers.GlobalAveragePooling1D()(h))
    model.save(tmp_path / "it.safetensors")
    again = brickwork.models.load_model(tmp_path / "it.safetensors")
    numbers = [rng.standard_normal((3, 5, 2)).astype("float32"), gaps(rng, (3, 5))]
    wanted = model.predict(numbers, verbose=0)
    np.testing.assert_array_equal(again.predict(numbers, verbose=0), wanted)
    assert np.abs(wanted - model.predict([numbers[0], np.ones((3, 5))], verbose=0)).max() > 1e-3


def test_a_mask_is_given_to_another_layer(rng, tmp_path):
    """A decoder asks what an encoder's mask lets it see; the network is saved, and a part of another one."""
    x, y = brickwork.Input((6,), dtype="int32"), brickwork.Input((4, 3))
    encoded = layers.Dense(3)(layers.Embedding(8, 3, mask_zero=True)(x))
    bare = brickwork.bricks.Rescaling(2.0)(encoded)
    assert bare.mask is None
    z = layers.MultiHeadAttention(1, 2)(y, bare, value_mask=encoded.mask)
    model = brickwork.Model([x, y], [z, encoded.mask])
    numbers = [texts(rng), rng.standard_normal((7, 4, 3)).astype("float32")]
    wanted, mask = model.predict(numbers, verbose=0)
    np.testing.assert_array_equal(mask, numbers[0] != 0)
    model.save(tmp_path / "it.safetensors")
    again = brickwork.models.load_model(tmp_path / "it.safetensors")
    np.testing.assert_array_equal(again.predict(numbers, verbose=0)[0], wanted)
    starts = [brickwork.Input((6,), dtype="int32"), brickwork.Input((4, 3))]
    outer = brickwork.Model(starts, model(starts))
    np.testing.assert_array_equal(outer.predict(numbers, verbose=0)[0], wanted)
    all_seen = [np.maximum(numbers[0], 1), numbers[1]]
    assert np.abs(model.predict(all_seen, verbose=0)[0] - wanted).max() > 1e-6


def test_in_a_recording(rng):
    x = texts(rng)
    embedding, layer = layers.Embedding(8, 3, mask_zero=True), layers.LSTM(2)
    with brickwork.record():
        recorded = layer(embedding(x)).value
    np.testing.assert_array_equal(recorded, layer(embedding(x), mask=x != 0))
    np.testing.assert_array_equal(embedding.compute_mask(x), x != 0)
    assert layers.Dense(2).compute_mask(np.ones((2, 3, 4))) is None
    np.testing.assert_array_equal(layers.Dense(2).compute_mask(np.ones((7, 6, 4)), x != 0), x != 0)


def test_a_mask_that_ends_says_so():
    y = layers.Embedding(7, 3, mask_zero=True)(brickwork.Input((5,), dtype="int32"))
    with pytest.warns(
        UserWarning, match=r"Flatten 'flat' hands no mask on; it received an input with one.*put"
    ):
        layers.Flatten(name="flat")(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.Flatten()(layers.LSTM(2)(y))


def test_a_loss_that_counts_padding_says_so():
    x = brickwork.Input((5,), dtype="int32")
    h = layers.LSTM(2, return_sequences=True)(layers.Embedding(7, 3, mask_zero=True)(x))
    tagger = brickwork.Model(x, layers.Dense(1, name="tag")(h))
    with pytest.warns(UserWarning, match="The mask of output .tag. is not used in training: loss and"):
        tagger.compile("sgd", "mse")


def test_messages():
    x = brickwork.Input((5, 2))
    with pytest.raises(ShapeError, match=r"takes a mask \(N, T\), here \(N, 5\); it received \(N, 4\)"):
        layers.LSTM(2)(x, mask=brickwork.Input((4,)))
    with pytest.raises(
        ShapeError, match=r"'ways' takes a mask \(N, T\), here \(N, 5\); it received \(N, 5, 1"
    ):
        layers.Bidirectional(layers.LSTM(2), name="ways")(x, mask=brickwork.Input((5, 1)))
    with pytest.raises(
        ShapeError, match=r"Masking 'm' takes sequences of shape \(N, T, F\); it received \(N, 5\)"
    ):
        layers.Masking(name="m")(brickwork.Input((5,)))
    with pytest.raises(ShapeError, match=r"takes a mask \(N, T\), here \(N, 5\); it received \(N, 6\)"):
        layers.MultiHeadAttention(1, 2)(x, x, value_mask=brickwork.Input((6,)))
