"""Random functional networks as plain descriptions, which Keras and Brickwork build alike.

A description is drawn by hypothesis and holds nothing but names, numbers and strings, so that a failure can
be copied from the report into a test of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st


@dataclass
class Network:
    """Inputs, layers, calls and outputs of a network.

    `inputs`: name -> shape. `layers`: name -> (class, arguments), or a Network. `calls`: (layer, places it
    reads); place k is the k-th input or, after the inputs, the k-th call. `outputs`: places. `losses` and
    `metrics`: for each output.
    """

    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    layers: dict[str, tuple[str, dict[str, Any]] | Network] = field(default_factory=dict)
    calls: list[tuple[str, list[int]]] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    losses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    loss_weights: list[float] | None = None
    metrics: list[list[str]] | None = None


def build(network: Network, library: Any, name: str = "net") -> Any:
    """The network in a library that has Keras's names."""
    known = [library.Input(shape, name=name) for name, shape in network.inputs.items()]
    inputs = list(known)
    made = {}
    for own, layer in network.layers.items():
        if isinstance(layer, Network):
            made[own] = build(layer, library, own)
        else:
            kind, arguments = layer
            made[own] = getattr(library.layers, kind)(**arguments, name=own)
    for own, places in network.calls:
        read = [known[place] for place in places]
        apart = isinstance(network.layers[own], tuple) and network.layers[own][0] == "MultiHeadAttention"
        known.append(made[own](*read) if apart else made[own](read if len(read) > 1 else read[0]))
    outputs = [known[place] for place in network.outputs]
    return library.Model(inputs, outputs if name == "net" else outputs[0], name=name)


def compile_(network: Network, model: Any, library: Any, optimizer: Any, **more: Any) -> None:
    """Compile with the description's losses."""
    losses = [getattr(library.losses, name)(**arguments) for name, arguments in network.losses]
    model.compile(optimizer, losses, loss_weights=network.loss_weights, metrics=network.metrics, **more)


def data(network: Network, shapes: list[tuple[int, ...]], rng: np.random.Generator, rows: int) -> Any:
    """(x, y) as lists of arrays; targets fit to the losses."""
    x = [
        rng.integers(0, WORDS, (rows, *shape)).astype(float)
        if name.startswith("words")
        else rng.standard_normal((rows, *shape))
        for name, shape in network.inputs.items()
    ]
    y = []
    for (name, _), shape in zip(network.losses, shapes, strict=True):
        if name == "SparseCategoricalCrossentropy":
            y.append(rng.integers(0, shape[-1], (rows, *shape[1:-1])))
        elif name == "CategoricalCrossentropy":
            y.append(np.eye(shape[-1])[rng.integers(0, shape[-1], (rows, *shape[1:-1]))])
        elif name == "BinaryCrossentropy":
            y.append(rng.integers(0, 2, (rows, *shape[1:])).astype(float))
        else:
            y.append(rng.standard_normal((rows, *shape[1:])))
    return x, y


# Drawing. Shapes are computed here once more, without the batch axis: both libraries are held to them.

ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "leaky_relu", "exponential", "log_softmax", "softmax", None)
SHAPE_KEEPING = (
    ("Activation", {"activation": st.sampled_from(ACTIVATIONS[:5])}),
    ("ReLU", {"max_value": st.sampled_from([None, 1.5]), "negative_slope": st.sampled_from([0.0, 0.2])}),
    ("LeakyReLU", {"negative_slope": st.sampled_from([0.3, 0.1])}),
    ("ELU", {"alpha": st.sampled_from([1.0, 0.5])}),
    ("Softmax", {}),
    ("Dropout", {"rate": st.just(0.0)}),
    ("Rescaling", {"scale": st.just(0.5), "offset": st.just(-0.25)}),
    ("LayerNormalization", {
        "epsilon": st.sampled_from([1e-2, 1e-1]),
        "center": st.booleans(),
        "scale": st.booleans(),
    }),
    ("RMSNormalization", {"epsilon": st.just(1e-2)}),
    ("GroupNormalization", {"groups": st.just(1), "epsilon": st.just(1e-2)}),
    ("BatchNormalization", {
        "momentum": st.sampled_from([0.99, 0.6]),
        "epsilon": st.sampled_from([1e-3, 1e-2]),
        "center": st.booleans(),
        "scale": st.booleans(),
        "trainable": st.sampled_from([True, True, False]),
    }),
)  # fmt: skip


