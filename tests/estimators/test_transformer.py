"""BrickTransformer: which layer's numbers come out, and what is learned for them."""

from __future__ import annotations

import pickle

import made_networks
import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from brickwork import Model
from brickwork.errors import ParameterError, ParameterTypeError
from brickwork.estimators import BrickTransformer


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(60, centers=3, random_state=0)


def quick(**more):
    return BrickTransformer(**{"max_iter": 5, "tol": None, "random_state": 0, **more})


def test_the_last_hidden_layer_comes_out(blobs):
    x, y = blobs
    network = quick(hidden_layer_sizes=(7, 4), dropout=0.5, batch_normalization=True).fit(x, y)
    hidden = network.transform(x)
    assert hidden.shape == (60, 4)
    assert (hidden >= 0).all()
    # behind it stands the output layer alone
    kernel, bias = network.model_.get_layer("output").get_weights()
    logits = hidden @ kernel + bias
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, network.model_.predict(x, verbose=0), rtol=1e-4)


def test_a_named_layer_comes_out(blobs):
    x, y = blobs
    network = quick(hidden_layer_sizes=(7, 4), layer="hidden_1").fit(x, y)
    part = Model(network.model_.inputs, network.model_.get_layer("hidden_1").output)
    np.testing.assert_allclose(network.transform(x), part.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    assert list(network.get_feature_names_out()) == [f"bricktransformer{index}" for index in range(7)]


def test_images_come_out_flattened():
    x, y = load_digits(return_X_y=True)
    network = quick(network=made_networks.images, layer="filters").fit(x[:100], y[:100])
    assert network.transform(x[:3]).shape == (3, 6 * 6 * 4)
    assert quick(network=made_networks.images).fit(x[:100], y[:100]).transform(x[:3]).shape == (3, 144)


def test_what_is_learned(blobs):
    x, y = blobs
    assert quick().fit(x, y).n_outputs_ == 3
    assert quick().fit(x, y + 0.5).n_outputs_ == 1
    assert quick(task="regression").fit(x, y).n_outputs_ == 1
    assert quick(task="regression").fit(x, np.column_stack([y, y])).n_outputs_ == 2
    assert quick(task="classification").fit(x, y.astype(str)).classes_.tolist() == ["0", "1", "2"]
    with pytest.raises(ParameterError, match="`task` must be one of 'auto', 'classification', 'regression'"):
        quick(task="clustering").fit(x, y)
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        quick().fit(x, None)


def test_another_fit_may_learn_another_kind_of_targets(blobs, tmp_path):
    x, y = blobs
    network = quick().fit(x, y).fit(x, y + 0.5)
    assert not hasattr(network, "classes_")
    network.save(tmp_path / "network.safetensors")
    other = BrickTransformer.load(tmp_path / "network.safetensors")
    np.testing.assert_array_equal(other.transform(x), network.transform(x))
    assert network.fit(x, y).classes_.tolist() == [0, 1, 2]


def test_layers_that_are_refused(blobs):
    with pytest.raises(ParameterError, match="there is none named 'hiden_1'.* Did you mean 'hidden_1'"):
        quick(layer="hiden_1").fit(*blobs)
    with pytest.raises(
        ParameterError, match="stands for the last hidden layer; the network 'network' has none"
    ):
        quick(hidden_layer_sizes=()).fit(*blobs)
    with pytest.raises((ParameterError, ParameterTypeError)):
        quick(layer=3).fit(*blobs)


def test_features_for_another_estimator():
    x, y = load_digits(return_X_y=True)
    x = x / 16
    both = make_pipeline(quick(hidden_layer_sizes=(20,), max_iter=30), LogisticRegression(max_iter=500))
    assert both.fit(x[:1000], y[:1000]).score(x[1000:], y[1000:]) > 0.85


def test_kept(blobs, tmp_path):
    x, y = blobs
    network = quick(layer="hidden_1").fit(x, y)
    wanted = network.transform(x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(network)).transform(x), wanted)
    network.save(tmp_path / "network.safetensors")
    np.testing.assert_array_equal(
        BrickTransformer.load(tmp_path / "network.safetensors").transform(x), wanted
    )


def test_not_fitted():
    with pytest.raises(NotFittedError):
        BrickTransformer().transform([[1.0]])
