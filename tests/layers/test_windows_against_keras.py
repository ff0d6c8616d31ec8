"""Layers that slide windows, pad, crop and enlarge, against Keras's with random arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import brickwork
from brickwork import layers
from brickwork.engines.native_module import load_native
from layers.test_layers_against_keras import close, equip

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Keras and what stands below it

paddings = st.sampled_from(["valid", "same"])
lengths = st.integers(1, 8)
few = st.integers(1, 3)
widths = st.integers(0, 3)


def both(kind, shape, **arguments):
    """The layer of both libraries on the same numbers."""
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    close(getattr(layers, kind)(**arguments)(x), getattr(keras.layers, kind)(**arguments)(x))


@given(
    kind=st.sampled_from(["MaxPooling1D", "AveragePooling1D"]),
    length=lengths,
    pool_size=few,
    strides=st.none() | few,
    padding=paddings,
)
def test_pooling_of_sequences(kind, length, pool_size, strides, padding):
    assume(padding == "same" or length >= pool_size)
    both(kind, (2, length, 3), pool_size=pool_size, strides=strides, padding=padding)


@given(
    kind=st.sampled_from(["GlobalMaxPooling", "GlobalAveragePooling"]),
    size=st.lists(lengths, min_size=1, max_size=2),
    keepdims=st.booleans(),
)
def test_global_pooling(kind, size, keepdims):
    both(f"{kind}{len(size)}D", (2, *size, 3), keepdims=keepdims)


@given(
    kind=st.sampled_from([("ZeroPadding2D", "padding"), ("Cropping2D", "cropping")]),
    border=widths | st.tuples(widths, widths) | st.tuples(*[st.tuples(widths, widths)] * 2),
)
def test_borders(kind, border):
    both(kind[0], (2, 8, 7, 3), **{kind[1]: border})


@given(
    kind=st.sampled_from([("ZeroPadding1D", "padding"), ("Cropping1D", "cropping")]),
    border=widths | st.tuples(widths, widths),
)
def test_borders_of_sequences(kind, border):
    both(kind[0], (2, 7, 3), **{kind[1]: border})


@given(
    size=few | st.tuples(few, few),
    image=st.tuples(lengths, lengths),
    interpolation=st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]),
)
def test_upsampling(size, image, interpolation):
    both("UpSampling2D", (2, *image, 3), size=size, interpolation=interpolation)


@given(size=few, length=lengths)
def test_upsampling_of_sequences(size, length):
    both("UpSampling1D", (2, length, 3), size=size)


def convolved(kind, shape, tolerance=2e-6, **arguments):
    """A layer with weights, of both libraries, with the same ones."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype("float32")
    ours, theirs = getattr(layers, kind)(**arguments), getattr(keras.layers, kind)(**arguments)
    ours(x)
    theirs(x)
    equip(ours, theirs, rng)
    close(ours(x), theirs(x), tolerance)


@st.composite
def windows(draw, axes):
    """kernel_size, and strides or dilation_rate (Keras takes one of them); sizes that are large enough."""
    several = st.tuples(*[few] * axes)
    kernel, steps = draw(several), draw(several)
    sizes = [(k - 1) * d + draw(few) for k, d in zip(kernel, steps, strict=True)]
    return {"kernel_size": kernel, draw(st.sampled_from(["strides", "dilation_rate"])): steps}, sizes


