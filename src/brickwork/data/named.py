"""Data sets that are known by name: what they hold, where they are from, how they are loaded."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, did_you_mean, known_names
from .fetch import FASHION_MNIST, MNIST, Release, read_release

Array = npt.NDArray[Any]

DIGIT_NAMES = tuple("0123456789")
FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IRIS_NAMES = ("setosa", "versicolor", "virginica")


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in a training and a test part, with what one must know to use it.

    Parameters
    ----------
    name, title
        The word that loads it, and its name in a sentence.
    x_train, x_test
        Images as uint8 of shape (N, H, W, C), tables as float32 of shape (N, F).
    y_train, y_test
        Class numbers 0..K-1 as int64 of shape (N,).
    class_names
        The K classes, in the order of their numbers.
    scale
        The value of a white pixel, by which images are divided; None where x is a table.
    source, licence
        Authors, year and place of publication; under which terms it is given.

    >>> load("digits")
    Dataset('digits': 1,438 training and 359 test samples of shape (8, 8, 1), 10 classes)
    """

    name: str
    title: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    class_names: tuple[str, ...]
    scale: float | None
    source: str
    licence: str

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}: {len(self.x_train):,} training and {len(self.x_test):,} test samples "
            f"of shape {self.x_train.shape[1:]}, {len(self.class_names)} classes)"
        )


def load(name: str) -> Dataset:
    """The data set of that name: `digits`, `iris`, `mnist` or `fashion-mnist`.

    `digits` and `iris` are part of the package. MNIST and Fashion-MNIST are looked for in the folder that the
    environment variable BRICKWORK_DATA names, then in the cache, and else are downloaded into the cache.

    Raises DataError where no data set has that name or its files can neither be found nor downloaded, and
    FormatError where a file does not hold what was published.

    >>> load("iris").x_train.shape
    (120, 4)
    """
    return _LOADERS[canonical_name(name)]()


def names() -> list[str]:
    """The names that `load` knows.

    >>> names()
    ['digits', 'iris', 'mnist', 'fashion-mnist']
    """
    return list(_LOADERS)


def canonical_name(name: str) -> str:
    """The name as `names()` has it, from one in other case or with an underscore; or a DataError."""
    word = name.strip().lower().replace("_", "-") if isinstance(name, str) else name
    if word not in names():
        raise DataError(
            f"a data set is one of {known_names(names())}; received {name!r}.{did_you_mean(word, names())}"
        )
    return word


def _digits() -> Dataset:
    with resources.files(__package__).joinpath("files/digits.npz").open("rb") as file:
        content = dict(np.load(file, allow_pickle=False))
    return Dataset(
        name="digits",
        title="Digits, 8 x 8 pixels",
        x_train=content["x_train"][..., None],
        y_train=content["y_train"].astype(np.int64),
        x_test=content["x_test"][..., None],
        y_test=content["y_test"].astype(np.int64),
        class_names=DIGIT_NAMES,
        scale=16.0,
        source="E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (test part), UCI, 1998, "
        "https://doi.org/10.24432/C50P49",
        licence="CC BY 4.0",
    )


def _iris() -> Dataset:
    text = resources.files(__package__).joinpath("files/iris.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    parts: dict[str, tuple[Array, Array]] = {}
    for part in ("train", "test"):
        members = [row for row in rows if row[5] == part]
        x = np.array([row[:4] for row in members], dtype=np.float32)
        parts[part] = x, np.array([IRIS_NAMES.index(row[4]) for row in members], dtype=np.int64)
    return Dataset(
        name="iris",
        title="Iris",
        x_train=parts["train"][0],
        y_train=parts["train"][1],
        x_test=parts["test"][0],
        y_test=parts["test"][1],
        class_names=IRIS_NAMES,
        scale=None,
        source="R. A. Fisher, The Use of Multiple Measurements in Taxonomic Problems, 1936; UCI, "
        "https://doi.org/10.24432/C56C76",
        licence="CC BY 4.0",
    )


def _published(
    release: Release, title: str, class_names: tuple[str, ...], source: str, licence: str
) -> Dataset:
    (x_train, y_train), (x_test, y_test) = read_release(release)
    return Dataset(
        name=release.name,
        title=title,
        x_train=x_train[..., None],
        y_train=y_train.astype(np.int64),
        x_test=x_test[..., None],
        y_test=y_test.astype(np.int64),
        class_names=class_names,
        scale=255.0,
        source=source,
        licence=licence,
    )


def _mnist() -> Dataset:
    return _published(
        MNIST,
        "MNIST",
        DIGIT_NAMES,
        "Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998",
        "CC BY-SA 3.0",
    )


def _fashion_mnist() -> Dataset:
    return _published(
        FASHION_MNIST,
        "Fashion-MNIST",
        FASHION_NAMES,
        "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, Zalando SE, 2017, https://arxiv.org/abs/1708.07747",
        "MIT",
    )


_LOADERS: dict[str, Callable[[], Dataset]] = {
    "digits": _digits,
    "iris": _iris,
    "mnist": _mnist,
    "fashion-mnist": _fashion_mnist,
}
