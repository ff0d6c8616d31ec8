"""Data sets that are known by name: what they hold, where they are from, how they are loaded."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, did_you_mean, known_names
from .cifar import CLASSES, read_cifar10
from .dataset import Dataset as Dataset
from .fetch import FASHION_MNIST, MNIST, Release, read_release
from .generated import MAKERS, generate

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


def load(name: str) -> Dataset:
    """The data set of that name: `digits`, `iris`, `mnist`, `fashion-mnist`, `cifar-10`, or a generated one.

    `digits` and `iris` are part of the package. MNIST, Fashion-MNIST and CIFAR-10 are looked for in the
    folder that the environment variable BRICKWORK_DATA names, then in the cache, and else are downloaded into
    the cache. `moons`, `circles`, `blobs`, `spiral` and `xor` are made by formulas (see `generate` for other
    sizes).

    Raises DataError where no data set has that name or its files can neither be found nor downloaded, and
    FormatError where a file does not hold what was published.

    >>> load("iris").x_train.shape
    (120, 4)
    """
    return _LOADERS[canonical_name(name)]()


def names() -> list[str]:
    """The names that `load` knows.

    >>> names()[:5]
    ['digits', 'iris', 'mnist', 'fashion-mnist', 'cifar-10']
    """
    return list(_LOADERS)


def find_name(name: Any) -> str | None:
    """The name as `names()` has it, from one in other case, with underscores, without hyphens; or None."""
    if not isinstance(name, str):
        return None
    known = {known.replace("-", ""): known for known in _LOADERS}
    return known.get(name.strip().lower().replace("_", "").replace("-", ""))


def canonical_name(name: str) -> str:
    """The name as `names()` has it, or a DataError."""
    found = find_name(name)
    if found is None:
        raise DataError(
            f"a data set is one of {known_names(names())}; received {name!r}."
            f"{did_you_mean(str(name).lower(), names())}"
        )
    return found


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
    header, *rows = csv.reader(text.splitlines())
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
        feature_names=tuple(header[:4]),
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


def _cifar_10() -> Dataset:
    found = read_cifar10()
    lossy = (
        "The images went through JPEG, so that they are not those of the release: say so beside an accuracy."
    )
    return Dataset(
        name="cifar-10",
        title="CIFAR-10",
        x_train=found.arrays["x_train"],
        y_train=found.arrays["y_train"].astype(np.int64),
        x_test=found.arrays["x_test"],
        y_test=found.arrays["y_test"].astype(np.int64),
        class_names=CLASSES,
        scale=255.0,
        source="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009, "
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="not stated by its authors",
        notes=(lossy,) if found.form == "jpeg" else (),
    )


_LOADERS: dict[str, Callable[[], Dataset]] = {
    "digits": _digits,
    "iris": _iris,
    "mnist": _mnist,
    "fashion-mnist": _fashion_mnist,
    "cifar-10": _cifar_10,
    **{name: partial(generate, name) for name in MAKERS},
}
