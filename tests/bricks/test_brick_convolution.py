"""Convolution2D on numbers worked by hand, its sizes and messages."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import Context, Convolution2D
from brickwork.errors import ParameterError, ParameterTypeError, ShapeError

INFERENCE = Context()


def convolved(brick, x, W):
    return brick.forward({"W": W}, x, ctx=INFERENCE)[0]


def by_loops(brick: Convolution2D, x, W):
    """The docstring's formula, number by number."""
    n, height, width, channels = x.shape
    _, oh, ow, filters = brick.output_shape(x.shape)
    (top, _), (left, _) = brick.windows(x.shape).padding
    (s, r), (d, e) = brick.strides, brick.dilation_rate
    per_group, out_per_group = W.shape[2], filters // brick.groups
    y = np.zeros((n, oh, ow, filters))
    for i, j, o, p, q, c in np.ndindex(oh, ow, filters, W.shape[0], W.shape[1], per_group):
        row, column = i * s + p * d - top, j * r + q * e - left
        if 0 <= row < height and 0 <= column < width:
            y[:, i, j, o] += x[:, row, column, o // out_per_group * per_group + c] * W[p, q, c, o]
    return y


@pytest.mark.parametrize(
    "brick",
    [
        Convolution2D(2, 3),
        Convolution2D(2, (2, 3), strides=(2, 1), padding="same"),
        Convolution2D(2, 2, strides=2, dilation_rate=(1, 2), padding="same"),
        Convolution2D(4, 2, groups=2, padding=((1, 2), (0, 1))),
        Convolution2D(2, 4, padding="same"),
    ],
    ids=repr,
)
def test_the_formula_number_by_number(brick):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 6, 5, 4))
    W = rng.standard_normal(brick.parameters(x.shape)["W"].shape)
    np.testing.assert_allclose(convolved(brick, x, W), by_loops(brick, x, W), rtol=1e-12, atol=1e-12)


def test_the_kernel_is_not_flipped():
    """Cross-correlation: y[0] = 1·10 + 2·20, where true convolution would give 1·20 + 2·10."""
    x = np.array([10.0, 20.0]).reshape(1, 1, 2, 1)
    W = np.array([1.0, 2.0]).reshape(1, 2, 1, 1)
    assert convolved(Convolution2D(1, (1, 2)), x, W).item() == 50.0
    assert "cross-correlation" in Convolution2D.__doc__


def test_edges_of_an_image():
    """The difference of neighbours is 0 on flat ground and shows the one step."""
    x = np.array([[0.0, 0.0, 1.0, 1.0]] * 2).reshape(1, 2, 4, 1)
    W = np.array([-1.0, 1.0]).reshape(1, 2, 1, 1)
    assert convolved(Convolution2D(1, (1, 2)), x, W)[0, :, :, 0].tolist() == [[0.0, 1.0, 0.0]] * 2


@pytest.mark.parametrize(
    ("brick", "size"),
    [
        (Convolution2D(1, 3), (26, 26)),
        (Convolution2D(1, 3, padding="same"), (28, 28)),
        (Convolution2D(1, 5, strides=3), (8, 8)),
        (Convolution2D(1, 5, strides=3, padding="same"), (10, 10)),
        (Convolution2D(1, 3, dilation_rate=2), (24, 24)),
        (Convolution2D(1, 3, padding=((1, 0), (2, 2))), (27, 30)),
        (Convolution2D(1, (1, 28)), (28, 1)),
    ],
    ids=repr,
)
def test_output_sizes(brick, size):
    assert brick.output_shape((None, 28, 28, 1)) == (None, *size, 1)


def test_unknown_sizes():
    assert Convolution2D(8, 3).output_shape((None, None, 28, 1)) == (None, None, 26, 8)
    assert Convolution2D(8, 3, padding="same").output_shape((None, None, None, 3)) == (None, None, None, 8)
    assert Convolution2D(8, 3, groups=3 - 2).parameters((None, None, None, 3))["W"].shape == (3, 3, 3, 8)


