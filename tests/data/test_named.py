"""The data sets that ship with the package: their contents, their fixed split, and unknown names."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from brickwork import data, datasets
from brickwork.errors import DataError


def content_hash(dataset: data.Dataset) -> str:
    parts = (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_digits():
    digits = data.load("digits")
    assert digits.x_train.shape == (1438, 8, 8, 1)
    assert digits.x_test.shape == (359, 8, 8, 1)
    assert digits.x_train.dtype == digits.x_test.dtype == np.uint8
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64
    assert (digits.x_train.min(), digits.x_train.max()) == (0, 16) and digits.scale == 16.0
    assert digits.class_names == tuple("0123456789")


def test_iris():
    iris = data.load("iris")
    assert iris.x_train.shape == (120, 4) and iris.x_test.shape == (30, 4)
    assert iris.x_train.dtype == iris.x_test.dtype == np.float32
    assert iris.class_names == ("setosa", "versicolor", "virginica")
    assert iris.scale is None
    assert iris.feature_names == ("sepal_length", "sepal_width", "petal_length", "petal_width")
    everything = np.concatenate([iris.x_train, iris.x_test]).mean(axis=0)
    np.testing.assert_allclose(everything, [5.8433, 3.0573, 3.7580, 1.1993], atol=1e-4)
    setosa = iris.x_train[iris.y_train == 0]
    assert setosa[:, 2].max() < 2.0  # petals of setosa are the short ones


# A change of these is a change of every result that was ever reported on the two sets.
@pytest.mark.parametrize(
    ("name", "test_counts", "sha256"),
    [
        (
            "digits",
            [36, 36, 35, 37, 36, 36, 36, 36, 35, 36],
            "fce09a7353b046fff2e1f6bbd8c421de90f7f26183bb51cfcc40ea31a0d50f54",
        ),
        ("iris", [10, 10, 10], "a564d4899b314b4796301576cb0499392022d684073ebf2e9876f702af979dfd"),
    ],
)
def test_the_split_never_changes(name, test_counts, sha256):
    dataset = data.load(name)
    assert np.bincount(dataset.y_test).tolist() == test_counts
    assert content_hash(dataset) == sha256


@pytest.mark.parametrize("name", ["digits", "iris"])
def test_the_last_tenth_of_the_training_part_has_every_class(name):
    """Keras's `validation_split` takes the last samples: they must not be of one class."""
    labels = data.load(name).y_train
    assert set(labels[-len(labels) // 10 :]) == set(labels)


def test_no_image_of_digits_is_in_both_parts():
    digits = data.load("digits")
    train, test = ({image.tobytes() for image in part} for part in (digits.x_train, digits.x_test))
    assert not train & test


def test_source_and_licence_are_told():
    for name, author in (("digits", "E. Alpaydin"), ("iris", "R. A. Fisher")):
        dataset = data.load(name)
        assert dataset.name == name
        assert author in dataset.source
        assert dataset.licence == "CC BY 4.0"


def test_repr_is_one_line():
    text = "Dataset('iris': 120 training and 30 test samples of shape (4,), 3 classes)"
    assert repr(data.load("iris")) == text


def test_case_and_underscore_do_not_matter():
    from brickwork.data.named import canonical_name

    assert canonical_name("Fashion_MNIST") == "fashion-mnist"
    assert canonical_name("cifar10") == "cifar-10"
    assert data.load("DIGITS").name == "digits"


def test_a_misspelt_name():
    message = (
        "a data set is one of 'digits', 'iris', 'mnist', 'fashion-mnist', 'cifar-10', 'moons', 'circles', "
        "'blobs', 'spiral', 'xor'; received 'mnits'. Did you mean 'mnist'?"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        data.load("mnits")


@pytest.mark.parametrize("name", ["", 3, None, ["digits"]])
def test_something_that_is_no_name(name):
    with pytest.raises(DataError, match="a data set is one of 'digits'.*received " + re.escape(repr(name))):
        data.load(name)


def test_the_sub_modules_of_keras():
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    assert x_train.shape == (1438, 8, 8) and x_test.shape == (359, 8, 8)
    assert x_train.dtype == y_train.dtype == y_test.dtype == np.uint8
    (x_train, y_train), (x_test, y_test) = datasets.iris.load_data()
    assert x_train.shape == (120, 4) and y_test.shape == (30,)
    assert x_train.dtype == np.float32 and y_train.dtype == np.uint8


def test_a_data_set_that_is_not_there():
    with pytest.raises(AttributeError, match="brickwork.datasets.*has no attribute 'minst'. Did you mean"):
        _ = datasets.minst
