"""A graph as JSON: version, inputs, nodes with owners, attributes of the parameters, outputs.

Version 1. `type` of a node is "brick", or "loop" for a Loop, whose configuration holds its cell as another
such graph. Readers refuse newer versions.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from ..bricks.registry import brick_from_config, brick_to_config
from ..errors import FormatError, GraphError, ParameterError, ShapeError
from .graph import Graph
from .node import Attributes, InputSpec, Node

FORMAT = "brickwork-graph"
VERSION = 1
LOOP = "brickwork/Loop"
"""The registered name of graph.loop's brick."""


def graph_to_config(graph: Graph) -> dict[str, Any]:
    """The graph as a dict for `json.dumps`.

    >>> from brickwork.bricks import Tanh
    >>> config = graph_to_config(Graph({"x": (None, 2)}, [("y", Tanh(), "x")], ["y"]))
    >>> graph_from_config(config).shapes["y"]
    (None, 2)
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "inputs": {
            name: {"shape": list(spec.shape), "dtype": spec.dtype} for name, spec in graph.inputs.items()
        },
        "nodes": [
            {
                "type": "loop" if told["class"] == LOOP else "brick",
                "name": node.name,
                "brick": told,
                "inputs": list(node.inputs),
                "owner": node.owner,
                "layer": node.layer,
                "kind": node.kind,
                "frozen": node.frozen,
            }
            for node in graph.nodes
            for told in (brick_to_config(node.brick),)
        ],
        "parameters": {
            key: {
                "trainable": parameter.trainable,
                **{kind: _told(kind, getattr(parameter, kind)) for kind in _KINDS},
            }
            for key, parameter in graph.parameters.items()
        },
        "outputs": list(graph.outputs),
    }


def graph_from_config(config: Mapping[str, Any]) -> Graph:
    """The graph that `graph_to_config` told. Raises FormatError for anything else."""
    if not isinstance(config, Mapping) or config.get("format") != FORMAT:
        raise FormatError(
            f'A graph\'s JSON holds "format": "{FORMAT}"; this one does not. Write it by graph_to_config.'
        )
    version = config.get("version")
    if not isinstance(version, int) or version < 1:
        raise FormatError(
            f"A graph's JSON holds its version, a whole number from 1 to {VERSION}; it says {version!r}. "
            f"Is the file damaged?"
        )
    if version > VERSION:
        raise FormatError(
            f"This Brickwork reads graphs up to version {VERSION}; the file is of version {version}. "
            f"Update Brickwork."
        )
    try:
        inputs = {
            name: InputSpec(tuple(spec["shape"]), spec["dtype"]) for name, spec in config["inputs"].items()
        }
        attributes = _attributes(config["parameters"])
        nodes = [_node(entry, attributes.get(entry["owner"], {})) for entry in config["nodes"]]
        return Graph(inputs, nodes, list(config["outputs"]))
    except KeyError as error:
        raise _damaged(f"{error} is missing") from error
    except (TypeError, AttributeError, ParameterError, GraphError, ShapeError) as error:
        raise _damaged(str(error)) from error


def _damaged(what: str) -> FormatError:
    return FormatError(
        "A graph's JSON holds inputs, nodes, parameters and outputs that fit together; here "
        f"{what.rstrip('.')}. Is the file damaged?"
    )


_KINDS = ("initializer", "regularizer", "constraint")


def _told(kind: str, thing: Any) -> dict[str, Any] | None:
    """An initializer, regularizer or constraint for JSON."""
    told: dict[str, Any] | None = None if thing is None else _module(kind).serialize(thing)
    return told


def _made(kind: str, told: Mapping[str, Any] | None) -> Any:
    """What `_told` told."""
    return None if told is None else _module(kind).deserialize(told)


def _module(kind: str) -> Any:
    return importlib.import_module(f"..{kind}s", __package__)


def _attributes(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Attributes]]:
    """Owner -> parameter -> what is said of it."""
    found: dict[str, dict[str, Attributes]] = {}
    for key, told in parameters.items():
        owner, _, name = key.rpartition("/")
        made = {kind: _made(kind, told[kind]) for kind in _KINDS}
        found.setdefault(owner, {})[name] = Attributes(trainable=told["trainable"], **made)
    return found


def _node(entry: Mapping[str, Any], attributes: Mapping[str, Attributes]) -> Node:
    if entry["type"] not in ("brick", "loop"):
        raise FormatError(
            f"Nodes of type 'brick' or 'loop' can be read; the file holds {entry['type']!r}. "
            f"Update Brickwork."
        )
    if entry["type"] == "loop":
        from . import loop  # noqa: F401  (so that its brick is known)
    return Node(
        entry["name"],
        brick_from_config(entry["brick"]),
        tuple(entry["inputs"]),
        entry["owner"],
        entry["layer"],
        entry["kind"],
        entry["frozen"],
        attributes,
    )
