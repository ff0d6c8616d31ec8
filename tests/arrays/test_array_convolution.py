"""Convolution and its two gradients: against loops, against hand-worked numbers, against each other."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickwork.arrays import jax_extra, numpy_extra, numpy_windows


class Case(NamedTuple):
    size: tuple[int, int]
    channels: int
    window: tuple[int, int]
    outputs: int
    strides: tuple[int, int] = (1, 1)
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    @property
    def settings(self):
        return {
            "strides": self.strides,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    def arrays(self, samples=3, seed=0):
        """x, W and dy of small whole numbers: their sums are exact in any order."""
        rng = np.random.default_rng(seed)
        o = [
            (size + sum(pad) - (taps - 1) * d - 1) // s + 1
            for size, pad, taps, d, s in zip(
                self.size, self.padding, self.window, self.dilation, self.strides, strict=True
            )
        ]

        def whole(*shape):
            array = rng.integers(-4, 5, shape).astype(np.float64)
            array.setflags(write=False)
            return array

        return (
            whole(samples, *self.size, self.channels),
            whole(*self.window, self.channels // self.groups, self.outputs),
            whole(samples, *o, self.outputs),
        )


CASES = {
    "same 3x3": Case((6, 5), 2, (3, 3), 3, padding=((1, 1), (1, 1))),
    "one channel": Case((7, 7), 1, (3, 3), 4, padding=((1, 1), (1, 1))),
    "many channels": Case((4, 5), 17, (3, 2), 3, padding=((1, 1), (0, 1))),
    "pointwise": Case((4, 3), 5, (1, 1), 6),
    "pointwise, strided": Case((5, 4), 3, (1, 1), 2, strides=(2, 3)),
    "pointwise, padded": Case((3, 3), 2, (1, 1), 2, padding=((1, 0), (2, 1))),
    "asymmetric padding": Case((5, 6), 2, (3, 2), 3, padding=((0, 2), (3, 1))),
    "strides": Case((8, 7), 3, (3, 2), 2, strides=(2, 3)),
    "strides, rows left over": Case((8, 9), 2, (3, 3), 2, strides=(3, 4), padding=((0, 1), (1, 0))),
    "strides above the window": Case((9, 9), 2, (2, 2), 3, strides=(4, 3)),
    "dilation": Case((9, 8), 2, (3, 3), 2, dilation=(2, 3)),
    "dilation, strides, padding": Case(
        (9, 8), 2, (3, 2), 2, strides=(2, 2), padding=((2, 1), (0, 3)), dilation=(2, 3)
    ),
    "groups": Case((5, 5), 6, (3, 3), 4, padding=((1, 1), (1, 1)), groups=2),
    "groups, strides": Case((6, 5), 6, (2, 3), 9, strides=(2, 1), padding=((1, 0), (0, 2)), groups=3),
    "groups, pointwise": Case((3, 3), 4, (1, 1), 6, groups=2),
    "depthwise": Case((5, 6), 4, (3, 3), 4, padding=((1, 1), (1, 1)), groups=4),
    "depthwise, three outputs each": Case((5, 6), 2, (3, 2), 6, strides=(2, 1), dilation=(1, 2), groups=2),
    "kernel above the input": Case((2, 3), 2, (5, 4), 3, padding=((2, 2), (1, 2))),
    "padding above the kernel": Case((3, 2), 2, (1, 2), 2, padding=((3, 1), (2, 4))),
    "padding above the kernel, five channels": Case((3, 4), 5, (2, 1), 3, padding=((3, 2), (2, 4))),
    "dilation, five channels": Case((7, 6), 5, (3, 2), 3, padding=((1, 3), (0, 2)), dilation=(2, 3)),
    "padding above the kernel, strides": Case((3, 4), 2, (2, 1), 2, strides=(2, 3), padding=((3, 2), (2, 4))),
    "one row": Case((1, 9), 1, (1, 4), 2, strides=(1, 2)),
}


def loops(x, W, dy, case):
    """(y, dx, dW) by the definition, one product at a time."""
    x, W, dy = (np.asarray(a, np.float64) for a in (x, W, dy))
    y, dx, dW = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(W.shape)
    into, out = W.shape[2], W.shape[3] // case.groups
    (top, _), (left, _) = case.padding
    for i, j, p, q in itertools.product(*(range(n) for n in (*dy.shape[1:3], *W.shape[:2]))):
        row = i * case.strides[0] + p * case.dilation[0] - top
        column = j * case.strides[1] + q * case.dilation[1] - left
        if not (0 <= row < x.shape[1] and 0 <= column < x.shape[2]):
            continue
        for o, c in itertools.product(range(W.shape[3]), range(into)):
            channel = o // out * into + c
            y[:, i, j, o] += x[:, row, column, channel] * W[p, q, c, o]
            dx[:, row, column, channel] += dy[:, i, j, o] * W[p, q, c, o]
            dW[p, q, c, o] += (x[:, row, column, channel] * dy[:, i, j, o]).sum()
    return y, dx, dW


def computed(library, x, W, dy, case):
    """(y, dx, dW) by the library."""
    return (
        library.convolve(x, W, **case.settings),
        library.convolve_input_gradient(dy, W, input_shape=x.shape, **case.settings),
        library.convolve_kernel_gradient(x, dy, kernel_shape=W.shape, **case.settings),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_numpy_matches_loops(case, dtype):
    x, W, dy = case.arrays()
    arrays = [a.astype(dtype) for a in (x, W, dy)]
    for got, want in zip(computed(numpy_extra, *arrays, case), loops(x, W, dy, case), strict=True):
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("block", [1, 600, 5000])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_numpy_is_the_same_in_blocks_of_any_size(case, block, monkeypatch):
    monkeypatch.setattr(numpy_windows, "BLOCK_BYTES", block)
    arrays = case.arrays()
    for got, want in zip(computed(numpy_extra, *arrays, case), loops(*arrays, case), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_jax_traced_matches_loops(case):
    arrays = case.arrays()
    traced = jax.jit(lambda x, W, dy: computed(jax_extra, x, W, dy, case))
    got = traced(*(jnp.asarray(a, jnp.float32) for a in arrays))
    for one, want in zip(got, loops(*arrays, case), strict=True):
        assert one.dtype == jnp.float32
        np.testing.assert_array_equal(one, want)


@st.composite
def geometries(draw):
    def pair(low, high):
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    groups = draw(st.integers(1, 3))
    window, strides, dilation = pair(1, 4), pair(1, 4), pair(1, 3)
    padding = pair(0, 4), pair(0, 4)
    smallest = [
        max((taps - 1) * d + 1 - sum(pad), 1) for taps, d, pad in zip(window, dilation, padding, strict=True)
    ]
    size = smallest[0] + draw(st.integers(0, 5)), smallest[1] + draw(st.integers(0, 5))
    return Case(
        size,
        groups * draw(st.integers(1, 3)),
        window,
        groups * draw(st.integers(1, 3)),
        strides,
        padding,
        dilation,
        groups,
    )


def assert_adjoint(library, case, seed, dtype):
    x, W, dy = (library(a, dtype) for a in case.arrays(samples=2, seed=seed))
    extra = numpy_extra if library is np.asarray else jax_extra
    y, dx, dW = computed(extra, x, W, dy, case)
    assert float((y * dy).sum()) == float((x * dx).sum()) == float((W * dW).sum())


@settings(deadline=None, max_examples=150)
@given(
    case=geometries(),
    seed=st.integers(0, 9),
    block=st.sampled_from([300, 1 << 21]),
    short=st.sampled_from([1, 100]),
    few=st.sampled_from([1, 100]),
)
def test_numpy_gradients_are_adjoint(case, seed, block, short, few):
    """<conv(x, W), dy> = <x, dx> = <W, dW>, exactly, on whole numbers, whichever way is taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpy_windows, "BLOCK_BYTES", block)
        patch.setattr(numpy_extra, "_SHORT_RUN", short)
        patch.setattr(numpy_extra, "_FEW_CHANNELS", few)
        assert_adjoint(np.asarray, case, seed, np.float64)


