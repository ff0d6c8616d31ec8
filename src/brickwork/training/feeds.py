"""What an epoch is fed with: rows of arrays in a new order, or the batches of an iterable."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.source import ArraySource, Batch
from ..engines.native_module import load_native
from ..errors import DataError, ParameterError
from ..structs import struct

SHUFFLE_STREAM = (1 << 31) + 2
"""Place of the shuffling in the generator's counter; streams from 2**31 up belong to no brick."""


ALL = "all"
"""The batch size of batch gradient descent."""


def rows_of_a_batch(optimizer: Any, wanted: int | str | None, rows: int, steps: int | None) -> int:
    """The rows of a batch: as many as asked for, all, or as many as the optimizer needs; else 32."""
    whole = wanted == ALL or (wanted is None and optimizer.whole_data)
    size = max(1, rows) if whole else 32 if wanted is None else int(wanted)
    name = type(optimizer).__name__
    if optimizer.whole_data and size < rows:
        raise ParameterError(
            f"{name} compares gradients of one function, so each step takes all {rows} rows; got "
            f"batch_size={size}. Write batch_size='all', or take another optimizer for mini-batches."
        )
    if optimizer.whole_data and (steps or 1) > 1:
        raise ParameterError(
            f"{name} takes all rows in one step, and an epoch is one step; got steps_per_epoch={steps}. "
            f"Leave it out, and raise epochs."
        )
    return size


def require_one_batch(optimizer: Any, feed: BatchFeed) -> None:
    """ParameterError where an optimizer that needs all rows at once would get them in several batches."""
    if optimizer.whole_data and feed.steps != 1:
        raise ParameterError(
            f"{type(optimizer).__name__} compares gradients of one function, so each step takes all rows; it "
            f"received an iterable of {feed.steps or 'any number of'} batches. Pass arrays, or a list of one "
            f"batch."
        )


