"""What is to be learned from a target: classes or numbers, and how the classes are numbered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arguments import Choice
from ..errors import DataError
from .cells import number_text, to_number

Array = npt.NDArray[Any]

CLASSIFICATION = "classification"
REGRESSION = "regression"
TASK = Choice(("auto", CLASSIFICATION, REGRESSION))

MOST_CLASSES = 20
"""Different whole numbers up to which a column of numbers is taken for classes."""

_ROWS_EACH = 5
"""Rows of each number, on average, from which on it is."""

_MOST_INDICES = 1000
"""Different integers up to which an array of integers is taken for class indices."""


@dataclass(frozen=True)
class Target:
    """What a network learns.

    task : "classification" or "regression".
    y : class numbers 0 … K − 1 as int64 (N,), or float32 (N,) or (N, T).
    class_names : the K classes in the order of their numbers; () for regression.
    reason : why the task is this one, as a sentence for the user; empty where the user chose it.
    """

    task: str
    y: Array
    class_names: tuple[str, ...]
    reason: str = ""


def table_target(
    values: Array, task: str, what: str, place: Callable[[int], str] = lambda row: f"row {row}"
) -> Target:
    """The target in a column of a table: texts (as objects), or finite float64 numbers.

    "auto" is classification for texts, and for whole numbers of which there are at most 20 different ones and
    on average at least 5 rows of each; else regression.

    Raises DataError where the column does not suit the task, or holds one class only.
    """
    TASK("open_data", "task", task)
    if values.dtype.kind != "f":
        if task == REGRESSION:
            row = next((row for row, value in enumerate(values) if to_number(value) is None), 0)
            raise DataError(
                f"{what} must hold numbers for regression; it holds the text {values[row]!r} in "
                f"{place(row)}. Take task 'classification', or another target."
            )
        return _classes(values, what, f"{what} holds text" if task == "auto" else "")
    found = np.unique(values)
    whole = bool(np.all(found == np.floor(found)))
    if task == "auto":
        few = len(found) <= MOST_CLASSES and len(found) * _ROWS_EACH <= len(values)
        if not (whole and few):
            kind = "numbers with fractions" if not whole else f"{len(found):,} different whole numbers"
            reason = f"{what} holds {kind}"
            return _regression(values, what, reason)
        return _classes(values, what, f"{what} holds {len(found)} different whole numbers")
    if task == REGRESSION:
        return _regression(values, what)
    return _classes(values, what, "")


def array_target(values: Array, task: str, what: str) -> Target:
    """The target in an array: integers are class indices, texts are classes, floats are numbers.

    "auto" is classification for integers (up to 1,000 different ones), booleans, texts, one-hot rows, and for
    floats under the rule of `table_target`; else regression.

    Raises DataError for NaN, for indices that are not 0 … K − 1, and for what is no target.
    """
    TASK("open_data", "task", task)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.kind in "US":
        return table_target(_texts(values, what), task, what)
    if values.dtype.kind not in "fiub" or values.ndim not in (1, 2):
        raise DataError(
            f"{what} must hold a label or a number for each row, shape (N,), or several numbers, (N, T); it "
            f"holds {values.dtype} of shape {values.shape}."
        )
    values = np.asarray(values)
    if len(values) == 0:
        raise DataError(f"{what} needs at least one row; it has none. Is a filter or a path wrong?")
    if values.dtype.kind == "f":
        _require_finite(values, what)
    if values.ndim == 2:
        one_hot = bool(np.all((values == 0) | (values == 1)) and np.all(values.sum(axis=1) == 1))
        if task == REGRESSION or (task == "auto" and not one_hot):
            reason = f"{what} holds {values.shape[1]} numbers for each row" if task == "auto" else ""
            return _regression(values, what, reason)
        if not one_hot:
            raise DataError(
                f"{what} must hold class indices (N,) or one-hot rows (N, K) for classification; it holds "
                f"rows of {values.shape[1]} numbers such as {values[0].tolist()}. Take task 'regression'."
            )
        labels, reason = values.argmax(axis=1), f"{what} holds one-hot rows"
        return _indices(labels, what, reason if task == "auto" else "", values.shape[1])
    if task == REGRESSION:
        return _regression(values, what)
    found = np.unique(values)
    whole = bool(np.all(found == np.floor(found)))
    if task == "auto":
        if values.dtype.kind == "f":
            classes = whole and len(found) <= MOST_CLASSES and len(found) * _ROWS_EACH <= len(values)
        else:
            classes = len(found) <= _MOST_INDICES
        kind = "whole numbers" if whole else "numbers with fractions"
        reason = f"{what} holds {len(found):,} different {kind}"
        if not classes:
            return _regression(values, what, reason)
        return _indices(values, what, reason)
    if not whole:
        row = int(np.argmax(values != np.floor(values)))
        raise DataError(
            f"{what} must hold class indices, whole numbers from 0, for classification; it holds "
            f"{values[row]!s} in row {row}. Take task 'regression'."
        )
    return _indices(values, what, "")


def _regression(values: Array, what: str, reason: str = "") -> Target:
    with np.errstate(over="ignore"):
        y = values.astype(np.float32)
    if not np.isfinite(y).all():
        place = np.argwhere(~np.isfinite(y))[0].tolist()
        raise DataError(
            f"{what} must hold numbers that fit into float32, at most 3.4e38; it holds "
            f"{values[tuple(place)]!s} in row {place[0]}. Scale the target."
        )
    return Target(REGRESSION, y, (), reason)


def _indices(values: Array, what: str, reason: str, classes: int | None = None) -> Target:
    """Labels that are class numbers already."""
    found = np.unique(values)
    known = f"{len(found)} different numbers, {found[0]} … {found[-1]}"
    repair = "Number the classes from 0: classes, y = numpy.unique(y, return_inverse=True); or take task "
    repair += "'regression'."
    if found[0] < 0:
        row = int(np.argmax(values < 0))
        raise DataError(
            f"{what} must hold class indices in 0 … K − 1; it holds {values[row]!s} in row {row} ({known}). "
            f"{repair}"
        )
    if classes is None:
        classes = len(found)
        if int(found[-1]) != classes - 1:
            absent = int(np.setdiff1d(np.arange(len(found) + 1), found)[0])
            raise DataError(
                f"{what} must hold every class index in 0 … K − 1; {absent} is in no row ({known}). {repair}"
            )
    _require_two(len(found), what, str(found[0]))
    labels = values.astype(np.int64)
    return Target(CLASSIFICATION, labels, tuple(str(number) for number in range(classes)), reason)


def _classes(values: Array, what: str, reason: str) -> Target:
    """Labels of any kind, numbered in their order."""
    found, labels = np.unique(values, return_inverse=True)
    names = tuple(_name(value) for value in found.tolist())
    _require_two(len(names), what, names[0])
    return Target(CLASSIFICATION, labels.astype(np.int64), names, reason)


def _name(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else str(value)


def _require_two(classes: int, what: str, name: str) -> None:
    if classes < 2:
        raise DataError(
            f"{what} must hold at least 2 classes; every row is {name!r}. Is it the right column or file?"
        )


def _require_finite(values: Array, what: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        place = np.argwhere(~finite)[0].tolist()
        column = f", column {place[1]}" if len(place) > 1 else ""
        raise DataError(
            f"{what} must hold finite numbers; it holds {values[tuple(place)]!s} in row {place[0]}{column}. "
            f"Drop such rows, or fill them."
        )


def _texts(values: Array, what: str) -> Array:
    if values.dtype.kind == "U":
        return values.astype(object)
    try:
        return np.char.decode(values, "utf-8").astype(object)
    except UnicodeDecodeError:
        raise DataError(
            f"{what} holds bytes that are not UTF-8. Store labels as text or as numbers."
        ) from None
