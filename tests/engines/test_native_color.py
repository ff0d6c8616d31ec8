"""Colours and erased rectangles on the native engine: the reference's draws, pixels and gradients."""

from __future__ import annotations

import pytest

from brickwork.bricks import (
    Multiply,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomHue,
    RandomSaturation,
    Sigmoid,
)
from brickwork.graph import Node
from engines.native_checks import agrees, needs_native, plan_for, program_of, same_on_all_threads

pytestmark = needs_native

UNIT = (0.0, 1.0)


def behind(brick, shape):
    """Two nodes of the brick on numbers in (0, 1), each with a stream of its own; gradients are added up."""
    nodes = [
        Node("bent", Sigmoid(), ("mixed",)),
        Node("one", brick, ("bent",)),
        Node("two", brick, ("bent",)),
        Node("y", Multiply(), ("one", "two")),
    ]
    return program_of(nodes, shape)


@pytest.mark.parametrize("shape", [(5, 6, 3), (1, 1, 3), (9, 7, 3), (4, 4, 1), (3, 5, 17)], ids=str)
def test_agrees_with_the_reference(shape):
    bricks = [
        RandomBrightness((-0.6, 0.6), UNIT),
        RandomContrast((0.1, 1.9), UNIT, seed=2**50),
        RandomErasing(value_range=UNIT),
        RandomErasing((0.0, 1.0), (0.2, 0.9), fill_value=0.3, value_range=UNIT),
        RandomErasing(fill_value=tuple(i / 20 for i in range(shape[-1])), value_range=UNIT, seed=7),
    ]
    if shape[-1] == 3:
        bricks += [RandomSaturation((0.0, 1.0), UNIT), RandomHue((0.0, 1.0), UNIT)]
    for brick in bricks:
        agrees(behind(brick, shape), rows=7, tolerance=1e-4)


def test_nothing_is_done_in_inference():
    plan = plan_for("native", behind(RandomErasing(), (6, 6, 1)))
    assert not [step for step in plan._pass("predict", 4).writer.steps if step.name == "erase_image"]
    assert len([step for step in plan._pass("train", 4).writer.steps if step.name == "erase_image"]) > 2


@pytest.mark.parametrize(
    "brick", [RandomContrast((0.1, 1.9), UNIT), RandomErasing(value_range=UNIT)], ids=repr
)
def test_threads(brick):
    same_on_all_threads(behind(brick, (8, 7, 2)))
