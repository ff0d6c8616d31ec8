"""A model that only does what callbacks ask of one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np


class FakeModel:
    """Counts in its single weight how often it was trained; saving writes that number."""

    def __init__(self, learning_rate=0.1, metrics=()):
        self.optimizer = SimpleNamespace(learning_rate=learning_rate)
        self.stop_training = False
        self.history = None
        self.metrics = list(metrics)
        self.weight = np.zeros(1, np.float32)
        self.saved = []

    def get_weights(self):
        return [self.weight.copy()]

    def set_weights(self, weights):
        self.weight = np.array(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(("model", Path(path).name))
        Path(path).write_text(str(float(self.weight[0])))

    def save_weights(self, path, overwrite=True):
        self.saved.append(("weights", Path(path).name))
        Path(path).write_text(str(float(self.weight[0])))


def train(callback, epochs_logs, model=None, first=0, begin=True, end=True):
    """Play epochs with these logs until the callback stops. Gives the logs of the epochs that ran."""
    model = model or FakeModel()
    callback.set_model(model)
    model.stop_training = False
    seen = []
    if begin:
        callback.on_train_begin()
    for epoch, given in enumerate(epochs_logs, first):
        logs = dict(given)
        callback.on_epoch_begin(epoch)
        model.weight = model.weight + 1
        callback.on_epoch_end(epoch, logs)
        seen.append(logs)
        if model.stop_training:
            break
    if end:
        callback.on_train_end(seen[-1] if seen else {})
    return seen


def losses(values, name="val_loss"):
    return [{"loss": 1.0, name: value} for value in values]
