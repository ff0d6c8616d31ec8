"""Projections of parameters."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from brickwork import constraints
from brickwork.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from brickwork.errors import ParameterError, ShapeError

ALL = [
    MinMaxNorm(0.5, 1.0, 0.7),
    MaxNorm(1.0),
    MaxNorm(0.5, axis=(0, 1)),
    NonNeg(),
    UnitNorm(),
    UnitNorm(axis=1),
    Constraint(),
]


def test_max_norm_shortens_long_columns_only():
    w = np.array([[3.0, 0.3], [4.0, 0.4]])
    np.testing.assert_allclose(MaxNorm(2)(w), [[1.2, 0.3], [1.6, 0.4]], rtol=1e-6)


def test_min_max_norm_shortens_and_lengthens():
    w = np.array([[3.0, 0.3, 0.6], [4.0, 0.4, 0.8]])
    np.testing.assert_allclose(MinMaxNorm(0.8, 2)(w), [[1.2, 0.48, 0.6], [1.6, 0.64, 0.8]], rtol=1e-5)
    half = MinMaxNorm(0.8, 2, rate=0.5)(w)
    np.testing.assert_allclose(np.linalg.norm(half, axis=0), [3.5, 0.65, 1.0], rtol=1e-5)


def test_bounds_in_the_wrong_order():
    with pytest.raises(
        ParameterError, match=r"`min_value` must be at most max_value=1\.0; got min_value=2\.0"
    ):
        MinMaxNorm(2.0)


@pytest.mark.parametrize("axis", [2, -3, (0, 1, 2), (0, -2)])
@pytest.mark.parametrize("cls", [MaxNorm, MinMaxNorm, UnitNorm])
def test_axes_that_are_not_there(cls, axis):
    with pytest.raises(ShapeError, match=r"A norm along axis .* received shape \(3, 2\)\. Choose other axes"):
        cls(axis=axis)(np.ones((3, 2)))


def test_unit_norm():
    w = np.array([[3.0, 0.3], [4.0, 0.4]])
    np.testing.assert_allclose(UnitNorm()(w), [[0.6, 0.6], [0.8, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(UnitNorm(axis=1)(w), axis=1), 1, rtol=1e-6)


def test_a_column_of_zeros_stays():
    w = np.zeros((3, 2))
    assert not MaxNorm()(w).any()
    assert not UnitNorm()(w).any()


def test_non_neg():
    assert NonNeg()(np.array([-1.0, 0.0, 2.0])).tolist() == [0, 0, 2]


@pytest.mark.parametrize("constraint", ALL, ids=repr)
def test_keeps_float32_its_input_and_agrees_under_jit(constraint, rng):
    w = rng.normal(size=(4, 3)).astype(np.float32)
    w.flags.writeable = False
    allowed = constraint(w)
    assert allowed.dtype == np.float32
    np.testing.assert_allclose(jax.jit(constraint)(w), allowed, rtol=1e-6)


def test_other_names():
    names = ("max_norm", "min_max_norm", "non_neg", "unit_norm")
    assert [getattr(constraints, name) for name in names] == [MaxNorm, MinMaxNorm, NonNeg, UnitNorm]
    assert [type(constraints.get(name)) for name in names] == [MaxNorm, MinMaxNorm, NonNeg, UnitNorm]


def test_a_list_of_axes_becomes_a_tuple():
    assert MaxNorm(axis=[0, 1]).get_config() == {"max_value": 2.0, "axis": (0, 1)}
