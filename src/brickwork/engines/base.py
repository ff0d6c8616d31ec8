"""The engine protocol: what an engine receives (a Program) and what it gives back (a Plan).

Engines see graphs, losses as bricks, metrics and an optimizer; never a layer and never a model.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ..arrays import Array, namespace
from ..data.source import ArraySource, Batch
from ..errors import FormatError, ParameterError, ShapeError, did_you_mean, known_names
from ..graph.backpropagation import backprop
from ..graph.graph import Graph
from ..structs import struct
from .interrupts import many_blocks, uninterrupted, write

Totals = dict[str, tuple[Any, ...]]
"""Running sums of the losses and metrics, by label."""

Report = Callable[[int, Totals], None]
"""Called after steps of an epoch with (steps done, running sums)."""


@struct(frozen=True)
class MetricUse:
    """A metric with what it compares: references in the graph; `weight` None means every row counts once."""

    label: str
    metric: Any
    target: str
    output: str
    weight: str | None = None


@struct(frozen=True)
class Program:
    """A training graph with the meaning of its parts.

    `graph` is the user's graph, then for each output a loss (N,), its weighted mean times its loss weight,
    activity penalties, and their sum `total`. `predictor` is the user's graph alone; parameters have the same
    keys in both. Penalties of parameters (`Parameter.regularizer`) are added by the engine, once per owner.
    """

    graph: Graph
    predictor: Graph
    total: str
    losses: tuple[tuple[str, str], ...] = ()
    metrics: tuple[MetricUse, ...] = ()
    targets: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    optimizer: Any = None

    @cached_property
    def trainable(self) -> list[str]:
        """Keys of the parameters that training changes."""
        return [key for key, parameter in self.graph.parameters.items() if parameter.trainable]

    @cached_property
    def sampler(self) -> Graph:
        """The predictor with its statistics frozen: in training mode nothing but noise is at work in it."""
        graph = self.predictor
        nodes = [replace(wire.node, frozen=bool(wire.statistics)) for wire in graph.wires]
        return Graph(graph.inputs, nodes, graph.outputs)

    @cached_property
    def regularizers(self) -> dict[str, Any]:
        """Keys of the trainable parameters that are penalised, with the regularizer of each."""
        found = {key: self.graph.parameters[key].regularizer for key in self.trainable}
        return {key: regularizer for key, regularizer in found.items() if regularizer is not None}

    @cached_property
    def constraints(self) -> dict[str, Any]:
        """Keys of the parameters that are constrained, with the constraint of each."""
        found = {key: parameter.constraint for key, parameter in self.graph.parameters.items()}
        return {key: constraint for key, constraint in found.items() if constraint is not None}

    @cached_property
    def kept(self) -> frozenset[str]:
        """Values that a step reads after the forward pass."""
        names = {self.total, *(reference for _, reference in self.losses)}
        names.update(use.output for use in self.metrics)
        return frozenset(names)

    # -- running sums, pure so that they can be traced --------------------------------------------------

    def start(self) -> Totals:
        """Running sums before the first batch, in float64 so that long epochs lose nothing."""
        totals: Totals = {"loss": (0.0, 0.0)}
        totals.update({label: (0.0, 0.0) for label, _ in self.losses} if len(self.losses) > 1 else {})
        totals.update({use.label: tuple(use.metric.start()) for use in self.metrics})
        return {label: doubles(sums) for label, sums in totals.items()}

    def update(
        self, totals: Totals, energy: Array, values: Mapping[str, Array], batch: Mapping[str, Array]
    ) -> Totals:
        """Running sums after one more batch; losses count by rows, as Keras does."""
        rows = float(next(iter(batch.values())).shape[0])
        new: Totals = {"loss": (totals["loss"][0] + energy * rows, totals["loss"][1] + rows)}
        for label, reference in self.losses if len(self.losses) > 1 else ():
            new[label] = (totals[label][0] + values[reference] * rows, totals[label][1] + rows)
        for use in self.metrics:
            target = batch[use.target]
            output = values[use.output] if use.output in values else batch[use.output]
            weight = None if use.weight is None else batch[use.weight]
            new[use.label] = tuple(use.metric.update(totals[use.label], target, output, weight))
        return new

    def results(self, totals: Totals) -> dict[str, Any]:
        """What the running sums stand for, in the order of `compile`: JAX sorts names.

        Numbers, or arrays of metrics that have more than one.
        """
        logs: dict[str, Any] = {}
        by_label = {use.label: use.metric for use in self.metrics}
        for label in self.start() if totals else ():
            sums = totals[label]
            if label in by_label:
                found = by_label[label].result(sums)
                logs[label] = np.asarray(found) if np.ndim(found) else float(found)
            else:
                logs[label] = float(sums[0]) / float(sums[1]) if float(sums[1]) else math.nan
        return logs

    # -- E and its gradients, pure too ------------------------------------------------------------------

    def differentiate(
        self,
        params: Mapping[str, Array],
        statistics: Mapping[str, Array],
        batch: Mapping[str, Array],
        *,
        training: bool = True,
        key: Any = 0,
        step: Any = 0,
    ) -> tuple[Array, dict[str, Array], dict[str, Array], dict[str, Array]]:
        """(E with its penalties, gradients of the trainable parameters, next statistics, kept values)."""
        passed = self.graph.forward(
            params, statistics, batch, training=training, key=key, step=step, keep=self.kept
        )
        energy = passed.values[self.total]
        seed = {self.total: namespace(energy).ones_like(energy)}
        dparams, _ = backprop(self.graph, params, passed.saved, seed)
        gradients = self.with_penalties(dparams, params)
        return energy + self.penalty(params), gradients, passed.state, passed.values

    # -- penalties and constraints of parameters ----------------------------------------------------

    def penalty(self, params: Mapping[str, Array]) -> Any:
        """Sum of the regularizers' penalties over the trainable parameters, once per owner."""
        total: Any = 0.0
        for key, regularizer in self.regularizers.items():
            total = total + regularizer.penalty(params[key])
        return total

    def with_penalties(self, grads: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
        """Gradients of E with the penalties' gradients added."""
        added = dict(grads)
        for key, regularizer in self.regularizers.items():
            added[key] = grads[key] + regularizer.gradient(params[key])
        return added

    def constrained(self, params: Mapping[str, Array]) -> dict[str, Array]:
        """Parameters after their constraints."""
        kept = dict(params)
        for key in self.constraints.keys() & params.keys():
            kept[key] = self.constraints[key](params[key])
        return kept


@struct(frozen=True)
class Gradients:
    """What one batch says: E, the loss of each output, dE/dparameter, the next running statistics."""

    total: float
    losses: dict[str, float]
    gradients: dict[str, Array]
    state: dict[str, Array] = field(default_factory=dict)
    totals: Totals = field(default_factory=dict)


class Plan(ABC):
    """A program made ready by an engine. It works on the model's own arrays.

    `step_number` counts updates from 0; it places the random numbers of the next step, and the optimizer's
    t is `step_number + 1`. `totals` are the running sums after the last step; they change together with the
    parameters, so that a training that is interrupted anywhere can go on from both.
    """

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> None:
        self.program = program
        self.parameters = dict(parameters)
        self.statistics = dict(statistics)
        self.seed = seed
        self.step_number = 0
        self.batch_rows = 0
        """Rows of a full batch, while single steps are part of a pass: a short last one is computed alike."""
        self.slots: dict[str, dict[str, Array]] = {}
        self.totals: Totals = {}

    @abstractmethod
    def gradients(self, batch: Batch, *, training: bool = True) -> Gradients:
        """E, losses and gradients of one batch; changes nothing."""

    @abstractmethod
    def apply(
        self, gradients: Mapping[str, Array], rate: float, statistics: Mapping[str, Array] | None = None
    ) -> None:
        """One update with these gradients, and the statistics that belong to them."""

    @abstractmethod
    def step(self, batch: Batch, rate: float, totals: Totals | None = None) -> Totals:
        """One update; gives the running sums `totals` with this batch added.

        Raises DivergenceError, before anything is changed, where E or a gradient is not finite.
        """

    @abstractmethod
    def evaluate_batch(self, batch: Batch, totals: Totals) -> Totals:
        """Running sums with this batch added, in inference mode."""

    @abstractmethod
    def predict_batch(self, batch: Batch, draw: int | None = None) -> tuple[Array, ...]:
        """The outputs of one batch in inference mode, as NumPy arrays.

        With `draw`, noise is at work as in training, with the random numbers of the step of that number.
        """

    def state(self) -> dict[str, Array]:
        """Everything that training goes on from: parameters, statistics, optimizer slots, step number.

        The keys are "parameters/…", "statistics/…", "slots/<slot>/…" and "step"; the arrays are copies.
        """
        held = {f"parameters/{key}": value.copy() for key, value in self.parameters.items()}
        held.update({f"statistics/{key}": value.copy() for key, value in self.statistics.items()})
        for slot, arrays in self.slots.items():
            held.update({f"slots/{slot}/{key}": np.array(value) for key, value in arrays.items()})
        held["step"] = np.array(self.step_number, np.int64)
        return held

    def load(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave. Nothing is changed unless all of it fits.

        Raises FormatError where an array is missing, is not known, or has another shape.
        """
        _require_fitting(self.state(), state)
        with uninterrupted():
            write(self.parameters, {key: state[f"parameters/{key}"] for key in self.parameters})
            write(self.statistics, {key: state[f"statistics/{key}"] for key in self.statistics})
            self.slots = {
                slot: {key: np.array(state[f"slots/{slot}/{key}"]) for key in arrays}
                for slot, arrays in self.slots.items()
            }
            self.step_number = int(state["step"])

    def settle(self) -> None:  # noqa: B027 - most engines have nothing to do
        """Write back what is still on a device; called from `report`, before the state is asked for."""

    def freeze(self) -> None:  # noqa: B027 - most engines have nothing to do
        """From now on only this plan's own methods change its arrays: it need not look at them anew."""

    def table(self, rows: int, *, training: bool) -> str:
        """What is computed for `rows` rows, as a table to read; of engines that plan ahead."""
        raise ParameterError(
            "A plan is what the native engine makes of a network; this one is computed brick by brick. "
            "Compile with engine='native', in float32; model.summary() lists the layers."
        )

    def finish(self) -> None:
        """What the optimizer does with the parameters when training ends: see `Optimizer.finished`."""
        trainable = {key: self.parameters[key] for key in self.program.trainable}
        ended = self.program.optimizer.finished(trainable, self.slots)
        with uninterrupted():
            write(self.parameters, {key: np.asarray(value) for key, value in ended.items()})

    def advance(
        self,
        gradients: Mapping[str, Array],
        rate: float,
        statistics: Mapping[str, Array] | None,
        totals: Totals,
    ) -> Totals:
        """`apply`, and the running sums after it: both or neither. Gives the sums."""
        with uninterrupted():
            self.apply(gradients, rate, statistics)
            self.totals = totals
        return totals

    # -- loops that every engine may replace by faster ones -----------------------------------------

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
        """One pass: rows in `order`, a learning rate per step. Gives the means of losses and metrics.

        `start` steps are done already, which gave the running sums `totals`; `first_step` is the number of
        the first step of the pass all the same.
        """
        self.step_number = first_step + start
        totals = self.totals = totals or self.program.start()
        with many_blocks():
            for index in range(start, len(rates)):
                rows = order[index * batch_size : (index + 1) * batch_size]
                totals = self.step(source.gather(rows), float(rates[index]), totals)
                if report is not None:
                    report(index + 1, totals)
        return self.program.results(totals)

    def evaluate(
        self, source: ArraySource, batch_size: int, report: Report | None = None
    ) -> dict[str, float]:
        """Means of losses and metrics over a source, in inference mode."""
        totals = self.program.start()
        for index, batch in enumerate(_batches(source, batch_size)):
            totals = self.evaluate_batch(batch, totals)
            if report is not None:
                report(index + 1, totals)
        return self.program.results(totals)

    def predict(
        self, source: ArraySource, batch_size: int, report: Report | None = None
    ) -> tuple[Array, ...]:
        """The outputs for every row of a source."""
        parts = []
        for index, batch in enumerate(_batches(source, batch_size)):
            parts.append(self.predict_batch(batch))
            if report is not None:
                report(index + 1, {})
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _batches(source: ArraySource, batch_size: int) -> Iterator[Batch]:
    for start in range(0, len(source), batch_size):
        yield source.gather(slice(start, start + batch_size))


def add_totals(left: Totals, right: Totals) -> Totals:
    """Running sums of two parts of the data together."""
    return {label: tuple(a + b for a, b in zip(left[label], right[label], strict=True)) for label in left}


def doubles(sums: Sequence[Any]) -> tuple[Any, ...]:
    """Sums in float64: numbers, or arrays of them."""
    return tuple(np.asarray(one, np.float64)[()] for one in sums)


def all_finite(array: Array) -> bool:
    """Whether there is neither NaN nor infinity."""
    return not_finite({"": array}) is None


def not_finite(arrays: Mapping[str, Array]) -> str | None:
    """The first key whose array holds NaN or infinity; one product of an array with itself mostly tells."""
    with np.errstate(over="ignore", invalid="ignore"):
        for key, array in arrays.items():
            flat = array.reshape(-1)
            if not (math.isfinite(np.dot(flat, flat)) or np.isfinite(flat).all()):
                return key
    return None


def require_gradients(gradients: Mapping[str, Array], trainable: Mapping[str, Array]) -> None:
    """Raise ShapeError unless each trainable parameter, and nothing else, has a gradient of its shape."""
    extra = next((key for key in gradients if key not in trainable), None)
    if extra is not None:
        raise ShapeError(
            f"apply takes gradients of the trainable parameters, {known_names(trainable) or 'none'}; it "
            f"received one of {extra!r}.{did_you_mean(extra, trainable)} Pass what gradients() of the same "
            f"network gave."
        )
    for key, value in trainable.items():
        if key not in gradients or np.shape(gradients[key]) != value.shape:
            got = "none" if key not in gradients else f"shape {np.shape(gradients[key])}"
            raise ShapeError(
                f"apply takes a gradient of shape {value.shape} for {key!r}; it received {got}. "
                f"Pass what gradients() of the same network gave."
            )


def _require_fitting(held: Mapping[str, Array], state: Mapping[str, Array]) -> None:
    for key in [*held, *state]:
        if key in held and key in state and np.shape(state[key]) == held[key].shape:
            continue
        told, got = (
            "nothing" if key not in arrays else f"shape {np.shape(arrays[key])}" for arrays in (held, state)
        )
        raise FormatError(
            f"Training goes on from the state of the same network and optimizer; {key!r} is {told} here and "
            f"{got} there. Compile the model as it was when the state was kept."
        )


class Engine(Protocol):
    """Makes plans of programs."""

    name: str

    def plan(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        statistics: Mapping[str, Array],
        seed: int = 0,
    ) -> Plan:
        """A plan that works on these arrays."""
        ...
