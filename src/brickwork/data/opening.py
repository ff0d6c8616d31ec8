"""The one door to data: a name, a folder of images, a table, or arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, ParameterError, did_you_mean, known_names
from .array_sets import read_npy_set, read_npz_set
from .dataset import Dataset, DataWarning
from .image_listing import SUFFIXES
from .images import read_images
from .named import find_name, load, names
from .tabular import read_table
from .tasks import REGRESSION, TASK

TABLES = (".csv", ".tsv", ".txt", ".parquet")
ENDINGS = (*TABLES, ".npz", ".npy")


def open_data(
    data: Any,
    *,
    target: str | int | None = None,
    task: str = "auto",
    image_size: Any = None,
    columns: Mapping[str, str] | None = None,
    test_split: float | None = None,
    seed: int = 0,
    report: Callable[[str], None] | None = None,
) -> Dataset:
    """A data set in two parts, from whatever the data is.

    Parameters
    ----------
    data : the name of a data set (`names()` lists them); a folder of one sub-folder of images for each class,
        or of x.npy and y.npy; a file .csv, .tsv, .txt, .parquet, .npz or .npy; a pandas frame or a list of
        dicts. A name comes first: a folder called mnist is ./mnist.
    target : of a table the column to be learned, by name or by number from 1; of x.npy the file of y.
    task : "classification", "regression" or "auto" (default), by which the target decides; the notes say how.
    image_size : of images of different sizes, the size to which they are stretched: a number, (H, W),
        "32x48".
    columns : of a table, column -> "numeric", "categorical" or "ignored".
    test_split : the share of rows in [0, 1) that tests, in equal shares of each class, where the data has no
        part for testing; default 0.2.
    seed : of the split and of the order of the training rows, default 0.
    report : is called with lines for the user: what takes long, what was decided, what is odd. Without it
        what is odd is given as a DataWarning.

    Raises
    ------
    DataError, FormatError for data that is not there, not whole, or cannot be learned from; ParameterError
    for options that do not go with the data.

    >>> open_data("iris")
    Dataset('iris': 120 training and 30 test samples of shape (4,), 3 classes)
    """
    TASK("open_data", "task", task)
    options = {
        "target": target,
        "image_size": image_size,
        "columns": columns,
        "test_split": test_split,
    }
    dataset = _open(data, options, task, seed, report)
    if task not in ("auto", dataset.task):
        raise ParameterError(
            f"{dataset.title} is data for {dataset.task}; got task={task!r}. Leave `task` out, or give data "
            "whose target is a number."
        )
    if dataset.task == REGRESSION and np.all(np.ptp(dataset.y_train, axis=0) == 0):
        told = f"{dataset.title}: the target never changes, so that there is nothing to learn from the rows."
        dataset = replace(dataset, warnings=(*dataset.warnings, told))
    if report is not None:
        for line in (*dataset.notes, *dataset.warnings):
            report(line)
    else:
        for line in dataset.warnings:
            warnings.warn(line, DataWarning, stacklevel=2)
    return dataset


def _open(
    data: Any, options: Mapping[str, Any], task: str, seed: int, report: Callable[[str], None] | None
) -> Dataset:
    if isinstance(data, Dataset):
        _refuse(options, (), data.title)
        return data
    if not isinstance(data, (str, os.PathLike)):
        taken = _refuse(options, ("target", "columns", "test_split"), "a table")
        return read_table(data, task=task, seed=seed, name="table", **taken)
    name = find_name(data) if isinstance(data, str) else None
    if name is not None:
        _refuse(options, (), f"the data set {name!r}")
        return load(name)
    path = Path(data).expanduser()
    if path.is_dir():
        if any(path.glob("[xX].npy")) or any(path.glob("[xX]_train.npy")):
            taken = _refuse(options, ("test_split",), f"the folder of arrays {path}")
            return read_npy_set(path, task=task, seed=seed, **taken)
        taken = _refuse(options, ("image_size", "test_split"), f"the folder of images {path}")
        return read_images(path, seed=seed, report=report, **taken)
    if not path.exists():
        raise _absent(data, path)
    ending = path.suffix.lower()
    if ending in TABLES:
        taken = _refuse(options, ("target", "columns", "test_split"), f"the table {path}")
        return read_table(path, task=task, seed=seed, **taken)
    if ending == ".npz":
        return read_npz_set(path, task=task, seed=seed, **_refuse(options, ("test_split",), str(path)))
    if ending == ".npy":
        return read_npy_set(
            path, task=task, seed=seed, **_refuse(options, ("target", "test_split"), str(path))
        )
    hint = " For images give the folder that holds a folder for each class." if ending in SUFFIXES else ""
    raise DataError(
        f"{path}: expected a folder of images, or a file of {', '.join(ENDINGS)}; received a file ending in "
        f"{ending or 'nothing'!r}.{hint}"
    )


def _refuse(options: Mapping[str, Any], allowed: Sequence[str], what: str) -> dict[str, Any]:
    """The options that this kind of data takes; ParameterError for others that were given."""
    for name, value in options.items():
        if name not in allowed and value is not None:
            takes = f"takes {known_names(allowed)}" if allowed else "takes no such option"
            raise ParameterError(f"{what} {takes}; got {name}={value!r}. Leave `{name}` out.")
    return {name: options[name] for name in allowed}


def _absent(data: Any, path: Path) -> DataError:
    """The error for what is neither a name nor a path, with the nearest of both."""
    word = str(data)
    known = names()
    beside: list[str] = []
    prefix = ""
    parent = path.parent
    if parent.is_dir():
        prefix = word[: len(word) - len(path.name)] if word.endswith(path.name) else f"{parent}{os.sep}"
        beside = [name for name in sorted(os.listdir(parent)) if not name.startswith(".")]
    hint = did_you_mean(word.lower(), known) or did_you_mean(path.name, beside).replace("'", f"'{prefix}", 1)
    return DataError(
        f"Data is one of {known_names(known)}, a folder of images, or a file of {', '.join(ENDINGS)}; there "
        f"is no {word!r}.{hint}"
    )
