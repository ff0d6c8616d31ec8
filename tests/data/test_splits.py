"""Splits: every row once, shares as asked for, every class in every part."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.data import split_rows
from brickwork.errors import DataError, ParameterError


def parts(split):
    return [split.train, split.validation, split.test]


def test_the_same_seed_draws_the_same_rows():
    first, second, third = (split_rows(50, test=0.2, validation=0.1, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(parts(first), parts(second), strict=True))
    assert not np.array_equal(first.test, third.test)


# A change of this is a change of every result that was ever reported on a split.
def test_the_rows_of_a_seed_never_change():
    assert split_rows(10, test=0.3, seed=1).test.tolist() == [4, 8, 7]
    assert split_rows(8, test=0.25, seed=0, labels=[0, 0, 0, 0, 1, 1, 1, 1]).test.tolist() == STRATIFIED


STRATIFIED = [2, 7]


@given(
    st.lists(st.integers(3, 40), min_size=1, max_size=6),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(0, 1000),
    st.booleans(),
)
def test_every_row_is_in_one_part_and_shares_are_kept(sizes, validation, test, seed, stratified):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    count = len(labels)
    try:
        split = split_rows(
            count, validation=validation, test=test, seed=seed, labels=labels if stratified else None
        )
    except DataError:
        assert round(count * validation) == 0 or round(count * test) == 0 or count < 4
        return
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(count))
    shares = (1 - validation - test, validation, test)
    for rows, share in zip(parts(split), shares, strict=True):
        # a class too small for its share still gets a row in each part
        assert abs(len(rows) - count * share) <= (1 + len(sizes) if stratified else 1.01)
        if stratified:
            of_each = np.bincount(labels[rows], minlength=len(sizes))
            assert of_each.min() >= 1
            assert np.all(np.abs(of_each - np.array(sizes) * share) < 2.01)


def test_classes_are_mixed():
    labels = np.repeat([0, 1, 2], 40)
    split = split_rows(120, test=0.25, labels=labels)
    assert set(labels[split.train[-15:]]) == set(labels[split.test[:10]]) == {0, 1, 2}


def test_no_part_for_testing():
    split = split_rows(3, test=0)
    assert sorted(split.train.tolist()) == [0, 1, 2] and len(split.test) == len(split.validation) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"count": 3, "test": 0.1},
            "A test share of 0.1 of 3 rows leaves 0 for test and 3 for training; every part",
        ),
        ({"count": 2, "test": 0.9}, "A test share of 0.9 of 2 rows leaves 2 for test and 0 for training"),
        ({"count": 9, "validation": 0.01}, "A validation share of 0.01 of 9 rows leaves 0 for validation"),
        (
            {"count": 5, "labels": [0, 0, 0, 0, 1], "class_names": ["cat", "dog"]},
            "A split into 2 parts needs at least 2 rows of every class; class 'dog' has 1. Add rows of it, "
            "drop or "
            "merge the class, or split off no test part",
        ),
        (
            {"count": 5, "labels": [0, 1]},
            "A stratified split needs one label for each of 5 rows; received labels of",
        ),
    ],
)
def test_splits_that_leave_nothing(arguments, message):
    with pytest.raises(DataError, match=re.escape(message)):
        split_rows(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test": 1.0}, "split_rows: `test` must be in [0, 1); got test=1.0."),
        ({"test": -0.1}, "split_rows: `test` must be in [0, 1)"),
        ({"test": float("nan")}, "split_rows: `test` must be in [0, 1)"),
        ({"test": 0.5, "validation": 0.5}, "must leave rows for training; got validation=0.5 and test=0.5"),
        ({"seed": -1}, "split_rows: `seed` must be a whole number of at least 0"),
    ],
)
def test_shares_that_do_not_exist(arguments, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        split_rows(10, **arguments)
