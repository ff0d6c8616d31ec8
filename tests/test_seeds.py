"""The sequence of seeds: known numbers, repetition, threads."""

from __future__ import annotations

import itertools
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from brickwork import seeds
from brickwork.errors import ParameterError, ParameterTypeError


def test_gives_the_published_numbers_of_splitmix64():
    sequence = seeds.SeedSequence(1234567)
    assert [sequence.next() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_seed_repeats_the_sequence():
    seeds.set_random_seed(3)
    first = [seeds.next_seed() for _ in range(4)]
    seeds.set_random_seed(3)
    assert [seeds.next_seed() for _ in range(4)] == first
    seeds.set_random_seed(4)
    assert seeds.next_seed() not in first


def test_seeds_python_and_numpy_too():
    seeds.set_random_seed(3)
    first = (random.random(), np.random.random())
    seeds.set_random_seed(3)
    assert (random.random(), np.random.random()) == first


def test_the_state_continues_the_sequence():
    seeds.set_random_seed(3)
    seeds.next_seed()
    state = seeds.get_state()
    following = [seeds.next_seed() for _ in range(3)]
    seeds.set_state(state)
    assert [seeds.next_seed() for _ in range(3)] == following


def test_a_scope_has_a_sequence_of_its_own():
    seeds.set_random_seed(3)
    first = [seeds.next_seed() for _ in range(2)]
    seeds.set_random_seed(3)
    with seeds.scoped(5) as sequence:
        alone = seeds.SeedSequence(5)
        assert seeds.next_seed() == alone.next()
        with seeds.scoped(6):
            assert seeds.next_seed() == seeds.SeedSequence(6).next()
        assert seeds.next_seed() == alone.next()
        assert seeds.get_state() == sequence.state == alone.state
        seeds.set_random_seed(9)  # of the scope
        assert seeds.get_state() == 9
    assert [seeds.next_seed() for _ in range(2)] == first


def test_a_scope_ends_with_an_error_too():
    seeds.set_random_seed(3)
    with pytest.raises(KeyError), seeds.scoped(5):
        raise KeyError
    assert seeds.get_state() == 3


def test_a_scope_is_of_one_thread():
    seeds.set_random_seed(3)
    with seeds.scoped(5), ThreadPoolExecutor(1) as pool:
        assert pool.submit(seeds.get_state).result() == 3


def test_without_a_seed_two_sequences_differ():
    assert seeds.SeedSequence().next() != seeds.SeedSequence().next()


@pytest.fixture
def hasty_threads():
    """Threads that change places after nearly every bytecode."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_threads_never_get_the_same_seed(hasty_threads):
    sequence = seeds.SeedSequence(9)
    with ThreadPoolExecutor(4) as pool:
        drawn = pool.map(lambda _: [sequence.next() for _ in range(5000)], range(4))
    alone = seeds.SeedSequence(9)
    assert sorted(itertools.chain(*drawn)) == sorted(alone.next() for _ in range(20_000))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_refuses_seeds_that_numpy_would_refuse(seed):
    with pytest.raises(ParameterError, match=rf"whole number in \[0, {2**32 - 1}\]; got seed={seed}"):
        seeds.set_random_seed(seed)


@pytest.mark.parametrize("seed", [1.5, "3", None, True])
def test_refuses_seeds_that_are_no_whole_number(seed):
    with pytest.raises(ParameterTypeError, match="set_random_seed: `seed` must be a whole number"):
        seeds.set_random_seed(seed)


def test_refuses_a_state_that_is_no_64_bit_number():
    with pytest.raises(ParameterError, match=f"SeedSequence: `state` must be .* got state={2**64}"):
        seeds.set_state(2**64)
