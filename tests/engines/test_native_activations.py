"""Activations on the native engine: the reference's numbers, at the ends of their range too."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import bricks
from brickwork.bricks import (
    GLU,
    Concatenate,
    Maximum,
    Maxout,
    Multiply,
    PReLU,
    Slice,
    Tanh,
)
from brickwork.bricks.activation import Elementwise
from brickwork.engines import Program
from brickwork.graph import Graph, Node
from engines.native_checks import agrees, close, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

SHAPES = [(7,), (1,), (128,), (5, 6), (3, 4, 17)]

SETTINGS = {
    "LeakyReLU": [{}, {"negative_slope": 0.0}, {"negative_slope": 1.7}],
    "ELU": [{}, {"alpha": 0.5}],
    "CELU": [{}, {"alpha": 0.5}, {"alpha": 3.0}],
    "Rectifier": [{"max_value": 0.8, "negative_slope": 0.2, "threshold": 0.1}, {"negative_slope": 0.1}],
    "Heaviside": [{}, {"low": -1}],
    "GELU": [{}, {"approximate": True}],
    "Squareplus": [{}, {"b": 0.3}],
    "HardShrink": [{}, {"threshold": 0.1}],
    "SoftShrink": [{}, {"threshold": 0.1}],
    "Threshold": [{"threshold": 0.2, "default_value": -1.0}],
}


def functions():
    for name in bricks.__all__:
        cls = getattr(bricks, name)
        if isinstance(cls, type) and issubclass(cls, Elementwise) and name not in ("Log", "Reciprocal"):
            for settings in SETTINGS.get(name, [{}]):
                yield pytest.param(cls(**settings), id=repr(cls(**settings)))


every_function = pytest.mark.parametrize("brick", list(functions()))


@every_function
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_function_of_each_number(brick, shape):
    nodes = [Node("own", brick, ("mixed",)), Node("y", Tanh(), ("own",))]
    agrees(program_of(nodes, shape), tolerance=5e-5)


@every_function
def test_beside_another_reader(brick):
    """Its part of the gradient is added to what is there."""
    nodes = [Node("own", brick, ("mixed",)), Node("bent", Tanh(), ("mixed",))]
    program = program_of([*nodes, Node("y", Multiply(), ("own", "bent"))], (17,))
    agrees(program, tolerance=5e-5, rate=1e-4)


_SIZES = np.array([0.0, 1e-3, 1.0, 3.0, 20.5, 88.0, 104.0, 1e4, 1e30, np.inf], np.float32)
ENDS = np.concatenate([-_SIZES, _SIZES, [np.float32(np.nan)]])


@every_function
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_ends_of_the_range(brick):
    """Of one value and of its slope: finite, infinite or NaN where the reference is, and equal."""
    made = Graph({"x": (None, len(ENDS))}, [Node("y", brick, ("x",))], ["y"])
    program = Program(made, made, "y")
    found = plan_for("native", program).predict_batch({"x": ENDS[None]})[0]
    wanted = plan_for("reference", program).predict_batch({"x": ENDS[None]})[0]
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "axes", "hosted"),
    [
        ((7,), (), ()),
        ((1,), (), ()),
        ((130,), (1,), ()),
        ((128,), (), ()),
        ((5, 6, 17), (1, 2), ()),
        ((5, 6, 3), (), ()),
        ((5, 6, 3), (1, 2, 3), ()),
        ((5, 6, 3), (3,), ()),
        ((5, 6, 33), (2, 3), ()),
        ((5, 6, 3), (1, 3), ()),
        ((5, 6, 3), (2,), ("PReLU",)),
    ],
    ids=str,
)
@pytest.mark.parametrize("rows", [6, 19])
def test_learned_slopes(shape, axes, hosted, rows):
    nodes = [Node("bent", Tanh(), ("mixed",)), Node("own", PReLU(axes), ("bent",))]
    agrees(program_of([*nodes, Node("y", Tanh(), ("own",))], shape), rows, hosted=hosted)
    agrees(program_of([*nodes, Node("y", Multiply(), ("own", "bent"))], shape), rows, hosted=hosted)


def test_learned_slopes_on_any_number_of_threads():
    nodes = [
        Node("one", PReLU((1, 2)), ("mixed",)),
        Node("other", PReLU((3,)), ("one",)),
        Node("third", PReLU((1, 2, 3)), ("other",)),
        Node("y", PReLU(), ("third",)),
    ]
    same_on_all_threads(program_of(nodes, (9, 8, 17)), rows=130, batch_size=64)


GROUPS = [
    ((6,), -1),
    ((132,), -1),
    ((5, 12), -1),
    ((6, 5), 1),
    ((6, 1), 1),
    ((3, 6, 17), 2),
    ((3, 4, 36), 3),
]


@pytest.mark.parametrize(("shape", "axis"), GROUPS, ids=str)
@pytest.mark.parametrize("kind", [GLU, lambda axis: Maxout(2, axis), lambda axis: Maxout(3, axis)])
def test_groups_of_features(kind, shape, axis):
    own = Node("own", kind(axis=axis), ("bent",))
    agrees(program_of([Node("bent", Tanh(), ("mixed",)), own, Node("y", Tanh(), ("own",))], shape))
    twice = Node("again", kind(axis=axis), ("bent",))
    nodes = [Node("bent", Tanh(), ("mixed",)), own, twice, Node("both", Multiply(), ("own", "again"))]
    agrees(program_of([*nodes, Node("y", Tanh(), ("both",))], shape))


def test_maxout_is_the_maximum_of_slices():
    """Of equal numbers the first takes the gradient, here as there."""
    cuts = [Node(f"s{i}", Slice(1, 5 * i, 5 * i + 5), ("bent",)) for i in range(3)]
    first = Node("bent", bricks.HardTanh(), ("mixed",))
    one = program_of([first, Node("y", Maxout(3), ("bent",))], (15,))
    other = program_of([first, *cuts, Node("y", Maximum(), ("s0", "s1", "s2"))], (15,))
    arrays = {"x": 3 * np.random.default_rng(0).standard_normal((9, 15)).astype(np.float32)}
    arrays["t"], arrays["w"] = np.ones((9, 5), np.float32), np.ones(9, np.float32)
    found, wanted = (plan_for("native", program).gradients(arrays) for program in (one, other))
    assert found.total == pytest.approx(wanted.total)
    close(found.gradients["mixed/W"], wanted.gradients["mixed/W"], 1e-6, "W")


def test_groups_on_any_number_of_threads():
    nodes = [
        Node("most", Maxout(2), ("mixed",)),
        Node("gated", GLU(), ("mixed",)),
        Node("y", Concatenate(), ("most", "gated")),
    ]
    same_on_all_threads(program_of(nodes, (5, 34)), rows=130, batch_size=64)
