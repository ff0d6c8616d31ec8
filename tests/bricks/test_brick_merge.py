"""Bricks with several inputs, by hand; broadcasting and its adjoint."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import Add, Concatenate, Context, Maximum, Multiply, unbroadcast
from brickwork.errors import ShapeError


def both(brick, *xs, dy=None):
    xs = [np.asarray(x, float) for x in xs]
    y, saved = brick.forward({}, *xs, ctx=Context())
    return y, brick.backward({}, saved, np.ones_like(y) if dy is None else np.asarray(dy, float))[0]


def test_the_first_page():
    """f = (x + y) z at -2, 5, -4: -12; the gradients are -4, -4, 3."""
    total, kept = Add().forward({}, np.array(-2.0), np.array(5.0), ctx=Context())
    f, saved = Multiply().forward({}, total, np.array(-4.0), ctx=Context())
    assert f == -12.0
    dtotal, dz = Multiply().backward({}, saved, np.array(1.0))[0]
    dx, dy = Add().backward({}, kept, dtotal)[0]
    assert (dx, dy, dz) == (-4.0, -4.0, 3.0)
    assert float(Multiply()(Add()(-2.0, 5.0), -4.0)) == -12.0


def test_products_leave_one_out():
    y, dxs = both(Multiply(), [2.0], [3.0], [5.0])
    assert y.tolist() == [30.0]
    assert [dx.item() for dx in dxs] == [15.0, 10.0, 6.0]
    _, dxs = both(Multiply(), [0.0], [0.0], [5.0])
    assert [dx.item() for dx in dxs] == [0.0, 0.0, 0.0], "no division by an input"


def test_the_same_array_twice():
    x = np.array([3.0])
    y, saved = Multiply().forward({}, x, x, ctx=Context())
    first, second = Multiply().backward({}, saved, np.ones(1))[0]
    assert y.item() == 9.0
    assert first.item() + second.item() == 6.0


def test_maximum_gives_the_gradient_to_the_first_of_equals():
    y, dxs = both(
        Maximum(), [1.0, 7.0, 4.0, 2.0], [5.0, 7.0, 4.0, 1.0], [5.0, 7.0, 9.0, 0.0], dy=[1, 2, 3, 4]
    )
    assert y.tolist() == [5.0, 7.0, 9.0, 2.0]
    assert [dx.tolist() for dx in dxs] == [[0, 2, 0, 4], [1, 0, 0, 0], [0, 0, 3, 0]]


def test_maximum_distance():
    assert Maximum().distance_to_kink(np.array([1.0, 5.0]), np.array([2.0, 5.25])) == 0.25


def test_broadcast_gradients_are_summed():
    _, (dx, db) = both(Add(), np.zeros((2, 3)), np.zeros((1, 3)), dy=[[1, 2, 3], [10, 20, 30]])
    assert dx.shape == (2, 3)
    assert db.tolist() == [[11.0, 22.0, 33.0]]
    _, (dx, db) = both(Multiply(), np.full((2, 3), 2.0), np.array(5.0))
    assert dx.tolist() == [[5.0] * 3] * 2
    assert db == 12.0


def test_unbroadcast():
    dy = np.arange(6.0).reshape(1, 2, 3)
    assert unbroadcast(dy, np.zeros((2, 3))).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert unbroadcast(dy, np.zeros((2, 1))).tolist() == [[3.0], [12.0]]
    assert unbroadcast(dy, np.zeros(3)).tolist() == [3.0, 5.0, 7.0]
    assert unbroadcast(dy, np.zeros(())).shape == ()
    assert unbroadcast(dy, np.ones((1, 2, 3))) is dy


def test_concatenate_by_hand():
    y, dxs = both(Concatenate(), [[1.0, 2.0]], [[3.0]], [[4.0, 5.0]], dy=[[1, 2, 3, 4, 5]])
    assert y.tolist() == [[1.0, 2.0, 3.0, 4.0, 5.0]]
    assert [dx.tolist() for dx in dxs] == [[[1, 2]], [[3]], [[4, 5]]]


@pytest.mark.parametrize("brick", [Add(), Multiply(), Maximum()])
def test_shapes(brick):
    assert brick.output_shape((None, 3), (None, 3)) == (None, 3)
    assert brick.output_shape((None, 1), (None, 3), (1, 1)) == (None, 3)
    assert brick.output_shape((None, 4, 5), (5,)) == (None, 4, 5)
    assert brick.output_shape((None, None, 5), (None, 4, 1)) == (None, 4, 5)
    assert brick.output_shape((), (None, 2)) == (None, 2)
    assert brick.output_shape((), ()) == ()


@pytest.mark.parametrize("brick", [Add(), Multiply(), Maximum(), Concatenate()])
def test_one_input_is_too_few(brick):
    name = type(brick).__name__
    with pytest.raises(
        ShapeError, match=f"{name} takes at least 2 inputs; it received 1. Name all the nodes"
    ):
        brick.output_shape((None, 3))
    with pytest.raises(ShapeError, match="it received 0"):
        brick.output_shape()


def test_shapes_that_do_not_broadcast():
    message = r"Add takes shapes that broadcast: .* \(N, 3\) and \(N, 4\)\. Bring 3 and 4"
    with pytest.raises(ShapeError, match=message):
        Add().output_shape((None, 3), (None, 4))
    message = r"in \(N, 7, 5\) and \(N, 5\) .* meets another axis\. Put a Reshape before \(N, 5\)"
    with pytest.raises(ShapeError, match=message):
        Add().output_shape((None, 7, 5), (None, 5))


def test_concatenate_shapes():
    assert Concatenate().output_shape((None, 2), (None, 3), (None, 4)) == (None, 9)
    assert Concatenate(axis=1).output_shape((None, 2, None), (None, 3, 5)) == (None, 5, 5)
    assert Concatenate(axis=1).output_shape((None, None, 5), (None, 3, 5)) == (None, None, 5)
    message = r"equal but for axis 1; it received \(N, 2, 4\) and \(N, 2, 5\)\. Choose another axis"
    with pytest.raises(ShapeError, match=message):
        Concatenate(axis=1).output_shape((None, 2, 4), (None, 2, 5))
    with pytest.raises(ShapeError, match="equal but for axis 1"):
        Concatenate(axis=1).output_shape((None, 2), (None, 2, 5))
    with pytest.raises(
        ShapeError, match=r"Concatenate takes an axis in \[1, 1\].* axis=0 .* join the data instead"
    ):
        Concatenate(axis=0).output_shape((None, 2), (None, 2))
