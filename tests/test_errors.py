"""The words that errors share."""

from __future__ import annotations

import pytest

from brickwork import errors


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relo", " Did you mean 'relu'?"),
        ("RELU", " Did you mean 'relu'?"),
        ("w", " Did you mean 'W'?"),
        ("nothing like it", ""),
        (3, ""),
    ],
)
def test_did_you_mean(name, expected):
    assert errors.did_you_mean(name, ["relu", "tanh", "W"]) == expected


def test_known_names_are_shortened():
    assert errors.known_names(["a", "b", "c"], limit=2) == "'a', 'b', … (3 in all)"


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ParameterError, ValueError),
        (errors.ParameterTypeError, TypeError),
        (errors.ShapeError, ValueError),
        (errors.GraphError, ValueError),
        (errors.DataError, ValueError),
        (errors.FormatError, ValueError),
        (errors.NotFittedError, AttributeError),
        (errors.DivergenceError, ArithmeticError),
    ],
)
def test_errors_are_caught_by_who_does_not_know_brickwork(error, builtin):
    assert issubclass(error, builtin)
    assert issubclass(error, errors.BrickworkError)
