"""From a network, losses and metrics to the Program that an engine receives."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import bricks, losses, metrics
from ..arguments import Real
from ..bricks.base import letters
from ..config import floatx
from ..engines.base import MetricUse, Program
from ..errors import ParameterError, ParameterTypeError, ShapeError, did_you_mean, known_names
from ..graph.symbol import Symbol, ancestors, collect, input_symbol, scope
from ..structs import struct
from .network import Network


@struct(frozen=True)
class Compiled:
    """A program with what the data must look like: per output its loss and the names of target and weight."""

    program: Program
    losses: tuple[Any, ...]
    output_names: tuple[str, ...]
    output_shapes: tuple[Any, ...]
    target_names: tuple[str | None, ...]
    weight_names: tuple[str | None, ...]


def build_program(
    network: Network,
    optimizer: Any,
    loss: Any,
    loss_weights: Any = None,
    metric_names: Any = None,
    weighted_metrics: Any = None,
) -> Compiled:
    """The training graph: the network, a loss and its weighted mean per output, penalties, and their sum."""
    names = network.output_names
    each_loss = [None if one is None else _loss_of(one) for one in per_output(loss, names, "loss")]
    scales = [
        1.0 if one is None else Real()("compile", "loss_weights", one)
        for one in per_output(loss_weights, names, "loss_weights")
    ]
    targets: list[Symbol | None] = []
    weights: list[Symbol | None] = []
    terms: list[Symbol] = []
    tracked: list[tuple[str, Symbol]] = []
    with scope("loss", "Loss"):
        for name, symbol, one, scale in zip(names, network.outputs, each_loss, scales, strict=True):
            if one is None:
                targets.append(None)
                weights.append(None)
                continue
            if symbol.mask is not None:
                warnings.warn(
                    f"The mask of output {name!r} is not used in training: loss and metrics count all "
                    f"moments, padding too. Pad little, and learn what stands for nothing as a class.",
                    stacklevel=2,
                )
            target = _target_symbol(name, symbol, one)
            weight = input_symbol((None,), _float_type(symbol), f"weight/{name}")
            reduced = _reduced(_laid(one, target, symbol, name), weight, one.reduction)
            tracked.append((f"{name}_loss", reduced))
            terms.append(reduced if scale == 1.0 else bricks.Rescaling(scale)(reduced))
            targets.append(target)
            weights.append(weight)
        terms.extend(bricks.WeightedMean()(penalty) for penalty in activity_penalties(network))
        if not terms:
            raise ParameterError(
                "Training and evaluation need a loss; compile received none. Write "
                "model.compile(optimizer='adam', loss='mse'), say."
            )
        total = terms[0] if len(terms) == 1 else bricks.Add()(*terms)
    inputs = [*network.inputs, *(x for x in targets if x is not None), *(x for x in weights if x is not None)]
    made = collect(inputs, [*network.outputs, total, *(symbol for _, symbol in tracked)])
    predictor = network.graph
    uses: list[MetricUse] = []
    for listed, weighted in ((metric_names, False), (weighted_metrics, True)):
        found = _metric_uses(listed, weighted, names, network.outputs, targets, weights, made)
        taken = {"loss", *(label for label, _ in tracked if len(tracked) > 1), *(use.label for use in uses)}
        uses += _labelled(found, taken, "weighted_" if weighted else "")
    program = Program(
        made.graph,
        predictor,
        made.name_of(total),
        tuple((label, made.name_of(symbol)) for label, symbol in tracked),
        tuple(uses),
        tuple(made.name_of(x) for x in targets if x is not None),
        tuple(made.name_of(x) for x in weights if x is not None),
        optimizer,
    )
    return Compiled(
        program,
        tuple(each_loss),
        tuple(names),
        tuple(symbol.shape for symbol in network.outputs),
        tuple(None if x is None else made.name_of(x) for x in targets),
        tuple(None if x is None else made.name_of(x) for x in weights),
    )


def predicting_program(network: Network) -> Program:
    """A program that only predicts, for a model that was not compiled."""
    graph = network.collected.graph
    return Program(graph, graph, graph.outputs[0])


def per_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """One entry per output from a single value, a list or a dict by output name."""
    if isinstance(given, Mapping) and not ("class_name" in given and "config" in given):
        for key in given:
            if key not in names:
                raise ParameterError(
                    f"{what} names the outputs {known_names(names)}; it received {key!r}."
                    f"{did_you_mean(key, names)}"
                )
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ParameterError(
                f"{what} needs one entry for each of the {len(names)} outputs {known_names(names)}; "
                f"it received {len(given)}."
            )
        return list(given)
    return [given] * len(names)


def _target_symbol(name: str, output: Symbol, loss: Any) -> Symbol:
    shape = loss.target_shape(output.shape)
    return input_symbol(shape, "int32" if loss.integer_targets else _float_type(output), f"target/{name}")


def _float_type(output: Symbol) -> str:
    """Targets and weights in the output's own type, so that a float64 network stays one in any session."""
    return output.dtype if output.dtype.startswith("float") else floatx()


