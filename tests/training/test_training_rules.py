"""The perceptron rule and the delta rule: what single layers learn by them, and when they end.

Both are incremental descent on E = ½ (t - y)²: with the step function, whose backward formula is that of the
identity, it is Rosenblatt's rule w <- w + η (t - y) x, with a linear unit the rule of Widrow and Hoff.
"""

from __future__ import annotations

import numpy as np
import pytest

import brickwork as bw
from brickwork.optimizers import SGD
from engines.native_checks import needs_native

ENGINES = pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=needs_native)])
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
AND, OR, XOR = (np.array(t, np.float32) for t in ([0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]))


def unit(activation, rate, engine, features=2, kernel="zeros"):
    model = bw.Sequential(
        [bw.Input((features,)), bw.layers.Dense(1, activation=activation, kernel_initializer=kernel)]
    )
    model.compile(SGD(rate), "half_squared_error", engine=engine, seed=1)
    return model


def by_hand(x, t, rate, epochs, step):
    """(weights, bias, updates that changed something) of the rule itself."""
    w, b, changes = np.zeros(x.shape[1]), 0.0, 0
    for _ in range(epochs):
        for row, target in zip(x, t, strict=True):
            z = row @ w + b
            error = target - (float(z > 0) if step else z)
            w, b = w + rate * error * row, b + rate * error
            changes += error != 0
    return w, b, changes


def learn(model, x, t, epochs):
    model.fit(x, t, batch_size=1, epochs=epochs, shuffle=False, verbose=0)
    return [one.reshape(-1).copy() for one in model.get_weights()]


@ENGINES
@pytest.mark.parametrize("t", [AND, OR], ids=["and", "or"])
def test_a_perceptron_learns_and_and_or_in_finitely_many_updates(engine, t):
    model = unit("heaviside", 0.5, engine)
    w, b = learn(model, X, t, 10)
    wanted, bias, changes = by_hand(X, t, 0.5, 10, step=True)
    np.testing.assert_array_equal(w, wanted)  # multiples of a half: without any rounding
    assert b.item() == bias
    assert changes == by_hand(X, t, 0.5, 1000, step=True)[2] < 20
    assert (model.predict(X, verbose=0)[:, 0] == t).all()
    # Without a mistake the rule changes nothing: it has ended.
    assert all((one == two).all() for one, two in zip((w, b), learn(model, X, t, 5), strict=True))


@ENGINES
def test_a_perceptron_never_learns_exclusive_or(engine):
    """No line parts the classes: the weights go round in a circle, with mistakes in every epoch."""
    model = unit("heaviside", 0.5, engine)
    seen = []
    for _ in range(40):
        seen.append(tuple(np.concatenate(learn(model, X, XOR, 1))))
        assert (model.predict(X, verbose=0)[:, 0] != XOR).any()
    assert len(set(seen[20:])) < 10  # states that come again and again
    first, last = (by_hand(X, XOR, 0.5, epochs, step=True)[2] for epochs in (20, 40))
    assert last - first >= 20


@ENGINES
def test_novikoffs_bound_holds(engine, rng):
    """At most (R / margin)^2 mistakes, for rows no longer than R that a plane parts by the margin."""
    plane = np.array([0.6, -0.8])
    x = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    x = x[abs(x @ plane) > 0.15]
    t = (x @ plane > 0).astype(np.float32)
    rows = np.c_[x, np.ones(len(x))]
    bound = (np.linalg.norm(rows, axis=1).max() / abs(rows @ [*plane, 0]).min()) ** 2
    _, _, mistakes = by_hand(x, t, 1.0, 50, step=True)
    assert 0 < mistakes <= bound
    model = unit("heaviside", 1.0, engine)
    learn(model, x, t, 50)
    assert (model.predict(x, verbose=0)[:, 0] == t).all()


@ENGINES
def test_the_delta_rule_step_by_step(engine, rng):
    x, t = rng.normal(size=(12, 3)).astype(np.float32), rng.normal(size=12).astype(np.float32)
    w, b = learn(unit(None, 0.1, engine, features=3), x, t, 3)
    wanted, bias, _ = by_hand(x, t, 0.1, 3, step=False)
    np.testing.assert_allclose(w, wanted, atol=1e-5)
    assert b.item() == pytest.approx(bias, abs=1e-5)


@ENGINES
@pytest.mark.parametrize("t", [AND, XOR], ids=["and", "exclusive or"])
def test_the_delta_rule_goes_to_the_least_squares_also_where_no_line_parts_the_classes(engine, t):
    """By batches to the minimum itself: for AND y = (x1 + x2)/2 - 1/4, for XOR y = 1/2 everywhere."""
    model = unit(None, 0.5, engine)
    model.fit(X, t, batch_size="all", epochs=300, verbose=0)
    exact, *_ = np.linalg.lstsq(np.c_[X, np.ones(4)], t, rcond=None)
    np.testing.assert_allclose(np.concatenate(model.get_weights(), axis=None), exact, atol=1e-4)
    incremental = unit(None, 0.01, engine)
    learn(incremental, X, t, 2000)
    np.testing.assert_allclose(np.concatenate(incremental.get_weights(), axis=None), exact, atol=0.02)


@ENGINES
def test_the_delta_rule_diverges_above_two_over_the_largest_eigenvalue(engine):
    """Batch descent on a quadratic bowl converges for η < 2 / λ_max of the mean of x x'."""
    rows = np.c_[X, np.ones(4)]
    largest = np.linalg.eigvalsh(rows.T @ rows / 4).max()
    losses = {}
    for name, rate in {"below": 1.9 / largest, "above": 2.1 / largest}.items():
        history = unit(None, rate, engine).fit(X, AND, batch_size="all", epochs=120, verbose=0)
        losses[name] = history.history["loss"][-1]
    assert losses["below"] < 0.05
    assert losses["above"] > 10
