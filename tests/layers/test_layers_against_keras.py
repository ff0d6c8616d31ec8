"""Every layer against Keras's, where it is installed: values, weights, moving statistics, output shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brickwork import layers, regularizers
from brickwork.layers.base import automatic_name, reset_names
from layers.examples import BEYOND_KERAS, EXAMPLES, Inner
from layers.test_layer_arguments import NOT_TAKEN

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Keras and what stands below it

every_example = pytest.mark.parametrize(
    "example",
    # strides and dilation at once are more than Keras does
    [
        each
        for each in EXAMPLES
        if not {"strides", "dilation_rate"} <= set(each.arguments) and each.kind not in BEYOND_KERAS
    ],
    ids=lambda example: example.id,
)
sizes = st.integers(1, 4)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.sampled_from(["valid", "same"])


def close(ours, theirs, tolerance=2e-6):
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    np.testing.assert_allclose(ours, theirs, rtol=10 * tolerance, atol=tolerance * scale)


def equip(ours, theirs, rng):
    """Give both the same weights, after showing that these have the same names, order and shapes."""
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    assert [v.name for v in ours.trainable_weights] == [v.name for v in theirs.trainable_weights]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    assert [w.dtype for w in ours.get_weights()] == [w.dtype for w in theirs.get_weights()]
    assert ours.count_params() == theirs.count_params()
    weights = [
        rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w
        for w in ours.get_weights()
    ]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    if hasattr(theirs, "finalize_state"):
        theirs.finalize_state()


@every_example
@pytest.mark.parametrize("training", [False, True])
def test_values(example, training, rng):
    noise = any(word in example.kind for word in ("Dropout", "Noise", "Random"))
    if noise and training:
        pytest.skip("other random numbers")
    if example.kind == "RandomCrop":
        pytest.skip("Keras cuts nothing in inference")
    ours, theirs = example.make(layers), example.make(keras.layers)
    xs = example.draw(rng)
    example.call(ours, xs)
    example.call(theirs, xs)
    equip(ours, theirs, rng)
    mode = {"training": training} if noise or example.kind == "BatchNormalization" else {}
    close(example.call(ours, xs, **mode), example.call(theirs, xs, **mode), 5e-6)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(one, other)


@every_example
def test_output_shapes(example):
    shapes = example.inputs[0] if len(example.inputs) == 1 else list(example.inputs)
    theirs = example.make(keras.layers)
    symbols = [keras.Input(batch_shape=shape) for shape in example.inputs]
    assert example.make().compute_output_shape(shapes) == example.call(theirs, symbols).shape


# An activation is told as its brick; sequences have no mask here.
OTHERWISE_TOLD = {"activation", "recurrent_activation", "data_format", "dtype", "zero_output_for_mask"}


@every_example
def test_configuration(example):
    """What Keras's configuration tells of numbers, words and flags, ours tells too."""
    ours, theirs = example.make(name="a").get_config(), example.make(keras.layers, name="a").get_config()
    for key, value in theirs.items():
        if key == "seed" and example.make(keras.layers, name="a").get_config()[key] != value:
            continue  # Keras draws one where none was given
        told = isinstance(value, (bool, int, float, str)) and key not in NOT_TAKEN.get(example.kind, ())
        if told and key not in OTHERWISE_TOLD:
            assert ours[key] == value, key


def test_automatic_names():
    keras.backend.clear_session()
    reset_names()
    plain = [
        each for each in EXAMPLES if not any(isinstance(value, Inner) for value in each.arguments.values())
    ]
    for kind in {example.kind for example in plain} - BEYOND_KERAS:
        arguments = next(example.arguments for example in plain if example.kind == kind)
        for _ in range(2):
            assert automatic_name(kind) == getattr(keras.layers, kind)(**arguments).name


@st.composite
def convolutions(draw):
    """Arguments, and an image that is large enough. Keras takes strides or dilation, not both."""
    kernel = draw(pairs)
    widened = draw(st.sampled_from(["strides", "dilation_rate"]))
    steps, groups = draw(pairs), draw(st.integers(1, 2))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, steps, strict=True)]
    size = [draw(st.integers(max(2, least), least + 4)) for least in reach]
    arguments = {
        "filters": groups * draw(st.integers(1, 2)),
        "kernel_size": kernel,
        "padding": draw(paddings),
        "groups": groups,
        widened: steps,
    }
    return arguments, (2, *size, groups * draw(sizes))


@given(convolutions())
def test_convolutions(drawn):
    arguments, shape = drawn
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype("float32")
    ours, theirs = layers.Conv2D(**arguments), keras.layers.Conv2D(**arguments)
    ours(x)
    theirs(x)
    equip(ours, theirs, rng)
    close(ours(x), theirs(x))


@given(
    kind=st.sampled_from(["MaxPooling2D", "AveragePooling2D"]),
    size=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    window=pairs,
    strides=st.none() | pairs,
    padding=paddings,
)
def test_pooling(kind, size, window, strides, padding):
    assume(padding == "same" or all(n >= w for n, w in zip(size, window, strict=True)))
    x = np.random.default_rng(0).standard_normal((2, *size, 3)).astype("float32")
    made = [getattr(library, kind)(window, strides, padding) for library in (layers, keras.layers)]
    close(made[0](x), made[1](x))


