"""Pooling on numbers worked by hand: winners, ties, counts at the border, messages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import AveragePooling2D, Context, GlobalAveragePooling2D, MaxPooling2D
from brickwork.errors import ParameterError, ShapeError

INFERENCE = Context()
X = np.arange(16.0).reshape(1, 4, 4, 1)


def both(brick, x, dy=None):
    y, saved = brick.forward({}, x, ctx=INFERENCE)
    return y, brick.backward({}, saved, np.ones_like(y) if dy is None else dy)[0][0], saved


def test_max_by_hand():
    y, dx, _ = both(MaxPooling2D(), X, np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1))
    assert y[0, :, :, 0].tolist() == [[5.0, 7.0], [13.0, 15.0]]
    assert dx[0, :, :, 0].tolist() == [[0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]


def test_overlapping_windows_add_their_gradients():
    x = np.array([[0.0, 9.0, 0.0]]).reshape(1, 1, 3, 1)
    y, dx, _ = both(MaxPooling2D((1, 2), 1), x, np.array([1.0, 10.0]).reshape(1, 1, 2, 1))
    assert y[0, 0, :, 0].tolist() == [9.0, 9.0]
    assert dx[0, 0, :, 0].tolist() == [0.0, 11.0, 0.0]


@pytest.mark.parametrize("place", range(4))
def test_of_equal_numbers_the_first_wins(place):
    """Row by row: of places `place` to 3 that are equal, `place` takes the gradient."""
    x = np.array([5.0 if index >= place else 1.0 for index in range(4)]).reshape(1, 2, 2, 1)
    _, dx, _ = both(MaxPooling2D(), x)
    assert dx.reshape(-1).tolist() == [1.0 if index == place else 0.0 for index in range(4)]


def test_a_later_equal_number_does_not_win_again():
    """3 1 / 3 2: the winner stays place 0 although place 2 is equal; then 1 3 / 3 2: place 1."""
    for values, winner in (([3.0, 1.0, 3.0, 2.0], 0), ([1.0, 3.0, 3.0, 2.0], 1), ([1.0, 2.0, 1.0, 2.0], 1)):
        _, dx, _ = both(MaxPooling2D(), np.array(values).reshape(1, 2, 2, 1))
        assert int(np.argmax(dx)) == winner


def test_padding_never_wins():
    x = np.full((1, 3, 3, 1), -7.0)
    for brick in (MaxPooling2D(2, padding="same"), MaxPooling2D(3, 1, padding=((2, 2), (1, 1)))):
        y, dx, _ = both(brick, x)
        assert np.all(y == -7.0)
        assert dx.sum() == y.size


def test_the_winner_is_a_byte_up_to_256_places():
    small = np.random.default_rng(0).standard_normal((1, 16, 16, 1))
    assert both(MaxPooling2D(16), small)[2][1].dtype == np.uint8
    large = np.random.default_rng(0).standard_normal((1, 16, 17, 1))
    y, dx, saved = both(MaxPooling2D((16, 17)), large)
    assert saved[1].dtype == np.uint16
    assert np.argmax(dx) == np.argmax(large)
    last = np.zeros((1, 16, 17, 1))
    last[0, 15, 16, 0] = 1.0
    assert np.argmax(both(MaxPooling2D((16, 17)), last)[1]) == 271


def test_average_by_hand():
    y, dx, _ = both(AveragePooling2D(), X, np.array([4.0, 8.0, 12.0, 16.0]).reshape(1, 2, 2, 1))
    assert y[0, :, :, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert dx[0, :, :, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_average_does_not_count_the_padding():
    x = np.array([1.0, 2.0, 6.0]).reshape(1, 1, 3, 1)
    y, dx, _ = both(AveragePooling2D((1, 2), padding="same"), x)
    assert y[0, 0, :, 0].tolist() == [1.5, 6.0]
    assert dx[0, 0, :, 0].tolist() == [0.5, 0.5, 1.0]
    y, _, _ = both(AveragePooling2D((1, 3), 1, padding=((0, 0), (2, 0))), x)
    assert y[0, 0, :, 0].tolist() == [1.0, 1.5, 3.0]


def test_what_does_not_fill_a_window_is_left_out():
    y, dx, _ = both(MaxPooling2D(), np.arange(25.0).reshape(1, 5, 5, 1))
    assert y.shape == (1, 2, 2, 1)
    assert dx.shape == (1, 5, 5, 1)
    assert dx[0, 4].sum() == 0.0


def test_global_average_by_hand():
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    y, dx, _ = both(GlobalAveragePooling2D(), x, np.array([[4.0, 8.0]]))
    assert y.tolist() == [[3.0, 4.0]]
    assert dx[0, 1, 0].tolist() == [1.0, 2.0]
    assert both(GlobalAveragePooling2D(keepdims=True), x)[0].shape == (1, 1, 1, 2)


def test_shapes():
    assert MaxPooling2D().output_shape((None, 28, 28, 32)) == (None, 14, 14, 32)
    assert MaxPooling2D(3, 2, padding="same").output_shape((None, 5, None, 1)) == (None, 3, None, 1)
    assert AveragePooling2D((2, 3), (1, 2)).output_shape((8, 5, 6, 1)) == (8, 4, 2, 1)
    assert GlobalAveragePooling2D().output_shape((None, None, None, 7)) == (None, 7)
    assert GlobalAveragePooling2D(keepdims=True).output_shape((None, 3, 3, 7)) == (None, 1, 1, 7)


@pytest.mark.parametrize("brick", [MaxPooling2D(), AveragePooling2D(), GlobalAveragePooling2D()])
def test_not_an_image(brick):
    name = type(brick).__name__
    with pytest.raises(
        ShapeError, match=rf"{name} takes x of shape \(N, H, W, C\), 4 axes; .*\(N, 10\), 2 axes\. Put"
    ):
        brick.output_shape((None, 10))


def test_an_image_that_is_too_small():
    with pytest.raises(
        ShapeError, match=r"MaxPooling2D with a window of \(2, 2\) takes x with at least 2 rows"
    ):
        MaxPooling2D().output_shape((None, 1, 5, 3))


@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
def test_padding_is_smaller_than_the_window(cls):
    message = r"`padding` must be smaller than .*got padding=\(\(2, 0\), \(0, 0\)\) with pool_size=\(2, 2\)"
    with pytest.raises(ParameterError, match=message):
        cls(2, padding=((2, 0), (0, 0)))


def test_distance_to_a_tie():
    x = np.array([1.0, 5.0, 4.25, 2.0]).reshape(1, 2, 2, 1)
    assert MaxPooling2D().distance_to_kink(x) == 0.75
    assert MaxPooling2D(1).distance_to_kink(x) == math.inf
    assert AveragePooling2D().distance_to_kink(x) == math.inf


def test_max_passes_nan_on():
    x = np.array([1.0, np.nan, 2.0, 3.0]).reshape(1, 2, 2, 1)
    assert np.isnan(both(MaxPooling2D(), x)[0]).all()
