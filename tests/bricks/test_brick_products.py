"""Products along axes, other merges, axes in another order: numbers worked by hand, and messages."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Average,
    Context,
    Dot,
    Minimum,
    RepeatVector,
    Subtract,
    Transpose,
)
from brickwork.errors import ParameterError, ShapeError

INFERENCE = Context()


def both(brick, *xs, dy=None):
    y, saved = brick.forward({}, *xs, ctx=INFERENCE)
    return y, brick.backward({}, saved, np.ones_like(y) if dy is None else np.asarray(dy))[0]


def test_dot_by_hand():
    y, (da, db) = both(Dot(1), np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), dy=[[10.0]])
    assert y.tolist() == [[11.0]]
    assert (da.tolist(), db.tolist()) == ([[30.0, 40.0]], [[10.0, 20.0]])


@pytest.mark.parametrize(
    ("axes", "formula"),
    [((1, 2), "nkp,nqk->npq"), ((2, 1), "npk,nkq->npq"), (1, "nkp,nkq->npq"), ((-1, 2), "npk,nqk->npq")],
)
def test_dot_is_the_sum_of_products(axes, formula, rng):
    sizes = {"n": 4, "k": 3, "p": 2, "q": 5}
    a, b = (rng.standard_normal([sizes[x] for x in part]) for part in formula.partition("->")[0].split(","))
    np.testing.assert_allclose(Dot(axes)(a, b), np.einsum(formula, a, b), rtol=1e-12)


def test_dot_says_what_does_not_fit():
    with pytest.raises(
        ShapeError, match=r"Dot takes inputs whose axes 1 and 1 have one size; .* \(N, 3\) and"
    ):
        Dot(1).output_shape((None, 3), (None, 4))
    with pytest.raises(ShapeError, match=r"Dot takes 2 inputs; it received 3\. Name the two nodes"):
        Dot(1).output_shape((None, 3), (None, 3), (None, 3))
    with pytest.raises(ShapeError, match=r"Dot takes an axis .* received axis=0 with \(N, 3\)\."):
        Dot(0).output_shape((None, 3), (None, 3))


def test_subtract_average_and_minimum_by_hand():
    a, b, c = np.array([[5.0, 1.0]]), np.array([[2.0, 1.0]]), np.array([[2.0, 7.0]])
    y, (da, db) = both(Subtract(), a, b)
    assert (y.tolist(), da.tolist(), db.tolist()) == ([[3.0, 0.0]], [[1.0, 1.0]], [[-1.0, -1.0]])
    y, gradients = both(Average(), a, b, c)
    assert y.tolist() == [[3.0, 3.0]]
    np.testing.assert_allclose(gradients, np.full((3, 1, 2), 1 / 3))
    y, (da, db, dc) = both(Minimum(), a, b, c)
    assert y.tolist() == [[2.0, 1.0]]
    assert (da.tolist(), db.tolist(), dc.tolist()) == ([[0.0, 1.0]], [[1.0, 0.0]], [[0.0, 0.0]]), "the first"


def test_subtract_takes_two():
    with pytest.raises(ShapeError, match=r"Subtract takes 2 inputs; it received 1\."):
        Subtract().output_shape((None, 3))


def test_transpose_by_hand():
    x = np.arange(6.0).reshape(1, 2, 3)
    y, (dx,) = both(Transpose((0, 2, 1)), x, dy=np.arange(6.0).reshape(1, 3, 2))
    assert y.tolist() == [[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]]
    assert dx.tolist() == [[[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]]
    with pytest.raises(
        ShapeError, match=r"Transpose with axes=\(0, 2, 1\) takes x of 3 axes; .* \(N, 3\), 2 axes\. Name"
    ):
        Transpose((0, 2, 1)).output_shape((None, 3))
    with pytest.raises(ParameterError, match=r"`axes` must be .* axis 0 first, .*axes=\(1, 0\)\."):
        Transpose((1, 0))


def test_repeat_vector_by_hand():
    y, (dx,) = both(RepeatVector(3), np.array([[1.0, 2.0]]), dy=[[[1.0, 0.0], [2.0, 0.0], [4.0, 5.0]]])
    assert y.tolist() == [[[1.0, 2.0]] * 3]
    assert dx.tolist() == [[7.0, 5.0]]
    with pytest.raises(
        ShapeError, match=r"RepeatVector takes x of shape \(N, F\), 2 axes; .* Put Flatten\(\) before"
    ):
        RepeatVector(3).output_shape((None, 3, 4))
