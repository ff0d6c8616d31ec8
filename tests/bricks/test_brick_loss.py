"""Losses by hand, at the ends of their range, and their messages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import (
    BinaryCrossEntropy,
    Context,
    CrossEntropy,
    HalfSquaredError,
    MeanSquaredError,
    Sigmoid,
    SigmoidCrossEntropy,
    Softmax,
    SoftmaxCrossEntropy,
    WeightedMean,
)
from brickwork.errors import ParameterError, ShapeError


def both(brick, y, t, dl=None):
    y = np.asarray(y, float)
    t = np.asarray(t)
    loss, saved = brick.forward({}, y, t, ctx=Context())
    return loss, brick.backward({}, saved, np.ones_like(loss) if dl is None else np.asarray(dl, float))[0]


def test_squared_errors_by_hand():
    y, t = [[3.0, 1.0], [0.0, 0.0]], [[1.0, 2.0], [0.0, 4.0]]
    loss, (dy, dt) = both(HalfSquaredError(), y, t, [1.0, 2.0])
    assert loss.tolist() == [2.5, 8.0]
    assert dy.tolist() == [[2.0, -1.0], [0.0, -8.0]]
    assert dt.tolist() == [[-2.0, 1.0], [0.0, 8.0]]
    loss, (dy, _) = both(MeanSquaredError(), y, t, [1.0, 2.0])
    assert loss.tolist() == [2.5, 8.0]
    assert dy.tolist() == [[2.0, -1.0], [0.0, -8.0]]
    assert both(MeanSquaredError(), [[1.0, 0.0, 0.0, 0.0]], [[0.0] * 4])[0].tolist() == [0.25]


def test_targets_that_are_integers_have_no_gradient():
    for brick in (HalfSquaredError(), MeanSquaredError(), SigmoidCrossEntropy()):
        assert both(brick, [[0.5]], np.array([[1]], np.int32))[1][1] is None
    assert both(CrossEntropy(), [[0.5, 0.5]], np.array([1], np.int32))[1][1] is None
    assert both(SoftmaxCrossEntropy(), [[0.5, 0.5]], np.array([[0, 1]], np.int32))[1][1] is None


def test_cross_entropy_by_hand():
    loss, (dp, dt) = both(CrossEntropy(), [[0.25, 0.75]], [[1.0, 0.0]])
    assert loss[0] == pytest.approx(math.log(4.0))
    np.testing.assert_allclose(dp, [[-4.0, 0.0]])
    np.testing.assert_allclose(dt, [[math.log(4.0), math.log(4 / 3)]])
    assert both(CrossEntropy(), [[0.25, 0.75]], [1])[0][0] == pytest.approx(math.log(4 / 3))


def test_cross_entropy_at_zero():
    """p = 0 where t is not: infinite; where t is 0 it does not matter."""
    loss, (dp, _) = both(CrossEntropy(), [[0.0, 1.0], [0.0, 1.0]], [0, 1])
    assert loss.tolist() == [math.inf, 0.0]
    assert dp.tolist() == [[-math.inf, 0.0], [0.0, -1.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_lectures_clip(dtype):
    p = np.array([[0.0, 1.0]], dtype)
    loss, saved = CrossEntropy(clip=1e-7).forward({}, p, np.array([0]), ctx=Context())
    assert loss[0] == pytest.approx(16.118, abs=5e-4)
    assert loss[0] == pytest.approx(-math.log(1e-7), rel=1e-6)
    dp = CrossEntropy(clip=1e-7).backward({}, saved, np.ones(1, dtype))[0][0]
    assert dp.tolist() == [[0.0, 0.0]], "outside of the clip the loss is flat"
    right, _ = CrossEntropy(clip=1e-7).forward({}, p, np.array([1]), ctx=Context())
    assert right[0] == pytest.approx(1e-7, rel=0.3)


def test_clip_range():
    for cls in (CrossEntropy, BinaryCrossEntropy):
        with pytest.raises(
            ParameterError, match=rf"{cls.__name__}: `clip` must be None or in \(0, 0.5\); got clip=0.5"
        ):
            cls(clip=0.5)


def test_softmax_cross_entropy_is_the_pair():
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    loss, (dx, _) = both(SoftmaxCrossEntropy(), x, t)
    p = Softmax()(x)
    np.testing.assert_allclose(loss, both(CrossEntropy(), p, t)[0], rtol=1e-13)
    np.testing.assert_allclose(dx, p - np.eye(4)[t], atol=1e-15)
    one_hot = both(SoftmaxCrossEntropy(), x, np.eye(4)[t])
    np.testing.assert_allclose(one_hot[0], loss, rtol=1e-14)
    np.testing.assert_allclose(one_hot[1][0], dx, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_cross_entropy_is_stable(dtype):
    x = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], dtype)
    loss, saved = SoftmaxCrossEntropy().forward({}, x, np.array([1, 1]), ctx=Context())
    np.testing.assert_allclose(loss, [2e4, math.log(2.0)], rtol=1e-6)
    dx = SoftmaxCrossEntropy().backward({}, saved, np.ones(2, dtype))[0][0]
    np.testing.assert_allclose(dx, [[1.0, -1.0, 0.0], [0.0, -0.5, 0.5]], atol=1e-7)


def test_equal_logits_cost_the_logarithm_of_the_classes():
    assert both(SoftmaxCrossEntropy(), np.zeros((1, 10)), [3])[0][0] == pytest.approx(math.log(10.0))


def test_sequences_are_averaged():
    x, t = np.zeros((1, 2, 4)), np.array([[0, 3]])
    loss, (dx, _) = both(SoftmaxCrossEntropy(), x, t)
    assert loss[0] == pytest.approx(math.log(4.0))
    np.testing.assert_allclose(dx[0, 0], [-0.375, 0.125, 0.125, 0.125])
    loss, (dp, _) = both(CrossEntropy(), np.full((1, 2, 4), 0.25), t)
    assert loss[0] == pytest.approx(math.log(4.0))
    np.testing.assert_allclose(dp[0, 1], [0.0, 0.0, 0.0, -2.0])


def test_binary_losses_by_hand():
    loss, (dp, dt) = both(BinaryCrossEntropy(), [[0.25, 0.5]], [[1.0, 0.0]])
    assert loss[0] == pytest.approx((math.log(4.0) + math.log(2.0)) / 2)
    np.testing.assert_allclose(dp, [[-2.0, 1.0]])
    np.testing.assert_allclose(dt, [[math.log(3.0) / 2, 0.0]])
    x = np.array([[-2.0, 0.0, 3.0]])
    t = np.array([[1.0, 0.5, 0.0]])
    paired = both(BinaryCrossEntropy(), Sigmoid()(x), t)[0]
    np.testing.assert_allclose(both(SigmoidCrossEntropy(), x, t)[0], paired, rtol=1e-14)


def test_binary_cross_entropy_at_its_ends():
    p, t = [[0.0], [1.0], [0.0], [1.0]], [[0.0], [1.0], [1.0], [0.0]]
    loss, (dp, _) = both(BinaryCrossEntropy(), p, t)
    assert loss.tolist() == [0.0, 0.0, math.inf, math.inf]
    assert dp.tolist() == [[1.0], [-1.0], [-math.inf], [math.inf]]
    clipped, (dp, _) = both(BinaryCrossEntropy(clip=1e-7), p, t)
    np.testing.assert_allclose(clipped, [1e-7, 1e-7, 16.118, 16.118], rtol=1e-4)
    assert dp.tolist() == [[0.0]] * 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cross_entropy_is_stable(dtype):
    x = np.array([[-1e4], [1e4], [-1e4], [1e4]], dtype)
    t = np.array([[0.0], [1.0], [1.0], [0.0]], dtype)
    loss, saved = SigmoidCrossEntropy().forward({}, x, t, ctx=Context())
    assert loss.tolist() == [0.0, 0.0, 1e4, 1e4]
    dx = SigmoidCrossEntropy().backward({}, saved, np.ones(4, dtype))[0][0]
    assert dx.tolist() == [[0.0], [0.0], [-1.0], [1.0]]


def test_weighted_mean_divides_by_the_rows():
    """As Keras: over the number of rows, not over the sum of the weights."""
    loss, (dl, dw) = both(WeightedMean(0.5), [1.0, 2.0], np.array([4.0, 0.0]))
    assert loss == 1.0
    assert dl.tolist() == [1.0, 0.0]
    assert dw.tolist() == [0.25, 0.5]


def test_float32_scalars_stay_float32():
    x = np.ones(3, np.float32)
    y, saved = WeightedMean(0.3).forward({}, x, x, ctx=Context())
    assert y.dtype == np.float32
    assert all(dx.dtype == np.float32 for dx in WeightedMean(0.3).backward({}, saved, y)[0])


def test_shapes():
    assert HalfSquaredError().output_shape((None, 3), (None, 3)) == (None,)
    assert HalfSquaredError().output_shape((None,), (None,)) == (None,)
    assert SoftmaxCrossEntropy().output_shape((None, 10), (None,)) == (None,)
    assert SoftmaxCrossEntropy().output_shape((None, 10), (None, 10)) == (None,)
    assert CrossEntropy().output_shape((None, 5, 10), (None, 5)) == (None,)
    assert WeightedMean().output_shape((None,), (None,)) == ()


@pytest.mark.parametrize(
    ("brick", "y", "t", "message"),
    [
        (
            HalfSquaredError(),
            (None, 3),
            (None, 4),
            r"HalfSquaredError .* equal shapes; it received y \(N, 3\) and t \(N, 4\)\. Give the last",
        ),
        (
            MeanSquaredError(),
            (None, 28, 10),
            (None, 28),
            r"MeanSquaredError takes y and t of equal shapes; it received y \(N, 28, 10\) and t \(N, 28\)",
        ),
        (
            SigmoidCrossEntropy(),
            (None, 1),
            (None,),
            r"received y \(N, 1\) and t \(N,\)\. Bring the output of the network .* to one shape",
        ),
        (
            SoftmaxCrossEntropy(),
            (None, 28, 10),
            (None,),
            r"takes t of shape \(N, 28\), .* or \(N, 28, 10\), distributions; .*\(N,\)\. .*Flatten",
        ),
        (
            CrossEntropy(),
            (None, 10),
            (None, 1),
            r"class numbers, or \(N, 10\), .* \(N, 1\)\. Take the last axis off .* \(N,\)\.",
        ),
        (
            CrossEntropy(),
            (None,),
            (None,),
            r"CrossEntropy takes x of shape \(N, …, C\), at least 2 axes; .*\(N,\), 1 axis",
        ),
        (
            HalfSquaredError(),
            (),
            (),
            r"HalfSquaredError takes x of shape \(N, …\), at least 1 axis; it received \(\)",
        ),
        (
            WeightedMean(),
            (None, 3),
            (None,),
            r"takes losses and weights of shape \(N,\); .* \(N, 3\) and \(N,\)\. Put a loss brick before it",
        ),
    ],
)
def test_messages(brick, y, t, message):
    with pytest.raises(ShapeError, match=message):
        brick.output_shape(y, t)


def test_distance_to_the_clip():
    p = np.array([[0.3, 0.75]])
    assert CrossEntropy().distance_to_kink(p, p) == math.inf
    assert CrossEntropy(clip=0.2).distance_to_kink(p, p) == pytest.approx(0.05)
