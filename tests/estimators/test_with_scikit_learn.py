"""Estimators among scikit-learn's tools: pipelines, searches, folds, calibration, ensembles, data frames."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_digits, make_blobs
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brickwork import optimizers
from brickwork.estimators import BrickClassifier, BrickRegressor


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:600], y[:600]


def quick(cls=BrickClassifier, **more):
    return cls(**{"max_iter": 15, "tol": None, "learning_rate": 0.01, "random_state": 0, **more})


def test_a_search_in_two_processes(digits):
    """As many fits as in one process, with the same results; optimizers are parameters like others."""
    x, y = digits
    network = make_pipeline(StandardScaler(), quick())
    grid = {
        "brickclassifier__hidden_layer_sizes": [(10,), (40,)],
        "brickclassifier__optimizer": ["adam", optimizers.SGD(0.1, momentum=0.9)],
    }
    searches = [GridSearchCV(network, grid, cv=3, n_jobs=jobs).fit(x, y) for jobs in (2, 1)]
    assert searches[0].best_score_ > 0.8
    np.testing.assert_array_equal(*[one.cv_results_["mean_test_score"] for one in searches])
    assert searches[0].best_estimator_.score(x, y) > 0.97


def test_cross_validation(digits):
    x, y = digits
    scores = cross_val_score(make_pipeline(StandardScaler(), quick()), x, y, cv=3)
    assert scores.min() > 0.75
    x, y = load_diabetes(return_X_y=True)
    scores = cross_val_score(quick(BrickRegressor, max_iter=40), x * 20, (y - y.mean()) / y.std(), cv=3)
    assert scores.min() > 0.3


def test_calibration(digits):
    x, y = digits
    calibrated = CalibratedClassifierCV(quick(), cv=2, method="isotonic").fit(x / 16, y)
    probabilities = calibrated.predict_proba(x / 16)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert calibrated.score(x / 16, y) > 0.9


def test_ensembles(digits):
    """Bagging and boosting hand sample weights on; stacking takes probabilities."""
    x, y = digits[0] / 16, digits[1]
    assert BaggingClassifier(quick(), 2, random_state=0).fit(x, y).score(x, y) > 0.85
    assert AdaBoostClassifier(quick(), n_estimators=2, random_state=0).fit(x, y).score(x, y) > 0.85
    stack = StackingClassifier([("brick", quick(max_iter=5))], LogisticRegression(max_iter=300), cv=2)
    assert stack.fit(x, y).score(x, y) > 0.8
    several = MultiOutputClassifier(quick()).fit(x, np.column_stack([y, y % 3]))
    assert several.predict(x).shape == (600, 2)


def test_parameters_are_set_and_cloned():
    network = BrickClassifier(optimizer=optimizers.SGD(0.5))
    other = clone(network).set_params(dropout=0.5, hidden_layer_sizes=[3])
    assert other.get_params()["dropout"] == 0.5
    assert network.dropout == 0.0
    assert other.optimizer is not network.optimizer
    told = " ".join(repr(other).split())
    assert told == "BrickClassifier(dropout=0.5, hidden_layer_sizes=[3], optimizer=SGD(learning_rate=0.5))"
    with pytest.raises(ValueError, match="Invalid parameter 'dropuot'"):
        network.set_params(dropuot=0.1)


def test_sample_weights_are_routed(digits):
    import sklearn

    x, y = digits[0] / 16, digits[1]
    with sklearn.config_context(enable_metadata_routing=True):
        network = quick().set_fit_request(sample_weight=True)
        network = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), network)
        weights = (y < 5).astype(float)
        network.fit(x, y, sample_weight=weights)
    assert (network.predict(x) < 5).all()


def test_data_frames_keep_their_names(digits):
    pandas = pytest.importorskip("pandas")
    x, y = make_blobs(40, centers=2, random_state=0)
    frame = pandas.DataFrame(x, columns=["width", "height"])
    labels = pandas.Series(np.where(y == 1, "yes", "no"))
    network = quick().fit(frame, labels, sample_weight=pandas.Series(np.ones(40)))
    assert network.feature_names_in_.tolist() == ["width", "height"]
    np.testing.assert_array_equal(network.predict(frame), network.fit(frame, labels).predict(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        network.predict(frame[["height", "width"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        network.predict(x)


def test_frames_come_out_and_names_are_kept_in_files(digits, tmp_path):
    pandas = pytest.importorskip("pandas")
    from brickwork.estimators import BrickTransformer

    x, y = make_blobs(40, centers=2, random_state=0)
    frame = pandas.DataFrame(x, columns=["width", "height"], index=range(100, 140))
    network = quick(BrickTransformer, hidden_layer_sizes=(3,)).set_output(transform="pandas").fit(frame, y)
    made = network.transform(frame)
    assert list(made.columns) == ["bricktransformer0", "bricktransformer1", "bricktransformer2"]
    assert list(made.index) == list(frame.index)
    network.save(tmp_path / "network.safetensors")
    assert BrickTransformer.load(tmp_path / "network.safetensors").feature_names_in_.tolist() == [
        "width",
        "height",
    ]


def test_without_scikit_learn_there_is_a_clear_error():
    code = """
import sys
sys.modules["sklearn"] = None
import brickwork
import brickwork.estimators
assert "BrickClassifier" in dir(brickwork.estimators)
try:
    brickwork.estimators.BrickClassifier
except ImportError as error:
    print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    ).stdout
    assert told.startswith("brickwork.estimators needs scikit-learn 1.6 or newer; importing it fails: ")
    assert "Run: pip install 'brickwork[sklearn]'." in told
