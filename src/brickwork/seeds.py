"""The sequence of seeds from which everything random that names no seed of its own takes its next one.

Initializers, shuffling and dropout each ask for a 64-bit seed and feed it to a counter-based generator, so
the state of all randomness in a run is a single number.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from .arguments import Maybe, Whole

_MASK = (1 << 64) - 1


class SeedSequence:
    """Distinct 64-bit numbers, one after the other; safe to share between threads.

    The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014):
    the state grows by an odd constant, a bijection mixes it, so no seed comes twice within 2**64 draws.

    Parameters
    ----------
    seed : int in [0, 2**64 - 1], or None for entropy of the operating system

    >>> hex(SeedSequence(0).next())
    '0xe220a8397b1dcdaf'
    """

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._state = secrets.randbits(64) if seed is None else _SEED64("SeedSequence", "seed", seed)

    def next(self) -> int:
        """The next seed."""
        with self._lock:
            self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
            z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    @property
    def state(self) -> int:
        """The number from which the sequence goes on; setting it continues an earlier run."""
        return self._state

    @state.setter
    def state(self, value: int) -> None:
        checked = _SEED64("SeedSequence", "state", value)
        with self._lock:
            self._state = checked


_SEED64 = Whole(0, _MASK)
_SEED32 = Whole(0, (1 << 32) - 1)
SEED = Maybe(_SEED64)
"""What an argument `seed` may be: a number, or None for what the session or the run gives."""

_session = SeedSequence()
_scope: ContextVar[SeedSequence | None] = ContextVar("brickwork_seeds", default=None)


def _sequence() -> SeedSequence:
    return _scope.get() or _session


@contextmanager
def scoped(seed: int | None) -> Iterator[SeedSequence]:
    """Inside the `with` block, seeds come from a sequence of its own; the session's does not move.

    This holds for the thread (the context, see `contextvars`) that entered the block and for no other one, so
    that two threads that build networks at once get what each would get alone.

    Parameters
    ----------
    seed : int in [0, 2**64 - 1] from which the sequence starts, or None for entropy of the operating system

    >>> with scoped(0):
    ...     hex(next_seed())
    '0xe220a8397b1dcdaf'
    """
    sequence = SeedSequence(seed)
    token = _scope.set(sequence)
    try:
        yield sequence
    finally:
        _scope.reset(token)


def next_seed() -> int:
    """A fresh 64-bit seed; the same ones in the same order after the same `set_random_seed`."""
    return _sequence().next()


def get_state() -> int:
    """Where the sequence of seeds stands, to be kept with a run."""
    return _sequence().state


def set_state(state: int) -> None:
    """Go on from where `get_state` told."""
    _sequence().state = state


def set_random_seed(seed: int) -> None:
    """Start the sequence of seeds anew, and seed `random` and `numpy.random` too, as Keras does.

    Call it before a model is built: initial weights, the order of samples and dropout masks then repeat.

    Parameters
    ----------
    seed : int in [0, 2**32 - 1], the range that `numpy.random.seed` takes

    >>> set_random_seed(7); first = next_seed(); set_random_seed(7); next_seed() - first
    0
    """
    checked = _SEED32("set_random_seed", "seed", seed)
    _sequence().state = checked
    random.seed(checked)
    np.random.seed(checked)
