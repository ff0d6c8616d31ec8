"""The training set as a set: order, copies, weights, and the split for early stopping."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from brickwork.errors import DataError, ShapeError
from brickwork.estimators.rows import Rows, check_weights, row_keys, split_rows, training_rows

X = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
Y = np.array([0, 1, 0, 1])


def contents(rows, x=X, y=Y):
    """The rows themselves, in the order in which training meets them."""
    return np.column_stack([x[rows.places], y[rows.places]]).tolist()


def test_the_order_of_the_rows_plays_no_role():
    mixed = [2, 0, 3, 1]
    assert contents(training_rows(X, Y, None)) == contents(
        training_rows(X[mixed], Y[mixed], None), X[mixed], Y[mixed]
    )


def test_the_order_is_kept_where_that_is_asked():
    rows = training_rows(X, Y, np.array([1, 2, 0, 1]), keep_order=True)
    assert rows.places.tolist() == [0, 1, 1, 3]


def test_integer_weights_are_copies():
    weights = np.array([0, 3, 1, 2])
    many = np.repeat(np.arange(4), weights)
    counted, repeated = training_rows(X, Y, weights), training_rows(X[many], Y[many], None)
    assert contents(counted) == contents(repeated, X[many], Y[many])
    assert counted.factors is None


def test_other_weights_are_factors_with_the_mean_one():
    rows = training_rows(X, Y, np.array([0.0, 1.0, 2.0, 3.0]))
    assert sorted(rows.places) == [1, 2, 3]
    assert rows.factors.tolist() == [0.0, 0.5, 1.0, 1.5]


def test_integers_that_would_make_epochs_long_are_factors():
    rows = training_rows(X, Y, np.array([100, 300, 100, 300]))
    assert sorted(rows.places) == [0, 1, 2, 3]
    assert rows.factors.tolist() == [0.5, 1.5, 0.5, 1.5]


def test_the_order_of_equal_rows_of_different_weights_plays_no_role():
    x, y, weights = np.zeros((6, 2)), np.zeros(6, int), np.array([0.5, 2.5, 1.0, 0.5, 3.5, 2.0])
    for mixed in ([0, 1, 2, 3, 4, 5], [3, 5, 1, 0, 2, 4]):
        rows = training_rows(x, y, weights[mixed])
        np.testing.assert_allclose(rows.factors[rows.places] * weights.mean(), sorted(weights))


def test_masks_leave_rows_out():
    rows = training_rows(X, Y, np.array([True, False, True, True]))
    assert sorted(rows.places) == [0, 2, 3]


def test_copies_and_factors_of_classes_go_together():
    rows = training_rows(X, Y, np.array([1, 2, 1, 0]), np.array([1.0, 3.0, 1.0, 3.0]))
    assert sorted(rows.places) == [0, 1, 1, 2]
    np.testing.assert_allclose(rows.factors[rows.places].mean(), 1.0)
    assert rows.factors[1] == 3 * rows.factors[0]


def test_keys_follow_from_contents_alone():
    keys = row_keys(X, Y)
    assert len(set(keys.tolist())) == 4
    assert row_keys(X[[1]], Y[[1]]).tolist() == [keys[1]]
    assert row_keys(X, 1 - Y)[0] != keys[0]
    assert row_keys(np.array([[0.0]]), Y[:1]) == row_keys(np.array([[-0.0]]), Y[:1])


def test_keys_of_many_rows_are_found_by_blocks(monkeypatch):
    whole = row_keys(X, Y)
    monkeypatch.setattr("brickwork.estimators.rows._BLOCK", 3)
    assert row_keys(X, Y).tolist() == whole.tolist()


@pytest.mark.parametrize("weights", [None, 2.0, 3, [1, 1, 1, 1], [0, 0, 0, 1]])
def test_weights_that_are_taken(weights):
    found = check_weights(weights, 4)
    assert found is None or found.shape == (4,)


def test_weights_that_are_refused():
    with pytest.raises(ShapeError, match=r"one number for each of the 4 rows, shape \(4,\); .* \(3,\)"):
        check_weights([1, 1, 1], 4)
    with pytest.raises(ShapeError, match=r"it received shape \(4, 1\)"):
        check_weights(np.ones((4, 1)), 4)
    with pytest.raises(DataError, match=r"at least 0; it holds -1.0 in row 2\. Use 0 to leave rows out"):
        check_weights([1.0, 1.0, -1.0, 1.0], 4)
    with pytest.raises(DataError, match="finite numbers of at least 0; it holds nan in row 0"):
        check_weights([np.nan, 1.0, 1.0, 1.0], 4)
    with pytest.raises(
        DataError, match="at least one number that is not zero; all of its 4 weights are zero"
    ):
        check_weights(np.zeros(4), 4)


def test_weights_and_classes_that_leave_nothing():
    with pytest.raises(DataError, match="must leave at least one row a weight that is not zero"):
        training_rows(X, Y, None, np.zeros(4))


# The split.


def test_the_split_takes_the_same_share_of_each_class():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    training, validation = split_rows(Rows(np.arange(100)), labels, 0.1, seed=3)
    assert np.bincount(labels[validation]).tolist() == [6, 3, 1]
    assert sorted([*training, *validation]) == list(range(100))


def test_each_class_keeps_a_row_to_train_on():
    labels = np.array([0, 0, 0, 0, 1, 2])
    for seed in range(5):
        training, validation = split_rows(Rows(np.arange(6)), labels, 0.9, seed=seed)
        assert set(labels[training]) == {0, 1, 2}
        assert len(validation) == 3


def test_the_split_without_classes():
    training, validation = split_rows(Rows(np.arange(10)), None, 0.25, seed=1)
    assert (len(training), len(validation)) == (8, 2)
    assert split_rows(Rows(np.arange(10)), None, 0.25, seed=1)[1].tolist() == validation.tolist()
    assert split_rows(Rows(np.arange(10)), None, 0.25, seed=2)[1].tolist() != validation.tolist()


def test_a_split_that_leaves_nothing():
    with pytest.raises(DataError, match=r"validation_fraction=0.1 needs at least 1 .* n_samples = 1\."):
        split_rows(Rows(np.arange(1)), np.zeros(1, int), 0.1, seed=0)
    with pytest.raises(DataError, match=r"needs at least 2 of the rows beside one"):
        split_rows(Rows(np.arange(2)), None, 0.1, seed=0, least=2)
