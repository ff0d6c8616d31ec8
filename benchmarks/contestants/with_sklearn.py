"""scikit-learn's MLPClassifier, by whole passes of `partial_fit`; dense networks only."""

from __future__ import annotations

import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from ..networks import Dense
from ..workloads import MOMENTUM, Workload
from .base import Contestant, Made, Unsupported, Weights


class ScikitLearn(Contestant):
    """It has no dropout, no convolutions, and for two classes one sigmoid unit in place of a softmax."""

    def versions(self) -> dict[str, str]:
        return {"scikit-learn": sklearn.__version__}

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        if not all(isinstance(node.layer, Dense) for node in workload.build().nodes):
            raise Unsupported("MLPClassifier has dense layers only")
        return ("partial_fit",)

    def trainer(
        self,
        workload: Workload,
        variant: str,
        x: np.ndarray,
        y: np.ndarray,
        weights: Weights | None = None,
    ) -> Made:
        layers = [node.layer for node in workload.build().nodes if isinstance(node.layer, Dense)]
        hidden = [layer for layer in layers if layer.activation]
        model = MLPClassifier(
            [layer.units for layer in hidden],
            activation=hidden[0].activation if hidden else "identity",
            solver="sgd",
            learning_rate_init=workload.learning_rate,
            momentum=MOMENTUM,
            nesterovs_momentum=False,
            alpha=0.0,
            batch_size=workload.batch,
            shuffle=False,
            random_state=0,
        )
        classes = np.arange(layers[-1].units)

        def run(steps: int) -> int:
            rows = min(steps * workload.batch, len(x) - len(x) % workload.batch)
            each = rows // workload.batch
            epochs = -(-steps // each)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for _ in range(epochs):
                    model.partial_fit(x[:rows], y[:rows], classes=classes)
            return epochs * each

        return Made(run)
