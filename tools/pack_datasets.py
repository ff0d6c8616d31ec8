"""Make the data sets that ship inside the package, from the copies that come with scikit-learn.

Run `python tools/pack_datasets.py` where scikit-learn is installed. The split into training and test part
is made here and stored in the files, so that it never changes with a random generator: one permutation of
all samples, of which the first fifth of each class becomes the test part.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_iris

FILES = Path(__file__).parents[1] / "src" / "brickwork" / "data" / "files"
TEST_SHARE = 0.2
SEED = 0


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and of the test part, each in the order of the permutation."""
    order = np.random.RandomState(SEED).permutation(len(labels))
    test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        test[members[: round(TEST_SHARE * len(members))]] = True
    return order[~test[order]], order[test[order]]


def pack_digits() -> None:
    """Write digits.npz: bytes, as the pixels are whole numbers in 0..16."""
    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    train, test = split(labels)
    np.savez_compressed(
        FILES / "digits.npz",
        x_train=images[train],
        y_train=labels[train],
        x_test=images[test],
        y_test=labels[test],
    )


def pack_iris() -> None:
    """Write iris.csv, a table that one can read."""
    iris = load_iris()
    train, test = split(iris.target)
    with (FILES / "iris.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sepal_length", "sepal_width", "petal_length", "petal_width", "species", "part"])
        for part, indices in (("train", train), ("test", test)):
            for index in indices:
                species = iris.target_names[iris.target[index]]
                writer.writerow([*(f"{value:.1f}" for value in iris.data[index]), species, part])


if __name__ == "__main__":
    pack_digits()
    pack_iris()
    for path in sorted(FILES.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")
