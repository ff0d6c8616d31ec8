"""The methods that work on one batch, and gradients and updates apart."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import ROWS, classifier, digits, same, two_outputs

import brickwork as bw
from brickwork.errors import DataError, DivergenceError, ParameterError, ParameterTypeError, ShapeError


def test_train_on_batch_is_one_step_of_fit(rng):
    x, y = digits(rng)
    ours, plain = classifier(norm=True), classifier(norm=True)
    told = ours.train_on_batch(x, y)
    history = plain.fit(x, y, batch_size=ROWS, shuffle=False, verbose=0).history
    assert same(ours, plain) and told == history["loss"][0]


def test_what_train_on_batch_returns(rng):
    x, y = digits(rng)
    model = classifier(metrics=["accuracy"])
    names = model.metrics_names
    assert names == ["loss", "accuracy"]
    before = model.test_on_batch(x, y, return_dict=True)
    told = model.train_on_batch(x, y, return_dict=True)
    assert list(told) == names and told == pytest.approx(before)  # before the update
    assert model.train_on_batch(x, y)[0] < told["loss"]
    assert isinstance(classifier().train_on_batch(x, y), float)


def test_train_on_batch_with_weights(rng):
    x, y = digits(rng)
    weight = rng.uniform(0, 2, ROWS)
    ours, plain = classifier(), classifier()
    ours.train_on_batch(x, y, sample_weight=weight, class_weight={1: 2.0})
    plain.train_on_batch(x, y, sample_weight=weight * np.array([1.0, 2.0, 1.0])[y])
    assert same(ours, plain)


def test_test_on_batch_is_evaluate(rng):
    x, y = digits(rng)
    weight = rng.uniform(0, 2, ROWS)
    model = classifier(dropout=0.5, norm=True, metrics=["accuracy"], weighted_metrics=["accuracy"])
    before = model.get_weights()
    told = model.test_on_batch(x, y, sample_weight=weight)
    assert told == model.evaluate(x, y, sample_weight=weight, verbose=0)
    assert all(np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=True))


def test_predict_on_batch_is_predict(rng):
    x, _ = digits(rng)
    model = classifier(dropout=0.5, norm=True)
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(x, verbose=0))
    assert [y.shape for y in two_outputs().predict_on_batch(x)] == [(ROWS, 3), (ROWS, 2)]
    told = two_outputs(as_dict=True).predict_on_batch(x)
    assert {name: y.shape for name, y in told.items()} == {"kinds": (ROWS, 3), "sizes": (ROWS, 2)}


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_gradients_and_apply_are_one_step(rng, optimizer):
    x, y = digits(rng)
    ours, plain = (classifier(dropout=0.3, norm=True, optimizer=optimizer) for _ in range(2))
    for _ in range(3):
        energy, gradients = ours.gradients(x, y)
        ours.apply(gradients)
        assert plain.train_on_batch(x, y) == pytest.approx(energy)
    assert same(ours, plain)


def test_gradients_change_nothing(rng):
    x, y = digits(rng)
    model = classifier(dropout=0.3, norm=True)
    before = model.get_weights()
    first, second = model.gradients(x, y), model.gradients(x, y)
    assert first[0] == second[0]
    for key, gradient in first[1].items():
        np.testing.assert_array_equal(gradient, second[1][key])
    assert all(np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=True))
    assert first[1].losses == {"out_loss": first[0]}
    assert sorted(first[1].statistics) == [
        "norm/batch_normalization/running_mean",
        "norm/batch_normalization/running_var",
    ]


def test_gradients_are_those_of_the_loss(rng):
    """Central differences along a random direction, in float64."""
    bw.config.set_floatx("float64")
    try:
        x, y = digits(rng)
        model = classifier()
    finally:
        bw.config.set_floatx("float32")
    _, gradients = model.gradients(x, y, training=False)
    assert list(gradients) == list(model.parameters)
    for key, w in model.parameters.items():
        direction = rng.normal(size=w.shape)
        w += 1e-5 * direction
        above = model.gradients(x, y, training=False)[0]
        w -= 2e-5 * direction
        below = model.gradients(x, y, training=False)[0]
        w += 1e-5 * direction
        assert np.sum(gradients[key] * direction) == pytest.approx(
            (above - below) / 2e-5, rel=1e-6, abs=1e-10
        )


def test_gradients_include_penalties_and_weights(rng):
    """E = w² · x² · weight / 1 + 0.5 w² at w = 2, x = 1, weight 3: 12 + 2; dE/dw = 12 + 2."""
    model = bw.Sequential(
        [bw.Input((1,)), bw.layers.Dense(1, use_bias=False, kernel_regularizer=bw.regularizers.L2(0.5))]
    )
    model.compile("sgd", "mse")
    model.set_weights([np.array([[2.0]])])
    energy, gradients = model.gradients(np.array([[1.0]]), np.array([[0.0]]), np.array([3.0]))
    assert energy == 14.0
    np.testing.assert_allclose(list(gradients.values()), [[[14.0]]])


def test_apply_with_a_rate_of_its_own(rng):
    x, y = digits(rng)
    model = classifier(optimizer=bw.optimizers.SGD(0.1))
    before = {key: w.copy() for key, w in model.parameters.items()}
    _, gradients = model.gradients(x, y)
    model.apply(gradients, 0.5)
    for key, w in model.parameters.items():
        np.testing.assert_allclose(w, before[key] - np.float32(0.5) * gradients[key], rtol=1e-6)


def test_a_dict_of_ones_own_moves_no_statistics(rng):
    x, y = digits(rng)
    model = classifier(norm=True)
    before = {key: w.copy() for key, w in model.statistics.items()}
    _, gradients = model.gradients(x, y)
    model.apply({key: 2 * gradient for key, gradient in gradients.items()})
    for key, w in model.statistics.items():
        np.testing.assert_array_equal(w, before[key])
    model.apply(gradients)
    assert not np.array_equal(model.statistics["norm/batch_normalization/running_mean"], 0)


@pytest.mark.parametrize(
    "change, kind, message",
    [
        (
            lambda g: {**g, "out/linear/W": g["out/linear/W"][:2]},
            ShapeError,
            r"gradient of shape \(5, 3\) for 'out/linear/W'; it received shape \(2, 3\)",
        ),
        (
            lambda g: {"out/linear/W": g["out/linear/W"]},
            ShapeError,
            r"for 'hidden/linear/W'; it received none\. Pass what gradients\(\)",
        ),
        (lambda g: {**g, "out/linear/V": g["out/linear/W"]}, ShapeError, r"Did you mean 'out/linear/W'"),
        (
            lambda g: {**g, "out/bias/b": g["out/bias/b"] * np.nan},
            DivergenceError,
            r"takes finite gradients; that of 'out/bias/b' is not\. The parameters stay",
        ),
    ],
)
def test_gradients_that_do_not_fit(rng, change, kind, message):
    x, y = digits(rng)
    model, fresh = classifier(), classifier()
    _, gradients = model.gradients(x, y)
    with pytest.raises(kind, match=message):
        model.apply(change(dict(gradients)))
    assert same(model, fresh) and model._plan.step_number == 0


@pytest.mark.parametrize(
    "rate, kind", [(-1.0, ParameterError), (np.nan, ParameterError), ("fast", ParameterTypeError)]
)
def test_rates_that_are_none(rng, rate, kind):
    model = classifier()
    _, gradients = model.gradients(*digits(rng))
    with pytest.raises(kind, match=r"apply: `learning_rate` must be a finite number of at least 0; got"):
        model.apply(gradients, rate)


def test_data_is_checked_as_in_fit(rng):
    x, y = digits(rng)
    model = classifier()
    for method in (model.train_on_batch, model.test_on_batch, model.gradients):
        with pytest.raises(DataError, match=r"y must hold class indices in 0 … 2"):
            method(x, y + 1)
        with pytest.raises(DataError, match=r"y is needed"):
            method(x)
    with pytest.raises(ShapeError, match=r"x must have the shape \(N, 4\)"):
        model.predict_on_batch(x[:, :3])
