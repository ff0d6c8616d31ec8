"""Keras 3 on the JAX backend: `fit` and `predict`, as its users call them."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from ..workloads import MOMENTUM, Workload
from .base import Contestant, Made, Weights
from .keras_names import build, held


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
        model, places = build(keras, workload.build(), weights, softmax=False)
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

        network = workload.build()
        count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        return Made(run, lambda: held(network, places), parameter_count=count)

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        return ("predict_on_batch",)

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        model, _ = build(keras, workload.build(), weights, softmax=True)
        batches = len(x) // batch

        def run(count: int) -> int:
            for index in range(count):
                start = index % batches * batch
                model.predict_on_batch(x[start : start + batch])
            return count

        return Made(run, outputs=lambda: model.predict(x, batch, verbose=0))