PLAIN = ("Flatten", "Reshape", "Activation", "Softmax", "Add", "Concatenate", "MaxPooling2D")

SHARED = (
    *("Dense", "Conv2D", "BatchNormalization", "LayerNormalization", "DepthwiseConv2D", "SeparableConv2D"),
    *("Conv2DTranspose", "SimpleRNN", "LSTM", "GRU"),
)

WORDS = 5
"""How many different words the inputs called so have."""

METRICS = st.sampled_from([[], ["accuracy"], ["mae"], ["mse", "accuracy"]])


class Drawer:
    """Grows a network; `shapes[k]` is the shape of place k without the batch axis."""

    def __init__(self, draw: Any, inner: bool = False) -> None:
        self.draw = draw
        self.inner = inner
        self.network = Network()
        self.shapes: list[tuple[int, ...]] = []

    def input(self, shape: tuple[int, ...]) -> None:
        self.network.inputs[f"in{len(self.shapes)}"] = shape
        self.shapes.append(shape)

    def layer(self, kind: str, arguments: dict[str, Any]) -> str:
        # names whose alphabetical order is not the order of making
        name = f"{'zyxwv'[len(self.network.layers) % 5]}{len(self.network.layers)}_{kind.lower()}"
        self.network.layers[name] = (kind, arguments)
        return name

    def call(self, name: str, places: list[int], shape: tuple[int, ...]) -> int:
        self.network.calls.append((name, places))
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def place(self) -> int:
        """One of the later places, mostly."""
        return max(
            self.draw(st.integers(0, len(self.shapes) - 1)), self.draw(st.integers(0, len(self.shapes) - 1))
        )

    def step(self) -> None:
        """One more layer, or one more use of a layer."""
        place = self.place()
        kinds = ["keep", "merge", "share", "dense"]
        kinds += (
            ["convolution", "pooling", "convolution", "averaging"] if len(self.shapes[place]) == 3 else []
        )
        kinds += ["depthwise", "separable", "transposed"] if len(self.shapes[place]) == 3 else []
        kinds += ["recurrent", "recurrent", "attention"] if len(self.shapes[place]) == 2 else []
        kinds += ["flatten"] if len(self.shapes[place]) > 1 else ["reshape"]
        getattr(self, self.draw(st.sampled_from(kinds)))(place)

    def keep(self, place: int) -> None:
        kind, arguments = self.draw(st.sampled_from(SHAPE_KEEPING))
        name = self.layer(kind, {key: self.draw(value) for key, value in arguments.items()})
        self.call(name, [place], self.shapes[place])

    def kernel_arguments(self) -> dict[str, Any]:
        chosen = {
            "activation": self.draw(st.sampled_from(ACTIVATIONS)),
            "use_bias": self.draw(st.booleans()),
            "trainable": self.draw(st.sampled_from([True, True, True, False])),
            "kernel_regularizer": self.draw(st.sampled_from([None, None, "l2"])),
            "bias_regularizer": self.draw(st.sampled_from([None, None, "l2"])),
            "activity_regularizer": self.draw(st.sampled_from([None, None, None, "l2"])),
        }
        return {key: value for key, value in chosen.items() if value is not None or key == "activation"}

    def dense(self, place: int, units: int | None = None, **fixed: Any) -> int:
        units = units or self.draw(st.integers(1, 4))
        name = self.layer("Dense", {"units": units, **self.kernel_arguments(), **fixed})
        return self.call(name, [place], (*self.shapes[place][:-1], units))

    def windows(self, place: int, largest: int) -> tuple[tuple[int, int], str]:
        height, width, _ = self.shapes[place]
        padding = self.draw(st.sampled_from(["valid", "same"]))
        limit = (height, width) if padding == "valid" else (largest, largest)
        size = tuple(self.draw(st.integers(1, min(largest, most))) for most in limit)
        return size, padding

    def convolution(self, place: int) -> None:
        height, width, channels = self.shapes[place]
        size, padding = self.windows(place, 3)
        strides, dilation = (1, 1), (1, 1)
        if self.draw(st.booleans()):
            strides = (self.draw(st.integers(1, 3)), self.draw(st.integers(1, 3)))
        elif self.draw(st.booleans()):
            dilation = (self.draw(st.integers(1, 2)), self.draw(st.integers(1, 2)))
            if padding == "valid":
                within = ((height - 1) // max(size[0] - 1, 1), (width - 1) // max(size[1] - 1, 1))
                dilation = tuple(max(1, min(rate, most)) for rate, most in zip(dilation, within, strict=True))
        groups = self.draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
        filters = groups * self.draw(st.integers(1, 2))
        arguments = {
            "filters": filters, "kernel_size": size, "padding": padding, "strides": strides,
            "dilation_rate": dilation, "groups": groups, **self.kernel_arguments(),
        }  # fmt: skip
        reach = tuple((k - 1) * rate + 1 for k, rate in zip(size, dilation, strict=True))
        name = self.layer("Conv2D", arguments)
        self.call(name, [place], (*windowed((height, width), reach, strides, padding), filters))

    def depthwise(self, place: int) -> None:
        height, width, channels = self.shapes[place]
        size, padding = self.windows(place, 3)
        many = self.draw(st.integers(1, 2))
        told = {"kernel_size": size, "padding": padding, "depth_multiplier": many, **self.window_arguments()}
        made = windowed((height, width), size, (1, 1), padding)
        self.call(self.layer("DepthwiseConv2D", told), [place], (*made, channels * many))

    def separable(self, place: int) -> None:
        height, width, _ = self.shapes[place]
        size, padding = self.windows(place, 3)
        filters = self.draw(st.integers(1, 3))
        told = {"filters": filters, "kernel_size": size, "padding": padding, **self.window_arguments()}
        made = windowed((height, width), size, (1, 1), padding)
        self.call(self.layer("SeparableConv2D", told), [place], (*made, filters))

    def transposed(self, place: int) -> None:
        height, width, _ = self.shapes[place]
        if height * width > 40:
            return
        size = (self.draw(st.integers(1, 3)), self.draw(st.integers(1, 3)))
        step = self.draw(st.integers(1, 2))
        padding = self.draw(st.sampled_from(["valid", "same"]))
        filters = self.draw(st.integers(1, 2))
        told = {"filters": filters, "kernel_size": size, "strides": step, "padding": padding}
        more = [0 if padding == "same" else max(k - step, 0) for k in size]
        name = self.layer("Conv2DTranspose", {**told, **self.window_arguments()})
        self.call(name, [place], (height * step + more[0], width * step + more[1], filters))

    def window_arguments(self) -> dict[str, Any]:
        return {
            "activation": self.draw(st.sampled_from(ACTIVATIONS[:5])),
            "use_bias": self.draw(st.booleans()),
        }

    def recurrent(self, place: int) -> None:
        moments, _ = self.shapes[place]
        units, whole = self.draw(st.integers(1, 3)), self.draw(st.booleans())
        told = {
            "units": units,
            "return_sequences": whole,
            "go_backwards": self.draw(st.booleans()),
            "use_bias": self.draw(st.booleans()),
            "kernel_regularizer": self.draw(st.sampled_from([None, "l2"])),
        }
        name = self.layer(self.draw(st.sampled_from(["SimpleRNN", "LSTM", "GRU"])), told)
        self.call(name, [place], (moments, units) if whole else (units,))

    def attention(self, place: int) -> None:
        """Of a sequence to another one, mostly to itself."""
        others = [k for k, shape in enumerate(self.shapes) if len(shape) == 2]
        value = self.draw(st.sampled_from([place, *others]))
        told = {"num_heads": self.draw(st.integers(1, 2)), "key_dim": self.draw(st.integers(1, 3))}
        self.call(self.layer("MultiHeadAttention", told), [place, value], self.shapes[place])

    def words(self) -> None:
        """Whole numbers, and a row for each."""
        self.network.inputs[f"words{len(self.shapes)}"] = (4,)
        self.shapes.append((4,))

    def embed(self) -> None:
        """Rows of tables for all words; behind all inputs, since places count them first."""
        for place, name in enumerate(list(self.network.inputs)):
            if name.startswith("words"):
                units = self.draw(st.integers(1, 3))
                told = {"input_dim": WORDS, "output_dim": units}
                self.call(self.layer("Embedding", told), [place], (4, units))

    def pooling(self, place: int) -> None:
        height, width, channels = self.shapes[place]
        size, padding = self.windows(place, 3)
        strides = self.draw(st.sampled_from([None, (1, 1), (2, 1), (2, 2)]))
        kind = self.draw(st.sampled_from(["MaxPooling2D", "AveragePooling2D"]))
        name = self.layer(kind, {"pool_size": size, "strides": strides, "padding": padding})
        self.call(name, [place], (*windowed((height, width), size, strides or size, padding), channels))

    def averaging(self, place: int) -> None:
        keepdims = self.draw(st.booleans())
        channels = self.shapes[place][-1]
        name = self.layer("GlobalAveragePooling2D", {"keepdims": keepdims})
        self.call(name, [place], (1, 1, channels) if keepdims else (channels,))

    def flatten(self, place: int) -> int:
        return self.call(self.layer("Flatten", {}), [place], (int(np.prod(self.shapes[place])),))

    def reshape(self, place: int) -> None:
        (size,) = self.shapes[place]
        height = self.draw(st.sampled_from([h for h in (1, 2, 3, 4) if size % h == 0]))
        name = self.layer("Reshape", {"target_shape": (height, -1, 1)})
        self.call(name, [place], (height, size // height, 1))

    def merge(self, place: int) -> None:
        kind = self.draw(
            st.sampled_from(["Add", "Multiply", "Maximum", "Minimum", "Average", "Subtract", "Concatenate"])
        )
        shape = self.shapes[place]
        if kind == "Concatenate":
            fitting = [k for k, other in enumerate(self.shapes) if other[:-1] == shape[:-1]]
        else:
            fitting = [
                k for k, other in enumerate(self.shapes) if len(other) == len(shape) and meets(other, shape)
            ]
        count = 1 if kind == "Subtract" else self.draw(st.integers(1, 2))
        others = [self.draw(st.sampled_from(fitting)) for _ in range(count)]
        if kind == "Concatenate":
            made = (*shape[:-1], shape[-1] + sum(self.shapes[k][-1] for k in others))
        else:
            made = merged(shape, self.shapes[others[0]])
            others = [k for k in others if meets(self.shapes[k], made)]
            for k in others:
                made = merged(made, self.shapes[k])
        self.call(self.layer(kind, {}), [place, *others], made)

    def share(self, place: int) -> None:
        """A layer with parameters once more, on a place of a shape it knows."""
        first = {}
        for index, (name, places) in enumerate(self.network.calls):
            if can_be_shared(self.network.layers[name]):
                first.setdefault(name, (places[0], len(self.network.inputs) + index))
        fitting = [name for name, (read, _) in first.items() if self.shapes[read] == self.shapes[place]]
        if not fitting:
            return
        name = self.draw(st.sampled_from(fitting))
        self.call(name, [place], self.shapes[first[name][1]])

    def nested(self, place: int) -> None:
        """A network of its own as a layer; its layers may have the names of others."""
        if self.inner:
            return
        inner = Drawer(self.draw, inner=True)
        inner.input(self.shapes[place])
        for _ in range(self.draw(st.integers(1, 3))):
            inner.step()
        if len(inner.shapes) == 1:
            inner.keep(0)
        inner.network.outputs = [len(inner.shapes) - 1]
        name = f"m{len(self.network.layers)}_network"
        self.network.layers[name] = inner.network
        self.call(name, [place], inner.shapes[-1])

    def output(self, place: int) -> None:
        """A loss on a place: as it is, or after a Dense layer that fits the loss."""
        kind = self.draw(
            st.sampled_from(["mse", "mse_here", "softmax", "logits", "sparse", "binary", "binary_logits"])
        )
        chosen = self.draw(METRICS)
        if kind in ("logits", "sparse"):
            chosen = [name for name in chosen if name == "accuracy"]
        self.network.metrics = [*(self.network.metrics or []), chosen]
        inputs = len(self.network.inputs)
        made = [self.network.calls[k - inputs][0] for k in (place, *self.network.outputs) if k >= inputs]
        # Keras mixes up the logs of two outputs of one layer
        if kind == "mse_here" and place >= inputs and made.count(made[0]) == 1:
            self.network.losses.append(("MeanSquaredError", {}))
            self.network.outputs.append(place)
            return
        if len(self.shapes[place]) > 1 and self.draw(st.booleans()):
            place = self.flatten(place)
        smoothing = self.draw(st.sampled_from([0.0, 0.1]))
        activation = {"softmax": "softmax", "sparse": "softmax", "binary": "sigmoid"}.get(kind)
        loss: tuple[str, dict[str, Any]] = {
            "softmax": ("CategoricalCrossentropy", {"label_smoothing": smoothing}),
            "logits": ("SparseCategoricalCrossentropy", {"from_logits": True}),
            "sparse": ("SparseCategoricalCrossentropy", {}),
            "binary": ("BinaryCrossentropy", {}),
            "binary_logits": ("BinaryCrossentropy", {"from_logits": True}),
        }.get(kind, ("MeanSquaredError", {}))
        place = self.dense(place, self.draw(st.integers(2, 3)), activation=activation)
        self.network.outputs.append(place)
        self.network.losses.append(loss)


def can_be_shared(layer: tuple[str, dict[str, Any]] | Network) -> bool:
    """Layers with parameters. Of a penalty on what a shared layer gives, Keras counts the last use only."""
    if isinstance(layer, Network):
        return all(can_be_shared(one) or one[0] in PLAIN for one in layer.layers.values())
    return layer[0] in SHARED and "activity_regularizer" not in layer[1]


def windowed(sizes: tuple[int, int], reach: Any, strides: Any, padding: str) -> tuple[int, ...]:
    """Rows and columns after windows."""
    if padding == "same":
        return tuple(-(-size // step) for size, step in zip(sizes, strides, strict=True))
    return tuple((size - k) // step + 1 for size, k, step in zip(sizes, reach, strides, strict=True))


def meets(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Whether two shapes broadcast."""
    return all(a == b or 1 in (a, b) for a, b in zip(left, right, strict=True))


def merged(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of two shapes that broadcast."""
    return tuple(max(pair) for pair in zip(left, right, strict=True))


@st.composite
def networks(draw: Any) -> Network:
    """Functional networks of one to three inputs, one or two outputs, and up to eight layers between."""
    drawer = Drawer(draw)
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from([(5,), (4,), (5, 4, 2), (6, 6, 3), (5, 4, 2), (4, 3), (4, 3), None]))
        if shape is None:
            drawer.words()
        else:
            drawer.input(shape)
    drawer.embed()
    for _ in range(draw(st.integers(1, 8))):
        drawer.step()
    drawer.output(drawer.place())
    if draw(st.booleans()):
        drawer.output(drawer.place())
    network = drawer.network
    if draw(st.booleans()):
        network.loss_weights = [draw(st.sampled_from([0.5, 1.0, 2.0])) for _ in network.outputs]
    return network
