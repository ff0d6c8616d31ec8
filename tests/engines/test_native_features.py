"""Merging, moving, scaling and summing on the native engine: the reference's numbers on odd shapes."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    ActivityPenalty,
    Add,
    Bias,
    Concatenate,
    Flatten,
    LogSoftmax,
    Maximum,
    Multiply,
    Normalization,
    ReLU,
    Rescaling,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Sparsemax,
    Standardization,
    Sum,
    Tanh,
    WeightedMean,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

SHAPES = [(7,), (1,), (16,), (17,), (128,), (5, 6), (3, 4, 17), (2, 3, 1)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def behind(brick, shape, **more):
    """The brick between two that bend, so that no gradient is plain."""
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("own", brick, ("bent",)), Node("y", Tanh(), ("own",))]
    return program_of(nodes, shape, **more)


@pytest.mark.parametrize("shape", [*SHAPES, (10,), (27,), (3, 71)], ids=str)
@pytest.mark.parametrize("kind", [Softmax, LogSoftmax, Sparsemax])
def test_softmax(kind, shape):
    agrees(program_of([Node("y", kind(), ("mixed",))], shape))


@pytest.mark.parametrize("kind", [Softmax, LogSoftmax, Sparsemax])
def test_softmax_of_large_numbers(kind):
    agrees(program_of([Node("y", kind(), ("mixed",))], (17,)), scale=50.0, tolerance=1e-4)


@pytest.mark.parametrize("scale", [0.01, 0.5, 3.0])
def test_sparsemax_of_few_and_of_many(scale):
    """From nearly all classes above 0 to one alone."""
    agrees(program_of([Node("y", Sparsemax(), ("mixed",))], (100,), units=100), scale=scale)


@pytest.mark.parametrize("kind", [Softmax, LogSoftmax, Sparsemax])
def test_softmax_along_another_axis_is_called_back(kind):
    agrees(behind(kind(axis=1), (5, 6)), hosted=[kind.__name__])


@every_shape
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("kind", [Add, Multiply, Maximum])
def test_merging(kind, count, shape):
    """Of several values and, in the last place, of one for the second time."""
    nodes = [Node(f"b{i}", Bias(), ("mixed",)) for i in range(count - 1)]
    nodes += [Node(f"t{i}", Tanh(), (f"b{i}",)) for i in range(count - 1)]
    names = [*(f"t{i}" for i in range(count - 1)), "mixed"]
    agrees(program_of([*nodes, Node("own", kind(), tuple(names)), Node("y", Tanh(), ("own",))], shape))
    names[-1] = "t0"
    agrees(program_of([*nodes, Node("own", kind(), tuple(names)), Node("y", Tanh(), ("own",))], shape))


def test_a_maximum_of_too_many_is_called_back():
    nodes = [Node(f"t{i}", Bias(), ("mixed",)) for i in range(6)]
    nodes += [Node("y", Maximum(), tuple(f"t{i}" for i in range(6)))]
    agrees(program_of(nodes, (5,)), hosted=["Maximum"])


@pytest.mark.parametrize("kind", [Add, Multiply, Maximum])
def test_broadcasting_is_called_back(kind):
    nodes = [
        Node("one", Sum(axis=-1, keepdims=True), ("mixed",)),
        Node("y", kind(), ("mixed", "one")),
    ]
    agrees(program_of(nodes, (3, 5)), hosted=[kind.__name__])


@every_shape
def test_add_and_relu(shape):
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("sum", Add(), ("bent", "mixed")),
        Node("relu", ReLU(), ("sum",)),
        Node("y", Tanh(), ("relu",)),
    ]
    agrees(program_of(nodes, shape))


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_concatenate(axis):
    sizes = {1: [(3, 4, 5), (2, 4, 5)], 2: [(3, 4, 5), (3, 1, 5)], 3: [(3, 4, 5), (3, 4, 2)]}
    sizes[-1] = sizes[3]
    (h, w, c), cut = sizes[axis]
    place = axis % 4
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("part", Slice(axis=place, start=-cut[place - 1]), ("bent",)),
        Node("joined", Concatenate(axis), ("part", "mixed", "part")),
        Node("y", Tanh(), ("joined",)),
    ]
    agrees(program_of(nodes, (h, w, c)))


@pytest.mark.parametrize("size", [7, 128, 200])
def test_concatenate_features(size):
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("joined", Concatenate(), ("mixed", "bent", "mixed"))]
    agrees(program_of([*nodes, Node("y", Tanh(), ("joined",))], (size,)))


@pytest.mark.parametrize(
    "cut", [(None, 3, 1), (1, None, 2), (2, 5, 3), (-3, -1, 1), (None, None, 1)], ids=str
)
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_slice(axis, cut):
    brick = Slice(axis, *cut)
    agrees(behind(brick, (5, 6, 7)))
    nodes = [Node("y", brick, ("mixed",))]  # alone, and beside another reader
    agrees(program_of(nodes, (5, 6, 7)))
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("a", brick, ("mixed",)), Node("b", brick, ("bent",))]
    agrees(program_of([*nodes, Node("y", Multiply(), ("a", "b"))], (5, 6, 7)))


def test_slice_of_features():
    agrees(behind(Slice(1, 3, 131, 2), (256,)))


@every_shape
def test_scale(shape):
    agrees(behind(Scale(), shape), rows=9)
    assert "Scale" not in str(plan_for("native", behind(Scale(), shape))._pass("train", 4).writer.noticed)


@every_shape
def test_fixed_numbers_for_each_feature(shape):
    gains = tuple(np.linspace(0.5, 2.0, shape[-1]).tolist())
    shifts = tuple(np.linspace(-1.0, 1.0, shape[-1]).tolist())
    agrees(behind(Rescaling(gains, shifts), shape))
    agrees(behind(Rescaling(gains), shape))
    agrees(behind(Rescaling(0.5, shifts), shape))
    agrees(behind(Rescaling(2.0, -1.0), shape))
    agrees(behind(Normalization(shifts, gains), shape))
    agrees(behind(Normalization(0.5, 4.0), shape))


@every_shape
@pytest.mark.parametrize("invert", [False, True])
def test_standardization(shape, invert):
    def found(parameters, statistics):
        statistics["own/mean"][...] = np.linspace(-1, 1, shape[-1])
        statistics["own/variance"][...] = np.linspace(0.0 if invert else 0.25, 2, shape[-1])

    agrees(behind(Standardization(invert=invert), shape), change=found)


def test_standardization_along_other_axes_is_called_back():
    agrees(behind(Standardization(axis=()), (3, 4)), hosted=["Standardization"])
    agrees(behind(Standardization(axis=(1,)), (3, 4)), hosted=["Standardization"])


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 1, 2, -1, (1, 2), (2, 3)], ids=str)
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 1, 33), (7, 9, 1)], ids=str)
def test_sums(axis, keepdims, shape):
    sums = Sum(axis=axis, keepdims=keepdims)
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("sum", sums, ("bent",)),
        Node("s", Rescaling(0.1), ("sum",)),
    ]
    end = [Node("shaped", Reshape((1,)), ("s",))] if axis is None and not keepdims else []
    agrees(program_of([*nodes, *end, Node("y", Tanh(), ((end or nodes)[-1].name,))], shape))
    nodes.insert(2, Node("twice", sums, ("bent",)))
    agrees(
        program_of([*nodes, *end, Node("z", Multiply(), ("s", "twice")), Node("y", Tanh(), ("z",))], shape)
    )


def test_sums_over_axes_apart_are_called_back():
    agrees(behind(Sum(axis=(1, 3)), (3, 4, 5)), hosted=["Sum"])


@pytest.mark.parametrize("numbers", [(0.1, 0.0), (0.0, 0.2), (0.1, 0.2)], ids=str)
@every_shape
def test_activity_penalty(shape, numbers):
    total = [
        Node("paid", ActivityPenalty(*numbers), ("bent",)),
        Node("share", WeightedMean(), ("paid",)),
        Node("total", Add(), ("mean", "share")),
    ]
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("y", Tanh(), ("bent",))]
    agrees(program_of(nodes, shape, total=total))


def test_the_same_on_any_number_of_threads():
    nodes = [
        Node("scaled", Scale(), ("mixed",)),
        Node("soft", Softmax(), ("scaled",)),
        Node("sum", Add(), ("mixed", "soft")),
        Node("relu", ReLU(), ("sum",)),
        Node("most", Maximum(), ("relu", "soft", "mixed")),
        Node("product", Multiply(), ("most", "scaled")),
        Node("joined", Concatenate(1), ("product", "soft")),
        Node("cut", Slice(2, 1, None, 2), ("joined",)),
        Node("sums", Sum(axis=1), ("cut",)),
        Node("y", Flatten(), ("sums",)),
    ]
    same_on_all_threads(program_of(nodes, (20, 21, 17)), rows=130, batch_size=64)
