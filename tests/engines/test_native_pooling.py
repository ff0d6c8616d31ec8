"""Pooling on the native engine: the reference's numbers on odd shapes, on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Add,
    AveragePooling1D,
    AveragePooling2D,
    Bias,
    Convolution2D,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    ReLU,
)
from brickwork.engines import Program
from brickwork.graph import Graph, Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

WINDOWS = {
    "2x2": {},
    "one place": {"pool_size": 1},
    "3x3, stride 3": {"pool_size": 3},
    "overlapping": {"pool_size": 3, "strides": 2},
    "stride 1": {"pool_size": 2, "strides": 1},
    "gaps": {"pool_size": 2, "strides": 3},
    "flat": {"pool_size": (1, 3), "strides": (2, 1)},
    "same": {"pool_size": 3, "strides": 2, "padding": "same"},
    "same, stride 1": {"pool_size": (2, 4), "strides": 1, "padding": "same"},
    "own border": {"pool_size": 3, "strides": 2, "padding": ((2, 0), (1, 2))},
}
SHAPES = [(8, 8, 32), (7, 9, 17), (5, 6, 6), (9, 4, 1), (4, 5, 3), (6, 6, 24)]


def pooled(brick, shape, **more):
    return program_of([Node("y", brick, ("mixed",))], shape, **more)


@pytest.mark.parametrize("kind", [MaxPooling2D, AveragePooling2D])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_pooling_agrees_with_the_reference(kind, shape, window):
    agrees(pooled(kind(**window), shape))


@pytest.mark.parametrize("shape", [*SHAPES, (1, 1, 5)], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("kind", [GlobalAveragePooling2D, GlobalMaxPooling2D])
def test_global_pooling_agrees_with_the_reference(kind, shape, keepdims):
    agrees(pooled(kind(keepdims), shape))


@pytest.mark.parametrize("shape", [(9, 17), (8, 1), (5, 6)], ids=str)
@pytest.mark.parametrize("kind", [MaxPooling1D, AveragePooling1D])
@pytest.mark.parametrize(
    "window",
    [{}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 2, "strides": 3}]
    + [{"pool_size": 4, "strides": 1, "padding": (3, 1)}],
    ids=repr,
)
def test_pooling_of_sequences(kind, window, shape):
    agrees(pooled(kind(**window), shape))


@pytest.mark.parametrize("shape", [(9, 17), (1, 5), (300, 3)], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("kind", [GlobalAveragePooling1D, GlobalMaxPooling1D])
def test_global_pooling_of_sequences(kind, keepdims, shape):
    agrees(pooled(kind(keepdims), shape))


def test_a_whole_image_of_too_many_places_is_called_back():
    agrees(pooled(GlobalMaxPooling2D(), (257, 256, 1)), rows=2, batch_size=2, hosted=["GlobalMaxPooling2D"])


@pytest.mark.parametrize("kind", [MaxPooling2D, AveragePooling2D])
def test_one_sample(kind):
    agrees(pooled(kind(), (6, 6, 6)), rows=1, batch_size=1)


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (20, 30)])
def test_windows_of_many_places(size):
    """256 are counted in a byte, more in two."""
    agrees(pooled(MaxPooling2D(size, strides=5), (21, 33, 3)))


def test_windows_of_too_many_places_are_called_back():
    agrees(pooled(MaxPooling2D((257, 256)), (257, 256, 1)), rows=2, batch_size=2, hosted=["MaxPooling2D"])


@pytest.mark.parametrize("kind", [MaxPooling2D, AveragePooling2D])
@pytest.mark.parametrize("channels", [1, 6, 17, 32])
@pytest.mark.parametrize("first", [False, True])
def test_gradients_are_added_to_others(kind, channels, first):
    """Overlapping vectors must not reach into the neighbour, whose gradient may be there already."""
    others = [Node("other", AveragePooling2D(2, 1), ("mixed",))]
    own = [Node("own", kind(3, 1, padding=((0, 0), (1, 0))), ("mixed",))]
    own += [Node("wide", AveragePooling2D((1, 1)), ("own",))]
    third = [Node("third", kind((2, 2), (2, 3)), ("mixed",))]
    ends = [Node("g1", GlobalAveragePooling2D(), ("wide",)), Node("g2", GlobalAveragePooling2D(), ("other",))]
    ends += [Node("g3", GlobalAveragePooling2D(), ("third",)), Node("y", Add(), ("g1", "g2", "g3"))]
    nodes = others + own + third if first else third + own + others
    agrees(program_of([*nodes, *ends], (7, 8, channels)))


def test_the_first_of_equal_numbers_wins():
    program = pooled(MaxPooling2D(), (4, 4, 17))

    def level(parameters, statistics):
        parameters["mixed/W"][...] = 0.0

    agrees(program, change=level)
    rng = np.random.default_rng(0)
    plans = [plan_for(name, program) for name in ("reference", "native")]
    x = rng.integers(0, 2, (3, 4, 4, 17)).astype(np.float32)
    batch = {"x": x, "t": rng.standard_normal((3, 2, 2, 17)).astype(np.float32), "w": np.ones(3, np.float32)}
    for plan in plans:
        plan.parameters["mixed/W"][...] = np.eye(17, dtype=np.float32)
    wanted, got = (plan.gradients(batch).gradients["mixed/W"] for plan in plans)
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_infinity_and_nan_go_through():
    graph = Graph({"x": (None, 4, 4, 17)}, [Node("y", MaxPooling2D(), ("x",))], ["y"])
    plan = plan_for("native", Program(graph, graph, "y"))
    for number in (np.inf, -np.inf, np.nan):
        x = np.zeros((2, 4, 4, 17), np.float32)
        for place in [(0, 0, 0, 0), (0, 1, 0, 5), (0, 2, 3, 16), (1, 3, 3, 9)]:
            x[place] = number
        x[1, 2:, :, 3] = -np.inf
        (y,) = plan.predict_batch({"x": x})
        np.testing.assert_array_equal(y, MaxPooling2D()(x))


RECTIFIED = {
    "alone": [Node("r", ReLU(), ("mixed",))],
    "behind a bias": [Node("b", Bias(), ("mixed",)), Node("r", ReLU(), ("b",))],
    "behind a convolution": [
        Node("c", Convolution2D(6, (3, 3)), ("mixed",)),
        Node("b", Bias(), ("c",)),
        Node("r", ReLU(), ("b",)),
    ],
}


@pytest.mark.parametrize(
    "window", [{}, {"pool_size": 3, "strides": 2, "padding": "same"}], ids=["2x2", "3x3"]
)
@pytest.mark.parametrize("before", RECTIFIED.values(), ids=RECTIFIED)
def test_relu_before_pooling(before, window):
    """Its gradient is taken with that of the pooling."""
    program = program_of([*before, Node("y", MaxPooling2D(**window), ("r",))], (9, 8, 6))
    agrees(program, rows=9)
    assert plan_for("native", program)._pass("train", 4).writer.rectified == {"r"}


def test_relu_with_two_readers_keeps_its_own_gradient():
    nodes = [
        Node("r", ReLU(), ("mixed",)),
        Node("p", MaxPooling2D(), ("r",)),
        Node("q", AveragePooling2D(), ("r",)),
        Node("y", Add(), ("p", "q")),
    ]
    program = program_of(nodes, (6, 6, 6))
    agrees(program)
    assert not plan_for("native", program)._pass("train", 4).writer.rectified


@pytest.mark.parametrize("kind", [MaxPooling2D, AveragePooling2D])
def test_the_same_on_any_number_of_threads(kind):
    nodes = [
        Node("c", Convolution2D(6, (3, 3)), ("mixed",)),
        Node("r", ReLU(), ("c",)),
        Node("p", kind(), ("r",)),
        Node("d", Convolution2D(17, (3, 3), padding="same"), ("p",)),
        Node("q", kind(3, 2), ("d",)),
        Node("y", Flatten(), ("q",)),
    ]
    same_on_all_threads(program_of(nodes, (28, 28, 5)))
