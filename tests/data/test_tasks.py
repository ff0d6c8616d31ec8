"""Classes or numbers: the rule, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from brickwork.data.tasks import array_target, table_target
from brickwork.errors import DataError, ParameterError


def texts(*words):
    return np.array(words, object)


@pytest.mark.parametrize(
    ("values", "task", "names", "reason"),
    [
        (texts("dog", "cat", "dog"), "classification", ("cat", "dog"), "t holds text"),
        (np.repeat([7.0, 3.0], 5), "classification", ("3", "7"), "t holds 2 different whole numbers"),
        (np.arange(10.0), "regression", (), "t holds 10 different whole numbers"),
        (np.repeat(np.arange(21.0), 5), "regression", (), "t holds 21 different whole numbers"),
        (np.repeat([0.5, 1.0], 50), "regression", (), "t holds numbers with fractions"),
    ],
)
def test_the_rule_for_tables(values, task, names, reason):
    target = table_target(values, "auto", "t")
    assert (target.task, target.class_names, target.reason) == (task, names, reason)
    if names:
        assert target.y.dtype == np.int64 and set(target.y.tolist()) == set(range(len(names)))
    else:
        assert target.y.dtype == np.float32 and np.array_equal(target.y, values)


def test_the_user_decides():
    assert table_target(np.repeat([7.0, 3.0], 5), "regression", "t").reason == ""
    assert table_target(np.array([0.5, 1.5, 0.5]), "classification", "t").class_names == ("0.5", "1.5")
    message = (
        "t must hold numbers for regression; it holds the text 'many' in row 1. Take task 'classification', "
        "or another target."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        table_target(texts("3", "many"), "regression", "t")
    with pytest.raises(ParameterError, match="`task` must be one of 'auto', .*Did you mean 'regression'"):
        table_target(np.ones(3), "regresion", "t")


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (np.array([1, 0, 1]), "classification", 2),
        (np.array([[1], [0], [1]], np.uint8), "classification", 2),
        (np.array([True, False]), "classification", 2),
        (np.array(["b", "a"]), "classification", 2),
        (np.array([b"b", b"a"]), "classification", 2),
        (np.repeat([0.0, 1.0, 2.0], 5), "classification", 3),
        (np.eye(4)[[2, 2, 0]], "classification", 4),
        (np.array([0.5, 0.7]), "regression", 0),
        (np.array([[0.5, 0.5], [0.1, 0.9]]), "regression", 0),
        (np.array([1.0, 2.0]), "regression", 0),
        (np.arange(1001), "regression", 0),
    ],
)
def test_the_rule_for_arrays(values, task, classes):
    target = array_target(values, "auto", "y")
    assert target.task == task and len(target.class_names) == classes and target.reason
    assert len(target.y) == len(values)
    assert target.y.dtype == (np.int64 if classes else np.float32)


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (
            np.array([0, 1, -1]),
            "auto",
            "y must hold class indices in 0 … K − 1; it holds -1 in row 2 (3 different numbers, -1 … 1). "
            "Number the "
            "classes from 0: classes, y = numpy.unique(y, return_inverse=True); or take task 'regression'.",
        ),
        (
            np.array([1, 2, 1]),
            "auto",
            "y must hold every class index in 0 … K − 1; 0 is in no row (2 different",
        ),
        (np.array([0, 9]), "auto", "y must hold every class index in 0 … K − 1; 1 is in no row"),
        (
            np.array([0, 2**63], np.uint64),
            "auto",
            "y must hold every class index in 0 … K − 1; 1 is in no row",
        ),
        (
            np.array([0, 1e300]),
            "classification",
            "y must hold every class index in 0 … K − 1; 1 is in no row",
        ),
        (np.array([0.5, 1.0]), "classification", "it holds 0.5 in row 0. Take task 'regression'."),
        (
            np.array([[0.5, 0.5]]),
            "classification",
            "class indices (N,) or one-hot rows (N, K) for classification",
        ),
        (
            np.array([0.0, np.nan]),
            "auto",
            "y must hold finite numbers; it holds nan in row 1. Drop such rows",
        ),
        (np.array([[0.0, 1.0], [np.inf, 0.0]]), "auto", "it holds inf in row 1, column 0"),
        (np.array([0.0, 1e300]), "regression", "fit into float32, at most 3.4e38; it holds 1e+300 in row 1"),
        (
            np.zeros(4, int),
            "auto",
            "y must hold at least 2 classes; every row is '0'. Is it the right column",
        ),
        (np.array(["a", "a"]), "auto", "y must hold at least 2 classes; every row is 'a'."),
        (np.zeros((2, 2, 2)), "auto", "y must hold a label or a number for each row, shape (N,)"),
        (np.zeros(3, complex), "auto", "it holds complex128 of shape (3,)"),
        (np.zeros(0), "auto", "y needs at least one row; it has none."),
        (np.array([b"\xff", b"a"]), "auto", "y holds bytes that are not UTF-8."),
    ],
)
def test_no_target(values, task, message):
    with pytest.raises(DataError, match=re.escape(message)):
        array_target(values, task, "y")