@pytest.mark.parametrize("arguments", [{}, {"axis": 1}, {"axis": (1, 2)}, {"axis": None}, {"invert": True}])
@pytest.mark.parametrize("as_batches", [False, True])
def test_adapt(arguments, as_batches, rng):
    data = rng.normal(50.0, 3.0, (200, 4, 3)).astype("float32")
    ours, theirs = layers.Normalization(**arguments), keras.layers.Normalization(**arguments)
    ours.adapt([data[:64], data[64:128], data[128:]] if as_batches else data)
    theirs.adapt(data)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(one, other, 1e-5)
    theirs.set_weights(ours.get_weights())
    theirs.finalize_state()
    close(ours(data), theirs(data))
    close(np.asarray(ours.mean), theirs.mean)


@pytest.mark.parametrize("name", ["L1", "L2"])
def test_activity_penalty(name, rng):
    """Keras divides by the batch size; here that is the mean of the penalties (N,)."""
    x = rng.standard_normal((5, 4)).astype("float32")
    theirs = keras.layers.Dense(3, activity_regularizer=getattr(keras.regularizers, name)(0.3))
    theirs(x)
    ours = layers.Dense(3, activity_regularizer=getattr(regularizers, name)(0.3))
    symbol = layers.Input((4,))
    ours(symbol)
    ours.set_weights(theirs.get_weights())
    from layers.test_layer_table import forward

    penalties = forward([symbol], ours._calls[0].penalties[0], [x])
    assert float(penalties.mean()) == pytest.approx(float(theirs.losses[0]), rel=1e-5)


@pytest.mark.parametrize(
    "shapes",
    [
        [(4,), (3,)],
        [(4, 2), (3, 2)],
        [(5, 4, 2), (4,)],
        [(2,), (5, 4, 3)],
    ],
)
@pytest.mark.parametrize("kind", ["Add", "Multiply", "Average", "Maximum", "Minimum"])
def test_what_keras_does_not_merge_is_refused(shapes, kind):
    with pytest.raises(ValueError, match="(?i)shape"):
        getattr(keras.layers, kind)()([keras.Input(shape) for shape in shapes])
    with pytest.raises(ValueError, match="takes shapes that broadcast"):
        getattr(layers, kind)()([layers.Input(shape) for shape in shapes])


@given(data=st.data())
def test_merging_broadcasts_as_keras(data):
    """Shapes made from a common one by cutting leading axes and setting sizes to 1."""
    full = data.draw(st.lists(st.integers(2, 3), min_size=1, max_size=3))
    kind = data.draw(st.sampled_from(["Add", "Multiply", "Average", "Maximum", "Minimum"]))
    rng = np.random.default_rng(0)
    xs = []
    for _ in range(data.draw(st.integers(2, 3))):
        cut = data.draw(st.integers(0, len(full) - 1))
        ones = data.draw(st.lists(st.booleans(), min_size=len(full), max_size=len(full)))
        shape = [1 if one else size for size, one in zip(full, ones, strict=True)][cut:]
        xs.append(rng.standard_normal((2, *shape)).astype("float32"))
    close(getattr(layers, kind)()(xs), getattr(keras.layers, kind)()(xs))


def pictures(*shape):
    return np.random.default_rng(0).uniform(0.0, 1.0, (3, *shape)).astype("float32")


FILLS = ["constant", "nearest", "reflect", "wrap"]
modes = pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])


@modes
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", [(7, 6, 1), (5, 8, 3)], ids=str)
def test_pixels_of_fixed_maps(shape, fill, interpolation):
    """Both ends of what is drawn are equal, so that there is one map."""
    x = pictures(*shape)
    told = {"fill_mode": fill, "interpolation": interpolation, "fill_value": 0.3}
    for kind, arguments in (
        ("RandomTranslation", {"height_factor": (0.31, 0.31), "width_factor": (-0.22, -0.22)}),
        ("RandomTranslation", {"height_factor": (-0.9, -0.9), "width_factor": (1.0, 1.0)}),
        ("RandomRotation", {"factor": (0.07, 0.07)}),
        ("RandomRotation", {"factor": (-0.4, -0.4)}),
        ("RandomZoom", {"height_factor": (0.43, 0.43)}),
        ("RandomZoom", {"height_factor": (-0.3, -0.3), "width_factor": (0.9, 0.9)}),
    ):
        made = [getattr(library, kind)(**arguments, **told) for library in (layers, keras.layers)]
        close(made[0](x, training=True), made[1](x, training=True), 1e-5)


