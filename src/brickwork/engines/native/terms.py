"""E as a sum over the samples: what stands behind the last bricks of a training graph.

Losses give one number per sample; weighted means and sums over the batch, gains and additions make one number
of them. That number needs no instructions: it is a list of terms, and its gradient is known beforehand.
"""

from __future__ import annotations

from ...bricks import Add, Multiply, Rescaling, Sum, WeightedMean
from ...graph.graph import Graph
from ...structs import struct


@struct(frozen=True)
class Term:
    """share * the sum over the rows of `values`, times `weights` if any; divided by the rows if `mean`."""

    values: str
    weights: str | None
    share: float
    mean: bool


class NotASum(Exception):
    """E is put together in a way that is no sum of terms."""


def terms_of(graph: Graph, name: str) -> list[Term]:
    """The terms of the scalar `name`. Raises NotASum where it is something else."""
    found: list[Term] = []
    _collect(graph, name, 1.0, found)
    return found


def _collect(graph: Graph, name: str, share: float, found: list[Term]) -> None:
    node = graph.by_name.get(name)
    brick = None if node is None else node.brick
    if node is None or graph.shapes[name] != ():
        raise NotASum(name)
    if type(brick) is Add:
        for each in node.inputs:
            _collect(graph, each, share, found)
    elif type(brick) is Rescaling and isinstance(brick.scale, float | int) and brick.offset == 0.0:
        _collect(graph, node.inputs[0], share * brick.scale, found)
    elif type(brick) is WeightedMean:
        values, *weights = node.inputs
        found.append(Term(values, weights[0] if weights else None, share * brick.scale, True))
    elif type(brick) is Sum and graph.shapes[node.inputs[0]] == (None,):
        values = node.inputs[0]
        inner = graph.by_name.get(values)
        # A loss with reduction="sum": each row's loss times its weight, which comes from outside.
        if inner is not None and type(inner.brick) is Multiply and len(inner.inputs) == 2:
            each, weight = inner.inputs
            if weight in graph.inputs and graph.shapes[each] == (None,):
                found.append(Term(each, weight, share, False))
                return
        found.append(Term(values, None, share, False))
    else:
        raise NotASum(name)
