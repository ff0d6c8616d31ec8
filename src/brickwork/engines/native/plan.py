"""The plan of the native engine: a program lowered to instructions, run by C++ for whole epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...data.rows import LazyRows
from ...data.source import ArraySource, Batch
from ...threads import get_threads
from ..base import Gradients, Program, Report, Totals, require_gradients
from ..diagnosis import diagnose
from ..interrupts import uninterrupted, write
from ..text_plan import TextPlan
from .layout import Layout
from .measures import Measures
from .passes import Pass, make_layout
from .rules import NativeRule, rule_of
from .schedule import updated
from .values import Place

_SECONDS = 0.1
"""Time after which the C++ side comes back, so that progress can be shown and signals be heard."""

_PASSES = 16
"""Passes that are kept: each has buffers of its own, and batches may come in any number of sizes."""

_NOT_FINITE = 1
"""Status of a step that met a number that is not finite; 0 is success."""

_KINDS = {
    np.dtype(name): code
    for code, name in enumerate(
        (
            "float32",
            "float64",
            "uint8",
            "int8",
            "uint16",
            "int16",
            "uint32",
            "int32",
            "uint64",
            "int64",
            "float16",
        )
    )
} | {np.dtype(bool): 2}


class NativePlan(TextPlan):
    """A program in float32 on the threads of this machine.

    The numbers live in packed form on the native side while it computes; they are brought over before, and
    back after, each call, so that `parameters`, `statistics` and `slots` are the truth between calls.
    """

    def __init__(
        self,
        native: Any,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> None:
        super().__init__(program, parameters, statistics, seed)
        self._native = native
        self._rule = rule_of(program)
        trainable = {key: self.parameters[key] for key in program.trainable}
        self.slots = program.optimizer.slots(trainable) if program.optimizer else {}
        self._layout: Layout = make_layout(native, program)
        self._store = native.Store(
            self._layout.parameters,
            self._layout.transposed,
            self._layout.statistic_count,
            len(self._native_slots),
        )
        self._passes: dict[tuple[str, int, int], Pass] = {}
        self._moved = self._frozen = False
        self._brought: set[Pass] = set()
        self._prepared: dict[tuple[str, int], tuple[Pass, Batch, list[Array], tuple[Any, ...]]] = {}

    # -- passes, made when they are first needed ----------------------------------------------------

    def _pass(self, kind: str, rows: int) -> Pass:
        threads = get_threads()
        key = (kind, rows, threads)
        if key in self._passes:
            self._passes[key] = self._passes.pop(key)  # the one that was used last stands last
        else:
            while len(self._passes) >= _PASSES:
                del self._passes[next(iter(self._passes))]
            self._passes[key] = Pass(
                self._native,
                self._store,
                self._layout,
                self.program,
                kind,
                rows,
                threads,
                self._rule,
                self,
            )
        return self._passes[key]

    def table(self, rows: int, *, training: bool) -> str:
        """The instructions of a training step, or of a prediction, on `rows` rows, as a table to read."""
        from .table import table

        return table(self._pass("train" if training else "predict", rows))

    # -- numbers over and back ------------------------------------------------------------------------

    def _bring(self, made: Pass) -> None:
        """What the models hold, to the native side."""
        if made in self._brought:
            return
        if self._frozen:
            self._brought.add(made)
        self._bring_numbers()
        made.native.refresh(made.threads)

    def _bring_numbers(self) -> None:
        layout, store = self._layout, self._store
        layout.write(self._native, store.parameters, self.parameters)
        for index, arrays in enumerate(self._native_slots):
            layout.write(self._native, store.slot(index), arrays)
        for key, array in self.statistics.items():
            if key in layout.statistics:
                self.numbers(layout.statistics[key], array.shape)[...] = array

    @property
    def _native_slots(self) -> list[dict[str, Array]]:
        """What the native side remembers of each parameter; the optimizer's text has its slots here alone."""
        return [] if self._rule is None else list(self.slots.values())

    def _fetch(self) -> None:
        """What training changed, back into the arrays that the models hold."""
        layout, store = self._layout, self._store
        layout.read(
            self._native, store.parameters, {key: self.parameters[key] for key in self.program.trainable}
        )
        for index, arrays in enumerate(self._native_slots):
            layout.read(self._native, store.slot(index), arrays)
        for key, array in self.statistics.items():
            if key in layout.statistics:
                array[...] = self.numbers(layout.statistics[key], array.shape)

    def freeze(self) -> None:
        """See Plan."""
        self._frozen = True

    def settle(self) -> None:
        """See Plan."""
        if self._moved:
            self._fetch()

    def numbers(self, place: Place, shape: tuple[int, ...]) -> Array:
        """A statistic on the native side."""
        flat = self._store.statistics[place.offset : place.offset + place.size]
        return flat.reshape(shape)

    def parameter(self, key: str, shape: tuple[int, ...]) -> Array:
        """A parameter on the native side, for a brick that is called back."""
        if key in self._layout.plain:
            place = self._layout.plain[key]
            return self._store.parameters[place.offset : place.offset + place.size].reshape(shape)
        made = np.empty(shape, np.float32)
        self._layout.read(self._native, self._store.parameters, {key: made})
        return made

    def put_gradient(self, key: str, gradient: Array, accumulate: bool) -> None:
        """A parameter's gradient from a brick that is called back."""
        if accumulate:
            held = np.empty(np.shape(gradient), np.float32)
            self._layout.read(self._native, self._store.gradients, {key: held})
            gradient = held + gradient
        self._layout.write(self._native, self._store.gradients, {key: gradient})

    # -- the protocol ---------------------------------------------------------------------------------

    def gradients(self, batch: Batch, *, training: bool = True) -> Gradients:
        """See Plan."""
        rows = _rows_of(batch)
        made = self._pass("train" if training else "frozen", max(rows, self.batch_rows))
        self._bring(made)
        measures = Measures(made, self.program)
        sums = measures.numbers
        sources = made.sources(batch)
        energy = made.run(
            made.native.gradients,
            *(sources, None, 0, rows, self.seed, self.step_number, training, made.threads, sums),
        )
        trainable = {key: np.zeros_like(self.parameters[key]) for key in self.program.trainable}
        self._layout.read(
            self._native, self._store.gradients, {k: v for k, v in trainable.items() if made.reaches(k)}
        )
        own = {key: self.parameters[key] for key in trainable}
        gradients = self.program.with_penalties(trainable, own)
        state = dict(self.statistics)
        for key, place in made.next_statistics.items():
            state[key] = np.array(self.numbers(place, self.statistics[key].shape))
        energy += made.penalties_left(self.parameters)
        losses = made.losses(sums, rows)
        return Gradients(float(energy), losses, gradients, state, measures.totals(float(energy), rows))

    def apply(
        self, gradients: Mapping[str, Array], rate: float, statistics: Mapping[str, Array] | None = None
    ) -> None:
        """See Plan."""
        trainable = {key: self.parameters[key] for key in self.program.trainable}
        require_gradients(gradients, trainable)
        if self._rule is None or not self._apply_natively(self._rule, gradients, rate, statistics):
            super().apply(gradients, rate, statistics)

    def _apply_natively(
        self,
        rule: NativeRule,
        gradients: Mapping[str, Array],
        rate: float,
        statistics: Mapping[str, Array] | None,
    ) -> bool:
        """The update as a step makes it. False, with nothing changed, where it would not be finite."""
        space = np.zeros(self._layout.parameters, np.float32)
        self._layout.write(self._native, space, gradients)
        header, numbers = rule.told(self.step_number, [rate])
        runs = updated(self._layout, rule.updates({}))
        with uninterrupted():
            self._bring_numbers()
            done = self._native.update(self._store, space, header, numbers, runs)
            if done:
                self._fetch()
                write(self.statistics, statistics or {})
                self.step_number += 1
        return bool(done)

    def step(self, batch: Batch, rate: float, totals: Totals | None = None) -> Totals:
        """See Plan."""
        if self._rule is None:
            return super().step(batch, rate, totals)
        before = self.program.start() if totals is None else totals
        rows = _rows_of(batch)
        made = self._pass("train", max(rows, self.batch_rows))
        measures = Measures(made, self.program, before)
        sources, rates = made.sources(batch), np.array([rate])
        told = self._rule.told(self.step_number, rates)
        done = 0
        while not done:  # a step that Ctrl-C cut short, where whoever answered it let the training go on
            with uninterrupted():
                self._bring(made)
                done = self._train(made, measures, sources, None, rows, rows, 0, rates, told, lambda: batch)
                self._fetch()
        return self.totals

    def _train(
        self,
        made: Pass,
        measures: Measures,
        sources: list[tuple[int, int, int, int]],
        order: Array | None,
        total: int,
        batch_size: int,
        start: int,
        rates: Array,
        told: tuple[tuple[Any, ...], Array],
        failed: Callable[[], Batch],
    ) -> int:
        """Steps from `start` on, until the time is up. Gives how many were done.

        Called while Ctrl-C is held back: a step in flight is given up when it comes, those before it stay.
        """
        first = self.step_number - start
        measures.begin(first)
        status, done = made.native.train(
            sources,
            order,
            total,
            batch_size,
            start,
            len(rates),
            *told,
            self.seed,
            first,
            made.threads,
            measures.numbers,
            _SECONDS,
        )
        measures.finish(self.step_number + done)
        self.step_number += done
        self.totals = measures.totals()
        if status:
            self._fetch()
            made.native.raise_pending()
        if status == _NOT_FINITE:
            raise diagnose(
                self.program,
                self.parameters,
                self.statistics,
                failed(),
                self.seed,
                self.step_number,
                float(rates[start + done]),
            )
        return int(done)

    def epoch(
        self,
        source: ArraySource,
        order: Array,
        rates: Sequence[float],
        first_step: int,
        *,
        batch_size: int,
        report: Report | None = None,
        start: int = 0,
        totals: Totals | None = None,
    ) -> dict[str, float]:
        """See Plan; the C++ side runs until a tenth of a second has passed, then reports."""
        if self._rule is None:
            return super().epoch(
                source,
                order,
                rates,
                first_step,
                batch_size=batch_size,
                report=report,
                start=start,
                totals=totals,
            )
        made = self._pass("train", batch_size)
        self.step_number = first_step + start
        self.totals = totals or self.program.start()
        measures = Measures(made, self.program, self.totals)
        every = np.ascontiguousarray(rates, np.float64)
        told = self._rule.told(first_step, every)
        rows = np.ascontiguousarray(order, np.int64)
        sources = _described(source, made)
        self._bring(made)
        self._moved = True
        done = start
        try:
            while done < len(every):
                if sources is None:
                    batch = _gathered(source, rows, done, batch_size)
                    header, lines = told
                    line = header, (lines[done : done + 1] if len(lines) > 1 else lines)
                    done += self._train_gathered(made, measures, batch, every[done : done + 1], line)
                else:
                    with uninterrupted():
                        done += self._train(
                            *(made, measures, sources, rows, len(rows), batch_size, done, every, told),
                            lambda: _gathered(source, rows, self.step_number - first_step, batch_size),
                        )
                if report is not None:
                    report(done, self.totals)
        finally:
            with uninterrupted():
                self._fetch()
                self._moved = False
        return self.program.results(self.totals)

    def _train_gathered(
        self,
        made: Pass,
        measures: Measures,
        batch: Batch,
        rates: Array,
        told: tuple[tuple[Any, ...], Array],
    ) -> int:
        """One step on rows that the native side cannot read where they lie."""
        count, sources = _rows_of(batch), made.sources(batch)
        with uninterrupted():
            return self._train(made, measures, sources, None, count, count, 0, rates, told, lambda: batch)

    def evaluate_batch(self, batch: Batch, totals: Totals) -> Totals:
        """See Plan."""
        rows = _rows_of(batch)
        made = self._pass("evaluate", rows)
        self._bring(made)
        measures = Measures(made, self.program, totals)
        measures.begin(0)
        sources = made.sources(batch)
        made.run(made.native.forward, sources, 0, rows, rows, made.threads, measures.numbers, [], 1e9)
        measures.finish(1)
        return measures.totals(extra=made.penalties_left(self.parameters) * rows)

    def evaluate(
        self, source: ArraySource, batch_size: int, report: Report | None = None
    ) -> dict[str, float]:
        """See Plan."""
        rows = max(1, min(batch_size, len(source)))
        made = self._pass("evaluate", rows)
        sources = _described(source, made)
        if sources is None or measured_by_text(made):
            return super().evaluate(source, batch_size, report)
        self._bring(made)
        measures = Measures(made, self.program)
        extra = made.penalties_left(self.parameters)
        done = 0
        while done < len(source):
            numbers = measures.numbers
            done += made.run(
                made.native.forward,
                *(sources, done, len(source), rows, made.threads, numbers, [], _SECONDS),
            )
            if report is not None:
                report(-(-done // batch_size), measures.totals(extra=extra * done))
        return self.program.results(measures.totals(extra=extra * done))

    def predict_batch(self, batch: Batch, draw: int | None = None) -> tuple[Array, ...]:
        """See Plan."""
        rows = _rows_of(batch)
        if self._frozen:
            return self._predict_again(batch, rows, draw)
        made = self._pass("predict" if draw is None else "sample", rows)
        self._bring(made)
        outputs = made.outputs(rows)
        sources, to = made.sources(batch), made.addresses(outputs)
        noise = self._noise(draw)
        made.run(made.native.forward, sources, 0, rows, rows, made.threads, np.zeros(0), to, 1e9, *noise)
        return tuple(outputs)

    def _noise(self, draw: int | None) -> tuple[int, int, bool]:
        """Seed, step, and whether noise is at work."""
        return self.seed, draw or 0, draw is not None

    def _predict_again(self, batch: Batch, rows: int, draw: int | None) -> tuple[Array, ...]:
        """Through arrays whose addresses were told once: telling takes as long as a small network."""
        kind = "predict" if draw is None else "sample"
        if (kind, rows) not in self._prepared:
            made = self._pass(kind, rows)
            self._bring(made)
            inputs = {name: np.array(batch[name]) for name in made.inputs}
            outputs = made.outputs(rows)
            told = (
                made.sources(inputs),
                0,
                rows,
                rows,
                made.threads,
                np.zeros(0),
                made.addresses(outputs),
                1e9,
            )
            self._prepared[kind, rows] = (made, inputs, outputs, told)
        made, inputs, outputs, told = self._prepared[kind, rows]
        for name, array in inputs.items():
            array[...] = batch[name]
        made.run(made.native.forward, *told, *self._noise(draw))
        return tuple([array.copy() for array in outputs])

    def predict(
        self, source: ArraySource, batch_size: int, report: Report | None = None
    ) -> tuple[Array, ...]:
        """See Plan."""
        rows = max(1, min(batch_size, len(source)))
        made = self._pass("predict", rows)
        sources = _described(source, made)
        if sources is None:
            return super().predict(source, batch_size, report)
        self._bring(made)
        outputs = made.outputs(len(source))
        done = 0
        while done < len(source):
            to = made.addresses([array[done:] for array in outputs])
            done += made.run(
                made.native.forward,
                *(sources, done, len(source), rows, made.threads, np.zeros(0), to, _SECONDS),
            )
            if report is not None:
                report(-(-done // batch_size), {})
        return tuple(outputs)


def measured_by_text(made: Pass) -> bool:
    """Whether a metric of the pass has no native form."""
    return bool(made.text_metrics)


def _gathered(source: ArraySource, order: Array, step: int, batch_size: int) -> Batch:
    """The rows of a step of a pass."""
    return source.gather(order[step * batch_size : (step + 1) * batch_size])


def _rows_of(batch: Batch) -> int:
    return int(next(iter(batch.values())).shape[0])


def _described(source: ArraySource, made: Pass) -> list[tuple[int, int, int, int]] | None:
    """(address, bytes from row to row, numbers of a row, kind) of each array; None: it must be gathered."""
    found = []
    for name in made.inputs:
        array = source.arrays.get(name)
        size = made.sizes[name]
        if array is None:
            found.append((0, 0, size, 0))
            continue
        if isinstance(array, LazyRows) or not isinstance(array, np.ndarray) or array.dtype not in _KINDS:
            return None
        row = array[:1]
        if not row.flags.c_contiguous or not array.dtype.isnative:
            return None
        found.append((array.__array_interface__["data"][0], array.strides[0], size, _KINDS[array.dtype]))
    return found
