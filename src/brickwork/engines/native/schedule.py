"""Instructions in phases: the recipe that the C++ side runs. Where their buffers lie: see placing.py.

A phase is a run of instructions that work row by row; a group of rows goes through all of it while it is in
the cache, groups side by side on all threads. Between two phases all threads wait for one another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from ...structs import struct
from .layout import Layout
from .placing import place_values
from .rules import Update
from .values import PARAMETER, WHOLE, Matrix, Moment, Operand, Place, Step, Turns, Value
from .writer import Writer

_THREADED = 300_000
"""Multiply-adds of a phase below which waking threads costs more than they bring."""

_GROUP_BYTES = 384 << 10
"""Bytes of buffers of a group: they stay in the second-level cache beside the kernels."""

_GROUP_ROWS = 64
"""Rows of a group of a phase without images: the kernels are read once for each group."""

_FEWEST_ROWS = 16
"""Rows below which a group reads its kernels more often than is worth a free thread."""

_CHUNKS = 16
"""Parts of a batch that have sums of their own, whatever the number of threads; bytes allowing."""

_LIGHT_BYTES = 2 << 20
"""Bytes of the sums of all chunks above which half as many chunks are made: adding them up takes time."""

_CHUNK_BYTES = 128 << 20
"""Bytes that the sums of all chunks may take."""

_HEAVY = 128 << 10
"""Bytes of a kernel from which on few rows at a time would be spent on reading it."""

_ROWS_OF_A_CHUNK = {"reduce": 2, "winograd_reduce": 1, "batch_statistics": 3, "batch_finish": 3}
"""Instructions that add up the chunks, and which of their numbers says how many rows a chunk has."""

_AT_ONCE = 2_000_000_000
"""Multiply-adds of gradients from which on they are not fused with the update: Ctrl-C can come between."""

_UPDATED_TOGETHER = 1 << 14
"""Parameters that a thread updates at a time."""


@struct()
class Phase:
    """Steps that run together."""

    steps: list[Step]
    by_rows: bool
    threaded: bool = True
    chunk: int = 0
    group: int = 0
    host: int = -1
    turns: Turns | None = None
    """The loop that it is; its steps are taken again at every moment."""
    moments: int = 1
    """Of a phase of parts: how many moments' rows are taken together."""

    @property
    def spatial(self) -> bool:
        """Whether images go through it."""
        return any(step.spatial for step in self.steps)