@struct()
class ArrayFeed:
    """Rows of arrays, all of them once in each pass, in a new order when `shuffle` is on.

    A pass ends with the batch of the rows that are left over. With `steps_per_epoch` an epoch is that many
    batches, and the next epoch goes on where it ended, pass after pass.

    `first_step` is the step at which epoch 0 begins, or would have begun where training goes on from a later
    one. The order of a pass depends on the seed and on the step at which the pass begins; so an interrupted
    training goes on with the order it would have had, and a second `fit` has orders of its own.
    """

    source: ArraySource
    batch_size: int
    shuffle: bool
    seed: int
    steps_per_epoch: int | None = None
    first_step: int = 0

    def __post_init__(self) -> None:
        self._pass = -1
        self._order: Array = np.empty(0, np.int64)

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return self.steps_per_epoch or self._per_pass

    @property
    def _per_pass(self) -> int:
        return math.ceil(len(self.source) / self.batch_size)

    def rows(self, epoch: int) -> Iterator[Array]:
        """The rows of each batch of an epoch."""
        for index in range(epoch * self.steps, (epoch + 1) * self.steps):
            number, place = divmod(index, self._per_pass)
            if number != self._pass:
                self._pass, self._order = number, self._permutation(number)
            yield self._order[place * self.batch_size : (place + 1) * self.batch_size]

    def order(self, epoch: int) -> Array | None:
        """The rows of an epoch in one array; None where a batch in its midst is a short one."""
        if self.steps_per_epoch is None:
            return self._permutation(epoch)
        batches = list(self.rows(epoch))
        if any(len(rows) < self.batch_size for rows in batches[:-1]):
            return None
        return np.concatenate(batches)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, but for the first `start` ones."""
        return map(self.source.gather, itertools.islice(self.rows(epoch), start, None))

    def _permutation(self, number: int) -> Array:
        if not self.shuffle:
            return np.arange(len(self.source))
        begin = (self.first_step + number * self._per_pass) & (2**64 - 1)
        key = np.array([self.seed & (2**64 - 1), SHUFFLE_STREAM], dtype=np.uint64)
        counter = np.array([0, 0, 0, begin], dtype=np.uint64)
        # sorted by raw bits, since NumPy may change how its own permutation uses them
        bits = np.random.Philox(key=key, counter=counter).random_raw(len(self.source))
        native = load_native()
        if native is None:
            return np.argsort(bits, kind="stable")
        order = np.empty(len(bits), np.int64)
        native.ascending_order(bits, order)  # a tenth of the time
        return order


@struct()
class BatchFeed:
    """Batches from an iterable; a whole pass in each epoch, or `steps_per_epoch` batches.

    With steps, an epoch goes on where the last one ended; `from_start` begins each anew, where that can be.
    """

    data: Any
    convert: Callable[[Any], Iterator[Batch]]
    steps_per_epoch: int | None = None
    where: str = ""
    from_start: bool = False

    def __post_init__(self) -> None:
        self._running: Iterator[Batch] | None = None

    @property
    def once(self) -> bool:
        """Whether the data can be gone through only once, as a generator."""
        return hasattr(self.data, "__iter__") and iter(self.data) is self.data

    @property
    def steps(self) -> int | None:
        """Batches per epoch, where known."""
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        return len(self.data) if hasattr(self.data, "__len__") else None

    def require_passes(self, count: int, argument: str) -> None:
        """DataError where the data is known not to last for so many passes."""
        if count > 1 and self.once and self.steps_per_epoch is None:
            raise DataError(
                f"{self.where}data must last for {count} passes; it received a generator, which runs once. "
                f"Pass {argument} with one that never ends, or a list of batches, or an object with __len__ "
                f"and __getitem__."
            )

    def skip(self, batches: int) -> None:
        """Go on behind so many batches, where epochs go on where the last one ended."""
        for _ in range(batches if self.steps_per_epoch is not None and not self.from_start else 0):
            if self._next() is None:
                self._running = None
                self._next()

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, but for the first `start` ones."""
        return itertools.islice(self._epoch(epoch), start, None)

    def _epoch(self, epoch: int) -> Iterator[Batch]:
        if self.steps_per_epoch is None:
            yield from self._whole_pass()
            return
        if self.from_start and not self.once:
            self._running = None
        for given in range(self.steps_per_epoch):
            batch = self._next()
            if batch is None and not self.once:
                self._running = None
                batch = self._next()
            if batch is None:
                raise DataError(
                    f"{self.where}{self.steps_per_epoch} batches are asked for in each epoch; the "
                    f"{'generator' if self.once else 'iterable'} ended after {given} in epoch {epoch + 1}. "
                    f"Make it endless (while True: yield …), or ask for fewer steps."
                )
            yield batch

    def _whole_pass(self) -> Iterator[Batch]:
        count = 0
        for batch in self.convert(_items(self.data)):
            count += 1
            yield batch
        if count == 0:
            raise DataError(
                f"{self.where}The iterable of batches must give at least one batch; it gave none. "
                f"Is it empty, or a generator that has run already?"
            )

    def _next(self) -> Batch | None:
        if self._running is None:
            self._running = self.convert(_items(self.data))
        return next(self._running, None)


Feed = ArrayFeed | BatchFeed


def _items(data: Any) -> Iterator[Any]:
    """Items of an iterable, or of an object with __len__ and __getitem__."""
    # not `yield from`, which would close a generator that goes on in the next epoch
    return iter(data) if hasattr(data, "__iter__") else (data[index] for index in range(len(data)))


def is_array_like(x: Any) -> bool:
    """Whether `x` is data to be held as arrays, rather than an iterable of batches."""
    if isinstance(x, (np.ndarray, Mapping)) or hasattr(x, "__array__"):
        return True
    if not isinstance(x, (list, tuple)):
        return False
    first = x[0] if x else None
    return not isinstance(first, Mapping) and not (
        isinstance(first, tuple) and any(part is None or has_rows(part) for part in first)
    )


def has_rows(one: Any) -> bool:
    """Whether this is an array, or a list that may be one."""
    return hasattr(one, "__array__") or isinstance(one, (list, tuple, Mapping))


def first_rows(x: Any) -> tuple[Any, Any]:
    """(data that shows the shape of a sample, x as it was): a generator gets its first batch back."""
    if is_array_like(x):
        single = isinstance(x, (list, tuple)) and len(x) == 1 and hasattr(x[0], "__array__")
        return (x[0] if single and np.ndim(x[0]) > 1 else x), x
    items = iter(x) if hasattr(x, "__iter__") else iter([x[0]])
    first = next(items, None)
    if first is not None and items is x:
        x = itertools.chain([first], items)
    return (first[0] if isinstance(first, (tuple, list)) and first else first), x