@given(drawn=windows(1), padding=st.sampled_from(["valid", "same", "causal"]), groups=st.integers(1, 2))
def test_convolution_of_sequences(drawn, padding, groups):
    arguments, sizes = drawn
    convolved("Conv1D", (2, *sizes, 4), filters=2, padding=padding, groups=groups, **arguments)


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), padding=paddings, multiplier=st.integers(1, 2), channels=few)
def test_depthwise_and_separable(axes, data, padding, multiplier, channels):
    arguments, sizes = data.draw(windows(axes))
    arguments |= {"padding": padding, "depth_multiplier": multiplier}
    shape = (2, *sizes, channels)
    convolved(f"DepthwiseConv{axes}D", shape, **arguments)
    convolved(f"SeparableConv{axes}D", shape, filters=3, **arguments)


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), padding=paddings, channels=few, filters=few)
def test_transposed(axes, data, padding, channels, filters):
    arguments, _ = data.draw(windows(axes))
    sizes = data.draw(st.tuples(*[few] * axes))
    strides = arguments.get("strides", (1,) * axes)
    more = data.draw(st.none() | st.tuples(*(st.integers(0, stride - 1) for stride in strides)))
    reach = [
        (k - 1) * d + 1
        for k, d in zip(arguments["kernel_size"], arguments.get("dilation_rate", (1,) * axes), strict=True)
    ]
    if more is not None and padding == "same":
        # Keras's own size of y would be 0
        assume(all((n - 1) * s + k % 2 + m for n, s, k, m in zip(sizes, strides, reach, more, strict=True)))
    convolved(
        f"Conv{axes}DTranspose",
        (2, *sizes, channels),
        filters=filters,
        padding=padding,
        output_padding=more,
        **arguments,
    )


STEPS = {
    "Conv1D": ((8, 3), {"filters": 4, "kernel_size": 3, "padding": "causal", "activation": "relu"}),
    "Conv1DTranspose": ((5, 3), {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}),
    "Conv2DTranspose": ((4, 5, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "activation": "relu"}),
    "DepthwiseConv1D": ((8, 3), {"kernel_size": 3, "depth_multiplier": 2}),
    "DepthwiseConv2D": ((5, 6, 3), {"kernel_size": 3, "padding": "same", "activation": "relu"}),
    "SeparableConv1D": ((8, 3), {"filters": 4, "kernel_size": 3, "activation": "tanh"}),
    "SeparableConv2D": ((5, 6, 3), {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}),
    "GlobalMaxPooling2D": ((5, 6, 3), {}),
    "UpSampling2D": ((3, 4, 2), {"interpolation": "bilinear"}),
    "ZeroPadding1D": ((5, 2), {}),
    "Cropping2D": ((5, 6, 2), {"cropping": (1, 2)}),
    "AveragePooling1D": ((7, 2), {"pool_size": 3, "strides": 2, "padding": "same"}),
}


ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]


@pytest.mark.parametrize("kind", STEPS)
def test_a_training_step(kind):
    """Between two dense layers, so that every gradient has an effect."""
    shape, arguments = STEPS[kind]
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4, *shape)).astype("float32")
    y = rng.standard_normal((4, 2)).astype("float32")

    def made(library, **options):
        net = library.Sequential(
            [
                library.Input(shape),
                library.layers.Dense(shape[-1]),
                getattr(library.layers, kind)(**arguments),
                library.layers.Flatten(),
                library.layers.Dense(2),
            ]
        )
        net.compile(optimizer=library.optimizers.SGD(0.05), loss="mse", **options)
        return net

    theirs = made(keras)
    weights = [0.5 * rng.standard_normal(w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    loss = np.float32(np.ravel(theirs.train_on_batch(x, y))[0])
    for engine in ENGINES:
        ours = made(brickwork, engine=engine)
        ours.set_weights(weights)
        close(np.float32(np.ravel(ours.train_on_batch(x, y))[0]), loss, 1e-5)
        for one, other, before in zip(ours.get_weights(), theirs.get_weights(), weights, strict=True):
            close(one, other, 1e-5)
            assert not np.array_equal(one, before)


def test_other_names():
    names = [name for name in layers.__all__ if "Pool" in name or "Conv" in name]
    assert len(names) == 16 + 14
    for name in names:
        ours, theirs = getattr(layers, name), getattr(keras.layers, name)
        assert ours.__name__ == theirs.__name__