@struct()
class Schedule:
    """All phases of a pass, with the sizes of their buffers."""

    forward: list[Phase]
    direct: Phase
    norms: Phase
    update_rest: Phase
    update_all: Phase
    turn_rest: Phase
    turn_all: Phase
    whole: int = 0
    local: int = 0
    rest: list[tuple[int, int]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    may_fuse: bool = False


def schedule(
    writer: Writer, rows: int, threads: int, updates: Sequence[Update], *, bounds_norms: bool = False
) -> Schedule:
    """Phases and places for batches of up to `rows` rows.

    `updates` are those that the native side makes; with `bounds_norms` it knows all gradients before.
    """
    late, direct = list(writer.late), list(writer.direct)
    work = sum(step.multiplies for step in direct) * rows
    may_fuse = bool(updates) and any(step.name == "matmul_gradient" for step in direct) and work < _AT_ONCE
    may_fuse = may_fuse and not bounds_norms
    if not may_fuse:
        late, direct = [*late, *direct], []
    if not writer.late and not writer.direct:
        _share_columns(writer.steps, rows, threads)
    phases = _row_phases(writer.steps)
    phases += [
        Phase([step for step in late if (step.turn, step.moments) == alike], by_rows=False, moments=alike[1])
        for alike in sorted({(step.turn, step.moments) for step in late})
    ]
    made = Schedule(
        phases,
        Phase(direct, by_rows=False),
        _norms(writer.layout, updates if bounds_norms else ()),
        *_updates(writer.layout, updates, direct),
        *_turns(writer.layout, writer, direct),
        may_fuse=may_fuse,
    )
    straight = {_parameter_of(step) for step in direct}
    made.rest = _merged(
        [
            writer.layout.place(update.key)
            for update in updates
            if _offset(writer.layout, update.key) not in straight
        ]
    )
    made.groups = [group for step in made.norms.steps for group in step.table[2::3]]
    for phase in phases:
        _divide(phase, rows, threads)
    for phase in (made.direct, made.norms, made.update_rest, made.update_all, made.turn_rest, made.turn_all):
        phase.threaded = sum(step.multiplies for step in phase.steps) * rows > _THREADED
    chunks = _chunks(phases)
    place_values(made, rows, chunks)
    for step in (step for phase in phases for step in phase.steps):
        if step.name in _ROWS_OF_A_CHUNK and step.values:
            step.ints[_ROWS_OF_A_CHUNK[step.name]] = chunks[step.values[0]]
    return made


def _share_columns(steps: Sequence[Step], rows: int, threads: int) -> None:
    """Rows too few to be shared out: threads take parts of the large kernels, each from a cache of its own.

    Not behind images, which take so long that the threads would be asleep by then.
    """
    if threads == 1 or rows > _FEWEST_ROWS or any(step.spatial for step in steps):
        return
    for step in steps:
        if step.name == "matmul" and step.turns is None and step.multiplies * rows > _THREADED:
            step.kind, step.parts = "parts", min(threads, len(step.matrices[0].blocks))


def _row_phases(steps: Sequence[Step]) -> list[Phase]:
    """Runs of steps of one kind; heavy kernels are kept apart from images, whose groups are small."""
    phases: list[Phase] = []
    for step in steps:
        current = phases[-1] if phases else None
        joins = (
            current is not None
            and step.kind == "rows"
            and current.by_rows
            and current.host < 0
            and current.turns == step.turns
            and (step.turns is not None or not _apart(current, step))
        )
        if joins and current is not None:
            current.steps.append(step)
        else:
            phases.append(Phase([step], step.kind == "rows", host=step.host, turns=step.turns))
    return phases


def _apart(phase: Phase, step: Step) -> bool:
    return (_heavy(step) and phase.spatial) or (step.spatial and any(map(_heavy, phase.steps)))


def _heavy(step: Step) -> bool:
    return not step.spatial and step.weight_bytes > _HEAVY


def _divide(phase: Phase, rows: int, threads: int) -> None:
    """How many rows go through together, and how many a thread takes at a time."""
    work = sum(step.multiplies for step in phase.steps) * rows
    phase.threaded = work > _THREADED
    if not phase.by_rows:
        return
    if not phase.spatial and not any(step.partial for step in phase.steps):
        even = math.ceil(rows / max(1, threads)) if phase.threaded else rows
        phase.chunk = phase.group = max(min(_GROUP_ROWS, even), min(_FEWEST_ROWS, rows))
        if not phase.threaded:
            phase.chunk = rows
        return
    sizes = [4 * value.size for step in phase.steps for value in step.values if value.chunks]
    sums, largest = sum(sizes), max(sizes, default=0)
    chunks = _CHUNKS if _CHUNKS * largest <= _LIGHT_BYTES else _CHUNKS // 2
    chunks = max(1, min(chunks, _CHUNK_BYTES // max(1, sums)))
    phase.chunk = math.ceil(rows / chunks)
    widest = max(
        sum(4 * value.size for value in step.values if not (value.chunks or value.once))
        for step in phase.steps
    )
    phase.group = max(1, min(phase.chunk, _GROUP_BYTES // max(1, 2 * widest)))


def _chunks(phases: Sequence[Phase]) -> dict[Value, int]:
    """For each value with a row for each chunk, the rows of a chunk: as the phase has them that fills it."""
    found: dict[Value, int] = {}
    for phase in phases:
        if phase.chunk:
            for step in phase.steps:
                found.update(
                    {value: phase.chunk for value in step.values if value.chunks and value not in found}
                )
    return found


# -- updates and transposes ---------------------------------------------------------------------------


def _parameter_of(step: Step) -> int:
    """Where the parameter lies whose gradient a step writes."""
    if step.matrices:
        return step.matrices[0].offset
    return next(operand.offset for operand in step.operands if isinstance(operand, Place))


def _offset(layout: Layout, key: str) -> int:
    return layout.place(key).offset


def _updates(layout: Layout, updates: Sequence[Update], direct: Sequence[Step]) -> tuple[Phase, Phase]:
    straight = {_parameter_of(step) for step in direct}
    rest = [update for update in updates if _offset(layout, update.key) not in straight]
    return _update_phase(layout, rest), _update_phase(layout, updates)


def _update_phase(layout: Layout, updates: Sequence[Update]) -> Phase:
    """Parameters that lie side by side and are updated alike are one run."""
    steps = []
    for terms, group in dict.fromkeys((update.terms, update.group) for update in updates):
        alike = [update for update in updates if (update.terms, update.group) == (terms, group)]
        runs = _merged([layout.place(update.key) for update in alike])
        table = [number for offset, count in _short(runs) for number in (offset, count, group)]
        total = sum(count for _, count in runs)
        steps.append(
            Step("update", [], [], list(terms), table=table, parts=len(table) // 3, multiplies=total // 64)
        )
    return Phase(steps, by_rows=False)


def _norms(layout: Layout, updates: Sequence[Update]) -> Phase:
    """Sums of squares of the gradients that are updated, parameter by parameter."""
    steps: list[Step] = []
    first = 0
    for update in updates:
        table = [
            number
            for offset, count, group, _ in updated(layout, [update])
            for number in (offset, count, group)
        ]
        size = layout.place(update.key).size
        steps.append(
            Step(
                "squares",
                [],
                [first],
                list(update.terms),
                table=table,
                parts=len(table) // 3,
                multiplies=size // 64,
            )
        )
        first += len(table) // 3
    return Phase(steps, by_rows=False)


def updated(layout: Layout, updates: Sequence[Update]) -> list[tuple[int, int, int, bool]]:
    """(offset, count, group, whether it decays) of short runs of parameters, one parameter after another."""
    return [
        (offset, count, update.group, update.decays)
        for update in updates
        for offset, count in _short([layout.place(update.key).run])
    ]


def _short(runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs that a thread takes at a time; sums over them are the same however they are shared out."""
    return [
        (offset + start, min(_UPDATED_TOGETHER, count - start))
        for offset, count in runs
        for start in range(0, count, _UPDATED_TOGETHER)
    ]


def _merged(places: Sequence[Place]) -> list[tuple[int, int]]:
    """Runs of places that lie side by side, the unused numbers between two lines included."""
    runs: list[list[int]] = []
    for place in sorted(places, key=lambda place: place.offset):
        if runs and place.offset - (runs[-1][0] + runs[-1][1]) < 16:
            runs[-1][1] = place.offset + place.size - runs[-1][0]
        else:
            runs.append([place.offset, place.size])
    return [(offset, count) for offset, count in runs]


def _turns(layout: Layout, writer: Writer, direct: Sequence[Step]) -> tuple[Phase, Phase]:
    """Transposes that some step reads; those of direct gradients are made with them."""
    read = {
        matrix.offset
        for step in writer.steps
        for matrix in step.matrices
        if isinstance(matrix, Matrix) and matrix.space not in (PARAMETER, WHOLE)
    }
    own = {step.matrices[0].offset for step in direct if len(step.matrices) > 1}
    rest, everything = [], []
    for weights in layout.kernels.values():
        grid, mirrored = weights.winograd, weights.winograd_turned
        if grid is not None and mirrored is not None and {grid.offset, mirrored.offset} & read:
            step = Step(
                "winograd_weights",
                [],
                [weights.tap_rows, mirrored.offset in read],
                matrices=[weights.matrix, grid, mirrored],
                parts=len(weights.matrix.blocks),
                multiplies=weights.matrix.size // 16,
            )
            rest.append(step)
            everything.append(step)
        turned = weights.transposed
        if turned is None or turned.offset not in read:
            continue
        step = Step(
            "transpose",
            [],
            [weights.tap_rows, int(weights.mirrored), weights.groups],
            matrices=[weights.matrix, turned],
            parts=weights.taps,
            multiplies=weights.matrix.size // 64,
        )
        everything.append(step)
        if weights.matrix.offset not in own:
            rest.append(step)
    return Phase(rest, by_rows=False), Phase(everything, by_rows=False)


# -- for the C++ side -------------------------------------------------------------------------------------


def operand(given: Operand) -> tuple[int, int, int] | None:
    """(space, offset, stride)."""
    if given is None:
        return None
    if isinstance(given, Moment):
        return operand(given.value)
    if isinstance(given, Place):
        return (given.space, given.offset, 0)
    held, first = given.holder, given.first
    if held.seen is not None:
        first += held.seen.value.first
        held = held.seen.value.holder
    return (held.space, held.offset + first, held.stride)


def _moving(phase: Phase) -> list[tuple[int, int, int, bool]]:
    """(instruction, operand, step or 0, whether of the moment before) of what moves on with a loop."""
    found = []
    for index, step in enumerate(phase.steps if phase.turns else ()):
        for place, given in enumerate(step.operands):
            before = step.before and place == 0
            seen = given if isinstance(given, Moment) else None
            if isinstance(given, Value):
                seen = given.holder.seen
            if seen is not None:
                found.append((index, place, seen.step, before))
            elif isinstance(given, Value) and given.holder.lasting:
                found.append((index, place, 0, before))
    return found


def described(phase: Phase) -> dict[str, Any]:
    """A phase as the C++ side takes it."""
    return {
        "body": [
            (
                step.name,
                step.parts,
                [operand(each) for each in step.operands],
                step.ints,
                step.floats,
                [matrix.description for matrix in step.matrices],
                step.table,
            )
            for step in phase.steps
            if step.kind != "host"
        ],
        "by_rows": phase.by_rows,
        "threaded": phase.threaded,
        "chunk": phase.chunk,
        "group": phase.group,
        "host": phase.host,
        "moments": phase.turns.moments if phase.turns else phase.moments,
        "backwards": phase.turns is not None and phase.turns.reverse,
        "moving": _moving(phase),
    }
