"""BrickRegressor: numbers per row, their shapes, the losses, weights, stopping."""

from __future__ import annotations

import made_networks
import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from scipy import sparse
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_regression
from sklearn.preprocessing import StandardScaler

from brickwork import losses
from brickwork.errors import DataError, ParameterError
from brickwork.estimators import BrickRegressor


@pytest.fixture(scope="module")
def plane():
    x, y = make_regression(80, 4, random_state=0)
    return x, y / y.std()


def quick(**more):
    return BrickRegressor(**{"max_iter": 60, "tol": None, "learning_rate": 0.02, "random_state": 0, **more})


def test_a_plane(plane):
    x, y = plane
    network = quick().fit(x, y)
    assert network.score(x, y) > 0.98
    assert network.predict(x).shape == (80,)
    assert network.predict(x).dtype == np.float64
    assert network.predict(x.astype(np.float32)).dtype == np.float32


def test_several_numbers_per_row(plane):
    x, y = plane
    network = quick().fit(x, np.column_stack([y, -y, 2 * y]))
    assert network.n_outputs_ == 3
    assert network.predict(x).shape == (80, 3)
    assert network.score(x, np.column_stack([y, -y, 2 * y])) > 0.95


def test_a_column_gives_a_column(plane):
    x, y = plane
    flat, column = quick().fit(x, y), quick().fit(x, y[:, None])
    assert column.predict(x).shape == (80, 1)
    np.testing.assert_array_equal(column.predict(x)[:, 0], flat.predict(x))


def test_training_agrees_with_scikit_learns_own(plane):
    """Its squared error has a factor 1/2, so half the rate and half the penalty give the same steps."""
    from sklearn.neural_network import MLPRegressor

    x, y = plane
    common = {"shuffle": False, "warm_start": True, "max_iter": 1, "activation": "tanh"}
    theirs = MLPRegressor(
        hidden_layer_sizes=(6,), solver="sgd", learning_rate_init=0.1, momentum=0.0, alpha=0.2, **common
    )
    ours = BrickRegressor((6,), optimizer="sgd", learning_rate=0.05, alpha=0.4, **common)
    with pytest.warns(UserWarning):
        theirs.fit(x, y)
        ours.fit(x, y)
    ours.model_.set_weights(
        [array for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for array in pair]
    )
    with pytest.warns(UserWarning):
        theirs.set_params(max_iter=15, tol=0.0).fit(x, y)
        ours.set_params(max_iter=15, tol=0.0).fit(x, y)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), atol=1e-5)
    np.testing.assert_allclose(ours.loss_curve_[1:], 2 * np.array(theirs.loss_curve_[1:]), rtol=1e-5)


@pytest.mark.parametrize("loss", ["squared_error", "mse", losses.HalfSquaredError()])
def test_losses(plane, loss):
    assert quick(loss=loss).fit(*plane).score(*plane) > 0.95


def test_losses_that_are_refused(plane):
    with pytest.raises(ParameterError, match="compares classes. Use 'squared_error', or BrickClassifier"):
        quick(loss="sparse_categorical_crossentropy").fit(*plane)
    with pytest.raises(ParameterError, match="A loss must be one of"):
        quick(loss="entropy").fit(*plane)


def test_a_row_of_weight_two_is_the_row_twice(plane, rng):
    x, y = plane
    weights = rng.integers(0, 3, 80)
    more = {"batch_size": 16, "dropout": 0.1, "batch_normalization": True, "early_stopping": True}
    counted = quick(**more).fit(x, y, sample_weight=weights)
    repeated = quick(**more).fit(np.repeat(x, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_array_equal(counted.predict(x), repeated.predict(x))
    assert counted.score(x, y, sample_weight=weights) == pytest.approx(
        repeated.score(np.repeat(x, weights, axis=0), np.repeat(y, weights))
    )


def test_early_stopping_goes_by_the_explained_variance(plane):
    network = quick(early_stopping=True, tol=1e-4, n_iter_no_change=5, max_iter=500).fit(*plane)
    assert network.n_iter_ < 500
    assert network.best_validation_score_ == max(network.validation_scores_) > 0.8
    with pytest.raises(DataError, match="needs at least 2 of the rows beside one"):
        quick(early_stopping=True).fit([[0.0], [1.0]], [0.0, 1.0])


def test_going_on(plane):
    x, y = plane
    whole = quick(max_iter=5, batch_size=16).fit(x, y)
    parts = clone(whole)
    for _ in range(5):
        parts.partial_fit(x, y)
    np.testing.assert_array_equal(whole.predict(x), parts.predict(x))
    with pytest.raises(DataError, match=r"y must hold 1 numbers per row, as in the first fit; .* \(80, 2\)"):
        parts.partial_fit(x, np.column_stack([y, y]))


def test_a_function_makes_the_network(plane):
    network = quick(network=made_networks.linear).fit(*plane)
    assert network.score(*plane) > 0.8
    assert network.model_.get_layer("inner").units == 8


def test_sparse_rows(plane):
    x, y = plane
    np.testing.assert_array_equal(
        quick().fit(sparse.csr_matrix(x), y).predict(sparse.csc_matrix(x)), quick().fit(x, y).predict(x)
    )


def test_targets_far_from_one_are_scaled_around_it(plane):
    x, y = plane
    scaled = TransformedTargetRegressor(quick(), transformer=StandardScaler()).fit(x, 1e6 * y + 1e7)
    assert scaled.score(x, 1e6 * y + 1e7) > 0.95


def test_targets_that_do_not_fit_into_float32(plane):
    x, y = plane
    with pytest.raises(DataError, match="y must hold numbers that fit into float32; the largest is"):
        quick().fit(x, 1e200 * y)
