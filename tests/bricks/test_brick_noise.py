"""Dropout: what is kept, how much, and that bits decide it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brickwork.bricks import Context, Dropout
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
