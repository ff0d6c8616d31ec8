"""The training loop: epochs, steps, validation, callbacks. Engines do the work inside an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.source import ArraySource, Batch
from ..engines.base import Plan, Totals
from ..errors import DataError
from .callbacks import CallbackList

SHUFFLE_STREAM = (1 << 31) + 2
"""Place of the shuffling in the generator's counter; streams from 2**31 up belong to no brick."""

_REPORT_SECONDS = 0.1


@dataclass
class ArrayFeed:
    """Rows of arrays, in a new order each pass when `shuffle` is on."""

    source: ArraySource
    batch_size: int
    shuffle: bool
    seed: int
    steps_per_epoch: int | None = None

    def __post_init__(self) -> None:
        self._rest: Array = np.empty(0, np.int64)
        self._pass = 0

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return self.steps_per_epoch or math.ceil(len(self.source) / self.batch_size)

    def order(self, epoch: int) -> Array:
        """The rows of an epoch, in the order in which they are used."""
        if self.steps_per_epoch is None:
            return self._permutation(epoch)
        wanted = self.steps_per_epoch * self.batch_size
        while len(self._rest) < wanted:
            # a pass ends with its remainder batch, as an epoch does; the next one begins afresh
            self._rest = np.concatenate([self._rest, self._permutation(self._pass)])
            self._pass += 1
        order, self._rest = self._rest[:wanted], self._rest[wanted:]
        return order

    def _permutation(self, number: int) -> Array:
        if not self.shuffle:
            return np.arange(len(self.source))
        key = np.array([self.seed & (2**64 - 1), SHUFFLE_STREAM], dtype=np.uint64)
        counter = np.array([0, 0, 0, number], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=counter)).permutation(len(self.source))


@dataclass
class BatchFeed:
    """Batches from an iterable; begun again each epoch where it can be, else continued."""

    data: Any
    convert: Callable[[Any], Iterator[Batch]]
    steps_per_epoch: int | None = None
    where: str = ""

    def __post_init__(self) -> None:
        self._running: Iterator[Batch] | None = None
        self._once = iter(self.data) is self.data if hasattr(self.data, "__iter__") else False

    @property
    def steps(self) -> int | None:
        """Batches per epoch, where known."""
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        return len(self.data) if hasattr(self.data, "__len__") else None

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch."""
        if self._running is None or (self.steps_per_epoch is None and not self._once):
            self._running = self.convert(_items(self.data))
        if self.steps_per_epoch is None:
            count = 0
            for batch in self._running:
                count += 1
                yield batch
            if count == 0:
                raise DataError(
                    f"{self.where}The iterable of batches must give at least one batch in each epoch; it gave "
                    f"none. A generator runs once: pass a list, a Sequence, or steps_per_epoch with an endless one."
                )
            return
        for given in range(self.steps_per_epoch):
            try:
                batch = next(self._running)
            except StopIteration:
                if self._once:
                    raise DataError(
                        f"{self.where}steps_per_epoch={self.steps_per_epoch} asks for more batches than the "
                        f"generator gives; it ended after {given} in this epoch. "
                        f"Make it endless, or lower the steps."
                    ) from None
                self._running = self.convert(_items(self.data))
                batch = next(self._running)
            yield batch


def _items(data: Any) -> Iterator[Any]:
    """Items of an iterable, or of an object with __len__ and __getitem__."""
    if hasattr(data, "__iter__"):
        yield from data
    else:
        for index in range(len(data)):
            yield data[index]


Feed = ArrayFeed | BatchFeed


class Reporter:
    """Hands running results to the callbacks at most every tenth of a second."""

    def __init__(self, callbacks: CallbackList, results: Callable[[Totals], dict[str, float]]) -> None:
        self._callbacks = callbacks
        self._results = results
        self._last = time.perf_counter()

    def __call__(self, step: int, totals: Totals) -> None:
        """`step` steps are done, with these running sums."""
        now = time.perf_counter()
        if now - self._last >= _REPORT_SECONDS:
            self._last = now
            self._callbacks.on_progress(step, self._results(totals))


@dataclass
class Fit:
    """One call of `fit`, made ready."""

    model: Any
    plan: Plan
    feed: Feed
    epochs: int
    initial_epoch: int
    callbacks: CallbackList
    validate: Callable[[], Mapping[str, float]] | None = None
    validation_freq: int = 1

    def run(self) -> None:
        """All epochs, or as many as the callbacks let run."""
        self.model.stop_training = False
        try:
            self._run()
        finally:
            self.callbacks.close()

    def _run(self) -> None:
        model, callbacks = self.model, self.callbacks
        callbacks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(self.initial_epoch, self.epochs):
            callbacks.on_epoch_begin(epoch)
            logs = self._epoch(epoch)
            if self.validate is not None and (epoch + 1) % self.validation_freq == 0:
                logs.update({f"val_{name}": value for name, value in self.validate().items()})
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end(logs)

    def _epoch(self, epoch: int) -> dict[str, float]:
        plan, feed = self.plan, self.feed
        stepwise = self.callbacks.needs_steps or self.callbacks.needs_gradients
        if isinstance(feed, ArrayFeed) and not stepwise:
            rates = self.model.optimizer.rates(plan.step_number, feed.steps)
            return plan.epoch(
                feed.source,
                feed.order(epoch),
                rates,
                plan.step_number,
                batch_size=feed.batch_size,
                report=Reporter(self.callbacks, plan.program.results),
            )
        return self._steps(self._batches(epoch))

    def _batches(self, epoch: int) -> Iterator[Batch]:
        feed = self.feed
        if isinstance(feed, BatchFeed):
            yield from feed.epoch()
            return
        order = feed.order(epoch)
        for step in range(feed.steps):
            yield feed.source.gather(order[step * feed.batch_size : (step + 1) * feed.batch_size])

    def _steps(self, batches: Iterator[Batch]) -> dict[str, float]:
        plan, callbacks = self.plan, self.callbacks
        report = Reporter(callbacks, plan.program.results)
        totals = plan.program.start()
        for index, batch in enumerate(batches):
            callbacks.on_train_batch_begin(index)
            rate = float(self.model.optimizer.rates(plan.step_number, 1)[0])
            totals = step_with_callbacks(plan, batch, rate, totals, callbacks)
            if callbacks.needs_steps:
                callbacks.on_train_batch_end(index, plan.program.results(totals))
            report(index + 1, totals)
            if self.model.stop_training:
                break
        return plan.program.results(totals)


def step_with_callbacks(
    plan: Plan, batch: Batch, rate: float, totals: Totals, callbacks: CallbackList
) -> Totals:
    """One update; where a callback wants the gradients, it sees them between backward and update."""
    if not callbacks.needs_gradients:
        return plan.step(batch, rate, totals)
    from ..engines.diagnosis import diagnose
    from ..engines.reference import add_totals

    found = plan.gradients(batch)
    if not (math.isfinite(found.total) and all(np.isfinite(g).all() for g in found.gradients.values())):
        raise diagnose(
            plan.program, plan.parameters, plan.statistics, batch, plan.seed, plan.step_number, rate
        )
    gradients = callbacks.on_gradients(plan.step_number, found.gradients)
    plan.apply(gradients, rate, found.state)
    return add_totals(totals, found.totals)
