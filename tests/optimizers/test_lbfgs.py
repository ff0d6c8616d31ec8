"""L-BFGS: its direction, its line search, known minima, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import optimizers
from brickwork.errors import ParameterError
from brickwork.optimizers import LBFGS, lbfgs
from brickwork.optimizers.line_search import Point, strong_wolfe


def bowl(A):
    return lambda params: (0.5 * params["w"] @ A @ params["w"], {"w": A @ params["w"]})


def rosenbrock(params):
    x, y = params["x"], params["y"]
    energy = float((1 - x) ** 2 + 100 * (y - x * x) ** 2)
    return energy, {"x": -2 * (1 - x) - 400 * x * (y - x * x), "y": 200 * (y - x * x)}


def run(optimizer, function, params, steps):
    slots = optimizer.slots(params)
    energies = [function(params)[0]]
    for _ in range(steps):
        params, slots = optimizer.search(params, function, slots, optimizer.rate(0))
        energies.append(function(params)[0])
    return params, slots, energies


def test_the_direction_is_that_of_the_bfgs_matrix(rng):
    """The two-loop recursion against H = (I - s y'/y's) H (I - y s'/y's) + s s'/y's, written out."""
    n, g = 5, rng.normal(size=5)
    pairs = []
    for _ in range(4):
        s = rng.normal(size=n)
        y = s * rng.uniform(0.5, 2, n) + 0.01 * rng.normal(size=n)
        pairs.insert(0, (s, y))  # the latest first
    s, y = pairs[0]
    H = np.eye(n) * (s @ y) / (y @ y)
    for s, y in reversed(pairs):
        left = np.eye(n) - np.outer(s, y) / (y @ s)
        H = left @ H @ left.T + np.outer(s, s) / (y @ s)
    np.testing.assert_allclose(lbfgs._direction(g, pairs), -H @ g, rtol=1e-9)


@pytest.mark.parametrize("dtype, small", [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_a_quadratic_is_minimised(rng, dtype, small):
    A = np.diag([1.0, 10.0, 100.0, 3.0])
    params, slots, energies = run(LBFGS(), bowl(A), {"w": rng.normal(size=4).astype(dtype)}, 25)
    assert energies[-1] < small**2 * 100
    assert params["w"].dtype == dtype
    assert all(later <= earlier for earlier, later in zip(energies, energies[1:], strict=False))
    assert slots["s_0"]["w"].dtype == np.float64


def test_rosenbrocks_valley():
    start = {"x": np.array(-1.2), "y": np.array(1.0)}
    params, _, energies = run(LBFGS(), rosenbrock, start, 50)
    assert energies[0] == pytest.approx(24.2)
    assert [float(params["x"]), float(params["y"])] == pytest.approx([1.0, 1.0], abs=1e-6)


def test_as_many_steps_as_scipy_needs(rng):
    """scipy's L-BFGS-B takes about as many iterations to the same minimum of a logistic regression."""
    scipy = pytest.importorskip("scipy.optimize")
    x = rng.normal(size=(80, 6)) * np.array([1, 3, 0.3, 1, 2, 0.1])
    t = (x @ rng.normal(size=6) + 0.5 * rng.normal(size=80) > 0).astype(float)

    def function(w):
        z = x @ w
        energy = np.mean(np.logaddexp(0, z) - t * z) + 0.005 * w @ w
        return energy, x.T @ (1 / (1 + np.exp(-z)) - t) / 80 + 0.01 * w

    theirs = scipy.minimize(function, np.zeros(6), jac=True, method="L-BFGS-B", options={"gtol": 1e-8})

    def ours(params):
        energy, gradient = function(params["w"])
        return energy, {"w": gradient}

    params, _, energies = run(LBFGS(), ours, {"w": np.zeros(6)}, theirs.nit + 5)
    assert energies[-1] == pytest.approx(theirs.fun, abs=1e-9)
    np.testing.assert_allclose(params["w"], theirs.x, atol=1e-4)


def test_the_line_search_fulfils_the_strong_wolfe_conditions(rng):
    """On random quartics along random falling directions."""
    for _ in range(50):
        a, b, c = rng.normal(size=3)

        def quartic(x, a=a, b=b, c=c):
            energy = float(np.sum(x**4 + a * x**3 + b * x**2 + c * x))
            return x, energy, 4 * x**3 + 3 * a * x**2 + 2 * b * x + c

        x = rng.normal(size=3)
        _, energy, gradient = quartic(x)
        d = -gradient * 10.0 ** rng.uniform(-4, 2)
        slope = gradient @ d
        found = strong_wolfe(quartic, Point(0.0, x, energy, gradient), d, 1.0, 1e-4, 0.9, 60)
        assert found is not None
        assert found.energy <= energy + 1e-4 * found.a * slope
        assert abs(found.gradient @ d) <= 0.9 * abs(slope)
        np.testing.assert_allclose(found.x, x + found.a * d)


def test_where_nothing_lies_lower_all_stays():
    """A slope that lies: E rises whichever way one goes."""

    def liar(params):
        return float(np.abs(params["w"]).sum()), {"w": np.full(2, -1.0)}

    optimizer, params = LBFGS(), {"w": np.zeros(2)}
    slots = optimizer.slots(params)
    new, after = optimizer.search(params, liar, slots, 1.0)
    assert (new["w"] == 0).all()
    assert all((after[slot]["w"] == 0).all() for slot in slots)
    new, _ = optimizer.search(params, lambda params: (1.0, {"w": np.zeros(2)}), slots, 1.0)
    assert (new["w"] == 0).all()


def test_infinite_energies_shorten_the_step():
    def well(params):
        w = params["w"]
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.sum(w - np.log(w))), {"w": 1 - 1 / w}

    params, _, _ = run(LBFGS(learning_rate=100.0), well, {"w": np.array([0.1, 4.0])}, 15)
    np.testing.assert_allclose(params["w"], 1.0, atol=1e-5)


def test_old_pairs_are_forgotten():
    A = np.diag(np.arange(1.0, 9.0))
    optimizer = LBFGS(history_size=2)
    params, slots, energies = run(optimizer, bowl(A), {"w": np.ones(8)}, 30)
    assert list(slots) == ["s_0", "y_0", "s_1", "y_1"]
    assert energies[-1] < 1e-8


@pytest.mark.parametrize(
    "given", [{"weight_decay": 0.1}, {"clipnorm": 1.0}, {"use_ema": True}, {"clipvalue": 0.5}], ids=str
)
def test_what_would_bend_the_search_is_refused(given):
    (name,) = given
    with pytest.raises(ParameterError, match=f"LBFGS: `{name}` must be left out.*got {name}="):
        LBFGS(**given)


def test_conditions_that_exclude_each_other():
    with pytest.raises(ParameterError, match=r"`curvature` must be above armijo=0.5.*curvature=0.1"):
        LBFGS(armijo=0.5, curvature=0.1)


def test_gradients_alone_make_no_step():
    optimizer, params = LBFGS(), {"w": np.ones(2)}
    with pytest.raises(ParameterError, match=r"looks at E again along its direction.*Call search"):
        optimizer.update(params, params, optimizer.slots(params), 1, 1.0)


def test_lbfgs_by_name():
    made = optimizers.get("lbfgs")
    assert type(made) is LBFGS
    assert optimizers.deserialize(optimizers.serialize(LBFGS(history_size=4))).history_size == 4
