"""Normalization of each sample on the native engine: the reference's numbers on odd shapes."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.bricks import (
    Context,
    GroupNormalization,
    LayerNormalization,
    LocalResponseNormalization,
    Multiply,
    RMSNormalization,
    Tanh,
    UnitNormalization,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

SHAPES = [(7,), (2,), (16,), (17,), (128,), (300,), (5, 6), (3, 4, 17), (2, 3, 2), (6, 5, 64)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def behind(brick, shape):
    """The brick twice, behind what bends, so that no gradient is plain."""
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("own", brick, ("bent",)),
        Node("one", Tanh(), ("own",)),
        Node("y", brick, ("one",)),
    ]
    return program_of(nodes, shape)


def shared(brick, shape):
    """One brick at two places, whose gains are shared, and its input read twice."""
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("own", brick, ("bent",)),
        Node("again", brick, ("own",), owner="own"),
        Node("y", Multiply(), ("again", "bent")),
    ]
    return program_of(nodes, shape)


@every_shape
@pytest.mark.parametrize("kind", [LayerNormalization, RMSNormalization, UnitNormalization])
def test_along_the_last_axes(kind, shape):
    for count in range(1, len(shape) + 1):
        brick = kind(tuple(range(-count, 0)))
        agrees(behind(brick, shape), rows=9, tolerance=1e-4)
        agrees(shared(brick, shape), tolerance=1e-4)


@pytest.mark.parametrize(("center", "scale"), [(True, False), (False, True), (False, False)])
@pytest.mark.parametrize("shape", [(19,), (4, 3, 12)], ids=str)
def test_without_gain_or_shift(shape, center, scale):
    agrees(behind(LayerNormalization(center=center, scale=scale), shape), tolerance=1e-4)
    groups = 3 if shape[-1] % 3 == 0 else 1
    agrees(behind(GroupNormalization(groups, center=center, scale=scale), shape), tolerance=1e-4)


@pytest.mark.parametrize(
    ("groups", "shape"),
    [
        (1, (12,)),
        (3, (12,)),
        (-1, (5, 3)),
        (2, (5, 6)),
        (4, (3, 4, 8)),
        (1, (4, 4, 5)),
        (8, (7, 6, 32)),
        (-1, (9, 8, 17)),
    ],
    ids=str,
)
def test_groups(groups, shape):
    agrees(behind(GroupNormalization(groups), shape), rows=9, tolerance=1e-4)
    agrees(shared(GroupNormalization(groups), shape), tolerance=1e-4)


@pytest.mark.parametrize(
    ("size", "shape"),
    [(5, (17,)), (5, (3, 4, 96)), (3, (2, 2, 6)), (4, (5, 9)), (9, (3,)), (40, (4, 5)), (1, (8,))],
)
@pytest.mark.parametrize("beta", [0.75, 0.5, 0.0])
def test_local_response(size, shape, beta):
    brick = LocalResponseNormalization(size, alpha=0.3, beta=beta, k=1.5)
    agrees(behind(brick, shape), rows=5, tolerance=1e-4)
    agrees(shared(brick, shape), tolerance=1e-4)


def test_other_axes_are_called_back():
    agrees(behind(LayerNormalization((1,)), (5, 6)), hosted=["LayerNormalization"] * 2, tolerance=1e-4)
    agrees(behind(GroupNormalization(2, 1), (4, 3)), hosted=["GroupNormalization"] * 2, tolerance=1e-4)


@pytest.mark.parametrize("brick", [LayerNormalization(), GroupNormalization(4)], ids=repr)
@pytest.mark.parametrize("shape", [(64,), (4, 3, 64)], ids=str)
def test_a_mean_far_from_zero(brick, shape):
    """A thousand deviations away: what float32 leaves of x is all that may be lost."""
    program = program_of([Node("y", brick, ("mixed",))], shape)

    def plain(parameters, _):
        for key, value in parameters.items():
            value[...] = np.eye(64) if key.endswith("/W") else 1.0

    plan = plan_for("native", program, change=plain)
    x = (1000.0 + np.random.default_rng(0).standard_normal((6, *shape))).astype(np.float32)
    (y,) = plan.predict_batch({"x": x})
    ones = {"gamma": np.ones(64), "beta": np.ones(64)}
    exact, _ = brick.forward(ones, x.astype(np.float64), ctx=Context())
    np.testing.assert_allclose(y, exact, atol=2e-4)


@pytest.mark.parametrize("brick", [LayerNormalization(), GroupNormalization(4)], ids=repr)
def test_threads(brick):
    same_on_all_threads(behind(brick, (8, 7, 16)))
    same_on_all_threads(behind(brick, (16,)))
