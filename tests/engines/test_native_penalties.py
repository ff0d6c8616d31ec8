"""Penalties of parameters on the native engine: summed in runs, on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork as bw
from brickwork import layers, regularizers
from brickwork.engines.native import passes
from brickwork.threads import limited_threads
from engines.native_checks import THREADS, needs_native

pytestmark = needs_native


def network(units, regularizer, engine="native"):
    """A network whose loss is its penalty alone: targets are what it says."""
    bw.utils.set_random_seed(4)
    model = bw.Sequential(
        [bw.Input((300,)), layers.Dense(units, kernel_regularizer=regularizer, bias_regularizer=regularizer)]
    )
    model.compile(bw.optimizers.SGD(1e-3), "mse", engine=engine)
    rng = np.random.default_rng(units)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("units", [1, 55, 400])
@pytest.mark.parametrize(
    "regularizer", [regularizers.L1(0.01), regularizers.L2(0.02), regularizers.L1L2(0.01, 0.02)], ids=repr
)
def test_penalty_in_the_loss(units, regularizer):
    """Fewer numbers than a run, a run and a bit, and several runs."""
    model = network(units, regularizer)
    x = np.zeros((8, 300), np.float32)
    y = np.tile(model.get_weights()[1], (8, 1))
    kernel, bias = (w.astype(np.float64) for w in model.get_weights())
    wanted = regularizer.penalty(kernel) + regularizer.penalty(bias)
    assert model.train_on_batch(x, y) == pytest.approx(wanted, rel=1e-6)
    plan = model._plan
    runs = plan._pass("train", 8)._recipe()["penalties"]
    assert len(runs) > 300 * units // passes._RUN
    assert sum(count for _, count, *_ in runs) >= 301 * units


def test_the_same_bits_on_any_number_of_threads():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 300)).astype(np.float32), rng.normal(size=(40, 400)).astype(np.float32)
    found = []
    for threads in THREADS:
        with limited_threads(threads):
            model = network(400, regularizers.L1L2(0.01, 0.02))
            losses = model.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0).history["loss"]
            found.append((losses, model.get_weights()))
    for losses, weights in found[1:]:
        assert losses == found[0][0]
        for one, other in zip(weights, found[0][1], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_parameter_that_is_not_finite_shows_in_the_loss():
    model = network(400, regularizers.L2(0.02))
    weights = model.get_weights()
    weights[0][299, 399] = np.inf
    model.set_weights(weights)
    x = np.zeros((8, 300), np.float32)
    x[:, 0] = 1.0
    with pytest.raises(bw.errors.DivergenceError):
        model.train_on_batch(x, np.zeros((8, 400), np.float32))
