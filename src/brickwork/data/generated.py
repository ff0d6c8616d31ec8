"""Points in the plane, made by a formula: small sets on which one sees what a network learns.

Each function gives x, float32 (n, 2), and y, int64 (n,), in a random order with equally many points of every
class (the first classes get the points that are left over). The same seed gives the same points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arguments import Real, Whole
from .dataset import Dataset

Array = npt.NDArray[Any]
Points = tuple[Array, Array]

_COUNT = Whole(1)
_NOISE = Real(0.0)
_CLASSES = Whole(2)
_SEED = Whole(0)

TRAIN_ROWS, TEST_ROWS = 500, 250


def moons(n: int = 500, *, noise: float = 0.1, seed: int = 0) -> Points:
    """Two half circles of radius 1 that reach into each other; `noise` is a normal deviation of each
    coordinate.

    Class 0 is (cos t, sin t), class 1 is (1 − cos t, ½ − sin t), with t from 0 to π.

    >>> x, y = moons(6, noise=0.0)
    >>> sorted(x[y == 1].round(2).tolist())
    [[0.0, 0.5], [1.0, -0.5], [2.0, 0.5]]
    """
    labels, random = _begin("moons", n, 2, noise, seed)
    t = np.pi * _places(labels, random)
    outer = labels == 0
    x = np.stack(
        [np.where(outer, np.cos(t), 1.0 - np.cos(t)), np.where(outer, np.sin(t), 0.5 - np.sin(t))], 1
    )
    return _end(x, labels, noise, random)


def circles(n: int = 500, *, noise: float = 0.05, factor: float = 0.5, seed: int = 0) -> Points:
    """A circle of radius 1, class 0, around one of radius `factor` in (0, 1), class 1.

    >>> x, y = circles(6, noise=0.0)
    >>> np.hypot(*x[y == 1].T).round(3).tolist()
    [0.5, 0.5, 0.5]
    """
    factor = Real(0.0, 1.0, low_open=True, high_open=True)("circles", "factor", factor)
    labels, random = _begin("circles", n, 2, noise, seed)
    t = 2.0 * np.pi * _places(labels, random, closed=False)
    radius = np.where(labels == 0, 1.0, factor)
    return _end(np.stack([radius * np.cos(t), radius * np.sin(t)], 1), labels, noise, random)


def blobs(n: int = 500, *, classes: int = 3, noise: float = 0.3, seed: int = 0) -> Points:
    """Normal clouds of deviation `noise` around centres that stand evenly on the unit circle.

    >>> x, y = blobs(4, classes=4, noise=0.0)
    >>> (x[y == 1] + 0.0).round(3).tolist()
    [[0.0, 1.0]]
    """
    labels, random = _begin("blobs", n, classes, noise, seed)
    t = 2.0 * np.pi * labels / classes
    return _end(np.stack([np.cos(t), np.sin(t)], 1), labels, noise, random)


def spiral(
    n: int = 500, *, classes: int = 3, noise: float = 0.2, turns: float = 0.64, seed: int = 0
) -> Points:
    """Arms that wind `turns` times around the origin as they go from radius 0 to 1; `noise` is in the angle.

    Point r of class k stands at the angle 2π (k / classes + turns · r), plus the noise in radians.

    >>> x, y = spiral(6, classes=2, noise=0.0, turns=1.0)
    >>> sorted(np.hypot(*x[y == 0].T).round(2).tolist())
    [0.0, 0.5, 1.0]

    After A. Karpathy, "Neural Networks Part 3", CS231n, 2015.
    """
    turns = Real()("spiral", "turns", turns)
    labels, random = _begin("spiral", n, classes, noise, seed)
    radius = _places(labels, random)
    t = 2.0 * np.pi * (labels / classes + turns * radius) + noise * random.standard_normal(n)
    return _end(np.stack([radius * np.cos(t), radius * np.sin(t)], 1), labels, 0.0, random)


def xor(n: int = 500, *, noise: float = 0.0, seed: int = 0) -> Points:
    """The square from −1 to 1: class 1 where the signs of the coordinates differ, else class 0.

    `noise` moves the points after they were labelled.

    >>> x, y = xor(100)
    >>> bool(np.all((x[:, 0] * x[:, 1] < 0) == (y == 1)))
    True
    """
    labels, random = _begin("xor", n, 2, noise, seed)
    first = random.uniform(-1.0, 1.0, n)
    second = random.uniform(0.0, 1.0, n) * np.sign(first) * np.where(labels == 0, 1.0, -1.0)
    return _end(np.stack([first, second], 1), labels, noise, random)


MAKERS: dict[str, tuple[Callable[..., Points], str]] = {
    "moons": (moons, "Two moons"),
    "circles": (circles, "Two circles"),
    "blobs": (blobs, "Normal clouds"),
    "spiral": (spiral, "Spiral arms"),
    "xor": (xor, "Exclusive or"),
}


def generate(
    name: str, n_train: int = TRAIN_ROWS, n_test: int = TEST_ROWS, *, seed: int = 0, **options: Any
) -> Dataset:
    """A generated data set; its two parts are drawn apart, from the seeds 2·seed and 2·seed + 1.

    Parameters
    ----------
    name : "moons", "circles", "blobs", "spiral" or "xor".
    n_train, n_test : points in each part, defaults 500 and 250.
    seed : a whole number of at least 0, default 0.
    options : noise, and what else the function of that name takes.

    >>> generate("spiral", 90, 30, classes=4)
    Dataset('spiral': 90 training and 30 test samples of shape (2,), 4 classes)
    """
    maker, title = MAKERS[name]
    seed = _SEED(name, "seed", seed)
    x_train, y_train = maker(_COUNT(name, "n_train", n_train), seed=2 * seed, **options)
    x_test, y_test = maker(_COUNT(name, "n_test", n_test), seed=2 * seed + 1, **options)
    return Dataset(
        name=name,
        title=title,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=tuple(str(label) for label in range(options.get("classes", _classes(name)))),
        scale=None,
        source="generated",
        licence="CC0 1.0",
        feature_names=("x1", "x2"),
    )


def _classes(name: str) -> int:
    return 3 if name in ("blobs", "spiral") else 2


def _begin(owner: str, n: int, classes: int, noise: float, seed: int) -> tuple[Array, np.random.Generator]:
    """Labels in a random order, and the generator of what follows."""
    n, classes = _COUNT(owner, "n", n), _CLASSES(owner, "classes", classes)
    _NOISE(owner, "noise", noise)
    random = np.random.default_rng(_SEED(owner, "seed", seed))
    return random.permutation(np.arange(n) % classes), random


def _places(labels: Array, random: np.random.Generator, *, closed: bool = True) -> Array:
    """For each point its place within its class: evenly from 0 to 1, with 1 only when `closed`, mixed."""
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = labels == label
        places[members] = random.permutation(np.linspace(0.0, 1.0, int(members.sum()), endpoint=closed))
    return places


def _end(x: Array, labels: Array, noise: float, random: np.random.Generator) -> Points:
    if noise:
        x = x + noise * random.standard_normal(x.shape)
    return x.astype(np.float32), labels.astype(np.int64)
