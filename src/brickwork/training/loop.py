"""The training loop: epochs, steps, validation, callbacks. Engines do the work inside an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Array
from ..data.source import ArraySource, Batch
from ..engines.base import Plan, Totals, add_totals, all_finite
from ..engines.diagnosis import diagnose
from ..engines.interrupts import uninterrupted
from .callback import overrides
from .callbacks import CallbackList
from .feeds import ArrayFeed, BatchFeed, Feed
from .resuming import Moment, Position, Resumed

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


@dataclass
class Fit:
    """One call of `fit`, made ready."""

    model: Any
    plan: Plan
    feed: Feed
    epochs: int
    initial_epoch: int
    callbacks: CallbackList
    validation: Evaluation | None = None
    validation_freq: int | tuple[int, ...] = 1
    resumed: Resumed | None = None

    def run(self) -> None:
        """All epochs, or as many as the callbacks let run."""
        self.model.stop_training = False
        try:
            self._run()
        finally:
            self.callbacks.close()

    def _run(self) -> None:
        model, callbacks, feed = self.model, self.callbacks, self.feed
        if self.resumed is None:
            self._zero = feed.first_step if isinstance(feed, ArrayFeed) else self.plan.step_number
            begin = Position(self.initial_epoch, 0, self._zero)
        else:
            begin = self.resumed.position
            self._zero = begin.first_step
            self.resumed.into_callbacks(callbacks)
            if isinstance(feed, BatchFeed):
                feed.skip(begin.epoch * (feed.steps_per_epoch or 0))
        callbacks.on_train_begin()
        logs: dict[str, float] = {}
        if begin.step == 0:
            self._commit(begin)
        for epoch in range(begin.epoch, 0 if begin.stopped else self.epochs):
            start = begin if epoch == begin.epoch else Position(epoch)
            with uninterrupted():  # so that no callback is left half-way, and those behind it behind
                callbacks.on_epoch_begin(epoch)
                if start.step and self.resumed is not None:
                    self.resumed.again(model, callbacks)
            self._first, self._told = self.plan.step_number - start.step, start.step
            self.plan.totals = start.totals or self.plan.program.start()
            try:
                logs = self._epoch(epoch, start)
                if self.validation is not None and validates(epoch, self.validation_freq):
                    found = self.validation.run(callbacks)
                    logs.update({f"val_{name}": value for name, value in found.items()})
            except KeyboardInterrupt:
                with uninterrupted():
                    self._finish_step()
                    self._commit(self._position(epoch))
                raise
            with uninterrupted():
                callbacks.on_epoch_end(epoch, logs)
                self._commit(Position(epoch + 1, 0, self._zero, stopped=model.stop_training))
            if model.stop_training:
                break
        callbacks.on_train_end(logs)

    def _commit(self, position: Position, *, must: bool = True) -> None:
        moment = Moment(self.model, self.plan, self.callbacks, position, facts(self.feed))
        self.callbacks.commit(moment, must=must)

    def _position(self, epoch: int) -> Position:
        self.plan.settle()
        return Position(
            epoch, self.plan.step_number - self._first, self._zero, self.plan.totals, self.model.stop_training
        )

    def _epoch(self, epoch: int, start: Position) -> dict[str, float]:
        plan, feed = self.plan, self.feed
        stepwise = self.callbacks.needs_steps or self.callbacks.needs_gradients
        order = feed.order(epoch) if isinstance(feed, ArrayFeed) and not stepwise else None
        reporter = Reporter(self.callbacks, plan.program.results, lambda: self._offer(epoch))
        if order is None or not isinstance(feed, ArrayFeed):
            return self._steps(feed.epoch(epoch, start.step), reporter, start.step)
        return plan.epoch(
            feed.source,
            order,
            self.model.optimizer.rates(self._first, feed.steps),
            self._first,
            batch_size=feed.batch_size,
            report=reporter,
            start=start.step,
            totals=plan.totals,
        )

    def _offer(self, epoch: int) -> None:
        """Let the callbacks keep this moment, if they find it worth while."""
        self._commit(self._position(epoch), must=False)

    def _steps(self, batches: Iterator[Batch], report: Reporter, start: int) -> dict[str, float]:
        plan, callbacks = self.plan, self.callbacks
        totals = plan.totals
        for index, batch in enumerate(batches, start):
            callbacks.on_train_batch_begin(index)
            rate = self.model.optimizer.rate(plan.step_number)
            totals = step_with_callbacks(plan, batch, rate, totals, callbacks)
            with uninterrupted():
                self._finish_step()
            report(index + 1, totals)
            if self.model.stop_training:
                break
        return plan.program.results(totals)

    def _finish_step(self) -> None:
        """Tell the callbacks of a step that is done; at Ctrl-C they may not know of it yet."""
        done = self.plan.step_number - self._first
        if self.callbacks.needs_steps and self._told < done:
            self._told = done
            self.callbacks.on_train_batch_end(done - 1, self.plan.program.results(self.plan.totals))


def validates(epoch: int, frequency: int | tuple[int, ...]) -> bool:
    """Whether an epoch ends with a validation; users count epochs from 1."""
    return epoch + 1 in frequency if isinstance(frequency, tuple) else (epoch + 1) % frequency == 0


def step_with_callbacks(
    plan: Plan, batch: Batch, rate: float, totals: Totals, callbacks: CallbackList
) -> Totals:
    """One update; where a callback wants the gradients, it sees them between backward and update."""
    if not callbacks.needs_gradients:
        return plan.step(batch, rate, totals)
    found = plan.gradients(batch)
    if not (np.isfinite(found.total) and all(map(all_finite, found.gradients.values()))):
        raise diagnose(
            plan.program, plan.parameters, plan.statistics, batch, plan.seed, plan.step_number, rate
        )
    gradients = callbacks.on_gradients(plan.step_number, found.gradients)
    return plan.advance(gradients, rate, found.state, add_totals(totals, found.totals))


def facts(feed: Feed) -> dict[str, Any]:
    """What decides which rows are in which batch, but for the rows themselves."""
    if isinstance(feed, ArrayFeed):
        return {
            "rows": len(feed.source),
            "batch_size": feed.batch_size,
            "shuffle": feed.shuffle,
            "steps_per_epoch": feed.steps_per_epoch,
        }
    return {"rows": None, "steps_per_epoch": feed.steps_per_epoch}


@dataclass
class Evaluation:
    """Data to measure loss and metrics on, in inference mode; `report` shows progress while it runs."""

    plan: Plan
    data: ArraySource | BatchFeed
    batch_size: int = 0
    report: bool = False

    def run(self, callbacks: CallbackList) -> dict[str, float]:
        """The means over the data."""
        callbacks.on_test_begin()
        batchwise = _any_overrides(callbacks, ("on_test_batch_begin", "on_test_batch_end"))
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


@dataclass
class Prediction:
    """Data to predict."""

    plan: Plan
    data: ArraySource | BatchFeed
    batch_size: int = 0

    def run(self, callbacks: CallbackList) -> tuple[Array, ...]:
        """The outputs for all rows."""
        callbacks.on_predict_begin()
        batchwise = _any_overrides(callbacks, ("on_predict_batch_begin", "on_predict_batch_end"))
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
            parts.append(self.plan.predict_batch(batch))
            callbacks.on_predict_batch_end(index, {"outputs": parts[-1]})
            report(index + 1, {})
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def in_batches(source: ArraySource, batch_size: int) -> Iterator[Batch]:
    """All rows, batch by batch, in their order."""
    for start in range(0, len(source), batch_size):
        yield source.gather(slice(start, start + batch_size))


def steps_of(data: ArraySource | BatchFeed, batch_size: int) -> int | None:
    """How many batches there are, where known."""
    return data.steps if isinstance(data, BatchFeed) else -(-len(data) // batch_size)


def _any_overrides(callbacks: CallbackList, names: tuple[str, ...]) -> bool:
    return any(overrides(callback, name) for callback in callbacks for name in names)
