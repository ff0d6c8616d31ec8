"""Networks by Keras's names, which Brickwork has too: one text builds them with either."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..networks import (
    PIXELS,
    Add,
    Augment,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    MaxPool,
    Network,
    Node,
    Recurrent,
    ReLU,
    SelfAttention,
)
from .base import Weights


def build(library: Any, network: Network, weights: Weights | None, softmax: bool) -> tuple[Any, list[Any]]:
    """The model, and its layers in the order of the nodes; with these weights where they are given."""
    places: list[Any] = []

    def apply(place: int, layer: Layer, *values: Any) -> Any:
        places.append(_layer(library.layers, network.nodes[place]))
        if isinstance(layer, SelfAttention):
            return places[-1](*values, *values)
        return places[-1](list(values) if len(values) > 1 else values[0])

    x = library.Input(network.input_shape)
    y = network.run(x, apply)
    model = library.Model(x, library.layers.Activation("softmax")(y) if softmax else y)
    for layer, own in zip(places, weights or (), strict=weights is not None):
        if own:
            held = layer.get_weights()  # batch normalization holds its statistics behind gamma and beta
            given = [array.reshape(one.shape) for array, one in zip(own.values(), held, strict=False)]
            layer.set_weights([*given, *held[len(own) :]])
    return model, places


def held(network: Network, places: list[Any]) -> list[dict[str, np.ndarray]]:
    """The weights of the layers in the benchmark's layout, by node."""
    return [
        {
            name: array.reshape(shape)
            for (name, shape), array in zip(node.parameters.items(), layer.get_weights(), strict=False)
        }
        for node, layer in zip(network.nodes, places, strict=True)
    ]


def _layer(layers: Any, node: Node) -> Any:
    layer = node.layer
    match layer:
        case Dense():
            return layers.Dense(layer.units, activation=layer.activation)
        case Conv():
            options = {"padding": layer.padding, "activation": layer.activation, "use_bias": layer.bias}
            return layers.Conv2D(layer.filters, layer.size, layer.strides, **options)
        case DepthwiseConv():
            options = {"padding": "same", "activation": layer.activation}
            return layers.DepthwiseConv2D(layer.size, layer.strides, **options)
        case ConvTranspose():
            options = {"padding": "same", "activation": layer.activation}
            return layers.Conv2DTranspose(layer.filters, layer.size, layer.strides, **options)
        case Recurrent():
            kind = {"lstm": layers.LSTM, "gru": layers.GRU}[layer.kind]
            return kind(layer.units, return_sequences=layer.sequences)
        case SelfAttention():
            return layers.MultiHeadAttention(layer.heads, layer.size)
        case Augment():
            return _augmentation(layers, layer)
        case GlobalAverage() if len(node.input_shapes[0]) == 2:
            return layers.GlobalAveragePooling1D()
        case MaxPool():
            return layers.MaxPooling2D(layer.size, layer.strides, layer.padding)
        case Dropout():
            return layers.Dropout(layer.rate)
    plain = {
        GlobalAverage: layers.GlobalAveragePooling2D,
        Flatten: layers.Flatten,
        ReLU: layers.ReLU,
        BatchNorm: layers.BatchNormalization,
        Add: layers.Add,
        Concat: layers.Concatenate,
    }
    return plain[type(layer)]()


def _augmentation(layers: Any, layer: Augment) -> Any:
    match layer.kind:
        case "translation":
            return layers.RandomTranslation(layer.factor, layer.factor)
        case "rotation":
            return layers.RandomRotation(layer.factor)
        case "zoom":
            return layers.RandomZoom(layer.factor, layer.factor)
        case "flip":
            return layers.RandomFlip("horizontal")
        case "brightness":
            return layers.RandomBrightness(layer.factor, value_range=PIXELS)
        case "contrast":
            return layers.RandomContrast(layer.factor, value_range=PIXELS)
    raise ValueError(f"no augmentation is called {layer.kind!r}")
