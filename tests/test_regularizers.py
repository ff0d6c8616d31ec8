"""Penalties and their gradients."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from brickwork import regularizers
from brickwork.errors import ShapeError
from brickwork.regularizers import L1, L1L2, L2, OrthogonalRegularizer

W = np.array([[1.0, -2.0], [0.0, 0.5]])
CASES = [
    (L1(0.1), 0.35, [[0.1, -0.1], [0, 0.1]]),
    (L2(0.1), 0.525, [[0.2, -0.4], [0, 0.1]]),
    (L1L2(0.1, 0.2), 1.4, [[0.5, -0.9], [0, 0.3]]),
    (L1L2(), 0.0, [[0, 0], [0, 0]]),
    (OrthogonalRegularizer(5**1.5), 10.0, [[-2, -1], [-10, 0]]),
]
DRAWN = [L1(0.1), L2(0.1), L1L2(0.1, 0.2), OrthogonalRegularizer(0.3), OrthogonalRegularizer(0.3, "columns")]


@pytest.mark.parametrize("regularizer, penalty, gradient", CASES, ids=repr)
def test_numbers_by_hand(regularizer, penalty, gradient):
    assert float(regularizer(W)) == pytest.approx(penalty)
    np.testing.assert_allclose(regularizer.gradient(W), gradient, atol=1e-14)


@pytest.mark.parametrize("regularizer", DRAWN, ids=repr)
def test_gradient_is_the_derivative_of_the_penalty(regularizer, rng):
    w, direction = rng.normal(size=(2, 4, 3))
    eps = 1e-6
    slope = (regularizer.penalty(w + eps * direction) - regularizer.penalty(w - eps * direction)) / (2 * eps)
    assert float((regularizer.gradient(w) * direction).sum()) == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize("regularizer", DRAWN, ids=repr)
def test_keeps_float32_and_agrees_under_jit(regularizer, rng):
    w = rng.normal(size=(4, 3)).astype(np.float32)
    w.flags.writeable = False
    assert regularizer.penalty(w).dtype == regularizer.gradient(w).dtype == np.float32
    np.testing.assert_allclose(jax.jit(regularizer.penalty)(w), regularizer.penalty(w), rtol=1e-6)
    np.testing.assert_allclose(
        jax.jit(regularizer.gradient)(w), regularizer.gradient(w), rtol=1e-6, atol=1e-7
    )


def test_defaults_and_none_are_keras_ones():
    assert L1().l1 == L1(None).l1 == L2().l2 == L2(None).l2 == 0.01
    assert L1L2().get_config() == L1L2(None, None).get_config() == {"l1": 0.0, "l2": 0.0}
    assert (regularizers.l1, regularizers.l2, regularizers.l1_l2) == (L1, L2, L1L2)


def test_right_angles_and_single_rows_cost_nothing():
    assert float(OrthogonalRegularizer()(3.0 * np.eye(4))) == 0.0
    assert float(OrthogonalRegularizer()(np.ones((1, 4)))) == 0.0
    assert not OrthogonalRegularizer().gradient(np.ones((1, 4))).any()
    zeros = np.zeros((3, 2))
    assert float(OrthogonalRegularizer()(zeros)) == 0.0 and not OrthogonalRegularizer().gradient(zeros).any()


@pytest.mark.parametrize("shape", [(3,), (2, 2, 3, 4)])
def test_right_angles_are_of_matrices(shape):
    for call in (OrthogonalRegularizer(), OrthogonalRegularizer().gradient):
        with pytest.raises(ShapeError, match=r"OrthogonalRegularizer takes a matrix.*Choose L2 for other"):
            call(np.ones(shape))
