"""Differences, means, minima, products along axes and axes in another order: the reference's numbers."""

from __future__ import annotations

import pytest

from brickwork.bricks import (
    Average,
    Bias,
    Dot,
    Flatten,
    MatMul,
    Minimum,
    Multiply,
    RepeatVector,
    Slice,
    Subtract,
    Tanh,
    Transpose,
    UnitNormalization,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, program_of, same_on_all_threads

pytestmark = needs_native

SHAPES = [(7,), (1,), (128,), (5, 6), (3, 4, 17)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("kind", "count"), [(Subtract, 2), (Average, 2), (Average, 4), (Minimum, 2), (Minimum, 4)]
)
def test_merging_of_equal_shapes(kind, count, shape):
    nodes = [Node(f"b{i}", Bias(), ("mixed",)) for i in range(count - 1)]
    nodes += [Node(f"t{i}", Tanh(), (f"b{i}",)) for i in range(count - 1)]
    names = [*(f"t{i}" for i in range(count - 1)), "mixed"]
    agrees(program_of([*nodes, Node("own", kind(), tuple(names)), Node("y", Tanh(), ("own",))], shape))
    names[-1] = "t0"
    agrees(program_of([*nodes, Node("own", kind(), tuple(names)), Node("y", Tanh(), ("own",))], shape))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((7,), (0, 1)),
        ((5, 6), (0, 2, 1)),
        ((33, 18), (0, 2, 1)),
        ((16, 32), (0, 2, 1)),
        ((128, 2), (0, 2, 1)),
        ((1, 1), (0, 2, 1)),
        ((3, 4, 5), (0, 3, 1, 2)),
        ((3, 4, 5), (0, 2, 3, 1)),
        ((3, 1, 5), (0, 3, 2, 1)),
        ((4, 17, 35), (0, 1, 3, 2)),
        ((3, 4, 17), (0, 2, 1, 3)),
        ((4, 5, 6), (0, 1, 2, 3)),
        ((4, 1, 6), (0, 2, 3, 1)),
        ((2, 3, 4, 5, 6), (0, 5, 3, 1, 4, 2)),
        ((2, 3, 2, 3, 2), (0, 5, 2, 3, 1, 4)),
    ],
    ids=str,
)
def test_axes_in_another_order(shape, axes):
    first = Node("bent", Tanh(), ("mixed",))
    agrees(program_of([first, Node("own", Transpose(axes), ("bent",)), Node("y", Tanh(), ("own",))], shape))
    nodes = [first, Node("a", Transpose(axes), ("bent",)), Node("b", Transpose(axes), ("mixed",))]
    nodes += [Node("c", Transpose(axes), ("bent",)), Node("d", Multiply(), ("a", "c"))]
    agrees(program_of([*nodes, Node("y", Multiply(), ("d", "b"))], shape))


def test_transpose_that_adds_to_a_gradient():
    """The square is read twice: as it is, and turned."""
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("turned", Transpose((0, 2, 1)), ("bent",))]
    agrees(program_of([*nodes, Node("y", Multiply(), ("bent", "turned"))], (4, 4)))
    agrees(program_of([*nodes, Node("y", MatMul(), ("bent", "turned"))], (4, 5)))


def test_more_axes_than_an_instruction_has_are_called_back():
    shape = (2,) * 7
    nodes = [Node("own", Transpose((0, *range(7, 0, -1))), ("mixed",)), Node("y", Flatten(), ("own",))]
    agrees(program_of(nodes, shape), hosted=["Transpose"])


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("size", [1, 5, 128, 130])
def test_repeated_vectors(n, size):
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("own", RepeatVector(n), ("bent",))]
    agrees(program_of([*nodes, Node("y", Tanh(), ("own",))], (size,)))
    nodes.append(Node("again", RepeatVector(n), ("bent",)))
    agrees(program_of([*nodes, Node("y", Multiply(), ("own", "again"))], (size,)))


@pytest.mark.parametrize(
    ("shape", "cut", "axes"),
    [
        ((8,), None, 1),
        ((1,), None, 1),
        ((130,), None, -1),
        ((9, 5), (1, 4), 2),
        ((9, 21), (1, 4), (2, 2)),
        ((9, 5), (2, 3), 1),
        ((9, 21), (2, 3), 1),
        ((6, 6), (1, 4), (1, 2)),
        ((6, 6), (2, 4), (1, 1)),
        ((6, 6), (1, 4), (2, 2)),
        ((4, 5, 19), (1, 2), 2),
        ((4, 5, 19), (3, 1), 2),
        ((4, 5, 3), (3, 18), 1),
        ((4, 5, 5), (1, 2), (2, 3)),
        ((4, 5, 5), (1, 2), (3, 2)),
        ((4, 5, 5), (1, 1), (3, 2)),
    ],
    ids=str,
)
def test_products_along_axes(shape, cut, axes):
    """Of a value and a part of it, with each of the two first, and both once more."""
    nodes = [Node("bent", Tanh(), ("mixed",))]
    part = "bent"
    if cut is not None:
        part = "part"
        nodes.append(Node("part", Slice(cut[0], None, cut[1]), ("mixed",)))
    nodes += [Node("own", Dot(axes), ("bent", part)), Node("y", Tanh(), ("own",))]
    agrees(program_of(nodes, shape), tolerance=5e-5, rate=1e-3)
    turned = axes if isinstance(axes, int) else axes[::-1]
    nodes[-2:] = [
        Node("one", Dot(axes), ("bent", part)),
        Node("other", Dot(turned), (part, "bent")),
        Node("a", Flatten(), ("one",)),
        Node("b", Flatten(), ("other",)),
        Node("y", Multiply(), ("a", "b")),
    ]
    agrees(program_of(nodes, shape), tolerance=1e-4, rate=1e-8)


def test_the_same_on_any_number_of_threads():
    nodes = [
        Node("turned", Transpose((0, 2, 1)), ("mixed",)),
        Node("unit", UnitNormalization(), ("turned",)),
        Node("dot", Dot((2, 1)), ("unit", "mixed")),
        Node("less", Subtract(), ("dot", "dot")),
        Node("middle", Average(), ("dot", "less")),
        Node("y", Minimum(), ("middle", "dot")),
    ]
    same_on_all_threads(program_of(nodes, (17, 21)), rows=130, batch_size=64)
