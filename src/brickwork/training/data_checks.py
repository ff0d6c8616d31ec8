"""Checks of what users pass to `fit`: each says what is wrong, in which row, and how to mend it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, Shape
from ..bricks.base import letters
from ..data.rows import blocks
from ..errors import DataError, ParameterError, ParameterTypeError, ShapeError
from ..losses import BinaryCrossentropy, CategoricalCrossentropy, fit_target

_BLOCK = 1 << 16


def as_array(given: Any, what: str) -> Array:
    """An array of numbers with rows, without a copy where it is one already or reads its rows when asked."""
    if given is None:
        raise DataError(f"{what} needs an array; it received None.")
    try:
        array = given if isinstance(given, np.ndarray) or reads_rows(given) else np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(
            f"{what} must be an array of numbers whose rows are all of one shape; making one of "
            f"{type(given).__name__} fails: {str(error).rstrip('.')}. Cut or pad the rows to one length."
        ) from error
    # Only who has imported numpy.ma, which takes 8 ms, can hand over a masked array.
    if "numpy.ma" in sys.modules and np.ma.is_masked(array):
        raise DataError(
            f"{what} must hold a number everywhere; some are masked. Fill them: x.filled(0), say."
        )
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what} must hold numbers; it holds {_what_is_there(array)}")
    if array.ndim == 0:
        raise DataError(f"{what} needs rows, shape (N, …); it received the single number {array!s}.")
    return array


def reads_rows(given: Any) -> bool:
    """Whether this has the shape of an array and reads its rows when they are asked for."""
    return not isinstance(given, np.ndarray) and all(
        hasattr(given, name) for name in ("read", "select", "reshape", "shape", "ndim", "dtype")
    )


def _what_is_there(array: Array) -> str:
    one = next(iter(array.reshape(-1)[:1].tolist()), None)
    told = f"{array.dtype}, such as {one!r}."
    if array.dtype.kind in "US" or isinstance(one, str):
        return (
            f"{told} Number the classes, if these are labels: "
            f"classes, y = numpy.unique(labels, return_inverse=True)."
        )
    if hasattr(one, "toarray"):
        return f"{type(one).__name__}, a sparse matrix. Call its toarray()."
    if array.dtype.kind == "c":
        return f"{told} Take real and imaginary parts as features of their own."
    return f"{told} Make numbers of it: numpy.asarray(x, 'float32')."


def check_input(array: Array, shape: Shape, name: str, where: str = "") -> Array:
    """The rows under an input's shape; a last axis of length one may be missing or too many, as in Keras."""
    fitted = fit_target(array, shape)
    if not agrees(fitted, shape):
        raise ShapeError(
            f"{where}x must have the shape {letters(shape)} for the input {name!r}; it received "
            f"{letters((None, *array.shape[1:]))}. {_repair_input(array.shape, shape[1:])}"
        )
    return fitted


def agrees(array: Array, shape: Shape) -> bool:
    """Whether the array has that shape, but for the number of rows."""
    return array.ndim == len(shape) and all(
        size is None or size == got for size, got in zip(shape[1:], array.shape[1:], strict=True)
    )


def _repair_input(shape: Sequence[int], wanted: Shape) -> str:
    got = tuple(shape[1:])
    if tuple(shape) == tuple(wanted):
        return "Is it a single sample? Then write x[None]."
    if got and tuple(wanted) == (*got[1:], got[0]):
        return "Move the channels to the last axis: numpy.moveaxis(x, 1, -1)."
    known = [size for size in wanted if size is not None]
    if len(known) == len(wanted) and math.prod(got) == math.prod(known):
        return f"Reshape it: x.reshape({', '.join(['-1', *(str(size) for size in known)])})."
    return "The first axis is the rows. Pass data of this shape, or make the network's Input fit the data."


# -- targets ----------------------------------------------------------------------------------------


def check_target(
    array: Array, loss: Any, output: Shape, dtype: str, where: str = "", what: str = "y"
) -> Array:
    """The targets under the shape and in the range that a loss takes for an output of this shape."""
    shape = loss.target_shape(output)
    fitted = fit_target(array, shape)
    if not agrees(fitted, shape):
        raise ShapeError(f"{where}{_wrong_target(array, loss, shape, output, what)}")
    if loss.integer_targets:
        check_labels(fitted, output[-1], where, what)
        return fitted
    check_finite(fitted, f"{where}{what}", dtype)
    if isinstance(loss, BinaryCrossentropy):
        _check_binary(fitted, f"{where}{what}")
    return fitted


