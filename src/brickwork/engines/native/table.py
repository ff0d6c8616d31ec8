"""The instructions of a pass as a table that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schedule import Phase
from .values import LOCAL, Step, Value

if TYPE_CHECKING:
    from .passes import Pass


def table(made: Pass) -> str:
    """One line for each instruction: phase, operation, the bricks it covers, shapes, bytes, multiply-adds."""
    lines = []
    rows = made.rows_at_most
    phases: list[tuple[str, Phase]] = [
        (str(index + 1), phase) for index, phase in enumerate(made.schedule.forward)
    ]
    if made.schedule.direct.steps:
        phases.append(("last", made.schedule.direct))
    for name, phase in phases:
        for step in phase.steps:
            lines.append(
                (
                    name,
                    _how(phase, rows),
                    step.name,
                    ", ".join(_short(cover) for cover in step.covers),
                    _shapes(step),
                    _bytes(step, rows),
                    f"{step.multiplies * rows:,}" if step.matrices else "",
                )
            )
    heads = ("phase", "rows at a time", "operation", "bricks", "from -> to", "bytes", "multiply-adds")
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [heads, *lines]
    ]
    text.insert(1, "  ".join("-" * width for width in widths))
    total = sum(step.multiplies * rows for _, phase in phases for step in phase.steps if step.matrices)
    text.append("")
    text.append(
        f"{len(lines)} instructions for {rows} rows on {made.threads} "
        f"{'thread' if made.threads == 1 else 'threads'}; {total:,} multiply-adds; "
        f"{4 * made.schedule.whole / 1e6:.2f} MB for the batch, "
        f"{4 * made.schedule.local / 1e6:.2f} MB a thread."
    )
    if made.writer.noticed:
        text.append(f"Called back to Python: {', '.join(made.writer.noticed)}.")
    return "\n".join(text)


def _how(phase: Phase, rows: int) -> str:
    if phase.host >= 0:
        return "in Python"
    if not phase.by_rows:
        return "all"
    return str(min(rows, phase.group or rows))


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"…{name[-27:]}"


def _shapes(step: Step) -> str:
    if not step.values:
        return ""
    *sources, to = step.values
    shown = ", ".join(_shape(value) for value in sources[:2])
    return f"{shown} -> {_shape(to)}" if shown else _shape(to)


def _shape(value: Value) -> str:
    return "x".join(map(str, value.shape)) or "1"


def _bytes(step: Step, rows: int) -> str:
    total = sum(4 * value.size * (1 if value.space == LOCAL else rows) for value in step.values)
    return f"{total + step.weight_bytes:,}"
