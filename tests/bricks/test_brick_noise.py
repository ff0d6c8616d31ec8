"""Dropout: what is kept, how much, and that bits decide it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import AlphaDropout, Context, Dropout, GaussianDropout, GaussianNoise, NaiveDropout
from brickwork.errors import ParameterError

ONES = np.ones((64, 100), np.float32)


def run(rate, x=ONES, **surroundings):
    return Dropout(rate).forward({}, x, ctx=Context(training=True, **surroundings))


def test_the_mean_stays():
    for rate in (0.1, 0.5, 0.9):
        y, _ = run(rate)
        kept = np.mean(y != 0)
        assert kept == pytest.approx(1 - rate, abs=4 * math.sqrt(rate * (1 - rate) / y.size))
        assert np.allclose(y[y != 0], 1 / (1 - rate))


def test_bits_are_compared_as_integers():
    """keep where bits >= round(rate * 2³²): the law that all engines share."""
    ctx = Context(training=True, key=11, step=5, stream=2)
    expected = ctx.bits(ONES) >= np.uint32(round(0.3 * 2**32))
    y, _ = Dropout(0.3).forward({}, ONES, ctx=ctx)
    np.testing.assert_array_equal(y != 0, expected)


def test_the_gradient_goes_where_the_number_went():
    y, saved = run(0.5)
    dx = Dropout(0.5).backward({}, saved, ONES)[0][0]
    np.testing.assert_array_equal(dx, y)


def test_inference_changes_nothing():
    y, saved = Dropout(0.5).forward({}, ONES, ctx=Context(training=False))
    assert y is ONES
    assert saved == (None,)
    assert Dropout(0.5).backward({}, saved, ONES)[0][0] is ONES


def test_rate_zero_asks_for_no_bits():
    assert run(0.0)[0] is ONES


def test_step_stream_and_seed_change_the_units_and_nothing_else_does():
    y, _ = run(0.5, key=1, step=2, stream=3)
    np.testing.assert_array_equal(y, run(0.5, key=1, step=2, stream=3)[0])
    for other in (
        {"key": 2, "step": 2, "stream": 3},
        {"key": 1, "step": 3, "stream": 3},
        {"key": 1, "step": 2, "stream": 4},
    ):
        assert np.any(y != run(0.5, **other)[0])


def test_a_batch_in_two_parts_drops_the_same_units():
    whole = run(0.5)[0]
    np.testing.assert_array_equal(whole[40:], run(0.5, ONES[40:], row=40)[0])


def test_a_rate_next_to_one():
    y, _ = run(1.0 - 1e-15)
    assert np.isfinite(y).all()


@pytest.mark.parametrize("rate", [1.0, 1.5, -0.1])
def test_rate_range(rate):
    with pytest.raises(ParameterError, match=rf"Dropout: `rate` must be in \[0, 1\); got rate={rate}"):
        Dropout(rate)


def test_scalars_have_no_samples():
    from brickwork.errors import ShapeError

    with pytest.raises(
        ShapeError, match=r"Dropout takes x of shape \(N, …\), at least 1 axis; it received \(\), 0 axes"
    ):
        Dropout(0.5).output_shape(())


TRAINING = Context(training=True, key=11, step=5, stream=2)


def forward(brick, x=ONES, ctx=TRAINING):
    return brick.forward({}, x, ctx=ctx)[0]


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_naive_and_inverted_dropout_leave_out_the_same(rate):
    """They differ by the factor 1 - rate, in training and in inference."""
    for ctx in (TRAINING, Context()):
        naive, inverted = forward(NaiveDropout(rate), ctx=ctx), forward(Dropout(rate), ctx=ctx)
        np.testing.assert_allclose(naive, (1.0 - rate) * inverted, rtol=1e-6)


def test_naive_dropout_hands_the_gradient_on():
    y, saved = NaiveDropout(0.5).forward({}, ONES, ctx=TRAINING)
    np.testing.assert_array_equal(NaiveDropout(0.5).backward({}, saved, ONES)[0][0], y)
    y, saved = NaiveDropout(0.5).forward({}, ONES, ctx=Context())
    np.testing.assert_array_equal(NaiveDropout(0.5).backward({}, saved, ONES)[0][0], np.full_like(ONES, 0.5))


@pytest.mark.parametrize("kind", [Dropout, NaiveDropout, AlphaDropout])
def test_shared_axes_share_their_bits(kind):
    x = np.ones((50, 4, 5, 6), np.float32)
    y = forward(kind(0.5, shared_axes=(1, -2)), x)
    assert np.all(y == y[:, :1, :1, :])
    bits = TRAINING.bits(x, (1, 1, 6)) >= np.uint32(2**31)
    kept = y[:, :1, :1] > 0.9
    np.testing.assert_array_equal(kept, bits)
    assert np.any(kept[..., 0] != kept[..., 1])


def test_alpha_dropout_keeps_mean_and_variance(rng):
    x = rng.standard_normal((400, 500))
    for rate in (0.1, 0.5, 0.8):
        y = forward(AlphaDropout(rate), x)
        assert y.mean() == pytest.approx(0.0, abs=0.015)
        assert y.var() == pytest.approx(1.0, abs=0.03)


def test_gaussian_noise_has_its_deviation():
    y = forward(GaussianNoise(0.3), np.full((200, 500), 2.0))
    assert y.mean() == pytest.approx(2.0, abs=0.005)
    assert y.std() == pytest.approx(0.3, abs=0.005)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_gaussian_dropout_has_the_moments_of_dropout(rate):
    y = forward(GaussianDropout(rate), np.full((200, 500), 2.0))
    assert y.mean() == pytest.approx(2.0, abs=0.05)
    assert y.std() == pytest.approx(2.0 * math.sqrt(rate / (1 - rate)), rel=0.02)


def test_normal_numbers_come_from_pairs_of_words():
    """The law that all engines share: words 2i and 2i + 1 make the normal numbers 2i and 2i + 1."""
    u, v = (TRAINING.bits(np.zeros((1, 2))) >> 8).astype(float)[0] / 2**24
    radius = math.sqrt(-2.0 * math.log(1.0 - u))
    expected = [radius * math.cos(2 * math.pi * v), radius * math.sin(2 * math.pi * v)]
    np.testing.assert_allclose(TRAINING.normals(np.zeros((1, 2)))[0], expected, rtol=1e-14)
    odd = TRAINING.normals(np.zeros((4, 3)))
    np.testing.assert_array_equal(odd, TRAINING.normals(np.zeros((4, 4)))[:, :3])
    assert TRAINING.normals(np.zeros((4, 0))).shape == (4, 0)
    assert TRAINING.normals(np.zeros(4)).shape == (4,)


@pytest.mark.parametrize("brick", [AlphaDropout(0.5), GaussianNoise(0.5), GaussianDropout(0.5)])
def test_no_noise_in_inference(brick):
    assert forward(brick, ctx=Context()) is ONES


@pytest.mark.parametrize(
    "brick", [NaiveDropout(0.5, seed=7), AlphaDropout(0.5, seed=7), GaussianNoise(1.0, seed=7)]
)
def test_a_seed_of_its_own(brick):
    one, other = (forward(brick, ctx=Context(training=True, key=key)) for key in (1, 2))
    np.testing.assert_array_equal(one, other)
    assert np.any(one != forward(brick, ctx=Context(training=True, step=1)))
