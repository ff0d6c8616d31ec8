"""Transposed and depthwise convolutions, sequences, borders, upsampling on numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import bricks as b
from brickwork.errors import ParameterError, ShapeError

INFERENCE = b.Context()


def both(brick, x, dy=None, **params):
    """y, dx and the gradients of the parameters."""
    y, saved = brick.forward(params, x, ctx=INFERENCE)
    (dx,), gradients = brick.backward(params, saved, np.ones_like(y) if dy is None else dy)
    return y, dx, gradients


def row(*numbers):
    return np.array(numbers, float).reshape(1, 1, -1, 1)


def steps(*numbers):
    return np.array(numbers, float).reshape(1, -1, 1)


def test_each_pixel_adds_its_multiple_of_the_kernel():
    """Stride 1: (1, 2) spread by (1, 10, 100) is 1, 10 + 2, 100 + 20, 200."""
    W = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    y, dx, gradients = both(b.TransposedConvolution2D(1, (1, 3)), row(1, 2), row(1, 0, 0, 3), W=W)
    assert y.ravel().tolist() == [1, 12, 120, 200]
    assert dx.ravel().tolist() == [1, 300]
    assert gradients["W"].ravel().tolist() == [1, 0, 6]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"strides": 2}, [1, 10, 102, 20, 200]),
        ({"strides": 2, "padding": "same"}, [1, 10, 102, 20]),
        ({"strides": 1, "padding": "same"}, [12, 120]),
        ({"strides": 4}, [1, 10, 100, 0, 2, 20, 200, 0]),
        ({"strides": 2, "output_padding": 1}, [1, 10, 102, 20, 200, 0]),
        ({"strides": 2, "padding": "same", "output_padding": 0}, [10, 102, 20]),
        ({"strides": 2, "padding": "same", "output_padding": 1}, [1, 10, 102, 20]),
        ({"dilation_rate": 2}, [1, 2, 10, 20, 100, 200]),
    ],
    ids=repr,
)
def test_sizes_of_transposed_convolutions(options, wanted):
    y, _, _ = both(
        b.TransposedConvolution1D(1, 3, **options),
        steps(1, 2),
        W=np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1),
    )
    assert y.ravel().tolist() == wanted


def test_transposed_is_the_adjoint(rng):
    """<y, C x> = <C* y, x> with the convolution C of the same kernel."""
    x, y = rng.standard_normal((1, 9, 7, 2)), rng.standard_normal((1, 4, 3, 5))
    W = rng.standard_normal((3, 3, 2, 5))
    there = b.Convolution2D(5, 3, strides=2)(x, params={"W": W})
    back = b.TransposedConvolution2D(2, 3, strides=2)(y, params={"W": W})
    assert there.shape == y.shape and back.shape == x.shape
    assert np.sum(y * there) == pytest.approx(np.sum(back * x), rel=1e-12)


def test_channels_keep_to_themselves():
    """Channel 0 with (1, 2) and (3, 4), channel 1 with (5, 6) and (7, 8)."""
    x = np.array([[1.0, 10.0], [2.0, 20.0]]).reshape(1, 2, 2)
    W = np.array([[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]])
    y, dx, gradients = both(b.DepthwiseConvolution1D(2, depth_multiplier=2), x, W=W)
    assert y.tolist() == [[[1 + 6, 2 + 8, 50 + 140, 60 + 160]]]
    assert dx.tolist() == [[[3, 11], [7, 15]]]
    assert gradients["W"].tolist() == [[[1, 1], [10, 10]], [[2, 2], [20, 20]]]


def test_causal_sees_nothing_later():
    W = np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    y, dx, _ = both(b.Convolution1D(1, 3, padding="causal"), steps(1, 2, 3), steps(1, 0, 0), W=W)
    assert y.ravel().tolist() == [100, 210, 321]
    assert dx.ravel().tolist() == [100, 0, 0]


def test_sequences_are_images_of_one_row(rng):
    x = rng.standard_normal((2, 7, 4))
    for one, two in [
        (b.MaxPooling1D(3, 2, padding="same"), b.MaxPooling2D((1, 3), (1, 2), padding="same")),
        (b.AveragePooling1D(2), b.AveragePooling2D((1, 2))),
        (b.UpSampling1D(3), b.UpSampling2D((1, 3))),
        (b.Cropping1D((1, 2)), b.Cropping2D(((0, 0), (1, 2)))),
    ]:
        y, dx, _ = both(one, x)
        y_image, dx_image, _ = both(two, x[:, None])
        np.testing.assert_array_equal(y, y_image[:, 0])
        np.testing.assert_array_equal(dx, dx_image[:, 0])


def test_of_equal_numbers_the_first_is_the_largest():
    y, dx, _ = both(b.GlobalMaxPooling1D(), steps(1, 3, 2, 3), np.array([[5.0]]))
    assert y.tolist() == [[3.0]]
    assert dx.ravel().tolist() == [0, 5, 0, 0]


def test_zeros_around_and_off_again():
    y, dx, _ = both(b.ZeroPadding2D(((1, 0), (0, 2))), row(5), np.arange(6.0).reshape(1, 2, 3, 1))
    assert y[0, :, :, 0].tolist() == [[0, 0, 0], [5, 0, 0]]
    assert dx.ravel().tolist() == [3]
    y, dx, _ = both(b.Cropping2D(((1, 0), (0, 2))), np.arange(6.0).reshape(1, 2, 3, 1))
    assert y.ravel().tolist() == [3]
    assert dx[0, :, :, 0].tolist() == [[0, 0, 0], [1, 0, 0]]


def test_numbers_between_neighbours():
    """Quarter of the way and three quarters; gradients go back by the same weights."""
    y, dx, _ = both(b.UpSampling2D((1, 2), "bilinear"), row(0, 4), row(1, 4, 8, 2))
    assert y.ravel().tolist() == [0, 1, 3, 4]
    assert dx.ravel().tolist() == [1 + 3 + 2, 1 + 6 + 2]
    y, dx, _ = both(b.UpSampling2D((1, 2)), row(0, 4), row(1, 4, 8, 2))
    assert y.ravel().tolist() == [0, 0, 4, 4]
    assert dx.ravel().tolist() == [5, 10]


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_what_is_even_stays_even(interpolation):
    y, _, _ = both(b.UpSampling2D(3, interpolation), np.full((1, 4, 5, 2), 7.0))
    np.testing.assert_allclose(y, 7.0, rtol=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: b.Convolution1D(3, 9).output_shape((None, 4, 2)),
            r"Convolution1D with a window of 9 takes x with at least 9 steps; it received \(N, 4, 2\), 4\.",
        ),
        (
            lambda: b.Convolution1D(3, 2).output_shape((None, 4)),
            r"Convolution1D takes x of shape \(N, T, C\), 3 axes; .* Put Reshape\(\(4, 1\)\) before it\.",
        ),
        (
            lambda: b.MaxPooling1D().output_shape((None, 4, 4, 1)),
            r"MaxPooling1D takes x of shape \(N, T, C\), 3 axes; .* Put Flatten\(\) and Reshape\(\(T, C\)\)",
        ),
        (
            lambda: b.TransposedConvolution2D(3, 2, strides=2, padding="same", output_padding=0).output_shape(
                (None, 1, 2, 1)
            ),
            r"makes y of at least one place; it received \(N, 1, 2, 1\), of which output_padding=\(0, 0\) "
            r"makes \(N, 0, 2, 3\)\. Take a larger",
        ),
        (
            lambda: b.Cropping2D(3).output_shape((None, 6, 7, 1)),
            r"Cropping2D that cuts off 6 rows takes x with at least 7; it received \(N, 6, 7, 1\), 6\. Cut",
        ),
    ],
)
def test_shapes_that_do_not_fit(make, message):
    with pytest.raises(ShapeError, match=message):
        make()


def test_output_padding_is_smaller_than_the_stride():
    message = r"Convolution1D: `output_padding` must be smaller than `strides`; got output_padding=\(2,\)"
    with pytest.raises(ParameterError, match=message):
        b.TransposedConvolution1D(1, 3, strides=2, output_padding=2)


def test_a_border_of_sequences_is_smaller_than_the_window():
    with pytest.raises(ParameterError, match=r"smaller than .*got padding=\(2, 0\) with pool_size=\(2,\)"):
        b.MaxPooling1D(2, padding=(2, 0))


def test_open_axes_stay_open():
    assert b.Convolution1D(3, 2, padding="causal").output_shape((None, None, 4)) == (None, None, 3)
    assert b.TransposedConvolution2D(3, 2, strides=2).output_shape((None, None, 4, 1)) == (None, None, 8, 3)
    assert b.UpSampling2D((2, 3)).output_shape((None, 5, None, 1)) == (None, 10, None, 1)
    assert b.ZeroPadding1D((2, 3)).output_shape((None, None, 1)) == (None, None, 1)
