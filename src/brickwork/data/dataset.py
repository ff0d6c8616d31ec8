"""A data set as everything that trains receives it, and a hash by which it is known again."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .rows import LazyRows, Rows
from .tasks import CLASSIFICATION

if TYPE_CHECKING:
    from .encoding import TableEncoder

Array = npt.NDArray[Any]

_WHOLE = 1 << 26
"""Bytes up to which an array is hashed whole."""

_SAMPLES = 64
_SAMPLE_BYTES = 1 << 16


class DataWarning(UserWarning):
    """Something in the data that is probably not meant, and what was done about it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in a training and a test part, with what one must know to use it.

    Parameters
    ----------
    name, title
        The word that loads it, and its name in a sentence.
    x_train, x_test
        Images as uint8 of shape (N, H, W, C), tables as float32 of shape (N, F), or arrays as they were
        given. What lies in a large file is `LazyRows`: it looks like an array, and gives its rows when asked.
    y_train, y_test
        Classification: class numbers 0..K-1 as int64 of shape (N,). Regression: float32, (N,) or (N, T).
    class_names
        The K classes, in the order of their numbers; () for regression.
    scale
        The value of a white pixel, by which images are divided; None where x is no image.
    source, licence
        Authors, year and place of publication; under which terms it is given. Empty for users' own data.
    task
        "classification" or "regression".
    feature_names
        The columns of x where x is a table, else ().
    preprocessing
        What made x from the cells of a table, or None. It belongs to the model: save it with it.
    notes, warnings
        What was decided for the user, and what is probably not meant, a sentence each.
    origin
        The files by name, size and time of change; part of the hash of data too large to be hashed whole.

    >>> from brickwork.data import load
    >>> load("digits")
    Dataset('digits': 1,438 training and 359 test samples of shape (8, 8, 1), 10 classes)
    """

    name: str
    title: str
    x_train: Any
    y_train: Array
    x_test: Any
    y_test: Array
    class_names: tuple[str, ...]
    scale: float | None
    source: str = ""
    licence: str = ""
    task: str = CLASSIFICATION
    feature_names: tuple[str, ...] = ()
    preprocessing: TableEncoder | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    origin: str = ""

    def __repr__(self) -> str:
        learned = f"{len(self.class_names)} classes" if self.task == CLASSIFICATION else self.task
        return (
            f"Dataset({self.name!r}: {len(self.x_train):,} training and {len(self.x_test):,} test samples "
            f"of shape {self.x_train.shape[1:]}, {learned})"
        )

    def content_hash(self) -> str:
        """64 hexadecimal digits that change with the data: its numbers, their order, classes and columns.

        Arrays up to 64 MiB are read whole; of larger ones 64 blocks are read, and the sizes and times of
        their files count too.

        >>> from brickwork.data import load
        >>> load("iris").content_hash()[:8]
        '07c80b49'
        """
        digest = hashlib.sha256()
        words = [self.task, *self.class_names, "", *self.feature_names]
        digest.update("\0".join(words).encode("utf-8", "surrogateescape"))
        if self.preprocessing is not None:
            digest.update(repr(self.preprocessing.get_config()).encode())
        parts = (self.x_train, self.y_train, self.x_test, self.y_test)
        for part in parts:
            _add_array(digest, part)
        if any(part.nbytes > _WHOLE for part in parts):
            digest.update(self.origin.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def target_scaling(self) -> tuple[Any, Any]:
        """Mean and standard deviation of the training targets of a regression: floats, or lists for (N, T).

        A target that never changes has the deviation 1.
        """
        mean = self.y_train.mean(axis=0, dtype=np.float64)
        deviation = self.y_train.std(axis=0, dtype=np.float64)
        return mean.tolist(), np.where(deviation > 0, deviation, 1.0).tolist()


def _add_array(digest: Any, array: Any) -> None:
    digest.update(f"{array.dtype.str}{tuple(array.shape)}".encode())
    if array.nbytes <= _WHOLE:
        digest.update(np.ascontiguousarray(array[:]).tobytes())
        return
    if isinstance(array, Rows) and array.index is not None:
        digest.update(array.index.tobytes())
    rows = max(1, _SAMPLE_BYTES * len(array) // array.nbytes)
    for start in np.linspace(0, len(array) - rows, _SAMPLES).astype(int).tolist():
        block = array[start : start + rows]
        digest.update(np.ascontiguousarray(block).tobytes())


def is_image(x: LazyRows | Array) -> bool:
    """Whether x are images, (N, H, W, C) of uint8."""
    return len(x.shape) == 4 and x.dtype == np.uint8
