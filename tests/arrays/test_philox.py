"""Philox 4x32-10: the published vectors, and the mapping from a sample's element to its random word."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickwork.arrays import jax_extra, numpy_extra

ONES = 0xFFFFFFFF
# Known answers of the Random123 library (kat_vectors): counter, key, random words.
VECTORS = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([ONES] * 4, [ONES] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]
LIBRARIES = pytest.mark.parametrize("extra", [numpy_extra, jax_extra])
words = st.integers(0, ONES)


@LIBRARIES
@pytest.mark.parametrize("counter, key, want", VECTORS)
def test_known_answers(extra, counter, key, want):
    got = extra.philox(np.array(counter, np.uint32), np.array(key, np.uint32))
    assert got.dtype == np.uint32
    assert got.tolist() == want


@LIBRARIES
def test_known_answers_side_by_side(extra):
    counters, keys, want = (np.array(column, np.uint32) for column in zip(*VECTORS, strict=True))
    assert extra.philox(counters, keys).tolist() == want.tolist()
    assert extra.philox(counters[:1], keys).shape == (3, 4)
    one_key = extra.philox(counters.reshape(3, 1, 4), keys[0])
    assert one_key.shape == (3, 1, 4) and one_key[0, 0].tolist() == want[0].tolist()


@settings(deadline=None, max_examples=20)
@given(counter=st.lists(words, min_size=4, max_size=4), key=st.lists(words, min_size=2, max_size=2))
def test_philox_is_equal_in_both_libraries(counter, key):
    counter, key = np.array(counter, np.uint32), np.array(key, np.uint32)
    assert numpy_extra.philox(counter, key).tolist() == jax_extra.philox(counter, key).tolist()


@LIBRARIES
def test_mapping(extra):
    """Element e of sample i: word e % 4 of the counter (e // 4, row + i, stream, step)."""
    seed, step, stream, row = 0x0123456789ABCDEF, 5, 2**31 + 3, 100
    drawn = extra.bits(seed, step=step, stream=stream, row=row, rows=3, shape=(2, 5))
    assert drawn.dtype == np.uint32 and drawn.shape == (3, 2, 5)
    key = np.array([0x89ABCDEF, 0x01234567], np.uint32)
    for sample in range(3):
        for element in range(10):
            counter = np.array([element // 4, row + sample, stream, step], np.uint32)
            want = numpy_extra.philox(counter, key)[element % 4]
            assert int(drawn[sample].reshape(-1)[element]) == want


@LIBRARIES
def test_any_split_of_the_batch_draws_the_same(extra):
    whole = extra.bits(3, step=1, stream=0, row=0, rows=6, shape=(7,))
    parts = [extra.bits(3, step=1, stream=0, row=row, rows=2, shape=(7,)) for row in (0, 2, 4)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_batch_of_several_chunks():
    """More counters than are mixed at a time, and a row that does not end at a chunk's border."""
    drawn = numpy_extra.bits(11, step=2, stream=1, row=9, rows=5, shape=(50_001,))
    assert drawn.shape == (5, 50_001)
    for sample in range(5):
        one = numpy_extra.bits(11, step=2, stream=1, row=9 + sample, rows=1, shape=(50_001,))
        np.testing.assert_array_equal(drawn[sample], one[0])
    np.testing.assert_array_equal(drawn, jax_extra.bits(11, step=2, stream=1, row=9, rows=5, shape=(50_001,)))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**64 - 1), step=words, stream=words, row=words, size=st.integers(0, 9))
def test_bits_are_equal_in_both_libraries(seed, step, stream, row, size):
    ours = numpy_extra.bits(seed, step=step, stream=stream, row=row, rows=2, shape=(size,))
    theirs = jax_extra.bits(seed, step=step, stream=stream, row=row, rows=2, shape=(size,))
    np.testing.assert_array_equal(ours, theirs)


def test_traced_key_step_and_row():
    seed, step, row = 0xFEDCBA9876543210, 77, 2**32 - 1
    want = numpy_extra.bits(seed, step=step, stream=4, row=row, rows=3, shape=(3, 2))
    drawn = jax.jit(
        lambda key, step, row: jax_extra.bits(key, step=step, stream=4, row=row, rows=3, shape=(3, 2))
    )
    key = jnp.array([seed & ONES, seed >> 32], jnp.uint32)
    np.testing.assert_array_equal(drawn(key, jnp.uint32(step), jnp.uint32(row)), want)
    small = numpy_extra.bits(9, step=step, stream=4, row=1, rows=3, shape=(3, 2))
    np.testing.assert_array_equal(drawn(9, step, 1), small)


@pytest.mark.parametrize(
    "key", [2**63 + 5, np.uint64(2**63 + 5), np.array([5, 2**31], np.uint32), (5, 2**31)]
)
def test_forms_of_the_key(key):
    want = numpy_extra.bits(2**63 + 5, step=0, stream=0, row=0, rows=1, shape=(4,))
    for extra in (numpy_extra, jax_extra):
        np.testing.assert_array_equal(extra.bits(key, step=0, stream=0, row=0, rows=1, shape=(4,)), want)


@LIBRARIES
@pytest.mark.parametrize("rows, shape", [(0, (3,)), (2, (0,)), (2, ())])
def test_few_or_no_elements(extra, rows, shape):
    assert extra.bits(1, step=0, stream=0, row=0, rows=rows, shape=shape).shape == (rows, *shape)


def test_bits_look_uniform():
    drawn = numpy_extra.bits(1, step=0, stream=0, row=0, rows=64, shape=(1024,))
    ones = np.unpackbits(drawn.view(np.uint8)).mean()
    # 2^21 bits: the standard deviation of their mean is 0.00035.
    assert abs(ones - 0.5) < 0.0015