@settings(deadline=None, max_examples=15)
@given(case=geometries(), seed=st.integers(0, 9))
def test_jax_gradients_are_adjoint_and_equal_numpy(case, seed):
    assert_adjoint(jnp.asarray, case, seed, jnp.float32)
    arrays = case.arrays(samples=2, seed=seed)
    ours = computed(numpy_extra, *arrays, case)
    theirs = computed(jax_extra, *(jnp.asarray(a, jnp.float32) for a in arrays), case)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("extra, array", [(numpy_extra, np.asarray), (jax_extra, jnp.asarray)])
def test_numbers_worked_by_hand(extra, array):
    """x = [[1 2 3], [4 5 6], [7 8 9]], W = [[1 0], [-1 2]]."""
    x = array(np.arange(1.0, 10.0, dtype=np.float32).reshape(1, 3, 3, 1))
    W = array(np.array([[1, 0], [-1, 2]], np.float32).reshape(2, 2, 1, 1))
    case = Case((3, 3), 1, (2, 2), 1)
    dy = array(np.array([[1, 2], [0, -1]], np.float32).reshape(1, 2, 2, 1))
    y, dx, dW = computed(extra, x, W, dy, case)
    # Top left: 1 * 1 + 2 * 0 - 4 + 2 * 5 = 7; bottom right: 5 - 8 + 2 * 9 = 15.
    assert np.asarray(y)[0, :, :, 0].tolist() == [[7, 9], [13, 15]]
    # The middle pixel: 1 * 2 (bottom right tap of window 0,0), 2 * -1 (0,1), 0 * 0 (1,0), -1 * 1 (1,1).
    assert np.asarray(dx)[0, :, :, 0].tolist() == [[1, 2, 0], [-1, -1, 4], [0, 1, -2]]
    # The first weight saw 1, 2, 4, 5: 1 * 1 + 2 * 2 + 0 * 4 - 1 * 5 = 0.
    assert np.asarray(dW)[:, :, 0, 0].tolist() == [[0, 2], [6, 8]]
    # Padded by one above and on the left, the first window sees only the 1, under the last weight.
    corner = extra.convolve(x, W, strides=(2, 2), padding=((1, 0), (1, 0)), dilation=(1, 1), groups=1)
    assert np.asarray(corner)[0, :, :, 0].tolist() == [[2, 4], [14, 15]]
    # Dilation 2: the four corners of x, 1 * 1 + 3 * 0 - 7 + 2 * 9 = 12.
    wide = extra.convolve(x, W, strides=(1, 1), padding=((0, 0), (0, 0)), dilation=(2, 2), groups=1)
    assert np.asarray(wide)[0, :, :, 0].tolist() == [[12]]


