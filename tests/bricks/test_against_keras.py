"""The conventions that Keras fixes, compared with Keras where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    ELU,
    AveragePooling2D,
    BatchNormalization,
    BinaryCrossEntropy,
    Context,
    Convolution2D,
    CrossEntropy,
    LeakyReLU,
    MaxPooling2D,
    Normalization,
)

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore")

INFERENCE = Context()
X = np.random.default_rng(0).standard_normal((2, 7, 8, 4)).astype(np.float32)


def value(brick, x=X, params=None):
    return brick.forward(params or {}, x, ctx=INFERENCE)[0]


def close(one, other):
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("window", "strides"), [(2, 2), (3, 2), ((2, 3), (3, 1)), (3, 1)])
def test_pooling(padding, window, strides):
    options = {"strides": strides, "padding": padding}
    close(value(AveragePooling2D(window, **options)), keras.layers.AveragePooling2D(window, **options)(X))
    close(value(MaxPooling2D(window, **options)), keras.layers.MaxPooling2D(window, **options)(X))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    "options",
    [{}, {"strides": 2}, {"strides": (3, 2)}, {"dilation_rate": 2}, {"groups": 2}],
    ids=repr,
)
@pytest.mark.parametrize("size", [2, 3])
def test_convolution(padding, options, size):
    layer = keras.layers.Conv2D(6, size, padding=padding, use_bias=False, **options)
    y = layer(X)
    W = np.asarray(layer.get_weights()[0])
    brick = Convolution2D(6, size, padding=padding, **options)
    assert brick.parameters(X.shape)["W"].shape == W.shape
    close(value(brick, params={"W": W}), y)


def test_batch_normalization():
    layer = keras.layers.BatchNormalization(momentum=0.8)
    brick = BatchNormalization(momentum=0.8)
    y = layer(X, training=True)
    params = {"gamma": np.ones(4, np.float32), "beta": np.zeros(4, np.float32)}
    mine, saved = brick.forward(params, X, ctx=Context(training=True))
    close(mine, y)
    state = {"running_mean": np.zeros(4, np.float32), "running_var": np.ones(4, np.float32)}
    state = brick.next_state(state, saved)
    close(state["running_mean"], layer.moving_mean)
    close(state["running_var"], layer.moving_variance)
    close(brick.forward(params, X, ctx=Context(state=state))[0], layer(X, training=False))


def test_activations():
    close(value(LeakyReLU()), keras.layers.LeakyReLU()(X))
    close(value(ELU(0.5)), keras.layers.ELU(0.5)(X))


def test_normalization():
    x = X[..., :2]
    close(
        value(Normalization((1.0, 2.0), (4.0, 0.25)), x),
        keras.layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.25])(x),
    )


def test_the_clip_of_the_cross_entropies():
    p = np.array([[0.0, 1.0], [0.25, 0.75]], np.float32)
    for t in ([0, 1], [1, 0]):
        mine = CrossEntropy(clip=1e-7).forward({}, p, np.array(t), ctx=INFERENCE)[0]
        close(mine, keras.losses.sparse_categorical_crossentropy(np.array(t), p))
        one_hot = np.eye(2, dtype=np.float32)[t]
        close(mine, keras.losses.categorical_crossentropy(one_hot, p))
        mine = BinaryCrossEntropy(clip=1e-7).forward({}, p, one_hot, ctx=INFERENCE)[0]
        close(mine, keras.losses.binary_crossentropy(one_hot, p))
