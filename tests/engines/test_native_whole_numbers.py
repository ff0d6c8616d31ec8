"""Inputs of whole numbers mean the same to every native instruction, floats among them."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork import layers
from brickwork.bricks import Mask, Slice
from engines.native_checks import needs_native

pytestmark = needs_native


def scaled(x):
    return layers.Rescaling(0.5, 1.0)(x)


def dense(x):
    return layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(x))


def moved(x):
    return layers.Rescaling(0.5)(layers.Permute((2, 1))(Slice(1, 1, 3)(x)))


def only_moved(x):
    return layers.Reshape((2, 3))(x)


def rows(x):
    return layers.Embedding(4, 2)(layers.Flatten()(x))


def rows_and_numbers(x):
    """One reader takes whole numbers as they are, the other one does not."""
    return layers.Concatenate()([layers.Flatten()(layers.Embedding(4, 2)(x)), dense(x)])


def beside_floats(x):
    return layers.Concatenate()([x, layers.Rescaling(1.5)(x)])


def masked(x):
    return Mask(low=-1.0)(layers.Dense(2)(layers.Rescaling(1.0)(x)), x)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
@pytest.mark.parametrize(
    "made",
    [scaled, dense, moved, only_moved, rows, rows_and_numbers, beside_floats, masked],
    ids=lambda f: f.__name__,
)
def test_whole_numbers(made, dtype, rng):
    x = rng.integers(0, 2 if dtype == "bool" else 4, (5, 3, 2)).astype(dtype)
    start = brickwork.Input((3, 2), dtype=dtype)
    brickwork.utils.set_random_seed(1)
    model = brickwork.Model(start, made(start))
    found = []
    for engine in ("reference", "native"):
        model.compile("sgd", "mse", engine=engine)
        made_of_x = model.predict(x, verbose=0)
        found.append([made_of_x])
        if made is not only_moved:
            t = np.ones(made_of_x.shape, "float32")
            _, gradients = model.gradients(x, t)
            found[-1] += [model.evaluate(x, t, verbose=0), *gradients.values()]
    for wanted, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    assert np.abs(found[0][0]).max() > 0.1 or made is rows
