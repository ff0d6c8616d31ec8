"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

from ._pairs import Pair, load_pairs


def load_data() -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): uint8 images (60000, 28, 28), (10000, 28, 28), uint8 labels.

    The files are looked for in the folder that BRICKWORK_DATA names, then in the cache, and else are
    downloaded. Raises DataError where they can neither be found nor downloaded, FormatError where a file
    does not hold what was published.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (60000, 28, 28)

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
    """
    return load_pairs("mnist")
