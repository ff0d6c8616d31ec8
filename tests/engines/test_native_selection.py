"""NonZero and Where on the native engine."""

from __future__ import annotations

import numpy as np
import pytest

import brickwork
from brickwork.bricks import Linear, Multiply, NonZero, ReLU, Reshape, Tanh, Where
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, program_of, same_on_all_threads

pytestmark = needs_native


def choosing(shape, mask):
    """The mask is what a ReLU lets through; both values and the mask come of one."""
    size = int(np.prod(mask))
    nodes = [
        Node("flat", Reshape((int(np.prod(shape)),)), ("mixed",)),
        Node("drawn", Linear(size), ("flat",)),
        Node("positive", ReLU(), ("drawn",)),
        Node("m", Reshape(mask), ("positive",)),
        Node("b", Tanh(), ("mixed",)),
        Node("chosen", Where(), ("m", "mixed", "b")),
        Node("y", Tanh(), ("chosen",)),
    ]
    return program_of(nodes, shape)


@pytest.mark.parametrize(
    ("shape", "mask"),
    [
        ((5,), (5,)),
        ((5,), (1,)),
        ((3, 17), (3, 1)),
        ((3, 17), (1, 17)),
        ((2, 3, 4), (1, 3, 1)),
        ((2, 3, 4), (2, 1, 4)),
        ((128,), (1,)),
        ((1, 1), (1, 1)),
    ],
    ids=str,
)
def test_choices(shape, mask):
    agrees(choosing(shape, mask))
    same_on_all_threads(choosing(shape, mask))


def test_a_choice_of_which_only_one_side_learns():
    nodes = [Node("m", NonZero(), ("x",)), Node("y", Where(), ("m", "mixed", "x"))]
    agrees(program_of(nodes, (4,)))
    agrees(program_of([nodes[0], Node("y", Where(), ("m", "x", "mixed"))], (4,)))


def test_counting_what_is_not_zero():
    nodes = [
        Node("positive", ReLU(), ("mixed",)),
        Node("counts", NonZero(), ("positive",)),
        Node("y", Multiply(), ("counts", "mixed")),
    ]
    agrees(program_of(nodes, (3, 7)))
    agrees(program_of([Node("y", NonZero(), ("mixed",))], (5,)))


@pytest.mark.parametrize("dtype", ["int32", "bool", "float32"])
def test_numbers_from_outside(dtype, rng):
    """Bits of whole numbers, and a NaN on the side that is not chosen."""
    x = brickwork.Input((6,), dtype=dtype)
    a, b = brickwork.Input((6,)), brickwork.Input((6,))
    model = brickwork.Model([x, a, b], [NonZero()(x), Where()(x, a, b)])
    model.compile(engine="native")
    drawn = rng.integers(0, 2, (5, 6))
    left, right = rng.standard_normal((2, 5, 6)).astype("float32")
    left[drawn == 0], right[drawn == 1] = np.nan, np.inf
    counts, chosen = model.predict([drawn.astype(dtype), left, right], verbose=0)
    np.testing.assert_array_equal(counts, drawn)
    np.testing.assert_array_equal(chosen, np.where(drawn, left, right))
