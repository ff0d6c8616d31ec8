"""Activations and elementary functions on numbers worked by hand, and at the ends of their range."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import (
    ELU,
    Bias,
    Context,
    Exp,
    HalfSquaredError,
    Heaviside,
    Identity,
    LeakyReLU,
    Linear,
    Log,
    LogSoftmax,
    Reciprocal,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from brickwork.errors import ParameterError, ShapeError

INFERENCE = Context()
LARGE = np.array([[-1e4, 0.0, 1e4]])


def both(brick, x, dy=None):
    y, saved = brick.forward({}, x, ctx=INFERENCE)
    return y, brick.backward({}, saved, np.ones_like(y) if dy is None else dy)[0][0]


def test_sigmoid_by_hand():
    y, dx = both(Sigmoid(), np.array([[0.0, math.log(3.0)]]))
    assert y[0, 0] == 0.5
    np.testing.assert_allclose(y, [[0.5, 0.75]], rtol=1e-15)
    np.testing.assert_allclose(dx, [[0.25, 0.1875]], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_values_neither_overflow_nor_warn(dtype):
    x = LARGE.astype(dtype)
    assert both(Sigmoid(), x)[0].tolist() == [[0.0, 0.5, 1.0]]
    assert both(Sigmoid(), x)[1].tolist() == [[0.0, 0.25, 0.0]]
    assert both(Tanh(), x)[0].tolist() == [[-1.0, 0.0, 1.0]]
    assert both(ELU(), x)[0].tolist() == [[-1.0, 0.0, 1e4]]
    assert both(Softmax(), x)[0].tolist() == [[0.0, 0.0, 1.0]]
    assert both(LogSoftmax(), x)[0].tolist() == [[-2e4, -1e4, 0.0]]
    for brick in (Sigmoid(), Tanh(), ReLU(), LeakyReLU(), ELU(), Softmax(), LogSoftmax()):
        assert all(np.isfinite(found).all() for found in both(brick, x)), brick


def test_sigmoid_of_very_negative_x_keeps_its_digits():
    assert both(Sigmoid(), np.array([-50.0]))[0][0] == pytest.approx(math.exp(-50.0), rel=1e-14)


def test_tanh_by_hand():
    y, dx = both(Tanh(), np.array([math.log(2.0)]))
    assert y[0] == pytest.approx(0.6, rel=1e-15)
    assert dx[0] == pytest.approx(0.64, rel=1e-14)


def test_relu_has_no_slope_at_zero():
    y, dx = both(ReLU(), np.array([-1.0, 0.0, 2.0]), np.array([5.0, 6.0, 7.0]))
    assert y.tolist() == [0.0, 0.0, 2.0]
    assert dx.tolist() == [0.0, 0.0, 7.0]


@pytest.mark.parametrize("slope", [0.0, 0.3, 2.0])
def test_leaky_relu(slope):
    y, dx = both(LeakyReLU(slope), np.array([-2.0, 0.0, 2.0]))
    np.testing.assert_allclose(y, [-2.0 * slope, 0.0, 2.0])
    np.testing.assert_allclose(dx, [slope, slope, 1.0])


@pytest.mark.parametrize("brick", [Sigmoid(), Tanh(), ReLU(), LeakyReLU(), ELU(0.5)])
def test_infinity_is_a_number_and_nan_is_passed_on(brick):
    """A diverging run must be seen where it begins, neither earlier nor later."""
    y, dx = both(brick, np.array([-np.inf, np.inf, np.nan]))
    assert np.isnan(y).tolist() == [False, False, True]
    if not isinstance(brick, LeakyReLU):
        assert y[0] == {"Sigmoid": 0.0, "Tanh": -1.0, "ReLU": 0.0, "ELU": -0.5}[type(brick).__name__]
    assert not np.isnan(dx[:2]).any()


def test_leaky_relu_has_the_slope_of_keras():
    assert LeakyReLU().negative_slope == 0.3
    with pytest.raises(
        ParameterError, match="LeakyReLU: `negative_slope` must be a finite number of at least 0"
    ):
        LeakyReLU(-0.1)


def test_elu_by_hand():
    y, dx = both(ELU(2.0), np.array([-math.log(2.0), 0.0, 3.0]))
    np.testing.assert_allclose(y, [-1.0, 0.0, 3.0], rtol=1e-15)
    np.testing.assert_allclose(dx, [1.0, 2.0, 1.0], rtol=1e-15)


def test_softmax_of_the_lecture():
    """Softmax of x W + b with x = (1, 2): logits 10, 14, 18."""
    x, W = np.array([[1.0, 2.0]]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    logits = Bias()(Linear(3)(x, params={"W": W}), params={"b": np.array([1.0, 2.0, 3.0])})
    assert logits.tolist() == [[10.0, 14.0, 18.0]]
    y = Softmax()(logits)
    np.testing.assert_allclose(y, [[3.293e-4, 1.798e-2, 0.98169]], rtol=1e-4)
    assert y.sum() == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(LogSoftmax()(logits), np.log(y), rtol=1e-13)


def test_softmax_gradient_is_its_jacobian():
    y, _ = both(Softmax(), np.array([[0.3, -0.2, 1.0]]))
    jacobian = np.diag(y[0]) - np.outer(y[0], y[0])
    rows = [both(Softmax(), np.array([[0.3, -0.2, 1.0]]), dy[None])[1][0] for dy in np.eye(3)]
    np.testing.assert_allclose(rows, jacobian, atol=1e-16)


@pytest.mark.parametrize("brick", [Softmax, LogSoftmax])
def test_softmax_leaves_the_batch_axis_alone(brick):
    name = brick.__name__
    with pytest.raises(
        ShapeError, match=rf"{name} takes an axis in \[1, 1\] or \[-1, -1\] .* received axis=0 with"
    ):
        brick(axis=0).output_shape((None, 3))
    with pytest.raises(ShapeError, match=r"received axis=3 with \(N, 3\)\. Give each sample its own row"):
        brick(axis=3).output_shape((None, 3))
    with pytest.raises(
        ShapeError, match=r"takes an axis after the batch axis for x of 1 axis; .* axis=-1 with \(N,\)"
    ):
        brick().output_shape((None,))
    assert brick(axis=1).output_shape((None, 3, None)) == (None, 3, None)


def test_identity_gives_back_the_array():
    x = np.ones(3)
    assert both(Identity(), x)[0] is x


@pytest.mark.parametrize(("low", "off"), [(0, 0.0), (-1, -1.0)])
def test_heaviside(low, off):
    y, dx = both(Heaviside(low=low), np.array([-2.0, 0.0, 0.5], np.float32), np.array([1.0, 2.0, 3.0]))
    assert y.tolist() == [off, off, 1.0]
    assert y.dtype == np.float32
    assert dx.tolist() == [1.0, 2.0, 3.0], "the surrogate is the identity"


def test_heaviside_low_is_0_or_minus_1():
    with pytest.raises(
        ParameterError, match=r"Heaviside: `low` must be a whole number in \[-1, 0\]; got low=-2"
    ):
        Heaviside(low=-2)


@pytest.mark.parametrize("low", [0, -1])
def test_a_perceptron_learns_by_rosenblatts_rule(low):
    """Linear, Bias, Heaviside and HalfSquaredError: a gradient step is Δw = η (t - o) x, Δb = η (t - o)."""
    eta = 0.1
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 3))
    params = {"W": rng.standard_normal((3, 1))}, {"b": rng.standard_normal(1)}, {}
    t = np.where(rng.random((6, 1)) < 0.5, float(low), 1.0)
    bricks = Linear(1), Bias(), Heaviside(low=low)
    value, trail = x, []
    for brick, own in zip(bricks, params, strict=True):
        value, saved = brick.forward(own, value, ctx=INFERENCE)
        trail.append(saved)
    o = value
    _, saved = HalfSquaredError().forward({}, o, t, ctx=INFERENCE)
    dy = HalfSquaredError().backward({}, saved, np.ones(6))[0][0]
    gradients = {}
    for brick, own, saved in reversed(list(zip(bricks, params, trail, strict=True))):
        (dy,), found = brick.backward(own, saved, dy)
        gradients.update(found)
    assert np.any(o != t)
    np.testing.assert_allclose(-eta * gradients["W"][:, 0], sum(eta * (t[n] - o[n]) * x[n] for n in range(6)))
    np.testing.assert_allclose(-eta * gradients["b"], eta * np.sum(t - o))


def test_a_perceptron_learns_and():
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    t = np.array([[0.0], [0.0], [0.0], [1.0]])
    W, b = np.zeros((2, 1)), np.zeros(1)
    for _ in range(20):
        for n in range(4):
            h, kept = Linear(1).forward({"W": W}, x[n : n + 1], ctx=INFERENCE)
            o = Heaviside()(h + b)
            W = W - Linear(1).parameter_gradients({"W": W}, kept, o - t[n : n + 1])["W"]
            b = b - Bias().backward({"b": b}, (), o - t[n : n + 1])[1]["b"]
    assert Heaviside()(x @ W + b).tolist() == t.tolist()


def test_elementary_functions_by_hand():
    assert both(Exp(), np.array([0.0, math.log(2.0)]))[0].tolist() == [1.0, 2.0]
    y, dx = both(Log(), np.array([1.0, 4.0]))
    np.testing.assert_allclose(y, [0.0, math.log(4.0)])
    assert dx.tolist() == [1.0, 0.25]
    y, dx = both(Reciprocal(), np.array([4.0, -2.0]))
    assert y.tolist() == [0.25, -0.5]
    assert dx.tolist() == [-0.0625, -0.25]


@pytest.mark.parametrize(
    ("brick", "distance"),
    [(ReLU(), 0.25), (LeakyReLU(), 0.25), (ELU(2.0), 0.25), (ELU(), math.inf), (Tanh(), math.inf)],
)
def test_distance_to_the_kink(brick, distance):
    assert brick.distance_to_kink(np.array([-0.25, 3.0])) == distance


def test_every_shape_is_kept():
    assert ReLU().output_shape((None, 3, None)) == (None, 3, None)
    assert Exp().output_shape(()) == ()
