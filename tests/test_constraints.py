"""Projections of parameters."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from brickwork import constraints
from brickwork.constraints import Constraint, MaxNorm, NonNeg, UnitNorm
from wrong_arguments import assert_refuses, wrong_arguments

ALL = [MaxNorm(1.0), MaxNorm(0.5, axis=(0, 1)), NonNeg(), UnitNorm(), UnitNorm(axis=1), Constraint()]


def test_max_norm_shortens_long_columns_only():
    w = np.array([[3.0, 0.3], [4.0, 0.4]])
    np.testing.assert_allclose(MaxNorm(2)(w), [[1.2, 0.3], [1.6, 0.4]], rtol=1e-6)


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
    assert (constraints.max_norm, constraints.non_neg, constraints.unit_norm) == (MaxNorm, NonNeg, UnitNorm)


def test_a_list_of_axes_becomes_a_tuple():
    assert MaxNorm(axis=[0, 1]).get_config() == {"max_value": 2.0, "axis": (0, 1)}


@pytest.mark.parametrize("cls, name, value", wrong_arguments(MaxNorm, UnitNorm))
def test_refuses_wrong_arguments(cls, name, value):
    assert_refuses(cls, name, value)
