"""Flatten, Reshape, Slice and Sum: where numbers go, and back."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import Context, Flatten, Reshape, Slice, Sum
from brickwork.errors import ParameterError, ShapeError

X = np.arange(24.0).reshape(2, 3, 4)


def both(brick, x, dy=None):
    y, saved = brick.forward({}, x, ctx=Context())
    return y, brick.backward({}, saved, np.ones_like(y) if dy is None else dy)[0][0]


def test_flatten_is_row_major():
    y, dx = both(Flatten(), X, X.reshape(2, 12))
    assert y[0].tolist() == list(range(12))
    np.testing.assert_array_equal(dx, X)


def test_flatten_shapes():
    assert Flatten().output_shape((None, 7, 7, 64)) == (None, 3136)
    assert Flatten().output_shape((None, None, 3)) == (None, None)
    assert Flatten().output_shape((None,)) == (None, 1)
    assert Flatten()(np.ones((0, 3, 4))).shape == (0, 12)
    with pytest.raises(
        ShapeError, match=r"Flatten takes x of shape \(N, …\), at least 1 axis; .*\(\), 0 axes\. Give it"
    ):
        Flatten().output_shape(())


def test_reshape_shapes():
    assert Reshape((28, 28, 1)).output_shape((None, 784)) == (None, 28, 28, 1)
    assert Reshape((-1, 4)).output_shape((None, 6, 2)) == (None, 3, 4)
    assert Reshape((-1, 4)).output_shape((None, None, 2)) == (None, None, 4)
    assert Reshape((2, 6)).output_shape((None, None, 2)) == (None, 2, 6)
    assert Reshape(12).target_shape == (12,)
    assert Reshape([3, 4]).target_shape == (3, 4)
    assert Reshape((-1, 4))(np.ones((0, 6, 2))).shape == (0, 3, 4)


def test_reshape_messages():
    message = r"Reshape to \(N, 28, 28\) takes 784 numbers .* \(N, 100\), 100\. Take a target_shape"
    with pytest.raises(ShapeError, match=message):
        Reshape((28, 28)).output_shape((None, 100))
    with pytest.raises(
        ShapeError, match=r"takes a multiple of 7 numbers a sample; it received \(N, 100\), 100"
    ):
        Reshape((7, -1)).output_shape((None, 100))
    with pytest.raises(
        ParameterError, match=r"Reshape: `target_shape` must be .* one of which may be -1; got"
    ):
        Reshape((-1, -1))


@pytest.mark.parametrize(
    ("brick", "index"),
    [
        (Slice(1, 1, 3), np.s_[:, 1:3]),
        (Slice(-1, 0, 4, 2), np.s_[:, :, 0:4:2]),
        (Slice(-1, 1, None, 2), np.s_[:, :, 1::2]),
        (Slice(2, -3, -1), np.s_[:, :, -3:-1]),
        (Slice(2, stop=100), np.s_[:, :, :100]),
        (Slice(2, 3, 4, 3), np.s_[:, :, 3:4:3]),
        (Slice(2, step=3), np.s_[:, :, ::3]),
    ],
    ids=repr,
)
def test_slice_is_pythons(brick, index):
    rng = np.random.default_rng(0)
    dy = rng.standard_normal(X[index].shape)
    y, dx = both(brick, X, dy)
    np.testing.assert_array_equal(y, X[index])
    expected = np.zeros_like(X)
    expected[index] = dy
    np.testing.assert_array_equal(dx, expected)
    assert brick.output_shape((None, 3, 4)) == (None, *y.shape[1:])


def test_slice_messages():
    with pytest.raises(
        ShapeError, match=r"Slice takes an axis in \[1, 2\].*received axis=0 .*slice the data instead"
    ):
        Slice(0, 1).output_shape((None, 3, 4))
    with pytest.raises(
        ShapeError, match=r"at least one place of axis 1; start=5, stop=9 of \(N, 3\) leaves none\. Choose"
    ):
        Slice(1, 5, 9).output_shape((None, 3))
    assert Slice(1, 5, 9).output_shape((None, None)) == (None, None)
    with pytest.raises(
        ParameterError, match="Slice: `step` must be a whole number of at least 1; got step=0"
    ):
        Slice(1, step=0)


@pytest.mark.parametrize(
    ("brick", "axes"),
    [(Sum(), (1, 2)), (Sum(1), 1), (Sum((0, -1)), (0, 2)), (Sum(0), 0), (Sum((0, 1, 2)), (0, 1, 2))],
    ids=repr,
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_sum_is_numpys(brick, axes, keepdims):
    brick = Sum(brick.axis, keepdims=keepdims)
    y, dx = both(brick, X)
    np.testing.assert_array_equal(y, X.sum(axis=axes, keepdims=keepdims))
    np.testing.assert_array_equal(dx, np.ones_like(X))
    assert brick.output_shape(X.shape) == np.shape(y)


def test_sum_shapes_and_batches():
    assert Sum().output_shape((None, None, 3)) == (None,)
    assert Sum().output_shape((None,)) == (None,)
    assert Sum(-1, keepdims=True).output_shape((None, 3)) == (None, 1)
    assert Sum(0).output_shape((None, 3)) == (3,)
    assert [Sum(axis).mixes_samples for axis in (None, 1, -1, 0, (1, 0))] == [False, False, False, True, True]


def test_sum_messages():
    with pytest.raises(
        ShapeError, match=r"Sum takes axes in \[-1, 1\] for x of 2 axes; .*axis=2 with \(N, 3\)"
    ):
        Sum(2).output_shape((None, 3))
    with pytest.raises(ShapeError, match=r"axis=-2 with \(N, 3\)\. Write 0 to sum over the batch axis"):
        Sum(-2).output_shape((None, 3))
    with pytest.raises(
        ShapeError, match=r"Sum takes each axis once; it received axis=\(1, -1\) with \(N, 3\)\. Name"
    ):
        Sum((1, -1)).output_shape((None, 3))
    with pytest.raises(
        ShapeError, match=r"Sum takes x with at least 1 axis; it received \(\)\. Leave the sum out"
    ):
        Sum().output_shape(())
    with pytest.raises(
        ParameterError, match=r"Sum: `axis` must name at least one axis; got axis=\(\)\. Write"
    ):
        Sum(())
