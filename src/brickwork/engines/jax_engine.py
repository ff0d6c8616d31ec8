"""The JAX engine: the same graph traced once and compiled, a step or a whole epoch at a time.

The models' NumPy arrays stay the truth: they are copied in before a step or an epoch and copied out after
it, never shared with the device. Key, step and learning rate are traced, so nothing compiles twice for them;
so are other settings of the optimizer that follow a schedule. What else it has is compiled in, and a last
batch with fewer rows is a second program.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Before JAX is imported: a GPU that others use too is not taken whole.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp

from ..arrays import Array
from ..bricks import Convolution2D
from ..data.source import ArraySource, Batch
from ..errors import ParameterError
from ..graph.graph import Graph
from .base import Gradients, Plan, Program, Report, Totals, add_totals, all_finite, require_gradients
from .diagnosis import diagnose, overflowing_update
from .interrupts import uninterrupted, write
from .searching import require_steps_by_gradients, search_step

_LOOK = 32
"""Steps that are sent to the device before one looks whether all of them were finite."""

_RATE = "learning_rate"

_PROGRAM = 256
"""Steps in one program, at most: between two of them Ctrl-C is heard and a training can be kept."""

Rates = dict[str, Any]
"""The learning rate, and other settings of the optimizer that follow a schedule: of a step, or of many."""

Held = tuple[dict[str, Array], dict[str, Array], dict[str, dict[str, Array]], Totals, Array]
"""What steps pass on: parameters, statistics, slots, running sums, and how many steps were finite."""


class JaxPlan(Plan):
    """A program under `jax.jit`, in the precision of the parameters."""

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> None:
        super().__init__(program, parameters, statistics, seed)
        _require_precision(self.parameters)
        trainable = {key: jnp.array(self.parameters[key]) for key in program.trainable}
        self.slots = program.optimizer.slots(trainable) if program.optimizer else {}
        self._dtype = next((value.dtype for value in parameters.values()), np.dtype(np.float32))
        self._words = jnp.array([seed & 0xFFFFFFFF, seed >> 32], jnp.uint32)
        # XLA compiles convolutions inside a loop many times slower than alone.
        self._scans = not any(isinstance(node.brick, Convolution2D) for node in program.graph.nodes)
        self._differentiate = jax.jit(self._trace_gradients, static_argnames="training")
        self._update = jax.jit(self._trace_update)
        self._advance = jax.jit(self._trace_step)
        self._run = jax.jit(self._trace_epoch, static_argnames="dtypes")
        self._evaluate = jax.jit(self._trace_evaluation)
        self._predict = jax.jit(self._trace_prediction, static_argnames="noisy")
        self._under_way: tuple[Held, int] | None = None

    # -- what is traced: pure functions of their arguments ------------------------------------------

    def _trace_gradients(
        self, params: Any, statistics: Any, batch: Batch, words: Array, step: Array, training: bool
    ) -> Any:
        total, gradients, state, values = self.program.differentiate(
            params, statistics, batch, training=training, key=words, step=step
        )
        losses = {label: values[reference] for label, reference in self.program.losses}
        return total, losses, gradients, state, self.program.update(self._start(), total, values, batch)

    def _trace_update(self, params: Any, gradients: Any, slots: Any, step: Array, rates: Rates) -> Any:
        trainable = {key: params[key] for key in self.program.trainable}
        settings = dict(rates)
        rate = settings.pop(_RATE)
        new, slots = self.program.optimizer.update(trainable, gradients, slots, step + 1, rate, settings)
        return self.program.constrained(new), slots

    def _trace_step(
        self, held: Held, batch: Batch, rate: Rates, words: Array, first: Array, index: Array, end: Any = None
    ) -> Held:
        """One step. One that is not finite changes nothing, nor does any after it, nor one from `end` on."""
        params, statistics, slots, totals, done = held
        step = first + index
        total, _, gradients, state, found = self._trace_gradients(
            params, statistics, batch, words, step, training=True
        )
        new, new_slots = self._trace_update(params, gradients, slots, step, rate)
        after = ({**params, **new}, state, new_slots, add_totals(totals, found), done + 1)
        sound = jnp.isfinite(total) & (done == index)
        if end is not None:
            sound &= index < end
        for array in (*gradients.values(), *new.values()):
            sound &= jnp.isfinite(array).all()
        return jax.tree.map(lambda now, was: jnp.where(sound, now, was).astype(was.dtype), after, held)  # type: ignore[no-any-return]

    def _trace_epoch(
        self,
        held: Held,
        data: dict[str, Array],
        rows: Array,
        rates: Rates,
        words: Array,
        first: Array,
        index: Array,
        end: Array,
        dtypes: tuple[tuple[str, str], ...],
    ) -> Held:
        """The steps from `index` on, one for each line of `rows` (steps, batch), but none from `end` on."""

        def step(held: Held, at: tuple[Array, Rates, Array]) -> tuple[Held, None]:
            rows, rate, index = at
            batch = {
                name: data[name][rows].astype(_known(dtype))
                if name in data
                else jnp.ones(len(rows), _known(dtype))
                for name, dtype in dtypes
            }
            return self._trace_step(held, batch, rate, words, first, index, end), None

        indices = index + jnp.arange(len(rows))
        if len(rows) == 1:
            return step(held, jax.tree.map(lambda each: each[0], (rows, rates, indices)))[0]
        return jax.lax.scan(step, held, (rows, rates, indices))[0]

    def _trace_evaluation(self, params: Any, statistics: Any, batch: Batch) -> Totals:
        program = self.program
        values = program.graph.forward(params, statistics, batch, keep=program.kept, save=False).values
        total = values[program.total] + program.penalty(params)
        return program.update(self._start(), total, values, batch)

    def _trace_prediction(
        self, params: Any, statistics: Any, batch: Batch, words: Array, draw: Array, noisy: bool
    ) -> tuple[Array, ...]:
        graph = self.program.sampler if noisy else self.program.predictor
        keep = frozenset(graph.outputs)
        values = graph.forward(
            params, statistics, batch, training=noisy, key=words, step=draw, keep=keep, save=False
        ).values
        return tuple(values[name] for name in graph.outputs)

    def _start(self) -> Totals:
        return {
            label: tuple(jnp.asarray(number, self._dtype) for number in sums)
            for label, sums in self.program.start().items()
        }

    def _rates(self, rates: Sequence[float], first_step: int, *, single: bool = False) -> Rates:
        """What steps from `first_step` on are given, in the parameters' type."""
        settings = self.program.optimizer.all_settings(first_step, len(rates))
        held = {name: np.asarray(each, self._dtype) for name, each in {_RATE: rates, **settings}.items()}
        return {name: each[0] for name, each in held.items()} if single else held

    # -- in and out ---------------------------------------------------------------------------------

    def _arrays(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """The models' parameters and statistics, copied to the device."""
        return _copied(self.parameters), _copied(self.statistics)

    def _hold(self, start: int = 0, totals: Totals | None = None) -> Held:
        sums = {} if totals is None else jax.tree.map(lambda sum: jnp.asarray(sum, self._dtype), totals)
        slots = jax.tree.map(jnp.array, self.slots)
        return (*self._arrays(), slots, sums or self._start(), jnp.array(start, jnp.int32))

    def _commit(self, held: Held, first_step: int, before: Totals | None = None) -> int:
        """Write back; gives how many steps were done since `first_step`."""
        params, statistics, slots, totals, done = jax.tree.map(np.array, held)
        with uninterrupted():
            write(self.parameters, {key: params[key] for key in self.program.trainable})
            write(self.statistics, statistics)
            self.slots = slots
            self.totals = totals if before is None else add_totals(before, totals)
            self.step_number = first_step + int(done)
        return int(done)

    def settle(self) -> None:
        """See Plan."""
        if self._under_way is not None:
            self._commit(*self._under_way)

    # -- the protocol -------------------------------------------------------------------------------

    def gradients(self, batch: Batch, *, training: bool = True) -> Gradients:
        """See Plan."""
        found = self._differentiate(
            *self._arrays(),
            _door(self.program.graph, batch),
            self._words,
            self.step_number,
            training=training,
        )
        total, losses, gradients, state, totals = jax.tree.map(np.array, found)
        return Gradients(
            float(total),
            {label: float(losses[label]) for label, _ in self.program.losses},
            {key: gradients[key] for key in self.program.trainable},
            state,
            totals,
        )

    def apply(
        self, gradients: Mapping[str, Array], rate: float, statistics: Mapping[str, Array] | None = None
    ) -> None:
        """See Plan."""
        trainable = {key: self.parameters[key] for key in self.program.trainable}
        require_gradients(gradients, trainable)
        require_steps_by_gradients(self.program)
        params, _, slots, *_ = self._hold()
        given = {key: jnp.array(gradients[key], value.dtype) for key, value in trainable.items()}
        rates = self._rates([rate], self.step_number, single=True)
        new, slots = self._update(params, given, slots, self.step_number, rates)
        for key, value in new.items():
            if not all_finite(np.asarray(value)):
                raise overflowing_update(self.step_number, float(rate), key)
        held: Held = ({**params, **new}, _copied(statistics or {}), slots, {}, jnp.array(1))
        self._commit(held, self.step_number)

    def step(self, batch: Batch, rate: float, totals: Totals | None = None) -> Totals:
        """See Plan."""
        if self.program.optimizer.whole_data:
            return search_step(self, batch, rate, totals)
        batch_in = _door(self.program.graph, batch)
        rates = self._rates([rate], self.step_number, single=True)
        held = self._advance(self._hold(), batch_in, rates, self._words, self.step_number, 0)
        before = self.program.start() if totals is None else totals
        if not self._commit(held, self.step_number, before):
            raise self._diagnosis(batch, rate)
        return self.totals

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
        """See Plan. Arrays in memory go to the device once, in their own dtype, and without convolutions up
        to `_PROGRAM` full batches are one program, after which `report` is called; other data are gathered
        step by step. Where programs begin does not depend on `start`: other programs may round otherwise."""
        in_memory = all(array is None or type(array) is np.ndarray for array in source.arrays.values())
        if not in_memory or self.program.optimizer.whole_data:
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
        self.step_number, self.totals = first_step + start, totals or self.program.start()
        data = {name: jnp.array(array) for name, array in source.arrays.items() if array is not None}
        dtypes = tuple(source.dtypes.items())
        held, index = self._hold(start, totals), start
        full = min(len(rates), len(order) // batch_size)
        length = _length(full) if self._scans else 1
        every = self._rates(rates, first_step)
        looked = start
        try:
            while index < len(rates):
                if index - looked >= _LOOK:
                    looked = index
                    if int(held[4]) < index:
                        break
                count = length if index < full and index % length == 0 else 1
                end = min(index + count, full) if count > 1 else index + 1
                rows, rate = _lines(order, every, index, end, count, batch_size)
                held = self._run(held, data, rows, rate, self._words, first_step, index, end, dtypes=dtypes)
                index = end
                self._under_way = held, first_step
                if report is not None:
                    report(index, held[3])
        finally:
            self._under_way = None
            done = self._commit(held, first_step)
        if done < len(rates):
            rows = order[done * batch_size : (done + 1) * batch_size]
            raise self._diagnosis(source.gather(rows), float(rates[done]))
        return self.program.results(jax.tree.map(np.array, held[3]))

    def evaluate_batch(self, batch: Batch, totals: Totals) -> Totals:
        """See Plan."""
        found = self._evaluate(*self._arrays(), _door(self.program.graph, batch))
        return add_totals(totals, jax.tree.map(np.array, found))

    def predict_batch(self, batch: Batch, draw: int | None = None) -> tuple[Array, ...]:
        """See Plan."""
        batch_in = _door(self.program.predictor, batch)
        found = self._predict(*self._arrays(), batch_in, self._words, draw or 0, noisy=draw is not None)
        return tuple(np.array(output) for output in found)

    def _diagnosis(self, batch: Batch, rate: float) -> Exception:
        return diagnose(
            self.program, self.parameters, self.statistics, batch, self.seed, self.step_number, rate
        )


class JaxEngine:
    """Plans that run on JAX, wherever it finds a device."""

    name = "jax"

    def plan(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> JaxPlan:
        """A plan that works on these arrays."""
        return JaxPlan(program, parameters, statistics, seed)


def _length(full: int) -> int:
    """Of programs as long as each other, and as few as can be, for so many steps."""
    return math.ceil(full / math.ceil(full / _PROGRAM)) if full else 1


def _lines(
    order: Array, rates: Rates, index: int, end: int, count: int, batch_size: int
) -> tuple[Array, Rates]:
    """Rows (count, batch) and rates (count,) of the steps from `index` to `end`; behind them any others."""
    rows = np.zeros((count, min(batch_size, len(order) - index * batch_size)), np.asarray(order).dtype)
    rows[: end - index] = np.reshape(order[index * batch_size : end * batch_size], (end - index, -1))
    lines = {}
    for name, each in rates.items():
        lines[name] = np.zeros(count, each.dtype)
        lines[name][: end - index] = each[index:end]
    return rows, lines


def _copied(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Copies on the device; JAX may share the memory of what it is given by `asarray`."""
    return {key: jnp.array(value) for key, value in arrays.items()}


def _door(graph: Graph, batch: Batch) -> Batch:
    """The arrays that the graph reads, in its dtypes: another dtype would compile another program."""
    return {
        name: jnp.array(batch[name], _known(spec.dtype))
        for name, spec in graph.inputs.items()
        if name in batch
    }


def _known(dtype: Any) -> Any:
    """The dtype that JAX has for this one: without its x64 mode, integers and floats of 32 bits."""
    return jax.dtypes.canonicalize_dtype(dtype)


def _require_precision(parameters: Mapping[str, Array]) -> None:
    for key, value in parameters.items():
        if _known(value.dtype) != value.dtype:
            raise ParameterError(
                f"engine='jax' computes in float32 unless JAX is told otherwise; {key!r} is {value.dtype}. "
                f"Call jax.config.update('jax_enable_x64', True) first, or use engine='reference'."
            )