@pytest.mark.parametrize("size", [(3, 4), (6, 6), (9, 4), (2, 11), (12, 12)], ids=str)
def test_pixels_of_cuts(size):
    x = pictures(7, 6, 2)
    close(layers.CenterCrop(*size)(x), keras.layers.CenterCrop(*size)(x), 1e-5)


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_pixels_of_fixed_colors(top):
    x = top * pictures(7, 6, 3)
    told = {"value_range": (0.0, top)}
    for kind, factor in (
        ("RandomBrightness", (0.3, 0.3)),
        ("RandomBrightness", (-0.6, -0.6)),
        ("RandomContrast", (0.0, 0.0)),
        ("RandomSaturation", (0.0, 0.0)),
        ("RandomSaturation", (0.4, 0.4)),
        ("RandomSaturation", (0.5, 0.5)),
        ("RandomHue", (0.0, 0.0)),
        ("RandomHue", (1.0, 1.0)),  # half a turn is the same to both sides
    ):
        made = [getattr(library, kind)(factor, **told) for library in (layers, keras.layers)]
        close(made[0](x, training=True), made[1](x, training=True), 1e-5)
    if top == 1.0:  # of bytes, Keras lets the saturation grow past 1
        made = [library.RandomSaturation((0.8, 0.8), (0, 1)) for library in (layers, keras.layers)]
        close(made[0](x, training=True), made[1](x, training=True), 1e-5)


@pytest.mark.parametrize("factor", [(0.2, 0.9), (0.7, 0.7)])
def test_contrast_between_its_ends(factor):
    """Keras draws f; each of our images is that of some f between the same ends."""
    x = 0.4 + 0.1 * pictures(7, 6, 2)
    for layer in (layers.RandomContrast(factor, (0, 1)), keras.layers.RandomContrast(factor, (0, 1))):
        y = np.asarray(layer(x, training=True))
        mean = x.mean(axis=(1, 2), keepdims=True)
        f = ((y - mean) / (x - mean)).reshape(3, -1)
        assert np.all(
            (np.median(f, axis=1) >= 1.0 - factor[0] - 1e-3)
            & (np.median(f, axis=1) <= 1.0 + factor[1] + 1e-3)
        )
        np.testing.assert_allclose(
            y, (x - mean) * np.median(f, axis=1)[:, None, None, None] + mean, atol=1e-5
        )


@pytest.mark.parametrize("fill", [0.25, None])
def test_erased_rectangles(fill):
    """One rectangle of the size that is told; noise is as Keras's, normal times the largest and clipped."""
    x = 2.0 + np.zeros((400, 10, 20, 3), "float32")
    told = {"factor": (1.0, 1.0), "scale": (0.25, 0.25), "fill_value": fill, "value_range": (-0.5, 0.5)}
    found = []
    for library in (layers, keras.layers):
        y = np.asarray(library.RandomErasing(**told)(x, training=True))
        gone = np.all(y != 2.0, axis=-1)
        assert set(gone.any(axis=2).sum(axis=1).tolist()) == {5}
        assert set(gone.any(axis=1).sum(axis=1).tolist()) == {10}
        np.testing.assert_array_equal(gone.sum(axis=(1, 2)), 50)
        assert gone[:, 1:, 1:].any(axis=0).all()  # those whose place is at least where it begins
        found.append(y[gone])
    np.testing.assert_allclose(found[0].mean(axis=0), found[1].mean(axis=0), atol=0.02)
    np.testing.assert_allclose(found[0].std(axis=0), found[1].std(axis=0), atol=0.02)
    told["fill_value"] = (0.1, 0.2, 0.9)  # of numbers for each channel, Keras on JAX makes an error
    y = layers.RandomErasing(**{**told, "factor": (0.3, 0.3)})(x, training=True)
    np.testing.assert_allclose(y[np.any(y != 2.0, axis=-1)].mean(axis=0), [0.1, 0.2, 0.5], rtol=1e-4)
    assert 0.2 < np.any(y != 2.0, axis=(1, 2, 3)).mean() < 0.4


def test_what_is_drawn():
    """Cuts are parts of their image, flips are the image or its mirror, and all of them come."""
    x = np.arange(600 * 3 * 4, dtype="float32").reshape(600, 3, 4, 1)
    cut = layers.RandomCrop(2, 2)(x, training=True)
    corners = {
        (int(c - first) // 4, int(c - first) % 4)
        for c, first in zip(cut[:, 0, 0, 0], x[:, 0, 0, 0], strict=True)
    }
    assert corners == {(i, j) for i in range(2) for j in range(3)}
    np.testing.assert_array_equal(cut[:, 1, 1] - cut[:, 0, 0], 5.0)
    flipped = layers.RandomFlip()(x, training=True)
    kinds = [x, x[:, ::-1], x[:, :, ::-1], x[:, ::-1, ::-1]]
    counts = [int(np.all(flipped == kind, axis=(1, 2, 3)).sum()) for kind in kinds]
    assert sum(counts) == 600
    assert min(counts) > 100
    flipped = layers.RandomFlip("vertical")(x, training=True)
    assert [bool(np.any(np.all(flipped == kind, axis=(1, 2, 3)))) for kind in kinds] == [
        True,
        True,
        False,
        False,
    ]
