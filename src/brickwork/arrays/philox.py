"""Philox 4x32-10, a counter-based generator of random bits, for NumPy.

Ten rounds of multiplication mix a counter of four 32-bit words under a key of two words into four random
words. There is no state: word i of sample n at step t is a function of (seed, i, n, stream, t), so any split
of the work into threads, micro-batches or devices draws the same numbers.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
WORD = 0xFFFFFFFF
WORDS = 4
"""Words of a counter, and random words that it yields."""

_CHUNK = 1 << 14
"""Counters mixed at a time: their lanes of 64 bits stay in the cache."""


def philox(counter: NDArray[Any], key: NDArray[Any]) -> NDArray[np.uint32]:
    """Four random words for each counter.

    `counter` (..., 4) and `key` (..., 2) are unsigned 32-bit words, the lowest first; leading axes broadcast.

    >>> philox(np.zeros(4, np.uint32), np.zeros(2, np.uint32))[0] == 0x6627E8D5
    np.True_
    """
    counter, key = np.asarray(counter), np.asarray(key, np.uint64)
    shape = np.broadcast_shapes(counter.shape[:-1], key.shape[:-1])
    lanes = [np.array(np.broadcast_to(counter[..., i], shape), np.uint64, ndmin=1) for i in range(WORDS)]
    words = np.stack(_mix(lanes, key[..., 0], key[..., 1]), axis=-1)
    return words.astype(np.uint32).reshape(*shape, WORDS)


def bits(
    key: Any, *, step: int, stream: int, row: int, rows: int, shape: Sequence[int]
) -> NDArray[np.uint32]:
    """Random uint32 of shape (rows, *shape).

    Element e of sample i is word e % 4 of the counter (e // 4, row + i, stream, step) under `key`, the 64-bit
    seed or its two words (low, high). `row` is the place of the first sample in the whole batch.

    >>> int(bits(7, step=0, stream=0, row=0, rows=2, shape=(3,))[1, 2])
    4135709823
    """
    low, high = key_words(key)
    size = math.prod(shape)
    blocks = -(-size // WORDS)
    words = np.empty((rows * blocks, WORDS), np.uint32)
    for start in range(0, rows * blocks, _CHUNK):
        part = words[start : start + _CHUNK]
        sample, block = np.divmod(np.arange(start, start + len(part), dtype=np.uint64), np.uint64(blocks))
        sample += np.uint64(int(row) & WORD)
        sample &= np.uint64(WORD)
        lanes = [block, sample, *(np.full_like(block, int(number) & WORD) for number in (stream, step))]
        for word, lane in enumerate(_mix(lanes, np.uint64(low), np.uint64(high))):
            part[:, word] = lane
    return words.reshape(rows, blocks * WORDS)[:, :size].reshape(rows, *shape)


def key_words(key: Any) -> tuple[int, int]:
    """The low and the high word of a 64-bit seed given as one number or as these two words."""
    if np.ndim(key) == 1:
        low, high = key
        return int(low) & WORD, int(high) & WORD
    return int(key) & WORD, int(key) >> 32 & WORD


def _mix(lanes: list[NDArray[np.uint64]], low: Any, high: Any) -> list[NDArray[np.uint64]]:
    """The ten rounds, on one lane of 64 bits per word; the lanes are overwritten."""
    a, b, c, d = lanes
    word, half = np.uint64(WORD), np.uint64(32)
    product, other = np.empty_like(a), np.empty_like(a)
    for _ in range(ROUNDS):
        np.multiply(a, np.uint64(MULTIPLIERS[0]), out=product)
        np.multiply(c, np.uint64(MULTIPLIERS[1]), out=other)
        # The new words are (high(other)^b^low, low(other), high(product)^d^high, low(product)).
        np.right_shift(other, half, out=a)
        a ^= b
        a ^= low
        np.right_shift(product, half, out=c)
        c ^= d
        c ^= high
        np.bitwise_and(other, word, out=b)
        np.bitwise_and(product, word, out=d)
        low = (low + np.uint64(KEY_STEPS[0])) & word
        high = (high + np.uint64(KEY_STEPS[1])) & word
    return [a, b, c, d]
