"""The parts of a graph: inputs, nodes and parameters. Plain frozen records without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ..arrays import Shape
from ..bricks.base import Brick
from ..structs import struct


@struct(frozen=True)
class InputSpec:
    """What comes in from outside: the shape, None for the batch axis, and the dtype."""

    shape: Shape
    dtype: str = "float32"


@struct(frozen=True)
class Attributes:
    """What a layer says of a parameter beyond its brick; None leaves the brick's own initializer."""

    initializer: Any = None
    trainable: bool = True
    regularizer: Any = None
    constraint: Any = None


@struct(frozen=True)
class Node:
    """One use of a brick.

    Parameters and state belong to the owner: two nodes with one owner share them. `inputs` name graph
    inputs, nodes, or one output of a node with several, as "split:1". `layer` is the path of the layer that
    laid the brick and `kind` its class; both only group nodes for people to read. A `frozen` node runs its
    running statistics as in inference, as Keras does. `index` and `stream` are given by the graph.
    """

    name: str
    brick: Brick
    inputs: tuple[str, ...]
    owner: str = ""
    layer: str = ""
    kind: str = ""
    frozen: bool = False
    attributes: Mapping[str, Attributes] = field(default_factory=dict, compare=False)
    index: int = -1
    stream: int = -1


@struct(frozen=True)
class Parameter:
    """A learned array of a graph, named "owner/name"."""

    owner: str
    name: str
    shape: tuple[int, ...]
    initializer: Any
    trainable: bool = True
    regularizer: Any = None
    constraint: Any = None

    @property
    def key(self) -> str:
        """The name under which engines, gradients and files know it."""
        return f"{self.owner}/{self.name}"


@struct(frozen=True)
class Statistic:
    """A running statistic of a graph, named "owner/name", with the number it starts from."""

    owner: str
    name: str
    shape: tuple[int, ...]
    start: float

    @property
    def key(self) -> str:
        """The name under which engines and files know it."""
        return f"{self.owner}/{self.name}"
