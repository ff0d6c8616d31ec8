"""Metrics as functions: Keras's values, and their places in `compile`."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import brickwork
from brickwork import layers, losses, metrics
from brickwork.metrics import functions


def drawn(name, rng):
    """Targets and predictions that the function takes."""
    probabilities = rng.dirichlet(np.ones(4), 9).astype(np.float32)
    labels = rng.integers(0, 4, 9)
    if name.startswith("sparse"):
        return labels, probabilities
    if name.startswith("binary") or "hinge" in name:
        return rng.integers(0, 2, (9, 4)).astype(np.float32), probabilities
    if name.startswith(("categorical", "top_k")):
        return np.eye(4, dtype=np.float32)[labels], probabilities
    return rng.uniform(0.1, 2.0, (9, 4)).astype(np.float32), rng.uniform(0.1, 2.0, (9, 4)).astype(np.float32)


@pytest.mark.parametrize("name", functions.__all__)
def test_values_of_keras(name, rng):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras = pytest.importorskip("keras")
    theirs, ours = getattr(keras.metrics, name), getattr(metrics, name)
    y_true, y_pred = drawn(name, rng)
    settings = {"k": 2} if "top_k" in name else {}
    told = np.asarray(theirs(y_true, y_pred, **settings))
    found = ours(y_true, y_pred, **settings)
    if name == "concordance_correlation":  # Keras takes the mean before it divides, with epsilon beside
        np.testing.assert_allclose(found, told, rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_allclose(found, told, rtol=2e-5, atol=1e-6)
        assert found.shape == told.shape
    mine = list(inspect.signature(ours).parameters)
    assert mine == list(inspect.signature(theirs).parameters)[: len(mine)]


def test_those_that_are_losses_are_the_same_functions():
    shared = [name for name in functions.__all__ if hasattr(losses, name)]
    assert len(shared) == 16
    for name in shared:
        assert getattr(metrics, name) is getattr(losses, name)


@pytest.mark.parametrize("engine", ["reference", "jax", None])
def test_functions_in_compile(engine, rng):
    """They report under their names and are computed as the metrics that they stand for."""
    if engine == "jax":
        pytest.importorskip("jax")
    x, y = rng.normal(size=(40, 3)).astype(np.float32), rng.integers(0, 4, 40)
    brickwork.utils.set_random_seed(3)
    model = brickwork.Sequential([brickwork.Input((3,)), layers.Dense(4, activation="softmax")])
    model.compile(
        "sgd",
        "sparse_categorical_crossentropy",
        metrics=[
            metrics.sparse_categorical_accuracy,
            metrics.SparseCategoricalAccuracy(name="same"),
            metrics.sparse_categorical_crossentropy,
        ],
        engine=engine,
    )
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    assert found["sparse_categorical_accuracy"] == found["same"]
    assert found["sparse_categorical_crossentropy"] == pytest.approx(found["loss"], rel=1e-6)


def test_get_knows_the_function():
    assert repr(metrics.get(metrics.mean_squared_error)) == "MeanSquaredError()"
    assert repr(metrics.get(metrics.log_cosh)) == "LogCoshError()"
    assert type(metrics.get(metrics.huber)).__name__ == "MeanMetricWrapper"
    assert repr(metrics.get(metrics.pearson_correlation)) == "PearsonCorrelation()"
    assert type(metrics.get(lambda y_true, y_pred: y_pred)).__name__ == "MeanMetricWrapper"
