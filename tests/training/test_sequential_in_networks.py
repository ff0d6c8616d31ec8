"""A Sequential that does not know its input's shape is built by its first call, also inside a network."""

from __future__ import annotations

import numpy as np

import brickwork
from brickwork import layers


def unbuilt() -> brickwork.Sequential:
    return brickwork.Sequential([layers.Flatten(), layers.Dense(3, activation="tanh")], name="eye")


def test_it_is_built_by_the_first_call_on_a_symbol():
    eye = unbuilt()
    x = brickwork.Input((2, 2))
    model = brickwork.Model(x, layers.Dense(1)(eye(x)))
    assert eye.built
    assert [layer.name for layer in eye.layers][0].startswith("flatten")
    assert [variable.shape for variable in model.weights] == [(4, 3), (3,), (3, 1), (1,)]


def test_it_shares_its_weights_between_calls(rng):
    eye = unbuilt()
    a, b = brickwork.Input((2, 2), name="a"), brickwork.Input((2, 2), name="b")
    model = brickwork.Model([a, b], layers.Add()([eye(a), eye(b)]))
    assert len(model.weights) == 2
    x = rng.standard_normal((5, 2, 2)).astype("float32")
    both, alone = model.predict([x, x], verbose=0), eye.predict(x, verbose=0)
    np.testing.assert_allclose(both, 2 * alone, rtol=1e-6)


def test_it_is_built_inside_another_one(rng):
    outer = brickwork.Sequential([unbuilt(), brickwork.Sequential([layers.Dense(2)])])
    x = rng.standard_normal((5, 2, 2)).astype("float32")
    assert outer.predict(x, verbose=0).shape == (5, 2)
    y = brickwork.Input((2, 2))
    again = brickwork.Model(y, outer(y))
    np.testing.assert_array_equal(again.predict(x, verbose=0), outer.predict(x, verbose=0))


def test_a_call_that_fails_leaves_it_unbuilt():
    eye = brickwork.Sequential([layers.Conv2D(2, 3)])
    try:
        eye(brickwork.Input((4,)))
    except brickwork.errors.ShapeError:
        pass
    assert not eye.built
    assert eye(brickwork.Input((5, 5, 1))).shape == (None, 3, 3, 2)
