"""Layers that slide windows, pad, crop and enlarge, against Keras's with random arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brickwork import layers
from layers.test_layers_against_keras import close

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


def test_other_names():
    names = [name for name in layers.__all__ if "Pool" in name]
    assert len(names) == 16
    for name in names:
        ours, theirs = getattr(layers, name), getattr(keras.layers, name)
        assert ours.__name__ == theirs.__name__
