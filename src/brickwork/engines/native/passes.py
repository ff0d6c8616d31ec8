"""One kind of pass over a program for batches of one size: training, gradients, evaluation or prediction."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import metrics
from ...arrays import Array
from ...data.source import Batch
from ...errors import GraphError, did_you_mean, known_names
from ...graph.graph import Graph
from ...regularizers import L1, L1L2, L2
from ..base import MetricUse, Program, doubles
from ..interrupts import Waiting
from .host import HostLowering
from .layout import Layout
from .lower_loss import loss_instruction
from .lowering import Lowering, lowering_for
from .measures import Measures
from .rules import NativeRule
from .schedule import Schedule, described, operand, schedule
from .terms import Term, terms_of
from .values import Place, Value
from .whole_numbers import read_as_floats
from .writer import Part, Writer

if TYPE_CHECKING:
    from .plan import NativePlan

_ENERGY, _TERM, _VALUES = range(3)

_RUN = 16384
"""Parameters whose penalties are summed together: runs of them are shared out among the threads."""

_METRICS = (
    *("SparseCategoricalAccuracy", "CategoricalAccuracy", "BinaryAccuracy", "Accuracy"),
    *("MeanSquaredError", "MeanAbsoluteError"),
)
"""Metrics that the native side counts, in the order of their codes there."""


def make_layout(native: Any, program: Program) -> Layout:
    """Places for all parameters and statistics of a program."""
    layout = Layout(tuple(native.widths()))
    graph = program.graph
    for wire in graph.wires:
        shapes = [graph.shapes[name] for name in wire.node.inputs]
        part = Part((wire.node,))
        lowering_of(part, graph).reserve(layout, part, shapes)
        for _, key in wire.parameters:
            layout.add_plain(key, int(np.prod(graph.parameters[key].shape, dtype=np.int64)))
        for _, key in wire.statistics:
            size = int(np.prod(graph.statistics[key].shape, dtype=np.int64))
            layout.add_statistic(key, size)
            layout.add_statistic(f"next {key}", size)
    return layout


def lowering_of(part: Part, graph: Graph) -> Lowering:
    """What lowers a part: from the table, or the call back to Python."""
    found = lowering_for(type(part.brick))
    shapes = [graph.shapes[name] for name in part.inputs]
    if found is None or not found.accepts(part.brick, shapes):
        return HostLowering()
    return found


def _code_of(metric: Any) -> int | None:
    name = type(metric).__name__
    return _METRICS.index(name) if name in _METRICS and type(metric) is getattr(metrics, name) else None


def _is_loss(metric: Any) -> bool:
    """Whether a loss's brick alone makes the values."""
    from ...metrics.of_losses import LossMetric  # a program without metrics does not need them

    return isinstance(metric, LossMetric) and metric.plain


def penalties_of(program: Program) -> dict[str, tuple[float, float]]:
    """(l1, l2) of the trainable parameters whose regularizers the native side knows."""
    found = {}
    for key in program.trainable:
        regularizer = program.graph.parameters[key].regularizer
        if type(regularizer) in (L1, L2, L1L2):
            found[key] = (float(getattr(regularizer, "l1", 0.0)), float(getattr(regularizer, "l2", 0.0)))
    return found