def _wrong_target(array: Array, loss: Any, shape: Shape, output: Shape, what: str) -> str:
    got = letters((None, *array.shape[1:]))
    extra = len(output) - 2
    if extra > 0 and array.ndim == len(shape) - extra:
        return (
            f"For {what} of shape {got} the loss expects (N, {output[-1]}); the output is "
            f"{letters(output)}. Put Flatten() before the last Dense layer."
        )
    told = (
        f"{what} must have the shape {letters(shape)}, since the output is {letters(output)}; "
        f"it received {got}."
    )
    if loss.integer_targets and array.ndim == len(output):
        return f"{told} Use loss='categorical_crossentropy' for one-hot rows."
    single = array.ndim == len(shape) - 1 or array.shape[-1] == 1
    if single and isinstance(loss, CategoricalCrossentropy):
        repair = "Use loss='sparse_categorical_crossentropy' for class indices, or utils.to_categorical(y)."
        return f"{told} {repair}"
    units = 1 if single else array.shape[-1]
    return f"{told} Give the last layer {units} unit{'s' * (units != 1)}, or pass other targets."


def check_labels(labels: Array, classes: int | None, where: str = "", what: str = "y") -> None:
    """DataError unless all labels are whole numbers in 0 … classes − 1; names the first row that is not."""
    if labels.dtype.kind == "f":
        check_finite(labels, f"{where}{what}")
        broken = _first(labels, lambda block: block != np.floor(block))
        if broken:
            raise DataError(
                f"{where}{what} must hold class indices, whole numbers; it holds {broken}. "
                f"For regression use loss='mse'."
            )
    beyond = math.inf if classes is None else classes
    outside = _first(labels, lambda block: (block < 0) | (block >= beyond))
    if outside:
        top = "…" if classes is None else classes - 1
        raise DataError(
            f"{where}{what} must hold class indices in 0 … {top}, since the output has "
            f"{classes or 'that many'} unit{'s' * (classes != 1)}; it holds {outside}. "
            f"{_repair_labels(labels, classes)}"
        )


def _repair_labels(labels: Array, classes: int | None) -> str:
    ends = [(int(block.min()), int(block.max())) for _, block in blocks(labels, _BLOCK) if block.size]
    lowest, highest = min(low for low, _ in ends), max(high for _, high in ends)
    if classes == 1:
        return "For two classes and one unit use loss='binary_crossentropy'."
    if lowest < 0 or classes is None:
        return "Number the classes from 0: classes, y = numpy.unique(y, return_inverse=True)."
    shift = "Number the classes from 0 (y - 1), or give" if lowest > 0 and highest == classes else "Give"
    return f"{shift} the last layer {highest + 1} units."


def _check_binary(array: Array, what: str) -> None:
    outside = _first(array, lambda block: (block < 0) | (block > 1))
    if outside:
        raise DataError(
            f"{what} must lie in [0, 1] for binary_crossentropy; it holds {outside}. "
            f"Number the two classes 0 and 1, or use loss='mse'."
        )


def _first(array: Array, is_wrong: Callable[[Array], Array]) -> str:
    """The first number that is wrong, and its row; nothing where all are right."""
    for start, block in blocks(array, _BLOCK):
        wrong = is_wrong(block)
        if wrong.any():
            return f"{block[wrong][0]!s} in row {start + int(np.argwhere(wrong)[0][0])}"
    return ""


def check_finite(array: Array, what: str, dtype: str | None = None) -> None:
    """DataError naming row and column of the first NaN, or of the first number too large for `dtype`.

    Reads floats only, by blocks, so that a mapped file need not fit into memory. Rows that are read on demand
    are not read an additional time.
    """
    if array.dtype.kind != "f" or reads_rows(array):
        return
    narrow = dtype is not None and np.dtype(dtype).kind == "f" and np.dtype(dtype) < array.dtype
    for start, block in blocks(array, _BLOCK):
        if narrow:
            with np.errstate(over="ignore"):
                block = np.asarray(block, dtype)
        finite = np.isfinite(block)
        if not finite.all():
            place = tuple(int(axis) for axis in np.argwhere(~finite)[0])
            raise _not_finite(array[(start + place[0], *place[1:])], start + place[0], place[1:], what, dtype)


