"""Iris: 150 irises of three species, part of the package."""

from __future__ import annotations

from ._pairs import Pair, load_pairs


def load_data() -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): float32 tables (120, 4) and (30, 4), uint8 labels 0-2.

    The columns are sepal length, sepal width, petal length and petal width in centimetres; the classes are
    setosa, versicolor and virginica. Ten flowers of each are the test part; the split never changes.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((120, 4), (30, 4))

    Source: R. A. Fisher, "The Use of Multiple Measurements in Taxonomic Problems", 1936.
    """
    return load_pairs("iris")
