"""From what users pass to `fit` to checked sources of batches.

Shapes, labels and numbers are checked here, before any engine sees them, with errors that name the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.rows import blocks
from ..data.source import ArraySource, Batch
from ..errors import DataError, ParameterError, did_you_mean, known_names
from .data_checks import (
    as_array,
    balanced_class_weights,
    check_finite,
    check_input,
    check_target,
    check_weight,
    class_factors,
    class_labels,
)
from .feeds import BatchFeed, has_rows, is_array_like
from .lookups import Lookup, check_lookups
from .program import Compiled


class Adapter:
    """Turns user data into the arrays that a graph's inputs, targets and weights need.

    `inputs` maps the names that users know to the graph's inputs; without `compiled`, only they are wanted.
    `lookups` are the Embeddings that inputs feed.
    """

    def __init__(
        self,
        inputs: Mapping[str, Any],
        compiled: Compiled | None = None,
        class_weight: Mapping[int, float] | str | None = None,
        names: Mapping[str, str] | None = None,
        lookups: Sequence[Lookup] = (),
    ) -> None:
        self.inputs = inputs
        self.compiled = compiled
        self.class_weight = class_weight
        self.names = names or {name: name for name in inputs}
        self.lookups = lookups

    def source(self, x: Any, y: Any = None, sample_weight: Any = None, *, where: str = "") -> ArraySource:
        """A checked source of all rows. `where` is put before names in messages, as "validation "."""
        arrays: dict[str, Array | None] = dict(self._inputs(x, where))
        rows = _common_length(arrays, where)
        if rows == 0:
            raise DataError(
                f"{where}x needs at least one row; it received none. Is a filter or a path wrong?"
            )
        dtypes = {name: spec.dtype for name, spec in self.inputs.items()}
        called = {name: f"{where}x" + self._called(name) for name in arrays}
        if self.compiled is not None:
            for name, array in arrays.items():
                check_finite(array, called[name], dtypes[name])
        check_lookups(self.lookups, arrays, called)
        if self.compiled is not None:
            specs = self.compiled.program.graph.inputs
            targets = self._targets(y, rows, where)
            weights = self._weights(sample_weight, rows, where)
            arrays.update({**targets, **weights})
            dtypes.update({name: specs[name].dtype for name in (*targets, *weights)})
        return ArraySource(arrays, dtypes, rows)

    def weighted(self, source: ArraySource, where: str = "", *, whole: bool = False) -> ArraySource:
        """The source with the weights of rows multiplied by those of their classes, for training.

        `whole`: it holds all rows, so that "balanced" can count the classes.
        """
        compiled = self.compiled
        if self.class_weight is None or compiled is None:
            return source
        name, target = compiled.weight_names[0], compiled.target_names[0]
        if len(compiled.output_names) != 1 or name is None or target is None:
            raise ParameterError(
                "class_weight goes with one output; this network has several. Pass sample_weight for each."
            )
        labels, given = source.arrays[target], source.arrays[name]
        output, known = compiled.output_shapes[0], self.class_weight
        if whole and isinstance(known, str) and known == "balanced":
            found = [class_labels(block, output, where) for _, block in blocks(labels, 1 << 20)]
            known = balanced_class_weights(np.concatenate(found))
        factors = np.concatenate(
            [class_factors(known, block, output, where) for _, block in blocks(labels, 1 << 20)]
        )
        return ArraySource(
            {**source.arrays, name: factors if given is None else given[:] * factors},
            source.dtypes,
            source.rows,
        )

    def batches(self, data: Iterable[Any], where: str = "") -> Iterator[Batch]:
        """Checked batches from an iterable of x, (x, y) or (x, y, sample_weight)."""
        for index, item in enumerate(data):
            parts = tuple(item) if self._is_whole_batch(item) else (item,)
            if not 1 <= len(parts) <= 3:
                raise DataError(
                    f"A batch is x, (x, y) or (x, y, sample_weight); {where}batch {index} has "
                    f"{len(parts)} parts."
                )
            x, y, weight = (*parts, None, None)[:3]
            if self.compiled is None:
                y = weight = None
            here = f"{where}batch {index}: "
            source = self.weighted(self.source(x, y, weight, where=here), here)
            yield source.gather(slice(0, len(source)))

    def feed(self, data: Any, steps: int | None = None, where: str = "") -> BatchFeed:
        """The batches of an iterable, checked as they come."""
        return BatchFeed(data, lambda items: self.batches(items, where), steps, where)

    def held_out(self, data: Any, where: str = "validation ") -> ArraySource | BatchFeed:
        """Validation data: a source, (x, y), (x, y, sample_weight), or batches."""
        if isinstance(data, ArraySource):
            return data
        if _is_array(data):
            raise DataError(
                f"{where}data must be (x, y) or (x, y, sample_weight), or an iterable of batches; it "
                f"received one array. Pass both: validation_data=(x_val, y_val)."
            )
        if not _is_parts(data):
            return self.feed(require_data(data), where=where)
        if not 2 <= len(data) <= 3:
            raise DataError(
                f"{where}data must be (x, y) or (x, y, sample_weight); it received {len(data)} "
                f"part{'s' * (len(data) != 1)}. Pass validation_data=(x_val, y_val)."
            )
        return self.source(*data, where=where)

    def _is_whole_batch(self, item: Any) -> bool:
        """Loaders of PyTorch give lists where others give tuples."""
        if isinstance(item, list):
            several = len(item) in (2, 3) and len(self.inputs) == 1
            return several and all(part is None or hasattr(part, "__array__") for part in item)
        return isinstance(item, tuple)

    def _called(self, name: str) -> str:
        return f"[{name!r}]" if len(self.inputs) > 1 else ""

    # -- inputs -------------------------------------------------------------------------------------

    def _inputs(self, x: Any, where: str) -> dict[str, Array]:
        names = list(self.names)
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
                    f"{_how_many(x)}."
                )
            given = list(x)
        else:
            given = [_unwrapped(x)]
            require_one_array(x, where)
        found = {}
        for name, one in zip(names, given, strict=True):
            inner = self.names[name]
            array = as_array(one, f"{where}x" + self._called(name))
            found[inner] = (
                array if len(array) == 0 else check_input(array, self.inputs[inner].shape, name, where)
            )
        return found

    # -- targets and weights ------------------------------------------------------------------------

    def _targets(self, y: Any, rows: int, where: str) -> dict[str, Array | None]:
        compiled = self.compiled
        assert compiled is not None  # noqa: S101  (called only with one)
        if y is None and any(compiled.target_names):
            raise DataError(
                f"{where}y is needed: the loss compares outputs with targets; it received none. "
                f"Pass y, or batches (x, y)."
            )
        found: dict[str, Array | None] = {}
        for index, given in enumerate(self._per_output(y, "y", where)):
            name, label = compiled.target_names[index], compiled.output_names[index]
            if name is None:
                continue
            what = "y" if len(compiled.output_names) == 1 else f"y[{label!r}]"
            if given is None:
                raise DataError(f"{where}{what} is needed, since that output has a loss; it received None.")
            array = np.asarray(as_array(_unwrapped(given), f"{where}{what}"))
            _require_rows(array, rows, f"{where}{what}")
            found[name] = check_target(
                array,
                compiled.losses[index],
                compiled.output_shapes[index],
                compiled.program.graph.inputs[name].dtype,
                where,
                what,
            )
        return found

    def _weights(self, sample_weight: Any, rows: int, where: str) -> dict[str, Array | None]:
        compiled = self.compiled
        assert compiled is not None  # noqa: S101
        found: dict[str, Array | None] = {}
        for index, given in enumerate(self._per_output(sample_weight, "sample_weight", where)):
            name = compiled.weight_names[index]
            if name is None:
                continue
            weight = None
            if given is not None:
                weight = check_weight(
                    _unwrapped(given), f"{where}sample_weight", compiled.program.graph.inputs[name].dtype
                )
                _require_rows(weight, rows, f"{where}sample_weight")
            found[name] = weight
        return found

    def _per_output(self, given: Any, what: str, where: str) -> list[Any]:
        """One entry for each output, from one array, a list or a dict by name."""
        compiled = self.compiled
        assert compiled is not None  # noqa: S101
        names = compiled.output_names
        with_loss = [index for index, name in enumerate(compiled.target_names) if name is not None]
        if isinstance(given, Mapping):
            for key in given:
                if key not in names:
                    raise DataError(
                        f"{where}{what} names the outputs {known_names(names)}; it received {key!r}."
                        f"{did_you_mean(key, names)}"
                    )
            return [given.get(name) for name in names]
        if given is None or len(names) == 1:
            return [given] * len(names)
        one_each = isinstance(given, (list, tuple)) and all(one is None or has_rows(one) for one in given)
        if one_each and len(given) == len(names):
            return list(given)
        if one_each and len(given) == len(with_loss):
            spread: list[Any] = [None] * len(names)
            for index, one in zip(with_loss, given, strict=True):
                spread[index] = one
            return spread
        if what == "sample_weight" or len(with_loss) == 1:
            return [given] * len(names)
        raise DataError(
            f"{where}{what} needs a list of {len(names)} arrays, for the outputs {known_names(names)}, or a "
            f"dict by these names; it received {_how_many(given)}."
        )


def _is_parts(data: Any) -> bool:
    """Whether validation data is (x, y) or (x, y, sample_weight), rather than an iterable of batches."""
    if isinstance(data, list):
        return len(data) in (2, 3) and is_array_like(data)
    return isinstance(data, tuple)


def split(source: ArraySource, fraction: float) -> tuple[ArraySource, ArraySource]:
    """Keras's validation_split: the last part of the rows, before any shuffling, is for validation."""
    # Keras counts the rows for training from the front
    first = int(np.floor(len(source) * (1.0 - fraction)))
    if first == 0 or first == len(source):
        raise DataError(
            f"validation_split={fraction} of {len(source)} rows leaves {first} for training and "
            f"{len(source) - first} for validation; both need at least one. "
            f"Take another fraction, or more rows."
        )
    return source.slice(0, first), source.slice(first, len(source))


