"""Networks as plain data, which every contestant translates into its own words.

From the same data come the shapes, the first weights and the arithmetic of the plain algorithm. Images are
channels last, kernels (KH, KW, C, filters) or (features, units), weights in Keras's order; a contestant with
other habits transposes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int, ...]
INPUT = -1
"""The place of the network's input, where a node names what feeds it."""

PIXELS = (-1.0, 1.0)
"""The range of inputs."""


@dataclass(frozen=True)
class Layer:
    """One operation. Shapes are those of one sample."""

    def output(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        return {}

    def multiply_adds(self, *shapes: Shape) -> int:
        """Of the forward pass, for one sample, by the plain algorithm; element-wise work is not counted."""
        return 0

    def inner_multiply_adds(self, *shapes: Shape) -> int:
        """Those of them whose factors both have gradients, wherever the layer stands."""
        return 0


@dataclass(frozen=True)
class Dense(Layer):
    units: int
    activation: str | None = None

    def output(self, *shapes: Shape) -> Shape:
        return (self.units,)

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        return {"kernel": (shapes[0][-1], self.units), "bias": (self.units,)}

    def multiply_adds(self, *shapes: Shape) -> int:
        return shapes[0][-1] * self.units


@dataclass(frozen=True)
class Conv(Layer):
    filters: int
    size: int
    strides: int = 1
    padding: str = "same"
    activation: str | None = None
    bias: bool = True

    def output(self, *shapes: Shape) -> Shape:
        return (*windows(shapes[0], self.size, self.strides, self.padding), self.filters)

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        kernel = {"kernel": (self.size, self.size, shapes[0][-1], self.filters)}
        return kernel | ({"bias": (self.filters,)} if self.bias else {})

    def multiply_adds(self, *shapes: Shape) -> int:
        return math.prod(self.output(*shapes)) * self.size**2 * shapes[0][-1]


@dataclass(frozen=True)
class DepthwiseConv(Layer):
    """Padding "same". The kernel is (KH, KW, 1, C), which lies in memory as Keras's (KH, KW, C, 1)."""

    size: int
    strides: int = 1
    activation: str | None = None

    def output(self, *shapes: Shape) -> Shape:
        return (*windows(shapes[0], self.size, self.strides, "same"), shapes[0][-1])

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        channels = shapes[0][-1]
        return {"kernel": (self.size, self.size, 1, channels), "bias": (channels,)}

    def multiply_adds(self, *shapes: Shape) -> int:
        return math.prod(self.output(*shapes)) * self.size**2


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """Padding "same": images become `strides` times as large. The kernel is (KH, KW, filters, C)."""

    filters: int
    size: int
    strides: int
    activation: str | None = None

    def output(self, *shapes: Shape) -> Shape:
        return (*(pixels * self.strides for pixels in shapes[0][:2]), self.filters)

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        return {"kernel": (self.size, self.size, self.filters, shapes[0][-1]), "bias": (self.filters,)}

    def multiply_adds(self, *shapes: Shape) -> int:
        return math.prod(shapes[0]) * self.size**2 * self.filters


@dataclass(frozen=True)
class Recurrent(Layer):
    """LSTM or GRU over (T, F), as Keras has them; the last state, or with `sequences` all of them."""

    units: int
    kind: str
    sequences: bool = False

    @property
    def gates(self) -> int:
        return {"lstm": 4, "gru": 3}[self.kind]

    def output(self, *shapes: Shape) -> Shape:
        return (shapes[0][0], self.units) if self.sequences else (self.units,)

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        wide = self.gates * self.units
        bias = (wide,) if self.kind == "lstm" else (2, wide)
        return {"kernel": (shapes[0][-1], wide), "recurrent_kernel": (self.units, wide), "bias": bias}

    def multiply_adds(self, *shapes: Shape) -> int:
        return self.inner_multiply_adds(*shapes) + math.prod(shapes[0]) * self.gates * self.units

    def inner_multiply_adds(self, *shapes: Shape) -> int:
        return shapes[0][0] * self.gates * self.units**2


@dataclass(frozen=True)
class SelfAttention(Layer):
    """Multi-head attention of (T, F) to itself, with the four projections; the output has F features."""

    heads: int
    size: int

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        features, inner = shapes[0][-1], self.heads * self.size
        found: dict[str, Shape] = {}
        for name in ("query", "key", "value"):
            found |= {f"{name}_kernel": (features, inner), f"{name}_bias": (inner,)}
        return found | {"output_kernel": (inner, features), "output_bias": (features,)}

    def multiply_adds(self, *shapes: Shape) -> int:
        return self.inner_multiply_adds(*shapes) + 3 * math.prod(shapes[0]) * self.heads * self.size

    def inner_multiply_adds(self, *shapes: Shape) -> int:
        inner = self.heads * self.size
        return math.prod(shapes[0]) * inner + 2 * shapes[0][0] ** 2 * inner


@dataclass(frozen=True)
class Augment(Layer):
    """Images changed while training, each by numbers of its own.

    `factor` is Keras's: a part of height and width, of a turn, of the size, of the range of the pixels, of
    the contrast. What comes from outside of an image is its reflection. Flips are of left and right.
    """

    kind: str
    factor: float = 0.0


@dataclass(frozen=True)
class MaxPool(Layer):
    size: int = 2
    strides: int = 2
    padding: str = "valid"

    def output(self, *shapes: Shape) -> Shape:
        return (*windows(shapes[0], self.size, self.strides, self.padding), shapes[0][-1])


@dataclass(frozen=True)
class GlobalAverage(Layer):
    def output(self, *shapes: Shape) -> Shape:
        return shapes[0][-1:]


@dataclass(frozen=True)
class Flatten(Layer):
    def output(self, *shapes: Shape) -> Shape:
        return (math.prod(shapes[0]),)


@dataclass(frozen=True)
class Dropout(Layer):
    rate: float


@dataclass(frozen=True)
class ReLU(Layer):
    pass


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Momentum 0.99 and epsilon 0.001, as in Keras."""

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        return {"gamma": shapes[0][-1:], "beta": shapes[0][-1:]}


@dataclass(frozen=True)
class Add(Layer):
    pass


@dataclass(frozen=True)
class Concat(Layer):
    def output(self, *shapes: Shape) -> Shape:
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


def windows(shape: Shape, size: int, strides: int, padding: str) -> Shape:
    """Rows and columns of what windows leave of an image."""
    reach = 1 if padding == "same" else size
    return tuple((pixels - reach) // strides + 1 for pixels in shape[:2])


def padding_of(pixels: int, size: int, strides: int) -> tuple[int, int]:
    """Zeros before and after an axis for padding "same", as Keras has them: the odd one comes after."""
    total = max((-(-pixels // strides) - 1) * strides + size - pixels, 0)
    return total // 2, total - total // 2


@dataclass(frozen=True)
class Node:
    layer: Layer
    inputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]

    @property
    def shape(self) -> Shape:
        return self.layer.output(*self.input_shapes)

    @property
    def parameters(self) -> dict[str, Shape]:
        return self.layer.parameters(*self.input_shapes)

    @property
    def multiply_adds(self) -> int:
        return self.layer.multiply_adds(*self.input_shapes)


@dataclass
class Network:
    """Nodes in an order in which they can be computed; the last one gives the logits."""

    input_shape: Shape
    nodes: list[Node] = field(default_factory=list)

    def add(self, layer: Layer, *inputs: int) -> int:
        """Put a layer behind these nodes, or behind the last one. Gives its place."""
        places = inputs or (len(self.nodes) - 1,)
        shapes = tuple(self.input_shape if at == INPUT else self.nodes[at].shape for at in places)
        self.nodes.append(Node(layer, places, shapes))
        return len(self.nodes) - 1

    def chain(self, *layers: Layer) -> int:
        """Put layers behind one another, at the end."""
        for layer in layers:
            self.add(layer)
        return len(self.nodes) - 1

    def run(self, x: Any, apply: Any) -> Any:
        """The last value, where `apply(place, layer, *values)` computes a node."""
        values: dict[int, Any] = {INPUT: x}
        for place, node in enumerate(self.nodes):
            values[place] = apply(place, node.layer, *(values[at] for at in node.inputs))
        return values[len(self.nodes) - 1]

    def flattened(self, place: int) -> Shape | None:
        """(H, W, C) of the images that were flattened just before a node; None where none were."""
        before = self.nodes[place].inputs[0]
        while before >= 0 and isinstance(self.nodes[before].layer, Dropout):
            before = self.nodes[before].inputs[0]
        if before < 0 or not isinstance(self.nodes[before].layer, Flatten):
            return None
        return self.nodes[before].input_shapes[0]

    @property
    def parameter_count(self) -> int:
        return sum(math.prod(shape) for node in self.nodes for shape in node.parameters.values())

    def forward_operations(self) -> int:
        """Floating-point operations of one sample forward: two for each multiply-add."""
        return 2 * sum(node.multiply_adds for node in self.nodes)

    def training_operations(self) -> int:
        """The same forward and backward: y, dW, and dX unless nothing before it has parameters."""
        learns = {INPUT: False}
        total = 0
        for place, node in enumerate(self.nodes):
            behind = any(learns[at] for at in node.inputs)
            learns[place] = behind or bool(node.parameters)
            inner = node.layer.inner_multiply_adds(*node.input_shapes)
            total += 2 * (3 * inner + (node.multiply_adds - inner) * (3 if behind else 2))
        return total

    def weights(self, seed: int = 0) -> list[dict[str, np.ndarray]]:
        """First weights for each node: He's uniform ones, biases 0, gains 1."""
        rng = np.random.default_rng(seed)
        return [
            {name: _first(name, shape, rng) for name, shape in node.parameters.items()} for node in self.nodes
        ]


def _first(name: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    if not name.endswith("kernel"):
        return np.full(shape, float(name == "gamma"), np.float32)
    limit = math.sqrt(6 / math.prod(shape[:-1]))
    return rng.random(shape, np.float32) * np.float32(2 * limit) - np.float32(limit)


def to_channels_first(kernel: np.ndarray, image: Shape | None) -> np.ndarray:
    """Rows of a dense kernel as a library needs them that flattens images as (C, H, W)."""
    if image is None:
        return kernel
    return kernel.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)


def from_channels_first(kernel: np.ndarray, image: Shape | None) -> np.ndarray:
    """The way back."""
    if image is None:
        return kernel
    height, width, channels = image
    return kernel.reshape(channels, height, width, -1).transpose(1, 2, 0, 3).reshape(kernel.shape)