class Pass:
    """Instructions in places, made for one batch size and one number of threads.

    `kind` is "train" (gradients and, where there is a `rule`, the optimizer's step), "frozen" (gradients in
    inference mode), "evaluate", "predict" or "sample" (a prediction with noise).
    """

    def __init__(
        self,
        native: Any,
        store: Any,
        layout: Layout,
        program: Program,
        kind: str,
        rows: int,
        threads: int,
        rule: NativeRule | None,
        owner: NativePlan,
    ) -> None:
        self.kind, self.rows_at_most, self.threads = kind, rows, threads
        self.program, self._owner = program, owner
        graphs = {"predict": program.predictor, "sample": program.sampler}
        self.graph = graphs.get(kind, program.graph)
        self.predicts = kind in graphs
        differentiates = kind in ("train", "frozen")
        self._native_penalties = penalties_of(program) if kind == "train" and rule is not None else {}
        # Those without a gradient too: decay and momentum move them.
        updates = [] if kind != "train" or rule is None else rule.updates(self._native_penalties)
        terms = [] if self.predicts else terms_of(self.graph, program.total)
        scalars = frozenset(node.name for node in self.graph.nodes if self.graph.shapes.get(node.name) == ())
        weighted = {term.values for term in terms} if terms else set()
        skip = scalars | _weightings(self.graph, weighted)
        skip |= _unread(self.graph, skip, self._read(terms))
        self.writer = writer = Writer(
            self.graph,
            layout,
            differentiates=differentiates,
            training=kind in ("train", "sample"),
            trainable=program.trainable if differentiates else (),
            updates=updates,
            terms=terms,
            keep=self.graph.outputs if self.predicts else (),
            skip=skip,
            rows=rows,
        )
        used = {name for node in self.graph.nodes if node.name not in skip for name in node.inputs}
        used |= self._read(terms)
        self.inputs = [name for name in self.graph.inputs if name in used]
        self.measured: list[tuple[MetricUse, Value]] = []
        self.text_metrics: list[MetricUse] = []
        self._current: Measures | None = None
        for name in read_as_floats(writer.parts, self.graph, lambda part: lowering_of(part, self.graph)):
            writer.value(name).integer = False
        writer.write(
            lambda part: lowering_of(part, self.graph), self.inputs, self._measure if terms else lambda: None
        )
        self.sizes = {name: writer.value(name).size for name in self.inputs}
        self.terms, self.loss_terms = _with_losses(terms, self.graph, program)
        for term in self.terms:
            writer.value(term.values).kept = True
            if term.weights is not None:
                writer.value(term.weights).kept = True
        for use, value in self.measured:
            value.kept = True
            if use.weight is not None:
                writer.value(use.weight).kept = True
        for peak_x, peak_dy, _ in writer.guards:
            peak_x.kept = peak_dy.kept = True
        self.schedule: Schedule = schedule(
            writer, rows, threads, updates, bounds_norms=rule is not None and rule.bounds_norms
        )
        self.next_statistics = {
            key: layout.statistics[f"next {key}"]
            for key in self.graph.statistics
            if any(held == layout.statistics[key] for _, held in writer.commits)
        }
        for hosted in writer.hosts:
            call = getattr(hosted, "__self__", None)
            if call is not None and call is not self:
                call.plan = weakref.proxy(
                    self
                )  # the native plan holds the call, and this pass holds the plan
        self.native = native.Plan(store, self._recipe(), list(writer.hosts))
        self.native.watch(Waiting())

    def _read(self, terms: list[Term]) -> set[str]:
        """Values that are read after the forward pass: by E, by metrics, by who asked for a prediction."""
        if self.predicts:
            return set(self.graph.outputs)
        read = {name for term in terms for name in (term.values, term.weights) if name is not None}
        for use in self.program.metrics if terms else ():
            read |= {name for name in (use.target, use.output, use.weight) if name is not None}
        return read

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self._owner.seed

    def reaches(self, key: str) -> bool:
        """Whether E depends on this parameter."""
        return self.writer.turns(key) > 0

    # -- what is counted ------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Instructions for the metrics; one that the native side does not know is called back."""
        writer = self.writer
        for use in self.program.metrics:
            code = _code_of(use.metric)
            target, output = writer.value(use.target), writer.value(use.output)
            if _is_loss(use.metric):
                shapes = [self.graph.shapes[name] for name in (use.output, use.target)]
                out = writer.scratch(use.label, (1,))
                loss_instruction(writer, use.metric.brick, shapes, [output, target, out])
                self.measured.append((use, out))
                continue
            if code is None:
                self.text_metrics.append(use)
                continue
            size = (1, *self._shape(use.output))[-1] if code <= 1 else 1
            out = writer.scratch(use.label, (1,))
            places = output.size // size if code <= 1 else output.size
            writer.emit(
                "metric",
                [target, output, out],
                [code, places, size, target.integer],
                [getattr(use.metric, "threshold", 0.0)],
                multiplies=2 * output.size,
            )
            self.measured.append((use, out))
        if self.text_metrics:
            names = {
                name for use in self.text_metrics for name in (use.target, use.output, use.weight) if name
            }
            values = [writer.value(name) for name in sorted(names)]
            for value in values:
                value.compact = True
            writer.emit("host", values, kind="host", host=len(writer.hosts))
            this = weakref.ref(self)
            writer.hosts.append(lambda *what: held._count(*what) if (held := this()) is not None else None)

    def _count(self, rows: int, training: bool, step: int) -> None:
        if self._current is None:
            return
        for use in self.text_metrics:
            target, output = (
                np.array(self.rows(self.writer.value(name), rows, name)) for name in (use.target, use.output)
            )
            weight = None
            if use.weight is not None:
                weight = np.array(self.rows(self.writer.value(use.weight), rows, use.weight))
            sums = use.metric.update(use.metric.start(), target, output, weight)
            self._current.counted(step, use.label, doubles(sums))

    def count_into(self, measures: Measures | None) -> None:
        """Where metrics that are called back put what they counted."""
        self._current = measures

    def losses(self, numbers: Array, rows: int) -> dict[str, float]:
        """Each output's loss from the running sums of one batch."""
        return {
            label: float(numbers[2 * (1 + index)] / rows)
            for index, (label, _) in enumerate(self.program.losses)
        }

    def penalties_left(self, parameters: Any) -> float:
        """Penalties of parameters that the native side does not add to E."""
        if self._native_penalties:
            return 0.0
        return float(self.program.penalty(parameters))

    # -- arrays ---------------------------------------------------------------------------------------

    def sources(self, batch: Batch) -> list[tuple[int, int, int, int]]:
        """The arrays of a batch as the native side takes them; the pass keeps them alive."""
        missing = next((name for name in self.inputs if name not in batch), None)
        if missing is not None:
            raise GraphError(
                f"A pass takes an array for each input; there is none for {missing!r}, only for "
                f"{known_names(batch) or 'nothing'}.{did_you_mean(missing, batch)}"
            )
        kinds = [np.int32 if self.writer.value(name).integer else np.float32 for name in self.inputs]
        self._batch = [
            np.ascontiguousarray(batch[name], kind) for name, kind in zip(self.inputs, kinds, strict=True)
        ]
        return [
            (
                array.__array_interface__["data"][0],
                array.strides[0],
                self.sizes[name],
                7 if kind is np.int32 else 0,
            )
            for name, array, kind in zip(self.inputs, self._batch, kinds, strict=True)
        ]

    def run(self, call: Callable[..., tuple[int, Any]], *arguments: Any) -> Any:
        """Call a function of the native plan; raise what a brick or Ctrl-C raised meanwhile."""
        status, found = call(*arguments)
        if status:
            self.native.raise_pending()
        return found

    def outputs(self, rows: int) -> list[Array]:
        """Arrays for the outputs of so many rows."""
        return [np.empty((rows, *self._shape(name)), np.float32) for name in self.graph.outputs]

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(1 if size is None else size for size in self.graph.shapes[name][1:])

    def addresses(self, outputs: Sequence[Array]) -> list[Any]:
        """(operand, numbers of a row, address) of each output."""
        return [
            (
                operand(self.writer.value(name)),
                self.writer.value(name).size,
                array.__array_interface__["data"][0],
            )
            for name, array in zip(self.graph.outputs, outputs, strict=True)
        ]

    def rows(self, value: Value, rows: int, name: str) -> Array:
        """A value's buffer as an array of the first rows, without a copy, in the shape of that name."""
        held, first = value.holder, value.first
        flat = self.native.buffer(held.offset, rows, held.stride)
        array: Array = flat.view(np.int32) if value.integer else flat
        return array[:, first : first + value.size].reshape((rows, *self._shape(name)))

    def numbers(self, place: Place, shape: tuple[int, ...]) -> Array:
        """A statistic."""
        return self._owner.numbers(place, shape)

    def parameter(self, key: str, shape: tuple[int, ...]) -> Array:
        """A parameter."""
        return self._owner.parameter(key, shape)

    def put_gradient(self, key: str, gradient: Array, accumulate: bool) -> None:
        """A parameter's gradient."""
        self._owner.put_gradient(key, gradient, accumulate)

    # -- for the C++ side -----------------------------------------------------------------------------

    def _recipe(self) -> dict[str, Any]:
        made, writer = self.schedule, self.writer
        totals: list[Any] = [] if self.predicts else [(_ENERGY, 0, None, None)]
        totals += [(_TERM, index, None, None) for index in self.loss_terms]
        totals += [
            (_VALUES, 0, operand(value), None if use.weight is None else operand(writer.value(use.weight)))
            for use, value in self.measured
        ]
        layout = writer.layout
        return {
            "forward": [described(phase) for phase in made.forward],
            **{
                name: described(getattr(made, name))
                for name in ("direct", "norms", "update_rest", "update_all", "turn_rest", "turn_all")
            },
            "energy": [
                (
                    operand(writer.value(term.values)),
                    None if term.weights is None else operand(writer.value(term.weights)),
                    term.share,
                    term.mean,
                )
                for term in self.terms
            ],
            "totals": totals,
            "commits": [(source.offset, to.offset, to.size) for source, to in writer.commits],
            "guards": [(operand(x), operand(dy), factor) for x, dy, factor in writer.guards],
            "penalties": [
                (place.offset + start, min(_RUN, place.size - start), *pair)
                for key, pair in self._native_penalties.items()
                for place in [layout.place(key)]
                for start in range(0, place.size, _RUN)
            ],
            "rest": made.rest,
            "groups": made.groups,
            "may_fuse": made.may_fuse,
            "rows": self.rows_at_most,
            "whole": made.whole,
            "local": made.local,
        }


