"""Random networks for hypothesis: merges, fan-out, shared owners, two outputs, dense and convolutional."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from brickwork.bricks import (
    ELU,
    GELU,
    SELU,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    Bias,
    Concatenate,
    Convolution2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Maximum,
    MaxPooling2D,
    Multiply,
    PReLU,
    ReLU,
    Scale,
    Sigmoid,
    Softmax,
    Softplus,
    Sum,
    Tanh,
)
from brickwork.graph import Graph, Node
from graph.made_bricks import Split

PLAIN = (
    Bias(),
    Scale(),
    Tanh(),
    Sigmoid(),
    GELU(),
    Softplus(),
    BatchNormalization(),
    BatchNormalization(scale=False),
)
"""Fit everywhere and are smooth."""
KINKED = (ReLU(), LeakyReLU(0.1), ELU(0.5), SELU(), PReLU())
VECTOR = (Linear(2), Linear(4), Softmax(), LogSoftmax(), Split(), Sum(keepdims=True))
IMAGE = (
    Convolution2D(2, (3, 3), padding="same"),
    Convolution2D(4, (2, 2), padding="same", strides=(2, 2), groups=2),
    Convolution2D(2, (2, 2), padding="same", dilation_rate=(2, 2)),
    AveragePooling2D((2, 2), padding="same"),
    GlobalAveragePooling2D(),
    Flatten(),
)
MERGES = (Add(), Average(), Multiply(), Concatenate(), Maximum())
ODD_VECTOR = (Linear(1), Linear(17), Linear(50), Linear(130), Flatten())
ODD_IMAGE = (
    Convolution2D(17, (3, 3), padding="same"),
    Convolution2D(1, (1, 1)),
    Convolution2D(5, (3, 2), padding="same", strides=(2, 1)),
    Convolution2D(4, (1, 4), padding="same", strides=(1, 3)),
    MaxPooling2D((3, 3), padding="same", strides=(2, 2)),
    Linear(3),
)
"""Sizes that no register and no tile divides."""


@dataclass(frozen=True)
class Value:
    """A value under construction. `ties` where numbers may be exactly equal, so that no kink may follow."""

    name: str
    shape: tuple
    ties: bool = False


@st.composite
def dags(draw, most: int = 9, batch_norm: bool = True, odd: bool = False) -> Graph:
    """A graph on a vector "x" (None, 4) and, sometimes, an "image" (None, 4, 4, 2); or of `odd` sizes too."""
    values = [Value("x", (None, draw(st.sampled_from([4, 1, 19, 260])) if odd else 4))]
    if draw(st.booleans(), "image"):
        shape = draw(st.sampled_from([(4, 4, 2), (7, 3, 1), (5, 9, 3), (6, 6, 17)])) if odd else (4, 4, 2)
        values.append(Value("image", (None, *shape)))
    inputs = {value.name: value.shape for value in values}
    nodes: list[Node] = []
    for index in range(draw(st.integers(1, most), "nodes")):
        x = draw(st.sampled_from(values), "x")
        kind = draw(st.sampled_from(["plain", "own", "own", "merge", "shared", "kink", "random"]), "kind")
        node, ties = _node(draw, f"n{index}", kind, x, values, nodes, odd)
        if isinstance(node.brick, BatchNormalization) and not batch_norm:
            continue
        nodes.append(node)
        values += _outputs(node, inputs, nodes, ties)
    read = {name for node in nodes for name in node.inputs}
    return Graph(inputs, nodes, [value.name for value in values if value.name not in read])


def _node(draw, name, kind, x, values, nodes, odd):
    image = len(x.shape) == 4
    if kind == "kink" and not x.ties:
        kinked = (*KINKED, MaxPooling2D((2, 2), padding="same")) if image else KINKED
        return Node(name, draw(st.sampled_from(kinked)), (x.name,)), True
    if kind == "random":
        return Node(name, Dropout(draw(st.sampled_from([0.0, 0.3]))), (x.name,)), True
    if kind == "merge":
        partners = [value for value in values if value.shape == x.shape]
        others = draw(st.lists(st.sampled_from(partners), min_size=1, max_size=2))
        brick = draw(st.sampled_from(MERGES))
        tied = x.ties or any(other.ties for other in others)
        if isinstance(brick, Maximum) and (tied or len({x.name, *(o.name for o in others)}) <= len(others)):
            brick = Add()
        ties = tied or isinstance(brick, Maximum)
        return Node(name, brick, (x.name, *(other.name for other in others))), ties
    if kind == "shared":
        owners = [node for node in nodes if _fits(node, x, values)]
        if owners:
            first = draw(st.sampled_from(owners))
            return Node(name, first.brick, (x.name,), owner=first.owner or first.name), x.ties
    bricks = PLAIN if kind == "plain" else IMAGE if image else VECTOR
    if odd and kind != "plain":
        bricks += ODD_IMAGE if image else ODD_VECTOR
    brick = draw(st.sampled_from(bricks))
    if (isinstance(brick, Split) and x.shape[1] % 2) or (image and x.shape[3] % getattr(brick, "groups", 1)):
        brick = Linear(2)
    return Node(name, brick, (x.name,)), x.ties


def _fits(node: Node, x: Value, values: list[Value]) -> bool:
    """Whether the node has parameters, and they fit x."""
    (known, *more) = [value.shape for value in values if value.name in node.inputs]
    return not more and known == x.shape and bool(node.brick.parameters(x.shape))


def _outputs(node, inputs, nodes, ties):
    graph = Graph(inputs, nodes, [])
    names = (
        [node.name] if node.brick.outputs == 1 else [f"{node.name}:{i}" for i in range(node.brick.outputs)]
    )
    return [Value(name, graph.shapes[name], ties) for name in names]
