"""Which inputs bring the numbers of rows in tables (Embedding), and whether these rows are there.

Engines take what they are given: one raises, one gives NaN, one reads another row. So it is checked before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..arrays import Array
from ..bricks import Embedding, Flatten, Flip, Identity, RepeatVector, Reshape, Slice, Transpose
from ..bricks.base import Brick, Context
from ..data.rows import blocks
from ..errors import DataError
from ..graph.graph import Graph
from ..structs import struct

_BLOCK = 1 << 16
_MOVING = (Flatten, Flip, Identity, RepeatVector, Reshape, Slice, Transpose)
"""Bricks that move numbers and leave them as they are."""


@struct(frozen=True)
class Lookup:
    """An Embedding, the graph input that feeds it, and the bricks between, which only move numbers."""

    source: str
    path: tuple[Brick, ...]
    rows: int
    layer: str


def lookups(graph: Graph) -> list[Lookup]:
    """Each Embedding that an input feeds."""
    found: list[Lookup] = []
    moved: dict[str, tuple[str, tuple[Brick, ...]]] = {name: (name, ()) for name in graph.inputs}
    for node in graph.nodes:
        known = moved.get(node.inputs[0]) if len(node.inputs) == 1 else None
        if known is None:
            continue
        source, path = known
        if isinstance(node.brick, Embedding):
            found.append(Lookup(source, path, node.brick.input_dim, node.layer or node.name))
        elif isinstance(node.brick, _MOVING):
            moved[node.name] = (source, (*path, node.brick))
    return found


def check_lookups(known: Iterable[Lookup], arrays: Mapping[str, Any], told: Mapping[str, str]) -> None:
    """DataError naming the first number without a row in its table; `told` names the inputs for the user."""
    for lookup in known:
        for start, block in blocks(arrays[lookup.source], _BLOCK):
            numbers = block
            for brick in lookup.path:
                numbers = brick.forward({}, numbers, ctx=Context())[0]
            inside = (numbers > -1) & (numbers < lookup.rows)  # a fraction is cut off
            if not inside.all():
                raise _beyond(lookup, told[lookup.source], start, numbers, inside)


def _beyond(lookup: Lookup, what: str, start: int, numbers: Array, inside: Array) -> DataError:
    row = next(index for index, fine in enumerate(inside) if not fine.all())
    wrong = numbers[row][~inside[row]].reshape(-1)[0]
    repair = "Number from 0, and keep a number for what is not known."
    if wrong >= lookup.rows:
        repair = f"Give the layer an input_dim of at least {int(numbers.max()) + 1}, or number from 0."
    return DataError(
        f"{what} must hold whole numbers from 0 to {lookup.rows - 1}, since the Embedding {lookup.layer!r} "
        f"has input_dim={lookup.rows}; it holds {wrong!s} in row {start + row}. {repair}"
    )
