"""Activations and elementary functions on numbers worked by hand, and at the ends of their range."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Bias,
    Context,
    Exp,
    HalfSquaredError,
    HardShrink,
    HardSigmoid,
    HardSiLU,
    HardTanh,
    Heaviside,
    Identity,
    LeakyReLU,
    Linear,
    Log,
    LogSigmoid,
    LogSoftmax,
    Maxout,
    Mish,
    PReLU,
    Reciprocal,
    ReLU,
    Sigmoid,
    Sign,
    SiLU,
    Softmax,
    Softplus,
    SoftShrink,
    Softsign,
    SparsePlus,
    SparseSigmoid,
    Squareplus,
    Tanh,
    TanhShrink,
    Threshold,
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


ROOT = math.sqrt(1e8 + 4)
FAR = 2 / (1e4 + ROOT)

SMOOTH = [
    (Softplus(), [0.0, math.log(2.0), 1e4], [0.0, 0.5, 1.0]),
    (LogSigmoid(), [-1e4, -math.log(2.0), 0.0], [1.0, 0.5, 0.0]),
    (Softsign(), [-1e4 / 10001, 0.0, 1e4 / 10001], [1 / 10001**2, 1.0, 1 / 10001**2]),
    (Squareplus(), [FAR, 1.0, 1e4 + FAR], [FAR / ROOT, 0.5, (1e4 + FAR) / ROOT]),
    (SparsePlus(), [0.0, 0.25, 1e4], [0.0, 0.5, 1.0]),
    (SELU(), [-1.7580993408473766, 0.0, 10507.009873554805], [0.0, 1.7580993408473766, 1.0507009873554805]),
    (CELU(0.5), [-0.5, 0.0, 1e4], [0.0, 1.0, 1.0]),
    (TanhShrink(), [1.0 - 1e4, 0.0, 1e4 - 1.0], [1.0, 0.0, 1.0]),
    (SiLU(), [0.0, 0.0, 1e4], [0.0, 0.5, 1.0]),
    (GELU(), [0.0, 0.0, 1e4], [0.0, 0.5, 1.0]),
    (GELU(approximate=True), [0.0, 0.0, 1e4], [0.0, 0.5, 1.0]),
    (Mish(), [0.0, 0.0, 1e4], [0.0, 0.6, 1.0]),
    (HardSiLU(), [0.0, 0.0, 1e4], [0.0, 0.5, 1.0]),
    (HardSigmoid(), [0.0, 0.5, 1.0], [0.0, 1 / 6, 0.0]),
    (SparseSigmoid(), [0.0, 0.5, 1.0], [0.0, 0.5, 0.0]),
    (HardTanh(), [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
    (HardShrink(), [-1e4, 0.0, 1e4], [1.0, 0.0, 1.0]),
    (SoftShrink(), [-9999.5, 0.0, 9999.5], [1.0, 0.0, 1.0]),
    (Threshold(0.5, -2.0), [-2.0, -2.0, 1e4], [0.0, 0.0, 1.0]),
    (Sign(), [-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]),
]


@pytest.mark.parametrize(("brick", "y", "dx"), SMOOTH, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_slopes_at_zero_and_far_away(brick, y, dx, dtype):
    """At -1e4, 0 and 1e4, without a warning."""
    found = both(brick, LARGE.astype(dtype))
    epsilon = np.finfo(dtype).eps
    np.testing.assert_allclose(found[0], [y], rtol=8 * epsilon, atol=0.0)
    np.testing.assert_allclose(found[1], [dx], rtol=8 * epsilon, atol=epsilon)


@pytest.mark.parametrize("brick", [row[0] for row in SMOOTH], ids=repr)
def test_nan_is_passed_on(brick):
    assert np.isnan(both(brick, np.array([math.nan]))[0]).all()


@pytest.mark.parametrize("brick", [Softplus(), LogSigmoid()])
def test_tails_keep_their_digits(brick):
    """log(1 + exp(x)) is exp(x) far below 0, where 1 + exp(x) is 1."""
    x = np.array([-50.0]) if isinstance(brick, Softplus) else np.array([50.0])
    y, dx = both(brick, x)
    assert abs(y[0]) == pytest.approx(math.exp(-50.0), rel=1e-14)
    assert dx[0] == pytest.approx(math.exp(-50.0), rel=1e-14)


def test_gelu_keeps_its_digits_far_below_zero():
    y, _ = both(GELU(), np.array([-20.0]))
    assert y[0] == pytest.approx(-20.0 * 0.5 * math.erfc(20.0 / math.sqrt(2.0)), rel=1e-14)
    x = np.linspace(-6.0, 6.0, 1001)
    assert 1e-4 < np.abs(both(GELU(), x)[0] - both(GELU(approximate=True), x)[0]).max() < 5e-4


def test_selu_keeps_mean_and_variance(rng):
    """Of standard normal numbers behind weights of variance 1 / F, through twenty layers."""
    x = rng.standard_normal((500, 300))
    for _ in range(20):
        x = SELU()(x @ rng.normal(0.0, 300**-0.5, (300, 300)))
    assert abs(x.mean()) < 0.1
    assert 0.8 < x.std() < 1.2


def test_prelu_by_hand():
    x, alpha = np.array([[-2.0, 3.0], [-1.0, -4.0]]), np.array([0.5, 0.25])
    y, saved = PReLU().forward({"alpha": alpha}, x, ctx=INFERENCE)
    assert y.tolist() == [[-1.0, 3.0], [-0.5, -1.0]]
    (dx,), dparams = PReLU().backward({"alpha": alpha}, saved, np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert dx.tolist() == [[0.5, 2.0], [1.5, 1.0]]
    assert dparams["alpha"].tolist() == [-2.0 - 3.0, -16.0]


@pytest.mark.parametrize(
    ("axes", "shape"), [((), (4, 5, 3)), ((1, 2), (1, 1, 3)), ((-1,), (4, 5, 1)), ((1, -2, 3), (1, 1, 1))]
)
def test_prelu_shares_alpha_along_axes(axes, shape):
    assert PReLU(axes).parameters((None, 4, 5, 3))["alpha"].shape == shape


def test_prelu_says_which_axes_there_are():
    with pytest.raises(
        ShapeError, match=r"PReLU takes an axis in \[1, 1\] .* received axis=2 with \(N, 3\)\."
    ):
        PReLU((2,)).output_shape((None, 3))
    with pytest.raises(
        ShapeError, match=r"PReLU takes an axis .* received axis=0 with \(N, 3\)\. Name axes of"
    ):
        PReLU((0,)).output_shape((None, 3))
    with pytest.raises(ShapeError, match=r"PReLU needs to know the size of axis 1; it received \(N, \?, 3\)"):
        PReLU().parameters((None, None, 3))
    assert PReLU((1,)).parameters((None, None, 3))["alpha"].shape == (1, 3)


def test_maxout_by_hand():
    x = np.array([[1.0, 2.0, 5.0, 2.0, 3.0, 7.0]])
    y, dx = both(Maxout(3), x, np.array([[10.0, 20.0]]))
    assert y.tolist() == [[5.0, 7.0]]
    assert dx.tolist() == [[0.0, 0.0, 10.0, 0.0, 0.0, 20.0]]
    y, dx = both(Maxout(2), np.array([[4.0, 4.0]]))
    assert dx.tolist() == [[1.0, 0.0]], "of equal numbers the first"


def test_glu_by_hand():
    y, dx = both(GLU(), np.array([[4.0, 0.0]]))
    assert y.tolist() == [[2.0]]
    assert dx.tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize(("brick", "count"), [(Maxout(3), 3), (GLU(), 2)])
def test_groups_want_a_size_that_divides(brick, count):
    name = type(brick).__name__
    repair = f"Give the layer before it {8 if count == 2 else 9} units"
    with pytest.raises(
        ShapeError, match=rf"{name} takes x whose axis 1 has a size divisible by {count}; .*, 7\. {repair}\."
    ):
        brick.output_shape((None, 7))
    assert brick.output_shape((None, None, 12)) == (None, None, 12 // count)


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
