"""The training loop: epochs, steps, validation, callbacks. Engines do the work inside an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data.source import Batch
from ..engines.base import Plan, Totals, add_totals, all_finite
from ..engines.diagnosis import diagnose
from ..engines.interrupts import uninterrupted
from ..structs import struct
from .callbacks import CallbackList
from .feeds import ArrayFeed, BatchFeed, Feed
from .measuring import Evaluation, Reporter, any_overrides
from .resuming import Moment, Position, Resumed
from .undoing import EPOCH_BEGIN, EPOCH_END, NOTHING, STEP_BEGIN, STEP_END, Mark, Memory, Undo


@struct()
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
        self._reached: Mark | None = None
        self._undo = Undo(model, callbacks) if any_overrides(callbacks, ("commit",)) else None
        callbacks.on_train_begin()
        if not begin.begun:
            self._commit(begin)
        try:
            logs = self._epochs(begin)
        except KeyboardInterrupt:
            with uninterrupted():
                self._commit_reached()
            raise
        if logs or self.resumed is not None:  # where nothing was trained, the weights stay as they are
            self.plan.finish()
        callbacks.on_train_end(logs)

    def _epochs(self, begin: Position) -> dict[str, float]:
        model, plan, callbacks = self.model, self.plan, self.callbacks
        logs: dict[str, float] = {}
        for epoch in range(begin.epoch, 0 if begin.stopped and not begin.begun else self.epochs):
            start = begin if epoch == begin.epoch else Position(epoch)
            plan.totals = start.totals or plan.program.start()
            self._epoch_number, self._first = epoch, plan.step_number - start.step
            self._told, self._begun = start.step - start.due, start.begun
            self._mark(EPOCH_BEGIN)
            callbacks.on_epoch_begin(epoch)
            if start.begun and self.resumed is not None:
                self.resumed.again(model, callbacks)
            self._begun = True
            self._mark(NOTHING)
            self._finish_step()
            logs = self._epoch(epoch, start)
            self._mark(EPOCH_END)
            if self.validation is not None and validates(epoch, self.validation_freq):
                found = self.validation.run(callbacks)
                logs.update({f"val_{name}": value for name, value in found.items()})
            callbacks.on_epoch_end(epoch, logs)
            self._epoch_number, self._first = epoch + 1, plan.step_number
            self._told, self._begun = 0, False
            self._mark(NOTHING)
            self._commit(Position(epoch + 1, 0, self._zero, stopped=model.stop_training))
            if model.stop_training:
                break
        return logs

    def _commit(self, position: Position, memory: Memory | None = None, *, must: bool = True) -> None:
        moment = Moment(self.model, self.plan, self.callbacks, position, facts(self.feed), memory or Memory())
        self.callbacks.commit(moment, must=must)

    def _mark(self, hooks: tuple[str, ...]) -> None:
        """Before calls of these methods, which happen again where Ctrl-C comes in between."""
        if self._undo is not None:
            self._reached = self._undo.mark(
                hooks,
                epoch=self._epoch_number,
                first=self._first,
                step=self.plan.step_number,
                told=self._told,
                begun=self._begun,
            )

    def _commit_reached(self) -> None:
        """Keep the last step that is done; calls of callbacks that are under way have not happened."""
        plan, mark = self.plan, self._reached
        if mark is None or self._undo is None:
            return
        plan.settle()
        memory = None
        if plan.step_number == mark.step:  # else the step is done, and with it the calls before it
            self._undo.back(mark)
            memory = mark.memory
        step = plan.step_number - mark.first
        due = self.callbacks.needs_steps and mark.told < step
        totals = plan.totals if step else {}
        stopped = self.model.stop_training
        self._commit(Position(mark.epoch, step, self._zero, totals, stopped, mark.begun, due), memory)

    def _position(self, epoch: int) -> Position:
        self.plan.settle()
        plan, stopped = self.plan, self.model.stop_training
        step = plan.step_number - self._first
        return Position(epoch, step, self._zero, plan.totals, stopped, begun=True)

    def _epoch(self, epoch: int, start: Position) -> dict[str, float]:
        plan, feed = self.plan, self.feed
        stepwise = self.callbacks.needs_steps or self.callbacks.needs_gradients
        order = feed.order(epoch) if isinstance(feed, ArrayFeed) and not stepwise else None
        reporter = Reporter(self.callbacks, plan.program.results, lambda: self._offer(epoch))
        if order is None or not isinstance(feed, ArrayFeed):
            plan.batch_rows = feed.batch_size if isinstance(feed, ArrayFeed) else 0
            try:
                return self._steps(feed.epoch(epoch, start.step), reporter, start.step)
            finally:
                plan.batch_rows = 0
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
        plan, callbacks, model = self.plan, self.callbacks, self.model
        totals = plan.totals
        if start and model.stop_training:  # by a step before the interruption
            return plan.program.results(totals)
        for index, batch in enumerate(batches, start):
            self._mark(STEP_BEGIN)
            callbacks.on_train_batch_begin(index)
            rate = model.optimizer.rate(plan.step_number)
            totals = step_with_callbacks(plan, batch, rate, totals, callbacks)
            self._finish_step()
            report(index + 1, totals)
            if model.stop_training:
                break
        return plan.program.results(totals)

    def _finish_step(self) -> None:
        """Tell the callbacks of a step that is done."""
        done = self.plan.step_number - self._first
        if self.callbacks.needs_steps and self._told < done:
            self._mark(STEP_END)
            self.callbacks.on_train_batch_end(done - 1, self.plan.program.results(self.plan.totals))
        self._told = done
        self._mark(NOTHING)


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
