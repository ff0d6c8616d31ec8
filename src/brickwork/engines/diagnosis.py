"""Where did the NaN come from? The batch is replayed on NumPy, brick by brick, with the same random bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..data.source import Batch
from ..errors import DivergenceError
from ..graph.backpropagation import backprop
from ..graph.graph import references
from ..graph.node import Node
from .base import Program


def diagnose(
    program: Program,
    parameters: Mapping[str, Array],
    statistics: Mapping[str, Array],
    batch: Batch,
    seed: int,
    step: int,
    rate: float | None = None,
) -> DivergenceError:
    """The error for a step whose loss or gradient is not finite: step, first brick, its inputs, the cause."""
    start = f"Training needs finite numbers; step {step + 1} met one that is not, before the update."
    for name, value in batch.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            row = int(np.argwhere(~np.isfinite(value))[0][0])
            return DivergenceError(
                f"{start} It came in through {name!r}, first in row {row} of the batch. "
                f"Clean the data: numpy.isfinite(x) shows where."
            )
    for kind, held in (("parameter", parameters), ("statistic", statistics)):
        for key, value in held.items():
            if not np.isfinite(value).all():
                return DivergenceError(
                    f"{start} The {kind} {key!r} already holds it. "
                    f"Load weights that are finite: a checkpoint, or a model made anew."
                )
    with np.errstate(all="ignore"):
        passed = program.graph.forward(
            parameters, statistics, batch, training=True, key=seed, step=step, row=0
        )
        for node in program.graph.nodes:
            if not all(np.isfinite(passed.values[name]).all() for name in references(node)):
                inputs = {name: passed.values[name] for name in node.inputs}
                return DivergenceError(
                    f"{start} {_first(node, inputs)} {_advice(node, inputs, parameters, statistics, rate)}"
                )
        energy = passed.values[program.total]
        dparams, gradients = backprop(
            program.graph,
            parameters,
            passed.saved,
            {program.total: np.ones_like(energy)},
            keep=frozenset(name for node in program.graph.nodes for name in references(node)),
        )
    for node in reversed(program.graph.nodes):
        if not all(np.isfinite(gradients.get(name, 0.0)).all() for name in references(node)):
            return DivergenceError(
                f"{start} The loss is finite; on the way back the gradient of the output of node "
                f"{node.name!r} ({type(node.brick).__name__}) is the first that is not. Scale the data, "
                f"lower the learning rate{_rate(rate)}, or clip gradients (clipnorm=1.0)."
            )
    if not all(np.isfinite(gradient).all() for gradient in dparams.values()):
        return DivergenceError(
            f"{start} Every value is finite, the gradient of a parameter is not. "
            f"Lower the learning rate{_rate(rate)}, or clip gradients (clipnorm=1.0)."
        )
    return overflowing_update(step, rate)


def overflowing_update(step: int, rate: float | None, key: str = "") -> DivergenceError:
    """The error for a step whose gradients are finite, but not the parameters after it."""
    return DivergenceError(
        f"Training needs finite numbers; the update of step {step + 1} would make "
        f"{f'the parameter {key!r}' if key else 'a parameter'} infinite or NaN, so that it was not made. "
        f"Likely cause: the learning rate{_rate(rate)} is too large. Lower it tenfold, or scale the data."
    )


def _first(node: Node, inputs: Mapping[str, Array]) -> str:
    largest = max((float(np.max(np.abs(x), initial=0.0)) for x in inputs.values()), default=0.0)
    return (
        f"First in node {node.name!r} ({type(node.brick).__name__}), whose inputs are finite, "
        f"up to {largest:.3g} in size."
    )


def _advice(
    node: Node,
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Array],
    statistics: Mapping[str, Array],
    rate: float | None,
) -> str:
    """The likely cause, and what to do."""
    kind = type(node.brick).__name__
    variance = f"{node.owner}/running_var"
    if variance in statistics and (statistics[variance] < 0).any():
        return (
            f"Likely cause: {variance!r} holds {float(statistics[variance].min()):.3g}; a variance is never "
            f"negative. Load statistics that a training has made, or set them to 1."
        )
    largest = max((float(np.max(np.abs(p), initial=0.0)) for p in parameters.values()), default=0.0)
    if kind in ("Log", "Reciprocal", "CrossEntropy", "BinaryCrossEntropy"):
        return (
            "Likely cause: a zero or a negative number under it. "
            "Compute the loss from logits (from_logits=True), or clip."
        )
    if largest > 1e3:
        return (
            f"Likely cause: the learning rate{_rate(rate)} is too large, parameters have grown to "
            f"{largest:.3g}. Lower it tenfold, or clip gradients (clipnorm=1.0)."
        )
    biggest = max((float(np.max(np.abs(x), initial=0.0)) for x in inputs.values()), default=0.0)
    if biggest > 1e3:
        return (
            "Likely cause: inputs of a great size. Scale the data to about -1 … 1 "
            "(layers.Rescaling, layers.Normalization)."
        )
    return f"Likely cause: the learning rate{_rate(rate)} is too large. Lower it tenfold."


def _rate(rate: float | None) -> str:
    return "" if rate is None else f" of {rate:g}"
