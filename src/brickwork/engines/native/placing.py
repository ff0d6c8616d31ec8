"""Buffers in their places.

Values that are used within one phase only lie in a buffer for one group of rows; all others in one for the
whole batch, or, in a loop, for the batch at every moment. Places are used again when their values are done.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .values import LOCAL, WHOLE, Moment, Step, Value

if TYPE_CHECKING:
    from .schedule import Phase, Schedule


def place_values(made: Schedule, rows: int, chunks: Mapping[Value, int]) -> None:
    """A place for every value: within a group where one phase alone uses it, else within the batch."""
    phases = [*made.forward, made.direct]
    first: dict[Value, int] = {}
    last: dict[Value, int] = {}
    by_rows: dict[Value, bool] = {}
    for index, phase in enumerate(phases):
        for step in phase.steps:
            for value in step.holders:
                first.setdefault(value, index)
                last[value] = index
                by_rows[value] = by_rows.get(value, True) and phase.by_rows and phase.host < 0
    end = len(phases)
    clash = _clashing(phases)
    for value in first:
        alone = by_rows[value] and first[value] == last[value] and not value.kept and not value.chunks
        alone = alone and value not in clash
        value.space = LOCAL if alone and not value.across else WHOLE
        value.lasting = value.moments > 0 and not alone
    for phase in phases:
        phase.steps = [step for step in phase.steps if not (step.spare and _lies_outside(step))]
    whole = [value for value in first if value.space == WHOLE and value.seen is None]
    sizes = {
        value: value.stride * (math.ceil(rows / chunks[value]) if value.chunks else rows) for value in whole
    }
    sizes.update({value: value.moments * sizes[value] for value in whole if value.lasting})
    made.whole = _allocate(
        whole, sizes, first, {value: end if value.kept else last[value] for value in whole}
    )
    for phase in made.forward:
        made.local = max(made.local, _place_locals(phase, rows))


def _clashing(phases: Sequence[Phase]) -> set[Value]:
    """What one moment reads of the moment before though it is also where such a thing is written."""
    found: set[Value] = set()
    for phase in phases:
        carried = [step for step in phase.steps if step.name == "carry"]
        left = {step.holders[0] for step in carried if step.before and step.operands[0] is not None}
        found |= left & {step.holders[-1] for step in carried}
    return found


def _lies_outside(step: Step) -> bool:
    """Whether what is copied needs no copy: the value in the loop lies where the moment outside does."""
    inside = next(operand for operand in step.operands if isinstance(operand, Value))
    outside = next(operand for operand in step.operands if isinstance(operand, Moment))
    if inside.lasting or inside.compact or inside.seen or inside.whole:
        return False
    inside.space, inside.seen = WHOLE, outside
    return True


def _place_locals(phase: Phase, rows: int) -> int:
    first: dict[Value, int] = {}
    last: dict[Value, int] = {}
    for index, step in enumerate(phase.steps):
        for value in step.holders:
            if value.space == LOCAL:
                first.setdefault(value, index)
                last[value] = index
    group = min(phase.group or rows, rows)
    sizes = {value: value.size if value.once else value.stride * group for value in first}
    return _allocate(list(first), sizes, first, last)


def _allocate(
    values: Sequence[Value], sizes: Mapping[Value, int], first: Mapping[Value, int], last: Mapping[Value, int]
) -> int:
    """First fit by time: what is no longer read gives its place to what comes after. Gives the total size."""
    free: list[tuple[int, int]] = []  # (offset, size), sorted by offset
    active: list[tuple[int, int, int]] = []  # heap of (last use, offset, size)
    total = 0
    for value in sorted(values, key=lambda value: first[value]):
        while active and active[0][0] < first[value]:
            _, offset, size = heapq.heappop(active)
            free = _returned(free, offset, size)
        need = -(-sizes[value] // 16) * 16 + 16  # what lies behind a row's end may be read
        for place, (offset, size) in enumerate(free):
            if size >= need:
                free[place : place + 1] = [(offset + need, size - need)] if size > need else []
                value.offset = offset
                break
        else:
            if free and free[-1][0] + free[-1][1] == total:
                value.offset, _ = free.pop()
            else:
                value.offset = total
            total = max(total, value.offset + need)
        heapq.heappush(active, (last[value], value.offset, need))
    return total


def _returned(free: list[tuple[int, int]], offset: int, size: int) -> list[tuple[int, int]]:
    """The free places with one more, neighbours joined."""
    joined: list[tuple[int, int]] = []
    for start, length in sorted([*free, (offset, size)]):
        if joined and joined[-1][0] + joined[-1][1] == start:
            joined[-1] = (joined[-1][0], joined[-1][1] + length)
        else:
            joined.append((start, length))
    return joined
