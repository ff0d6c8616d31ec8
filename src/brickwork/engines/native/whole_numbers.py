"""Which inputs of whole numbers must be floats in a plan: those that an instruction for floats reads.

A few instructions (a table's rows, masks, labels) read the bits of whole numbers; to all others they would be
floats close to 0. Moves only carry them on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...graph.graph import Graph
from .writer import Part


def read_as_floats(parts: Iterable[Part], graph: Graph, lowering: Callable[[Part], Any]) -> set[str]:
    """Names of the graph's inputs."""
    whole = {name for name, spec in graph.inputs.items() if not spec.dtype.startswith("float")}
    floats: set[str] = set()
    known = [(part, lowering(part)) for part in parts] if whole else []
    while found := _misread(known, whole - floats, graph.outputs):
        floats |= found
    return floats


def _misread(known: Iterable[tuple[Part, Any]], whole: set[str], outputs: Iterable[str]) -> set[str]:
    """Those of `whole` that reach an output, or an instruction for floats, or are moved beside floats."""
    origins = {name: {name} for name in whole}
    misread: set[str] = set()
    for part, how in known:
        sources = [origins.get(name, set()) for name in part.inputs]
        united = set().union(*sources)
        if getattr(how, "moves", False) and all(sources):
            origins[part.output] = united
        elif not getattr(how, "reads_whole", False):
            misread |= united
    return misread.union(*(origins.get(name, ()) for name in outputs))