def test_same_puts_the_odd_pixel_behind():
    """One row of 2 under a kernel of 2: the second window sees x[1] and the padding."""
    x = np.array([1.0, 10.0]).reshape(1, 2, 1, 1)
    W = np.array([1.0, 1.0]).reshape(2, 1, 1, 1)
    assert convolved(Convolution2D(1, (2, 1), padding="same"), x, W)[0, :, 0, 0].tolist() == [11.0, 10.0]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((None, 784), r"it received \(N, 784\), 2 axes\. Put Reshape\(\(28, 28, 1\)\) before it\."),
        ((None, 3072), r"\(N, 3072\), 2 axes\. Put Reshape\(\(32, 32, 3\)\) before it\."),
        ((None, 7), r"\(N, 7\), 2 axes\. Put Reshape\(\(H, W, C\)\) before it\."),
        ((None, 28, 30), r"\(N, 28, 30\), 3 axes\. Put Reshape\(\(28, 30, 1\)\) before it\."),
        ((None, None, 30), r"\(N, \?, 30\), 3 axes\. Put Reshape\(\(H, 30, 1\)\) before it\."),
    ],
)
def test_not_an_image(shape, message):
    with pytest.raises(
        ShapeError, match=r"Convolution2D takes x of shape \(N, H, W, C\), 4 axes; .*" + message
    ):
        Convolution2D(8, 3).output_shape(shape)


def test_unknown_channels():
    with pytest.raises(
        ShapeError, match=r"Convolution2D needs to know the size of axis 3; it received \(N, 8, 8, \?\)"
    ):
        Convolution2D(8, 3).output_shape((None, 8, 8, None))


def test_an_image_that_is_too_small():
    message = (
        r"window of \(5, 5\) .* at least 5 columns; it received \(N, 8, 3, 1\), 3\. Take a smaller window"
    )
    with pytest.raises(ShapeError, match=message):
        Convolution2D(8, 5).output_shape((None, 8, 3, 1))
    with pytest.raises(ShapeError, match=r"at least 9 rows; it received \(N, 8, 30, 1\), 8"):
        Convolution2D(8, 5, dilation_rate=2).output_shape((None, 8, 30, 1))
    assert Convolution2D(8, 5, padding="same").output_shape((None, 3, 3, 1)) == (None, 3, 3, 8)


def test_groups_must_divide():
    with pytest.raises(ParameterError, match=r"got filters=6 and groups=4\. Take 8 filters\."):
        Convolution2D(6, 3, groups=4)
    message = r"groups=3 .* channels divisible by 3; it received \(N, 8, 8, 4\), 4 channels\. Take a number"
    with pytest.raises(ShapeError, match=message):
        Convolution2D(6, 3, groups=3).output_shape((None, 8, 8, 4))


def test_padding_words():
    with pytest.raises(
        ParameterError, match="`padding` must be one of 'valid', 'same', .* Did you mean 'same'"
    ):
        Convolution2D(6, 3, padding="sam")
    with pytest.raises(ParameterError, match="Convolution2D: `padding` must be"):
        Convolution2D(6, 3, padding=((1, -1), (0, 0)))


def test_options_are_named():
    with pytest.raises(ParameterTypeError, match="takes at most 2 positional arguments"):
        Convolution2D(6, 3, 2)


def test_one_pixel_and_one_sample():
    x, W = np.full((1, 1, 1, 1), 3.0), np.full((1, 1, 1, 1), 2.0)
    assert convolved(Convolution2D(1, 1), x, W).item() == 6.0


def test_large_values_stay_finite():
    x = np.full((1, 4, 4, 2), 1e4, np.float32)
    W = np.full((3, 3, 2, 1), -1e4, np.float32)
    assert np.isfinite(convolved(Convolution2D(1, 3), x, W)).all()
