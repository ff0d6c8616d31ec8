"""Brickwork itself, through its public API: `compile`, `fit` on arrays, `predict`."""

from __future__ import annotations

from typing import Any

import numpy as np

import brickwork
from brickwork import layers, losses, optimizers, utils

from ..workloads import MOMENTUM, Workload
from .base import Contestant, Made, Weights
from .keras_names import build, held

_NAMES = (
    *("Activation", "Add", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "Dropout", "Flatten"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "MaxPooling2D", "ReLU"),
    *("Conv2DTranspose", "DepthwiseConv2D", "GRU", "LSTM", "MultiHeadAttention"),
    *(
        "RandomBrightness",
        "RandomContrast",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
    ),
)


class Brickwork(Contestant):
    """`fit` shuffles and gathers rows, as users get it."""

    shuffle = True

    def __init__(self, threads: int, engine: str) -> None:
        super().__init__(threads, engine)
        utils.set_threads(threads)
        for (
            name
        ) in _NAMES:  # names are lazy: what a script imports belongs to the import, not to the first step
            getattr(layers, name)
        self._optimizers = {"sgd": optimizers.SGD, "adam": optimizers.Adam}
        self._loss = losses.SparseCategoricalCrossentropy

    def versions(self) -> dict[str, str]:
        from brickwork.engines.native_module import load_native

        module = load_native()
        native = {} if module is None else {"native instruction set": module.isa()}
        return {"brickwork": brickwork.__version__, "engine": self.engine, **native, "numpy": np.__version__}

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        return ("fit",) if self.shuffle else ("fit, shuffle=False",)

    def trainer(
        self,
        workload: Workload,
        variant: str,
        x: np.ndarray,
        y: np.ndarray,
        weights: Weights | None = None,
    ) -> Made:
        model, places = build(brickwork, workload.build(), weights, softmax=False)
        if workload.optimizer == "adam":
            optimizer = self._optimizers["adam"](workload.learning_rate)
        else:
            optimizer = self._optimizers["sgd"](workload.learning_rate, momentum=MOMENTUM)
        model.compile(optimizer, self._loss(from_logits=True), engine=self.engine)
        batches = max(1, len(x) // workload.batch)

        def run(steps: int) -> int:
            epochs = max(1, -(-steps // batches))
            fewer = steps if steps < batches else None
            model.fit(
                x,
                y,
                batch_size=workload.batch,
                epochs=epochs,
                steps_per_epoch=fewer,
                shuffle=self.shuffle,
                verbose=0,
            )
            return epochs * (fewer or batches)

        network = workload.build()
        return Made(run, lambda: held(network, places), parameter_count=_trainable(model))

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        return ("predictor",) if batch == 1 else ("predict", "predictor")

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        model, _ = build(brickwork, workload.build(), weights, softmax=True)
        model.compile(optimizers.SGD(), losses.SparseCategoricalCrossentropy(), engine=self.engine)
        batches = len(x) // batch
        predictor = model.predictor(batch)  # holds the weights, as a session of ONNX Runtime does

        def whole(count: int) -> int:
            done = 0
            while done < count:
                model.predict(x, batch_size=batch, verbose=0)
                done += batches
            return done

        def single(count: int) -> int:
            for index in range(count):
                start = index % batches * batch
                predictor(x[start : start + batch])
            return count

        return Made(
            whole if variant == "predict" else single,
            outputs=lambda: model.predict(x, batch_size=batch, verbose=0),
        )


class Unshuffled(Brickwork):
    """Brickwork on the rows in their own order, as the peers take them."""

    shuffle = False


def _trainable(model: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
