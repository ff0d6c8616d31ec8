"""Batch normalization, its running statistics, and the fixed maps of the data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import BatchNormalization, Context, Normalization, Rescaling
from brickwork.errors import ParameterError, ShapeError

TRAINING = Context(training=True)


def test_batch_statistics_by_hand():
    """1 and 3: mean 2, variance 1 (divided by m, not m - 1)."""
    brick = BatchNormalization(epsilon=3.0)
    params = {"gamma": np.array([4.0]), "beta": np.array([10.0])}
    y, saved = brick.forward(params, np.array([[1.0], [3.0]]), ctx=TRAINING)
    assert y.tolist() == [[8.0], [12.0]]
    _, gradients = brick.backward(params, saved, np.array([[1.0], [5.0]]))
    assert gradients["beta"].tolist() == [6.0]
    assert gradients["gamma"].tolist() == [2.0]


def test_running_statistics_follow_kerass_convention():
    """running = momentum * running + (1 - momentum) * the batch's; the variance is divided by m."""
    brick = BatchNormalization(momentum=0.9)
    params = {"gamma": np.ones(1), "beta": np.zeros(1)}
    state = {"running_mean": np.array([1.0]), "running_var": np.array([5.0])}
    _, saved = brick.forward(params, np.array([[1.0], [3.0]]), ctx=TRAINING)
    after = brick.next_state(state, saved)
    assert after["running_mean"].item() == pytest.approx(0.9 * 1.0 + 0.1 * 2.0)
    assert after["running_var"].item() == pytest.approx(0.9 * 5.0 + 0.1 * 1.0)
    assert state["running_mean"].tolist() == [1.0], "next_state is pure"


def test_inference_uses_the_running_statistics():
    brick = BatchNormalization(epsilon=1.0)
    params = {"gamma": np.array([2.0]), "beta": np.array([1.0])}
    ctx = Context(training=False, state={"running_mean": np.array([4.0]), "running_var": np.array([8.0])})
    y, saved = brick.forward(params, np.array([[10.0]]), ctx=ctx)
    assert y.tolist() == [[5.0]]
    assert brick.next_state(ctx.state, saved) is ctx.state
    (dx,), gradients = brick.backward(params, saved, np.array([[3.0]]))
    assert dx.tolist() == [[2.0]]
    assert gradients["gamma"].tolist() == [6.0]


def test_state_starts_as_in_keras():
    specs = BatchNormalization().state((None, 5))
    assert {name: (spec.shape, spec.start) for name, spec in specs.items()} == {
        "running_mean": ((5,), 0.0),
        "running_var": ((5,), 1.0),
    }
    config = BatchNormalization().get_config()
    assert (config["momentum"], config["epsilon"], config["axis"]) == (0.99, 1e-3, -1)


def test_flags_drop_parameters():
    assert set(BatchNormalization().parameters((None, 3))) == {"gamma", "beta"}
    assert set(BatchNormalization(center=False).parameters((None, 3))) == {"gamma"}
    assert set(BatchNormalization(scale=False).parameters((None, 3))) == {"beta"}


def test_a_far_mean_costs_no_digits():
    """E[x²] - E[x]² would be off by 0.9 % here."""
    x = (100.0 + 0.1 * np.random.default_rng(0).standard_normal((4000, 3))).astype(np.float32)
    brick = BatchNormalization(scale=False, center=False)
    _, (_, _, mean, var) = brick.forward({}, x, ctx=TRAINING)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(var, exact.var(axis=0), rtol=1e-4)


def test_one_sample_and_equal_samples_give_zero():
    brick = BatchNormalization()
    params = {"gamma": np.ones(2), "beta": np.array([0.5, -0.5])}
    for x in (np.array([[3.0, 1e4]]), np.full((5, 2), -1e4)):
        y, saved = brick.forward(params, x, ctx=TRAINING)
        assert np.all(y == params["beta"])
        assert np.isfinite(brick.backward(params, saved, np.ones_like(y))[0][0]).all()


def test_axis_messages():
    with pytest.raises(
        ShapeError, match=r"BatchNormalization takes an axis in \[1, 1\].*received axis=0 with \(N, 3\)"
    ):
        BatchNormalization(axis=0).output_shape((None, 3))
    with pytest.raises(ShapeError, match=r"takes an axis after the batch axis for x of 1 axis"):
        BatchNormalization().output_shape((None,))
    with pytest.raises(ShapeError, match=r"BatchNormalization needs to know the size of axis 1; .*\(N, \?\)"):
        BatchNormalization().output_shape((None, None))


def test_rescaling_by_hand():
    assert Rescaling(1 / 127.5, offset=-1.0)(np.array([[0.0, 255.0]])).tolist() == [[-1.0, 1.0]]
    assert Rescaling((2.0, 3.0), (0.0, 1.0))(np.array([[1.0, 1.0]])).tolist() == [[2.0, 4.0]]


def test_normalization_by_hand():
    brick = Normalization((1.0, 2.0), (4.0, 0.0))
    y, saved = brick.forward({}, np.array([[5.0, 2.0]]), ctx=Context())
    assert y.tolist() == [[2.0, 0.0]]
    dx = brick.backward({}, saved, np.array([[1.0, 1.0]]))[0][0]
    np.testing.assert_allclose(dx, [[0.5, 1e7]])


def test_a_feature_that_never_changes_gives_zero():
    assert Normalization(7.0, 0.0)(np.array([[7.0]])).tolist() == [[0.0]]


def test_numbers_and_features_must_match():
    with pytest.raises(
        ShapeError, match=r"Normalization with 2 numbers in `mean` takes x of shape \(N, …, 2\); .*\(N, 3\)"
    ):
        Normalization((1.0, 2.0), (1.0, 1.0)).output_shape((None, 3))
    with pytest.raises(
        ShapeError, match=r"Rescaling with 2 numbers in `offset` takes x of shape \(N, …, 2\)"
    ):
        Rescaling(1.0, (1.0, 2.0)).output_shape((None, 3))
    with pytest.raises(
        ParameterError, match=r"`mean` and `variance` must hold equally many numbers; got 2 and 1\. Take"
    ):
        Normalization((1.0, 2.0), 1.0)
    with pytest.raises(
        ParameterError, match=r"Normalization: `variance` must be a finite number of at least 0"
    ):
        Normalization(0.0, -1.0)


def test_any_rank_where_numbers_are_single():
    assert Rescaling(math.pi).output_shape((None,)) == (None,)
    assert Normalization(0.0, 1.0).output_shape((None, None, 3)) == (None, None, 3)
