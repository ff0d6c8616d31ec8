"""The confusion matrix: counts, text, picture."""

from __future__ import annotations

import numpy as np
import pytest

from brickwork.errors import ShapeError
from brickwork.files import FileError
from brickwork.inspect import confusion_matrix, confusion_text, draw_confusion


def test_it_counts_as_scikit_learn_does(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    true, guessed = rng.integers(0, 5, (2, 200))
    np.testing.assert_array_equal(confusion_matrix(true, guessed, 5), metrics.confusion_matrix(true, guessed))


@pytest.mark.parametrize(
    "true, guessed", [([0, 1], [0]), ([0, 2], [0, 1]), ([-1, 0], [0, 0]), ([[0]], [[0]])]
)
def test_what_is_no_pair_of_labels(true, guessed):
    with pytest.raises(ShapeError, match=r"two arrays \(N,\) of class numbers in 0 … 1"):
        confusion_matrix(true, guessed, 2)


def test_text_of_few_and_of_many_classes():
    text = confusion_text(np.array([[3, 1], [0, 0]]), ["cat", "dog"])
    assert "75.0 %" in text and "1 of 4 'cat' are taken for 'dog'" in text
    many = confusion_text(np.eye(30, dtype=int), [f"c{k}" for k in range(30)])
    assert "100.0 %" in many and "mistakes" not in many


@pytest.mark.parametrize("classes", [2, 10, 40])
def test_the_picture(classes, tmp_path):
    matrix = np.arange(classes**2).reshape(classes, classes)
    draw_confusion(matrix, [f"class {k}" for k in range(classes)], tmp_path / "it.png", title="a test")
    assert (tmp_path / "it.png").read_bytes()[:4] == b"\x89PNG"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="A part of the path is a file"):
        draw_confusion(np.eye(2, dtype=int), ["a", "b"], tmp_path / "file" / "it.png")
