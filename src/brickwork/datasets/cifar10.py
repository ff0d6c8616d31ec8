"""CIFAR-10: 60,000 small colour photographs of ten kinds of animals and vehicles."""

from __future__ import annotations

from ._pairs import Pair, load_pairs


def load_data() -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): uint8 images (50000, 32, 32, 3), (10000, 32, 32, 3), labels (N,
    1).

    The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck. The official binary
    or Python version, or folders of JPEGs, are looked for in the folder `cifar-10` in BRICKWORK_DATA, then in
    the cache; else the binary version is downloaded. Raises DataError where nothing is found or can be
    downloaded, FormatError where a file does not hold what was published.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape, y_train.shape  # doctest: +SKIP
    ((50000, 32, 32, 3), (50000, 1))

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """
    (x_train, y_train), (x_test, y_test) = load_pairs("cifar-10")
    return (x_train, y_train[:, None]), (x_test, y_test[:, None])
