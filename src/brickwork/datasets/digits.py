"""Digits: 1,797 handwritten digits of 8 x 8 pixels, part of the package."""

from __future__ import annotations

from ._pairs import Pair, load_pairs


def load_data() -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): uint8 images (1438, 8, 8) and (359, 8, 8), uint8 labels 0-9.

    The pixels lie in 0..16. A fifth of each class is the test part; the split never changes.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> int(x_train.max())
    16

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998,
    https://doi.org/10.24432/C50P49.
    """
    return load_pairs("digits")
