"""The cell of a Loop in words: what a moment brings, each brick as one line, what the moment gives."""

from __future__ import annotations

from collections.abc import Iterator

from ..graph.loop import Loop
from ..graph.node import Node


def cell_lines(loop: Loop) -> Iterator[str]:
    """The lines, indented where they belong to the moment.

    >>> from brickwork.bricks import Add, Tanh
    >>> from brickwork.graph import Graph
    >>> nodes = [("sum", Add(), ("x", "h")), ("new", Tanh(), ("sum",))]
    >>> cell = Graph({"x": (None, 3), "h": (None, 3)}, nodes, ["new", "new"])
    >>> print(*cell_lines(Loop(cell)), sep="\\n")
    cell: x(t), h(t - 1)
      sum = Add(x, h)
      new = Tanh(sum)
    gives y(t) = new, h(t) = new
    """
    cell, count = loop.cell, loop.sequences
    names = list(cell.inputs)
    before = "t + 1" if loop.reverse else "t - 1"
    brought = [f"{name}(t)" if place < count else f"{name}({before})" for place, name in enumerate(names)]
    yield f"cell: {', '.join(brought)}"
    for node in cell.nodes:
        yield from (f"  {line}" for line in _brick_lines(node))
    places = loop.sequence_outputs
    shown = [f"y{place if places > 1 else ''}(t)" for place in range(places)]
    made = [*shown, *(f"{name}(t)" for name in names[count:])]
    pairs = zip(made, cell.outputs, strict=True)
    yield f"gives {', '.join(f'{new} = {name}' for new, name in pairs)}"


def _brick_lines(node: Node) -> Iterator[str]:
    """A brick with its arguments, called on what feeds it; the cell of a loop in the loop below it."""
    inside = isinstance(node.brick, Loop)
    brick = type(node.brick).__name__ if inside else repr(node.brick).removesuffix("()")
    yield f"{node.name} = {brick}({', '.join(node.inputs)})"
    if isinstance(node.brick, Loop):
        yield from (f"  {line}" for line in cell_lines(node.brick))
