"""From what users pass to `fit` to checked sources of batches.

Shapes, labels and numbers are checked here, before any engine sees them, with errors that name the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, Shape
from ..bricks.base import letters
from ..data.source import ArraySource, Batch
from ..errors import DataError, ParameterError, ParameterTypeError, ShapeError, did_you_mean, known_names
from ..losses import fit_target
from .program import Compiled, per_output

_BLOCK = 1 << 16


class Adapter:
    """Turns user data into the arrays that a graph's inputs, targets and weights need."""

    def __init__(
        self,
        inputs: Mapping[str, Any],
        compiled: Compiled | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self.inputs = inputs
        self.compiled = compiled
        self.class_weight = class_weight

    def source(self, x: Any, y: Any = None, sample_weight: Any = None, *, where: str = "") -> ArraySource:
        """A checked source of all rows. `where` is put before names in messages, as "validation "."""
        arrays = self._inputs(x, where)
        rows = _common_length(arrays, where)
        dtypes = {name: spec.dtype for name, spec in self.inputs.items()}
        if self.compiled is not None:
            graph_inputs = self.compiled.program.graph.inputs
            targets = self._targets(y, where)
            weights = self._weights(sample_weight, targets, rows, where)
            for name, array in {**targets, **weights}.items():
                if array is not None and len(array) != rows:
                    raise DataError(
                        f"{where}x, y and sample_weight must have equally many rows; x has {rows}, "
                        f"{name!r} has {len(array)}. Were they cut or shuffled apart?"
                    )
            arrays.update(targets)
            arrays.update(weights)
            dtypes.update({name: graph_inputs[name].dtype for name in (*targets, *weights)})
        if rows == 0:
            raise DataError(
                f"{where}x needs at least one row; it received none. Is a filter or a path wrong?"
            )
        return ArraySource(arrays, dtypes, rows)

    def batches(self, data: Iterable[Any], where: str = "") -> Iterator[Batch]:
        """Checked batches from an iterable of x, (x, y) or (x, y, sample_weight)."""
        for index, item in enumerate(data):
            parts = item if isinstance(item, tuple) else (item,)
            if not 1 <= len(parts) <= 3:
                raise DataError(
                    f"A batch is x, (x, y) or (x, y, sample_weight); batch {index} has {len(parts)} parts."
                )
            x, y, weight = (*parts, None, None)[:3]
            source = self.source(x, y, weight, where=f"{where}batch {index}: ")
            yield source.gather(slice(0, len(source)))

    # -- inputs -------------------------------------------------------------------------------------

    def _inputs(self, x: Any, where: str) -> dict[str, Array]:
        names = list(self.inputs)
        if isinstance(x, Mapping):
            for key in x:
                if key not in names:
                    raise DataError(
                        f"{where}x names the inputs {known_names(names)}; it received {key!r}."
                        f"{did_you_mean(key, names)}"
                    )
            missing = [name for name in names if name not in x]
            if missing:
                raise DataError(f"{where}x needs {known_names(missing)} too; it received {known_names(x)}.")
            given = [x[name] for name in names]
        elif len(names) > 1:
            if not isinstance(x, (list, tuple)) or len(x) != len(names):
                raise DataError(
                    f"{where}x needs a list of {len(names)} arrays, for {known_names(names)}; it received "
                    f"{f'{len(x)} arrays' if isinstance(x, (list, tuple)) else type(x).__name__}."
                )
            given = list(x)
        else:
            single = isinstance(x, (list, tuple)) and len(x) == 1 and isinstance(x[0], np.ndarray)
            given = [x[0] if single else x]
        return {
            name: _shaped(_array(one, f"{where}x"), self.inputs[name].shape, name, where)
            for name, one in zip(names, given, strict=True)
        }

    # -- targets ------------------------------------------------------------------------------------

    def _targets(self, y: Any, where: str) -> dict[str, Array | None]:
        compiled = self.compiled
        assert compiled is not None  # noqa: S101  (called only with one)
        needed = [name for name in compiled.target_names if name is not None]
        if y is None:
            raise DataError(
                f"{where}The loss compares outputs with targets y; it received none. "
                f"Pass y, or batches (x, y)."
            )
        given = (
            per_output(y, compiled.output_names, "y")
            if len(needed) > 1 or isinstance(y, Mapping)
            else [y if name is not None else None for name in compiled.target_names]
        )
        found: dict[str, Array | None] = {}
        for name, loss, shape, one in zip(
            compiled.target_names, compiled.losses, compiled.output_shapes, given, strict=True
        ):
            if name is not None:
                found[name] = _target(_array(one, f"{where}y"), loss, shape, where)
        return found

    def _weights(
        self, sample_weight: Any, targets: Mapping[str, Array | None], rows: int, where: str
    ) -> dict[str, Array | None]:
        compiled = self.compiled
        assert compiled is not None  # noqa: S101
        if self.class_weight is not None and len(targets) != 1:
            raise ParameterError(
                "class_weight goes with one output; this network has several. Pass sample_weight for each."
            )
        given = (
            per_output(sample_weight, compiled.output_names, "sample_weight")
            if isinstance(sample_weight, Mapping)
            or (isinstance(sample_weight, (list, tuple)) and len(targets) > 1)
            else [sample_weight] * len(compiled.weight_names)
        )
        found: dict[str, Array | None] = {}
        for name, target, shape, one in zip(
            compiled.weight_names, compiled.target_names, compiled.output_shapes, given, strict=True
        ):
            if name is None or target is None:
                continue
            weight = None if one is None else _weight(one, rows, where)
            if self.class_weight is not None:
                factors = class_factors(self.class_weight, np.asarray(targets[target]), shape, where)
                weight = factors if weight is None else weight * factors
            found[name] = weight
        return found


def _array(given: Any, what: str) -> Array:
    """An array of numbers, without a copy where it is one already."""
    if given is None:
        raise DataError(f"{what} needs an array; it received None.")
    array = given if isinstance(given, np.ndarray) else np.asarray(given)
    if array.dtype.kind not in "fiub":
        hint = (
            " Encode labels as indices: classes, y = numpy.unique(labels, return_inverse=True)."
            if array.dtype.kind in "UOS"
            else ""
        )
        raise DataError(
            f"{what} must hold numbers; it holds {array.dtype} such as {array.reshape(-1)[:1]!r}.{hint}"
        )
    if array.ndim == 0:
        raise DataError(f"{what} needs rows, shape (N, …); it received the single number {array!r}.")
    return array


def _shaped(array: Array, shape: Shape, name: str, where: str) -> Array:
    """The rows under the input's shape; a last axis of one may be missing or too many, as in Keras."""
    fitted = fit_target(array, shape)
    agrees = fitted.ndim == len(shape) and all(
        size is None or size == got for size, got in zip(shape[1:], fitted.shape[1:], strict=True)
    )
    if not agrees:
        raise ShapeError(
            f"{where}The input {name!r} takes {letters(shape)}; it received "
            f"{letters((None, *array.shape[1:]))}. "
            f"{_repair_shape(array.shape[1:], shape[1:])}"
        )
    return fitted


def _repair_shape(got: Sequence[int], wanted: Shape) -> str:
    known = [size for size in wanted if size is not None]
    if len(known) == len(wanted) and int(np.prod(got, dtype=np.int64)) == int(np.prod(known, dtype=np.int64)):
        return f"Reshape it: x.reshape({', '.join(['-1', *(str(size) for size in known)])})."
    return "Is the first axis the rows, and the last one the features or channels?"


def _target(array: Array, loss: Any, output: Shape, where: str) -> Array:
    shape = loss.target_shape(output)
    fitted = fit_target(array, shape)
    agrees = fitted.ndim == len(shape) and all(
        size is None or size == got for size, got in zip(shape[1:], fitted.shape[1:], strict=True)
    )
    if not agrees:
        hint = ""
        if loss.name == "categorical_crossentropy" or type(loss).__name__ == "CategoricalCrossentropy":
            if array.ndim == len(shape) - 1 or array.shape[-1] == 1:
                hint = " Use loss='sparse_categorical_crossentropy', or utils.to_categorical(y)."
        elif loss.integer_targets and array.ndim == len(output):
            hint = " Use loss='categorical_crossentropy' for one-hot rows."
        if not hint and len(output) > len(array.shape):
            hint = " Put Flatten() before the last Dense layer."
        raise ShapeError(
            f"{where}The loss expects y of shape {letters(shape)}, since the output is {letters(output)}; "
            f"it received {letters((None, *array.shape[1:]))}.{hint}"
        )
    if loss.integer_targets:
        check_labels(fitted, output[-1], where)
    else:
        check_finite(fitted, f"{where}y")
        if type(loss).__name__ == "BinaryCrossentropy":
            _check_range(fitted, 0.0, 1.0, f"{where}y")
    return fitted


def check_labels(labels: Array, classes: int | None, where: str = "") -> None:
    """DataError unless all labels are whole numbers in 0 … classes − 1; names the first row that is not."""
    if labels.dtype.kind == "f":
        check_finite(labels, f"{where}y")
        wrong = labels != np.floor(labels)
        if wrong.any():
            row = int(np.argwhere(wrong)[0][0])
            raise DataError(
                f"{where}y must hold class indices, whole numbers; it holds {labels[wrong][0]!s} in "
                f"row {row}. "
                f"For regression use loss='mse'."
            )
    top = np.inf if classes is None else classes
    wrong = (labels < 0) | (labels >= top)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise DataError(
            f"{where}y must hold class indices in 0 … {classes - 1 if classes else '…'}, since the output "
            f"has {classes} units; it holds {labels[wrong][0]!s} in row {row}. "
            f"Number the classes from 0, or give the last layer {int(labels.max()) + 1} units."
        )


def check_finite(array: Array, what: str) -> None:
    """DataError naming row and column of the first NaN or infinite number; reads by blocks."""
    if array.dtype.kind != "f":
        return
    step = max(1, _BLOCK // max(1, int(np.prod(array.shape[1:], dtype=np.int64))))
    for start in range(0, len(array), step):
        finite = np.isfinite(array[start : start + step])
        if not finite.all():
            place = np.argwhere(~finite)[0]
            row = start + int(place[0])
            column = tuple(int(axis) for axis in place[1:])
            inside = f", column {column[0]}" if len(column) == 1 else f", at {column}" if column else ""
            value = array[(row, *column)]
            raise DataError(
                f"{what} must hold finite numbers; it holds {value!s} in row {row}{inside}. "
                f"Drop such rows, or fill them: numpy.nan_to_num(x)."
            )


def _check_range(array: Array, low: float, high: float, what: str) -> None:
    wrong = (array < low) | (array > high)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise DataError(
            f"{what} must lie in [{low:g}, {high:g}] for binary_crossentropy; it holds {array[wrong][0]!s} "
            f"in row {row}. Scale it, or use loss='mse'."
        )


def _weight(given: Any, rows: int, where: str) -> Array:
    weight = _array(given, f"{where}sample_weight")
    if weight.shape == (rows, 1):
        weight = weight.reshape(rows)
    if weight.ndim != 1:
        raise ShapeError(
            f"{where}sample_weight takes one number per row, shape (N,); it received "
            f"{letters((None, *weight.shape[1:]))}."
        )
    check_finite(weight, f"{where}sample_weight")
    if (weight < 0).any():
        row = int(np.argwhere(weight < 0)[0][0])
        raise DataError(f"{where}sample_weight must not be negative; it holds {weight[row]!s} in row {row}.")
    return weight


def class_factors(class_weight: Mapping[int, float], target: Array, output: Shape, where: str = "") -> Array:
    """A weight per row from a weight per class; classes that are not named weigh 1."""
    if not isinstance(class_weight, Mapping):
        raise ParameterTypeError(
            f"class_weight must be a dict class -> weight, such as {{0: 1.0, 1: 5.0}}; got {class_weight!r}."
        )
    one_hot = target.ndim == len(output) and (output[-1] or 0) > 1
    labels = np.argmax(target, axis=-1) if one_hot else target.reshape(len(target)).astype(np.int64)
    count = output[-1] if (output[-1] or 0) > 1 else 2
    factors = np.ones(len(target), np.float64)
    for label, factor in class_weight.items():
        if isinstance(label, bool) or not hasattr(label, "__index__") or not 0 <= int(label) < (count or 0):
            raise ParameterError(
                f"{where}class_weight names classes in 0 … {(count or 1) - 1}; it received {label!r}."
            )
        if not np.isfinite(factor) or factor < 0:
            raise ParameterError(
                f"{where}class_weight must hold finite weights of at least 0; it holds {factor!r} for "
                f"class {label}."
            )
        factors[labels == int(label)] = factor
    return factors


def is_array_like(x: Any) -> bool:
    """Whether `x` is data to be held as arrays, rather than an iterable of batches."""
    if isinstance(x, (np.ndarray, Mapping)) or hasattr(x, "__array__"):
        return True
    if isinstance(x, (list, tuple)):
        return not x or not isinstance(x[0], (tuple, dict))
    return False


def split(source: ArraySource, fraction: float) -> tuple[ArraySource, ArraySource]:
    """Keras's validation_split: the last part of the rows, before any shuffling, is for validation."""
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise ParameterError(f"`validation_split` must be in (0, 1); got validation_split={fraction!r}.")
    # Keras counts the rows for training from the front
    first = int(np.floor(len(source) * (1.0 - fraction)))
    if first == 0 or first == len(source):
        raise DataError(
            f"validation_split={fraction} of {len(source)} rows leaves {first} for training and "
            f"{len(source) - first} for validation; both need at least one. "
            f"Take another fraction, or more rows."
        )
    return source.slice(0, first), source.slice(first, len(source))


def _common_length(arrays: Mapping[str, Array], where: str) -> int:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise DataError(f"{where}All inputs must have equally many rows; they have: {told}.")
    return next(iter(lengths.values()))