def _is_array(one: Any) -> bool:
    return hasattr(one, "__array__")


def _unwrapped(given: Any) -> Any:
    """The only array of a list of arrays."""
    single = isinstance(given, (list, tuple)) and len(given) == 1 and _is_array(given[0])
    return given[0] if single and np.ndim(given[0]) > 0 else given


def _how_many(given: Any) -> str:
    if isinstance(given, (list, tuple)):
        return f"{len(given)}"
    return "one array" if _is_array(given) else type(given).__name__


def _require_rows(array: Array, rows: int, what: str) -> None:
    if len(array) != rows:
        raise DataError(
            f"x, y and sample_weight must have equally many rows; x has {rows}, {what} has {len(array)}. "
            f"Were they cut or shuffled apart?"
        )


def _common_length(arrays: Mapping[str, Any], where: str) -> int:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise DataError(
            f"{where}All inputs must have equally many rows; they have: {told}. Were they cut apart?"
        )
    return next(iter(lengths.values()))


def require_data(x: Any) -> Any:
    """x, or DataError where it can be no data at all."""
    if x is None:
        raise DataError(
            "x is needed: an array, a list or dict of arrays, or an iterable of batches; it received None."
        )
    batches = hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))
    if isinstance(x, (str, bytes)) or hasattr(x, "toarray") or not (batches or is_array_like(x)):
        hint = " Call its toarray()." if hasattr(x, "toarray") else ""
        raise DataError(
            f"x must be an array, a list or dict of arrays, or an iterable of batches; it received "
            f"{type(x).__name__}.{hint}"
        )
    return x


def require_one_array(x: Any, where: str = "") -> None:
    """DataError for a tuple of arrays, which is neither data nor batches."""
    if isinstance(x, tuple) and len(x) in (2, 3) and all(_is_array(part) for part in x):
        raise DataError(
            f"{where}x needs one array; it received a tuple of {len(x)}. Pass them one by one, as in "
            f"fit(x, y), or a list of batches [(x, y), …]."
        )


def require_no_targets(y: Any, sample_weight: Any, split: Any = False) -> None:
    """ParameterError for arguments that go with arrays, where x is an iterable of batches."""
    if split:
        raise ParameterError(
            "validation_split cuts arrays; x is an iterable of batches. Pass validation_data instead."
        )
    if y is not None or sample_weight is not None:
        raise ParameterError(
            "An iterable gives its own targets: batches (x, y) or (x, y, sample_weight). "
            "Leave y and sample_weight out."
        )
