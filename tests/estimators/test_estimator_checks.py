"""scikit-learn's own checks, all of them, on several configurations of each estimator."""

from __future__ import annotations

import warnings

import made_networks
import pytest

pytest.importorskip("sklearn.base")

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from brickwork import optimizers
from brickwork.estimators import BrickClassifier, BrickRegressor, BrickTransformer

# Not every check expects what an estimator may say about too few epochs, and some give columns as y.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning"),
]

DEEP = {
    "hidden_layer_sizes": (20, 10),
    "dropout": 0.1,
    "batch_normalization": True,
    "batch_size": 8,
    "learning_rate": 0.02,
    "max_iter": 30,
}

PLAIN = [BrickClassifier(), BrickRegressor(), BrickTransformer(max_iter=30)]

QUICK = [
    # weights equal copies of rows also where batches are drawn and units dropped
    BrickClassifier(**DEEP),
    BrickTransformer((6,), dropout=0.2, batch_size=8, max_iter=20, layer="hidden_1", task="regression"),
    BrickClassifier(
        (), optimizer=optimizers.SGD(0.1, momentum=0.9), class_weight="balanced", alpha=0.0, max_iter=60
    ),
    BrickRegressor((30,), "tanh", learning_rate=0.01, max_iter=60, tol=None),
]

SLOW = [
    BrickClassifier(**{**DEEP, "max_iter": 100}, early_stopping=True),
    BrickRegressor(**{**DEEP, "max_iter": 100, "n_iter_no_change": 20}, early_stopping=True),
    BrickClassifier(network=made_networks.Told(made_networks.small), learning_rate=0.01),
    BrickRegressor(network=made_networks.Told(made_networks.linear), learning_rate=0.01),
    BrickTransformer(**DEEP, early_stopping=True),
]


@parametrize_with_checks(PLAIN)
def test_every_check_passes_with_the_defaults(estimator, check):
    check(estimator)


@parametrize_with_checks(QUICK)
def test_every_check_passes_in_other_configurations(estimator, check):
    check(estimator)


@pytest.mark.full
@parametrize_with_checks(SLOW)
def test_every_check_passes_with_early_stopping_and_with_functions(estimator, check):
    check(estimator)


def test_no_check_is_left_out():
    """As many as scikit-learn asks of its own MLP, and those for class_weight and multi-output beside."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.utils.estimator_checks import estimator_checks_generator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for ours, theirs in ((BrickClassifier(), MLPClassifier()), (BrickRegressor(), MLPRegressor())):
            names = [{_name(check) for _, check in estimator_checks_generator(one)} for one in (ours, theirs)]
            assert names[0] >= names[1]


def _name(check):
    while hasattr(check, "func"):
        check = check.func
    return check.__name__