def _not_finite(value: Any, row: int, column: tuple[int, ...], what: str, dtype: str | None) -> DataError:
    inside = f", column {column[0]}" if len(column) == 1 else f", at {column}" if column else ""
    if np.isfinite(value):
        return DataError(
            f"{what} must hold numbers that fit into {dtype}; it holds {value!s} in row {row}{inside}. "
            f"Scale it."
        )
    return DataError(
        f"{what} must hold finite numbers; it holds {value!s} in row {row}{inside}. Drop such rows, or fill "
        f"them with a number that makes sense."
    )


# -- weights ----------------------------------------------------------------------------------------


def check_weight(given: Any, what: str, dtype: str | None = None) -> Array:
    """Weights of rows: (N,) or (N, 1), finite and not negative."""
    weight = as_array(given, what)
    if weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight.reshape(-1)
    if weight.ndim != 1:
        raise ShapeError(
            f"{what} takes one number per row, shape (N,); it received "
            f"{letters((None, *weight.shape[1:]))}. Average over the other axes."
        )
    check_finite(weight, what, dtype)
    negative = _first(weight, lambda block: block < 0)
    if negative:
        raise DataError(f"{what} must not be negative; it holds {negative}. Use 0 to leave rows out.")
    return weight


def class_labels(target: Array, output: Shape, where: str = "") -> Array:
    """The class of each row, of labels or of one-hot rows."""
    one_hot = target.ndim == len(output) and (output[-1] or 0) > 1
    labels = np.argmax(target, axis=-1) if one_hot else np.rint(target).astype(np.int64)
    if labels.size != len(labels):
        raise ParameterError(
            f"{where}class_weight goes with one class per row; y has the shape "
            f"{letters((None, *target.shape[1:]))}. Pass sample_weight, one number per row."
        )
    return labels.reshape(len(labels))


def balanced_class_weights(y: Any) -> dict[int, float]:
    """Weights that give every class the same sum: rows / (classes * rows of the class).

    Parameters
    ----------
    y : whole numbers (N,) or (N, 1), or one-hot rows (N, C); classes without a row get no weight.

    Raises DataError for no rows, ParameterError for labels of another shape.

    >>> balanced_class_weights([0, 0, 0, 1])
    {0: 0.6666666666666666, 1: 2.0}

    King and Zeng, "Logistic Regression in Rare Events Data", 2001.
    """
    target = np.asarray(y)
    if not target.size:
        raise DataError("Class weights are counted from labels; it received none. Pass those of training.")
    if target.dtype.kind not in "iufb":
        raise ParameterTypeError(
            f"Class weights are counted from whole numbers or one-hot rows; it received {target.dtype}. "
            f"Number the classes, for instance with numpy.unique(y, return_inverse=True)."
        )
    labels = class_labels(target, (None, *target.shape[1:]))
    classes, counts = np.unique(labels, return_counts=True)
    return {
        int(label): len(labels) / (len(classes) * int(count))
        for label, count in zip(classes, counts, strict=True)
    }


def class_factors(class_weight: Any, target: Array, output: Shape, where: str = "") -> Array:
    """A weight per row from a weight per class; classes that are not named weigh 1."""
    if not isinstance(class_weight, Mapping):
        raise ParameterTypeError(
            f"class_weight must be a dict class -> weight, such as {{0: 1.0, 1: 5.0}}, or in fit on arrays "
            f"'balanced'; got {class_weight!r}."
        )
    classes = output[-1] if (output[-1] or 0) > 1 else 2
    labels = class_labels(target, output, where)
    factors = np.ones(len(labels), np.float64)
    for label, factor in class_weight.items():
        whole = not isinstance(label, bool) and hasattr(label, "__index__")
        if not whole or not 0 <= int(label) < (classes or 0):
            raise ParameterError(
                f"class_weight names classes in 0 … {(classes or 1) - 1}; it received {label!r}."
            )
        if (
            isinstance(factor, (bool, str))
            or not hasattr(factor, "__float__")
            or not 0 <= float(factor) < math.inf
        ):
            raise ParameterError(
                f"class_weight must hold finite weights of at least 0; it holds {factor!r} for class {label}."
            )
        factors[labels == int(label)] = factor
    return factors
