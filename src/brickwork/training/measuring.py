"""Evaluation and prediction, and how what is reached meanwhile is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from ..data.source import ArraySource, Batch
from ..engines.base import Plan, Totals
from ..structs import struct
from .callback import overrides
from .callbacks import CallbackList
from .feeds import BatchFeed

_REPORT_SECONDS = 0.1


class Reporter:
    """Hands running results to the callbacks at most every tenth of a second."""

    def __init__(
        self,
        callbacks: CallbackList,
        results: Callable[[Totals], dict[str, float]],
        offer: Callable[[], None] = lambda: None,
    ) -> None:
        self._callbacks = callbacks
        self._results = results
        self._offer = offer
        self._last = time.perf_counter()

    def __call__(self, step: int, totals: Totals) -> None:
        """`step` steps are done, with these running sums."""
        now = time.perf_counter()
        if now - self._last >= _REPORT_SECONDS:
            self._last = now
            self._callbacks.on_progress(step, self._results(totals) if totals else {})
            self._offer()


@struct()
class Evaluation:
    """Data to measure loss and metrics on, in inference mode; `report` shows progress while it runs."""

    plan: Plan
    data: ArraySource | BatchFeed
    batch_size: int = 0
    report: bool = False

    def run(self, callbacks: CallbackList) -> dict[str, float]:
        """The means over the data."""
        callbacks.on_test_begin()
        batchwise = any_overrides(callbacks, ("on_test_batch_begin", "on_test_batch_end"))
        if isinstance(self.data, ArraySource) and not batchwise:
            report = Reporter(callbacks, self.plan.program.results) if self.report else None
            logs = self.plan.evaluate(self.data, self.batch_size, report)
        else:
            logs = self._batches(callbacks, batchwise)
        callbacks.on_test_end(logs)
        return logs

    def _batches(self, callbacks: CallbackList, batchwise: bool) -> dict[str, float]:
        plan, data = self.plan, self.data
        report = Reporter(callbacks, plan.program.results)
        totals = plan.program.start()
        batches = data.epoch() if isinstance(data, BatchFeed) else in_batches(data, self.batch_size)
        for index, batch in enumerate(batches):
            if batchwise:
                callbacks.on_test_batch_begin(index)
            totals = plan.evaluate_batch(batch, totals)
            if batchwise:
                callbacks.on_test_batch_end(index, plan.program.results(totals))
            if self.report:
                report(index + 1, totals)
        return plan.program.results(totals)


def evaluation(
    plan: Plan, data: ArraySource | BatchFeed, batch_size: int, steps: int | None, *, report: bool = False
) -> Evaluation:
    """An Evaluation on all of the data, or on the first `steps` batches."""
    return Evaluation(plan, shortened(data, batch_size, steps), batch_size, report)


def shortened(data: ArraySource | BatchFeed, batch_size: int, steps: int | None) -> ArraySource | BatchFeed:
    """The first `steps` batches of data; each time the same ones, where it can be gone through again."""
    if steps is None:
        return data
    if isinstance(data, ArraySource):
        return data.slice(0, steps * batch_size)
    return replace(data, steps_per_epoch=steps, from_start=True)


@struct()
class Prediction:
    """Data to predict."""

    plan: Plan
    data: ArraySource | BatchFeed
    batch_size: int = 0

    def run(self, callbacks: CallbackList) -> tuple[Array, ...]:
        """The outputs for all rows."""
        callbacks.on_predict_begin()
        batchwise = any_overrides(callbacks, ("on_predict_batch_begin", "on_predict_batch_end"))
        if isinstance(self.data, ArraySource) and not batchwise:
            report = Reporter(callbacks, self.plan.program.results)
            outputs = self.plan.predict(self.data, self.batch_size, report)
        else:
            outputs = self._batches(callbacks)
        callbacks.on_predict_end()
        return outputs

    def _batches(self, callbacks: CallbackList) -> tuple[Array, ...]:
        data = self.data
        report = Reporter(callbacks, self.plan.program.results)
        batches = data.epoch() if isinstance(data, BatchFeed) else in_batches(data, self.batch_size)
        parts = []
        for index, batch in enumerate(batches):
            callbacks.on_predict_batch_begin(index)
            parts.append(self._outputs(index, batch))
            callbacks.on_predict_batch_end(index, {"outputs": parts[-1]})
            report(index + 1, {})
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def _outputs(self, index: int, batch: Batch) -> tuple[Array, ...]:
        return self.plan.predict_batch(batch)


class Samples(NamedTuple):
    """What `predict(x, samples=…)` gives, each in the form that `predict(x)` has.

    Gal and Ghahramani, "Dropout as a Bayesian Approximation: Representing Model Uncertainty in Deep
    Learning", 2016.
    """

    mean: Any
    """Over the samples."""
    std: Any
    """Their standard deviation, with the number of samples as divisor."""


@struct()
class Sampling(Prediction):
    """Data to predict some times over, each time with other noise: means, then standard deviations."""

    samples: int = 1

    def run(self, callbacks: CallbackList) -> tuple[Array, ...]:
        """Those of all rows."""
        callbacks.on_predict_begin()
        outputs = self._batches(callbacks)
        callbacks.on_predict_end()
        return outputs

    def _outputs(self, index: int, batch: Batch) -> tuple[Array, ...]:
        """In one sweep, in float64 (Welford, 1962); each batch has draws of its own."""
        first = self.plan.predict_batch(batch, draw=index * self.samples)
        means = [np.asarray(y, np.float64) for y in first]
        squares = [np.zeros_like(mean) for mean in means]
        for sample in range(1, self.samples):
            drawn = self.plan.predict_batch(batch, draw=index * self.samples + sample)
            for place, y in enumerate(drawn):
                apart = y - means[place]
                means[place] = means[place] + apart / (sample + 1)
                squares[place] = squares[place] + apart * (y - means[place])
        spreads = [np.sqrt(each / self.samples) for each in squares]
        return tuple(made.astype(y.dtype) for made, y in zip(means + spreads, first + first, strict=True))


def in_batches(source: ArraySource, batch_size: int) -> Iterator[Batch]:
    """All rows, batch by batch, in their order."""
    for start in range(0, len(source), batch_size):
        yield source.gather(slice(start, start + batch_size))


def steps_of(data: ArraySource | BatchFeed, batch_size: int) -> int | None:
    """How many batches there are, where known."""
    return data.steps if isinstance(data, BatchFeed) else -(-len(data) // batch_size)


def any_overrides(callbacks: CallbackList, names: tuple[str, ...]) -> bool:
    """Whether one of the callbacks has one of these methods."""
    return any(overrides(callback, name) for callback in callbacks for name in names)
