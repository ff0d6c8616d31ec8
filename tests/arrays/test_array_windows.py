"""Padding, the taps of a window and their adjoint."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickwork.arrays import jax_extra, numpy_extra

LIBRARIES = pytest.mark.parametrize("extra, array", [(numpy_extra, np.asarray), (jax_extra, jnp.asarray)])


@LIBRARIES
def test_pad(extra, array):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    got = extra.pad(array(x), ((1, 0), (0, 2)), -np.inf)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.pad(x, ((1, 0), (0, 2)), constant_values=-np.inf))
    np.testing.assert_array_equal(extra.pad(array(x), ((0, 0), (0, 0))), x)


def naive_taps(x, window, strides, padding, dilation, value):
    padded = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)
    high, wide = (
        (padded.shape[axis + 1] - (window[axis] - 1) * dilation[axis] - 1) // strides[axis] + 1
        for axis in (0, 1)
    )
    found = np.empty((window[0] * window[1], len(x), high, wide, x.shape[-1]), x.dtype)
    for p in range(window[0]):
        for q in range(window[1]):
            for i in range(high):
                for j in range(wide):
                    row, column = i * strides[0] + p * dilation[0], j * strides[1] + q * dilation[1]
                    found[p * window[1] + q, :, i, j] = padded[:, row, column]
    return found


@st.composite
def windows(draw):
    def pair(low, high):
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    window, strides, dilation, padding = pair(1, 3), pair(1, 4), pair(1, 3), (pair(0, 2), pair(0, 2))
    size = tuple(
        max((taps - 1) * d + 1 - sum(pad), 1) + draw(st.integers(0, 4))
        for taps, d, pad in zip(window, dilation, padding, strict=True)
    )
    return size, {"window": window, "strides": strides, "padding": padding, "dilation": dilation}


def check_taps(extra, array, size, geometry):
    x = np.random.default_rng(2).integers(-9, 10, (2, *size, 3)).astype(np.float32)
    x.setflags(write=False)
    want = naive_taps(x, **geometry, value=-np.inf)
    got = extra.taps(array(x), **geometry, value=-np.inf)
    assert len(got) == len(want)
    assert all(tap.dtype == np.float32 for tap in got)
    np.testing.assert_array_equal(np.stack(got), want)

    seen = np.stack(extra.taps(array(x), **geometry, value=0.0))
    pieces = np.random.default_rng(3).integers(-9, 10, want.shape).astype(np.float32)
    total = extra.add_taps([array(piece) for piece in pieces], input_shape=x.shape, **geometry)
    assert total.shape == x.shape and total.dtype == np.float32
    assert float((seen * pieces).sum()) == float((x * np.asarray(total)).sum())


@settings(deadline=None, max_examples=150)
@given(drawn=windows())
def test_numpy_taps_and_their_adjoint(drawn):
    check_taps(numpy_extra, np.asarray, *drawn)


@settings(deadline=None, max_examples=15)
@given(drawn=windows())
def test_jax_taps_and_their_adjoint(drawn):
    check_taps(jax_extra, jnp.asarray, *drawn)


@LIBRARIES
@pytest.mark.parametrize("size", [(4, 6), (5, 7)])
def test_windows_side_by_side(extra, array, size):
    """Windows that tile the image exactly, and such that leave a rest over."""
    geometry = {"window": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    check_taps(extra, array, size, geometry)


def test_taps_worked_by_hand():
    x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    geometry = {"window": (2, 2), "strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    found = numpy_extra.taps(x, **geometry, value=0.0)
    assert [tap[0, 0, 0, 0] for tap in found] == [1, 2, 4, 5]
    assert all(np.shares_memory(tap, x) for tap in found)
    # Every pixel comes back once for each of the windows that saw it.
    counted = numpy_extra.add_taps([np.ones_like(tap) for tap in found], input_shape=x.shape, **geometry)
    assert counted[0, :, :, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_jax_windows_traced():
    geometry = {"window": (3, 2), "strides": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}
    x = np.random.default_rng(4).standard_normal((2, 6, 5, 3), dtype=np.float32)

    @jax.jit
    def back_and_forth(x):
        pieces = jax_extra.taps(x, **geometry, value=0.0)
        return jax_extra.add_taps(pieces, input_shape=x.shape, **geometry)

    pieces = numpy_extra.taps(x, **geometry, value=0.0)
    want = numpy_extra.add_taps(pieces, input_shape=x.shape, **geometry)
    np.testing.assert_allclose(back_and_forth(x), want, rtol=1e-6)
