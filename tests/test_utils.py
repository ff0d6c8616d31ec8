"""One-hot rows, unit vectors, automatic names."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork import layers, utils
from brickwork.errors import DataError, ParameterError, ParameterTypeError


def test_to_categorical():
    rows = utils.to_categorical([0, 2, 1])
    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_to_categorical_takes_the_number_of_classes():
    assert utils.to_categorical([1], num_classes=3).tolist() == [[0, 1, 0]]
    assert utils.to_categorical([], num_classes=3).shape == (0, 3)


@pytest.mark.parametrize(
    "shape, expected", [((4,), (4, 5)), ((4, 1), (4, 5)), ((2, 2), (2, 2, 5)), ((), (5,))]
)
def test_to_categorical_drops_a_last_axis_of_one_as_keras_does(shape, expected):
    labels = np.full(shape, 3, np.uint8)
    rows = utils.to_categorical(labels, 5)
    assert rows.shape == expected
    assert (rows.argmax(-1) == 3).all()


def test_to_categorical_takes_whole_floats():
    assert utils.to_categorical([0.0, 1.0]).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    "labels, told", [([0, 3], "3 at 1"), ([-1, 0], "-1 at 0"), ([[0, 1], [9, 0]], "9 at")]
)
def test_to_categorical_names_a_label_outside_the_range(labels, told):
    with pytest.raises(DataError, match=rf"whole numbers in \[0, 2\] for 3 classes; it received {told}"):
        utils.to_categorical(labels, 3)


@pytest.mark.parametrize("label", [0.5, np.nan, np.inf])
def test_to_categorical_refuses_fractions(label):
    with pytest.raises(DataError, match=rf"Labels must be whole numbers; it received {label}"):
        utils.to_categorical([0, label])


def test_to_categorical_refuses_words():
    with pytest.raises(ParameterTypeError, match="received an array of type <U3. Number the classes"):
        utils.to_categorical(["cat", "dog"])


def test_to_categorical_refuses_nothing():
    with pytest.raises(DataError, match="needs at least one label .* Name num_classes"):
        utils.to_categorical([])


@pytest.mark.parametrize("classes", [0, -2])
def test_to_categorical_refuses_no_classes(classes):
    with pytest.raises(
        ParameterError, match="to_categorical: `num_classes` must be a whole number of at least 1"
    ):
        utils.to_categorical([0], classes)


def test_normalize():
    x = np.array([[3, 4], [0, 0]], np.float32)
    rows = utils.normalize(x)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(utils.normalize([[1, 3]], order=1), [[0.25, 0.75]])
    np.testing.assert_allclose(utils.normalize(x, axis=0), [[1, 1], [0, 0]])


def test_set_random_seed_is_the_one_of_seeds():
    from brickwork import seeds

    assert utils.set_random_seed is seeds.set_random_seed


def test_clear_session_starts_the_names_again():
    utils.clear_session()
    assert [layers.Dense(1).name, layers.Dense(1).name] == ["dense", "dense_1"]
    utils.clear_session()
    assert layers.Dense(1).name == "dense"
