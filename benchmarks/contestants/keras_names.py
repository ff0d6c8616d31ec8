"""Networks by Keras's names, which Brickwork has too: one text builds them with either."""

from __future__ import annotations

from typing import Any

from ..networks import (
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    MaxPool,
    Network,
    ReLU,
)
from .base import Weights


def build(library: Any, network: Network, weights: Weights | None, softmax: bool) -> tuple[Any, list[Any]]:
    """The model, and its layers in the order of the nodes; with these weights where they are given."""
    places: list[Any] = []

    def apply(place: int, layer: Layer, *values: Any) -> Any:
        places.append(_layer(library.layers, layer))
        return places[-1](list(values) if len(values) > 1 else values[0])

    x = library.Input(network.input_shape)
    y = network.run(x, apply)
    model = library.Model(x, library.layers.Activation("softmax")(y) if softmax else y)
    for layer, own in zip(places, weights or (), strict=weights is not None):
        if own:
            held = layer.get_weights()  # batch normalization holds its statistics behind gamma and beta
            layer.set_weights([*own.values(), *held[len(own) :]])
    return model, places


def _layer(layers: Any, layer: Layer) -> Any:
    match layer:
        case Dense():
            return layers.Dense(layer.units, activation=layer.activation)
        case Conv():
            options = {"padding": layer.padding, "activation": layer.activation, "use_bias": layer.bias}
            return layers.Conv2D(layer.filters, layer.size, layer.strides, **options)
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