@pytest.mark.parametrize("name", ["same 3x3", "one channel", "strides", "groups", "depthwise", "pointwise"])
def test_arrays_of_any_layout(name):
    """Views with other strides than those of a fresh array give the same numbers."""
    case = CASES[name]
    x, W, dy = case.arrays()
    views = [np.flip(np.flip(a, 1).copy(), 1) for a in (x, W, dy)]
    views[0] = np.asfortranarray(x)
    for got, want in zip(computed(numpy_extra, *views, case), loops(x, W, dy, case), strict=True):
        np.testing.assert_array_equal(got, want)


def test_no_samples():
    case = CASES["same 3x3"]
    x, W, dy = case.arrays()
    y, dx, dW = computed(numpy_extra, x[:0], W, dy[:0], case)
    assert (y.shape, dx.shape) == ((0, *dy.shape[1:]), (0, *x.shape[1:]))
    assert not dW.any()


def test_the_same_bits_each_time():
    rng = np.random.default_rng(1)
    case = Case((14, 14), 8, (3, 3), 16, padding=((1, 1), (1, 1)))
    x = rng.standard_normal((40, 14, 14, 8), dtype=np.float32)
    W = rng.standard_normal((3, 3, 8, 16), dtype=np.float32)
    dy = rng.standard_normal((40, 14, 14, 16), dtype=np.float32)
    first, second = computed(numpy_extra, x, W, dy, case), computed(numpy_extra, x, W, dy, case)
    for one, other in zip(first, second, strict=True):
        assert one.tobytes() == other.tobytes()
