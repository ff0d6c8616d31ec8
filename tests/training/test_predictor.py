"""Predictions by a function that holds the weights as they were."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork as bw
from brickwork.errors import ParameterError, ShapeError


def network(engine):
    first, second = bw.Input((3,), name="first"), bw.Input((2,), name="second")
    both = bw.layers.Concatenate()([first, second])
    model = bw.Model([first, second], bw.layers.Dense(4, activation="tanh")(both))
    model.compile("sgd", "mse", engine=engine)
    return model


ENGINES = ("reference", "native")


@pytest.fixture(params=ENGINES)
def model(request):
    return network(request.param)


def data(rows):
    generator = np.random.default_rng(1)
    return [generator.normal(size=(rows, size)).astype(np.float32) for size in (3, 2)]


def test_predicts_as_predict_does(model):
    xs = data(5)
    predictor = model.predictor(batch_size=5)
    for rows in (1, 5, 3):
        part = [x[:rows] for x in xs]
        np.testing.assert_allclose(predictor(*part), model.predict(part, verbose=0), atol=1e-6)


def test_keeps_the_weights_that_it_was_made_with(model):
    xs = data(5)
    predictor = model.predictor(batch_size=5)
    before = predictor(*xs)
    model.fit(xs, np.ones((5, 4), np.float32), verbose=0)
    np.testing.assert_array_equal(predictor(*xs), before)
    assert not np.allclose(model.predict(xs, verbose=0), before)


def test_results_are_the_callers_own(model):
    xs = data(1)
    predictor = model.predictor()
    first = predictor(*xs)
    kept = first.copy()
    predictor(*[x + 1 for x in xs])
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda xs: xs[:1], "takes 2 arrays"),
        (lambda xs: [xs[0], xs[1][:, :1]], "of shape"),
        (lambda xs: [xs[0], xs[1][:1]], "the same for all inputs"),
        (lambda xs: [np.concatenate([x, x, x]) for x in xs], "N from 1 to 2"),
        (lambda xs: [x[:0] for x in xs], "N from 1 to 2"),
    ],
)
def test_refuses_what_does_not_fit(model, change, message):
    predictor = model.predictor(batch_size=2)
    with pytest.raises(ShapeError, match=message):
        predictor(*change(data(2)))


def test_refuses_a_batch_without_rows(model):
    with pytest.raises(ParameterError, match="batch_size"):
        model.predictor(batch_size=0)