def _unread(graph: Graph, skip: frozenset[str], read: set[str]) -> frozenset[str]:
    """Nodes whose values nobody reads, such as a softmax beside a loss that takes logits.

    Those with running statistics are kept: a batch changes these, whoever reads the values.
    """
    needed, found = set(read), set()
    for wire in reversed(graph.wires):
        node = wire.node
        if node.name in skip:
            continue
        if wire.statistics or any(name in needed for name in wire.outputs):
            needed.update(node.inputs)
        else:
            found.add(node.name)
    return frozenset(found)


def _weightings(graph: Graph, values: set[str]) -> frozenset[str]:
    """Products of a loss and its weights that a term stands for."""
    found = set()
    for node in graph.nodes:
        if (
            graph.shapes.get(node.name) == (None,)
            and node.name not in values
            and any(name in values for name in node.inputs)
        ):
            readers = [other for other in graph.nodes if node.name in other.inputs]
            if type(node.brick).__name__ == "Multiply" and all(
                graph.shapes[other.name] == () for other in readers
            ):
                found.add(node.name)
    return frozenset(found)


def _with_losses(terms: list[Term], graph: Graph, program: Program) -> tuple[list[Term], list[int]]:
    """The terms of E and those of the single losses, which are measured too; and where the latter are."""
    everything = list(terms)
    places = []
    for _, reference in program.losses if terms else ():
        (own,) = terms_of(graph, reference)
        alike = [
            index
            for index, term in enumerate(everything)
            if (term.values, term.weights, term.mean) == (own.values, own.weights, own.mean)
        ]
        if not alike:
            everything.append(Term(own.values, own.weights, 0.0, own.mean))
        places.append(alike[0] if alike else len(everything) - 1)
    return everything, places
