"""Keras 3 on the JAX backend: `fit` and `predict`, as its users call them."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import layers

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
    ReLU,
)
from ..workloads import MOMENTUM, Workload
from .base import Contestant, Made, Weights


class Keras(Contestant):
    """Keras with whole passes of `fit`."""

    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__, "keras backend": keras.backend.backend()}

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        return ("fit", "fit, 16 steps per execution")

    def trainer(
        self,
        workload: Workload,
        variant: str,
        x: np.ndarray,
        y: np.ndarray,
        weights: Weights | None = None,
    ) -> Made:
        model, places = _model(workload, weights, softmax=False)
        if workload.optimizer == "adam":
            optimizer = keras.optimizers.Adam(workload.learning_rate)
        else:
            optimizer = keras.optimizers.SGD(workload.learning_rate, momentum=MOMENTUM)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, steps_per_execution=16 if "16" in variant else 1)

        def run(steps: int) -> int:
            rows = min(steps * workload.batch, len(x) - len(x) % workload.batch)
            each = rows // workload.batch
            epochs = -(-steps // each)
            model.fit(x[:rows], y[:rows], workload.batch, epochs, verbose=0, shuffle=False)
            return epochs * each

        def held() -> list[dict[str, np.ndarray]]:
            names = [node.parameters for node in workload.build().nodes]
            found = [layer.get_weights() for layer in places]
            return [dict(zip(own, arrays, strict=False)) for own, arrays in zip(names, found, strict=True)]

        count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        return Made(run, held, parameter_count=count)

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        return ("predict_on_batch",)

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        model, _ = _model(workload, weights, softmax=True)
        batches = len(x) // batch

        def run(count: int) -> int:
            for index in range(count):
                start = index % batches * batch
                model.predict_on_batch(x[start : start + batch])
            return count

        return Made(run, outputs=lambda: model.predict(x, batch, verbose=0))


def _model(workload: Workload, weights: Weights | None, softmax: bool) -> tuple[Any, list[Any]]:
    """The model, and its layers in the order of the nodes."""
    network = workload.build()
    places: list[Any] = []

    def apply(place: int, layer: Layer, *values: Any) -> Any:
        places.append(_layer(layer))
        return places[-1](list(values) if len(values) > 1 else values[0])

    x = keras.Input(network.input_shape)
    y = network.run(x, apply)
    model = keras.Model(x, layers.Softmax()(y) if softmax else y)
    for layer, own in zip(places, weights or (), strict=weights is not None):
        if own:
            layer.set_weights([*own.values(), *layer.get_weights()[len(own) :]])
    return model, places


def _layer(layer: Layer) -> Any:
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
