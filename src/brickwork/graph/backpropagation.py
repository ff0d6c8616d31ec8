"""Back-propagation: the only place where gradients of a shared value or parameter are added.

Bricks return the gradients of their own inputs and parameters. A value that feeds several bricks receives
the sum of what they return (the chain rule for fan-out), and so does a parameter used by several nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..arrays import Array, namespace
from ..bricks.base import Saved
from ..errors import GraphError, did_you_mean, known_names
from ..structs import struct
from .graph import Graph, Wire, place


def backprop(
    graph: Graph,
    params: Mapping[str, Array],
    saved: Mapping[str, Saved],
    seeds: Mapping[str, Array],
    *,
    wanted: Collection[str] | None = None,
    keep: Collection[str] = (),
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Gradients of E with respect to parameters and values.

    Parameters
    ----------
    seeds : dE/dvalue for the values where back-propagation starts.
    wanted : keys of the parameters whose gradients are computed; None: all trainable ones.
    keep : names of values (nodes, inputs) whose gradients are handed back.

    Returns
    -------
    (gradients of the wanted parameters, gradients of the kept values). A wanted parameter that E does not
    depend on gets zeros; a kept value that E does not depend on, or that holds integers, is left out.

    Raises
    ------
    GraphError for a name that the graph does not know.

    Only what leads to something wanted is computed: the gradient with respect to the data, for one, is not
    unless `keep` names it. Rumelhart, Hinton and Williams, "Learning representations by back-propagating
    errors", 1986.
    """
    plan = _plan(graph, None if wanted is None else frozenset(wanted), frozenset(keep))
    gradients: dict[str, Array] = {}
    for name, seed in seeds.items():
        _require_known("A seed", name, graph.shapes)
        _add(gradients, name, seed)
    dparams: dict[str, Array] = {}
    kept: dict[str, Array] = {}
    for wire, use in zip(reversed(graph.wires), plan.uses, strict=True):
        dys = [gradients.pop(name, None) for name in wire.outputs]
        for name, dy in zip(wire.outputs, dys, strict=True):
            if dy is not None and name in plan.keep:
                kept[name] = dy
        if not (use.inputs or use.parameters) or all(dy is None for dy in dys):
            continue
        dxs, own = _through(wire, use, params, saved, dys)
        for name, full in use.parameters:
            if name in own:
                _add(dparams, full, own[name])
        for index, name in use.inputs:
            if (dx := dxs[index]) is not None:
                _add(gradients, name, dx)
    kept.update({name: dx for name, dx in gradients.items() if name in plan.keep})
    return {
        key: dparams[key] if key in dparams else namespace(params[key]).zeros_like(params[key])
        for key in plan.wanted
    }, kept


@struct(frozen=True)
class _Use:
    """What is asked of one brick on the way back: inputs by place and name, parameters by name and key."""

    inputs: tuple[tuple[int, str], ...]
    parameters: tuple[tuple[str, str], ...]


@struct(frozen=True)
class _Plan:
    """What is asked of each brick, last brick first, so that a value gets its gradient whole."""

    uses: tuple[_Use, ...]
    wanted: tuple[str, ...]
    keep: frozenset[str]


def _through(
    wire: Wire,
    use: _Use,
    params: Mapping[str, Array],
    saved: Mapping[str, Saved],
    dys: list[Array | None],
) -> tuple[tuple[Array | None, ...], Mapping[str, Array]]:
    """One brick backwards; the half that nobody reads is not computed."""
    brick = wire.node.brick
    own = {name: params[full] for name, full in wire.parameters}
    kept = saved[wire.node.name]
    dy = dys[0] if len(dys) == 1 else tuple(dys)
    try:
        if not use.inputs:
            return (), brick.parameter_gradients(own, kept, dy)
        dxs, gradients = (
            brick.backward(own, kept, dy) if use.parameters else (brick.input_gradients(own, kept, dy), {})
        )
        if len(dxs) != len(wire.node.inputs):
            raise GraphError(
                f"{type(brick).__name__} needs one gradient for each of its {len(wire.node.inputs)} inputs, "
                f"None where there is none; its backward gave {len(dxs)}. Mend the brick."
            )
        return dxs, gradients
    except Exception as error:
        error.add_note(place(wire.node) + ", on the way back")
        raise


def _add(gradients: dict[str, Array], name: str, dx: Array) -> None:
    """Never in place: a merge may have returned one array for several of its inputs."""
    gradients[name] = gradients[name] + dx if name in gradients else dx


def _plan(graph: Graph, wanted: frozenset[str] | None, keep: frozenset[str]) -> _Plan:
    """Which halves of which bricks lead to something that was asked for; found once for each question."""
    if (wanted, keep) not in graph.needs:
        graph.needs[wanted, keep] = _find_plan(graph, wanted, keep)
    plan: _Plan = graph.needs[wanted, keep]
    return plan


def _find_plan(graph: Graph, wanted: frozenset[str] | None, keep: frozenset[str]) -> _Plan:
    for key in wanted or ():
        _require_known("`wanted`", key, graph.parameters)
    for name in keep:
        _require_known("`keep`", name, graph.shapes)
    if wanted is None:
        wanted = frozenset(key for key, parameter in graph.parameters.items() if parameter.trainable)
    needed = set(keep)
    uses = []
    for wire in graph.wires:
        inputs = tuple((index, name) for index, name in enumerate(wire.node.inputs) if name in needed)
        parameters = tuple(pair for pair in wire.parameters if pair[1] in wanted)
        if inputs or parameters:
            needed.update(wire.outputs)
        uses.append(_Use(inputs, parameters))
    return _Plan(tuple(reversed(uses)), tuple(key for key in graph.parameters if key in wanted), keep)


def _require_known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise GraphError(
            f"{what} names a value or parameter of the graph, one of {known_names(known) or 'none'}; it "
            f"received {name!r}.{did_you_mean(name, known)}"
        )
