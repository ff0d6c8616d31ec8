"""Every example runs from top to bottom and reaches its pass mark."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import brickwork

EXAMPLES = Path(__file__).parents[2] / "examples"

# The score each one prints, and what it must reach.
PASS_MARKS = {
    "digits.py": 0.96,
    "from_scratch.py": 0.95,
    "own_brick.py": 0.95,
    "own_loop.py": 0.93,
    "perceptron.py": 0.97,
    "two_inputs.py": 0.93,
    "wiring_by_hand.py": 3,
}


@pytest.fixture
def printed(capsys):
    """Runs an example once and gives what it printed."""

    def run(name: str) -> str:
        brickwork.utils.clear_session()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, f"{pattern} is not in:\n{text}"
    return float(found[1])


def test_every_example_has_a_pass_mark():
    # keras_script.py has a test of its own
    names = {path.name for path in EXAMPLES.glob("*.py")} - {"keras_script.py"}
    assert names == set(PASS_MARKS)


@pytest.mark.parametrize("name", PASS_MARKS)
def test_examples_reach_their_pass_marks(name, printed):
    told = printed(name)
    assert number(r"(?m)^score: ([0-9.]+) ", told) >= PASS_MARKS[name]
    if name == "from_scratch.py":
        assert number(r"by hand and by bricks: largest difference (\S+)", told) < 1e-12
    if name == "perceptron.py":
        assert number(r"by the rule and by bricks: largest difference (\S+)", told) < 1e-6
    if name == "wiring_by_hand.py":
        assert "'f': -12.0" in told
        assert "'x': -4.0, 'y': -4.0, 'z': 3.0" in told
    if name == "own_brick.py":
        assert number(r"slopes to (\S+)", told) < 1e-6


@pytest.mark.parametrize("name", PASS_MARKS)
def test_examples_are_short(name):
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (123 if name == "from_scratch.py" else 75)
