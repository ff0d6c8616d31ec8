"""Layers that tell positions: numbers worked by hand, names of weights, engines, files, messages."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import ShapeError

ENGINES = ["reference", "jax", *(["native"] if load_native() else [])]


def test_sines(rng):
    """Of the input only the shape counts."""
    x = rng.standard_normal((2, 3, 5)).astype("float32")
    y = layers.SinePositionEncoding(max_wavelength=50)(x)
    t, i = np.arange(3)[:, None], np.arange(5)
    angle = t / 50.0 ** (2 * (i // 2) / 5)
    wanted = np.where(i % 2, np.cos(angle), np.sin(angle))
    np.testing.assert_allclose(y, np.broadcast_to(wanted, x.shape), rtol=1e-6, atol=1e-7)


def test_learned_rows(rng):
    layer = layers.PositionEmbedding(4, name="places")
    x = rng.standard_normal((2, 3, 5)).astype("float32")
    y = layer(x)
    assert [(one.path, one.shape) for one in layer.weights] == [("places/embeddings", (4, 5))]
    np.testing.assert_array_equal(y, np.broadcast_to(layer.get_weights()[0][:3], x.shape))


def test_tokens_and_positions():
    layer = layers.TokenAndPositionEmbedding(7, 4, 2, name="both")
    x = np.array([[6, 0, 0]])
    y = layer(x)
    assert [one.path for one in layer.weights] == [
        "both/token_embedding/embeddings",
        "both/position_embedding/embeddings",
    ]
    tokens, places = layer.get_weights()
    assert tokens.shape == (7, 2) and places.shape == (4, 2)
    np.testing.assert_allclose(y, tokens[x] + places[:3], rtol=1e-6)


@pytest.mark.parametrize("length", [5, 8])
def test_engines_agree(length, rng, tmp_path):
    """Where all positions are used, and where some are not; the whole network is saved and read."""
    x = rng.integers(0, 6, (9, 5)).astype("int32")
    t = rng.standard_normal((9, 5, 4)).astype("float32")
    found = []
    for engine in ENGINES:
        brickwork.utils.set_random_seed(3)
        start = brickwork.Input((5,), dtype="int32")
        y = layers.TokenAndPositionEmbedding(6, length, 4)(start)
        y = y + layers.PositionEmbedding(length)(y) + layers.SinePositionEncoding()(y)
        model = brickwork.Model(start, layers.Dense(4)(y))
        model.compile("adam", "mse", engine=engine)
        model.fit(x, t, epochs=3, batch_size=4, verbose=0)
        found.append([*model.get_weights(), model.predict(x, verbose=0)])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "it.safetensors")
    again = brickwork.models.load_model(tmp_path / "it.safetensors")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_messages():
    with pytest.raises(ShapeError, match=r"at most 4 positions, \(N, T, F\); it received \(N, 5, 3\)"):
        layers.PositionEmbedding(4)(brickwork.Input((5, 3)))
    with pytest.raises(ShapeError, match=r"SinePositions takes x of shape \(N, T, F\), 3 axes; it received"):
        layers.SinePositionEncoding()(brickwork.Input((5,)))
