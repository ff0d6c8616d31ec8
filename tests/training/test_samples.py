"""predict(x, samples=…): mean and spread of predictions with noise at work."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork as bw
from brickwork import layers
from brickwork.engines.native_module import load_native
from brickwork.errors import ParameterError, ParameterTypeError

ENGINES = ["reference", "jax", *(["native"] if load_native() is not None else [])]
every_engine = pytest.mark.parametrize("engine", ENGINES)


def model_of(*made, engine="reference", shape=(1000,)):
    model = bw.Sequential([bw.Input(shape), *made])
    model.compile("sgd", "mse", engine=engine, seed=3)
    return model


@every_engine
def test_mean_and_spread_of_dropout(engine):
    """Of ones, what is kept with probability q = 1 - rate is 1/q: mean 1, deviation √(rate / q)."""
    found = model_of(layers.Dropout(0.2), engine=engine).predict(np.ones((3, 1000)), samples=40, verbose=0)
    mean, std = found
    assert found.mean is mean and found.std is std
    assert mean.shape == std.shape == (3, 1000)
    assert mean.dtype == std.dtype == np.float32
    assert mean.mean() == pytest.approx(1.0, abs=0.01)
    assert np.sqrt((std**2).mean()) == pytest.approx(np.sqrt(0.25 * 39 / 40), abs=0.01)


@every_engine
def test_they_are_numpys_mean_and_deviation_of_single_draws(engine):
    model = model_of(layers.Dense(5, activation="tanh"), layers.Dropout(0.4), layers.Dense(2), engine=engine)
    x = np.random.default_rng(0).standard_normal((7, 1000))
    plan = model._ready()
    draws = [
        plan.predict_batch({model.input_names[0]: x[:4].astype(np.float32)}, draw=i)[0] for i in range(6)
    ]
    mean, std = model.predict(x, samples=6, batch_size=4, verbose=0)
    np.testing.assert_allclose(mean[:4], np.mean(draws, axis=0), rtol=1e-6)
    np.testing.assert_allclose(std[:4], np.std(draws, axis=0), rtol=1e-4, atol=1e-6)
    assert len({draw.tobytes() for draw in draws}) == 6


def test_all_engines_draw_the_same():
    x = np.random.default_rng(0).standard_normal((5, 1000))
    found = []
    for engine in ENGINES:
        bw.utils.set_random_seed(1)
        made = [layers.Dense(8), layers.GaussianNoise(0.3), layers.Dropout(0.4), layers.Dense(2)]
        found.append(model_of(*made, engine=engine).predict(x, samples=5, verbose=0))
    for other in found[1:]:
        np.testing.assert_allclose(other.mean, found[0].mean, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(other.std, found[0].std, rtol=1e-4, atol=1e-4)


@every_engine
def test_batch_normalization_keeps_its_moving_statistics(engine):
    """Without it the spread of a batch of one would be that of nothing, and its mean beta."""
    model = model_of(layers.BatchNormalization(), layers.Dropout(0.5), engine=engine, shape=(200,))
    model.fit(np.random.default_rng(0).normal(3.0, 2.0, (64, 200)), np.zeros((64, 200)), verbose=0)
    before = [value.copy() for value in model.get_weights()]
    x = np.full((1, 200), 5.0)
    mean, _ = model.predict(x, samples=300, verbose=0)
    np.testing.assert_allclose(mean.mean(), model.predict(x, verbose=0).mean(), rtol=0.02)
    for now, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, was)


def test_samples_of_several_outputs_and_of_batches():
    x = bw.Input((4,))
    h = layers.Dropout(0.5)(layers.Dense(6)(x))
    model = bw.Model(x, {"a": layers.Dense(1)(h), "b": layers.Dense(3)(h)})
    data = np.ones((5, 4))
    mean, std = model.predict(data, samples=3, batch_size=2, verbose=0)
    assert {name: each.shape for name, each in mean.items()} == {"a": (5, 1), "b": (5, 3)}
    assert {name: each.shape for name, each in std.items()} == {"a": (5, 1), "b": (5, 3)}
    again = model.predict((data[i : i + 2] for i in (0, 2, 4)), samples=3, verbose=0)
    np.testing.assert_array_equal(again.mean["b"], mean["b"])
    assert np.any(mean["b"][0] != mean["b"][2]), "batches have draws of their own"


def test_one_sample_has_no_spread():
    _, std = model_of(layers.Dropout(0.5)).predict(np.ones((2, 1000)), samples=1, verbose=0)
    assert not std.any()


def test_the_uncertain_is_where_there_were_no_data():
    """A net that learned sin on [-1, 1] spreads more at 4 than within."""
    bw.utils.set_random_seed(0)
    made = [layers.Dense(50, activation="relu"), layers.Dropout(0.1), layers.Dense(1)]
    model = model_of(*made, engine=None, shape=(1,))
    model.compile("adam", "mse")
    x = np.linspace(-1, 1, 200)[:, None]
    model.fit(x, np.sin(3 * x), epochs=60, verbose=0)
    _, std = model.predict(np.array([[0.0], [4.0]]), samples=100, verbose=0)
    assert std[1, 0] > 3 * std[0, 0]


def test_a_network_without_noise_is_refused():
    with pytest.raises(
        ParameterError, match=r"takes a network with noise.*; this one has none\. Put Dropout"
    ):
        model_of(layers.Dense(2)).predict(np.ones((2, 1000)), samples=5)


@pytest.mark.parametrize(
    ("samples", "error"), [(0, ParameterError), (2.5, ParameterTypeError), ("many", TypeError)]
)
def test_wrong_samples(samples, error):
    with pytest.raises(
        error, match=r"predict: `samples` must be None or a whole number of at least 1; got samples="
    ):
        model_of(layers.Dropout(0.5)).predict(np.ones((2, 1000)), samples=samples)
