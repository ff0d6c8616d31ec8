"""How good the predictions of a network are: what every command that tests tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BATCH = 256


def score(model: Any, x: Any, y: Any, class_names: Sequence[str] = ()) -> dict[str, float | None]:
    """Loss and accuracy, or loss, MAE and R²; None for what there is not.

    R² = 1 − Σ(y − ŷ)² / Σ(y − mean of y)², over all targets together.
    """
    if not len(x):
        return {"loss": None, "accuracy": None}
    found = model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    if model.class_names or class_names:
        return {"loss": found["loss"], "accuracy": found.get("accuracy")}
    guessed = np.asarray(model.predict(x, batch_size=BATCH, verbose=0), np.float64).reshape(len(x), -1)
    wanted = np.asarray(y, np.float64).reshape(len(x), -1)
    total = float(np.square(wanted - wanted.mean(axis=0)).sum())
    rest = float(np.square(wanted - guessed).sum())
    mae = float(np.abs(wanted - guessed).mean())
    return {
        "loss": found["loss"],
        "accuracy": None,
        "mae": mae,
        "r2": 1 - rest / total if total > 0 else None,
    }