def _laid(loss: Any, target: Symbol, output: Symbol, name: str) -> Symbol:
    try:
        laid: Symbol = loss.lay(target, output)
    except ShapeError as error:
        error.add_note(f"in the loss of output {name!r}, of shape {letters(output.shape)}")
        raise
    return laid


def _reduced(each: Symbol, weight: Symbol, reduction: str) -> Any:
    """(N,) to one number: the weighted sum over the count, as Keras, or the weighted sum."""
    if reduction == "sum":
        return bricks.Sum(axis=(0,))(bricks.Multiply()(each, weight))
    return bricks.WeightedMean()(each, weight)


def activity_penalties(network: Network) -> list[Symbol]:
    """The penalties (N,) that layers hung on their outputs, nested networks included."""
    found: dict[int, Any] = {}
    for call in ancestors(network.outputs, network.inputs):
        place = call.scope
        while place is not None:
            if place.handle is not None:
                found.setdefault(id(place.handle), place.handle)
            place = place.parent
    return [penalty for handle in found.values() for penalty in getattr(handle, "penalties", ())]


def _metric_uses(
    listed: Any,
    weighted: bool,
    names: Sequence[str],
    outputs: Sequence[Symbol],
    targets: Sequence[Symbol | None],
    weights: Sequence[Symbol | None],
    made: Any,
) -> list[MetricUse]:
    uses = []
    for name, output, target, weight, wanted in zip(
        names, outputs, targets, weights, _metrics_per_output(listed, names), strict=True
    ):
        for one in wanted:
            if target is None or weight is None:
                raise ParameterError(
                    f"A metric compares an output with its target; output {name!r} has no loss and so no "
                    f"target. Give it a loss, or list metrics by output name."
                )
            metric = metrics.resolve(one, target.shape, output.shape)
            metric.build(target.shape, output.shape)
            label = metric.name if len(names) == 1 else f"{name}_{metric.name}"
            uses.append(
                MetricUse(
                    label,
                    metric,
                    made.name_of(target),
                    made.name_of(output),
                    made.name_of(weight) if weighted else None,
                )
            )
    return uses


def _labelled(uses: Sequence[MetricUse], taken: set[str], prefix: str) -> list[MetricUse]:
    """A label of its own for each metric: Keras's prefix and numbers where one is taken."""
    made = []
    for use in uses:
        label = use.label
        if label in taken:
            label = label.removesuffix(use.metric.name) + prefix + use.metric.name
        label = next(
            name
            for count in itertools.count()
            if (name := f"{label}_{count}" if count else label) not in taken
        )
        taken.add(label)
        made.append(replace(use, label=label))
    return made


def _metrics_per_output(listed: Any, names: Sequence[str]) -> list[list[Any]]:
    """Keras's forms: a list for the only output; for several, a list or dict with an entry for each."""
    if listed is None:
        return [[] for _ in names]
    if isinstance(listed, Mapping):
        found = per_output(listed, names, "metrics")
    elif not isinstance(listed, (list, tuple)):
        raise ParameterTypeError(
            f"`metrics` must be a list such as ['accuracy'], or a dict by output; got metrics={listed!r}. "
            f"Put it in brackets."
        )
    elif len(names) == 1:
        found = [_flat(listed)]
    elif len(listed) == 1 and not isinstance(listed[0], (list, tuple)):
        found = [list(listed)] * len(names)
    else:
        found = per_output(list(listed), names, "metrics")
    return [[] if one is None else list(one) if isinstance(one, (list, tuple)) else [one] for one in found]


def _flat(listed: Sequence[Any]) -> list[Any]:
    return [x for one in listed for x in (_flat(one) if isinstance(one, (list, tuple)) else [one])]


def _loss_of(given: Any) -> losses.Loss:
    """The loss; one that is an object already does not ask for the table of all losses."""
    return given if isinstance(given, losses.Loss) else losses.get(given)


def check_names(loss: Any, *listed: Any) -> None:
    """Refuse a misspelt name at once, also where the network is built only when it meets data."""
    for one in _leaves(loss):
        _loss_of(one)
    for one in _leaves(listed):
        metrics.resolve(one, (None, 2), (None, 2))


def _leaves(given: Any) -> list[Any]:
    if isinstance(given, Mapping) and not ("class_name" in given and "config" in given):
        given = list(given.values())
    if isinstance(given, (list, tuple)):
        return [leaf for one in given for leaf in _leaves(one)]
    return [] if given is None else [given]
