"""Formulas are read from the docstrings of the bricks."""

from __future__ import annotations

import pytest

from brickwork import bricks
from brickwork.bricks import Brick
from brickwork.inspect.formula import LABELS, formula

ALL = [
    cls
    for name in bricks.__all__
    if isinstance(cls := getattr(bricks, name), type) and issubclass(cls, Brick) and cls is not Brick
]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("label", LABELS)
def test_every_brick_states_it(cls, label):
    lines = formula(cls, label)
    assert lines and all(lines)
    assert not any(line.startswith(("Forward", "Backward", "Shapes", ">>>")) for line in lines)
    assert label == "Shapes" or any("=" in line for line in lines)


def test_an_instance_will_do():
    assert formula(bricks.Linear(3)) == ["y = x @ W"]


def test_several_lines():
    assert formula(bricks.Dropout(0.5))[1].startswith("y = x ")
    assert formula(bricks.BatchNormalization, "Backward")[1].startswith("dx = gamma / sqrt(var + epsilon)")


def test_a_brick_without_formulas():
    class Silent(Brick):
        pass

    assert formula(Silent) == []
