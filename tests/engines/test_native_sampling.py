"""Augmentation on the native engine: the reference's draws, pixels and gradients."""

from __future__ import annotations

import pytest

from brickwork.bricks import (
    CenterCrop,
    Multiply,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    Tanh,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

SHAPES = [(5, 6, 2), (8, 9, 1), (4, 4, 3), (3, 20, 17), (1, 7, 1), (17, 1, 1), (28, 28, 1)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
FILLS = ["constant", "nearest", "reflect", "wrap"]


def behind(brick, shape):
    """Two nodes of the brick, each with a stream of its own, whose gradients are added up."""
    nodes = [
        Node("bent", Tanh(), ("mixed",)),
        Node("one", brick, ("bent",)),
        Node("two", brick, ("bent",)),
        Node("y", Multiply(), ("one", "two")),
    ]
    return program_of(nodes, shape)


@every_shape
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_maps(shape, fill, interpolation):
    told = {"fill_mode": fill, "interpolation": interpolation, "fill_value": 0.6}
    for brick in (
        RandomTranslation((-1.0, 1.0), (-0.7, 0.5), **told),
        RandomRotation((-0.5, 0.5), **told),
        RandomZoom((-0.5, 1.0), **told),
        RandomZoom((-0.9, 0.2), (0.5, 1.0), seed=2**40 + 7, **told),
    ):
        agrees(behind(brick, shape), rows=7, tolerance=1e-4)


@every_shape
def test_flips_and_cuts(shape):
    high, wide, _ = shape
    for brick in (
        RandomFlip(),
        RandomFlip(horizontal=False),
        RandomFlip(vertical=False, seed=9),
        RandomCrop(max(1, high - 2), max(1, wide - 1)),
        RandomCrop(high + 2, max(1, wide - 1)),
        CenterCrop(max(1, high // 2), max(1, wide - 1)),
        CenterCrop(high + 1, 2 * wide),
    ):
        agrees(behind(brick, shape), rows=7, tolerance=1e-4)


def test_nothing_is_done_in_inference():
    program = behind(RandomRotation((-0.5, 0.5)), (6, 6, 1))
    plan = plan_for("native", program)
    assert not [step for step in plan._pass("predict", 4).writer.steps if step.name == "sample_image"]
    assert [step for step in plan._pass("train", 4).writer.steps if step.name == "sample_image"]


@pytest.mark.parametrize("brick", [RandomRotation((-0.5, 0.5)), RandomCrop(5, 4)], ids=repr)
def test_threads(brick):
    same_on_all_threads(behind(brick, (8, 7, 2)))
