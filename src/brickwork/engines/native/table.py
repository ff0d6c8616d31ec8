"""The instructions of a pass as a table that a person can read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .schedule import Phase
from .values import Moment, Step, Value

if TYPE_CHECKING:
    from .passes import Pass

_TITLES = {"train": "A training step", "predict": "A prediction"}
_HEADS = ("operation", "layer", "bricks", "from", "to", "memory", "multiply-adds")
_RIGHT = frozenset(("memory", "multiply-adds"))
_MAKES = {
    "matmul_gradient": "dW",
    "convolve_gradient": "dW",
    "convolve_lines_gradient": "dW",
    "depthwise_gradient": "dW",
    "column_sums": "db",
    "embed_gradient": "dE",
    "reduce": "sum of parts",
    "squares": "parameters",
    "update": "parameters",
    "transpose": "W.T",
}
"""What instructions make that make no value."""


def table(made: Pass) -> str:
    """One line for each instruction, phase by phase: what it covers, from what to what, its memory and work.

    `memory` is what an instruction touches for all rows and moments, kernels included; `multiply-adds` those
    of matrix products and convolutions in their plain form.
    """
    rows = made.rows_at_most
    schedule = made.schedule
    phases = [phase for phase in schedule.forward if phase.steps]
    phases += [schedule.direct] if schedule.direct.steps else []
    blocks = [[_line(made, step, rows) for step in phase.steps] for phase in phases]
    work = sum(step.multiplies for phase in phases for step in phase.steps if step.matrices) * rows
    total = (f"{sum(map(len, blocks))} instructions", "", "", "", "", "", f"{work:,}")
    lines = [_HEADS, *(line for block in blocks for line in block), total]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    threads = "1 thread" if made.threads == 1 else f"{made.threads} threads"
    across = sum(widths) + 2 * (len(widths) - 1)
    text = [
        f"{_TITLES[made.kind]} on {rows} {'row' if rows == 1 else 'rows'}, {threads}",
        "",
        _set(_HEADS, widths),
    ]
    for number, (phase, block) in enumerate(zip(phases, blocks, strict=True), 1):
        text.append(
            f"-- phase {number}: {_how(phase, rows, fused=phase is schedule.direct)} ".ljust(across, "-")
        )
        text += [_set(line, widths) for line in block]
    text += ["-" * across, _set(total, widths), ""]
    whole, local = _memory(4 * schedule.whole), _memory(4 * schedule.local)
    text.append(f"Buffers: {whole} for the batch, {local} for each thread.")
    if made.writer.noticed:
        text.append(f"Computed in Python: {', '.join(made.writer.noticed)}.")
    return "\n".join(text)


def _set(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(
        cell.rjust(width) if head in _RIGHT else cell.ljust(width)
        for cell, width, head in zip(cells, widths, _HEADS, strict=True)
    ).rstrip()


def _line(made: Pass, step: Step, rows: int) -> tuple[str, ...]:
    layer, bricks = _covered(made, step)
    makes = _MAKES.get(step.name, "")
    sources, to = step.values, makes
    if sources and not makes:
        *sources, last = sources
        to = _shape(last)
    return (
        step.name,
        layer,
        bricks,
        " ".join(_shape(value) for value in sources[:2]),
        to,
        _memory(_bytes(step, rows)),
        f"{step.multiplies * rows:,}" if step.matrices else "",
    )


def _covered(made: Pass, step: Step) -> tuple[str, str]:
    """The layer, and the bricks in it, that an instruction works for."""
    known = {name: (node, node) for name, node in made.graph.by_name.items()} | made.writer.inside
    nodes = [known[name] for name in step.covers if name in known]
    if not nodes:
        return ", ".join(_short(name) for name in step.covers), ""
    layers = dict.fromkeys(node.layer or node.name.split("/")[0] for node, _ in nodes)
    return ", ".join(map(_short, layers)), " + ".join(type(node.brick).__name__ for _, node in nodes)


def _how(phase: Phase, rows: int, *, fused: bool) -> str:
    if phase.host >= 0:
        return "in Python, on the whole batch"
    if not phase.by_rows:
        if fused:
            return "whole batch, gradients straight into the update"
        return "whole batch, in parts" + (f", {phase.moments} moments together" if phase.moments > 1 else "")
    group = min(rows, phase.group or rows)
    text = f"{group} {'row' if group == 1 else 'rows'} at a time"
    if phase.turns:
        order = "from last to first" if phase.turns.reverse else "one after another"
        text += f", {phase.turns.moments} moments, {order}"
    return text + ("" if phase.threaded else ", one thread")


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"…{name[-23:]}"


def _shape(value: Value) -> str:
    shape = "x".join(map(str, value.shape)) or "1"
    return f"d({shape})" if value.name.startswith("d(") or value.name.endswith(".dz") else shape


def _bytes(step: Step, rows: int) -> int:
    moments = step.turns.moments if step.turns else step.moments
    total = step.weight_bytes
    for operand in step.operands:
        if isinstance(operand, Moment):
            total += 4 * operand.step * rows * moments
        elif isinstance(operand, Value):
            alone = operand.chunks or operand.once
            total += 4 * operand.size * (1 if alone else rows * (moments if operand.moments else 1))
    return total


def _memory(count: float) -> str:
    """Bytes, to three digits."""
    power = min(3, int(math.log10(max(count, 1))) // 3)
    number = count / 1000**power
    digits = 0 if power == 0 else max(0, 2 - int(math.log10(number)))
    return f"{number:.{digits}f} {('B', 'KB', 'MB', 'GB')[power]}"
